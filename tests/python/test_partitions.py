"""Partitions at every threshold are the connected components that SciPy finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import starlings as sl
from starlings.testing import Graph, graphs


def components(graph: Graph, threshold: float) -> np.ndarray:
    kept = [(a, b) for a, b, score in graph.edges if score >= threshold]
    left, right = zip(*kept, strict=True) if kept else ((), ())
    shape = (graph.num_records, graph.num_records)
    return connected_components(coo_array((np.ones(len(kept)), (left, right)), shape=shape), directed=False)[1]


def same_grouping(a: np.ndarray, b: np.ndarray) -> bool:
    return len(np.unique(np.stack([a, b]), axis=1).T) == len(np.unique(a)) == len(np.unique(b))


def cuts_of(graph: Graph) -> list[float]:
    """Every score, a little above and below each, and the ends."""
    scores = {score for _, _, score in graph.edges}
    near = {min(1.0, max(0.0, score + step)) for score in scores for step in (-1e-6, 1e-6)}
    return sorted(scores | near | {0.0, 1.0})


@given(graphs())
def test_every_cut_is_the_connected_components(graph: Graph) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    for threshold in cuts_of(graph):
        partition = collection.at(threshold)
        assert same_grouping(partition.labels, components(graph, round(threshold * 1e6) / 1e6))
        check_arrays(partition)


@given(graphs(decimals=None))
def test_exact_scores_are_compared_as_they_are(graph: Graph) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records), quantise=None)
    for score in {score for _, _, score in graph.edges}:
        for threshold in (score, np.nextafter(score, 2.0), np.nextafter(score, -1.0)):
            if 0.0 <= threshold <= 1.0:
                assert same_grouping(collection.at(threshold).labels, components(graph, threshold))


@given(graphs(decimals=None), st.integers(1, 6))
def test_scores_are_rounded_half_even(graph: Graph, decimals: int) -> None:
    rounded = Graph(graph.num_records, [(a, b, round(score, decimals)) for a, b, score in graph.edges])
    records = range(graph.num_records)
    collection = sl.Collection.from_edges(graph.edges, records=records, quantise=decimals)
    before = sl.Collection.from_edges(rounded.edges, records=records, quantise=decimals)
    assert collection.thresholds.tolist() == before.thresholds.tolist()
    for threshold in collection.thresholds:
        assert same_grouping(collection.at(threshold).labels, components(rounded, threshold))


@pytest.mark.parametrize(
    ("score", "decimals", "threshold"),
    [(0.25, 1, 0.2), (0.75, 1, 0.8), (0.125, 2, 0.12), (0.375, 2, 0.38), (0.0625, 3, 0.062), (0.85, 6, 0.85)],
)
def test_ties_go_to_the_even_digit(score: float, decimals: int, threshold: float) -> None:
    assert sl.Collection.from_edges([(1, 2, score)], quantise=decimals).thresholds.tolist() == [threshold]


def check_arrays(partition: sl.Partition) -> None:
    """Sizes, labels, entities and lists tell of the same entities; ids follow from 0."""
    labels = partition.labels
    assert labels.dtype == np.uint32 and partition.sizes.dtype == np.uint32
    assert len(labels) == partition.num_records == partition.sizes.sum()
    assert np.array_equal(np.bincount(labels, minlength=partition.num_entities), partition.sizes)
    for entity in partition.entities:
        assert (labels[entity.records] == entity.id).all()
        assert len(entity.members) == entity.size == partition.sizes[entity.id]
    assert partition.to_list() == [set(entity.members) for entity in partition.entities]


@given(graphs())
def test_thresholds_are_those_at_which_something_merges(graph: Graph) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    counts = [graph.num_records, *(collection.at(threshold).num_entities for threshold in collection.thresholds)]
    assert counts == sorted(set(counts), reverse=True), "each threshold merges, from the highest to the lowest"
    assert collection.at(0.0).num_entities == counts[-1]


@given(graphs())
def test_merges_are_counted_n_way(graph: Graph) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    merges = 0
    above = np.arange(graph.num_records)
    for threshold in collection.thresholds:
        labels = collection.at(threshold).labels
        parts = [len(np.unique(above[labels == label])) for label in np.unique(labels)]
        merges += sum(part > 1 for part in parts)
        above = labels
    assert collection.num_merges == merges


def test_what_was_handed_out_keeps_the_type_of_its_keys() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("ints", [(1, 2, 0.9), (2, 3, 0.5)])
    before = frame["ints"].at(0.5)
    old = before.to_arrow()
    frame.add_collection_from_edges("texts", [("a", "b", 0.9), (b"x", 1, 0.5)])
    later = frame["ints"].at(0.5)
    assert before.to_arrow().schema == old.schema and before.to_arrow()["key"].to_pylist() == [1, 2, 3]
    assert before.to_polars()["key"].to_list() == [1, 2, 3]
    assert later.to_arrow().schema != old.schema
    assert sorted(map(str, later.to_polars()["key"].to_list())) == ["1", "2", "3", "a", "b", "b'x'"]
