"""Every metric, at every threshold, is what its definition and scikit-learn say."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

import plain_metrics
import starlings as sl
from graph_cases import built, frame_of
from plain_metrics import close
from starlings import _core
from starlings.testing import Graph, graphs, labels

SKLEARN = {
    "rand": sklearn_metrics.rand_score,
    "ari": sklearn_metrics.adjusted_rand_score,
    "fowlkes_mallows": sklearn_metrics.fowlkes_mallows_score,
    "mutual_information": sklearn_metrics.mutual_info_score,
    "nmi": sklearn_metrics.normalized_mutual_info_score,
    "homogeneity": sklearn_metrics.homogeneity_score,
    "completeness": sklearn_metrics.completeness_score,
    "v_measure": sklearn_metrics.v_measure_score,
}
EVERY_COMPARED = [metric.name for metric in sl.Metrics.eval] + ["f_beta(0.5)", "f_beta(2.0)"]


OF_LIFETIMES = {"entity_stability", "threshold_sensitivity"}


def labels_of(collection: sl.Collection, threshold: float) -> list[int]:
    return collection.at(threshold).labels.tolist()


def plain(name: str, judged: list[int], truth: list[int] | None) -> float:
    if name.startswith("f_beta"):
        return plain_metrics.metric("f_beta", judged, truth, float(name[7:-1]))
    return plain_metrics.metric(name, judged, truth)


@given(graphs(max_records=16), st.data())
def test_comparisons_by_definition(graph: Graph, data: st.DataObject) -> None:
    truth = data.draw(labels(graph.num_records))
    frame = frame_of(graph, truth)
    for row in frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=EVERY_COMPARED):
        judged = labels_of(frame["model"], row["threshold"])
        for name in EVERY_COMPARED:
            assert close(row[name], plain(name, judged, truth)), (name, row)


@given(graphs(), st.data())
def test_comparisons_as_scikit_learn(graph: Graph, data: st.DataObject) -> None:
    truth = data.draw(labels(graph.num_records))
    frame = frame_of(graph, truth)
    for row in frame.analyse(sl.col("model").sweep(0, 1, 0.2), sl.col("truth").at(1.0), metrics=list(SKLEARN)):
        judged = labels_of(frame["model"], row["threshold"])
        for name, function in SKLEARN.items():
            assert close(row[name], function(truth, judged)), (name, row)


@given(graphs())
def test_statistics_by_definition(graph: Graph) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    for row in collection.sweep(0.0, 1.0, 0.125):
        judged = labels_of(collection, row["threshold"])
        for metric in sl.Metrics.stats:
            assert isinstance(row[metric.name], int if metric.is_count else float)
            if metric.name not in OF_LIFETIMES:
                assert close(row[metric.name], plain(metric.name, judged, None)), (metric, row)


@given(graphs(max_records=12), st.booleans(), st.sampled_from([0.05, 0.1, 0.125, 1.0]))
def test_lifetimes_by_definition(graph: Graph, exact: bool, shift: float) -> None:
    collection = built(graph, exact)
    frame = sl.EntityFrame()
    frame.add_collection("model", collection)
    cut = cache(lambda threshold: labels_of(collection, threshold))
    sensitivity = sl.threshold_sensitivity(shift)
    metrics = [sl.entity_stability, sensitivity]
    for row in frame.analyse(sl.col("model").sweep(0.0, 1.0, 0.125), metrics=metrics):
        at = row["threshold"]
        assert close(row["entity_stability"], plain_metrics.entity_stability(cut, collection.thresholds.tolist(), at))
        assert row[sensitivity.label] == plain_metrics.threshold_sensitivity(cut, at, shift)


@given(graphs(), st.data())
def test_statistics_may_stand_beside_comparisons(graph: Graph, data: st.DataObject) -> None:
    frame = frame_of(graph, data.draw(labels(graph.num_records)))
    report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["entity_count", "f1"])
    alone = frame.analyse(sl.col("model").sweep(), metrics=["entity_count"])
    assert report["entity_count"].tolist() == alone["entity_count"].tolist()


@given(graphs(max_records=12), st.sampled_from(EVERY_COMPARED))
def test_a_partition_agrees_with_itself(graph: Graph, name: str) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", graph.edges)
    at = sl.col("model").at(0.5)
    if not frame.num_records:
        return
    row = frame.analyse(at, at, metrics=[name])[0]
    statistics = frame.analyse(at, metrics=["entropy", "pair_count"])[0]
    expected = {
        "variation_of_information": 0.0,
        "mutual_information": statistics["entropy"],
        "fowlkes_mallows": float(statistics["pair_count"] > 0),
    }.get(name, 1.0)
    assert close(row[name], expected)


@pytest.mark.parametrize("name", EVERY_COMPARED)
@pytest.mark.parametrize(
    ("judged", "truth"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        ([0, 1, 2, 3], [0, 0, 0, 0]),
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
        ([0], [0]),
        ([0, 0], [0, 1]),
    ],
)
def test_edge_cases(name: str, judged: list[int], truth: list[int]) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_labels("judged", range(len(judged)), judged)
    frame.add_collection_from_labels("truth", range(len(judged)), truth)
    value = frame.analyse(sl.col("judged").at(1.0), sl.col("truth").at(1.0), metrics=[name])[0][name]
    assert close(value, plain(name, judged, truth))
    if name in SKLEARN:
        assert close(value, SKLEARN[name](truth, judged))


def test_two_identical_trivial_partitions_agree() -> None:
    frame = sl.EntityFrame.from_records("default", [{}] * 5)
    frame.add_collection_from_edges("a", [])
    frame.add_collection_from_edges("b", [])
    row = frame.analyse(sl.col("a").at(0.5), sl.col("b").at(0.5), metrics=["ari", "nmi", "v_measure", "f1"])[0]
    assert [row[name] for name in ("ari", "nmi", "v_measure", "f1")] == [1.0] * 4


def test_empty_frame() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("a", [])
    frame.add_collection_from_edges("b", [])
    at = sl.col("a").at(0.5), sl.col("b").at(0.5)
    row = frame.analyse(*at, metrics=sl.Metrics.eval)[0]
    assert row["f1"] == row["precision"] == row["recall"] == row["ari"] == row["nmi"] == 1.0
    assert not any(math.isnan(row[metric.name]) for metric in sl.Metrics.eval)
    counts = frame.analyse(at[0], metrics=sl.Metrics.stats)[0]
    assert [counts[name] for name in ("entity_count", "largest_entity", "singletons", "pair_count")] == [0] * 4
    assert (counts["entity_stability"], counts["threshold_sensitivity"]) == (1.0, 0.0)


def test_registry_is_the_engine_s() -> None:
    engine = {name: (needs, count, text) for name, needs, count, text in _core.metric_names()}
    ours = {
        metric.name: (metric.needs_reference, metric.is_count, metric.definition)
        for metric in [*sl.Metrics.eval, *sl.Metrics.stats, sl.f_beta(1.0)]
    }
    assert ours == engine
    for name in engine.keys() - {"f_beta"}:
        constant = getattr(sl, name)
        group = sl.Metrics.eval if constant.needs_reference else sl.Metrics.stats
        assert constant is getattr(group, name) and constant in group
        assert constant.__doc__ == constant.definition
        assert name in type(group).__annotations__, "typed"
        assert name in sl.__all__


def test_pair_count_of_a_large_entity_is_exact() -> None:
    n = 200_000
    collection = sl.Collection.from_labels(range(n), [0] * n)
    assert collection.sweep(1.0, 1.0)[0]["pair_count"] == n * (n - 1) // 2
