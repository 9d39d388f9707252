"""Frames that tables must bring back, and what it means that they do."""

from __future__ import annotations

from hypothesis import strategies as st

import starlings as sl
from starlings.testing import edge_lists

#: Keys of every kind, and what tables get wrong: NUL, quotes, empty ones, large ints, text that looks like another.
KEYS = [
    0,
    5,
    "5",
    b"5",
    2**32 - 1,
    2**32,
    2**63,
    2**64 - 1,
    "",
    b"",
    "\0",
    "a\0b",
    b"\0",
    b"\xff\xfe",
    bytes(range(256)),
    "Zoë",
    "日本語",
    "\U0001f426",
    'it\'s "quoted"; DROP TABLE x; --',
    "back\\slash",
    "\\x41",
    "line\nbreak\ttab",
    "null",
    "NULL",
    "00",
    " ",
    "x" * 5000,
    "é" * 3000,
]


def frame_of_all_keys() -> sl.EntityFrame:
    """Two sources that share keys, collections of every kind, and one of nothing."""
    frame = sl.EntityFrame()
    names = [("crm", key) for key in KEYS] + [('sh"op', key) for key in KEYS]
    chain = [(a, b, 1 - number / 100) for number, (a, b) in enumerate(zip(names, names[1:], strict=False))]
    frame.add_collection("chain", edges=chain)
    frame.add_collection("exact", edges=[(names[3], names[9], 0.1 + 0.2), (names[9], names[30], 1 / 3)], quantise=None)
    frame.add_collection("rough", edges=[(names[40], names[9], 0.84), (names[9], names[30], 0.81)], quantise=1)
    frame.add_collection(
        "weights; DROP", edges=[(names[0], names[1], -3.25), (names[1], names[2], 17.5)], scale="weight"
    )
    frame.add_collection_from_entities("entités \U0001f426", [set(names[:5]), set(names[7:9])])
    frame.add_collection("", edges=[])
    frame.add_collection("nothing joined", edges=[(names[0], names[0], 0.5)])
    return frame


@st.composite
def frames(draw: st.DrawFn) -> sl.EntityFrame:
    """Frames of up to four collections over keys of any kind and three sources."""
    frame = sl.EntityFrame()
    for name in draw(st.lists(st.text(max_size=5), max_size=4, unique=True)):
        source = draw(st.sampled_from(["default", "crm", "été"]))
        quantise = draw(st.sampled_from([None, 1, 6]))
        frame.add_collection(name, edges=draw(edge_lists(max_records=12)), source=source, quantise=quantise)
    return frame


def assert_same(frame: sl.EntityFrame, other: sl.EntityFrame) -> None:
    """The same records in the same order, and collections that cut alike at every threshold."""
    assert [frame.num_records, frame.sources] == [other.num_records, other.sources]
    states = [frame._core.now(), other._core.now()]
    for index in range(frame.num_records):
        records = [state.context.record(index) for state in states]
        assert records[0] == records[1] and type(records[0][1]) is type(records[1][1])
    assert frame.collection_names() == other.collection_names()
    for name in frame.collection_names():
        decimals = [state.collection(name).decimals for state in states]
        assert decimals[0] == decimals[1]
        assert_same_merges(frame[name], other[name])


def assert_same_merges(collection: sl.Collection, other: sl.Collection) -> None:
    """Merges at the same doubles."""
    assert collection.thresholds.tolist() == other.thresholds.tolist()
    assert collection.num_merges == other.num_merges
    assert collection.scale == other.scale
    for threshold in collection.thresholds:
        assert collection.at(threshold).labels.tolist() == other.at(threshold).labels.tolist()
