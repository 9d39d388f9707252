"""How a frame changes: one change at a time, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import Progress
from starlings.exceptions import (
    CollectionNotFoundError,
    DuplicateCollectionError,
    DuplicateKeyError,
    nearest,
    shown,
)
from starlings.progress import reporting
from starlings.state import State

if TYPE_CHECKING:
    from starlings.frame import EntityFrame

__all__ = ["Assimilation", "FrameChange", "not_found"]


@dataclass(frozen=True, eq=False)
class Assimilation:
    """How the records of a collection made elsewhere were brought into a frame.

    Attributes
    ----------
    translation : array of uint32
        By index of a record in the collection, its index in the frame, until a compaction. Read-only. Which record that
        is says row i of `Partition.to_membership`.
    num_known : int
        Records that the frame had already.
    num_new : int
        Records that became records of the frame.

    Examples
    --------
    >>> import numpy as np
    >>> import starlings as sl
    >>> frame = sl.EntityFrame.from_records("default", [{"id": "a"}, {"id": "b"}], key_column="id")
    >>> assimilation = frame.add_collection("model", sl.Collection.from_edges([("b", "c", 0.9)]))
    >>> assimilation
    Assimilation(num_known=1, num_new=1)
    >>> assimilation.translation.tolist()
    [1, 2]
    """

    translation: NDArray[np.uint32]
    num_known: int
    num_new: int

    def __repr__(self) -> str:
        return f"Assimilation(num_known={self.num_known}, num_new={self.num_new})"


class FrameChange:
    """One change of a frame, all or nothing: holds its lock, commits at the end of the block, aborts on errors."""

    def __init__(self, frame: EntityFrame, progress: Progress, *, adds: str | None = None) -> None:
        self._frame = frame
        self._name = adds
        self._reporting = reporting(progress)

    def __enter__(self) -> FrameChange:
        self._frame._lock.__enter__()
        try:
            self.before = self._frame._core.now()
            if self._name is not None:
                self._check_new(self._name)
            self.core = self._frame._core.begin()
            try:
                self.progress = self._reporting.__enter__()
            except BaseException:
                self.core.abort()
                raise
        except BaseException:
            self._frame._lock.__exit__()
            raise
        return self

    def _check_new(self, name: str) -> None:
        """Before any work is done for a collection that cannot be added."""
        if self.before.collection(name) is not None:
            raise DuplicateCollectionError(
                f"the frame has a collection {shown(name)} already; drop it first or choose another name"
            )

    @property
    def context(self) -> _core.Context:
        """The context to append to, copied first where others use it."""
        return self.core.context()

    def give(self, source: str, data: Any, key_column: str | None, attributes: _core.Batches | None) -> None:
        """Make the rows records of the frame, given as such; errors about counted keys say that they were."""
        try:
            records = np.asarray(self.context.intern_records(source, data, key_column, self.progress))
            self.core.give(records)
            if attributes is not None:
                self._attach(attributes, records)
        except DuplicateKeyError as error:
            if key_column is not None:
                raise
            raise DuplicateKeyError(
                f"{error}. Without key_column= keys are 0, 1, ... in every call: name the column that holds the keys",
                row=error.row,
                other_row=error.other_row,
            ) from None

    def _attach(self, attributes: _core.Batches, records: NDArray[np.uint32]) -> None:
        """Row i of the attributes describes the i-th of these records.

        Copies of the frame and views have the records that were there before, too, and do not see them change.
        """
        first = int(records[0]) if len(records) else 0
        if np.array_equal(records, np.arange(first, first + len(records), dtype=np.uint32)):
            self.core.attach(attributes, None, first)
        else:
            self.core.attach(attributes, records)

    def add(self, hierarchy: _core.Hierarchy, decimals: int = 6) -> None:
        """Add a hierarchy over the change's context."""
        assert self._name is not None
        self.core.add(self._name, hierarchy, decimals)

    def assimilate(self, given: State, known_only: bool) -> Assimilation:
        """Add a collection made elsewhere, its records translated by source and key."""
        assert self._name is not None
        translation = np.asarray(self.core.assimilate(self._name, given.core, known_only, self.progress))
        num_new = int(np.count_nonzero(translation >= self.before.num_records))
        return Assimilation(translation, len(translation) - num_new, num_new)

    def drop(self, names: tuple[str, ...]) -> None:
        """Take collections out."""
        for name in names:
            if self.before.collection(name) is None:
                raise not_found(name, self.before.names())
        for name in dict.fromkeys(names):
            self.core.drop(name)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            try:
                if kind is None:
                    self.core.commit(self.progress)
                else:
                    self.core.abort()
            finally:
                self._reporting.__exit__(None, None, None)
        finally:
            self._frame._lock.__exit__()


def not_found(name: object, names: list[str]) -> CollectionNotFoundError:
    """The error for an unknown name."""
    return CollectionNotFoundError(f"no collection {shown(name)}{nearest(str(name), names)}")
