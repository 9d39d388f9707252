"""What changed between two partitions: which entities stayed, split, merged or exchanged records.

Two entities, one before and one after, belong to one change if they share a record. So each change is the smallest set
of entities that holds the same records before and after. The engine finds the changes; here they are read, lazily.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import RecordName
from starlings.cached import cached_property
from starlings.entity import Entities
from starlings.numbered import chosen
from starlings.report_table import ReportTable
from starlings.reports import Categories, Report

if TYPE_CHECKING:
    from starlings.partition import Partition

__all__ = ["Change", "ChangeKind", "Changes", "PartitionDiff"]

#: unchanged: one entity before, the same one after; split: one before; merged: one after; rearranged: several of both.
ChangeKind: TypeAlias = Literal["unchanged", "split", "merged", "rearranged"]

_KINDS: Final[tuple[ChangeKind, ...]] = ("unchanged", "split", "merged", "rearranged")
_NONE: Final = 0xFFFFFFFF  # no entity, no change
_CHANGES_SHOWN: Final = 10
_ENTITIES_SHOWN: Final = 6


class Change:
    """Some entities before and some after that hold the same records; from a `PartitionDiff`. Immutable.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
    >>> (change,) = collection.at(0.9).diff(collection.at(0.6))
    >>> change
    Change('merged', before=[0, 1], after=[0], num_records=3)
    >>> [sorted(key for _, key in entity) for entity in change.before]
    [['a', 'b'], ['c']]
    """

    __slots__ = ("_after", "_before", "_kind", "_num_records")

    def __init__(self, kind: ChangeKind, before: Entities, after: Entities, num_records: int) -> None:
        self._kind: ChangeKind = kind
        self._before = before
        self._after = after
        self._num_records = num_records

    @property
    def kind(self) -> ChangeKind:
        """One of "unchanged", "split", "merged" and "rearranged"."""
        return self._kind

    @property
    def before(self) -> Entities:
        """The entities before, by id, each made when it is asked for."""
        return self._before

    @property
    def after(self) -> Entities:
        """The entities after, by id, each made when it is asked for."""
        return self._after

    @property
    def num_records(self) -> int:
        """Their records, those counted that are in both partitions."""
        return self._num_records

    def _key(self) -> tuple[ChangeKind, tuple[int, ...], tuple[int, ...], int]:
        return self._kind, tuple(self._before._ids), tuple(self._after._ids), self._num_records

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Change):
            return NotImplemented
        return self._key() == other._key() and all(
            mine == theirs
            for mine, theirs in zip([*self._before, *self._after], [*other._before, *other._after], strict=True)
        )

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        sides = f"before={_shown(self._before._ids)}, after={_shown(self._after._ids)}"
        return f"Change({self._kind!r}, {sides}, num_records={self._num_records})"


class Changes(Sequence[Change]):
    """Changes, each made when it is asked for. A slice is such a sequence too."""

    __slots__ = ("_diff", "_numbers")

    def __init__(self, diff: PartitionDiff, numbers: range) -> None:
        self._diff = diff
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Changes: ...
    def __getitem__(self, index: int | slice) -> Change | Changes:
        found = chosen(self._numbers, index, "change")
        return Changes(self._diff, found) if isinstance(found, range) else self._diff._change(found)

    def __iter__(self) -> Iterator[Change]:
        return map(self._diff._change, self._numbers)

    def __repr__(self) -> str:
        return f"<{len(self):,} changes>"


class _Side:
    """The entities before, or those after, of all changes."""

    def __init__(self, partition: Partition, ids: _core.Buffer, sizes: _core.Buffer) -> None:
        self.partition = partition
        self.ids = np.asarray(ids)
        self.sizes = np.asarray(sizes)
        self.ends = np.cumsum(self.sizes, dtype=np.uint32)

    def entities(self, change: int) -> Entities:
        """Those of one change."""
        end = int(self.ends[change])
        return Entities(self.partition, self.ids[end - int(self.sizes[change]) : end].tolist())


class PartitionDiff(ReportTable, Sequence[Change]):
    """What changed from one partition to another; made by `Partition.diff`. Immutable.

    A sequence of what did change: its length leaves "unchanged" out, and it is false where all entities are the same.
    What split comes first, then what merged, then what was rearranged, each by the smallest id before.

    Only records that are in both partitions count; `records_added` and `records_removed` are the others. An entity none
    of whose records counts is in no change; any other is shown with all its records.

    As a table (`to_arrow`, `to_pandas`, `to_polars`, or as it is) it has one row for each entity before and each after
    that share records in a change, with the columns ``change`` (its number here), ``kind``, ``entity_before``,
    ``entity_after`` and ``num_records``: how many they share.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
    >>> diff = collection.at(0.9).diff(collection.at(0.7))
    >>> diff
    PartitionDiff(unchanged=2, split=0, merged=1, rearranged=0)
    >>> [(change.kind, [entity.size for entity in change.before]) for change in diff]
    [('merged', [1, 1])]
    >>> diff.to_arrow().select(["kind", "entity_before", "entity_after"]).to_pylist()[1]
    {'kind': 'merged', 'entity_before': 3, 'entity_after': 2}
    """

    def __init__(self, before: Partition, after: Partition) -> None:
        self._labels_before, self._labels_after, self._added = _matched(before, after)
        self._core = _core.Diff(self._labels_before, before.num_entities, self._labels_after, after.num_entities)
        self._sides = (
            _Side(before, self._core.before, self._core.num_before),
            _Side(after, self._core.after, self._core.num_after),
        )
        self._num_records = np.asarray(self._core.num_records)
        self._firsts = [0, *np.cumsum(self._core.counts).tolist()]

    # --------------------------------------------------------------------------------------------------- the changes

    @property
    def before(self) -> Partition:
        """The partition before."""
        return self._sides[0].partition

    @property
    def after(self) -> Partition:
        """The partition after."""
        return self._sides[1].partition

    @property
    def unchanged(self) -> Changes:
        """Entities that are the same before and after."""
        return self._of_kind("unchanged")

    @property
    def split(self) -> Changes:
        """One entity before, several after."""
        return self._of_kind("split")

    @property
    def merged(self) -> Changes:
        """Several entities before, one after."""
        return self._of_kind("merged")

    @property
    def rearranged(self) -> Changes:
        """Several entities before and several after, which cannot be told apart into smaller changes."""
        return self._of_kind("rearranged")

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """Changes of each kind.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> collection.at(0.6).diff(collection.at(0.9)).counts
        {'unchanged': 0, 'split': 1, 'merged': 0, 'rearranged': 0}
        """
        return dict(zip(_KINDS, self._core.counts, strict=True))

    @cached_property
    def summary(self) -> Report:
        """One row a kind: its changes, the entities in them before and after, and their records.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> collection.at(0.9).diff(collection.at(0.6)).summary[2]
        {'kind': 'merged', 'changes': 1, 'entities_before': 2, 'entities_after': 1, 'num_records': 3}
        """
        columns = {
            "entities_before": self._sides[0].sizes,
            "entities_after": self._sides[1].sizes,
            "num_records": self._num_records,
        }
        parts = list(map(slice, self._firsts, self._firsts[1:]))
        sums = {name: np.array([column[part].sum() for part in parts], np.int64) for name, column in columns.items()}
        kinds = Categories(np.arange(len(_KINDS), dtype=np.uint32), _KINDS)
        return Report({"kind": kinds, "changes": np.array(self._core.counts, np.int64), **sums})

    def _of_kind(self, kind: ChangeKind) -> Changes:
        number = _KINDS.index(kind)
        return Changes(self, range(self._firsts[number], self._firsts[number + 1]))

    @property
    def _changed(self) -> Changes:
        return Changes(self, range(self._firsts[1], self._firsts[-1]))

    def _change(self, number: int) -> Change:
        kind = next(kind for kind, end in zip(_KINDS, self._firsts[1:], strict=True) if number < end)
        before, after = (side.entities(number) for side in self._sides)
        return Change(kind, before, after, int(self._num_records[number]))

    def __len__(self) -> int:
        return len(self._changed)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Changes: ...
    def __getitem__(self, index: int | slice) -> Change | Changes:
        return self._changed[index]

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changed)

    # --------------------------------------------------------------------------------------------------- the records

    @property
    def num_records(self) -> int:
        """Records that are in both partitions."""
        return self.after.num_records - self.num_records_added

    @property
    def num_records_added(self) -> int:
        """Records that only the partition after has."""
        return len(self._added)

    @property
    def num_records_removed(self) -> int:
        """Records that only the partition before has."""
        return self.before.num_records - self.num_records

    @property
    def records_added(self) -> set[RecordName]:
        """(source, key) of the records that only the partition after has."""
        return self.after._context.record_set(self._added)

    @property
    def records_removed(self) -> set[RecordName]:
        """(source, key) of the records that only the partition before has."""
        removed = np.flatnonzero(self._labels_after == _NONE).astype(np.uint32)
        return self.before._context.record_set(removed)

    # ------------------------------------------------------------------------------------------------------- showing

    def _make_report(self) -> Report:
        """Pairs of entities that share a record in a change, found by sorting the records of the changes."""
        side, first = self._sides[0], self._firsts[1]
        change_of = np.full(self.before.num_entities, _NONE, dtype=np.uint32)
        change_of[side.ids] = np.repeat(np.arange(len(side.sizes), dtype=np.uint32), side.sizes)
        counted = (self._labels_before != _NONE) & (self._labels_after != _NONE)
        before, after = self._labels_before[counted], self._labels_after[counted]
        changed = change_of[before] >= first
        cells, sizes = np.unique(before[changed].astype(np.uint64) << 32 | after[changed], return_counts=True)
        entities = (cells >> 32).astype(np.uint32)
        order = np.argsort(change_of[entities], kind="stable")
        changes = change_of[entities][order]
        return Report(
            {
                "change": changes - np.uint32(first),
                "kind": Categories(np.searchsorted(self._firsts[1:], changes, side="right").astype(np.uint32), _KINDS),
                "entity_before": entities[order],
                "entity_after": cells[order].astype(np.uint32),
                "num_records": sizes[order].astype(np.uint32),
            }
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{kind}={count}" for kind, count in self.counts.items())
        return f"{type(self).__name__}({counts})"

    def _repr_html_(self) -> str:
        names = ("kind", "before", "after", "records")
        head = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            f"<tr><td>{change.kind}</td><td>{_entities_html(change.before)}</td>"
            f"<td>{_entities_html(change.after)}</td><td>{change.num_records:,}</td></tr>"
            for change in self[:_CHANGES_SHOWN]
        )
        more = len(self) - _CHANGES_SHOWN
        rest = f"<p>... {more:,} more changes</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}" if self else ""
        return f"<p>{escape(repr(self))}</p>{table}"


def _matched(before: Partition, after: Partition) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Entities before and after of all records of either, and which records are new, by their index after."""
    if before._context == after._context:
        count = max(before.num_records, after.num_records)
        added = np.arange(before.num_records, count, dtype=np.uint32)
        return _lengthened(before.labels, count), _lengthened(after.labels, count), added
    indices, count = before._indices_of(after)
    labels = np.full(count, _NONE, dtype=np.uint32)
    labels[indices] = after.labels
    added = np.flatnonzero(indices >= before.num_records).astype(np.uint32)
    return _lengthened(before.labels, count), labels, added


def _lengthened(labels: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    """Labels of so many records, the later ones in no entity."""
    if len(labels) == count:
        return labels
    return np.concatenate([labels, np.full(count - len(labels), _NONE, dtype=np.uint32)])


def _shown(ids: Sequence[int]) -> str:
    """The first ids."""
    return f"[{', '.join(map(str, ids[:_ENTITIES_SHOWN]))}{', ...' if len(ids) > _ENTITIES_SHOWN else ''}]"


def _entities_html(entities: Entities) -> str:
    """The first entities, one a line."""
    lines = [escape(repr(entity)) for entity in entities[:_ENTITIES_SHOWN]]
    more = len(entities) - len(lines)
    return "<br>".join([*lines, f"... {more:,} more"] if more > 0 else lines)
