"""Results through Arrow: reports come back equal, partitions with their entities, whatever has columns exports them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from arrow_cases import frames
from starlings import _core


def measured() -> sl.EntityFrame:
    """Two collections of one source, to be compared."""
    frame = sl.EntityFrame.from_records("s", [{"id": i} for i in range(8)], key_column="id")
    frame.add_collection_from_edges("model", [(0, 1, 0.9), (1, 2, 0.6), (3, 4, 0.6)], source="s")
    frame.add_collection_from_entities("truth", [{0, 1, 2}, {3, 4}], source="s")
    return frame


# ------------------------------------------------------------------------------------------------------------ reports


def reports() -> list[sl.Report]:
    """Reports of every kind of column: names, thresholds, counts, ratios, NaN, none at all."""
    frame = measured()
    curve = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0))
    alone = frame.analyse(sl.col("model").sweep())
    return [curve, curve.tidy(), alone, alone.tidy(), curve[:0], frame["model"].sweep(0.5, 1.0, 0.1)]


@pytest.mark.parametrize("number", range(6))
def test_reports_come_back_equal(number: int) -> None:
    report = reports()[number]
    for table in (report, report.to_arrow(), report.to_polars(), report.to_pandas()):
        read = sl.Report.from_arrow(table)
        assert read == report
        assert read.columns == report.columns and read.metrics == report.metrics
        for name in report.columns:
            assert read[name].dtype == report[name].dtype
    assert sl.Report.from_arrow(sl.Report.from_arrow(report)) == report


def test_reports_are_read_from_chunks_slices_and_plain_text() -> None:
    report = reports()[0]
    table = report.to_arrow()
    in_chunks = pa.concat_tables([table.slice(i, 1) for i in range(len(report))])
    assert sl.Report.from_arrow(in_chunks) == report
    assert sl.Report.from_arrow(table.slice(1)) == report[1:]
    plain = table.set_column(0, "collection", table["collection"].cast(pa.large_string()))
    assert sl.Report.from_arrow(plain) == report


def test_null_floats_are_nan_and_other_nulls_are_refused() -> None:
    table = pa.table({"threshold": pa.array([0.5, None]), "f1": pa.array([None, 1.0], pa.float32())})
    read = sl.Report.from_arrow(table)
    assert np.isnan(read["threshold"][1]) and np.isnan(read["f1"][0]) and read["threshold"][0] == 0.5
    with pytest.raises(sl.InvalidArgumentError, match="nulls"):
        sl.Report.from_arrow(pa.table({"entity_count": pa.array([1, None])}))
    with pytest.raises(sl.InvalidKeyError, match="null"):
        sl.Report.from_arrow(pa.table({"collection": pa.array(["a", None])}))
    with pytest.raises(sl.InvalidArgumentError, match="'flags'"):
        sl.Report.from_arrow(pa.table({"flags": pa.array([True])}))
    with pytest.raises(sl.InvalidArgumentError, match="PyCapsule"):
        sl.Report.from_arrow([1, 2])  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------------- partitions


@given(frames(), st.floats(0, 1))
def test_partitions_make_their_entities_again(frame: sl.EntityFrame, threshold: float) -> None:
    for name in frame.collection_names():
        partition = frame[name].at(threshold)
        for table in (partition, partition.to_arrow()):
            assert sl.Collection.from_labels(table, threshold=0.5).at(0.5) == partition


def test_partitions_come_back_through_pandas_and_polars() -> None:
    partition = measured()["model"].at(0.6)
    for table in (partition.to_pandas(), partition.to_polars(), pl.DataFrame(partition)):
        assert sl.Collection.from_labels(table).at(1.0) == partition
    mixed = sl.Collection.from_edges([(1, "a", 0.9), (b"x", ("other", 1), 0.9)]).at(0.9)
    assert sl.Collection.from_labels(mixed.to_pandas()).at(1.0) == mixed


def test_a_table_of_members_becomes_a_collection_of_a_frame() -> None:
    frame = measured()
    frame.add_collection_from_labels("again", frame["model"].at(0.6))
    assert frame["again"].at(1.0) == frame["model"].at(0.6)
    assert frame.num_records == 8
    with pytest.raises(sl.KeyNotFoundError, match="row 0"):
        frame.add_collection_from_labels("strangers", pa.table({"key": ["a"], "entity_id": [1]}), new_records="error")
    assert "strangers" not in frame


def test_members_of_one_source_need_no_column_of_sources() -> None:
    table = pa.table({"entity_id": ["x", "y", "x"], "key": [1, 2, 3]})
    collection = sl.Collection.from_labels(table, source="crm")
    assert collection.at(1.0).to_list() == [{("crm", 1), ("crm", 3)}, {("crm", 2)}]
    among = sl.Collection.from_labels(table, source="crm", records=range(1, 6))
    assert among.num_records == 5 and among.at(1.0).num_entities == 4


def test_bad_tables_of_members_are_errors_of_ours() -> None:
    with pytest.raises(sl.InvalidArgumentError, match="entity_id"):
        sl.Collection.from_labels(pa.table({"key": [1]}))
    with pytest.raises(sl.InvalidArgumentError, match="entity_id"):
        sl.Collection.from_labels(pd.DataFrame({"key": [1]}))
    with pytest.raises(sl.InvalidArgumentError, match="labels are missing"):
        sl.Collection.from_labels(["a", "b"])
    with pytest.raises(sl.OverlapError) as refused:
        sl.Collection.from_labels(pa.table({"key": [1, 2, 1], "entity_id": [0, 0, 1]}))
    assert (refused.value.row, refused.value.other_row) == (2, 0)
    with pytest.raises(sl.InvalidKeyError, match="row 1"):
        sl.Collection.from_labels(pa.table({"key": [1, -1], "entity_id": [0, 0]}))


# ------------------------------------------------------------------------------------------- whatever has columns


def test_every_result_with_columns_exports_them_and_leaves_nothing_behind() -> None:
    frame = measured()
    kept = sl.Collection.from_edges([(0, 1, 0.9), (1, 2, 0.4)], keep_edges=True)
    partition = frame["model"].at(0.6)
    results: list[Any] = [
        frame,
        frame["model"],
        partition,
        frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0)),
        frame.compare_all(sl.col("truth").at(1.0), [0.5, 0.9]),
        partition.map_arrow(sl.Ops.hash.sha256),
        partition.diff(frame["model"].at(0.9)),
        kept.edges,
        kept.lineage(0),
        kept.critical_merges(),
        frame.records("s"),
    ]
    tables = [pa.table(result) for result in results]
    assert all(table.num_columns and table.num_rows for table in tables)
    assert [pa.RecordBatchReader.from_stream(result).schema.names for result in results] == [
        table.column_names for table in tables
    ]
    del tables
    held = _core.memory_in_use()
    for result in results:
        result.__arrow_c_stream__(requested_schema=None)
    assert _core.memory_in_use() == held


def test_a_report_of_no_rows_keeps_its_columns() -> None:
    report = sl.Collection.from_edges([("a", "b", 0.9)]).sweep()
    empty = sl.Report.from_arrow(report.to_arrow().slice(0, 0))
    assert len(empty) == 0
    assert empty.to_arrow().column_names == report.columns
    assert empty.to_polars().columns == report.columns
