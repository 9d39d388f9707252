"""The application: its commands, and how they end.

Commands return their exit code, or nothing, or raise what this module turns into one line and a code.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from typing import Annotated, Any, Final

import typer

from starlings import __version__
from starlings.cli.at_command import at
from starlings.cli.build_command import build
from starlings.cli.compare_command import compare
from starlings.cli.diff_command import diff
from starlings.cli.explain_command import explain
from starlings.cli.explore_command import explore
from starlings.cli.info_command import info
from starlings.cli.mistakes import Mistake, tell, warning_in_lines
from starlings.cli.parameters import spread
from starlings.cli.sweep_command import sweep
from starlings.exceptions import StarlingsError

__all__ = ["run"]

_MISTAKE: Final = 2
_INTERRUPTED: Final = 130
_OF_SIGNALS: Final = 128
_CLOSED_OUTPUT: Final = 141  # what a shell says of a program that SIGPIPE ended
_ENDING_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
_COMMANDS: Final[tuple[Callable[..., int | None], ...]] = (build, info, at, sweep, compare, explain, diff, explore)


class _ClosedOutput(Exception):
    """Nobody reads standard output any more."""


class _Ended(BaseException):
    """A signal asks the process to end; what is half-written is removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _signalled() -> Iterator[None]:
    """Within the block, signals that would end the process at once raise an error, unless somebody handles them."""

    def end(number: int, _: object) -> None:
        raise _Ended(number)

    taken = []
    if threading.current_thread() is threading.main_thread():  # no other may
        taken = [number for number in _ENDING_SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _any_text() -> Iterator[None]:
    """Within the block, what the encoding of standard output lacks is written as an escape."""
    stream = sys.stdout
    errors = stream.errors
    if not isinstance(stream, io.TextIOWrapper) or errors not in ("strict", "surrogateescape"):
        yield
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        with suppress(OSError):  # of what could not be written, which is told elsewhere
            stream.reconfigure(errors=errors)


@cache
def _application() -> Any:
    """All commands; making them takes longer than most of them run."""
    made = typer.Typer(
        name="starlings",
        help="Entity resolution at every threshold: build hierarchies of entities from scored pairs, cut, measure and "
        "compare them.",
        epilog="Exit codes: 0 done, 1 a gate failed, 2 a mistake in the arguments or the input, 130 interrupted.",
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        invoke_without_command=True,
    )
    made.callback()(_start)
    for command in _COMMANDS:
        made.command(command.__name__)(_noticing_closed_output(spread(command)))
    return typer.main.get_command(made)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"starlings {__version__}")
        raise typer.Exit


def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(_MISTAKE)


def _noticing_closed_output(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command; typer ends the process by itself on a BrokenPipeError, so it is told by another name."""

    @wraps(command)
    def noticing(**options: object) -> int | None:
        try:
            code = command(**options)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _ClosedOutput from None
        return code

    return noticing


def run(arguments: list[str]) -> int:
    """Run a command; what it returns is the exit code."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (to the end of the process)
    try:
        with warning_in_lines(quiet=bool({"--quiet", "-q"} & set(arguments))), _signalled(), _any_text():
            code = _application().main(arguments, "starlings", standalone_mode=False)
        return code or 0
    except SystemExit as exit:  # completion ends like that
        return exit.code if isinstance(exit.code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    except _Ended as ended:
        return _OF_SIGNALS + ended.number
    except _ClosedOutput:
        _give_up_output()
        return _CLOSED_OUTPUT
    except Mistake as mistake:
        return _told(mistake, arguments)
    except typer.TyperException as error:
        return _told(_usage(error), arguments)
    except (StarlingsError, OSError, MemoryError) as error:
        return _told(Mistake.of(error), arguments)


def _give_up_output() -> None:
    """Let what could not be written to standard output go nowhere, or Python would try again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _told(mistake: Mistake, arguments: list[str]) -> int:
    """The exit code of a mistake, which is told."""
    try:
        sys.stdout.flush()
    except OSError:  # a full disk, which may be the mistake
        _give_up_output()
    tell(mistake, as_json="--json" in arguments)
    return _MISTAKE


def _usage(error: typer.TyperException) -> Mistake:
    """A mistake in the arguments, with where to read on."""
    context = getattr(error, "ctx", None)
    path = "starlings" if context is None else context.command_path
    return Mistake(f"{error.format_message().rstrip('.')} ({path} --help says more)")
