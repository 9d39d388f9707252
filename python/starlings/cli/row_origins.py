"""Where rows of several files that are read as one come from, so that an error can name the file and its own row."""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["RowOrigins"]


class RowOrigins:
    """The files read so far, and how many rows of each.

    Examples
    --------
    >>> origins = RowOrigins()
    >>> for name in ("a.csv", "b.csv"):
    ...     origins.begin(name)
    ...     origins.add(10)
    >>> origins.locate(14)
    ('b.csv', 4)
    """

    def __init__(self) -> None:
        self.files: list[str] = []
        self._ends: list[int] = []

    def begin(self, file: str) -> None:
        """The rows from here on are of this file."""
        self.files.append(file)
        self._ends.append(self._ends[-1] if self._ends else 0)

    def add(self, count: int) -> None:
        """So many rows more."""
        self._ends[-1] += count

    def locate(self, row: int) -> tuple[str, int]:
        """The file of a row, and the row of it; what is beyond those added is of the last file."""
        number = min(bisect_right(self._ends, row), len(self.files) - 1)
        return self.files[number], row - (self._ends[number - 1] if number else 0)
