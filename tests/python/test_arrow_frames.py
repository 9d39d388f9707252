"""Frames through Arrow: the schema field by field, the same frame again, what libraries do to a table on its way."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

import starlings as sl
from arrow_cases import CArray, CSchema, frames, records_of, same_frames, spelt, stream_of
from starlings import _core

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def two_models() -> sl.EntityFrame:
    """Records of two sources and every kind of key; one collection of probabilities, one of weights."""
    frame = sl.EntityFrame.from_records(
        "crm", [{"id": key} for key in (7, 2**40, "é", b"\xff\0", "7")], key_column="id"
    )
    frame.add_records("shop", [{"id": 7}, {"id": "x"}], key_column="id")
    frame.add_collection_from_edges("model", [(7, "é", 0.9), (b"\xff\0", "7", 0.9), (7, b"\xff\0", 0.25)], source="crm")
    frame.add_collection_from_edges("weights", [(7, "x", 17.25)], source="shop", scale="weight", quantise=None)
    return frame


def large_chain(n: int = 20000) -> sl.EntityFrame:
    """One collection whose merges hold n * n / 2 record indices."""
    left = np.arange(n - 1, dtype=np.uint32)
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("chain", (left, left + 1, np.linspace(1, 0, n - 1)), quantise=None)
    return frame


# ---------------------------------------------------------------------------------------------------------- the schema


def test_the_schema_is_the_one_documented_field_by_field() -> None:
    table = two_models().to_arrow()
    uint32 = ("item", "uint32", False)
    event = [
        ("threshold", "double", False),
        ("merging_groups", "list", ("item", "list", uint32, False), False),
    ]
    collection = [
        ("name", "dictionary", "uint8", ("string",), False),
        ("merge_events", "list", ("item", "struct", event, False), False),
    ]
    kinds = [
        ("u32", "uint32", False),
        ("u64", "uint64", False),
        ("string", "string", False),
        ("bytes", "binary", False),
    ]
    assert [spelt(field) for field in table.schema] == [
        ("record_sources", "dictionary", "uint16", ("string",), False),
        ("record_keys", "dictionary", "uint32", ("union", "dense", [0, 1, 2, 3], kinds), False),
        ("record_indices", "uint32", False),
        ("collections", "list", ("item", "struct", collection, False), False),
        ("version", "string", False),
        ("created_at", "timestamp[ms]", False),
    ]


def test_the_metadata_says_what_columns_cannot() -> None:
    metadata = two_models().to_arrow().schema.metadata
    assert metadata[b"starlings:schema"] == b"frame 1"
    assert metadata[b"starlings:collection:0"].split(b" ", 4)[::2] == [b"probability", b"6", b"model"]
    assert metadata[b"starlings:collection:1"].split(b" ", 4)[:3] == [b"weight", b"exact", b"0"]
    assert len(metadata) == 3


def test_pyarrow_finds_nothing_wrong_and_reads_every_value() -> None:
    frame = two_models()
    table = frame.to_arrow(created_at=MOMENT)
    table.validate(full=True)
    rows = table.to_pylist()
    assert [(row["record_sources"], row["record_keys"]) for row in rows] == records_of(frame)
    assert [row["record_indices"] for row in rows] == list(range(7))
    assert {row["version"] for row in rows} == {_core.version()}
    assert {row["created_at"] for row in rows} == {MOMENT.replace(tzinfo=None)}
    assert [row["collections"] for row in rows[1:]] == [[]] * 6
    assert rows[0]["collections"] == [
        {
            "name": "model",
            "merge_events": [
                {"threshold": 0.9, "merging_groups": [[0], [2]]},
                {"threshold": 0.9, "merging_groups": [[3], [4]]},
                {"threshold": 0.25, "merging_groups": [[0, 2], [3, 4]]},
            ],
        },
        {"name": "weights", "merge_events": [{"threshold": 17.25, "merging_groups": [[5], [6]]}]},
    ]


def test_each_key_is_once_in_the_dictionary_in_order_of_first_use() -> None:
    keys = two_models().to_arrow()["record_keys"].chunk(0)
    assert keys.dictionary.to_pylist() == [7, 2**40, "é", b"\xff\0", "7", "x"]
    assert keys.indices.to_pylist() == [0, 1, 2, 3, 4, 0, 5]


def test_the_moment_of_the_export_is_now_or_as_given() -> None:
    frame = two_models()
    before = datetime.now(UTC).replace(tzinfo=None) - timedelta(milliseconds=1)
    now = frame.to_arrow()["created_at"][0].as_py()
    assert before <= now <= datetime.now(UTC).replace(tzinfo=None)
    east = timezone(timedelta(hours=5))
    for given_as in (MOMENT, MOMENT.astimezone(east), MOMENT.replace(tzinfo=None)):
        assert frame.to_arrow(created_at=given_as)["created_at"][6].as_py() == MOMENT.replace(tzinfo=None)
    early = datetime(1969, 12, 31, tzinfo=UTC)
    assert frame.to_arrow(created_at=early)["created_at"][0].as_py() == early.replace(tzinfo=None)
    assert frame.to_arrow(created_at=MOMENT).equals(frame.to_arrow(created_at=MOMENT), check_metadata=True)
    for bad in (datetime(1970, 1, 1, tzinfo=UTC), "2026-01-02", 5):
        with pytest.raises(sl.InvalidArgumentError, match="created_at"):
            frame.to_arrow(created_at=bad)  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------- there and back


@given(frames())
def test_frames_come_back_as_they_were(frame: sl.EntityFrame) -> None:
    read = sl.EntityFrame.from_arrow(frame)
    assert same_frames(frame, read)
    table = frame.to_arrow(created_at=MOMENT)
    assert same_frames(frame, sl.EntityFrame.from_arrow(table))
    assert read.to_arrow(created_at=MOMENT).equals(table, check_metadata=True)
    assert len(read._core.now().given()) == read.num_records


@pytest.mark.parametrize("records", [0, 1, 2])
def test_frames_of_few_records_keep_their_collections(records: int) -> None:
    frame = sl.EntityFrame()
    if records:
        frame.add_records("s", [{"id": i} for i in range(records)], key_column="id")
    frame.add_collection_from_edges("empty", [], source="s")
    frame.add_collection_from_edges("weights", [], source="s", scale="weight", quantise=None)
    table = frame.to_arrow()
    assert table.num_rows == records
    read = sl.EntityFrame.from_arrow(table)
    assert same_frames(frame, read)
    assert read["weights"].scale == "weight"
    assert same_frames(sl.EntityFrame(), sl.EntityFrame.from_arrow(sl.EntityFrame()))


def test_a_hundred_collections_come_back_in_order() -> None:
    random = np.random.default_rng(1)
    frame = sl.EntityFrame.from_records("s", [{"id": i} for i in range(30)], key_column="id")
    for number in random.permutation(100):
        left, right = random.integers(0, 30, (2, 40), dtype=np.uint32)
        frame.add_collection_from_edges(f"model {number}", (left, right, random.random(40)), source="s")
    assert same_frames(frame, sl.EntityFrame.from_arrow(frame))
    assert frame.to_arrow().schema.field("collections").type.value_type.field("name").type.index_type == pa.uint8()


def test_more_than_256_collections_are_numbered_in_two_bytes() -> None:
    frame = sl.EntityFrame.from_records("s", [{"id": 1}, {"id": 2}], key_column="id")
    for number in range(257):
        frame.add_collection_from_edges(str(number), [(1, 2, number / 256)], source="s")
    assert frame.to_arrow().schema.field("collections").type.value_type.field("name").type.index_type == pa.uint16()
    assert same_frames(frame, sl.EntityFrame.from_arrow(frame))


def test_what_is_read_can_go_on_changing() -> None:
    read = sl.EntityFrame.from_arrow(two_models())
    read.add_records("shop", [{"id": 8}], key_column="id")
    read.add_collection_from_edges("more", [(7, 8, 0.5)], source="shop")
    read.drop("weights")
    assert read.num_records == 8 and read.collection_names() == ["model", "more"]
    assert read.collect_metrics().garbage_ratio == 0
    assert read["model"].at(0.25).num_entities == 5


# ------------------------------------------------------------------------------------- what others make of the table


def test_slices_chunks_and_other_orders_are_read() -> None:
    frame = two_models()
    table = frame.to_arrow()
    chunked = pa.Table.from_batches(
        [batch.slice(i, 1) for batch in table.to_batches() for i in range(batch.num_rows)], table.schema
    )
    assert chunked["record_keys"].num_chunks == 7
    for same in (
        chunked,
        pa.concat_tables([table.slice(3), table.slice(0, 3)]),
        table.select(list(reversed(table.column_names))),
        table.append_column("extra", pa.array(range(7))),
        table.drop_columns(["version", "created_at"]),
        table.to_reader(max_chunksize=2),
        table.to_batches()[0],
    ):
        assert same_frames(frame, sl.EntityFrame.from_arrow(same))


def test_plain_columns_of_other_widths_are_read() -> None:
    frame = two_models()
    table = frame.to_arrow()
    sources = table["record_sources"]
    for plain in (
        sources.cast(pa.string()),
        sources.cast(pa.large_string()),
        sources.cast(pa.string()).cast(pa.string_view()),
    ):
        other = table.set_column(0, "record_sources", plain)
        assert same_frames(frame, sl.EntityFrame.from_arrow(other))
    codes = pa.DictionaryArray.from_arrays(sources.chunk(0).indices.cast(pa.int64()), sources.chunk(0).dictionary)
    for index, name, column in (
        (0, "record_sources", codes),
        (2, "record_indices", table["record_indices"].cast(pa.int64())),
        (2, "record_indices", table["record_indices"].cast(pa.uint8())),
    ):
        assert same_frames(frame, sl.EntityFrame.from_arrow(table.set_column(index, name, column)))
    keys = table["record_keys"].chunk(0)
    plain_union = keys.dictionary.take(keys.indices)
    assert same_frames(frame, sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", plain_union)))


def test_keys_of_one_kind_may_come_without_a_union() -> None:
    frame = sl.EntityFrame.from_records("s", [{"id": f"k{i}"} for i in range(5)], key_column="id")
    frame.add_collection_from_edges("m", [("k0", "k3", 0.5)], source="s")
    table = frame.to_arrow()
    texts = pa.array([f"k{i}" for i in range(5)])
    for column in (texts, texts.cast(pa.large_string()), texts.cast(pa.string_view()), texts.dictionary_encode()):
        assert same_frames(frame, sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", column)))
    ints = sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", pa.array(range(5), pa.int16())))
    assert records_of(ints) == [("s", i) for i in range(5)]


def test_lists_of_64_bit_offsets_and_nullable_flags_are_read() -> None:
    frame = two_models()
    table = frame.to_arrow()
    large = pa.large_list(
        pa.struct(
            [
                ("name", pa.large_string()),
                (
                    "merge_events",
                    pa.large_list(
                        pa.struct(
                            [("threshold", pa.float64()), ("merging_groups", pa.large_list(pa.list_(pa.int64())))]
                        )
                    ),
                ),
            ]
        )
    )
    column = pa.array(table["collections"].to_pylist(), large)
    assert same_frames(frame, sl.EntityFrame.from_arrow(table.set_column(3, "collections", column)))


def test_a_file_of_arrow_holds_a_frame(tmp_path: Any) -> None:
    frame = two_models()
    table = frame.to_arrow()
    with pa.ipc.new_file(tmp_path / "frame.arrow", table.schema) as file:
        file.write_table(table)
    assert same_frames(frame, sl.EntityFrame.from_arrow(pa.ipc.open_file(tmp_path / "frame.arrow").read_all()))


def test_polars_and_duckdb_know_no_unions() -> None:
    frame = two_models()
    with pytest.raises(BaseException, match="Union"):  # polars panics, which is no Exception
        pl.DataFrame(frame)
    table = frame.to_arrow()
    with pytest.raises(duckdb.NotImplementedException, match="Union"):
        duckdb.connect().register("rows", table)


@pytest.mark.parametrize("through", ["polars", "duckdb"])
def test_without_the_union_frames_go_through_polars_and_duckdb(through: str) -> None:
    frame = sl.EntityFrame.from_records("crm", [{"id": f"k{i}"} for i in range(6)], key_column="id")
    frame.add_records("shop", [{"id": "k0"}], key_column="id")
    frame.add_collection_from_edges("m", [("k0", "k3", 0.5), ("k1", "k4", 0.75)], source="crm")
    frame.add_collection_from_edges("exact", [("k0", "k3", 1 / 3)], source="crm", quantise=None)
    keys = pa.array([key for _, key in records_of(frame)])
    rows = frame.to_arrow().set_column(1, "record_keys", keys)
    if through == "polars":
        read = sl.EntityFrame.from_arrow(pl.DataFrame(rows))
    else:
        read = sl.EntityFrame.from_arrow(duckdb.sql("SELECT * FROM rows ORDER BY record_keys DESC"))
    assert same_frames(frame, read)


# ------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (2, [0, 1, 2, 3, 4, 5, 7], "row 6 is 7"),
        (2, [0, 1, 2, 3, 4, 5, 5], "row before it"),
        (2, [-1, 1, 2, 3, 4, 5, 6], "is -1"),
        (2, [0.0] * 7, "ints"),
        (2, [0, 1, 2, None, 4, 5, 6], "null"),
        (0, [1] * 7, "strings"),
        (0, ["a", None, *["b"] * 5], "null"),
        (1, [None] * 7, "null"),
        (3, [[]] * 7, "items|collections"),
        (3, [1] * 7, "lists"),
    ],
)
def test_tables_that_are_no_frames_are_refused(column: int, values: list[Any], message: str) -> None:
    table = two_models().to_arrow()
    name = table.column_names[column]
    with pytest.raises(sl.InvalidArgumentError, match=message):
        sl.EntityFrame.from_arrow(table.set_column(column, name, pa.array(values)))


def test_keys_that_are_none_name_their_row() -> None:
    table = two_models().to_arrow()
    with pytest.raises(sl.InvalidKeyError, match="row 2") as refused:
        sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", pa.array([1, 2, -3, 4, 5, 6, 7])))
    assert refused.value.row == 2
    with pytest.raises(sl.InvalidKeyError, match="row 0"):
        sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", pa.array([1.5] * 7)))
    with pytest.raises(sl.DuplicateKeyError, match="records 0 and 1"):
        sl.EntityFrame.from_arrow(table.set_column(1, "record_keys", pa.array([1, 1, 3, 4, 5, 6, 7])))


def test_merges_that_cannot_be_name_collection_and_event() -> None:
    table = two_models().to_arrow()
    rows = table["collections"].to_pylist()
    rows[0][0]["merge_events"][2]["merging_groups"] = [[0], [3, 4]]
    spoilt = table.set_column(3, "collections", pa.array(rows, table["collections"].type))
    with pytest.raises(sl.InvalidArgumentError, match=r'event 2 of collection "model".*only a part') as refused:
        sl.EntityFrame.from_arrow(spoilt)
    assert refused.value.row == 2


@pytest.mark.parametrize(
    "data", [None, 5, "frame", [1, 2], {"record_keys": [1]}, pa.array([1, 2]), pa.table({"a": [1]})]
)
def test_what_is_no_table_of_a_frame_is_an_error_of_ours(data: object) -> None:
    with pytest.raises(sl.InvalidArgumentError):
        sl.EntityFrame.from_arrow(data)  # type: ignore[arg-type]


def test_tables_of_newer_versions_and_of_collections_say_so() -> None:
    table = two_models().to_arrow()
    metadata = dict(table.schema.metadata)
    newer = table.replace_schema_metadata(metadata | {b"starlings:schema": b"frame 2"})
    with pytest.raises(sl.InvalidArgumentError, match='version "2" of the frame schema'):
        sl.EntityFrame.from_arrow(newer)
    with pytest.raises(sl.InvalidArgumentError, match="record_sources"):
        sl.EntityFrame.from_arrow(two_models()["model"].to_arrow())


def test_too_much_to_expand_names_the_collection_and_what_to_do() -> None:
    frame = large_chain(300)
    size = 300 * 301 // 2 - 1
    with pytest.raises(sl.CapacityError) as refused:
        frame.to_arrow(max_expanded=size - 1)
    for part in ('"chain"', str(size), f"max_expanded={size - 1}", "save()", "write_parquet(expand=False)"):
        assert part in str(refused.value)
    assert same_frames(frame, sl.EntityFrame.from_arrow(frame.to_arrow(max_expanded=size)))
    for bad in (0, -1, 1.5, "many"):
        with pytest.raises(sl.InvalidArgumentError, match="max_expanded"):
            frame.to_arrow(max_expanded=bad)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- streams and progress


def test_progress_is_told_and_can_stop_both_ways() -> None:
    frame = large_chain(12000)
    phases: set[str] = set()

    def note(phase: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        phases.add(phase)

    table = frame.to_arrow(progress=note)
    read = sl.EntityFrame.from_arrow(table, progress=note)
    assert phases >= {"writing an Arrow table", "reading merge events"}
    assert same_frames(frame, read)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frame.to_arrow(progress=stop)
    with pytest.raises(KeyboardInterrupt):
        sl.EntityFrame.from_arrow(table, progress=stop)


def test_streams_that_nobody_reads_are_released() -> None:
    frame = two_models()
    gc.collect()
    held = _core.memory_in_use()
    for _ in range(10):
        frame.__arrow_c_stream__()
        frame["model"].__arrow_c_stream__(None)
        reader = pa.RecordBatchReader.from_stream(frame)
        del reader
        with pytest.raises(sl.InvalidArgumentError):
            sl.Collection.from_arrow(frame)
    gc.collect()
    assert _core.memory_in_use() == held


def test_a_plain_reader_of_the_interface_gets_and_returns_everything() -> None:
    frame = two_models()
    held = _core.memory_in_use()
    stream = stream_of(capsule := frame.__arrow_c_stream__())
    schema, batch, end = CSchema(), CArray(), CArray()
    address = ctypes.addressof(stream)
    assert stream.get_schema(address, ctypes.byref(schema)) == 0
    assert stream.get_next(address, ctypes.byref(batch)) == 0
    assert stream.get_next(address, ctypes.byref(end)) == 0 and not end.release
    assert [schema.children[i].contents.name for i in range(schema.n_children)] == [
        b"record_sources",
        b"record_keys",
        b"record_indices",
        b"collections",
        b"version",
        b"created_at",
    ]
    assert schema.children[1].contents.dictionary.contents.format == b"+ud:0,1,2,3"
    assert batch.length == 7
    indices = ctypes.cast(batch.children[2].contents.buffers[1], ctypes.POINTER(ctypes.c_uint32))
    assert indices[:7] == list(range(7))
    schema.release(ctypes.addressof(schema))
    batch.release(ctypes.addressof(batch))
    del capsule
    gc.collect()
    assert _core.memory_in_use() == held


def test_nothing_needs_pyarrow() -> None:
    program = """
import sys
sys.modules["pyarrow"] = None
import polars as pl
import starlings as sl
frame = sl.EntityFrame.from_records("s", [{"id": 1}, {"id": "a"}, {"id": b"b"}], key_column="id")
frame.add_collection_from_edges("m", [(1, "a", 0.5)], source="s")
again = sl.EntityFrame.from_arrow(frame)
assert again.num_records == 3 and again["m"].at(0.5) == frame["m"].at(0.5)
table = pl.DataFrame(frame["m"])
assert table["records"][0][1] == {"source": "s", "key": "a", "record_index": 1, "key_kind": "string"}
assert sl.Collection.from_arrow(table).at(0.5) == frame["m"].at(0.5)
report = frame.analyse(sl.col("m").sweep())
assert sl.Report.from_arrow(report) == report and sl.Report.from_arrow(pl.DataFrame(report)) == report
partition = frame["m"].at(0.5)
assert sl.Collection.from_labels(partition).at(1.0) == partition
try:
    frame.to_arrow()
except sl.MissingDependencyError as error:
    assert "starlings[arrow]" in str(error)
else:
    raise SystemExit("to_arrow() without pyarrow")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
