"""Mistakes that users of the command line can mend, and how they are told: one line on standard error.

With ``--json`` it is one object instead: ``{"error": {"kind", "message", "file", "row"}}``, where file and row are null
unless one of them is to blame. Rows count from 0.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from starlings.exceptions import StarlingsError

__all__ = ["Mistake", "blaming", "tell", "warn", "warning_in_lines"]

#: What is said elsewhere for those who call functions, and how it is said here.
_OTHER_WORDS: Final = {
    '(SL_SCALE_WEIGHT, scale="weight")': "(--scale weight)",
    "invalid UTF8 data": "invalid UTF8 data; save the file as UTF-8 first",
    "Empty CSV file or block: cannot infer number of columns": "there is nothing but empty lines",
}


class Mistake(Exception):
    """What ends a command with exit code 2.

    Parameters
    ----------
    message : str
        What was wrong, where, and what to do.
    kind : str
        The class of the error, for programs.
    file : str, optional
        The file to blame.
    row : int, optional
        The row of it, from 0.
    """

    def __init__(
        self, message: str, *, kind: str = "UsageError", file: str | None = None, row: int | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.file = file
        self.row = row

    @classmethod
    def of(cls, error: BaseException, file: str | None = None, row: int | None = None) -> Mistake:
        """What another error says, with the file named before it."""
        text = _text_of(error)
        if file is None and isinstance(error, OSError) and error.filename is not None:
            file = str(error.filename)
        named = text if file is None or file in text else f"{file}: {text}"
        if row is None and isinstance(error, StarlingsError):
            row = error.row
        return cls(named, kind=type(error).__name__, file=file, row=row)


def _text_of(error: BaseException) -> str:
    """What an error says; of one of the system without the number."""
    if isinstance(error, OSError) and not isinstance(error, StarlingsError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError) and not str(error):
        return "out of memory"
    text = str(error) or type(error).__name__
    for theirs, ours in _OTHER_WORDS.items():
        text = text.replace(theirs, ours)
    return text


@contextmanager
def blaming(file: str, locate: Callable[[int], tuple[str, int]] | None = None) -> Iterator[None]:
    """Errors of the input say which file they are about; `locate` tells file and row from a row of all files."""
    try:
        yield
    except Mistake:
        raise
    except StarlingsError as error:
        if locate is None or error.row is None:
            raise Mistake.of(error, file) from error
        name, row = locate(error.row)
        if row == error.row:
            raise Mistake.of(error, name, row) from error
        said = f"{name}: row {row} of this file, {error.row} of all: {_text_of(error)}"
        raise Mistake(said, kind=type(error).__name__, file=name, row=row) from error
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as error:
        raise Mistake.of(error, file) from error


def tell(mistake: Mistake, *, as_json: bool) -> None:
    """Write a mistake to standard error."""
    if as_json:
        error = {"kind": mistake.kind, "message": str(mistake), "file": mistake.file, "row": mistake.row}
        line = json.dumps({"error": error})
    else:
        line = f"starlings: error: {_one_line(str(mistake))}"
    _write(line)


class CommandWarning(UserWarning):
    """What users should look at, though the command goes on."""


def warn(message: str) -> None:
    """Say something on standard error, unless users want it quiet."""
    warnings.warn(CommandWarning(message), stacklevel=2)


@contextmanager
def warning_in_lines(*, quiet: bool) -> Iterator[None]:
    """While commands run, warnings of this package and of others are a line each on standard error, or nothing."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if not quiet:
            _write(f"starlings: warning: {_one_line(str(message))}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", CommandWarning)
        warnings.showwarning = show
        yield


def _one_line(text: str) -> str:
    """Text without line breaks and other control characters, which might come from the data."""
    joined = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in joined)


def _write(line: str) -> None:
    """A line on standard error, if there is one that takes it."""
    try:
        encoding = sys.stderr.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):  # closed or not there: nobody to tell
        pass
