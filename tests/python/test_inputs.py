"""Every accepted form of edges, keys, labels and records gives the same result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

import starlings as sl
from starlings import dataframes
from starlings.testing import edge_lists

EDGES = [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.75), ("y", "y", 0.1), ("c", "ü€", 0.6)]
LEFT, RIGHT, SCORE = (list(column) for column in zip(*EDGES, strict=True))
EXPECTED = sl.Collection.from_edges(EDGES)
TABLE = pa.table({"left": LEFT, "right": RIGHT, "score": SCORE})


def same(collection: sl.Collection, expected: sl.Collection = EXPECTED) -> bool:
    return collection.num_records == expected.num_records and all(
        collection.at(t) == expected.at(t) for t in (0.0, 0.3, 0.6, 0.7, 0.75, 0.9, 1.0)
    )


def typed(kind: pa.DataType) -> pa.Table:
    return pa.table({"left": pa.array(LEFT, kind), "right": pa.array(RIGHT, kind), "score": SCORE})


def generator() -> Iterator[tuple[str, str, float]]:
    yield from EDGES


class OnlyStream:
    """Something of which nothing is known but the PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


class OnlyArray:
    """The same for arrays."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        return TABLE.to_batches()[0].__arrow_c_array__(requested_schema)


FORMS: dict[str, Callable[[], Any]] = {
    "list": lambda: EDGES,
    "list of lists": lambda: [list(edge) for edge in EDGES],
    "generator": generator,
    "tuple of tuples": lambda: tuple(EDGES),
    "zip": lambda: zip(LEFT, RIGHT, SCORE, strict=True),
    "lists as columns": lambda: (LEFT, RIGHT, SCORE),
    "numpy text": lambda: (np.array(LEFT), np.array(RIGHT), np.array(SCORE)),
    "numpy objects": lambda: (np.array(LEFT, dtype=object), np.array(RIGHT, dtype=object), np.array(SCORE)),
    "numpy strided": lambda: (np.repeat(LEFT, 2)[::2], np.array(RIGHT), np.repeat(SCORE, 3)[::3]),
    "arrow columns": lambda: (pa.array(LEFT), pa.chunked_array([RIGHT[:2], RIGHT[2:]]), pa.array(SCORE)),
    "pandas columns": lambda: (pd.Series(LEFT), pd.Series(RIGHT), pd.Series(SCORE, index=range(5, 10))),
    "polars columns": lambda: (pl.Series(LEFT), pl.Series(RIGHT), pl.Series(SCORE)),
    "pyarrow": lambda: TABLE,
    "pyarrow batch": lambda: TABLE.to_batches()[0],
    "pyarrow reader": lambda: TABLE.to_reader(max_chunksize=2),
    "pyarrow chunked": lambda: pa.concat_tables([TABLE.slice(0, 2), TABLE.slice(2)]),
    "pyarrow sliced": lambda: pa.concat_tables([TABLE, TABLE]).combine_chunks().slice(2, 5),
    "pyarrow large string": lambda: typed(pa.large_string()),
    "pyarrow string view": lambda: typed(pa.string_view()),
    "pyarrow dictionary": lambda: typed(pa.dictionary(pa.int8(), pa.string())),
    "pyarrow large dictionary": lambda: typed(pa.dictionary(pa.int64(), pa.large_string())),
    "pandas": lambda: pd.DataFrame({"left": LEFT, "right": RIGHT, "score": SCORE}),
    "pandas categories": lambda: pd.DataFrame({"left": LEFT, "right": RIGHT, "score": SCORE}).astype(
        {"left": "category", "right": "category"}
    ),
    "polars": lambda: pl.DataFrame({"left": LEFT, "right": RIGHT, "score": SCORE}),
    "polars categories": lambda: pl.DataFrame({"left": LEFT, "right": RIGHT, "score": SCORE}).with_columns(
        pl.col("left", "right").cast(pl.Categorical)
    ),
    "duckdb": lambda: duckdb.sql("select * from TABLE_OF_EDGES"),
    "PyCapsule stream": OnlyStream,
    "PyCapsule array": OnlyArray,
    "columns in another order": lambda: TABLE.select(["score", "right", "left"]),
    "three columns of other names": lambda: TABLE.rename_columns(["p", "q", "r"]),
    "Splink's names": lambda: TABLE.rename_columns(["unique_id_l", "unique_id_r", "match_probability"]).append_column(
        "match_weight", pa.array([1.0] * 5)
    ),
    "float32 scores": lambda: TABLE.set_column(2, "score", pa.array(SCORE, pa.float32())),
}
TABLE_OF_EDGES = TABLE


@pytest.mark.parametrize("form", FORMS)
def test_edges(form: str) -> None:
    assert same(sl.Collection.from_edges(FORMS[form]()))


@pytest.mark.parametrize("form", FORMS)
def test_edges_over_known_records(form: str) -> None:
    records = ["z", "ü€", "y", "x", "c", "b", "a"]
    collection = sl.Collection.from_edges(FORMS[form](), records=records)
    assert collection.at(0.0).labels.tolist() == [0, 1, 2, 2, 1, 1, 1]


def test_named_columns() -> None:
    table = TABLE.rename_columns(["p", "q", "r"]).append_column("left", pa.array([0] * 5))
    for edges in (table, table.to_pandas(), pl.DataFrame(table)):
        assert same(sl.Collection.from_edges(edges, left="p", right="q", score="r"))


@pytest.mark.parametrize("to", [lambda table: table, lambda table: table.to_pandas(), pl.DataFrame])
@pytest.mark.parametrize("splink", [False, True])
def test_sources_in_columns(to: Callable[[pa.Table], Any], splink: bool) -> None:
    sources = [pa.array(["crm", "crm", "web", "web", "crm"]), pa.array(["web", "crm", "crm", "web", "web"])]
    names = (
        ["unique_id_l", "unique_id_r", "match_probability", "source_dataset_l", "source_dataset_r"]
        if splink
        else ["left", "right", "score", "left_source", "right_source"]
    )
    table = pa.table([*TABLE.columns, *sources], names=names)
    rows = zip(sources[0].to_pylist(), LEFT, sources[1].to_pylist(), RIGHT, SCORE, strict=True)
    expected = sl.Collection.from_edges([((s, a), (t, b), score) for s, a, t, b, score in rows])
    assert same(sl.Collection.from_edges(to(table)), expected)
    assert ("crm", "a") in expected.at(0.9).entity_of(("web", "b"))
    renamed = dict(zip(["left", "right", "score", "left_source", "right_source"], "lrstu", strict=True))
    edges = to(table.rename_columns(list("lrstu")))
    assert same(sl.Collection.from_edges(edges, **renamed), expected)


def test_source_of_bare_keys() -> None:
    collection = sl.Collection.from_edges([("a", ("web", "b"), 0.9)], source="crm")
    assert collection.at(0.5).to_list() == [{("crm", "a"), ("web", "b")}]


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4", "<u8"]
)
def test_integers_of_any_width(dtype: str) -> None:
    left, right = np.array([1, 2, 100], dtype=dtype), np.array([2, 3, 101], dtype=dtype)
    expected = sl.Collection.from_edges([(1, 2, 0.9), (2, 3, 0.8), (100, 101, 0.7)])
    collection = sl.Collection.from_edges((left, right, np.array([0.9, 0.8, 0.7])))
    assert same(collection, expected)
    if dtype[0] not in "<>":
        table = pa.table({"left": left, "right": right, "score": [0.9, 0.8, 0.7]})
        assert same(sl.Collection.from_edges(table), expected)


def test_one_int_is_one_key_however_it_is_stored() -> None:
    edges = [(5, 2**40, 0.9), (sl.Key(5), 7, 0.8), (np.uint8(5), np.int64(8), 0.7)]
    collection = sl.Collection.from_edges(edges)
    assert collection.num_records == 4 and collection.at(0.7).num_entities == 1
    assert sl.Collection.from_edges([(5, "5", 0.5), (b"5", 5, 0.5)]).num_records == 3


def test_bytes() -> None:
    expected = sl.Collection.from_edges([(b"ab", b"cd", 0.9)])
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)):
        table = pa.table({"left": pa.array([b"ab"], kind), "right": pa.array([b"cd"], kind), "score": [0.9]})
        assert same(sl.Collection.from_edges(table), expected)
    assert same(sl.Collection.from_edges((np.array([b"ab"]), np.array([b"cd"]), np.array([0.9]))), expected)


@given(edge_lists())
def test_keys_of_every_kind_survive(edges: list[Any]) -> None:
    collection = sl.Collection.from_edges(edges)
    found = {name for entity in collection.at(0.5).to_list() for name in entity}
    assert found == {("default", key) for a, b, _ in edges for key in (a, b)}
    assert {type(key) for _, key in found} <= {int, str, bytes}


@pytest.mark.parametrize("empty", [[], iter(()), TABLE.slice(0, 0), TABLE.slice(0, 0).to_pandas(), ([], [], [])])
def test_no_edges(empty: Any) -> None:
    assert sl.Collection.from_edges(empty, records=["a", "b"]).at(0.0).num_entities == 2


KEYS = ["a", "b", "c", "d"]
KEY_COLUMNS: dict[str, Callable[[], Any]] = {
    "list": lambda: KEYS,
    "tuple": lambda: tuple(KEYS),
    "iterator": lambda: iter(KEYS),
    "dict keys": lambda: dict.fromkeys(KEYS).keys(),
    "Key": lambda: [sl.Key(key) for key in KEYS],
    "numpy": lambda: np.array(KEYS),
    "numpy objects": lambda: np.array(KEYS, dtype=object),
    "pandas": lambda: pd.Series(KEYS, index=[3, 2, 1, 0]),
    "pandas index": lambda: pd.Index(KEYS),
    "pandas category": lambda: pd.Series(KEYS, dtype="category"),
    "polars": lambda: pl.Series(KEYS),
    "pyarrow": lambda: pa.array(KEYS),
    "pyarrow chunked": lambda: pa.chunked_array([KEYS[:1], KEYS[1:]]),
    "pyarrow sliced": lambda: pa.array(["z", *KEYS, "z"]).slice(1, 4),
    "pyarrow dictionary": lambda: pa.array(KEYS).dictionary_encode(),
}


@pytest.mark.parametrize("form", KEY_COLUMNS)
def test_columns_of_keys(form: str) -> None:
    make = KEY_COLUMNS[form]
    collection = sl.Collection.from_edges([("a", "b", 0.5)], records=make())
    assert collection.at(0.5).to_membership().index.tolist() == KEYS
    labels = sl.Collection.from_labels(make(), [1, 2, 2, 1])
    assert labels.at(1.0).labels.tolist() == [0, 1, 1, 0]
    as_labels = sl.Collection.from_labels([10, 11, 12, 13], make())
    assert as_labels.at(1.0).num_entities == 4


@pytest.mark.parametrize(
    "labels", [["x", "x", "y"], np.array([7, 7, 9]), pa.array([7, 7, 2**60]), pd.Series([1, 1, 2])]
)
def test_labels_of_every_kind(labels: Any) -> None:
    assert sl.Collection.from_labels(["a", "b", "c"], labels, 0.7).at(0.7).labels.tolist() == [0, 0, 1]


def test_labels_may_name_a_key_again() -> None:
    collection = sl.Collection.from_labels([1, 2, 1], [5, 5, 5])
    assert collection.num_records == 2 and collection.at(1.0).num_entities == 1


ROWS = [{"id": "a", "age": 3}, {"id": "b", "age": None}, {"id": "c", "age": 5}]
RECORDS: dict[str, Callable[[], Any]] = {
    "dicts": lambda: ROWS,
    "pandas": lambda: pd.DataFrame(ROWS),
    "polars": lambda: pl.DataFrame(ROWS),
    "pyarrow": lambda: pa.Table.from_pylist(ROWS),
    "pyarrow batch": lambda: pa.RecordBatch.from_pylist(ROWS),
    "duckdb": lambda: duckdb.sql("select * from (values ('a', 3), ('b', null), ('c', 5)) as t(id, age)"),
}


@pytest.mark.parametrize("form", RECORDS)
def test_records(form: str) -> None:
    frame = sl.from_records("crm", RECORDS[form](), "id")
    frame.add_collection_from_edges("model", [("a", "c", 0.9)], source="crm")
    assert frame["model"].at(0.9).to_list() == [{("crm", "a"), ("crm", "c")}, {("crm", "b")}]
    assert frame.sources == ["crm"] and frame.num_records == 3


@pytest.mark.parametrize("form", RECORDS)
def test_records_without_a_key_are_numbered(form: str) -> None:
    frame = sl.EntityFrame.from_records("crm", RECORDS[form]())
    frame.add_collection_from_edges("model", [], source="crm")
    assert frame["model"].at(1.0).to_membership().index.tolist() == [0, 1, 2]


class TestPandasWithoutPyarrow:
    """Frames whose columns Arrow cannot take, or where there is no pyarrow, go in as numpy arrays."""

    @pytest.fixture(autouse=True)
    def without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dataframes, "is_installed", lambda library: False)

    def test_edges(self) -> None:
        frame = pd.DataFrame({"left": LEFT, "right": RIGHT, "score": SCORE})
        assert same(sl.Collection.from_edges(frame))
        assert same(sl.Collection.from_edges(frame.rename(columns={"left": "p"}), left="p"))

    def test_sources(self) -> None:
        frame = pd.DataFrame({"left": [1], "left_source": ["x"], "right": [1], "right_source": ["y"], "score": [1]})
        assert sl.Collection.from_edges(frame).at(1.0).to_list() == [{("x", 1), ("y", 1)}]

    def test_records(self) -> None:
        assert sl.from_records("crm", pd.DataFrame(ROWS), "id").num_records == 3


def test_pandas_columns_of_mixed_keys() -> None:
    frame = pd.DataFrame({"left": [1, "a", b"b"], "right": [2, "c", b"d"], "score": [0.9, 0.8, 0.7]})
    collection = sl.Collection.from_edges(frame)
    assert collection.num_records == 6
    with pytest.warns(UserWarning, match="'right'"):  # an attribute of mixed values; the keys are read as they are
        assert sl.from_records("x", frame, "left").num_records == 3
    frame.loc[1, "left"] = None
    with pytest.raises(sl.InvalidKeyError) as caught:
        sl.Collection.from_edges(frame)
    assert caught.value.row == 1
