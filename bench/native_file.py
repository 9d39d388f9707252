"""A frame saved and loaded, beside copying the same bytes: five collections of random edges over string keys.

The file is made before the clock starts and lies in the cache of the system, as one that was just written does. Copies
are synced to the disk, as saves are. Each step is repeated within a process, and its median counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from case import Case, Data, Facts, Step
from frame_memory import NUM_COLLECTIONS
from generate import CACHE, SEED, Size

REPEATS = 5
CHUNK = 1 << 20


def path_of(size: Size) -> Path:
    return CACHE / f"frame-{size.name}.starlings"


def build_frame(size: Size) -> Any:
    import starlings as sl

    keys = pa.array([f"rec-{number:08d}-org" for number in range(size.records)])
    frame = sl.EntityFrame.from_records("default", pa.table({"key": keys}), "key")
    for number in range(NUM_COLLECTIONS):
        rng = np.random.default_rng([SEED, size.records, size.edges, number])
        left, right = (keys.take(pa.array(rng.integers(0, size.records, size.edges))) for _ in range(2))
        edges = pa.table({"left": left, "right": right, "score": rng.random(size.edges)})
        frame.add_collection_from_edges(f"random {number}", edges)
    return frame


def saved(size: Size) -> Path:
    """The file of the frame, made by whichever case comes first."""
    path = path_of(size)
    if not path.exists():
        build_frame(size).save(path)
    path.read_bytes()
    return path


def file_facts(size: Size) -> Facts:
    return {"file_bytes": path_of(size).stat().st_size}


def copy_synced(path: Path) -> None:
    copy = path.with_suffix(".copy")
    with path.open("rb") as source, copy.open("wb") as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())


def repeated(data: Data, call: Callable[[Path], Any]) -> Step:
    path = saved(data.size)
    return Step([partial(call, path)] * REPEATS, lambda _: file_facts(data.size))


def save(data: Data) -> Step:
    path = path_of(data.size)
    frame = build_frame(data.size)
    return Step([lambda: frame.save(path)] * REPEATS, lambda _: file_facts(data.size))


def load(data: Data, *, memory_map: bool) -> Step:
    import starlings as sl

    return repeated(data, lambda path: sl.load(path, memory_map=memory_map))


OURS = [
    Case("ours-save", f"Starlings: save a frame of {NUM_COLLECTIONS} collections, string keys", save, slow=True),
    Case("ours-load", "Starlings: load it, mapped", partial(load, memory_map=True), slow=True),
    Case("ours-load-read", "the same, read into memory", partial(load, memory_map=False), slow=True),
]
PEERS = [
    Case("file-copy", "copy of that file, synced", lambda data: repeated(data, copy_synced), slow=True),
    Case("file-read", "read of that file", lambda data: repeated(data, Path.read_bytes), slow=True),
]
