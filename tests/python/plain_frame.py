"""What collections and frames are, in lists and sets too simple to be wrong: the model of test_frame_model.py.

A record is its name, (source, key). Edges name records, so neither appending nor compacting changes edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

Name: TypeAlias = tuple[str, int | str | bytes]
Edge: TypeAlias = tuple[Name, Name, float]


@dataclass(frozen=True)
class PlainCut:
    """A hierarchy's levels: scores at which something merges, highest first, each with what is together there."""

    levels: list[float]
    smallest: list[list[int]]  # by level, by record: the smallest record it is together with
    num_records: int

    @classmethod
    def of(cls, records: list[Name], edges: Iterable[Edge]) -> PlainCut:
        index = {name: number for number, name in enumerate(records)}
        numbered = [(index[left], index[right], score) for left, right, score in edges]
        levels, smallest, before = [], [], list(range(len(records)))
        for level in sorted({score for _, _, score in numbered}, reverse=True):
            labels = components(len(records), [(a, b) for a, b, score in numbered if score >= level])
            if labels != before:
                levels.append(level)
                smallest.append(labels)
                before = labels
        return cls(levels, smallest, len(records))

    def together(self, threshold: float) -> list[int]:
        """By record, the smallest that it is together with at a threshold."""
        applied = sum(level >= threshold for level in self.levels)
        return self.smallest[applied - 1] if applied else list(range(self.num_records))

    def labels(self, threshold: float) -> list[int]:
        """Canonical entity ids: by what is together lowest, then higher, then the record itself."""
        order = sorted(range(self.num_records), key=lambda r: (*(at[r] for at in reversed(self.smallest)), r))
        together = self.together(threshold)
        ids: dict[int, int] = {}
        for record in order:
            ids.setdefault(together[record], len(ids))
        return [ids[together[record]] for record in range(self.num_records)]

    def num_merges(self) -> int:
        """Components that are made of two or more of the level before, over all levels."""
        steps = pairwise([list(range(self.num_records)), *self.smallest])
        return sum(len({new for old, new in zip(*step, strict=True) if old != new}) for step in steps)

    def threshold_between(self, a: int, b: int) -> float | None:
        if a == b:
            return 1.0
        shared = zip(self.levels, self.smallest, strict=True)
        return max((level for level, labels in shared if labels[a] == labels[b]), default=None)


def components(num_records: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """By record, the smallest record it is connected to."""
    labels = list(range(num_records))
    for a, b in pairs:
        low, high = sorted((labels[a], labels[b]))
        if low != high:
            labels = [low if label == high else label for label in labels]
    return labels


@dataclass
class PlainCollection:
    """Edges, and the records that count as the collection's own."""

    records: list[Name]
    edges: list[Edge]
    used: set[Name]
    decimals: int = 6  # 0: exact
    is_closed: bool = False
    is_view: bool = False
    attributes: dict[Name, int] = field(default_factory=dict)  # of records that came with any: a number

    def copy(self) -> PlainCollection:
        """An independent collection: all its records are its own."""
        return PlainCollection(
            list(self.records),
            list(self.edges),
            set(self.records),
            self.decimals,
            self.is_closed,
            attributes=dict(self.attributes),
        )


@dataclass
class PlainFrame:
    """Records by index, those given as such, and of each collection its edges and the records that it uses."""

    records: list[Name] = field(default_factory=list)
    given: set[Name] = field(default_factory=set)
    collections: dict[str, PlainCollection] = field(default_factory=dict)
    has_compacted: bool = False
    attributes: dict[Name, int] = field(default_factory=dict)

    def copy(self) -> PlainFrame:
        kept = {name: PlainCollection([], c.edges, c.used, c.decimals) for name, c in self.collections.items()}
        return PlainFrame(list(self.records), set(self.given), kept, self.has_compacted, dict(self.attributes))

    def view(self, name: str) -> PlainCollection:
        kept = self.collections[name]
        return PlainCollection(
            list(self.records),
            list(kept.edges),
            set(kept.used),
            kept.decimals,
            is_view=True,
            attributes=dict(self.attributes),
        )

    def sources(self) -> list[str]:
        return list(dict.fromkeys(source for source, _ in self.records))

    def intern(self, names: Iterable[Name]) -> None:
        """Append the names that are not there yet, in order."""
        append_new(self.records, names)

    def bring(self, given: PlainCollection) -> None:
        """Append the records of a collection; those that are new bring their attributes."""
        known = set(self.records)
        self.intern(given.records)
        self.attributes |= {name: number for name, number in given.attributes.items() if name not in known}

    def give(self, rows: dict[Name, int]) -> None:
        """Append records that are given as such, with attributes instead of those that they have."""
        self.intern(rows)
        self.given.update(rows)
        self.attributes |= rows

    def garbage(self) -> list[int]:
        live = self.given.union(*(kept.used for kept in self.collections.values()))
        return [number for number, name in enumerate(self.records) if name not in live]

    def compact(self) -> int:
        """Clear garbage away; how much there was."""
        garbage = set(self.garbage())
        self.records = [name for number, name in enumerate(self.records) if number not in garbage]
        self.attributes = {name: self.attributes[name] for name in self.records if name in self.attributes}
        self.has_compacted |= bool(garbage)
        return len(garbage)

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            self.collections.pop(name, None)
        if names and 2 * len(self.garbage()) > len(self.records):
            self.compact()


def append_new(records: list[Name], names: Iterable[Name]) -> None:
    """Append the names that are not in the list yet, in order."""
    known = set(records)
    for name in names:
        if name not in known:
            known.add(name)
            records.append(name)


def names_of(edges: Iterable[Edge]) -> Iterator[Name]:
    """The records of edges in the order in which they are met."""
    for left, right, _ in edges:
        yield from (left, right)
