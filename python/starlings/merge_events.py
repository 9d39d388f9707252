"""The merges of a collection, one after the other: what comes together, where, and which records that touches.

Events are made when they are asked for. A component is a number, as in SciPy's linkage: below the number of records it
is that record by itself, from there on the result of an earlier event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import length_hint
from typing import Any, NoReturn, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.exceptions import InvalidArgumentError, unpicklable

__all__ = ["MergeEvent", "MergeEventLike", "MergeEvents"]

_COMPONENTS_SHOWN = 6


class _Event(Protocol):
    """Anything with these attributes."""

    @property
    def threshold(self) -> float: ...
    @property
    def merging_components(self) -> Iterable[int]: ...


#: One merge: an object with these attributes, (threshold, components) or (threshold, components, result), or a mapping.
MergeEventLike: TypeAlias = (
    _Event | tuple[float, Iterable[int]] | tuple[float, Iterable[int], int | None] | Mapping[str, Any]
)


class MergeEvent:
    """Two or more components becoming one at one threshold; from `Collection.merge_events`. Immutable.

    Examples
    --------
    >>> import starlings as sl
    >>> event = next(sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).merge_events())
    >>> event
    MergeEvent(threshold=0.9, merging_components=(0, 1), result_component=3)
    >>> event.affected_records.tolist()
    [0, 1]
    """

    __slots__ = ("_components", "_records", "_result", "_threshold")

    _threshold: float
    _components: tuple[int, ...]
    _result: int
    _records: _core.Buffer

    def __init__(self) -> None:
        raise InvalidArgumentError(
            "merge events come from Collection.merge_events(); Collection.from_merge_events also takes tuples "
            "(threshold, components)"
        )

    @classmethod
    def _of(cls, events: _core.MergeEvents, index: int) -> MergeEvent:
        """One event, by number."""
        event = cls.__new__(cls)
        event._threshold, event._components, event._result, event._records = events.event(index)
        return event

    @property
    def threshold(self) -> float:
        """Where they come together."""
        return self._threshold

    @property
    def merging_components(self) -> tuple[int, ...]:
        """What comes together, by smallest record: records below the number of records, else results of events."""
        return self._components

    @property
    def result_component(self) -> int:
        """What they become: the number of records plus the number of the event."""
        return self._result

    @property
    def affected_records(self) -> NDArray[np.uint32]:
        """Indices of the records of the result in their data context. Read-only; nothing is copied."""
        return np.asarray(self._records)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MergeEvent):
            return NotImplemented
        return (
            self._threshold == other._threshold
            and self._result == other._result
            and self._components == other._components
            and np.array_equal(self.affected_records, other.affected_records)
        )

    def __hash__(self) -> int:
        return hash((self._threshold, self._components, self._result))

    def __copy__(self) -> MergeEvent:
        return self

    def __deepcopy__(self, memo: object) -> MergeEvent:
        return self

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "hand over its threshold and merging_components")

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self._components[:_COMPONENTS_SHOWN]))
        more = ", ..." if len(self._components) > _COMPONENTS_SHOWN else ""
        return (
            f"MergeEvent(threshold={self._threshold}, merging_components=({shown}{more}), "
            f"result_component={self._result})"
        )


class MergeEvents(Iterator[MergeEvent]):
    """The merges of a collection, highest threshold first, each made when it is asked for.

    An iterator, whose `next` goes on from event to event, and beside that a sequence: `len` and indices are those of
    all events, however far the iterator has come. A slice is a list.

    Examples
    --------
    >>> import starlings as sl
    >>> events = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("c", "d", 0.6)]).merge_events()
    >>> next(events).threshold, len(events), events[-1].merging_components
    (0.9, 2, (4, 2, 3))
    >>> [event.threshold for event in events]
    [0.6]
    """

    __slots__ = ("_core", "_rest")

    def __init__(self, core: _core.MergeEvents) -> None:
        self._core = core
        self._rest = iter(range(len(core)))

    @property
    def num_records(self) -> int:
        """The number of records, and so the first number of a result."""
        return self._core.num_records

    def __len__(self) -> int:
        return len(self._core)

    def __next__(self) -> MergeEvent:
        return MergeEvent._of(self._core, next(self._rest))

    @overload
    def __getitem__(self, index: int) -> MergeEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[MergeEvent]: ...
    def __getitem__(self, index: int | slice) -> MergeEvent | list[MergeEvent]:
        try:
            chosen = range(len(self))[index]
        except IndexError:
            raise IndexError(f"merge event {index} of {len(self)}") from None
        except TypeError:
            raise InvalidArgumentError(f"merge events are numbered: {index!r} is no int") from None
        if isinstance(chosen, range):
            return [MergeEvent._of(self._core, number) for number in chosen]
        return MergeEvent._of(self._core, chosen)

    def __length_hint__(self) -> int:
        return length_hint(self._rest)

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "hand over the threshold and merging_components of each event")

    def __repr__(self) -> str:
        return f"<{len(self):,} merge events of {self.num_records:,} records>"
