"""Collections through Arrow: the schema field by field, the same collection again, polars and DuckDB as readers."""

from __future__ import annotations

from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from arrow_cases import KEYS, frames, same_collections, spelt


def three_merges(**options: Any) -> sl.Collection:
    """Records of every kind of key; two merges at 0.9, one at 0.25."""
    edges = [(7, "é", 0.9), (b"\xff\0", ("shop", "7"), 0.9), (7, b"\xff\0", 0.25), (2**40, 2**40, 0.5)]
    return sl.Collection.from_edges(edges, source="crm", **options)


def same_records(a: sl.Collection, b: sl.Collection) -> bool:
    """Whether two collections have the same records in the same order."""
    names = [[state.context.record(i) for i in range(state.num_records)] for state in (a._state, b._state)]
    return names[0] == names[1]


def test_the_schema_is_the_one_documented_field_by_field() -> None:
    table = three_merges().to_arrow()
    uint32 = ("item", "uint32", False)
    record = [
        ("source", "dictionary", "uint16", ("string",), False),
        ("key", "string", False),
        ("record_index", "uint32", False),
        ("key_kind", "dictionary", "uint8", ("string",), False),
    ]
    merge = [
        ("threshold", "double", False),
        ("merging_components", "list", uint32, False),
        ("result_component", "uint32", False),
        ("affected_records", "list", uint32, False),
    ]
    statistics = [
        ("num_merges", "uint32", False),
        ("threshold_range", "struct", [("min", "double", False), ("max", "double", False)], False),
    ]
    assert [spelt(field) for field in table.schema] == [
        ("collection_id", "string", False),
        ("source_dictionary", "dictionary", "uint16", ("string",), False),
        ("records", "list", ("item", "struct", record, False), False),
        ("merge_events", "list", ("merge", "struct", merge, False), False),
        ("statistics", "struct", statistics, True),
    ]
    assert set(table.schema.metadata) == {b"starlings:schema", b"starlings:collection:0"}
    assert table.schema.metadata[b"starlings:schema"] == b"collection 1"


def test_every_value_is_what_the_collection_says() -> None:
    collection = three_merges()
    table = collection.to_arrow("the id")
    table.validate(full=True)
    (row,) = table.to_pylist()
    assert row["collection_id"] == "the id"
    assert row["source_dictionary"] == "crm"
    assert table["source_dictionary"].chunk(0).dictionary.to_pylist() == ["crm", "shop"]
    assert [(record["source"], record["key"], record["key_kind"]) for record in row["records"]] == [
        ("crm", "7", "u32"),
        ("crm", "é", "string"),
        ("crm", "ff00", "bytes"),
        ("shop", "7", "string"),
        ("crm", str(2**40), "u64"),
    ]
    assert [record["record_index"] for record in row["records"]] == [0, 1, 2, 3, 4]
    assert [
        (event["threshold"], tuple(event["merging_components"]), event["result_component"], event["affected_records"])
        for event in row["merge_events"]
    ] == [
        (event.threshold, event.merging_components, event.result_component, list(event.affected_records))
        for event in collection.merge_events()
    ]
    assert row["statistics"] == {"num_merges": 3, "threshold_range": {"min": 0.25, "max": 0.9}}


def test_where_nothing_merges_statistics_are_null() -> None:
    collection = sl.Collection.from_edges([], records=["a", "b"])
    (row,) = collection.to_arrow().to_pylist()
    assert row["statistics"] is None and row["merge_events"] == []
    assert same_collections(collection, sl.Collection.from_arrow(collection))


@given(frames())
def test_collections_come_back_as_they_were(frame: sl.EntityFrame) -> None:
    for name in frame.collection_names():
        view = frame[name]
        read = sl.Collection.from_arrow(view)
        assert same_collections(view, read) and same_records(view, read)
        assert read.to_arrow().equals(view.to_arrow(), check_metadata=True)
        assert not read.is_view


@given(st.lists(st.tuples(KEYS, KEYS, st.floats(0, 1)), max_size=15), st.sampled_from([None, 1, 6]))
def test_polars_and_duckdb_give_back_the_same_collection(edges: list[Any], quantise: int | None) -> None:
    texts = [(a, b, score) for a, b, score in edges if not (_has_nul(a) or _has_nul(b))]
    collection = sl.Collection.from_edges(texts, quantise=quantise)
    for read in (
        sl.Collection.from_arrow(pl.DataFrame(collection)),
        sl.Collection.from_arrow(_through_duckdb(collection)),
    ):
        # the metadata is lost: whether scores are exact is then seen from the thresholds
        assert same_records(collection, read)
        assert read.thresholds.tolist() == collection.thresholds.tolist()
        assert all(read.at(t) == collection.at(t) for t in (*collection.thresholds, 0.0))


def _has_nul(key: object) -> bool:
    return isinstance(key, str) and "\0" in key


def _through_duckdb(collection: sl.Collection) -> Any:
    connection = duckdb.connect()
    connection.register("given", collection.to_arrow())
    connection.execute("CREATE TABLE kept AS FROM given")
    return connection.sql("SELECT statistics, merge_events, records, collection_id FROM kept").to_arrow_table()


def test_polars_sees_every_column() -> None:
    table = pl.DataFrame(three_merges())
    assert table.columns == ["collection_id", "source_dictionary", "records", "merge_events", "statistics"]
    assert table["merge_events"].explode().struct.field("result_component").to_list() == [5, 6, 7]
    assert table["statistics"].struct.field("num_merges").to_list() == [3]


def test_duckdb_sees_every_column() -> None:
    connection = duckdb.connect()
    connection.register("rows", three_merges().to_arrow())
    query = """
        SELECT list_transform(records, lambda r: r.source || '/' || r.key), statistics.threshold_range.max FROM rows
    """
    assert connection.sql(query).fetchall() == [(["crm/7", "crm/é", "crm/ff00", "shop/7", f"crm/{2**40}"], 0.9)]


def test_records_may_come_in_any_order_and_without_kinds() -> None:
    collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.5)])
    table = collection.to_arrow()
    kept = [{k: v for k, v in record.items() if k != "key_kind"} for record in table["records"][0].as_py()]
    other = table.set_column(2, "records", pa.array([kept[::-1]]))
    read = sl.Collection.from_arrow(other)
    assert same_records(collection, read) and same_collections(collection, read)


def test_what_is_read_can_be_extended() -> None:
    read = sl.Collection.from_arrow(three_merges(quantise=2))
    read.add_edges([(7, "new", 0.777)], source="crm")
    assert read.thresholds.tolist() == [0.9, 0.78, 0.25]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("merge_events", 0, "merging_components"), [0], "event 0 merges fewer than two"),
        (("merge_events", 2, "merging_components"), [5, 0], "event 2 names a component that was merged before"),
        (("merge_events", 0, "result_component"), 9, "result_component"),
        (("merge_events", 1, "affected_records"), [0, 3], "different components"),
        (("merge_events", 0, "threshold"), 0.1, "0.9 comes after one at 0.1"),
        (("records", 2, "record_index"), 9, "record_index of row 2 is 9"),
        (("records", 2, "key"), "xyz", "hexadecimal"),
        (("records", 0, "key_kind"), "float", "no kind"),
        (("statistics", "num_merges"), 7, "statistics"),
    ],
)
def test_tables_that_are_no_collections_are_refused(path: tuple[Any, ...], value: object, message: str) -> None:
    table = three_merges().to_arrow()
    rows = table.to_pylist()
    place = rows[0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises((sl.InvalidArgumentError, sl.InvalidKeyError), match=message):
        sl.Collection.from_arrow(pa.Table.from_pylist(rows, table.schema))


@pytest.mark.parametrize("records", [0, 1, 3])
def test_collections_of_nothing_come_back_through_pandas(records: int) -> None:
    collection = sl.Collection.from_labels(pa.table({"key": list(range(records)), "entity_id": list(range(records))}))
    through = collection.to_arrow("c").to_pandas()
    again = sl.Collection.from_arrow(through)
    assert again.num_records == records
    assert again.num_merges == 0


def test_tables_of_other_things_are_refused() -> None:
    table = three_merges().to_arrow()
    for bad in (pa.concat_tables([table, table]), table.slice(1), table.drop_columns(["records"]), pa.array([1]), 7):
        with pytest.raises(sl.InvalidArgumentError):
            sl.Collection.from_arrow(bad)  # type: ignore[arg-type]


def test_too_much_to_expand_names_what_to_do() -> None:
    collection = three_merges()
    with pytest.raises(sl.CapacityError, match='"chain" name 8 records, more than max_expanded=7'):
        collection.to_arrow("chain", max_expanded=7)
    assert same_collections(collection, sl.Collection.from_arrow(collection.to_arrow(max_expanded=8)))
    with pytest.raises(sl.InvalidArgumentError, match="collection_id"):
        collection.to_arrow(5)  # type: ignore[arg-type]
