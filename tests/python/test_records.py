"""Records come out with the attributes that they were given with, whatever brought them."""

from __future__ import annotations

import datetime
import decimal
import gc
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import starlings as sl
from starlings import _core, optional

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
pd = pytest.importorskip("pandas")

PEOPLE = [
    {"id": "a", "name": "Ann", "age": 40, "height": 1.6, "member": True, "photo": b"\x00\xff", "note": None},
    {"id": "b", "name": None, "age": None, "height": 2, "member": None, "photo": None, "note": None},
    {"id": "c", "name": "Zoë", "age": -3, "height": None, "member": False, "photo": b"", "note": None},
]


def frame_of(data: Any, key_column: str | None = "id", source: str = "crm") -> sl.EntityFrame:
    """A frame of one source."""
    return sl.EntityFrame.from_records(source, data, key_column)


def without(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """As if a library were not installed."""
    installed = optional.is_installed
    monkeypatch.setattr(optional, "is_installed", lambda name: name != library and installed(name))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Afterwards the engine holds no more than before."""
    gc.collect()
    before = _core.memory_in_use()
    yield
    gc.collect()
    assert _core.memory_in_use() <= before


# -------------------------------------------------------------------------------------------------------- rows of dicts


@pytest.mark.parametrize("with_pyarrow", [True, False])
def test_dicts_come_back(monkeypatch: pytest.MonkeyPatch, *, with_pyarrow: bool) -> None:
    if not with_pyarrow:
        without(monkeypatch, "pyarrow")
    for data in (PEOPLE, iter(PEOPLE), (row for row in PEOPLE), tuple(PEOPLE)):
        records = frame_of(data).records("crm")
        assert records.to_dicts() == PEOPLE
        assert records.keys == ["a", "b", "c"]
        assert records.columns == list(PEOPLE[0])
        assert records.indices.tolist() == [0, 1, 2]
        assert len(records) == 3


def test_types_of_columns_of_dicts() -> None:
    table = frame_of(PEOPLE).records("crm").to_arrow()
    assert [str(field.type) for field in table.schema] == [
        "large_string",
        "large_string",
        "int64",
        "double",
        "bool",
        "large_binary",
        "null",
    ]
    large = frame_of([{"id": 1, "x": 2**63}, {"id": 2, "x": 1}]).records("crm").to_arrow()
    assert large.schema.field("x").type == pa.uint64()
    assert large["x"].to_pylist() == [2**63, 1]
    numpys = frame_of([{"id": np.int8(1), "x": np.float64(0.5)}, {"id": np.uint64(2), "x": 3}]).records("crm")
    assert numpys.to_dicts() == [{"id": 1, "x": 0.5}, {"id": 2, "x": 3.0}]


def test_missing_entries_are_null() -> None:
    rows = [{"id": 1}, {"name": "x", "id": 2}, {"id": 3, "age": 5, 7: "seven"}]
    records = frame_of(rows).records("crm")
    assert records.columns == ["id", "name", "age", "7"]
    assert records.to_arrow().to_pylist() == [
        {"id": 1, "name": None, "age": None, "7": None},
        {"id": 2, "name": "x", "age": None, "7": None},
        {"id": 3, "name": None, "age": 5, "7": "seven"},
    ]


def test_dicts_of_other_values() -> None:
    day, price = datetime.date(2024, 2, 29), decimal.Decimal("1.50")
    rows = [{"id": 1, "day": day, "price": price, "tags": ["x"], "in": {"a": 1}}, {"id": 2}]
    records = frame_of(rows).records("crm")
    expected = [rows[0], {"id": 2, "day": None, "price": None, "tags": None, "in": None}]
    assert records.to_dicts() == expected
    assert records.to_arrow().schema.field("day").type == pa.date32()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, "x", None], ["1", "x", None]),
        ([2**70, 1, None], [str(2**70), "1", None]),
        ([2**63, -1], [str(2**63), "-1"]),
        ([2**60 + 1, 0.5], [str(2**60 + 1), "0.5"]),
        ([True, 1.5], ["True", "1.5"]),
        ([b"x", "x"], ["b'x'", "x"]),
        ([float("nan"), "x"], [None, "x"]),
        (["\udc00", "x"], ["\\udc00", "x"]),
        ([sl, 1], [repr(sl), "1"]),
    ],
)
def test_columns_without_a_type_become_text(values: list[Any], expected: list[Any]) -> None:
    rows = [{"id": i, "odd": value} for i, value in enumerate(values)]
    if expected == [None, "x"]:  # pyarrow takes NaN among text for a missing value
        assert frame_of(rows).records("crm").to_arrow()["odd"].to_pylist() == expected
        return
    with pytest.warns(UserWarning, match="'odd'.*kept as text") as caught:
        frame = frame_of(rows)
    assert len(caught) == 1
    assert frame.records("crm").to_arrow()["odd"].to_pylist() == expected


def test_dates_become_text_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pyarrow")
    with pytest.warns(UserWarning, match="'day'.*pyarrow"):
        frame = frame_of([{"id": 1, "day": datetime.date(2024, 1, 2)}, {"id": 2, "day": None}])
    assert frame.records("crm").to_dicts() == [{"id": 1, "day": "2024-01-02"}, {"id": 2, "day": None}]


def test_rows_that_read_like_dicts() -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("select 1 as id, 'Ann' as name union all select 2, null")
    assert frame_of(rows).records("crm").to_dicts() == [{"id": 1, "name": "Ann"}, {"id": 2, "name": None}]
    connection.close()
    structured = np.array([(1, 2.0), (3, 4.0)], dtype=[("id", "u4"), ("x", "f8")])
    records = frame_of(structured).records("crm")
    assert records.to_dicts() == [{"key": 1}, {"key": 3}]


def test_no_key_column() -> None:
    for data in (PEOPLE, pa.Table.from_pylist(PEOPLE), pd.DataFrame(PEOPLE), pl.DataFrame(PEOPLE)):
        records = frame_of(data, None).records("crm")
        assert records.keys == [0, 1, 2]
        assert records.to_arrow()["name"].to_pylist() == ["Ann", None, "Zoë"]


@pytest.mark.parametrize("size", [0, 1, 2, 5000])
def test_sizes(size: int) -> None:
    rows = [{"id": i, "x": str(i), "y": i % 3 == 0} for i in range(size)]
    frame = frame_of(rows)
    if size == 0:
        assert frame.sources == []
        return
    assert frame.records("crm").to_dicts() == rows
    assert frame.records("crm").to_arrow().to_pylist() == rows


# --------------------------------------------------------------------------------------------------------- Arrow tables


def rich_table() -> Any:
    """A table of every kind of column that is passed on."""
    days = [datetime.date(2024, 1, day) for day in (1, 2, 3, 4)]
    prices = [decimal.Decimal("1.25"), None, decimal.Decimal("-3.50"), decimal.Decimal("0.00")]
    return pa.table(
        {
            "id": pa.array([5, 6, 7, 2**40]),
            "name": pa.array(["Ann", None, "a name longer than twelve bytes", ""], pa.string_view()),
            "blob": pa.array([b"x", None, b"", b"a value longer than twelve bytes"], pa.binary_view()),
            "kind": pa.array(["x", "y", None, "x"]).dictionary_encode(),
            "price": pa.array(prices, pa.decimal128(10, 2)),
            "day": pa.array(days),
            "when": pa.array([1, None, 3, 4], pa.timestamp("us", "Europe/Berlin")),
            "tags": pa.array([["a", "b"], [], None, ["c"]]),
            "address": pa.array([{"town": "York", "no": 1}, None, {"town": None, "no": 2}, {"town": "", "no": 3}]),
            "fixed": pa.array([b"ab", b"cd", None, b"ef"], pa.binary(2)),
            "runs": pa.RunEndEncodedArray.from_arrays(pa.array([3, 4], pa.int32()), pa.array(["r", "s"])),
            "map": pa.array([[("k", 1)], None, [], [("l", 2)]], pa.map_(pa.string(), pa.int32())),
        },
        metadata={"made": "here"},
    )


def test_arrow_tables_come_back_exactly() -> None:
    table = rich_table()
    for data in (
        table,
        table.combine_chunks().to_batches()[0],
        pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
    ):
        out = frame_of(data).records("crm").to_arrow()
        out.validate(full=True)
        assert out.equals(table)
        assert out.schema.metadata == {b"made": b"here"}


def test_chunked_and_sliced_tables_come_back_exactly() -> None:
    table = rich_table()
    parts = pa.concat_tables([table.slice(1, 2), table.slice(0, 1), table.slice(3, 1), table.slice(0, 0)])
    records = frame_of(parts).records("crm")
    out = records.to_arrow()
    out.validate(full=True)
    assert out.equals(parts)
    assert records.keys == [6, 7, 5, 2**40]


def test_nothing_is_copied() -> None:
    table = pa.table({"id": pa.array(range(1000)), "x": pa.array(range(1000), pa.float64())})
    frame = frame_of(table)
    for _ in range(2):
        out = frame.records("crm").to_arrow()
        for name in table.column_names:
            given, got = table[name].chunk(0).buffers()[1], out[name].chunk(0).buffers()[1]
            assert given.address == got.address


def test_attributes_outlive_everything_else() -> None:
    frame = frame_of(rich_table())
    records = frame.records("crm")
    out = records.to_arrow()
    column = out["tags"]
    del frame, records, out
    gc.collect()
    assert column.to_pylist() == [["a", "b"], [], None, ["c"]]


def test_any_reader_takes_records_as_they_are() -> None:
    records = frame_of(rich_table().select(["id", "name", "tags"])).records("crm")
    assert pa.table(records).equals(records.to_arrow())
    assert pl.DataFrame(records)["tags"].to_list() == [["a", "b"], [], None, ["c"]]
    assert pa.RecordBatchReader.from_stream(records).read_all().num_rows == 4


def test_polars_frames_come_back() -> None:
    frame = pl.DataFrame(PEOPLE).with_columns(
        day=pl.Series([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)]),
        kind=pl.Series(["x", None, "y"], dtype=pl.Categorical),
        tags=pl.Series([["a"], [], None]),
    )
    out = frame_of(frame).records("crm").to_polars()
    assert out.equals(frame)
    assert out.schema == frame.schema


def test_polars_objects_become_text() -> None:
    frame = pl.DataFrame({"id": [1, 2]}).with_columns(pl.Series("odd", [{1}, "x"], dtype=pl.Object))
    with pytest.warns(UserWarning, match="'odd'"):
        records = frame_of(frame).records("crm")
    assert records.to_dicts() == [{"id": 1, "odd": "{1}"}, {"id": 2, "odd": "x"}]


def test_duckdb_relations_come_back() -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        relation = connection.sql("select range as id, 'r' || range as name from range(3000)")
        records = frame_of(relation).records("crm")
        out = records.to_arrow()
        assert out.num_rows == 3000
        assert out["name"].to_pylist() == [f"r{i}" for i in range(3000)]
        assert records.keys[:2] == [0, 1]


def test_one_column_is_read_as_keys_only() -> None:
    frame = frame_of(pa.chunked_array([[3, 4]]))
    assert frame.records("crm").to_dicts() == [{"key": 3}, {"key": 4}]


def test_null_rows_are_refused() -> None:
    rows = pa.array([{"id": 1}, None, {"id": 2}])
    with pytest.raises(sl.InvalidArgumentError, match="row 1") as caught:
        frame_of(rows)
    assert caught.value.row == 1


def test_a_stream_that_fails() -> None:
    def batches() -> Iterator[Any]:
        yield pa.record_batch({"id": [1]})
        raise OSError("the disk is gone")

    frame = sl.EntityFrame()
    with pytest.raises(sl.InvalidArgumentError, match="the disk is gone"):
        frame.add_records("crm", pa.RecordBatchReader.from_batches(pa.schema({"id": pa.int64()}), batches()), "id")
    assert frame.num_records == 0


# --------------------------------------------------------------------------------------------------------------- pandas


@pytest.mark.parametrize("with_pyarrow", [True, False])
def test_pandas_frames_come_back(monkeypatch: pytest.MonkeyPatch, *, with_pyarrow: bool) -> None:
    if not with_pyarrow:
        without(monkeypatch, "pyarrow")
    given = pd.DataFrame({"id": [1, 2, 3], "name": ["Ann", None, "x"], "x": [0.5, None, 2.0], "b": [True, False, True]})
    records = frame_of(given).records("crm")
    assert records.to_dicts() == [
        {"id": 1, "name": "Ann", "x": 0.5, "b": True},
        {"id": 2, "name": None, "x": None, "b": False},
        {"id": 3, "name": "x", "x": 2.0, "b": True},
    ]
    out = records.to_pandas()
    assert out.columns.tolist() == given.columns.tolist()
    assert out["x"].tolist()[::2] == [0.5, 2.0]
    assert out["id"].tolist() == [1, 2, 3]


def test_pandas_types_survive() -> None:
    given = pd.DataFrame(
        {
            "id": pd.Series([1, 2], dtype="uint8"),
            "kind": pd.Categorical(["x", "y"]),
            "when": pd.to_datetime(["2024-01-01", None], utc=True),
            "n": pd.array([1, None], dtype="Int64"),
        }
    )
    given.index = [7, 8]
    out = frame_of(given).records("crm").to_pandas()
    pd.testing.assert_frame_equal(out, given.reset_index(drop=True))


def test_later_changes_of_a_pandas_frame_do_not_show() -> None:
    given = pd.DataFrame({"id": [1, 2], "x": [1.0, 2.0]})
    frame = frame_of(given)
    given["x"].to_numpy(copy=False).flags.writeable and given["x"].to_numpy(copy=False).fill(9)
    given.loc[0, "x"] = 7.0
    assert [row["x"] for row in frame.records("crm").to_dicts()] == [1.0, 2.0]


@pytest.mark.parametrize("with_pyarrow", [True, False])
def test_messy_pandas_columns_become_text(monkeypatch: pytest.MonkeyPatch, *, with_pyarrow: bool) -> None:
    if not with_pyarrow:
        without(monkeypatch, "pyarrow")
    given = pd.DataFrame({"id": ["a", 5, b"x"], "odd": [1, "y", None], "fine": [1, 2, 3]})
    given["odd"] = given["odd"].astype(object)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = frame_of(given)
    assert [str(warning.message).split("'")[1] for warning in caught] == ["odd"]  # the keys are read as they are
    records = frame.records("crm")
    assert records.keys == ["a", 5, b"x"]
    assert [row["odd"] for row in records.to_dicts()] == ["1", "y", None]
    assert [row["fine"] for row in records.to_dicts()] == [1, 2, 3]


def test_pandas_columns_with_other_names() -> None:
    given = pd.DataFrame({"id": [1], 7: ["x"], ("a", 1): [None]})
    assert frame_of(given).records("crm").columns == ["id", "7", "('a', 1)"]


def test_pandas_frames_with_a_column_twice() -> None:
    given = pd.DataFrame([[1, "x", "y"], [2, "z", None]], columns=["id", "v", "v"])
    out = frame_of(given).records("crm").to_arrow()
    assert out.column_names == ["id", "v", "v"]
    assert out.column(2).to_pylist() == ["y", None]


# -------------------------------------------------------------------------------------------------- sources and schemas


def two_sources() -> sl.EntityFrame:
    """Sources of different kinds of keys and columns, and one of records that only edges named."""
    frame = frame_of([{"id": 1, "name": "Ann", "zip": 5}, {"id": 2, "name": "Bob", "zip": 6}])
    shop = pa.table({"no": ["x", "y"], "zip": ["a", None], "source": [1.5, 2.5], "key": [[1], [2]]})
    frame.add_records("shop", shop, "no")
    edges = [(("crm", 1), ("shop", "x"), 0.9), (("shop", "x"), ("web", b"w"), 0.8), (("crm", 2), ("crm", 9), 0.7)]
    frame.add_collection_from_edges("model", edges)
    return frame


def test_sources_have_their_own_tables() -> None:
    frame = two_sources()
    assert frame.records("crm").to_dicts() == [{"id": 1, "name": "Ann", "zip": 5}, {"id": 2, "name": "Bob", "zip": 6}]
    assert frame.records("crm").keys == [1, 2]  # record 9, which only an edge named, has no attributes
    assert frame.records("shop").columns == ["no", "zip", "source", "key"]
    web = frame.records("web")
    assert (web.columns, web.keys, web.to_dicts()) == (["key"], [b"w"], [{"key": b"w"}])
    assert web.to_polars()["key"].to_list() == [b"w"]
    assert web.to_pandas()["key"].tolist() == [b"w"]
    # The keys of a context of several kinds come as a union.
    assert pa.table(web)["key"].to_pylist() == [b"w"]


def test_unknown_sources() -> None:
    frame = two_sources()
    with pytest.raises(sl.KeyNotFoundError, match="did you mean 'shop'"):
        frame.records("shoop")
    with pytest.raises(sl.KeyNotFoundError, match="'crm', 'shop', 'web'"):
        frame.records("?")
    with pytest.raises(sl.KeyNotFoundError, match="there are none"):
        sl.EntityFrame().records("crm")
    with pytest.raises(sl.KeyNotFoundError):
        frame.records(5)  # type: ignore[arg-type]


def test_several_calls_of_one_schema_make_one_stream() -> None:
    table = rich_table()
    frame = sl.EntityFrame()
    for i in range(4):
        frame.add_records("crm", table.slice(i, 1), "id")
        frame.add_records("other", [{"id": i, "x": "y"}], "id")
    records = frame.records("crm")
    assert records.to_arrow().equals(table)
    assert pa.table(records).equals(table)
    assert records.indices.tolist() == [0, 2, 4, 6]


def test_several_calls_of_different_schemas_are_united() -> None:
    frame = frame_of([{"id": 1, "a": 1, "c": "x"}])
    frame.add_records("crm", [{"id": 2, "b": None, "a": 0.5}], "id")
    frame.add_records("crm", pa.table({"id": ["three"], "c": [[7]]}), "id")
    records = frame.records("crm")
    assert records.columns == ["id", "a", "c", "b"]
    with pytest.raises(sl.InvalidArgumentError, match=r"to_arrow\(\)"):
        pa.table(records)
    expected = {
        "id": ["1", "2", "three"],
        "a": [1.0, 0.5, None],
        "c": ["x", None, "[7]"],
        "b": [None, None, None],
    }
    assert records.to_arrow().to_pydict() == expected
    assert records.to_polars().to_dict(as_series=False) == expected
    pandas = records.to_pandas()
    assert pandas["id"].tolist() == [1, 2, "three"]
    assert pandas["a"].tolist()[:2] == [1.0, 0.5]
    assert records.to_dicts()[1] == {"id": 2, "b": None, "a": 0.5}


def test_later_records_do_not_show() -> None:
    frame = frame_of([{"id": 1, "x": "one"}])
    frame.add_collection_from_edges("model", [(1, 1, 0.5)], source="crm")
    before, records = frame["model"].at(0.5), frame.records("crm")
    frame.add_records("crm", [{"id": 2, "x": "two"}], "id")
    assert len(records) == 1
    assert before.num_records == 1
    assert before.entities[0].tables()["crm"].to_dicts() == [{"id": 1, "x": "one"}]
    assert frame.records("crm").to_arrow()["x"].to_pylist() == ["one", "two"]


def test_a_copy_of_a_frame_keeps_the_attributes() -> None:
    frame = frame_of(PEOPLE)
    copy = frame.copy()
    copy.add_records("crm", [{"id": "d", "name": "Di"}], "id")
    assert frame.records("crm").to_dicts() == PEOPLE
    assert len(copy.records("crm")) == 4
    assert copy.records("crm").to_dicts()[3] == {"id": "d", "name": "Di"}


def test_a_failed_call_leaves_no_attributes() -> None:
    frame = frame_of(PEOPLE)
    with pytest.raises(sl.DuplicateKeyError):
        frame.add_records("crm", [{"id": "new", "x": 1}, {"id": "a", "x": 2}], "id")
    frame.add_records("crm", [{"id": "new", "y": 1}], "id")
    assert frame.records("crm").to_dicts() == [*PEOPLE, {"id": "new", "y": 1}]


# ------------------------------------------------------------------------------------------------------------- entities


def test_tables_of_an_entity() -> None:
    entity = two_sources()["model"].at(0.8).entity_of(("crm", 1))
    tables = entity.tables()
    assert {name: table.to_dicts() for name, table in tables.items()} == {
        "crm": [{"id": 1, "name": "Ann", "zip": 5}],
        "shop": [{"no": "x", "zip": "a", "source": 1.5, "key": [1]}],
        "web": [{"key": b"w"}],
    }


def test_one_table_of_an_entity() -> None:
    entity = two_sources()["model"].at(0.8).entity_of(("crm", 1))
    expected = {
        "source": ["crm", "shop", "web"],
        "key": [1, "x", b"w"],
        "id": [1, None, None],
        "name": ["Ann", None, None],
        "zip": ["5", "a", None],
        "no": [None, "x", None],
        "attribute_source": [None, 1.5, None],
        "attribute_key": [None, [1], None],
    }
    assert entity.to_arrow().to_pydict() == expected
    assert entity.to_polars().to_dict(as_series=False) == expected
    pandas = entity.to_pandas()
    assert pandas.columns.tolist() == list(expected)
    assert pandas["source"].tolist() == expected["source"]
    assert pandas["key"].tolist() == expected["key"]
    assert pandas["zip"].tolist()[:2] == [5, "a"]
    assert pandas["name"].tolist()[0] == "Ann"


def test_entities_without_attributes() -> None:
    entity = sl.Entity(["b", ("crm", 5), "a"])
    expected = {"source": ["default", "crm", "default"], "key": ["b", 5, "a"]}
    assert entity.to_arrow().to_pydict() == expected
    assert entity.to_polars().to_dict(as_series=False) == expected
    assert entity.to_pandas().to_dict("list") == expected
    assert {name: table.keys for name, table in entity.tables().items()} == {"default": ["b", "a"], "crm": [5]}
    empty = sl.Entity([])
    assert empty.tables() == {}
    for table in (empty.to_arrow(), empty.to_polars(), empty.to_pandas()):
        assert len(table) == 0
        assert list(getattr(table, "column_names", None) or table.columns) == ["source", "key"]


@pytest.mark.parametrize("seed", range(5))
def test_random_entities(seed: int) -> None:
    choose = random.Random(seed)
    frame, plain = sl.EntityFrame(), {}
    for call in range(6):
        source = choose.choice(["a", "b", "c"])
        columns = choose.sample(["x", "y", "z"], 2)
        keys = [f"{call}-{i}" for i in range(choose.randrange(1, 9))]
        rows = [{"k": key, **{name: f"{name}{key}" for name in columns}} for key in keys]
        frame.add_records(source, pa.Table.from_pylist(rows) if choose.random() < 0.5 else rows, "k")
        plain |= {(source, row["k"]): row for row in rows}
    names = list(plain)
    frame.add_collection_from_edges("m", [(choose.choice(names), choose.choice(names), 0.5) for _ in range(20)])
    for entity in frame["m"].at(0.5):
        seen = set()
        for source, table in entity.tables().items():
            for key, row in zip(table.keys, table.to_dicts(), strict=True):
                assert row == plain[source, key]
                seen.add((source, key))
        assert seen == entity.members
        for row in [*entity.to_arrow().to_pylist(), *entity.to_polars().to_dicts()]:
            wanted = plain[row.pop("source"), row.pop("key")]
            assert {name: value for name, value in row.items() if value is not None} == wanted


# -------------------------------------------------------------------------------------------------------------- showing


def test_showing() -> None:
    records = frame_of([{"id": i, "name": "<b>"} for i in range(12)]).records("crm")
    assert repr(records) == "Records(num_records=12, columns=['id', 'name'])"
    shown = records._repr_html_()
    assert "12 records" in shown
    assert "&lt;b&gt;" in shown
    assert shown.count("<tr>") == 11
    with pytest.raises(TypeError, match="to_arrow"):
        __import__("pickle").dumps(records)


def test_optional_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    records = frame_of(rich_table()).records("crm")
    for library, method in (("pyarrow", "to_arrow"), ("pandas", "to_pandas"), ("polars", "to_polars")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, library, None)
            with pytest.raises(sl.MissingDependencyError, match=library):
                getattr(records, method)()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(sl.MissingDependencyError, match="'name'"):
            records.to_dicts()
        assert "4 records" in records._repr_html_()


# -------------------------------------------------------------------------------------------------------- the extension


def test_batches() -> None:
    batches = _core.Batches(pa.table({"x": pa.chunked_array([[1, 2], [], [3]]), "": ["a", "b", "c"]}))
    assert (batches.num_rows, batches.column_names) == (3, ["x", ""])
    chosen = batches.rows(np.array([2, 0, 0, 1], dtype=np.uint64))
    again = chosen.rows(np.array([3, 0], dtype=np.uint64))
    assert chosen.column(0) == [3, 1, 1, 2]
    assert pa.table(again)["x"].to_pylist() == [2, 3]
    assert pa.table(again)["x"].to_pylist() == again.column(0)
    assert (again.num_rows, again.column(1)) == (2, ["b", "c"])
    for rows in ([3], [0, 99]):
        with pytest.raises(sl.InvalidArgumentError, match="there is no row"):
            batches.rows(np.array(rows, dtype=np.uint64))
    with pytest.raises(sl.InvalidArgumentError):
        batches.rows(np.array([0], dtype=np.int64))
    with pytest.raises(IndexError):
        batches.column(2)
    with pytest.raises(TypeError):
        _core.Batches([1])
    with pytest.raises(TypeError):
        _core.Batches(pa.array([1]))
    assert _core.concat_batches([]) is None
    assert _core.concat_batches([batches, _core.Batches(pa.table({"x": [1]}))]) is None
    joined = _core.concat_batches([again, batches, chosen])
    assert joined is not None
    assert joined.column(0) == [2, 3, 1, 2, 3, 3, 1, 1, 2]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([True, None, False, True]),
        pa.nulls(4),
        *[pa.array([1, None, 3, 4], kind()) for kind in (pa.int8, pa.uint8, pa.int16, pa.uint16, pa.int32, pa.uint32)],
        *[pa.array([1, None, 3, 4], kind()) for kind in (pa.int64, pa.uint64, pa.float32, pa.float64)],
        *[pa.array(["a", None, "", "Zoë"], kind()) for kind in (pa.string, pa.large_string)],
        *[pa.array([b"a", None, b"", b"\xff"], kind()) for kind in (pa.binary, pa.large_binary)],
    ],
)
def test_values_without_a_library(array: Any) -> None:
    table = pa.table({"x": pa.chunked_array([array, array.slice(1, 2), array.slice(0, 0), array.slice(2)])})
    assert _core.Batches(table).column(0) == table["x"].to_pylist()
    struct = pa.StructArray.from_arrays([array], ["x"]).slice(1, 3)
    assert _core.Batches(struct).column(0) == array.slice(1, 3).to_pylist()


def test_attaching() -> None:
    context = _core.Context()
    context.intern(["a", "b", "c", "d"])
    batches = _core.Batches(pa.table({"x": [1, 2]}))
    context.attach(batches, np.array([3, 0xFFFFFFFF], dtype=np.uint32))
    context.attach(batches, None, 0)
    assert context.num_attachments == 2
    numbers, rows = map(np.asarray, context.find_attributes(np.array([0, 1, 2, 3], dtype=np.uint32)))
    assert numbers.tolist() == [1, 1, 0xFFFFFFFF, 0]
    assert rows.tolist()[:2] == [0, 1]
    assert context.attachment(2) is None
    attached = context.attachment(1)
    assert attached is not None
    assert attached.column(0) == [1, 2]
    with pytest.raises(sl.InvalidArgumentError):
        context.attach(batches, None, 3)
    with pytest.raises(sl.InvalidArgumentError, match="1 records for 2 rows"):
        context.attach(batches, np.array([3], dtype=np.uint32))
    with pytest.raises(sl.InvalidArgumentError, match="chosen"):
        context.attach(batches.rows(np.array([0], dtype=np.uint64)))
    context.truncate(1)
    assert context.num_attachments == 2
    assert context.attachment(0) is None


def test_conversion_of_columns() -> None:
    rows = [{"x": {1}}, {"x": 2}]

    def failing(name: str, values: list[object]) -> object:
        raise LookupError(name, values)

    with pytest.raises(LookupError, match="x"):
        _core.rows_to_batches(rows, failing)
    wrong: list[Any] = [
        ["a"],
        [1, "a"],
        pa.table({"x": [1]}),
        pa.table({"x": [1, 2], "y": [1, 2]}),
        pa.table({"x": pa.array([], pa.int8())}),
    ]
    for converted in wrong:
        with pytest.raises(ValueError, match="was not converted"):
            _core.rows_to_batches(rows, lambda *_, converted=converted: converted)
    with pytest.raises(AttributeError):
        _core.rows_to_batches(rows, lambda *_: 5)
    made = _core.rows_to_batches(rows, lambda *_: ["a", None])
    assert made is not None
    assert made.column(0) == ["a", None]
    assert _core.rows_to_batches([{}, 5], failing) is None
    empty = _core.rows_to_batches([{}, {}], failing)
    assert empty is not None
    assert (empty.num_rows, empty.column_names) == (2, [])


def test_no_look_up_in_a_callback_of_the_same_context() -> None:
    context = _core.Context()
    keys = [f"{i}" for i in range(300_000)]
    refused = []

    def callback(*_: object) -> None:
        for look_up in (
            lambda: context.num_attachments,
            lambda: context.attachment(0),
            lambda: context.find_attributes(np.array([0], dtype=np.uint32)),
        ):
            try:
                look_up()
            except sl.InvalidArgumentError:
                refused.append(True)

    _core.extend(context, None, (keys, keys[1:] + keys[:1], np.linspace(0, 1, len(keys))), progress=callback)
    assert context.num_attachments == 0
    assert all(refused)


def test_rows_all_over_the_place_are_gathered() -> None:
    count = 3000
    values = [None if i % 7 == 0 else i for i in range(count)]
    uuids = pa.array([i.to_bytes(16, "big") for i in range(count)], pa.binary(16))
    table = pa.table(
        {
            "id": pa.array(range(count), pa.uint32()),
            "number": pa.chunked_array([values[:100], values[100:]]),
            "text": pa.array([None if value is None else f"no {value}" for value in values]),
            "kind": pa.array([f"kind {i % 3}" for i in range(count)]).dictionary_encode(),
            "list": pa.array([[i] * (i % 3) for i in range(count)]),
            "struct": pa.array([{"a": value} for value in values]),
            "time": pa.array(values, pa.timestamp("ms", "Europe/London")),
            "uuid": pa.ExtensionArray.from_storage(pa.uuid(), uuids),
        }
    ).replace_schema_metadata({"made": "here"})
    unions = pa.UnionArray.from_sparse(pa.array([0] * count, pa.int8()), [pa.array(values)])
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("even", [(i, i + 2, 0.5) for i in range(0, count - 2, 2)])
    expected = table.take([*range(0, count, 2), *range(1, count, 2)])
    for given in (table, table.append_column("union", unions)):
        subject = frame.copy()
        subject.add_records("default", given, "id")
        found = subject.records("default").to_arrow()
        assert found.select(table.column_names).combine_chunks().equals(expected.combine_chunks())
        assert found.schema.equals(given.schema, check_metadata=True)
        assert subject.records("default").keys == expected["id"].to_pylist()


def test_columns_of_one_name() -> None:
    twice = pd.DataFrame([[1, "x", "y"], [2, "z", "w"]], columns=["id", "v", "v"])
    for table in (twice, pa.table([[1, 2], ["x", "z"], ["y", "w"]], names=["id", "v", "v"])):
        frame = sl.EntityFrame.from_records("crm", table, "id")
        assert frame.records("crm").to_pandas().columns.tolist() == ["id", "v", "v"]
        assert frame.records("crm").to_polars().columns == ["id", "v", "v_2"]
        frame.add_records("crm", [{"id": 3, "v": "q"}], "id")
        expected = {"id": [1, 2, 3], "v": ["x", "z", "q"], "v_2": ["y", "w", None]}
        assert frame.records("crm").to_arrow().to_pydict() == expected
        assert frame.records("crm").to_pandas()[["id", "v"]].to_dict("list") == {
            name: expected[name] for name in ("id", "v")
        }
        assert frame.records("crm").to_polars().to_dict(as_series=False) == expected


def test_two_columns_of_keys() -> None:
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["id", "id"])
    for table in (twice, pa.table([[1, 3], [2, 4]], names=["id", "id"])):
        frame = sl.EntityFrame()
        with pytest.raises(sl.InvalidArgumentError, match="2 columns called 'id'"):
            frame.add_records("crm", table, "id")
        assert frame.num_records == 0 and frame.sources == []
