"""Files that are written as a whole or not at all: beside their place first, and moved there once they are complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Any, Final

from starlings.exceptions import (
    InvalidArgumentError,
    PathIsFolderError,
    PathNotFoundError,
    PathPermissionError,
    SystemCallError,
    shown,
)

__all__ = ["checked_path", "is_stream", "refused", "replacing"]

_REFUSALS: Final[dict[int | None, type[SystemCallError]]] = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), PathNotFoundError),
    errno.EISDIR: PathIsFolderError,
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), PathPermissionError),
}


def checked_path(path: object) -> str:
    """The path as a str, which the system can take."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidArgumentError(f"{shown(path)} is no path: give a str or an os.PathLike")
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise InvalidArgumentError(f"{shown(path)} is no path: it is empty or has a NUL in it")
    return text


def is_stream(path: str) -> bool:
    """Whether it is a device or a pipe, which one writes into."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


@contextmanager
def replacing(path: str) -> Iterator[Any]:
    """A new file that takes the place of what is at the path when the block ends well.

    A link is followed and the mode of a file kept; a device or a pipe is written into.
    """
    if is_stream(path):
        with open(path, "wb") as file:
            yield file
        return
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".{name[:40]}.{token_hex(6)}.part")
    mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else None
    # Whoever may not read what is there may not read the new one either, while it is written.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else 0o600)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
            os.replace(part, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise


def refused(error: OSError, path: str, what: str | None = None) -> SystemCallError:
    """The package's error for one of the system's, about a file; `what` could not be done, by default writing it."""
    what = what or f"cannot write {path}"
    told = _REFUSALS.get(error.errno, SystemCallError)(f"{what}: {error.strerror or error}")
    told.errno, told.strerror, told.filename = error.errno, error.strerror, path
    return told
