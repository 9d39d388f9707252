"""ER-Evaluation itself on what we hand over, and ours on its vectors: the same figures, estimates included."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from er_evaluation import estimators, metrics
from er_evaluation.data_structures import ismembership, membership_to_clusters

import starlings as sl
from starlings.adapters import er_evaluation as adapter

SAME = {
    "precision": metrics.pairwise_precision,
    "recall": metrics.pairwise_recall,
    "f1": metrics.pairwise_f,
    "cluster_precision": metrics.cluster_precision,
    "cluster_recall": metrics.cluster_recall,
    "cluster_f1": metrics.cluster_f,
    "homogeneity": metrics.cluster_homogeneity,
    "completeness": metrics.cluster_completeness,
    "v_measure": metrics.cluster_v_measure,
    "rand": metrics.rand_score,
    "ari": metrics.adjusted_rand_score,
}
THEIRS_ALONE = [metrics.b_cubed_precision, metrics.b_cubed_recall, metrics.b_cubed_f]
ESTIMATED = {
    "precision": estimators.pairwise_precision_estimator,
    "recall": estimators.pairwise_recall_estimator,
    "cluster_recall": estimators.cluster_recall_estimator,
}


def vectors(kind: str) -> tuple[pd.Series, pd.Series]:
    """A prediction and a truth over 400 records, under keys of a kind."""
    random = np.random.default_rng(7)
    truth = random.integers(0, 150, 400)
    prediction = np.where(random.random(400) < 0.8, truth, random.integers(0, 150, 400))
    index: pd.Index = {
        "integers": pd.Index(np.arange(400) * 3 + 2**33),
        "text": pd.Index([f"é{i}" for i in range(400)]),
        "tuples": pd.Index([("ab"[i % 2], i // 2) for i in range(400)], tupleize_cols=False),
        "two levels": pd.MultiIndex.from_arrays([list("ab") * 200, np.repeat(np.arange(200), 2)]),
    }[kind]
    called = pd.Series(prediction, index=index).map("c{}".format)
    return called, pd.Series(truth, index=index)


@pytest.mark.parametrize("kind", ["integers", "text", "tuples", "two levels"])
def test_figures_are_the_same_on_both_sides(kind: str) -> None:
    prediction, truth = vectors(kind)
    frame = adapter.frame({"prediction": prediction, "truth": truth})
    ours, reference = (adapter.to_membership(frame[name].at(1.0)) for name in ("prediction", "truth"))
    assert ismembership(ours) and len(ours) == 400
    report = frame.analyse(sl.col("prediction").at(1.0), sl.col("truth").at(1.0), metrics=list(SAME))[0]
    for name, function in SAME.items():
        assert report[name] == pytest.approx(function(ours, reference), rel=1e-9), name
    plain = [pd.Series(vector.to_numpy(), index=range(400)) for vector in (prediction, truth)]
    for function in THEIRS_ALONE:
        assert function(ours, reference) == pytest.approx(function(*plain), rel=1e-12)
    assert list(ours.index) == list(prediction.index)
    assert pd.Series(pd.factorize(ours)[0]).equals(pd.Series(pd.factorize(prediction)[0]))


def test_estimates_from_a_sample_are_the_same() -> None:
    prediction, truth = vectors("integers")
    sample = truth[truth.isin(np.arange(0, 150, 4))]
    frame = adapter.frame({"prediction": prediction, "truth": truth})
    handed = adapter.to_membership(frame["prediction"].at(1.0))
    for theirs, ours in (("uniform", "uniform"), ("cluster_size", "size")):
        report = frame.estimate(sl.col("prediction").at(1.0), sample, weights=ours, metrics=list(ESTIMATED))[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            for name, function in ESTIMATED.items():
                estimate, deviation = function(handed, sample, theirs)
                assert (estimate, deviation) == pytest.approx(function(prediction, sample, theirs), rel=1e-12)
                assert report[f"{name}_se"] == pytest.approx(deviation, rel=1e-6)
                assert report[name] == pytest.approx(estimate, abs=deviation / 10)  # it takes off a bias of order 1/n


def test_predictions_by_name_go_into_its_tables() -> None:
    edges = [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)]
    collection = sl.Collection.from_edges(edges)
    predictions = adapter.to_predictions(collection, [0.9, 0.7, 0.6, 1 / 3])
    assert list(predictions) == ["0.9", "0.7", "0.6", "0.333333"]
    truth = adapter.to_membership(sl.Collection.from_entities([{"a", "b"}, {"c"}, {"x", "y"}]).at(1.0))
    table = metrics.metrics_table(predictions, {"truth": truth})
    recall = table[table["metric"] == "Pairwise Recall"].set_index("prediction")["value"]
    frame = sl.EntityFrame()
    frame.add_collection("model", collection)
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"x", "y"}])
    for name in predictions:
        cut = frame.analyse(sl.col("model").at(float(name)), sl.col("truth").at(1.0), metrics=["recall"])[0]
        assert recall[name] == pytest.approx(cut["recall"])
    back = adapter.frame(predictions)
    assert back.collection_names() == list(predictions)
    assert back["0.7"].at(1.0) == collection.at(0.7)


def test_records_without_an_entity_are_left_out() -> None:
    for nothing in (None, np.nan, pd.NA, pd.NaT):
        membership = pd.Series(["c", "c", nothing, "d"], index=["p", "q", "r", "s"])
        partition = adapter.from_membership(membership).at(1.0)
        assert partition.to_list() == [{("default", "p"), ("default", "q")}, {("default", "s")}]


@pytest.mark.parametrize("values", [[], [5], [5, 5], [-1, -1, 2], [0.5, 0.5, 1.5], [b"x", "x", 3]])
def test_few_records_and_entities_of_any_kind(values: list[object]) -> None:
    membership = pd.Series(values, index=np.arange(len(values)), dtype=object if values else "int64")
    partition = adapter.from_membership(membership, threshold=0.5, source="s").at(0.5)
    assert partition.num_records == len(values)
    assert partition.num_entities == len(set(map(repr, values)))
    assert {source for members in partition.to_list() for source, _ in members} <= {"s"}
    handed = adapter.to_membership(partition)
    assert handed.dtype == np.int64 and list(handed.index) == list(range(len(values)))
    assert len(membership_to_clusters(handed)) == partition.num_entities


def test_what_is_wrong_is_named() -> None:
    for wrong in ({"a": 1}, pd.DataFrame({"a": [1]}), [1, 2], pd.Index([1])):
        with pytest.raises(sl.InvalidArgumentError, match="Series of pandas"):
            adapter.from_membership(wrong)
    with pytest.raises(sl.OverlapError, match="record 'a' is in the index twice, with the entities 'x' and 'y'"):
        adapter.from_membership(pd.Series(["x", "y"], index=["a", "a"]))
    with pytest.raises(sl.InvalidKeyError):
        adapter.from_membership(pd.Series([1, 1], index=[-1, 2]))
    with pytest.raises(sl.InvalidArgumentError, match="'second': a membership vector"):
        adapter.frame({"first": pd.Series([1]), "second": [1]})
    with pytest.raises(sl.InvalidArgumentError, match="by name"):
        adapter.frame(pd.Series([1]))  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="no Partition"):
        adapter.to_membership(sl.Collection.from_edges([]))  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="several"):
        adapter.to_predictions(sl.Collection.from_edges([]), 0.5)  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="no Collection"):
        adapter.to_predictions(sl.EntityFrame(), [0.5])  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="several"):
        adapter.to_predictions(sl.Collection.from_edges([]), np.float32(0.5))  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="comparable"):
        adapter.from_membership(pd.Series([[1], [1]], index=[1, 2]))
    with pytest.raises(sl.OverlapError, match=r"record \('a', 1\) is in the index twice, with the entities 1 and 2"):
        adapter.from_membership(pd.Series([1, 2], index=pd.MultiIndex.from_tuples([("a", 1), ("a", 1)])))
    with pytest.raises(sl.InvalidKeyError) as refused:
        adapter.frame({"first": pd.Series([1]), "second": pd.Series([1], index=[-1])})
    assert refused.value.__notes__ == ["in the membership vector 'second'"]
