"""The records that a page holds: all of them, or a stated choice, with their merges, keys and attributes.

The merges of chosen records among each other are exact: between two of them in leaf order the level is the highest join
of the stretch that was left out. What a page holds of one record is bounded, so the page is.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.explorer.sections import Sections
from starlings.explorer.subject import Named, Subject
from starlings.records import attribute_values

__all__ = ["Choice", "add_hierarchy", "add_records", "choose_records", "default_most_records"]

_NEVER: Final = 0xFFFFFFFF
_NO_ATTACHMENT: Final = 0xFFFFFFFF
_RECORDS_AT_MOST: Final = 200_000
_BYTES_OF_STRUCTURE: Final = 12_000_000
_BYTES_OF_A_KEY: Final = 12
_BYTES_OF_A_PLACE: Final = 8  # in a collection
_LARGEST_SHARE: Final = 4  # one in so many of the records is of the largest entities
_ATTRIBUTE_CHARACTERS: Final = 24_000_000
_CUTS_OF_VALUES: Final = (1000, 120)  # characters of one value; the second where the first is too much
_KINDS: Final = {int: 0, str: 1, bytes: 2}


@dataclass(frozen=True)
class Choice:
    """Chosen records, ascending, and in words how they were chosen."""

    records: NDArray[np.uint32]
    told: str


def default_most_records(subject: Subject) -> int:
    """How many records keep a page within about 20 MB."""
    each = _BYTES_OF_A_KEY + _BYTES_OF_A_PLACE * len(subject.collections)
    return min(_RECORDS_AT_MOST, _BYTES_OF_STRUCTURE // each)


def choose_records(
    subject: Subject, most: int, wanted: Sequence[NDArray[np.uint32]], at: tuple[Named, float] | None
) -> Choice:
    """All records, or `most` of them: those wanted, of the largest entities at a cut, and of a sample of the others."""
    if subject.num_records <= most:
        return Choice(np.arange(subject.num_records, dtype=np.uint32), "")
    chosen = np.zeros(subject.num_records, bool)
    needed = np.unique(np.concatenate([np.empty(0, np.uint32), *wanted]))[:most]
    chosen[needed] = True
    told = "the records of the merges listed"
    if at is not None:
        named, threshold = at
        _fill(chosen, _core.Partition(named.hierarchy, threshold, subject.num_records), most)
        told += (
            f", the largest entities of “{named.name}” at {threshold:g}, and entities of that cut drawn at "
            "random (always the same ones)"
        )
    return Choice(np.flatnonzero(chosen).astype(np.uint32), told)


def _fill(chosen: NDArray[np.bool_], partition: _core.Partition, most: int) -> None:
    """Choose whole entities, the largest first for a part of the room, then any, as long as they fit."""
    sizes = np.asarray(partition.sizes).astype(np.int64)
    records = np.asarray(partition.records)
    largest = np.argsort(-sizes, kind="stable")
    drawn = np.random.default_rng(0).permutation(len(sizes))
    for order, share in ((largest, _LARGEST_SHARE), (drawn, 1)):
        room = (most - int(chosen.sum())) // share
        fitting = order[sizes[order] <= room]
        ids = fitting[np.cumsum(sizes[fitting]) <= room]
        of_entity = np.zeros(len(sizes), bool)
        of_entity[ids] = True
        chosen[records[np.repeat(of_entity, sizes)]] = True


# -------------------------------------------------------------------------------------------------------------- merges


def add_hierarchy(sections: Sections, named: Named, chosen: NDArray[np.uint32], num_records: int) -> dict[str, Any]:
    """The merges among chosen records: `order`, `join` and the `levels` that these use, numbered by choice."""
    order, join = _whole(named.hierarchy, num_records)
    if len(chosen) < num_records:
        is_chosen = np.zeros(num_records, bool)
        is_chosen[chosen] = True
        positions = np.flatnonzero(is_chosen[order])
        join = np.maximum.reduceat(join, positions) if len(positions) else join[:0]
        order = np.searchsorted(chosen, order[positions]).astype(np.uint32)
    used, join = _renumbered(join, np.asarray(named.hierarchy.levels))
    return {
        "order": sections.add(order, "u4"),
        "join": sections.add(join, "u4"),
        "levels": sections.add(used, "f8"),
        "exact": named.hierarchy.is_exact,
    }


def _whole(hierarchy: _core.Hierarchy, num_records: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Order and joins of all records: those beyond the hierarchy are alone at its end."""
    beyond = np.arange(hierarchy.num_records, num_records, dtype=np.uint32)
    never = np.full(len(beyond), _NEVER, np.uint32)
    return np.append(np.asarray(hierarchy.order), beyond), np.append(np.asarray(hierarchy.join), never)


def _renumbered(
    join: NDArray[np.uint32], levels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """The levels that occur, and the joins as numbers of these; the last position joins nothing."""
    join = join.copy()
    join[-1:] = _NEVER
    used = np.unique(join[join != _NEVER])
    return levels[used], np.where(join == _NEVER, _NEVER, np.searchsorted(used, join)).astype(np.uint32)


# ------------------------------------------------------------------------------------------------- keys and attributes


def add_records(sections: Sections, context: _core.Context, chosen: NDArray[np.uint32]) -> dict[str, Any]:
    """Source, key and attributes of chosen records."""
    keys = context.record_keys(chosen)
    kinds = np.fromiter(map(_KINDS.__getitem__, map(type, keys)), np.uint8, len(keys))
    tables = _tables(context, chosen)
    omitted = _fit(tables)
    return {
        "count": len(chosen),
        "keys": sections.add_json(list(map(_key_text, keys))),
        "kinds": sections.add(kinds, "u1"),
        "sources": sections.add(np.asarray(context.record_sources(chosen)), "u2"),
        "names": context.sources(),
        "tables": [table.add_to(sections) for table in tables],
        "omitted": omitted,
    }


def _key_text(key: int | str | bytes) -> str:
    """A key as text: bytes in hexadecimal."""
    return f"0x{key.hex()}" if isinstance(key, bytes) else str(key)


def _tables(context: _core.Context, chosen: NDArray[np.uint32]) -> list[_Table]:
    """The tables that attributes of these records came in."""
    numbers, rows = map(np.asarray, context.find_attributes(chosen))
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    parts = zip(present.tolist(), np.split(order, starts[1:]), strict=True) if len(order) else ()
    return [_Table(context, number, places, rows[places]) for number, places in parts if number != _NO_ATTACHMENT]


class _Table:
    """Attributes that came in one table, as text, and the places of their records among those chosen."""

    def __init__(
        self, context: _core.Context, attachment: int, places: NDArray[np.intp], rows: NDArray[np.uint64]
    ) -> None:
        self._places = places
        self.names, values = attribute_values(context, attachment, rows)
        self.columns = [[_text(value, _CUTS_OF_VALUES[0]) for value in column] for column in values]

    def num_characters(self, column: int) -> int:
        """What a column takes."""
        return sum(len(text) for text in self.columns[column] if text is not None)

    def cut(self, limit: int) -> None:
        """Cut all values."""
        self.columns = [[None if text is None else _cut(text, limit) for text in column] for column in self.columns]

    def add_to(self, sections: Sections) -> dict[str, Any]:
        """The table in the page."""
        return {
            "names": self.names,
            "places": sections.add(self._places, "u4"),
            "columns": [sections.add_json(column) for column in self.columns],
        }


def _fit(tables: list[_Table]) -> list[str]:
    """Cut values, then leave columns out, until all fits; the names of columns left out."""
    if _characters(tables) > _ATTRIBUTE_CHARACTERS:
        for table in tables:
            table.cut(_CUTS_OF_VALUES[1])
    omitted = []
    while _characters(tables) > _ATTRIBUTE_CHARACTERS:
        widest = max(tables, key=lambda table: len(table.columns))
        omitted.append(widest.names[-1])
        widest.names, widest.columns = widest.names[:-1], widest.columns[:-1]
    return omitted


def _characters(tables: Iterable[_Table]) -> int:
    """What all of them take."""
    return sum(table.num_characters(column) for table in tables for column in range(len(table.columns)))


def _cut(text: str, limit: int) -> str:
    """A text of at most so many characters, and a mark where it was longer."""
    return text if len(text) <= limit + 1 else text[:limit] + "…"


def _text(value: Any, limit: int) -> str | None:
    """An attribute as text; None where it is missing."""
    if value is None or isinstance(value, str):
        return None if value is None else _cut(value, limit)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return _cut(f"0x{bytes(value[: limit // 2 + 1]).hex()}", limit)
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple, dict)):
        return _cut(json.dumps(value, ensure_ascii=False, default=lambda inner: _text(inner, limit)), limit)
    return _cut(str(value), limit)
