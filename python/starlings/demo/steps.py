"""Progress on standard error: one line a step, with its time, and a spinner where there is a terminal and rich.

Standard output is left to the results, so that they can be piped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

__all__ = ["Steps"]

_WIDTH = 48


class Steps:
    """Announces each step of a job and remembers how long it took.

    Parameters
    ----------
    quiet : bool
        Only take the times, print nothing.

    Attributes
    ----------
    timings : list of (str, float)
        The finished steps and their seconds, in order.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.timings: list[tuple[str, float]] = []
        self._console = None if quiet else _terminal_console()

    @property
    def seconds(self) -> float:
        """Total of all finished steps."""
        return sum(seconds for _, seconds in self.timings)

    @contextmanager
    def step(self, title: str, *, spinner: bool = True) -> Iterator[None]:
        """Time the enclosed block under `title`; a block that raises is not recorded.

        Without `spinner` the terminal is left to the block, for calls of the library that show a bar of their own.
        """
        start = time.perf_counter()
        with self._spinner(title) if spinner else nullcontext():
            yield
        self.timings.append((title, time.perf_counter() - start))
        self._say_time(title, self.timings[-1][1])

    def total(self) -> None:
        """Print the time of all steps together."""
        self._say_time("Total", self.seconds)

    def _spinner(self, title: str) -> AbstractContextManager[Any]:
        return nullcontext() if self._console is None else self._console.status(f"{title} ...")

    def _say_time(self, title: str, seconds: float) -> None:
        if not self.quiet:
            print(f"  {title:<{_WIDTH}} {seconds:8.3f} s", file=sys.stderr, flush=True)


def _terminal_console() -> Any:
    """A rich console on standard error, or None without a terminal or without rich."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=True)
