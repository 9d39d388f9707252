"""Edges into the C extension: every form of input gives the same hierarchy, every bad input its error with the row."""

from __future__ import annotations

import array
from collections import UserList
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import starlings as sl
from core_cases import (
    INT_ROWS,
    TEXT_ROWS,
    OldFrame,
    OneBatch,
    assert_same,
    built,
    columns,
    numbers,
    records_of,
    table,
)
from starlings import _core
from starlings.exceptions import (
    InvalidArgumentError,
    InvalidKeyError,
    InvalidScoreError,
    KeyNotFoundError,
    StarlingsError,
)

# ---------------------------------------------------------------------------------------------------- forms of edges


def int_columns(kind: str) -> tuple[np.ndarray, ...]:
    left, right, score = columns(INT_ROWS)
    return np.array(left, kind), np.array(right, kind), np.array(score)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u8", "<i8"])
def test_numpy_columns_of_every_int_type(kind: str) -> None:
    assert_same(int_columns(kind), INT_ROWS)


def test_numpy_columns_that_are_not_contiguous() -> None:
    left, right, score = int_columns("i8")
    assert_same((np.repeat(left, 3)[::3], right[::-1][::-1], np.repeat(score, 2)[::2]), INT_ROWS)
    matrix = np.column_stack([left, right])
    assert_same((matrix[:, 0], matrix[:, 1], score), INT_ROWS)
    packed = np.zeros(len(left), dtype=[("x", "u1"), ("left", "<i8"), ("right", ">i8"), ("score", "<f8")])
    packed["left"], packed["right"], packed["score"] = left, right, score
    assert_same((packed["left"], packed["right"], packed["score"]), INT_ROWS)
    assert_same((left, right, score[::-1][::-1].astype(">f8")), INT_ROWS)


def test_numpy_float32_and_int_scores() -> None:
    left, right, _ = int_columns("i8")
    assert_same(
        (left, right, np.array([1, 0, 1, 0, 1, 0], "i1")),
        [(a, b, float(1 - i % 2)) for i, (a, b, _) in enumerate(INT_ROWS)],
    )
    assert_same((left, right, np.full(6, 0.5, "f4")), [(a, b, 0.5) for a, b, _ in INT_ROWS])
    assert_same((left, right, np.full(6, 0.5, "f2")), [(a, b, 0.5) for a, b, _ in INT_ROWS])


@pytest.mark.parametrize("order", ["<", ">"])
def test_numpy_fixed_width_text(order: str) -> None:
    texts = ["", "a", "ab\0c", "é", "東京", "😀x", "zz"]
    wide = np.array(texts, dtype=f"{order}U9")
    score = np.linspace(0.1, 0.9, len(texts))
    rows = list(zip(texts, texts[::-1], score.tolist(), strict=True))
    assert_same((wide, wide[::-1], score), rows)


def test_numpy_fixed_width_bytes() -> None:
    texts = [b"", b"a", b"a\0b", b"\xff\xfe"]
    rows = [(text, b"hub", 0.5) for text in texts]
    assert_same((np.array(texts, "S4"), np.array([b"hub"] * 4), np.full(4, 0.5)), rows)


def test_numpy_object_and_variable_width_text() -> None:
    left, right, score = columns(TEXT_ROWS)
    assert_same((np.array(left, object), np.array(right, object), np.array(score, object)), TEXT_ROWS)
    strings = np.dtypes.StringDType()
    assert_same((np.array(left, strings), np.array(right, strings), np.array(score)), TEXT_ROWS)


def test_other_buffers_and_sequences_as_columns() -> None:
    left, right, score = columns(INT_ROWS)
    assert_same((array.array("q", left), array.array("H", right), array.array("d", score)), INT_ROWS)
    assert_same((memoryview(np.array(left)), np.array(right), score), INT_ROWS)
    assert_same((left, tuple(right), iter(score)), INT_ROWS)
    assert_same((UserList(left), range(2, 2), []), []) if not left else None
    assert_same((range(3), range(1, 4), [0.5, 0.5, 0.5]), [(0, 1, 0.5), (1, 2, 0.5), (2, 3, 0.5)])
    assert_same((left, (x for x in right), np.array(score)), INT_ROWS)


ARROW_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.uint32(), pa.large_string()),
]


@pytest.mark.parametrize("kind", ARROW_TYPES, ids=str)
def test_arrow_text_tables(kind: pa.DataType) -> None:
    whole = table(TEXT_ROWS)
    for name in ("left", "right"):
        column = pa.array(whole[name].to_pylist(), pa.string())
        column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
        whole = whole.set_column(whole.schema.get_field_index(name), name, column.cast(kind))
    assert_same(whole, TEXT_ROWS)
    assert_same(whole.to_reader(max_chunksize=2), TEXT_ROWS)
    assert_same(pa.concat_tables([whole.slice(0, 1), whole.slice(1, 0), whole.slice(1)]), TEXT_ROWS)
    assert_same(whole.slice(1, 3), TEXT_ROWS[1:4])
    assert_same((whole["left"], whole["right"], whole["score"]), TEXT_ROWS)


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int64(), pa.uint16(), pa.uint64(), pa.dictionary(pa.int32(), pa.int64())], ids=str
)
def test_arrow_int_tables(kind: pa.DataType) -> None:
    left, right, score = columns(INT_ROWS)
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    arrays = [pa.array(x, value) for x in (left, right)]
    if pa.types.is_dictionary(kind):
        arrays = [x.dictionary_encode() for x in arrays]
    assert_same(pa.table({"left": arrays[0], "right": arrays[1], "score": pa.array(score, pa.float64())}), INT_ROWS)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)], ids=str)
def test_arrow_binary_columns(kind: pa.DataType) -> None:
    rows = [(b"a\0", b"bb", 0.5), (b"bb", b"\xff\xff", 0.25)]
    left, right, score = columns(rows)
    assert_same((pa.array(left, kind), pa.array(right, kind), pa.array(score)), rows)


def test_arrow_batches_with_offsets_and_chunks_that_do_not_line_up() -> None:
    batch = table(TEXT_ROWS).combine_chunks().to_batches()[0]
    assert_same(batch, TEXT_ROWS)
    assert_same(OneBatch(batch), TEXT_ROWS)
    assert_same(OneBatch(batch.slice(2, 3)), TEXT_ROWS[2:5])
    struct = batch.to_struct_array().slice(1, 4)
    assert_same(OneBatch(struct), TEXT_ROWS[1:5])
    left, right, score = columns(TEXT_ROWS)
    chunked = pa.chunked_array([left[:1], left[1:5], [], left[5:]], pa.string())
    others = pa.chunked_array([right[:4], right[4:]])
    assert_same((chunked, others, OneBatch(pa.array(score))), TEXT_ROWS)
    assert_same((chunked, right, np.array(score)), TEXT_ROWS)


def test_data_frames() -> None:
    for rows in (INT_ROWS, TEXT_ROWS):
        data = dict(zip(("left", "right", "score"), columns(rows), strict=True))
        assert_same(pl.DataFrame(data), rows)
        assert_same(pl.concat([pl.DataFrame(data).head(2), pl.DataFrame(data).tail(4)], rechunk=False), rows)
        assert_same(pd.DataFrame(data), rows)
        assert_same(pd.DataFrame(data, index=[f"i{i}" for i in range(len(rows))]), rows)
        assert_same(OldFrame(data), rows)
        assert_same(data, rows)
        assert_same((pl.Series(data["left"]), pd.Series(data["right"]), pl.Series(data["score"])), rows)
    mixed = [(1, "a", 0.5), ("a", b"x", 0.25), (("crm", 1), 1, 0.125)]
    frame = pd.DataFrame(mixed, columns=["left", "right", "score"])  # no Arrow type for such keys
    assert_same(frame, mixed)
    categories = {"left": pl.Categorical, "right": pl.Categorical}
    assert_same(pl.DataFrame(table(TEXT_ROWS)).cast(categories), TEXT_ROWS)


def test_duckdb_relations() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select i as left, i + 1 as right, 0.5::double as score from range(5000) t(i)")
    assert_same(relation, [(i, i + 1, 0.5) for i in range(5000)])


def test_rows_of_every_kind() -> None:
    assert_same(iter(INT_ROWS), INT_ROWS)
    assert_same([list(row) for row in INT_ROWS], INT_ROWS)
    assert_same((row for row in INT_ROWS), INT_ROWS)
    assert_same(tuple(INT_ROWS), INT_ROWS)
    assert_same(tuple(INT_ROWS[:3]), INT_ROWS[:3])
    assert_same(dict.fromkeys(INT_ROWS).keys(), INT_ROWS)
    assert_same([UserList(row) for row in INT_ROWS], INT_ROWS)
    structured = np.array(INT_ROWS, dtype=[("a", "i8"), ("b", "u4"), ("s", "f8")])
    assert_same(structured, INT_ROWS)
    assert_same([(sl.Key(1), np.uint8(2), Decimal("0.5"))], [(1, 2, 0.5)])
    assert_same([(np.str_("a"), np.bytes_(b"b"), Fraction(1, 2))], [("a", b"b", 0.5)])
    assert_same([(2**64 - 1, 0, np.float32(0.5))], [(2**64 - 1, 0, 0.5)])
    assert_same([], [])
    assert_same(np.empty((3, 0)).T[:, :0].tolist(), [])


def test_rows_with_sources() -> None:
    rows = [("a", "b", 0.5), (("crm", "a"), "a", 0.5), (("crm", sl.Key("b")), ("web", "b"), 0.5)]
    context, _ = built(rows, source="own")
    assert records_of(context) == [("own", "a"), ("own", "b"), ("crm", "a"), ("crm", "b"), ("web", "b")]
    assert context.sources() == ["own", "crm", "web"]
    context, _ = built([(("a", 1), ("b", 1), 1.0)])
    assert context.sources() == ["a", "b"]


def test_many_batches_of_rows_are_numbered_row_by_row() -> None:
    count = 300_000
    context, hierarchy = built((i, i + 1, 0.5) for i in range(count))
    assert context.num_records == count + 1
    assert context.record(count) == ("default", count)
    assert_same(
        (np.arange(count), np.arange(1, count + 1), np.full(count, 0.5)), [(i, i + 1, 0.5) for i in range(count)]
    )
    assert hierarchy.num_merges == 1


# -------------------------------------------------------------------------------------------------- names of columns


def test_columns_are_found_by_name() -> None:
    left, right, score = columns(TEXT_ROWS)
    assert_same(pa.table({"x": score, "right": right, "score": score, "left": left}), TEXT_ROWS)
    splink = {"match_weight": score, "match_probability": score, "unique_id_l": left, "unique_id_r": right}
    assert_same(pa.table(splink), TEXT_ROWS)
    assert_same(pa.table({"a": left, "b": right, "c": score}), TEXT_ROWS)
    assert_same({"a": left, "b": right, "c": score}, TEXT_ROWS)
    shuffled = pa.table({"s": score, "b": right, "a": left, "left": score})
    assert_same(shuffled, TEXT_ROWS, columns=("a", "b", "s", None, None))
    only_score = pa.table({**splink, "mine": score}).drop_columns(["match_probability"])
    assert_same(only_score, TEXT_ROWS, columns=(None, None, "mine", None, None))


def test_columns_of_sources() -> None:
    rows = [(("s1", "a"), ("s2", "a"), 0.5), (("s2", "b"), ("s1", "a"), 0.5)]
    keys = {"left": ["a", "b"], "right": ["a", "a"], "score": [0.5, 0.5]}
    left, right = ["s1", "s2"], ["s2", "s1"]
    for make in (pa.table, pl.DataFrame, pd.DataFrame, dict, OldFrame):
        context, hierarchy = built(make({**keys, "left_source": left, "right_source": right}))
        assert records_of(context) == [("s1", "a"), ("s2", "a"), ("s2", "b")]
        assert hierarchy == built(rows)[1]
    splink = pa.table(
        {
            "source_dataset_l": pa.array(left).dictionary_encode(),
            "unique_id_l": keys["left"],
            "source_dataset_r": pa.array(right, pa.large_string()),
            "unique_id_r": keys["right"],
            "match_probability": keys["score"],
        }
    )
    assert built(splink)[1] == built(rows)[1]
    both = pa.table({"l": keys["left"], "r": keys["right"], "s": keys["score"], "src": left})
    context, _ = built(both, columns=("l", "r", "s", "src", "src"))
    assert records_of(context) == [("s1", "a"), ("s2", "b"), ("s2", "a")]
    context, _ = built(both, columns=("l", "r", "s", None, "src"), source="x")
    assert records_of(context) == [("x", "a"), ("s1", "a"), ("x", "b"), ("s2", "a")]
    with pytest.raises(InvalidArgumentError, match="tuples"):
        built({**keys, "left": [("q", "a"), "b"], "left_source": left})


def test_columns_that_cannot_be_found() -> None:
    with pytest.raises(InvalidArgumentError, match=r"\['a', 'b', 'c', 'd'\].*left=.*right=.*score="):
        built(pa.table({"a": [1], "b": [2], "c": [0.5], "d": [1]}))
    with pytest.raises(InvalidArgumentError, match=r"no column 'nope' for the score.*'a', 'b', 'c'"):
        built(pa.table({"a": [1], "b": [2], "c": [0.5]}), columns=("a", "b", "nope", None, None))
    with pytest.raises(InvalidArgumentError, match="one column"):
        built(pa.array([1, 2, 3]))
    with pytest.raises(InvalidArgumentError, match="columns must be"):
        built(table(INT_ROWS), columns=("a", "b"))


# --------------------------------------------------------------------------------------------------------- bad edges

BAD_KEYS = [
    None,
    True,
    1.5,
    -1,
    2**64,
    2**100,
    "\ud800",
    object(),
    ["a"],
    (1, 2),
    ("a", "b", "c"),
    ("s", None),
    (None, 1),
    np.float64(1),
    np.bool_(True),
    float("nan"),
    bytearray(b"x"),
    ("\udfff", "a"),
    pd.NA,
    np.datetime64(0, "s"),
]


@pytest.mark.parametrize("bad", BAD_KEYS, ids=repr)
@pytest.mark.parametrize("side", [0, 1])
def test_bad_keys_name_the_row(bad: Any, side: int) -> None:
    row: list[Any] = ["x", "y", 0.5]
    row[side] = bad
    rows = [("a", "b", 0.5)] * 7 + [tuple(row)]
    context = _core.Context()
    for edges in (rows, iter(rows), tuple([r[i] for r in rows] for i in range(3))):
        with pytest.raises(InvalidKeyError) as caught:
            _core.extend(context, None, edges)
        assert caught.value.row == 7
        assert caught.value.other_row is None
        assert "row 7" in str(caught.value)
        assert ("left", "right")[side] in str(caught.value)
        assert context.num_records == 0


@pytest.mark.parametrize("bad", [None, "0.5", float("nan"), float("inf"), 1.1, -0.1, object(), 1j, 10**400], ids=repr)
def test_bad_scores_name_the_row(bad: Any) -> None:
    rows = [("a", "b", 0.5)] * 200_000 + [("x", "y", bad)]
    context = _core.Context()
    for edges in (rows, tuple([r[i] for r in rows] for i in range(3))):
        with pytest.raises(InvalidScoreError) as caught:
            _core.extend(context, None, edges)
        assert caught.value.row == 200_000
        assert "row 200000" in str(caught.value)
        assert context.num_records == 0


@pytest.mark.parametrize(
    "bad", [1, None, "abc", b"abc", (1, 2), (1, 2, 0.5, 4), {1: 2, 3: 4, 5: 6}, {1, 2, 3}, "ab"], ids=repr
)
def test_bad_rows(bad: Any) -> None:
    with pytest.raises(StarlingsError) as caught:
        built([("a", "b", 0.5), bad])
    assert caught.value.row == 1


@pytest.mark.parametrize("bad", [1, None, "abc", b"abc", object()], ids=repr)
def test_what_holds_no_edges(bad: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="iterable of"):
        built(bad)


def test_columns_of_unequal_length() -> None:
    for left in (np.arange(3), pa.array([1, 2, 3]), [1, 2, 3], iter([1, 2, 3])):
        with pytest.raises(InvalidArgumentError, match="different lengths"):
            built((left, np.arange(4), np.ones(4)))
    with pytest.raises(InvalidArgumentError, match="dimensions"):
        built((np.zeros((2, 2), int), np.arange(2), np.ones(2)))


def test_columns_of_types_that_are_no_keys() -> None:
    good = np.arange(3)
    for bad in (np.zeros(3), np.zeros(3, bool), np.zeros(3, "M8[s]"), np.zeros(3, complex), pa.array([0.5, 1.5, 2.5])):
        with pytest.raises(InvalidKeyError):
            built((bad, good, np.ones(3)))
    masked = np.ma.masked_array(good, [False, True, False])
    with pytest.raises(InvalidKeyError) as caught:
        built((masked, good, np.ones(3)))
    assert caught.value.row == 1
    for column in ("abc", b"abc", 5, {"a": 1}):
        with pytest.raises(InvalidArgumentError, match="left key"):
            built((column, good, np.ones(3)))


def test_surrogates_in_fixed_width_text() -> None:
    wide = np.array(["a", "b", "\ud800"])
    with pytest.raises(InvalidKeyError) as caught:
        built((wide, wide, np.ones(3)))
    assert caught.value.row == 2


def test_nulls_in_arrow_name_the_row_over_all_batches() -> None:
    rows = [("a", "b", 0.5)] * 5 + [(None, "b", 0.5)]
    context = _core.Context()
    context.intern(["before"])
    for edges in (table(rows), table(rows).to_reader(max_chunksize=2), tuple(pa.array(c) for c in columns(rows))):
        with pytest.raises(InvalidKeyError) as caught:
            _core.extend(context, None, edges)
        assert caught.value.row == 5
        assert "row 5" in str(caught.value)
        assert records_of(context) == [("default", "before")]
    scores = table([("a", "b", 0.5)] * 5 + [("a", "b", None)])
    with pytest.raises(InvalidScoreError) as score_error:
        built(scores.to_reader(max_chunksize=2))
    assert score_error.value.row == 5


def test_null_structs_and_sources_name_the_row() -> None:
    struct = pa.array([{"left": 1, "right": 2, "score": 0.5}, {"left": 1, "right": 2, "score": 0.5}, None])
    with pytest.raises(InvalidKeyError) as caught:
        built(OneBatch(struct))
    assert caught.value.row == 2
    with pytest.raises(InvalidKeyError) as caught:
        built(OneBatch(struct.slice(1)))
    assert caught.value.row == 1
    sources = pa.table(
        {"left": [1, 2, 3], "right": [1, 2, 3], "score": [0.1, 0.2, 0.3], "left_source": ["a", "b", None]}
    )
    with pytest.raises(InvalidKeyError) as caught:
        built(sources.to_reader(max_chunksize=1))
    assert caught.value.row == 2
    assert "row 2" in str(caught.value)


def test_a_failing_stream_or_iterator_gives_its_reason() -> None:
    batch = table(INT_ROWS).to_batches()[0]

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch
        raise OSError("the disk is gone")

    context = _core.Context()
    with pytest.raises(StarlingsError, match="the disk is gone"):
        _core.extend(context, None, pa.RecordBatchReader.from_batches(batch.schema, batches()))

    def rows() -> Iterator[tuple[int, int, float]]:
        yield from INT_ROWS
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        _core.extend(context, None, rows())
    assert context.num_records == 0
    used = table(INT_ROWS).to_reader().__arrow_c_stream__()

    class Twice:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return used

    built(Twice())
    with pytest.raises(InvalidArgumentError, match="used up"):
        built(Twice())


def test_options_of_extend() -> None:
    rows = [("a", "b", 0.1234567), ("b", "c", 0.1234561)]
    assert numbers(built(rows)[1].levels) == [0.123457, 0.123456]
    assert numbers(built(rows, decimals=2)[1].levels) == [0.12]
    exact = built(rows, decimals=0)[1]
    assert exact.is_exact and numbers(exact.levels) == [0.1234567, 0.1234561]
    for decimals in (-1, 7):
        with pytest.raises(InvalidArgumentError):
            built(rows, decimals=decimals)
    context = _core.Context()
    context.intern(["a", "b"])
    with pytest.raises(KeyNotFoundError, match=r"'?c'?") as caught:
        _core.extend(context, None, rows, known_records_only=True)
    assert caught.value.row == 1
    base = _core.extend(context, None, rows[:1], known_records_only=True)
    extended = _core.extend(context, base, rows[1:])
    assert extended == built(rows)[1]
    with pytest.raises(InvalidArgumentError, match="base"):
        _core.extend(context, rows, rows)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="progress"):
        _core.extend(context, None, rows, progress=5)  # type: ignore[arg-type]
