"""Kept edges are the distinct pairs, explanations the widest paths in the canonical forest of them, densities counts.

Plain definitions: Kruskal's algorithm by relabelling, chains by a search in its forest, densities by counting.
"""

from __future__ import annotations

import copy
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import starlings as sl
from plain_edges import distinct, first_seen, forest_of, path
from starlings import _core
from starlings.edge_options import check_options

Pair = tuple[int, int, float]


def random_pairs(seed: int, num_records: int = 25, num_pairs: int = 50) -> list[Pair]:
    """Pairs with ties, duplicates and self-loops."""
    generator = random.Random(seed)
    return [
        (generator.randrange(num_records), generator.randrange(num_records), generator.randrange(1, 9) / 8)
        for _ in range(num_pairs)
    ]


def named(key: Any) -> tuple[str, Any]:
    """A record of the default source."""
    return ("default", key)


# ------------------------------------------------------------------------------------------------------ edges, forests


@pytest.mark.parametrize("seed", range(20))
def test_edges_are_the_distinct_pairs_in_order(seed: int) -> None:
    pairs = random_pairs(seed)
    expected = distinct(pairs, first_seen(pairs))
    edges = sl.Collection.from_edges(pairs, keep_edges=True).edges
    assert list(edges) == [(named(a), named(b), score) for a, b, score in expected]
    assert len(edges) == len(expected)
    assert [key for _, key in edges.left] == [pair[0] for pair in expected]
    assert edges.scores.tolist() == [pair[2] for pair in expected]
    for key in first_seen(pairs):
        assert edges.neighbours(key) == [
            (named(b if key == a else a), score) for a, b, score in expected if key in (a, b)
        ]


@pytest.mark.parametrize("keep", [True, "forest"])
@pytest.mark.parametrize("seed", range(8))
def test_explanations_are_paths_in_the_canonical_forest(seed: int, keep: Any) -> None:
    pairs = random_pairs(seed, 15, 20)
    order = first_seen(pairs)
    edges = distinct(pairs, order)
    forest, scores = forest_of(edges), {frozenset(pair[:2]): pair[2] for pair in edges}
    collection = sl.Collection.from_edges(pairs, keep_edges=keep)
    for a in order:
        for b in order:
            explanation, way = collection.explain(a, b), path(forest, a, b)
            if way is None:
                assert explanation is None
                continue
            assert explanation is not None
            links = [scores[frozenset(link)] for link in pairwise(way)]
            assert explanation.records == list(map(named, way))
            assert explanation.scores == links
            assert explanation.edges == [
                (named(x), named(y), score) for (x, y), score in zip(pairwise(way), links, strict=True)
            ]
            assert len(explanation) == len(links)
            assert explanation
            assert explanation.threshold == (min(links) if links else 1.0)
            assert explanation.threshold == collection.threshold_between(a, b)


def test_an_explanation_can_be_read() -> None:
    pairs = [(f"<{i}>", f"<{i + 1}>", 0.5) for i in range(20)]
    explanation = sl.Collection.from_edges(pairs, keep_edges=True).explain("<0>", "<20>")
    assert explanation is not None
    assert repr(explanation).startswith("Explanation(threshold=0.5): ('default', '<0>') -[0.5]- ('default', '<1>')")
    assert repr(explanation).endswith(" ... ('default', '<20>')")
    assert "<td>" in explanation._repr_html_()
    assert "'<0>'" not in explanation._repr_html_()
    assert explanation._repr_html_().count("<tr>") == 11 and "20 links in all" in explanation._repr_html_()


def test_records_without_edges_are_explained_too() -> None:
    collection = sl.Collection.from_edges([(1, 2, 0.5)], records=[1, 2, 3], keep_edges="forest")
    assert collection.explain(1, 3) is None
    itself = collection.explain(3, 3)
    assert itself is not None
    assert (itself.threshold, itself.records, itself.edges, len(itself)) == (1.0, [named(3)], [], 0)
    with pytest.raises(sl.KeyNotFoundError):
        collection.explain(1, 4)


def test_what_was_not_kept_is_said() -> None:
    bare = sl.Collection.from_edges([(1, 2, 0.5)])
    forest = sl.Collection.from_edges([(1, 2, 0.5)], keep_edges="forest")
    for collection in (bare, forest):
        with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
            _ = collection.edges
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
        bare.explain(1, 2)
        with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
            collection.at(0.5).map(sl.Ops.compute.density)


def test_nothing_is_an_empty_table() -> None:
    collection = sl.Collection.from_edges([], keep_edges=True)
    assert len(collection.edges) == 0
    assert list(collection.edges) == []
    collection = sl.Collection.from_edges([("a", "a", 1.0)], keep_edges=True)
    assert (len(collection.edges), collection.edges.neighbours("a")) == (0, [])


def test_edges_are_counted_in_bytes() -> None:
    pairs = random_pairs(1, 500, 5_000)
    sizes = [sl.Collection.from_edges(pairs, keep_edges=keep).nbytes for keep in (False, "forest", True)]
    assert sizes[0] < sizes[1] < sizes[2]
    edges = sl.Collection.from_edges(pairs, keep_edges=True).edges
    before = edges.nbytes
    edges.neighbours(pairs[0][0])
    assert edges.nbytes > before


# ------------------------------------------------------------------------------------------------------------- exports


def test_edges_go_back_into_a_collection() -> None:
    pairs = [(("crm", 1), ("shop", "x"), 0.5), (("crm", 2), ("shop", "y"), 0.25), (("crm", 1), ("crm", 2), 0.75)]
    collection = sl.Collection.from_edges(pairs, keep_edges=True)
    edges = collection.edges
    for form in (edges.to_pandas(), list(edges)):
        again = sl.Collection.from_edges(form, keep_edges=True)
        assert set(again.edges) == set(edges)
    numbers = sl.Collection.from_edges(random_pairs(3), keep_edges=True)
    for table in (numbers.edges, numbers.edges.to_arrow(), numbers.edges.to_polars(), numbers.edges.to_pandas()):
        again = sl.Collection.from_edges(table, keep_edges=True)
        assert {frozenset(edge) for edge in again.edges} == {frozenset(edge) for edge in numbers.edges}
        assert again.thresholds.tolist() == numbers.thresholds.tolist()


def test_tables_have_the_named_columns() -> None:
    mixed = sl.Collection.from_edges([(("s", 1), ("t", "x"), 0.5), (("s", b"z"), ("t", "x"), 0.25)], keep_edges=True)
    columns = ["left_source", "left", "right_source", "right", "score"]
    assert mixed.edges.to_arrow().column_names == columns
    assert list(mixed.edges.to_pandas().columns) == columns
    assert mixed.edges.to_polars().columns == columns
    assert mixed.edges.to_polars()["left"].to_list() == [key for _, key in mixed.edges.left]
    assert mixed.edges.to_pandas()["right_source"].tolist() == [
        "t" if side == "t" else "s" for side, _ in mixed.edges.right
    ]


# ------------------------------------------------------------------------------------------------------ going together


def assert_same(a: sl.Collection, b: sl.Collection) -> None:
    """Hierarchy and edges, byte by byte."""
    assert a._state.hierarchy == b._state.hierarchy
    assert a._state.hierarchy.kept == b._state.hierarchy.kept
    if a._state.hierarchy.kept == "all":
        assert list(a.edges) == list(b.edges)
    keys = sorted({key for _, key in a.at(1.0)._context.record_set(np.arange(a.num_records, dtype=np.uint32))})
    for key in keys[:6]:
        for other in keys[-6:]:
            assert a.explain(key, other) == b.explain(key, other)


@pytest.mark.parametrize("keep", [True, "forest"])
@pytest.mark.parametrize("quantise", [None, 2, 6])
def test_edges_added_later_are_as_if_given_at_once(keep: Any, quantise: int | None) -> None:
    for seed in range(6):
        pairs = [(a, b, score * 0.9) for a, b, score in random_pairs(seed)]
        whole = sl.Collection.from_edges(pairs, keep_edges=keep, quantise=quantise)
        grown = sl.Collection.from_edges(pairs[:10], keep_edges=keep, quantise=quantise)
        grown.add_edges(pairs[10:30])
        grown.add_edges(pairs[30:])
        assert_same(grown, whole)


@pytest.mark.parametrize("keep", [True, "forest"])
def test_neither_order_nor_threads_show(keep: Any) -> None:
    pairs = random_pairs(5, 300, 2_000)
    keys = list(first_seen(pairs))
    whole = sl.Collection.from_edges(pairs, records=keys, keep_edges=keep)
    random.Random(1).shuffle(pairs)
    sl.set_num_threads(1)
    try:
        assert_same(sl.Collection.from_edges([(b, a, s) for a, b, s in pairs], records=keys, keep_edges=keep), whole)
    finally:
        sl.set_num_threads(0)


def test_copies_and_views_have_the_edges() -> None:
    pairs = random_pairs(7)
    collection = sl.Collection.from_edges(pairs, keep_edges=True)
    for other in (collection.copy(), copy.deepcopy(collection)):
        assert_same(other, collection)
    frame = sl.EntityFrame()
    frame.add_collection("mine", collection)
    assert_same(frame["mine"], collection)


def test_edges_survive_assimilation_and_compaction() -> None:
    pairs = random_pairs(8)
    collection = sl.Collection.from_edges(pairs, keep_edges=True)
    expected = {(frozenset(edge[:2]), edge[2]) for edge in collection.edges}
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("other", [(1000 + i, 1001 + i, 0.5) for i in range(200)])
    frame.add_collection_from_edges("reversed", [(24 - i, 24 - i, 0.5) for i in range(25)])
    frame.add_collection("mine", collection)
    for _ in range(2):
        view = frame["mine"]
        view._state.hierarchy.validate()
        assert {(frozenset(edge[:2]), edge[2]) for edge in view.edges} == expected
        for a, b, _score in pairs[:10]:
            mine, theirs = view.explain(a, b), collection.explain(a, b)
            assert (mine is None) == (theirs is None)
            assert mine is None or theirs is None or mine.threshold == theirs.threshold
        before = frame.num_records
        frame.drop(*(name for name in frame if name != "mine"))
        frame.compact()
    assert frame.num_records <= before
    detached = frame["mine"]
    detached.add_edges([(1, 2000, 0.5)])
    assert len(detached.edges) == len(expected) + 1
    assert not detached.is_view


def test_a_collection_on_entities_keeps_edges_of_both_stages() -> None:
    first = sl.Collection.from_edges([(1, 2, 0.9), (2, 3, 0.9), (4, 5, 0.9)])
    entities = first.at(0.5)
    collection = sl.Collection.from_edges([(0, 1, 0.75)], records=entities, keep_edges=True)
    assert list(collection.edges) == [
        (named(1), named(2), 1.0),
        (named(2), named(3), 1.0),
        (named(4), named(5), 1.0),
        (named(1), named(4), 0.75),
    ]
    explanation = collection.explain(3, 5)
    assert explanation is not None
    assert explanation.scores == [1.0, 1.0, 0.75, 1.0]


def test_constrained_collections_are_constrained_anew() -> None:
    pairs = [(("a", 1), ("b", 1), 0.9), (("a", 2), ("b", 1), 0.8)]
    collection = sl.Collection.from_edges(pairs, keep_edges=True, unique_sources=["a"])
    assert collection.threshold_between(("a", 1), ("a", 2)) is None
    assert len(collection.edges) == 2
    collection.add_edges([(("a", 2), ("b", 1), 0.95)])
    assert collection.threshold_between(("a", 2), ("b", 1)) == 0.95
    assert collection.threshold_between(("a", 1), ("b", 1)) is None
    assert collection.constraints is not None
    for keep in (False, "forest"):
        bare = sl.Collection.from_edges(pairs, keep_edges=keep, unique_sources=["a"])
        assert bare.at(0.5) == sl.Collection.from_edges(pairs, keep_edges=True, max_entity_size=2).at(0.5)
        with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
            bare.add_edges([(1, 2, 0.5)])
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("small", [(1, 2, 0.9), (2, 3, 0.8)], max_entity_size=2)
    assert frame["small"].at(0.0).sizes.tolist() == [2, 1]


def test_weights_are_kept_as_they_are_compared() -> None:
    collection = sl.Collection.from_edges([(1, 2, 7.25), (2, 3, -3.5)], scale="weight", keep_edges=True)
    assert collection.edges.scores.tolist() == [7.25, -3.5]
    collection.add_edges([(3, 4, 12.0)])
    explanation = collection.explain(1, 4)
    assert explanation is not None
    assert explanation.scores == [7.25, -3.5, 12.0]
    assert collection.explain(1, 1) is not None


# ----------------------------------------------------------------------------------------------------------- densities


@pytest.mark.parametrize("seed", range(6))
def test_densities_are_counted_edges(seed: int) -> None:
    pairs = random_pairs(seed)
    order = first_seen(pairs)
    edges = distinct(pairs, order)
    hierarchy = sl.Collection.from_edges(pairs, keep_edges=True)._state.hierarchy
    for threshold in (0.0, 0.25, 0.5, 0.875, 1.0):
        partition = _core.Partition(hierarchy, threshold, len(order) + 2)
        labels, sizes = np.asarray(partition.labels), np.asarray(partition.sizes)
        for entity, density in enumerate(np.asarray(partition.densities(threshold)).tolist()):
            inside = sum(score >= threshold and labels[order[a]] == entity == labels[order[b]] for a, b, score in edges)
            possible = int(sizes[entity]) * (int(sizes[entity]) - 1) // 2
            assert density == (inside / possible if possible else 1.0)


def test_densities_are_those_of_the_threshold_whoever_asked_before() -> None:
    collection = sl.Collection.from_edges([(1, 2, 0.5), (2, 3, 0.4), (1, 3, 0.1)], keep_edges=True)
    for thresholds in ((0.4, 0.1, 0.2), (0.1, 0.4, 0.05)):
        for threshold in thresholds:  # all one partition, which is kept
            (density,) = collection.at(threshold).map(sl.Ops.compute.density).values()
            assert density == (1.0 if threshold <= 0.1 else 2 / 3)
        collection.clear_cache()


# ------------------------------------------------------------------------------------------------------------- options


def test_options_are_checked() -> None:
    assert check_options({}).keep == "nothing"
    assert check_options({"keep_edges": "forest", "quantise": None}).decimals == 0
    for options in (
        {"keep_edges": "all"},
        {"keep_edges": 1},
        {"keep_edges": None},
        {"scale": "odds"},
        {"ties": "random"},
        {"unique_sources": "crm"},
        {"max_entity_size": 0},
        {"quantise": 7},
        {"quantise": np.array([1, 2]), "quantize": np.array([1, 2])},
        {"quantise": 2, "quantize": 3},
        {"source": 5},
        {"ties": np.array(["order"])},
        {"ties": np.array(["order", "drop"])},
        {"unique_sources": np.array("crm")},
    ):
        with pytest.raises(sl.InvalidArgumentError):
            sl.Collection.from_edges([], **options)  # type: ignore[arg-type]
        with pytest.raises(sl.InvalidArgumentError):
            sl.EntityFrame().add_collection_from_edges("x", [], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [["crm", "web"], np.array(["crm", "web"]), np.array(3), 5])
def test_a_collection_has_its_options_already(value: Any) -> None:
    collection = sl.Collection.from_edges([(1, 2, 0.5)])
    with pytest.raises(sl.InvalidArgumentError, match=r"^unique_sources= can only be given with edges="):
        sl.EntityFrame().add_collection("model", collection, unique_sources=value)


def test_an_unknown_option_names_the_nearest() -> None:
    frame = sl.EntityFrame()
    with pytest.raises(TypeError, match="did you mean 'quantise'"):
        frame.add_collection_from_edges("x", [], quantis=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="did you mean 'keep_edges'"):
        frame.add_collection("x", edges=[], keep_edge=True)  # type: ignore[call-overload]
    assert list(frame) == []


def test_options_of_edges_are_not_for_collections() -> None:
    frame, collection = sl.EntityFrame(), sl.Collection.from_edges([(1, 2, 0.5)])
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges="):
        frame.add_collection("x", collection, keep_edges=True)  # type: ignore[call-overload]
    frame.add_collection("x", collection, keep_edges=False)  # type: ignore[call-overload]
    assert list(frame) == ["x"]


def test_the_extension_refuses_what_there_is_not() -> None:
    context = _core.Context()
    with pytest.raises(sl.InvalidArgumentError, match="keep"):
        _core.extend(context, None, [], keep="everything")
    hierarchy = _core.extend(context, None, [(1, 2, 0.5)], keep="all")
    edges = hierarchy.edges
    assert edges is not None
    with pytest.raises(sl.InvalidArgumentError):
        edges.neighbours(2)
    with pytest.raises(sl.InvalidArgumentError):
        hierarchy.explain(1, 1)
    assert hierarchy.explain(0, 7) is None
