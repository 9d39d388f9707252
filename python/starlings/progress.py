"""Progress of long calls: a bar on standard error, or a function of the caller's.

The engine calls back about every 20 ms with a phase and how much of it is done. By default a bar appears only on a
terminal and only once the work has lasted a second; it is drawn by `rich` where that is installed, else as one line. It
is gone when the work ends. A bar that cannot be drawn never disturbs the work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlings._typing import Progress
from starlings.exceptions import InvalidArgumentError, shown
from starlings.optional import is_installed

if TYPE_CHECKING:
    from starlings._core import ProgressCallback

__all__ = ["reporting"]

_PATIENCE: Final = 1.0
_BETWEEN_DRAWINGS: Final = 0.1
_WIDTH: Final = 30


@contextmanager
def reporting(progress: Progress) -> Iterator[ProgressCallback | None]:
    """What to hand to the engine for a ``progress`` argument; the bar is taken away at the end of the block.

    Raises
    ------
    InvalidArgumentError
        If `progress` is neither a bool, nor None, nor callable.
    """
    if progress is None or isinstance(progress, bool):
        wanted = _on_terminal() if progress is None else progress
        bar = _Bar(patience=_PATIENCE if progress is None else 0.0) if wanted else None
        try:
            yield bar
        finally:
            if bar is not None:
                bar.close()
    elif callable(progress):
        yield _ignoring_result(progress)
    else:
        raise InvalidArgumentError(f"progress must be a bool, a function or None, not {shown(progress)}")


def _on_terminal() -> bool:
    """Whether standard error is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False


def _ignoring_result(function: Callable[[str, int, int], object]) -> ProgressCallback:
    """The function, whatever it returns."""

    def call(phase: str, done: int, total: int) -> None:
        function(phase, done, total)

    return call


class _Drawing(Protocol):
    """One way of showing progress."""

    def draw(self, phase: str, done: int, total: int) -> None: ...
    def erase(self) -> None: ...


class _Bar:
    """The callback: draws from `patience` seconds on, ten times a second at most."""

    def __init__(self, patience: float) -> None:
        self._next = monotonic() + patience
        self._drawing: _Drawing | None = None
        self._broken = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = monotonic()
        if self._broken or now < self._next:
            return
        self._next = now + _BETWEEN_DRAWINGS
        try:
            if self._drawing is None:
                self._drawing = _RichDrawing() if is_installed("rich") else _LineDrawing()
            self._drawing.draw(phase, done, total)
        except (OSError, ValueError, AttributeError):  # standard error is closed or not there
            self._broken = True

    def close(self) -> None:
        """Take the bar away."""
        if self._drawing is None:
            return
        try:
            self._drawing.erase()
        except (OSError, ValueError, AttributeError):
            self._broken = True


class _LineDrawing:
    """One line, redrawn in place."""

    def draw(self, phase: str, done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        filled = round(share * _WIDTH)
        line = f"{phase} [{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}"
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()

    def erase(self) -> None:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


class _RichDrawing:
    """A bar of the `rich` library, without its refresh thread."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as RichProgress

        self._bar: Any = RichProgress(console=Console(stderr=True), transient=True, auto_refresh=False)
        self._bar.start()
        self._task: Any = self._bar.add_task("", total=None)

    def draw(self, phase: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=phase, completed=done, total=total or None, refresh=True)

    def erase(self) -> None:
        self._bar.stop()
