"""compare_all: all other collections of a frame against one, in one call, as they are one by one."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import starlings as sl
from starlings.testing import Graph, graphs

COMPARISON = ["collection", "threshold", "reference", "reference_threshold", "f1", "precision", "recall", "ari", "nmi"]


@pytest.fixture
def frame() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.75)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"x", "y"}])
    frame.add_collection_from_edges("rules", [("a", "b", 0.5), ("c", "x", 0.25)], quantise=None)
    return frame


def one_by_one(frame: sl.EntityFrame, cuts: list[tuple[str, float]], reference: Any, **options: Any) -> list[Any]:
    """Each cut in a call of its own."""
    return [row for name, at in cuts for row in frame.analyse(sl.col(name).at(at), reference, **options)]


def test_every_distinct_threshold_by_default(frame: sl.EntityFrame) -> None:
    report = frame.compare_all("truth")
    cuts = [("model", 0.6), ("model", 0.75), ("model", 0.9), ("rules", 0.25), ("rules", 0.5)]
    assert report.columns == COMPARISON
    assert list(zip(report["collection"], report["threshold"], strict=True)) == cuts
    assert set(report["reference"]) == {"truth"} and set(report["reference_threshold"]) == {1.0}
    assert report == frame.analyse(sl.col("model").sweep(), sl.col("rules").sweep(), sl.col("truth").at(1.0))


@pytest.mark.parametrize("thresholds", [0.5, [0.5], (0.9, 0.1, 0.5), np.array([0.0, 1.0]), iter([0.5, 0.6]), []])
def test_the_same_thresholds_for_all(frame: sl.EntityFrame, thresholds: Any) -> None:
    points = [0.5, 0.6] if hasattr(thresholds, "__next__") else np.atleast_1d(thresholds).tolist()
    report = frame.compare_all("truth", thresholds, metrics=["f1", "entity_count"])
    assert report.columns == [*COMPARISON[:5], "entity_count"]
    expected = one_by_one(
        frame, list(product(["model", "rules"], points)), sl.col("truth").at(1.0), metrics=["f1", "entity_count"]
    )
    assert report == expected


def test_thresholds_by_name(frame: sl.EntityFrame) -> None:
    reference = sl.col("truth").at(1.0)
    report = frame.compare_all("truth", {"rules": [0.5, 0.1], "truth": 0.3, "model": 0.7})
    assert report == one_by_one(frame, [("rules", 0.5), ("rules", 0.1), ("model", 0.7)], reference)
    assert frame.compare_all("truth", {"model": None}) == frame.analyse(sl.col("model").sweep(), reference)
    assert frame.compare_all("truth", {"truth": None}).columns == COMPARISON


def test_the_reference_may_be_any_expression(frame: sl.EntityFrame) -> None:
    for reference in (sl.col("model").at(0.7), sl.col("model").sweep(), sl.col("model").sweep(step=0.5).reference()):
        report = frame.compare_all(reference, [0.2, 0.5])
        expressions = [sl.col(name).sweep(0.2, 0.5, 0.3) for name in ("truth", "rules")]
        assert report == frame.analyse(*expressions, reference)
    assert len(frame.compare_all(sl.col("model").sweep())) == (1 + 2) * 3


def test_with_nothing_else_the_report_is_empty() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_entities("truth", [{"a", "b"}])
    for reference in ("truth", sl.col("truth").sweep(0, 1)):
        report = frame.compare_all(reference, metrics=["f1", "entity_count"])
        assert len(report) == 0 and report.columns == [*COMPARISON[:5], "entity_count"]
        assert report["f1"].dtype == float and report["entity_count"].dtype == np.int64
        assert report.to_arrow().num_rows == len(report.to_pandas()) == len(report.to_polars()) == 0
        assert list(report) == [] and "0 rows" in repr(report) and report.tidy().columns[0] == "collection"


@pytest.mark.parametrize("reference", ["modle", sl.col("modle").sweep()])
def test_unknown_references(frame: sl.EntityFrame, reference: Any) -> None:
    with pytest.raises(sl.CollectionNotFoundError, match="did you mean 'model'"):
        frame.compare_all(reference)


def test_unknown_names_and_wrong_thresholds(frame: sl.EntityFrame) -> None:
    with pytest.raises(sl.CollectionNotFoundError, match="did you mean 'rules'"):
        frame.compare_all("truth", {"rule": 0.5})
    for thresholds in (2.0, [0.5, -1], "0.5", {"model": float("nan")}, {"model": [None]}):
        with pytest.raises(sl.InvalidThresholdError):
            frame.compare_all("truth", thresholds)
    with pytest.raises(sl.UnknownMetricError, match="'f1'"):
        frame.compare_all("truth", metrics=["f2"])
    with pytest.raises(sl.InvalidArgumentError, match="name is a str, not 5"):
        frame.compare_all("truth", {5: 0.5})
    for reference in (5, None, sl.col("truth")):
        with pytest.raises(sl.InvalidArgumentError):
            frame.compare_all(reference)


@given(graphs(max_records=10), graphs(max_records=10), graphs(max_records=10))
@settings(max_examples=25)
def test_random_frames_on_any_number_of_threads(one: Graph, two: Graph, three: Graph) -> None:
    frame = sl.EntityFrame()
    for name, graph in zip("abc", (one, two, three), strict=True):
        frame.add_collection_from_edges(name, graph.edges)
    reports = []
    for count in (1, 4, 0):
        sl.set_num_threads(count)
        reports.append(frame.compare_all(sl.col("b").sweep(), metrics=[*sl.Metrics.eval, *sl.Metrics.stats]))
    for report in reports[1:]:
        assert all(report[name].tolist() == reports[0][name].tolist() for name in report.columns)
    assert reports[0] == frame.analyse(
        sl.col("a").sweep(), sl.col("c").sweep(), sl.col("b").sweep(), metrics=[*sl.Metrics.eval, *sl.Metrics.stats]
    )


def test_it_tells_progress_and_can_be_stopped(frame: sl.EntityFrame) -> None:
    random = np.random.default_rng(3)
    for name in ("one", "two", "three"):
        frame.add_collection_from_edges(name, (*random.integers(0, 200_000, (2, 300_000)), random.random(300_000)))

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frame.compare_all("one", progress=stop)
    assert frame.collection_names() == ["model", "truth", "rules", "one", "two", "three"]
    assert len(frame.compare_all("one", 0.5, progress=lambda *call: None)) == 5
