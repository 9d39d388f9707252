"""The merges of a collection, one after the other: what comes together, where, and which records that touches.

Events are made when they are asked for. A component is a number, as in SciPy's linkage: below the number of records it
is that record by itself, from there on the result of an earlier event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from operator import length_hint
from typing import Any, ClassVar, NoReturn, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import RecordName
from starlings.arguments import check_int
from starlings.exceptions import InvalidArgumentError, unpicklable
from starlings.immutable import Immutable
from starlings.numbered import Numbered, chosen
from starlings.report_table import ReportTable
from starlings.reports import Report

__all__ = ["CriticalMerges", "MergeEvent", "MergeEventLike", "MergeEvents"]

_COMPONENTS_SHOWN = 6
_MOST_EVENTS = 2**32 - 1


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


class MergeEvent(Immutable):
    """Two or more components becoming one at one threshold; from `Collection.merge_events`. Immutable.

    Examples
    --------
    >>> import starlings as sl
    >>> event = next(sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).merge_events())
    >>> event
    MergeEvent(threshold=0.9, merging_components=(0, 1), result_component=3)
    >>> event.affected_records.tolist()
    [0, 1]
    >>> event.num_pairs, event.sides
    (1, [{('default', 'a')}, {('default', 'b')}])
    """

    __slots__ = ("_components", "_context", "_events", "_number", "_pairs", "_records", "_result", "_threshold")

    _instead: ClassVar = "hand over its threshold and merging_components"
    _threshold: float
    _components: tuple[int, ...]
    _result: int
    _pairs: int
    _records: _core.Buffer
    _context: _core.Context
    _events: _core.MergeEvents
    _number: int

    def __init__(self) -> None:
        raise InvalidArgumentError(
            "merge events come from Collection.merge_events(); Collection.from_merge_events also takes tuples "
            "(threshold, components)"
        )

    @classmethod
    def _of(cls, context: _core.Context, events: _core.MergeEvents, number: int) -> MergeEvent:
        """One event, by number."""
        event = cls.__new__(cls)
        event._threshold, event._components, event._result, event._pairs, event._records = events.event(number)
        event._context, event._events, event._number = context, events, number
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

    @property
    def num_pairs(self) -> int:
        """Pairs of records that come together: those of the result less those of its components."""
        return self._pairs

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """Records in each of the merging components."""
        return np.asarray(self._events.sizes(self._number))

    @property
    def sides(self) -> list[set[RecordName]]:
        """The merging components as sets of (source, key), made each time they are asked for."""
        parts = np.split(self.affected_records, np.cumsum(self.sizes[:-1]))
        return list(map(self._context.record_set, parts))

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

    __slots__ = ("_context", "_core", "_rest")

    def __init__(self, context: _core.Context, core: _core.MergeEvents) -> None:
        self._context = context
        self._core = core
        self._rest = iter(range(len(core)))

    @property
    def num_records(self) -> int:
        """The number of records, and so the first number of a result."""
        return self._core.num_records

    def __len__(self) -> int:
        return len(self._core)

    def __next__(self) -> MergeEvent:
        return MergeEvent._of(self._context, self._core, next(self._rest))

    @overload
    def __getitem__(self, index: int) -> MergeEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[MergeEvent]: ...
    def __getitem__(self, index: int | slice) -> MergeEvent | list[MergeEvent]:
        found = chosen(range(len(self)), index, "merge event")
        if isinstance(found, range):
            return [MergeEvent._of(self._context, self._core, number) for number in found]
        return MergeEvent._of(self._context, self._core, found)

    def __length_hint__(self) -> int:
        return length_hint(self._rest)

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "hand over the threshold and merging_components of each event")

    def __repr__(self) -> str:
        return f"<{len(self):,} merge events of {self.num_records:,} records>"


class CriticalMerges(ReportTable, Numbered[MergeEvent]):
    """The merges that bring most pairs together, weakest first; made by `Collection.critical_merges`. Immutable.

    A sequence of `MergeEvent`, each made when it is asked for; a slice is a list. As a table (`to_arrow`, `to_pandas`,
    `to_polars`, or as it is) it has the columns ``threshold``, ``num_pairs``, ``num_records`` and ``num_components``.

    Examples
    --------
    >>> import starlings as sl
    >>> edges = [("a", "b", 0.9), ("c", "d", 0.9), ("b", "c", 0.4), ("x", "y", 0.7)]
    >>> merges = sl.Collection.from_edges(edges).critical_merges(2)
    >>> [(merge.threshold, merge.num_pairs) for merge in merges]
    [(0.4, 4), (0.7, 1)]
    >>> [sorted(key for _, key in side) for side in merges[0].sides]
    [['a', 'b'], ['c', 'd']]
    """

    _what: ClassVar = "critical merge"

    def __init__(self, context: _core.Context, hierarchy: _core.Hierarchy, num_records: int, n: int) -> None:
        count = min(check_int(n, "n", least=0), _MOST_EVENTS)
        self._context = context
        self._core = _core.MergeEvents(hierarchy, num_records)
        self._numbers = np.asarray(self._core.critical(count))

    def __len__(self) -> int:
        return len(self._numbers)

    def _element(self, number: int) -> MergeEvent:
        return MergeEvent._of(self._context, self._core, int(self._numbers[number]))

    def _make_report(self) -> Report:
        names = ("threshold", "num_pairs", "num_records", "num_components")
        return Report(dict(zip(names, map(np.asarray, self._core.columns(self._numbers)), strict=True)))

    def __repr__(self) -> str:
        return f"<{len(self):,} of {len(self._core):,} merges, those of most pairs>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self._report._table_html()}"
