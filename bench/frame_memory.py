"""What an entity frame holds: several collections of random edges over one set of records.

The inputs are drawn one at a time and freed. Figures are over the same process before the frame, with everything
imported and the same inputs drawn and freed once. The records must be there once, however many collections share
them: if not, the case fails.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from case import Case, Data, Facts, Step
from generate import SEED, Floats, Ints, Size
from memory import held, resident

NUM_COLLECTIONS = 5
LARGEST_KEY = 2**62  # of keys that are no row numbers

Edges = tuple[Ints, Ints, Floats]


def draw_keys(size: Size, *, scattered: bool) -> Ints:
    """Different integer keys: the numbers from 0, or drawn from a range far larger."""
    if not scattered:
        return np.arange(size.records, dtype=np.int64)
    drawn = np.random.default_rng([SEED, size.records]).integers(0, LARGEST_KEY, 2 * size.records)
    return drawn[np.sort(np.unique(drawn, return_index=True)[1])[: size.records]]


def draw_edges(size: Size, keys: Ints, number: int) -> Edges:
    """Collection `number`: both ends of every edge and its score drawn evenly."""
    rng = np.random.default_rng([SEED, size.records, size.edges, number])
    left, right = (keys[rng.integers(0, size.records, size.edges)] for _ in range(2))
    return left, right, rng.random(size.edges)


def engine_bytes(frame: Any) -> dict[str, float]:
    """What the engine counts: in all, and for the records."""
    from starlings import _core

    return {"engine_bytes": _core.memory_in_use(), "records_bytes": frame._core.now().context.nbytes}


def check_sharing(frame: Any, first: dict[str, float], last: dict[str, float]) -> None:
    """Every collection has the same context, and it takes no more memory than with one collection."""
    contexts = {frame[name]._state.context for name in frame}
    if len(contexts) != 1:
        raise RuntimeError(f"the {len(frame)} collections of a frame have {len(contexts)} contexts, not one")
    if last["records_bytes"] != first["records_bytes"]:
        raise RuntimeError(f"the records take {first['records_bytes']} bytes with one collection, {last} with all")


def fill(size: Size, keys: Ints) -> tuple[Any, Facts]:
    """The frame with all its collections, and what it held on the way."""
    import starlings as sl

    before = held()
    frame = sl.EntityFrame.from_records("default", pa.table({"key": keys}), "key")
    figures = {"records_held_bytes": float(held() - before)}
    first: dict[str, float] = {}
    for number in range(NUM_COLLECTIONS):
        frame.add_collection_from_edges(f"random {number}", draw_edges(size, keys, number))
        if not first:
            first = engine_bytes(frame)
            figures["one_collection_held_bytes"] = held() - before
    figures["untrimmed_bytes"] = resident("VmRSS") - before
    last = engine_bytes(frame)
    check_sharing(frame, first, last)
    return frame, {**figures, **last, "frame_held_bytes": held() - before}


def frame_memory(data: Data, *, scattered: bool) -> Step:
    import starlings as sl

    keys = draw_keys(data.size, scattered=scattered)
    edges, table = draw_edges(data.size, keys, 0), pa.table({"key": keys})
    del edges, table
    sl.EntityFrame()

    def figures(result: tuple[Any, Facts]) -> Facts:
        return result[1]

    return Step([partial(fill, data.size, keys)], figures=figures)


CASES = [
    Case(
        "ours-memory",
        f"Starlings: frame of {NUM_COLLECTIONS} random collections, drawn and built",
        partial(frame_memory, scattered=False),
        slow=True,
    ),
    Case(
        "ours-memory-scattered",
        "the same, keys of 62 bits",
        partial(frame_memory, scattered=True),
        slow=True,
    ),
]
