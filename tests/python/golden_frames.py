"""Frames with every feature of the native file, one for each file below tests/golden, which this script writes.

Files are written once, for each version of the format, and kept for ever: readers to come are tested with them. Run
this only to add the file of a new feature: ``python tests/python/golden_frames.py NAME``.
"""

from __future__ import annotations

import datetime as dt
import decimal
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import starlings as sl

GOLDEN = Path(__file__).parent.parent / "golden"
VERSION = 1


def empty() -> sl.EntityFrame:
    return sl.EntityFrame()


def one_record() -> sl.EntityFrame:
    return sl.EntityFrame.from_records("crm", [{"id": "a"}], key_column="id")


def keys() -> sl.EntityFrame:
    """Every kind of key, in sources with and without characters beyond ASCII, and one without a name."""
    frame = sl.EntityFrame()
    edges = [
        (("crm", 5), ("crm", "5"), 0.9),
        (("crm", b"5"), ("ümläut", 5), 0.8),
        (("", 2**40), ("", 2**64 - 1), 0.7),
        (("", ""), ("crm", b""), 0.6),
        (("crm", 0), ("crm", "naïve \N{GRINNING FACE} key that is longer than sixty-four bytes in all"), 0.5),
    ]
    frame.add_collection_from_edges("mödel", edges)
    frame.add_collection_from_edges("", [])
    return frame


def merges() -> sl.EntityFrame:
    """Ties, chains, n-way merges, self-loops; rounded and exact; fewer records than the frame."""
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("chain", [(i, i + 1, (9 - i) / 10) for i in range(9)])
    frame.add_collection_from_edges("ties", [(0, 1, 0.5), (1, 2, 0.5), (3, 4, 0.5), (2, 3, 0.25), (9, 9, 0.5)])
    frame.add_collection_from_edges("exact", [(0, 1, 0.1 + 0.2), (1, 2, 0.3), (5, 6, 1.0)], quantise=None)
    frame.add_collection_from_edges("coarse", [(0, 1, 0.51), (1, 2, 0.49)], quantise=1)
    frame.add_collection_from_entities("truth", [{0, 1, 2}, {3, 4}, {20, 21}])
    return frame


def weights() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    edges = [("a", "b", 12.5), ("b", "c", -3.25), ("c", "d", 0.0), ("d", "e", 1e300)]
    frame.add_collection_from_edges("exact", edges, scale="weight", quantise=None)
    frame.add_collection_from_edges("rounded", edges[:3], scale="weight", quantise=1, keep_edges=True)
    return frame


def kept_edges() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    edges = [("a", "b", 0.9), ("b", "c", 0.8), ("a", "c", 0.85), ("c", "d", 0.8), ("x", "x", 0.4), ("d", "a", 0.1)]
    frame.add_collection_from_edges("all", edges, keep_edges=True)
    frame.add_collection_from_edges("forest", edges, keep_edges="forest")
    frame.add_collection_from_edges("none", [], keep_edges=True)
    return frame


def constraints() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    edges = [
        (("crm", 1), ("web", 1), 0.9),
        (("crm", 2), ("web", 1), 0.8),
        (("crm", 2), ("web", 2), 0.7),
        (("web", 1), ("web", 3), 0.6),
        (("crm", 1), ("web", 4), 0.6),
    ]
    frame.add_collection_from_edges("unique", edges, unique_sources=["crm", "nowhere"])
    frame.add_collection_from_edges("small", edges, max_entity_size=2, ties="drop", keep_edges=True)
    return frame


def garbage() -> sl.EntityFrame:
    """Records that a dropped collection leaves, and those that were given."""
    frame = sl.EntityFrame.from_records("crm", [{"id": i} for i in range(6)], key_column="id")
    frame.add_collection_from_edges("gone", [(1, 100, 0.5), (100, 101, 0.25)], source="crm")
    frame.add_collection_from_edges("kept", [(2, 3, 0.5), (3, 200, 0.25)], source="crm")
    frame.drop("gone")
    return frame


def compacted() -> sl.EntityFrame:
    frame = garbage()
    frame.compact()
    return frame


def table() -> pa.Table:
    """A column of every type that attributes are likely to have, with nulls."""
    day = dt.date(2024, 2, 29)
    moment = dt.datetime(2024, 2, 29, 12, 30)
    union = pa.UnionArray.from_dense(
        pa.array([0, 1, 0, 1], pa.int8()),
        pa.array([0, 0, 1, 1], pa.int32()),
        [pa.array([1, 2]), pa.array(["a", "b"])],
    )
    columns = {
        "id": pa.array(["a", "b", "c", "d"]),
        "int": pa.array([1, None, -3, 2**62]),
        "small": pa.array([1, 2, None, 255], pa.uint8()),
        "float": pa.array([0.5, None, float("inf"), -0.0]),
        "bool": pa.array([True, None, False, True]),
        "none": pa.nulls(4),
        "text": pa.array(["", None, "naïve", "\N{GRINNING FACE}"]),
        "large text": pa.array(["x", "y", None, "z"], pa.large_string()),
        "view": pa.array(["short", "longer than the twelve bytes of a view", None, ""], pa.string_view()),
        "bytes": pa.array([b"\x00", None, b"\xff\xfe", b""]),
        "byte view": pa.array([b"\xff" * 20, None, b"", b"x"], pa.binary_view()),
        "fixed": pa.array([b"abc", None, b"def", b"ghi"], pa.binary(3)),
        "category": pa.array(["x", "y", None, "x"]).dictionary_encode(),
        "date": pa.array([day, None, day, day]),
        "moment": pa.array([moment, None, moment, moment], pa.timestamp("us", tz="UTC")),
        "span": pa.array([dt.timedelta(seconds=1), None, None, None], pa.duration("ms")),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.50"), None], pa.decimal128(10, 2)),
        "list": pa.array([[1, 2], None, [], [None]], pa.list_(pa.int64())),
        "large list": pa.array([["a"], None, [], ["b", None]], pa.large_list(pa.string())),
        "pair": pa.array([[1, 2], None, [3, 4], [5, None]], pa.list_(pa.int32(), 2)),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": None}]),
        "map": pa.array([[("k", 1)], None, [], [("l", None)]], pa.map_(pa.string(), pa.int64())),
        "union": union,
    }
    return pa.table(columns).replace_schema_metadata({b"origin": b"golden"})


def attributes() -> sl.EntityFrame:
    return sl.EntityFrame.from_records("crm", table(), key_column="id")


def sliced_attributes() -> sl.EntityFrame:
    """Batches that are slices of one table, and a second table for some of the same records."""
    whole = pa.concat_tables([table(), table()]).combine_chunks().set_column(0, "id", [list("abcdefgh")])
    parts = pa.Table.from_batches([*whole.slice(1, 4).to_batches(), *whole.slice(5, 3).to_batches()])
    frame = sl.EntityFrame.from_records("crm", parts, key_column="id")
    frame.add_records("web", [{"key": i, "name": f"n{i}"} for i in range(3)], key_column="key")
    frame.add_collection_from_edges("model", [("b", "c", 0.5), ("h", "zz", 0.25)], source="crm")
    return frame


FRAMES: dict[str, Callable[[], sl.EntityFrame]] = {
    "empty": empty,
    "one-record": one_record,
    "keys": keys,
    "merges": merges,
    "weights": weights,
    "kept-edges": kept_edges,
    "constraints": constraints,
    "garbage": garbage,
    "compacted": compacted,
    "attributes": attributes,
    "sliced-attributes": sliced_attributes,
}


def golden_path(name: str, version: int = VERSION) -> Path:
    return GOLDEN / f"{name}.v{version}.starlings"


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        FRAMES[chosen]().save(golden_path(chosen))
