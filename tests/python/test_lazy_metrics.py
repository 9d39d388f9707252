"""Metrics computed when asked for are those of the curve, and what is kept, carried on or begun anew is counted."""

from __future__ import annotations

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plain_metrics
import starlings as sl
from graph_cases import frame_of
from plain_metrics import close
from starlings import _core
from starlings.testing import Graph, graphs, labels

ALONE = {metric.name for metric in sl.Metrics.stats}
OF_LIFETIMES = {"entity_stability", "threshold_sensitivity"}
NAMES = [name for name, *_ in _core.metric_names()]


def chain() -> sl.EntityFrame:
    """Six records that come together at 0.9, 0.8, 0.7, 0.6 and 0.5; two true entities."""
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [(i, i + 1, 0.9 - i / 10) for i in range(5)])
    frame.add_collection_from_entities("truth", [{0, 1, 2}, {3, 4, 5}])
    return frame


@given(graphs(max_records=14), st.data())
def test_metrics_by_definition(graph: Graph, data: st.DataObject) -> None:
    truth = data.draw(labels(graph.num_records))
    frame = frame_of(graph, truth)
    model = frame["model"]
    lazy = sl.LazyMetrics(model, frame["truth"].at(1.0))
    for threshold in data.draw(st.lists(st.floats(0, 1), max_size=8)):
        judged = model.at(threshold).labels.tolist()
        for name in data.draw(st.lists(st.sampled_from([n for n in NAMES if n not in OF_LIFETIMES]), max_size=3)):
            reference = None if name in ALONE else truth
            parameter = (1.0,) if name == "f_beta" else ()
            assert close(lazy.get(name, threshold), plain_metrics.metric(name, judged, reference, *parameter)), name


def test_thresholds_are_on_the_scale_of_the_collection() -> None:
    frame = chain()
    frame.add_collection_from_edges("bits", [(0, 1, 17.5), (1, 2, -3.0)], scale="weight")
    lazy = sl.LazyMetrics(frame["bits"], frame["truth"].at(1.0))
    for threshold in (20.0, 17.5, 1.0, -3.0, -1e300):
        (row,) = frame.analyse(sl.col("bits").at(threshold), sl.col("truth").at(1.0), metrics=["f1"])
        assert close(lazy.get("f1", threshold), row["f1"])
    with pytest.raises(sl.InvalidThresholdError, match="a finite number"):
        lazy.get("f1", math.inf)
    against_bits = sl.LazyMetrics(frame["model"], frame["bits"].at(-3.0))
    with pytest.raises(sl.InvalidThresholdError, match=r"in \[0, 1\]"):
        against_bits.get("f1", 2.0)


def test_every_metric_is_that_of_analyse() -> None:
    frame = chain()
    lazy = sl.LazyMetrics(frame["model"], frame["truth"].at(1.0))
    metrics = [*sl.Metrics.eval, *sl.Metrics.stats, sl.f_beta(0.5), sl.threshold_sensitivity(0.2)]
    sweep = sl.col("model").sweep(0.0, 1.0, 0.05)
    report = frame.analyse(sweep, sl.col("truth").at(1.0), metrics=metrics)
    column = "judged_threshold" if "judged_threshold" in report[0] else "threshold"
    for row in reversed(list(report)):
        for metric in metrics:
            assert close(lazy.get(metric, row[column]), row[metric.label]), metric


def test_what_was_done_is_counted() -> None:
    frame = chain()
    lazy = sl.LazyMetrics(frame["model"], frame["truth"].at(1.0))
    assert (lazy.stats.total, lazy.stats.speedup) == (0, None)
    for metric, threshold in [("f1", 0.85), ("f1", 0.65), ("nmi", 0.65), ("f1", 0.66), ("f1", 0.75), ("f1", 0.55)]:
        lazy.get(metric, threshold)
    stats = lazy.stats
    assert (stats.total, stats.incremental, stats.cached) == (6, 2, 2)  # 0.65 and 0.55; nmi and 0.66
    assert stats.seconds > 0
    assert stats.speedup is not None
    assert stats.speedup >= 1
    assert repr(lazy) == "<lazy metrics, 6 computed>"


def test_records_of_one_side_are_singletons_of_the_other() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9)])
    few = frame["model"].at(0.5)
    old = frame["model"]
    frame.add_collection_from_edges("more", [("a", "b", 0.8), ("c", "d", 0.7)])
    lazy = sl.LazyMetrics(frame["more"], few)
    assert lazy.get("precision", 0.75) == 1.0
    assert lazy.get("precision", 0.7) == 0.5
    lazy = sl.LazyMetrics(old, frame["more"].at(0.5))
    assert lazy.get("entity_count", 0.5) == 3
    assert lazy.get("recall", 0.5) == 0.5


def test_a_collection_is_measured_as_it_was() -> None:
    collection = sl.Collection.from_edges([("a", "b", 0.9), ("c", "d", 0.5)])
    lazy = sl.LazyMetrics(collection, collection.at(0.5))
    collection.add_edges([("b", "c", 0.9)])
    assert lazy.get("entity_count", 0.5) == 2
    assert lazy.get("f1", 0.5) == 1.0


def test_no_records() -> None:
    collection = sl.Collection.from_edges([])
    lazy = sl.LazyMetrics(collection, collection.at(1.0))
    assert (lazy.get("f1", 0.5), lazy.get("entity_count", 0.5)) == (1.0, 0.0)


def test_bad_input_is_refused() -> None:
    frame, other = chain(), chain()
    with pytest.raises(sl.InvalidArgumentError, match="different records"):
        sl.LazyMetrics(frame["model"], other["truth"].at(1.0))
    with pytest.raises(sl.InvalidArgumentError, match="must be a Collection"):
        sl.LazyMetrics("model", frame["truth"].at(1.0))  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="must be a Partition"):
        sl.LazyMetrics(frame["model"], frame["truth"])  # type: ignore[arg-type]
    lazy = sl.LazyMetrics(frame["model"], frame["truth"].at(1.0))
    with pytest.raises(sl.UnknownMetricError, match="f1"):
        lazy.get("f11", 0.5)
    for threshold in (-0.1, 1.1, math.nan):
        with pytest.raises(sl.InvalidThresholdError):
            lazy.get("f1", threshold)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(lazy)
    assert lazy.stats.total == 0


def test_core_refuses_what_is_none() -> None:
    frame = chain()
    model, truth = frame["model"]._state, frame["truth"].at(1.0)._core
    with pytest.raises(TypeError):
        _core.LazyMetrics(model.core, 0, truth)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        _core.LazyMetrics(model.hierarchy, 0, None)  # type: ignore[arg-type]
    lazy = _core.LazyMetrics(model.hierarchy, 0, truth)
    with pytest.raises(sl.UnknownMetricError):
        lazy.get("g1", 0.5)
    with pytest.raises(sl.InvalidThresholdError):
        lazy.get("f1", 2.0)
    with pytest.raises(sl.InvalidArgumentError, match="beta"):
        lazy.get("f_beta", 0.5, -1.0)
    with pytest.raises(TypeError):
        lazy.get("f_beta", 0.5, "x")  # type: ignore[arg-type]


def test_many_threads_get_the_same_answers() -> None:
    frame = chain()
    model, truth = frame["model"], frame["truth"].at(1.0)
    thresholds = [((i * 37) % 100) / 100 for i in range(400)]
    alone = sl.LazyMetrics(model, truth)
    together = sl.LazyMetrics(model, truth)
    expected = [alone.get("ari", threshold) for threshold in thresholds]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda threshold: together.get("ari", threshold), thresholds)) == expected
    assert together.stats.total == 400
