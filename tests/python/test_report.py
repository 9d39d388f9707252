"""Reports: a list of dicts to read, columns to compute with and to export."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import starlings as sl
from starlings import optional, plotting
from starlings.reports import Categories, Report

TIDY = ["collection", "collection_threshold", "reference", "reference_threshold", "metric_name", "metric_value"]


@pytest.fixture
def report() -> Report:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.75)])
    frame.add_collection_from_edges("rules", [("a", "b", 0.5), ("c", "x", 0.25)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"x", "y"}])
    expressions = sl.col("model").sweep(), sl.col("rules").sweep(), sl.col("truth").at(1.0)
    return frame.analyse(*expressions, metrics=["f1", "recall", "entity_count"])


def test_a_sequence_of_dicts(report: Report) -> None:
    rows = list(report)
    assert isinstance(report, Sequence) and len(report) == 5
    assert rows == [report[i] for i in range(5)] == [report[i - 5] for i in range(5)]
    assert report == rows and rows == report and report == tuple(rows) and report != rows[:-1] and report != 5
    assert rows[1] in report and report.index(rows[3]) == 3 and list(reversed(report)) == rows[::-1]
    assert report != [*rows[:-1], rows[0]]
    for cut in (slice(1, 3), slice(None, None, -2), slice(-2, None), slice(7, 9)):
        assert isinstance(report[cut], Report) and report[cut] == rows[cut]
    for index in (5, -6):
        with pytest.raises(IndexError, match="5 rows"):
            report[index]
    with pytest.raises(TypeError):
        hash(report)
    assert not report[:0] and list(report[:0]) == []


def test_values_are_plain(report: Report) -> None:
    assert {name: type(value) for name, value in report[0].items()} == {
        "collection": str,
        "threshold": float,
        "reference": str,
        "reference_threshold": float,
        "f1": float,
        "recall": float,
        "entity_count": int,
    }


def test_columns(report: Report) -> None:
    assert report.columns == list(report[0]) and report.metrics == ["f1", "recall", "entity_count"]
    assert report["f1"].dtype == np.float64 and report["entity_count"].dtype == np.int64
    assert report["collection"].tolist() == ["model"] * 3 + ["rules"] * 2
    assert not report["f1"].flags.writeable and not report["collection"].flags.writeable
    with pytest.raises(sl.ColumnNotFoundError, match="did you mean 'f1'") as caught:
        report["f11"]
    assert isinstance(caught.value, KeyError)


def test_equality_is_by_value(report: Report) -> None:
    names = Categories(np.array([1, 0], dtype=np.uint32), ("b", "a"))
    other = Categories(np.array([0, 1], dtype=np.uint32), ("a", "b"))
    nan = np.array([np.nan, 1.0])
    assert Report({"c": names, "x": nan}) == Report({"c": other, "x": nan.copy()})
    assert Report({"c": names}) != Report({"d": names})
    assert report == report[:] and report != report[1:]
    with pytest.raises(sl.InvalidArgumentError, match="one length"):
        Report({"a": np.zeros(2), "b": np.zeros(3)})


def test_best(report: Report) -> None:
    assert report.best("f1")["threshold"] == 0.75
    assert report.best(sl.f1) == report.best("f1")
    rows = [row for row in report if row["recall"] == max(report["recall"])]
    assert report.best("recall") == max(rows, key=lambda row: row["threshold"]), "of equal ones the highest"
    with pytest.raises(sl.UnknownMetricError, match="'recall'"):
        report.best("recal")
    with pytest.raises(sl.UnknownMetricError):
        report.best("threshold")
    with pytest.raises(sl.InvalidArgumentError, match="empty"):
        report[:0].best("f1")


def test_tidy(report: Report) -> None:
    tidy = report.tidy()
    assert tidy.columns == TIDY and len(tidy) == 15
    expected = [
        dict(
            zip(
                TIDY,
                [row["collection"], row["threshold"], row["reference"], row["reference_threshold"], name, row[name]],
                strict=True,
            )
        )
        for row in report
        for name in report.metrics
    ]
    assert tidy == expected
    assert tidy.tidy() is tidy
    assert report[:0].tidy().columns == TIDY


def test_tidy_statistics() -> None:
    tidy = sl.Collection.from_edges([("a", "b", 0.5)]).sweep(0.5, 0.5).tidy()
    assert tidy.columns == TIDY and len(tidy) == len(sl.Metrics.stats)
    assert set(tidy["reference"]) == {""} and np.isnan(tidy["reference_threshold"]).all()


# -------------------------------------------------------------------------------------------------------------- exports


def test_arrow(report: Report) -> None:
    table = report.to_arrow()
    assert table.column_names == report.columns
    assert table.to_pylist() == list(report)
    assert pa.table(report).equals(table) and pa.table(report).equals(table), "as often as wanted"
    assert pa.types.is_dictionary(table["collection"].type) and table["entity_count"].type == pa.int64()
    table.validate(full=True)


def test_polars(report: Report) -> None:
    assert report.to_polars().to_dicts() == list(report)
    assert pl.DataFrame(report._table).columns == report.columns


def test_pandas(report: Report) -> None:
    frame = report.to_pandas()
    assert frame.to_dict("records") == list(report)
    assert isinstance(frame["collection"].dtype, pd.CategoricalDtype) and frame["entity_count"].dtype == np.int64


@pytest.mark.parametrize("export", ["to_arrow", "to_polars", "to_pandas", "tidy"])
def test_empty(report: Report, export: str) -> None:
    assert len(getattr(report[:0], export)()) == 0


@pytest.mark.parametrize("export", ["to_arrow", "to_polars", "to_pandas"])
def test_slices_and_tidy_export_too(report: Report, export: str) -> None:
    assert len(getattr(report[::-2], export)()) == 3
    assert len(getattr(report.tidy(), export)()) == 15
    assert report[::-2].to_arrow().to_pylist() == list(report[::-2])


@pytest.mark.parametrize(
    ("method", "library", "extra"),
    [
        ("to_arrow", "pyarrow", "arrow"),
        ("to_polars", "polars", "polars"),
        ("to_pandas", "pandas", "pandas"),
        ("plot", "altair", "plot"),
    ],
)
def test_missing_libraries(
    report: Report, monkeypatch: pytest.MonkeyPatch, method: str, library: str, extra: str
) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(optional, "import_module", missing)
    with pytest.raises(sl.MissingDependencyError, match=rf'pip install "starlings\[{extra}\]"') as caught:
        getattr(report, method)()
    assert library in str(caught.value) and isinstance(caught.value, ImportError)


# --------------------------------------------------------------------------------------------------------- what is seen


def test_repr(report: Report) -> None:
    text = repr(report[:2])
    assert text.splitlines()[0] == "Report of 2 rows" and "reference_threshold" in text and "0.75" in text
    long = Report({"threshold": np.arange(1000) / 1000})
    assert repr(long).splitlines()[-1] == "... 990 more rows"
    assert len(repr(long).splitlines()) == 13
    assert "990 more rows" in long._repr_html_()
    assert repr(report[:0]).startswith("Report of 0 rows")
    assert "&lt;b&gt;" in Report({"collection": Categories.repeated("<b>", 1)})._repr_html_()


def curves(chart: Any) -> set[str]:
    """What the lines of a chart are called."""
    (points,) = chart.to_dict()["datasets"].values()
    return {point["curve"] for point in points}


def test_each_reference_cut_has_a_line_of_its_own() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("bits", [(0, 1, 12.345678), (1, 2, 12.345681)], scale="weight")
    frame.add_collection_from_edges("model", [(0, 1, 0.5)])
    report = frame.analyse(sl.col("model").at(0.5), sl.col("bits").sweep(), metrics="f1")
    assert curves(report.plot()) == {"model against bits at 12.345678", "model against bits at 12.345681"}
    matrix = sl.BatchProcessor(frame).parallel_batch_comparison(["bits", "model"], [0.5, 1.0], "f1")
    names = {f"{a} against {b} at {at}" for a in ("bits", "model") for b in ("bits", "model") for at in (0.5, 1.0)}
    assert curves(matrix.report.plot()) == names
    one = sl.BatchProcessor(frame).parallel_batch_comparison(["bits", "model"], 0.5, "f1")
    assert len(curves(one.report.plot())) == 4, "references may differ in their collection alone"


def test_plot(report: Report) -> None:
    chart = report.plot("f1", sl.recall)
    spec = chart.to_dict()
    values = next(iter(spec["datasets"].values())) if "datasets" in spec else spec["data"]["values"]
    drawn = {(v["metric"], v["curve"], v["threshold"], v["value"]) for v in values}
    assert drawn == {
        (name, row["collection"], row["threshold"], row[name]) for row in report for name in ("f1", "recall")
    }
    assert report.plot().to_dict()["vconcat"], "counts get a panel of their own"
    assert report.tidy  # unchanged
    with pytest.raises(sl.UnknownMetricError):
        report.plot("f2")


def test_long_curves_are_thinned() -> None:
    values = np.sin(np.arange(100_000) / 500)
    values[77_777] = 5.0
    kept = plotting.thin(values)
    assert len(kept) <= 402 and kept[0] == 0 and kept[-1] == 99_999 and 77_777 in kept
    assert plotting.thin(values[:100]).tolist() == list(range(100))
    chart = Report({"threshold": np.arange(100_000) / 100_000, "f1": values}).plot()
    assert len(chart.to_json()) < 200_000


def test_a_million_rows_cost_no_million_dicts() -> None:
    n = 1_000_000
    tracemalloc.start()
    report = Report(
        {
            "collection": Categories.repeated("model", n),
            "threshold": np.arange(n) / n,
            "f1": np.random.default_rng(1).random(n),
        }
    )
    best = report.best("f1")
    first, last = report[0], report[-1]
    tail = report[-10:]
    next(iter(report))
    text = repr(report)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6
    assert first["threshold"] == 0.0 and last in tail and best["f1"] == report["f1"].max() and "1,000,000" in text
