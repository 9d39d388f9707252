"""Records in the C extension: keys, sources, entities and labels, and what is refused, with the row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import starlings as sl
from core_cases import (
    UNKNOWN,
    OldFrame,
    numbers,
    records_of,
)
from starlings import _core
from starlings.exceptions import (
    DuplicateKeyError,
    InvalidArgumentError,
    InvalidKeyError,
    InvalidThresholdError,
    KeyNotFoundError,
    OverlapError,
    StarlingsError,
)

# ------------------------------------------------------------------------------------------------------------ records


def test_intern_and_find() -> None:
    context = _core.Context()
    keys = ["a", 5, b"5", "5", ("crm", "a"), sl.Key("a"), np.int16(5)]
    assert numbers(context.intern(keys)) == [0, 1, 2, 3, 4, 0, 1]
    assert context.num_records == 5
    assert context.key_kinds == 0b1101
    assert context.sources() == ["default", "crm"]
    assert numbers(context.find(["5", "zz", ("crm", "a"), ("nobody", "a"), 5])) == [3, UNKNOWN, 4, UNKNOWN, 1]
    assert numbers(context.find(pa.array(["a", "b"]), source="crm")) == [4, UNKNOWN]
    assert numbers(context.find(pa.array(["a", "b"]), source="nobody")) == [UNKNOWN, UNKNOWN]
    assert numbers(context.find(np.array([5, 6]))) == [1, UNKNOWN]
    assert numbers(_core.Context().find(["a", ("x", 1)])) == [UNKNOWN, UNKNOWN]
    assert context.sources() == ["default", "crm"]
    with pytest.raises(InvalidKeyError):
        context.find(["a", None])
    with pytest.raises(InvalidKeyError):
        context.find(pa.array(["a", None]), source="nobody")
    assert numbers(context.intern([])) == []
    assert numbers(context.intern(pa.table({"k": ["a", "zz"]}))) == [0, 5]
    with pytest.raises(InvalidArgumentError, match="name the column"):
        context.intern(pa.table({"k": ["a"], "l": ["b"]}))


def test_interning_fails_as_a_whole() -> None:
    context = _core.Context()
    with pytest.raises(InvalidKeyError) as caught:
        context.intern(pa.chunked_array([["a", "b"], ["c", None]]))
    assert caught.value.row == 3 and "row 3" in str(caught.value)
    with pytest.raises(InvalidKeyError) as caught:
        context.intern([*range(200_000), None])
    assert caught.value.row == 200_000
    assert context.num_records == 0


def test_find_one() -> None:
    context = _core.Context()
    context.intern(["a", ("crm", "a"), ("crm", "b"), 7])
    assert context.find_one("b") == 2
    assert context.find_one(7) == 3
    assert context.find_one("zz") is None
    assert context.find_one(("crm", "a")) == 1
    assert context.find_one(("nobody", "a")) is None
    assert context.find_one("a", "crm") == 1
    assert context.find_one("a", "nobody") is None
    assert _core.Context().find_one("a") is None
    with pytest.raises(ValueError, match="2 sources"):
        context.find_one("a")
    with pytest.raises(InvalidKeyError, match="the key is"):
        context.find_one(None)  # type: ignore[arg-type]
    assert context.sources() == ["default", "crm"]


def test_records_as_objects() -> None:
    context = _core.Context()
    keys = ["a", 2**64 - 1, b"\xff\0", ("crm", ""), 2**32]
    indices = context.intern(keys)
    assert context.record(1) == ("default", 2**64 - 1)
    assert context.record_keys(indices) == ["a", 2**64 - 1, b"\xff\0", "", 2**32]
    assert context.record_set(indices) == {
        ("default", "a"),
        ("default", 2**64 - 1),
        ("default", b"\xff\0"),
        ("crm", ""),
        ("default", 2**32),
    }
    assert np.asarray(context.record_sources(indices)).dtype == np.uint16
    assert numbers(context.record_sources(indices)) == [0, 0, 0, 1, 0]
    for index in (5, -1, 2**70):
        with pytest.raises(IndexError):
            context.record(index)
    beyond = np.array([5], "u4")
    for method in (context.record_set, context.record_keys, context.record_sources):
        with pytest.raises(InvalidArgumentError, match="no record 5"):
            method(beyond)
        for bad in ([1], np.array([1]), np.zeros((1, 1), "u4"), np.zeros(4, "u4")[::2], np.zeros(1, ">u4")):
            with pytest.raises(InvalidArgumentError, match="uint32"):
                method(bad)


def test_copy_and_truncate() -> None:
    context = _core.Context()
    context.intern(["a", "b", ("crm", "c")])
    copy, part = context.copy(), context.copy(2)
    context.truncate(1)
    assert records_of(context) == [("default", "a")]
    assert context.find_one("b") is None
    assert copy.num_records == 3
    assert records_of(part) == [("default", "a"), ("default", "b")]
    assert part.sources() == ["default", "crm"]
    for bad in (-1, 2**40):
        with pytest.raises(ValueError, match=r"2\^32-1"):
            context.truncate(bad)


def test_intern_context() -> None:
    context, other = _core.Context(), _core.Context()
    context.intern(["b", ("crm", 1)])
    other.intern([("web", 9), "a", "b", ("crm", 1), b"x"])
    assert numbers(context.intern_context(other)) == [2, 3, 0, 1, 4]
    assert records_of(context)[2:] == [("web", 9), ("default", "a"), ("default", b"x")]
    assert numbers(context.intern_context(other, 2)) == [2, 3]
    assert numbers(context.intern_context(context)) == [0, 1, 2, 3, 4]
    large, into = _core.Context(), _core.Context()
    large.intern(np.arange(2_000_000))
    assert np.array_equal(np.asarray(into.intern_context(large)), np.arange(2_000_000))

    def stop(*_: object) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        context.intern_context(large, progress=stop)
    assert context.num_records == 5


ROWS = [{"id": "x", "name": 1}, {"id": "y", "name": 2}, {"id": 7, "name": 3}]


def interned(context: _core.Context, source: str, data: Any, key_column: str | None = None) -> list[int]:
    return np.asarray(context.intern_records(source, data, key_column)).tolist()


def test_intern_records() -> None:
    context = _core.Context()
    assert interned(context, "list", ROWS, "id") == [0, 1, 2]
    text = {"id": ["x", "y", "z"], "v": [1.0, 2.0, 3.0]}
    for number, make in enumerate((pa.table, pl.DataFrame, pd.DataFrame, OldFrame, dict)):
        assert interned(context, f"s{number}", make(text), "id") == [3 + 3 * number + i for i in range(3)]
        assert context.record(5 + 3 * number) == (f"s{number}", "z")
    assert interned(context, "list", [{"id": "new"}, {"id": "y"}], "id") == [18, 1]
    counted = _core.Context()
    for number, data in enumerate(
        (pa.table(text), pd.DataFrame(text), text, ROWS, iter(ROWS), pa.table(text).to_reader())
    ):
        assert interned(counted, f"s{number}", data) == [3 * number + i for i in range(3)]
        assert counted.record(3 * number + 2) == (f"s{number}", 2)
    assert interned(counted, "none", []) == []
    assert "none" in counted.sources()


def test_intern_records_refuses() -> None:
    context = _core.Context()
    context.intern_records("s", [{"only": "rows"}])
    with pytest.raises(InvalidArgumentError, match=r"no column 'nope'.*'id'"):
        context.intern_records("s", pa.table({"id": [1]}), "nope")
    for make in (pl.DataFrame, pd.DataFrame, dict):
        with pytest.raises(InvalidArgumentError, match=r"no column 'nope'.*'id'"):
            context.intern_records("s", make({"id": [1]}), "nope")
    with pytest.raises(InvalidKeyError) as missing:
        context.intern_records("s", [{"id": 1}, {"no": 2}], "id")
    assert missing.value.row == 1
    with pytest.raises(InvalidArgumentError):
        context.intern_records("s", 5)
    with pytest.raises(InvalidArgumentError):
        context.intern_records("s", "abc")
    assert context.num_records == 1


def given(frame: _core.Frame, data: Any) -> None:
    change = frame.begin()
    try:
        change.give(change.context().intern_records("s", data, "id"))
    except BaseException:
        change.abort()
        raise
    change.commit()


def test_duplicate_keys_name_both_rows() -> None:
    frame = _core.Frame()
    given(frame, [{"id": "old"}])
    keys = [f"k{i}" for i in range(6)]
    for chunks in ([[*keys, "k2"]], [keys, ["k2"]], [keys[:3], keys[3:], ["k9", "k2"]], [["q"], ["r", "k2", "k2"]]):
        flat = [key for chunk in chunks for key in chunk]
        row, other = len(flat) - 1, flat.index("k2")
        with pytest.raises(DuplicateKeyError, match=f"rows {other} and {row}.*k2") as caught:
            given(frame, pa.table({"id": pa.chunked_array(chunks)}))
        assert (caught.value.row, caught.value.other_row) == (row, other)
        assert frame.now().num_records == frame.now().context.num_records == 1
    for chunks in ([["a", "old"]], [["a"], ["old"]]):
        with pytest.raises(DuplicateKeyError, match=r"row 1: the key.*old") as caught:
            given(frame, pa.table({"id": pa.chunked_array(chunks)}))
        assert (caught.value.row, caught.value.other_row) == (1, None)
    many = list(range(600_000))
    many[-1] = 3
    with pytest.raises(DuplicateKeyError, match="rows 3 and 599999") as caught:
        given(frame, pa.table({"id": many}))
    assert (caught.value.row, caught.value.other_row) == (599_999, 3)
    assert frame.now().context.num_records == 1


# ----------------------------------------------------------------------------------------------- entities and labels


def entities_of(context: _core.Context, hierarchy: _core.Hierarchy, threshold: float = 1.0) -> list[set[Any]]:
    hierarchy.validate()
    return _core.Partition(hierarchy, threshold, context.num_records).to_list(context)


def test_from_entities() -> None:
    expected = [{("default", "a"), ("default", "b")}, {("default", "c")}, {("crm", 1), ("crm", 2)}]
    forms: list[Any] = [
        [["a", "b"], ["c"], [("crm", 1), ("crm", 2)]],
        [{"b", "a"}, frozenset("c"), ({("crm", 2), ("crm", 1)})],
        ((key for key in keys) for keys in (["a", "b"], ["c"], [("crm", 1), ("crm", 2)])),
        [sl.Entity(["a", "b"]), sl.Entity(["c"]), sl.Entity([("crm", 1), ("crm", 2)])],
        [["a", "b", "a"], {}.keys(), ["c"], [], [("crm", 1), ("crm", 2)]],
    ]
    for form in forms:
        context = _core.Context()
        assert entities_of(context, _core.from_entities(context, form)) == expected
    context = _core.Context()
    hierarchy = _core.from_entities(context, [["a", "b"]], 0.5)
    assert len(entities_of(context, hierarchy, 0.6)) == 2
    with pytest.raises(InvalidThresholdError):
        _core.from_entities(context, [["x", "b"]], 1.5)
    assert context.num_records == 2


def test_members_of_sets_are_numbered_in_order() -> None:
    members = {("web", 3), "é", "b", 9, 2**40, b"z", ("crm", "q"), 10, ("default", 1)}
    context = _core.Context()
    _core.from_entities(context, [members])
    assert records_of(context) == [
        ("crm", "q"),
        ("default", 1),
        ("default", 9),
        ("default", 10),
        ("default", 2**40),
        ("default", "b"),
        ("default", "é"),
        ("default", b"z"),
        ("web", 3),
    ]
    assert context.sources() == ["crm", "default", "web"]


def test_entities_of_a_set_are_taken_in_order() -> None:
    entities = {frozenset({9, 4}), frozenset({("web", 1)}), frozenset({"x", 7, 3}), (8, 5), frozenset(), iter([6])}
    context = _core.Context()
    hierarchy = _core.from_entities(context, entities)
    assert context.record_keys(np.arange(8, dtype="u4")) == [3, 7, "x", 4, 9, 8, 5, 6]
    assert len(entities_of(context, hierarchy)) == 5
    for bad in ({frozenset({1}), 5}, {frozenset({1, None})}, {(1,), frozenset({1})}):
        with pytest.raises(StarlingsError):
            _core.from_entities(context, bad)
        assert context.num_records == 9


def test_from_entities_refuses() -> None:
    context = _core.Context()
    context.intern(["a", "b"])
    with pytest.raises(OverlapError, match=r"\('default', 'y'\) is in entity 1 and in entity 3") as overlap:
        _core.from_entities(context, [["x"], ["y", "z"], [], ["q", "y"]])
    assert (overlap.value.row, overlap.value.other_row) == (3, 1)
    with pytest.raises(InvalidKeyError) as bad:
        _core.from_entities(context, [["x"], {("s", "y"), ("t", None)}])
    assert bad.value.row == 1
    for entity in ("abc", b"abc", 5, {"a": 1}, None):
        with pytest.raises(InvalidArgumentError) as wrong:
            _core.from_entities(context, [["x"], entity])
        assert wrong.value.row == 1
    with pytest.raises(InvalidArgumentError):
        _core.from_entities(context, 5)
    with pytest.raises(KeyNotFoundError, match="'c'") as unknown:
        _core.from_entities(context, [["a"], ["b", "c"]], known_records_only=True)
    assert unknown.value.row == 1
    with pytest.raises(KeyNotFoundError):
        _core.from_entities(context, [["a"], [("nobody", "a")]], known_records_only=True)
    assert _core.from_entities(context, [["a", "b"]], known_records_only=True).num_merges == 1
    assert context.num_records == 2
    assert context.sources()[:1] == ["default"]


def test_from_labels() -> None:
    expected = [{("default", 1), ("default", 3)}, {("default", 2)}]
    for keys in ([1, 2, 3], np.array([1, 2, 3]), pa.chunked_array([[1], [2, 3]]), iter([1, 2, 3])):
        for labels in (["x", "y", "x"], np.array([7, 0, 7]), pl.Series(["é", "f", "é"]), pd.Series([b"1", b"2", b"1"])):
            keys = list(keys) if isinstance(keys, Iterator) else keys
            context = _core.Context()
            assert entities_of(context, _core.from_labels(context, keys, labels)) == expected
    context = _core.Context()
    assert entities_of(context, _core.from_labels(context, [1, 1, 2], ["a", "a", "a"])) == [
        {("default", 1), ("default", 2)}
    ]
    assert _core.from_labels(_core.Context(), [], []).num_records == 0


def test_from_labels_refuses() -> None:
    context = _core.Context()
    with pytest.raises(OverlapError, match=r"\('default', 5\) has the label 'x' in row 0 and 'y' in row 2") as overlap:
        _core.from_labels(context, [5, 6, 5], ["x", "x", "y"])
    assert (overlap.value.row, overlap.value.other_row) == (2, 0)
    with pytest.raises(InvalidArgumentError, match="3 keys and 2 labels"):
        _core.from_labels(context, [1, 2, 3], ["a", "b"])
    for labels in (["x", None, "x"], pa.array(["x", None, "x"]), [1.0, float("nan"), 1.0]):
        with pytest.raises(InvalidKeyError):
            _core.from_labels(context, [1, 2, 3], labels)
    with pytest.raises(KeyNotFoundError, match="row 0: the key 1"):
        _core.from_labels(context, pa.chunked_array([[1], [2]]), [1, 2], known_records_only=True)
    assert context.num_records == 0
