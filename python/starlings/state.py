"""What a collection is at one moment, and how it changes: all at once, or not at all.

Contexts are shared between collections, views and frames. Every user looks only at the records that were there when its
state was made, and only the one owner of a context appends to it; others copy it first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, RLock
from typing import Final

from starlings import _core
from starlings.exceptions import InvalidArgumentError

__all__ = ["Exclusive", "PartitionCache", "State", "appending"]

_CACHED_PARTITIONS: Final = 10


class PartitionCache:
    """The partitions used last, keyed by which merges apply. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: OrderedDict[tuple[int, int], _core.Partition] = OrderedDict()

    def get(self, hierarchy: _core.Hierarchy, threshold: float, num_records: int) -> _core.Partition:
        """The partition at this threshold over so many records, cut if it is not there."""
        key = (hierarchy.applied_levels(threshold), num_records)
        with self._lock:
            if key in self._partitions:
                self._partitions.move_to_end(key)
                return self._partitions[key]
        partition = _core.Partition(hierarchy, threshold, num_records)
        with self._lock:
            partition = self._partitions.setdefault(key, partition)
            self._partitions.move_to_end(key)
            while len(self._partitions) > _CACHED_PARTITIONS:
                self._partitions.popitem(last=False)
        return partition

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._partitions.clear()

    def __len__(self) -> int:
        return len(self._partitions)


@dataclass(frozen=True)
class State:
    """What a collection is at one moment.

    Attributes
    ----------
    context : Context
        Possibly shared.
    hierarchy : Hierarchy
        Over the first records of the context; the others up to `num_records` are singletons.
    num_records : int
        Records of the context that are part of the collection.
    decimals : int
        To which scores are rounded; 0 where they are exact.
    owns_context : bool
        Whether nobody else appends to the context.
    is_view : bool
        Whether the collection is one of a frame's.
    cache : PartitionCache
        Shared between the views of one collection.
    is_closed : bool
        Whether the records were given as all there are, so that more edges cannot bring new ones.
    """

    context: _core.Context
    hierarchy: _core.Hierarchy
    num_records: int
    decimals: int
    owns_context: bool
    is_view: bool
    cache: PartitionCache
    is_closed: bool = False

    @classmethod
    def standalone(
        cls, context: _core.Context, hierarchy: _core.Hierarchy, decimals: int, *, is_closed: bool = False
    ) -> State:
        """That of a new collection with a context of its own."""
        return cls(context, hierarchy, context.num_records, decimals, True, False, PartitionCache(), is_closed)


class Exclusive:
    """A lock for changes of `what`.

    Entering it again from inside, as an iterator of edges could that changes what it is read for, is an error.
    """

    def __init__(self, what: str) -> None:
        self._lock = RLock()
        self._what = what
        self._busy = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._busy:
            self._lock.release()
            raise InvalidArgumentError(f"the {self._what} is being changed; its own input cannot change it too")
        self._busy = True

    def __exit__(self, *_: object) -> None:
        self._busy = False
        self._lock.release()


@contextmanager
def appending(context: _core.Context, num_records: int) -> Iterator[None]:
    """A block that may append to a context; if it fails the context has `num_records` records again."""
    try:
        yield
    except BaseException:
        if context.num_records > num_records:
            context.truncate(num_records)
        raise
