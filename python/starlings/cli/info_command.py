"""``starlings info``: what a file holds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from starlings.cli.frame_files import open_frame
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.showing import Showing, number, show_facts, show_json, show_table
from starlings.collection import Collection
from starlings.frame import EntityFrame

__all__ = ["info"]

#: Kinds of key, by their bits.
_KINDS: Final = ("u32", "u64", "string", "bytes")


def info(file: FileArgument, *, reading: Reading, showing: Showing) -> None:
    """Say what a file holds: sources, records, collections, thresholds, sizes, memory."""
    frame = open_frame(file, reading, showing.bar, memory_map=False)  # a map would not be counted as memory
    sources = [_source(frame, name) for name in frame.sources]
    collections = [_collection(name, frame[name]) for name in frame]
    measured = frame.collect_metrics()
    memory = round(measured.total_memory_mb * 1_000_000)
    if showing.json:
        show_json(
            {
                "command": "info",
                "file": file,
                "num_records": frame.num_records,
                "garbage_ratio": measured.garbage_ratio,
                "memory_bytes": memory,
                "sources": sources,
                "collections": collections,
            }
        )
        return
    show_facts([("file", file), ("records", frame.num_records), ("memory in bytes", memory)])
    _show("source", sources, ("records", "keys", "attributes"), ("num_records", "key_kinds", "attributes"))
    heads = ("scale", "merges", "thresholds", "lowest", "highest", "entities", "largest", "pairs kept")
    fields = ("scale", "num_merges", "num_thresholds", "lowest_threshold", "highest_threshold")
    _show("collection", collections, heads, (*fields, "num_entities", "largest_entity", "kept_edges"))


def _source(frame: EntityFrame, name: str) -> dict[str, Any]:
    """One source."""
    state = frame._core.now()
    records = state.context.source_records(name, state.num_records)
    kinds = state.context.record_kinds(records)
    return {
        "name": name,
        "num_records": len(np.asarray(records)),
        "key_kinds": [kind for bit, kind in enumerate(_KINDS) if kinds >> bit & 1],
        "attributes": _attributes(frame, name),
    }


def _attributes(frame: EntityFrame, source: str) -> list[str]:
    """Columns that the records of a source were given with."""
    records = frame.records(source)
    return records.columns if records._batches else []


def _collection(name: str, collection: Collection) -> dict[str, Any]:
    """One collection; entities and the largest of them are those at the lowest threshold, where all merges are done."""
    thresholds = collection.thresholds
    hierarchy = collection._state.hierarchy
    lowest = float(thresholds[-1]) if len(thresholds) else None
    sizes = collection.at(1.0 if lowest is None else lowest).sizes
    constraints = collection.constraints
    return {
        "name": name,
        "scale": collection.scale,
        "decimals": collection._state.decimals or None,
        "num_merges": collection.num_merges,
        "num_thresholds": len(thresholds),
        "lowest_threshold": lowest,
        "highest_threshold": float(thresholds[0]) if len(thresholds) else None,
        "num_entities": len(sizes),
        "largest_entity": int(sizes.max(initial=0)),
        "kept_edges": hierarchy.kept,
        "unique_sources": list(constraints.unique_sources) if constraints else [],
        "max_entity_size": constraints.max_entity_size if constraints else None,
        "bytes": collection.nbytes,
    }


def _show(head: str, things: list[dict[str, Any]], heads: tuple[str, ...], fields: tuple[str, ...]) -> None:
    """One table of things by name, after an empty line."""
    if not things:
        return
    print()
    rows = [[number(thing["name"]), *(_listed(thing[field]) for field in fields)] for thing in things]
    show_table([head, *heads], rows, len(rows), [head, "scale", "keys", "attributes", "pairs kept"])


def _listed(value: object) -> str:
    """A cell; of a list its parts."""
    return number(", ".join(map(str, value)) or "-") if isinstance(value, list) else number(value)
