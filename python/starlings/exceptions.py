"""Every error that Starlings raises.

All derive from `StarlingsError` and from the built-in exception of their kind, so that ``except KeyError`` finds what
``except starlings.KeyNotFoundError`` finds. Messages say what was wrong, where, and what to do. Where one input row
is to blame, ``row`` holds its number, counted from 0 over the whole input; where two rows disagree, ``other_row``
holds the earlier one.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

__all__ = [
    "CapacityError",
    "CollectionNotFoundError",
    "ColumnNotFoundError",
    "CorruptFileError",
    "DuplicateCollectionError",
    "DuplicateKeyError",
    "InvalidArgumentError",
    "InvalidKeyError",
    "InvalidScoreError",
    "InvalidThresholdError",
    "KeyNotFoundError",
    "MissingDependencyError",
    "OutOfMemoryError",
    "OverlapError",
    "PathIsFolderError",
    "PathNotFoundError",
    "PathPermissionError",
    "StarlingsError",
    "SystemCallError",
    "UnknownMetricError",
]


_MOST_NAMES: Final = 10  # in a message


def shown(value: object, most: int = 60) -> str:
    """A value as a message shows it: cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # an int of too many digits, or a class of the caller's that cannot be shown
        text = f"<{type(value).__name__}>"
    return text if len(text) <= most else f"{text[:most]}..."


def nearest(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name, or what is none: the closest known one, or the first few of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1) if isinstance(name, str) else []
    if close:
        return f"; did you mean {close[0]!r}?"
    if not names:
        return "; there are none"
    return f"; there are {', '.join(map(repr, names[:_MOST_NAMES]))}{', ...' if len(names) > _MOST_NAMES else ''}"


def unpicklable(value: object, instead: str) -> TypeError:
    """The error for pickling what holds memory of the engine; `instead` says what to do."""
    return TypeError(
        f"{type(value).__name__} cannot be pickled: {instead}, or rebuild it in the worker; "
        "forked workers may use it as it is"
    )


class StarlingsError(Exception):
    """Base of all errors of the package.

    Parameters
    ----------
    message : str
        What was wrong, where, and what to do.
    row, other_row : int, optional
        The input rows to blame.

    Examples
    --------
    >>> import starlings as sl
    >>> try:
    ...     sl.Collection.from_edges([("a", "b", 0.5), ("b", "c", 7.0)])
    ... except sl.StarlingsError as error:
    ...     print(type(error).__name__, error.row)
    InvalidScoreError 1
    """

    #: Number of the offending input row, or None.
    row: int | None = None
    #: Number of a second row, which the first one contradicts, or None.
    other_row: int | None = None

    def __init__(self, message: str = "", *, row: int | None = None, other_row: int | None = None) -> None:
        super().__init__(message)
        if row is not None:
            self.row = row
        if other_row is not None:
            self.other_row = other_row

    def __str__(self) -> str:
        # KeyError would show the message's repr.
        return str(self.args[0]) if self.args else ""


class InvalidArgumentError(StarlingsError, ValueError):
    """An argument that no data can excuse: a bad option, columns of unequal length, an unusable type."""


class InvalidKeyError(StarlingsError, TypeError, ValueError):
    """What cannot be a key: None, a bool, a float, an int below 0 or above 2**64 - 1, any other type."""


class DuplicateKeyError(StarlingsError, ValueError):
    """The same key twice in one source, where keys must be unique."""


class KeyNotFoundError(StarlingsError, KeyError):
    """A key that is not one of the known records."""


class InvalidScoreError(StarlingsError, ValueError):
    """A score that is null, NaN, infinite or, of probabilities, outside [0, 1]."""


class InvalidThresholdError(StarlingsError, ValueError):
    """A threshold that is no finite number or, where scores are probabilities, outside [0, 1]."""


class OverlapError(StarlingsError, ValueError):
    """One record in two entities."""


class CapacityError(StarlingsError, OverflowError, ValueError):
    """More records, sources or rows than can be counted."""


class CollectionNotFoundError(StarlingsError, KeyError):
    """No collection of that name in the frame."""


class ColumnNotFoundError(StarlingsError, KeyError):
    """No column of that name in the report."""


class DuplicateCollectionError(StarlingsError, ValueError):
    """A collection of that name is in the frame already."""


class UnknownMetricError(StarlingsError, ValueError):
    """No metric of that name."""


class CorruptFileError(StarlingsError, ValueError):
    """A file or structure that breaks its own invariants."""


class OutOfMemoryError(StarlingsError, MemoryError):
    """An allocation failed; everything is as it was before the call."""


class SystemCallError(StarlingsError, OSError):
    """The operating system refused something other than memory, a thread for example.

    ``errno`` says why, where the system gave a reason; errors of files name theirs as ``filename``.
    """


class PathNotFoundError(SystemCallError, FileNotFoundError):
    """A file or folder that is not there."""


class PathIsFolderError(SystemCallError, IsADirectoryError):
    """A folder where a file is wanted."""


class PathPermissionError(SystemCallError, PermissionError):
    """A file that may not be read or written."""


class MissingDependencyError(StarlingsError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""
