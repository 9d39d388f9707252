"""Hierarchies from what users have: edges, entities, labels, and edges between entities.

Each function makes one hierarchy over a context, to which it may append records; what it was given is checked and
brought into a form that the engine reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import Scale
from starlings.arguments import check_int
from starlings.constraints import constrained
from starlings.dataframes import readable_edges, readable_keys, readable_members, readable_tables
from starlings.edge_options import CheckedOptions
from starlings.entity import Entities, Entity
from starlings.exceptions import CapacityError, DuplicateKeyError, InvalidArgumentError, shown
from starlings.merge_events import MergeEvents
from starlings.partition import Partition

__all__ = [
    "build_from_edges",
    "build_from_entities",
    "build_from_labels",
    "build_from_merge_events",
    "build_on_entities",
    "entities_or_keys",
    "intern_once",
]

_MOST_RECORDS: Final = 2**32 - 2


def build_from_edges(
    context: _core.Context,
    base: _core.Hierarchy | None,
    edges: Any,
    options: CheckedOptions,
    known_records_only: bool,
    progress: _core.ProgressCallback | None,
    batch_rows: int = 0,
) -> _core.Hierarchy:
    """The hierarchy of edges over a context, extending `base`, whose constraints are applied anew.

    With `batch_rows` they may also be an iterable of tables, and so many rows of them are held at once.
    """
    read = (edges, options.columns, options.scale)
    readable, columns = (readable_tables(*read), None) if batch_rows else readable_edges(*read)
    hierarchy = _core.extend(
        context,
        base,
        readable,
        columns=columns,
        source=options.source,
        decimals=options.decimals,
        known_records_only=known_records_only,
        progress=progress,
        batch_rows=batch_rows,
        tables=batch_rows > 0,
        scale=options.scale,
        keep=options.keep_until_constrained,
    )
    return constrained(context, hierarchy, options.limits, options.keep, progress)


def build_from_entities(
    context: _core.Context,
    entities: Any,
    threshold: float,
    source: str,
    known_records_only: bool,
    progress: _core.ProgressCallback | None,
) -> _core.Hierarchy:
    """The hierarchy of entities over a context."""
    partition = _whole_partition(entities)
    if partition is not None and not known_records_only:
        return _build_from_partition(context, partition, threshold, progress)[0]
    if isinstance(entities, (str, bytes)) or not isinstance(entities, Iterable):
        raise InvalidArgumentError(f"entities must be an iterable of sets of keys, not {type(entities).__name__}")
    return _core.from_entities(
        context, entities, threshold, source=source, known_records_only=known_records_only, progress=progress
    )


def build_from_labels(
    context: _core.Context,
    keys: Any,
    labels: Any,
    threshold: float,
    source: str,
    known_records_only: bool,
    progress: _core.ProgressCallback | None,
) -> _core.Hierarchy:
    """The hierarchy of a membership vector over a context; without `labels` of a table of members."""
    if labels is None:
        table = readable_members(keys)
        if not isinstance(table, tuple):
            return _core.from_membership(
                context,
                table,
                threshold,
                source=source,
                known_records_only=known_records_only,
                progress=progress,
            )
        keys, labels = table
    return _core.from_labels(
        context,
        readable_keys(keys),
        readable_keys(labels, "labels"),
        threshold,
        source=source,
        known_records_only=known_records_only,
        progress=progress,
    )


def build_from_merge_events(
    context: _core.Context,
    events: Any,
    num_records: Any,
    records: Any,
    exact: bool,
    scale: Scale,
    source: str,
    progress: _core.ProgressCallback | None,
) -> _core.Hierarchy:
    """The hierarchy of merge events over an empty context, which gets the records that they number."""
    if num_records is None and records is None and isinstance(events, MergeEvents):
        num_records = events.num_records
    asked = None if num_records is None else _check_num_records(num_records)
    if records is not None:
        intern_once(context, readable_keys(records, "records"), source, progress=progress)
        if asked not in (None, context.num_records):
            raise InvalidArgumentError(
                f"num_records is {asked}, but there are {context.num_records} records; give one of them"
            )
    elif asked is None:
        raise InvalidArgumentError("give num_records or records: the numbers of results start there")
    else:
        context.intern(np.arange(asked, dtype=np.uint32), source, progress)
    if not isinstance(events, MergeEvents):
        return _core.from_merges(events, context.num_records, exact, progress, scale)
    if events.num_records != context.num_records:
        raise InvalidArgumentError(
            f"the events are numbered for {events.num_records} records, not for {context.num_records}; "
            "give as many as their collection has"
        )
    return events._core.hierarchy.strip()


def _check_num_records(value: Any) -> int:
    """A number of records as an int."""
    num_records = check_int(value, "num_records", least=0)
    if num_records > _MOST_RECORDS:
        raise CapacityError(f"num_records is {shown(value)}; a collection holds at most {_MOST_RECORDS:,}")
    return num_records


def _whole_partition(entities: object) -> Partition | None:
    """The partition whose entities these are, if they are all of one."""
    if isinstance(entities, Entities):
        return entities.whole_partition
    return entities if isinstance(entities, Partition) else None


def _build_from_partition(
    context: _core.Context, partition: Partition, threshold: float, progress: _core.ProgressCallback | None
) -> tuple[_core.Hierarchy, NDArray[np.uint32]]:
    """The hierarchy of a partition's entities, and the index here of each of its records. No entity is made for it."""
    translation = np.asarray(context.intern_context(partition._context, partition.num_records, progress))
    numbers = np.arange(partition.num_records, dtype=np.uint32)
    hierarchy = _core.from_labels(_core.Context(), numbers, partition.labels, threshold, progress=progress)
    nothing = _core.extend(context, None, [])
    return _core.merge(nothing, hierarchy, translation, context.num_records, progress), translation


def entities_or_keys(records: Any) -> tuple[list[Entity] | Partition | None, Any]:
    """``records`` of `Collection.from_edges` as entities, or as a column of keys, or as neither."""
    if records is None:
        return None, None
    partition = _whole_partition(records)
    if partition is not None:
        return partition, None
    if isinstance(records, (list, tuple, Entities)):
        return (list(records), None) if len(records) and isinstance(records[0], Entity) else (None, records)
    if isinstance(records, Iterator):
        begun = list(islice(records, 1))
        if begun and isinstance(begun[0], Entity):
            return [*begun, *records], None
        return None, chain(begun, records)
    return None, readable_keys(records, "records")


def build_on_entities(
    context: _core.Context,
    entities: list[Entity] | Partition,
    edges: Any,
    options: CheckedOptions,
    progress: _core.ProgressCallback | None,
) -> _core.Hierarchy:
    """The hierarchy of edges between entities, over the records of the entities.

    Two hierarchies, one over the entities' ids and one over their members, are merged: each id stands for the first
    member of its entity. Where edges are kept, neighbours in an entity count as edges of score 1.

    Raises
    ------
    InvalidArgumentError
        For weights.
    """
    if options.scale == "weight":
        raise InvalidArgumentError(
            "records= cannot be entities where scores are weights: the members of an entity are together from "
            "threshold 1.0 on, which means nothing among weights; give keys of records, or scores as probabilities"
        )
    ids = _core.Context()
    source = options.source
    if isinstance(entities, Partition):
        ids.intern(np.arange(entities.num_entities, dtype=np.uint32), source)
        within, here = _build_from_partition(context, entities, 1.0, progress)
        firsts: Any = here[np.asarray(entities._core.records)[np.asarray(entities._core.offsets)[:-1]]]
    else:
        _intern_ids(ids, entities, source)
        within = _core.from_entities(context, entities, 1.0, source=source, progress=progress)
        firsts = context.find([next(iter(entity)) for entity in entities], source)
    between = build_from_edges(ids, None, edges, _unconstrained(options), True, progress)
    if options.keep_until_constrained != "nothing":
        within = _core.extend(context, within, [], keep=options.keep_until_constrained)
    hierarchy = _core.merge(within, between, firsts, context.num_records, progress)
    return constrained(context, hierarchy, options.limits, options.keep, progress)


def _unconstrained(options: CheckedOptions) -> CheckedOptions:
    """The same for a part of what will be constrained as a whole."""
    return replace(options, keep=options.keep_until_constrained, limits=None)


def _intern_ids(ids: _core.Context, entities: list[Entity], source: str) -> None:
    """Make the ids of the entities the records of a context, in order."""
    faults = map(_fault_of, entities)
    row, fault = next(((row, fault) for row, fault in enumerate(faults) if fault), (-1, ""))
    if fault:
        raise InvalidArgumentError(f"records are entities, but row {row} {fault}: {entities[row]!r}", row=row)
    intern_once(ids, [entity.id for entity in entities], source, "entity id")


def intern_once(
    context: _core.Context, keys: Any, source: str, what: str = "key", progress: _core.ProgressCallback | None = None
) -> None:
    """Make keys the records of an empty context, in order; `what` names them in the error.

    Raises
    ------
    DuplicateKeyError
        For a key that is there twice, with both rows.
    """
    indices = np.asarray(context.intern(keys, source, progress))
    if context.num_records == len(indices):
        return
    again = int(np.flatnonzero(indices != np.arange(len(indices)))[0])
    first = int(np.flatnonzero(indices == indices[again])[0])
    key = shown(context.record_keys(indices[first : first + 1])[0])
    raise DuplicateKeyError(
        f"rows {first} and {again} have the same {what} {key}; give each record once", row=again, other_row=first
    )


def _fault_of(entity: object) -> str:
    """Why edges cannot name this entity, or nothing."""
    if not isinstance(entity, Entity):
        return "is no Entity"
    if entity.id is None:
        return "has no id"
    return "" if entity.size else "has no members"
