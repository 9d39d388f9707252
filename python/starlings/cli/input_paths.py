"""Where what arguments name can be opened: paths, patterns, pipes and standard input.

Readers open a file several times, to tell its format, its columns and its rows, and most take its name in UTF-8. So
what can be read but once is copied to a temporary file without a name, and a path that is not UTF-8 is opened here;
both are then read through ``/dev/fd``.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from glob import glob, has_magic
from tempfile import TemporaryFile
from typing import IO, Any, Final
from weakref import WeakSet

from starlings.cli.mistakes import Mistake, blaming

__all__ = ["STANDARD_INPUT", "OpenedPath", "check_target", "opened_paths"]

STANDARD_INPUT: Final = "-"
_STANDARD_INPUT_NAME: Final = "standard input"
#: Standard inputs that were read, which nobody can do again.
_read: WeakSet[Any] = WeakSet()


@dataclass(frozen=True)
class OpenedPath:
    """A file: what messages call it, where it can be opened, and what has to stay open meanwhile."""

    name: str
    path: str
    held: IO[bytes] | None = None

    @classmethod
    def holding(cls, name: str, file: IO[bytes]) -> OpenedPath:
        """A file that is open."""
        return cls(name, f"/dev/fd/{file.fileno()}", file)


def opened_paths(pattern: str) -> list[OpenedPath]:
    """The files that an argument names: a path, a pattern such as ``parts/*.parquet`` in the order of names, ``-``."""
    return [_standard_input()] if pattern == STANDARD_INPUT else [_opened(path) for path in _paths(pattern)]


def _paths(pattern: str) -> list[str]:
    """The files that a path or a pattern names."""
    if not pattern:
        raise Mistake("the name of a file is empty; is a variable of the shell not set?")
    if os.path.isdir(pattern):
        inside = os.path.join(pattern, "*.parquet")
        raise Mistake(
            f"{pattern}: is a folder; name its files, as in {inside!r}", kind="IsADirectoryError", file=pattern
        )
    if os.path.exists(pattern):
        return [pattern]
    if not has_magic(pattern):
        raise Mistake(f"{pattern}: no such file", kind="FileNotFoundError", file=pattern)
    matching = sorted(path for path in glob(pattern, recursive=True) if not os.path.isdir(path))
    if not matching:
        raise Mistake(f"{pattern}: no file matches the pattern", kind="FileNotFoundError", file=pattern)
    return matching


def _opened(path: str) -> OpenedPath:
    """A file, where it is or, if it can be read but once or has a name that is not UTF-8, as one that is open."""
    with blaming(path):
        if stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb") as pipe:
                return OpenedPath.holding(path, _copied(pipe))
        if not _is_utf8(path):
            return OpenedPath.holding(path, open(path, "rb"))
    return OpenedPath(path, path)


def _standard_input() -> OpenedPath:
    """Standard input: the file that it is, or a copy."""
    if sys.stdin is None:
        raise Mistake("standard input is closed; name a file instead of -")
    if sys.stdin.isatty():
        raise Mistake("standard input is a terminal; pipe the data into the command, or name a file instead of -")
    if sys.stdin in _read:
        raise Mistake("standard input, -, can be read only once")
    _read.add(sys.stdin)
    stream = sys.stdin.buffer
    try:
        number = stream.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            return OpenedPath(_STANDARD_INPUT_NAME, f"/dev/fd/{number}")
    except OSError:  # no file of the system: a caller's object
        pass
    with blaming(_STANDARD_INPUT_NAME):
        return OpenedPath.holding(_STANDARD_INPUT_NAME, _copied(stream))


def _copied(stream: IO[bytes]) -> IO[bytes]:
    """A temporary file with what a stream holds."""
    copy = TemporaryFile()  # noqa: SIM115  (open as long as it is read)
    shutil.copyfileobj(stream, copy)
    copy.flush()
    return copy


def _is_utf8(path: str) -> bool:
    """Whether readers that want names in UTF-8 can open the path."""
    return os.fsencode(path).decode("utf-8", "replace") == path


def check_target(target: str, *inputs: str | None) -> None:
    """Raise an error, before any work is done, for a file that cannot be made, or that is one of the inputs."""
    if not target:
        raise Mistake("the name of the file to write is empty; is a variable of the shell not set?")
    folder = os.path.dirname(target) or os.curdir
    if not os.path.isdir(folder):
        raise Mistake(f"{target}: there is no folder {folder!r}; make it first", kind="FileNotFoundError", file=target)
    if os.path.isdir(target):
        raise Mistake(f"{target}: is a folder; name a file", kind="IsADirectoryError", file=target)
    if not os.path.isfile(target):
        return
    for path in (path for pattern in inputs if pattern for path in [pattern, *glob(pattern, recursive=True)]):
        if os.path.isfile(path) and os.path.samefile(path, target):
            raise Mistake(f"{target}: is read by the command, and would be lost; write to another file", file=target)
