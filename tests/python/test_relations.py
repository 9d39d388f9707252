"""Frames as tables of the relational form and as Parquet: what goes out comes back, and what is no frame does not."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

import starlings as sl
from relation_cases import assert_same, frame_of_all_keys, frames
from starlings.relations import READ, RELATIONS


def tables_of(frame: sl.EntityFrame) -> dict[str, pa.Table]:
    return {name: table.to_arrow() for name, table in frame.to_tables().items()}


@pytest.fixture(scope="module")
def frame() -> sl.EntityFrame:
    return frame_of_all_keys()


# ------------------------------------------------------------------------------------------------------- round trips


@given(frames())
def test_tables_bring_back_any_frame(any_frame: sl.EntityFrame) -> None:
    assert_same(any_frame, sl.EntityFrame.from_tables(any_frame.to_tables()))


def test_tables_bring_back_every_kind_of_key(frame: sl.EntityFrame) -> None:
    assert_same(frame, sl.EntityFrame.from_tables(frame.to_tables()))


def test_rows_may_come_in_any_order_and_in_pieces(frame: sl.EntityFrame) -> None:
    shuffled = {}
    for name, table in tables_of(frame).items():
        rows = table.to_pandas().sample(frac=1.0, random_state=3).index.to_numpy()
        shuffled[name] = pa.Table.from_batches(table.take(rows).to_batches(max_chunksize=7), table.schema)
    assert_same(frame, sl.EntityFrame.from_tables(shuffled))


def _widened(table: pa.Table, integers: pa.DataType, text: pa.DataType) -> pa.Table:
    types = {pa.int64(): integers, pa.string(): text, pa.dictionary(pa.uint32(), pa.string()): text}
    types[pa.dictionary(pa.uint8(), pa.string())] = text
    wanted = {field.name: types.get(field.type, field.type) for field in table.schema}
    return pa.table({name: pa.array(table[name].to_pylist(), kind) for name, kind in wanted.items()})


@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
@pytest.mark.parametrize("integers", [pa.int32(), pa.uint64(), pa.decimal128(38, 0), pa.int64()])
def test_columns_may_have_any_type_that_holds_them(
    frame: sl.EntityFrame, integers: pa.DataType, text: pa.DataType
) -> None:
    cast = {name: _widened(table, integers, text) for name, table in tables_of(frame).items()}
    assert_same(frame, sl.EntityFrame.from_tables(cast))


def test_other_columns_and_tables_are_ignored(frame: sl.EntityFrame) -> None:
    tables: dict[str, Any] = {
        name: table.append_column("note", pa.array([[{"a": 1}]] * len(table)))
        for name, table in tables_of(frame).items()
    }
    assert_same(frame, sl.EntityFrame.from_tables(tables | {"other": 3, "merge_group_records": None}))


def test_tables_of_pandas_and_polars_come_back(frame: sl.EntityFrame) -> None:
    assert_same(frame, sl.EntityFrame.from_tables({n: t.to_polars() for n, t in frame.to_tables().items()}))
    pandas = {name: table.to_pandas() for name, table in frame.to_tables().items()}
    assert isinstance(pandas["records"], pd.DataFrame) and isinstance(
        frame.to_tables()["records"].to_polars(), pl.DataFrame
    )
    assert_same(frame, sl.EntityFrame.from_tables(pandas))


def test_an_empty_frame_comes_back() -> None:
    back = sl.EntityFrame.from_tables(sl.EntityFrame().to_tables())
    assert (back.num_records, back.collection_names()) == (0, [])


def test_tables_keep_the_frame_as_it_was() -> None:
    frame = sl.EntityFrame()
    frame.add_collection("a", edges=[(1, 2, 0.5)])
    tables = frame.to_tables()
    frame.add_collection("b", edges=[(3, 4, 0.5)])
    frame.drop("a")
    assert sl.EntityFrame.from_tables(tables).collection_names() == ["a"]
    assert len(tables["records"].to_arrow()) == 2


def test_edges_can_be_added_to_what_came_back(frame: sl.EntityFrame) -> None:
    more = [(("crm", 0), ("crm", 2**32), 0.84999)]
    for name in ("rough", "exact", "chain"):
        before, after = frame[name], sl.EntityFrame.from_tables(frame.to_tables())[name]
        before.add_edges(more)
        after.add_edges(more)
        assert before.thresholds.tolist() == after.thresholds.tolist()


def test_all_records_that_came_back_count_as_given(frame: sl.EntityFrame) -> None:
    back = sl.EntityFrame.from_tables(frame.to_tables())
    back.drop(*back.collection_names())
    assert back.num_records == frame.num_records and back.compact() == 0


# ------------------------------------------------------------------------------------------------- what the tables say


def test_groups_name_components_and_their_records(frame: sl.EntityFrame) -> None:
    """The expanded table is what merge events say one by one."""
    rows = frame.to_tables()["merge_group_records"].to_arrow().to_pylist()
    expected = []
    for number, name in enumerate(frame.collection_names()):
        made: dict[int, list[int]] = {}
        for event, merge in enumerate(frame[name].merge_events()):
            members = []
            for group, component in enumerate(merge.merging_components):
                records = made.get(component, [component])
                members += records
                expected += [(number, event, group, record) for record in records]
            made[merge.result_component] = members
            assert sorted(members) == sorted(merge.affected_records)
    keys = ("collection_id", "event", "merging_group", "record_index")
    assert sorted(tuple(row[key] for key in keys) for row in rows) == sorted(expected)


def test_batches_join_without_a_gap() -> None:
    """More rows than one batch has, in every table that can have them."""
    frame = sl.EntityFrame()
    count = 140_000
    frame.add_collection("pairs", edges=[(2 * i, 2 * i + 1, 0.5) for i in range(count)])
    frame.add_collection("one", edges=[(0, i, 0.25) for i in range(1, 2 * count)])
    tables = frame.to_tables()
    readers = {name: pa.RecordBatchReader.from_stream(table) for name, table in tables.items()}
    batches = {name: [len(batch) for batch in reader] for name, reader in readers.items()}
    assert [len(batches[name]) for name in RELATIONS] == [3, 1, 2, 5, 5]
    assert sum(batches["merge_groups"]) == 4 * count
    back = sl.EntityFrame.from_tables(tables)
    assert (back["pairs"].at(0.5).labels == frame["pairs"].at(0.5).labels).all()
    assert back["one"].at(0.25).num_entities == 1


def test_the_expanded_table_is_refused_above_its_limit() -> None:
    frame = sl.EntityFrame()
    frame.add_collection("chain", edges=[(i, i + 1, 1 - i / 1000) for i in range(999)])
    rows = 1000 * 1001 // 2 - 1
    assert len(frame.to_tables(max_expanded=rows)["merge_group_records"].to_arrow()) == rows
    with pytest.raises(sl.CapacityError, match=r'"chain" name 500499'):
        frame.to_tables(max_expanded=rows - 1)
    assert list(frame.to_tables(expand=False, max_expanded=1)) == list(READ)
    with pytest.raises(sl.InvalidArgumentError, match="max_expanded"):
        frame.to_tables(max_expanded=0)


# ------------------------------------------------------------------------------------------------------------ refusals


def _change(table: pa.Table, row: int, **values: object) -> pa.Table:
    rows = table.to_pylist()
    rows[row] |= values
    return pa.Table.from_pylist(rows, pa.schema([(f.name, f.type) for f in table.schema]))


_BAD = [
    ("records", 4, {"record_index": 3}, 4, "that of row 3"),
    ("records", 4, {"record_index": 10**6}, 4, "record_index 1000000"),
    ("records", 4, {"record_index": -1}, 4, "column record_index is null or no whole number"),
    ("records", 4, {"record_index": None}, 4, "column record_index"),
    ("records", 4, {"key": None}, 4, "column key is null"),
    ("records", 4, {"source": None}, 4, "column source is null"),
    ("records", 4, {"key_kind": "float"}, 4, 'kind "float"'),
    ("records", 1, {"key": "x5"}, 1, "no number in decimal"),
    ("records", 1, {"key": "18446744073709551616", "key_kind": "u64"}, 1, "too large"),
    ("records", 3, {"key": "3"}, 3, "hexadecimal"),
    ("records", 1, {"key": "0"}, 1, "the source and key is that of row 0"),
    ("collections", 1, {"collection_id": 0}, 1, "that of row 0"),
    ("collections", 1, {"collection_id": 7}, 1, "collection_id 7"),
    ("collections", 1, {"name": "chain"}, 1, "chain"),
    ("collections", 1, {"scale": "degrees"}, 1, "degrees"),
    ("collections", 1, {"decimals": 7}, 1, "decimals 7"),
    ("collections", 1, {"exact": None}, 1, "column exact"),
    ("collections", 1, {"form_version": 2}, 1, "form_version 2"),
    ("collections", 1, {"num_records": 3}, 1, "num_records 3"),
    ("collections", 1, {"num_merges": 10**9}, 1, "num_merges 1000000000"),
    ("collections", 1, {"num_merges": 3}, None, "merge_events"),
    ("merge_events", 2, {"event": 1}, 2, "that of row 1"),
    ("merge_events", 2, {"event": 2**62}, 2, "event 4611686018427387904"),
    ("merge_events", 2, {"collection_id": 99}, 2, "no collection_id 99"),
    ("merge_events", 2, {"threshold": None}, 2, "column threshold"),
    ("merge_events", 2, {"threshold": float("nan")}, 2, "threshold"),
    ("merge_events", 2, {"threshold": 1.5}, 2, "threshold 1.5"),
    ("merge_events", 2, {"threshold": 0.9999}, 2, "highest threshold first"),
    ("merge_events", 2, {"result_component": 3}, 2, "result_component 3"),
    ("merge_events", 2, {"num_records": 3}, 2, "num_records 3"),
    ("merge_groups", 2, {"merging_group": 1}, 3, "twice"),
    ("merge_groups", 2, {"merging_group": 2}, 2, "merging_group 2"),
    ("merge_groups", 2, {"event": 0}, 2, "twice"),
    ("merge_groups", 3, {"event": 0, "merging_group": 2}, 1, "has 1 component"),
    ("merge_groups", 2, {"component": 1}, 1, "which event 0 has merged"),
    ("merge_groups", 2, {"component": 10**6}, 1, "not there yet"),
    ("merge_groups", 2, {"component": 2**63 - 1}, 1, "not there yet"),
]


@pytest.mark.parametrize(("table", "row", "values", "blamed", "message"), _BAD)
def test_rows_that_tell_no_frame_are_refused_with_their_place(
    frame: sl.EntityFrame, table: str, row: int, values: dict[str, object], blamed: int | None, message: str
) -> None:
    tables = tables_of(frame)
    tables[table] = _change(tables[table], row, **values)
    with pytest.raises(sl.InvalidArgumentError, match=message) as refused:
        sl.EntityFrame.from_tables(tables)
    assert refused.value.row == blamed
    if blamed is not None:
        assert f"row {blamed}:" in str(refused.value)


@pytest.mark.parametrize("name", READ)
def test_missing_and_doubled_rows_are_refused(frame: sl.EntityFrame, name: str) -> None:
    tables = tables_of(frame)
    for rows in (
        tables[name].slice(1),
        tables[name].slice(0, 3),
        pa.concat_tables([tables[name], tables[name].slice(0, 1)]),
    ):
        with pytest.raises(sl.InvalidArgumentError, match="table "):
            sl.EntityFrame.from_tables(tables | {name: rows})


@pytest.mark.parametrize("name", READ)
def test_missing_columns_and_tables_are_named(frame: sl.EntityFrame, name: str) -> None:
    tables = tables_of(frame)
    for column in tables[name].column_names:
        with pytest.raises(sl.InvalidArgumentError, match=f"table {name}: there is no column {column}"):
            sl.EntityFrame.from_tables(tables | {name: tables[name].drop_columns(column)})
        doubled = tables[name].append_column(column, tables[name][column])
        with pytest.raises(sl.InvalidArgumentError, match=f"table {name}: there are two columns {column}"):
            sl.EntityFrame.from_tables(tables | {name: doubled})
    with pytest.raises(sl.InvalidArgumentError, match=name):
        sl.EntityFrame.from_tables({other: table for other, table in tables.items() if other != name})


@pytest.mark.parametrize("bad", [3, None, "records", [1, 2], pa.chunked_array([[1]])])
def test_what_is_no_table_is_named(frame: sl.EntityFrame, bad: object) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="table merge_events"):
        sl.EntityFrame.from_tables(tables_of(frame) | {"merge_events": bad})
    with pytest.raises(sl.InvalidArgumentError, match="dict of tables"):
        sl.EntityFrame.from_tables(bad)  # type: ignore[arg-type]


def test_wrong_types_are_named(frame: sl.EntityFrame) -> None:
    tables = tables_of(frame)
    for name, column, values in [
        ("records", "key", pa.array([1.5] * len(tables["records"]))),
        ("merge_groups", "component", pa.array(["1"] * len(tables["merge_groups"]))),
        ("merge_events", "threshold", pa.array(["1"] * len(tables["merge_events"]))),
        ("collections", "exact", pa.array(["no"] * len(tables["collections"]))),
        ("merge_events", "event", pa.array([1.5] * len(tables["merge_events"]))),
    ]:
        place = tables[name].column_names.index(column)
        with pytest.raises(sl.InvalidArgumentError, match=f"table {name}: column {column}"):
            sl.EntityFrame.from_tables(tables | {name: tables[name].set_column(place, column, values)})


def test_reading_can_be_interrupted(frame: sl.EntityFrame) -> None:
    def stop(phase: str, done: int, total: int) -> None:
        raise RuntimeError(phase)

    large = sl.EntityFrame()
    large.add_collection("m", edges=[(i, i + 1, 0.5) for i in range(0, 400_000, 2)])
    tables = tables_of(large)
    with pytest.raises(RuntimeError, match=r"\w+"):
        sl.EntityFrame.from_tables(tables, progress=stop)


# ------------------------------------------------------------------------------------------------------------- parquet


@given(any_frame=frames())
def test_parquet_brings_back_any_frame(tmp_path_factory: pytest.TempPathFactory, any_frame: sl.EntityFrame) -> None:
    folder = tmp_path_factory.mktemp("frames") / "frame"
    any_frame.write_parquet(folder)
    assert_same(any_frame, sl.EntityFrame.read_parquet(folder))


def test_parquet_brings_back_every_kind_of_key(frame: sl.EntityFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "frame")
    assert sorted(path.name for path in (tmp_path / "frame").iterdir()) == sorted(
        f"{name}.parquet" for name in RELATIONS
    )
    assert [path.name for path in tmp_path.iterdir()] == ["frame"]
    assert_same(frame, sl.EntityFrame.read_parquet(str(tmp_path / "frame")))


def test_parquet_replaces_a_folder_as_a_whole(frame: sl.EntityFrame, tmp_path: Path) -> None:
    folder = tmp_path / "frame"
    folder.mkdir()
    frame.write_parquet(folder)
    other = sl.EntityFrame()
    other.add_collection("m", edges=[(1, 2, 0.5)])
    with pytest.raises(sl.InvalidArgumentError, match="if_exists"):
        other.write_parquet(folder)
    assert_same(frame, sl.EntityFrame.read_parquet(folder))
    other.write_parquet(folder, if_exists="replace", expand=False)
    assert_same(other, sl.EntityFrame.read_parquet(folder))
    assert not (folder / "merge_group_records.parquet").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["frame"]


def test_parquet_never_replaces_what_is_no_folder_of_tables(frame: sl.EntityFrame, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "records.parquet").write_bytes(b"")
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(sl.InvalidArgumentError, match=r"thesis\.txt"):
        frame.write_parquet(folder, if_exists="replace")
    with pytest.raises(sl.InvalidArgumentError, match="no folder"):
        frame.write_parquet(folder / "thesis.txt", if_exists="replace")
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(sl.InvalidArgumentError, match="no folder"):
        frame.write_parquet(tmp_path / "link", if_exists="replace")
    assert (folder / "thesis.txt").read_text() == "years of work"
    with pytest.raises(sl.InvalidArgumentError, match="if_exists"):
        frame.write_parquet(tmp_path / "new", if_exists="append")  # type: ignore[arg-type]


def test_parquet_never_deletes_a_folder_that_has_the_name_of_a_file(frame: sl.EntityFrame, tmp_path: Path) -> None:
    partition = tmp_path / "set" / "records.parquet"
    partition.mkdir(parents=True)
    (partition / "part-0.parquet").write_bytes(b"years of work")
    with pytest.raises(sl.InvalidArgumentError, match=r"records\.parquet"):
        frame.write_parquet(tmp_path / "set", if_exists="replace")
    assert (partition / "part-0.parquet").read_bytes() == b"years of work"


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_parquet_takes_names_as_long_as_the_system_does(frame: sl.EntityFrame, tmp_path: Path, name: str) -> None:
    frame.write_parquet(tmp_path / name)
    frame.write_parquet(tmp_path / name, if_exists="replace")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert_same(frame, sl.EntityFrame.read_parquet(tmp_path / name))


def test_parquet_reads_one_folder_while_another_takes_its_place(
    frame: sl.EntityFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "frame"
    frame.write_parquet(folder)
    other = sl.EntityFrame()
    other.add_collection("m", edges=[(1, 2, 0.5)])
    read = pq.ParquetFile.read_row_group

    def replace_first(file: pq.ParquetFile, *args: Any, **kwargs: Any) -> pa.Table:
        monkeypatch.undo()
        other.write_parquet(folder, if_exists="replace")
        return read(file, *args, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", replace_first)
    assert_same(frame, sl.EntityFrame.read_parquet(folder))
    assert_same(other, sl.EntityFrame.read_parquet(folder))


def test_progress_tells_the_rows_of_each_file(frame: sl.EntityFrame, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    frame.write_parquet(tmp_path / "frame", progress=lambda *what: told.append(what))
    rows = {name: table.num_rows for name, table in tables_of(frame).items()}
    assert [what for what in told if what[0].startswith("writing ")] == [
        (f"writing {name}", count, 0) for name, count in rows.items()
    ]

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frame.write_parquet(tmp_path / "other", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["frame"]
    for write in (frame.to_tables, lambda progress: frame.write_parquet(tmp_path / "other", progress=progress)):
        with pytest.raises(sl.InvalidArgumentError, match="progress"):
            write(progress=3)


@pytest.mark.parametrize("step", ["write_batch", "fsync", "rename"])
def test_parquet_that_fails_half_way_leaves_what_was_there(
    frame: sl.EntityFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = tmp_path / "frame"
    frame.write_parquet(folder)
    calls = []

    def full(*args: object, **kwargs: object) -> None:
        calls.append(args)
        if len(calls) == 3 or step == "rename":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if step == "rename":
            patch.setattr(Path, "rename", full)
        elif step == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(pq.ParquetWriter, "write_batch", full)
        with pytest.raises(sl.SystemCallError, match="No space left"):
            frame.write_parquet(folder, if_exists="replace")
    assert calls and [path.name for path in tmp_path.iterdir()] == ["frame"]
    assert_same(frame, sl.EntityFrame.read_parquet(folder))


def test_parquet_renames_the_old_folder_back(
    frame: sl.EntityFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "frame"
    frame.write_parquet(folder)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.suffix == ".new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(sl.SystemCallError, match="could not be written"):
        sl.EntityFrame().write_parquet(folder, if_exists="replace")
    assert [path.name for path in tmp_path.iterdir()] == ["frame"]
    assert_same(frame, sl.EntityFrame.read_parquet(folder))


def test_parquet_says_which_file_is_wrong(frame: sl.EntityFrame, tmp_path: Path) -> None:
    folder = tmp_path / "frame"
    with pytest.raises(sl.PathNotFoundError, match="frame cannot be read: No such file"):
        sl.EntityFrame.read_parquet(folder)
    with pytest.raises(FileNotFoundError, match="could not be written"):
        frame.write_parquet(folder / "deeper")
    for path in (3, None, "a\0b"):
        with pytest.raises(sl.InvalidArgumentError, match="no path"):
            sl.EntityFrame.read_parquet(path)  # type: ignore[arg-type]
        with pytest.raises(sl.InvalidArgumentError, match="no path"):
            frame.write_parquet(path)  # type: ignore[arg-type]
    frame.write_parquet(folder)
    whole = (folder / "merge_groups.parquet").read_bytes()
    for broken in (b"", whole[: len(whole) // 2], b"\0" * len(whole)):
        (folder / "merge_groups.parquet").write_bytes(broken)
        with pytest.raises(sl.CorruptFileError, match=r"merge_groups\.parquet"):
            sl.EntityFrame.read_parquet(folder)
    (folder / "merge_groups.parquet").unlink()
    with pytest.raises(sl.PathNotFoundError, match=r"merge_groups\.parquet"):
        sl.EntityFrame.read_parquet(folder)
