"""Matchbox itself: its checks accept what we hand over, its resolver finds our clusters, hashes and all.

Its client wants a server's address to be imported at all; no server is asked for anything.
"""

from __future__ import annotations

import os
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import starlings as sl
from neighbours import neighbour
from starlings.adapters import matchbox as adapter


@pytest.fixture(scope="module")
def matchbox() -> SimpleNamespace:
    before = dict(os.environ)
    os.environ["MB__CLIENT__API_ROOT"] = "http://127.0.0.1:9"
    try:
        names = ("common.arrow", "common.hash", "client.results", "client.resolvers.components")
        modules: list[ModuleType] = [neighbour(f"matchbox.{name}") for name in names]
    finally:
        os.environ.clear()
        os.environ.update(before)
    arrow, hashes, results, components = modules
    return SimpleNamespace(arrow=arrow, hash=hashes, results=results, components=components)


@pytest.fixture(scope="module")
def model_edges(matchbox: SimpleNamespace) -> Any:
    """Edges between 300 clusters as a model gives them: normalised by Matchbox."""
    random = np.random.default_rng(11)
    pairs = random.integers(1000, 1300, (400, 2)).astype(np.uint64)
    scores = random.choice([0.25, 0.5, 0.7, 0.85, 0.9, 1.0], 400)
    keep = pairs[:, 0] != pairs[:, 1]
    frame = pl.DataFrame({"left_id": pairs[keep, 0], "right_id": pairs[keep, 1], "score": scores[keep]})
    return matchbox.results.normalise_model_scores(frame)


def groups(table: Any) -> set[frozenset[int]]:
    frame = pl.from_arrow(table) if isinstance(table, pa.Table) else table
    return {frozenset(children) for children in frame.group_by("parent_id").agg("child_id")["child_id"].to_list()}


def resolved_by_matchbox(matchbox: SimpleNamespace, edges: Any, threshold: float) -> Any:
    resolver = matchbox.components
    settings = resolver.ComponentsSettings(thresholds={"model": threshold})
    return resolver.Components(settings=settings).compute_clusters({"model": edges})


def test_the_resolver_finds_our_clusters(matchbox: SimpleNamespace, model_edges: Any) -> None:
    collection = sl.Collection.from_edges(adapter.edges(model_edges), keep_edges=True)
    for threshold in (0.25, 0.5, 0.6, 0.875, 1.0):
        theirs = resolved_by_matchbox(matchbox, model_edges, threshold)
        ours = adapter.to_clusters(collection.at(threshold))
        assert ours.schema == matchbox.arrow.SCHEMA_CLUSTERS
        assert groups(ours) == groups(theirs)
        assert matchbox.hash.hash_clusters(ours) == matchbox.hash.hash_clusters(theirs.to_arrow())
        again = adapter.from_clusters(theirs)
        assert {frozenset(key for _, key in members) for members in again.at(1.0).to_list()} == groups(theirs)


def test_a_threshold_is_met_by_scores_of_single_precision(matchbox: SimpleNamespace, model_edges: Any) -> None:
    """0.7 as a float32 is less than 0.7; Matchbox compares in single precision, we round, and both have it in."""
    collection = sl.Collection.from_edges(adapter.edges(model_edges))
    assert collection.thresholds.tolist() == [1.0, 0.9, 0.85, 0.7, 0.5, 0.25]
    assert float(np.float32(0.7)) < 0.7
    theirs = groups(resolved_by_matchbox(matchbox, model_edges, 0.7))
    assert theirs == groups(adapter.to_clusters(collection.at(0.7))) != groups(adapter.to_clusters(collection.at(0.85)))


def test_edges_come_out_as_a_model_gives_them(matchbox: SimpleNamespace, model_edges: Any) -> None:
    collection = sl.Collection.from_edges(adapter.edges(model_edges), keep_edges=True)
    ours = adapter.to_edges(collection)
    assert ours.schema == matchbox.arrow.SCHEMA_MODEL_EDGES
    normalised = matchbox.results.normalise_model_scores(pl.from_arrow(ours))
    assert len(normalised) == len(model_edges)

    def rows(frame: Any) -> set[tuple[frozenset[int], float]]:
        return {(frozenset((left, right)), score) for left, right, score in frame.iter_rows()}

    assert rows(normalised) == rows(model_edges)


def test_percentages_of_earlier_versions() -> None:
    random = np.random.default_rng(2)
    percent = random.integers(0, 101, 50)
    for kind in (pa.uint8(), pa.int16(), pa.int64(), pa.decimal128(5, 0)):
        column = pa.array(percent.tolist(), kind)
        old = pa.table({"left_id": np.arange(50), "right_id": np.arange(50) + 50, "probability": column})
        edges = adapter.edges(old)
        assert edges["score"].to_pylist() == [int(value) / 100 for value in percent]
        assert set(sl.Collection.from_edges(edges).thresholds) == {int(value) / 100 for value in percent}
    with pytest.raises(sl.InvalidArgumentError, match=r"percentages.*not double"):
        adapter.edges({"left_id": [1], "right_id": [2], "probability": [0.5]})


def test_resolved_keys_both_ways(matchbox: SimpleNamespace) -> None:
    entities = [{("crm", "a"), ("shop", "a"), ("shop", "b")}, {("crm", "ü")}, {("crm", "c"), ("crm", "d")}]
    partition = sl.Collection.from_entities(entities).at(1.0)
    dump = pl.from_arrow(adapter.to_resolved(partition))
    for part in dump.partition_by("source"):
        without = part.drop("source").to_arrow()
        matchbox.arrow.check_schema_subset(matchbox.arrow.SCHEMA_QUERY_WITH_LEAVES, without.schema)
    sources = [SimpleNamespace(name=name) for name in ("crm", "shop")]
    parts = [dump.filter(pl.col("source") == source.name).drop("source") for source in sources]
    matches = matchbox.results.ResolverMatches(sources=sources, query_results=parts)
    records = [members for entity in partition.entities for members in [entity.records.tolist()]]
    assert sorted(map(sorted, matches.as_leaf_sets())) == sorted(map(sorted, records))
    for table in (matches.as_dump(), matches.as_dump().to_pandas(), matches.as_dump().rename({"id": "root"})):
        assert adapter.from_resolved(table).at(1.0) == partition
    merged = matches.merge(matches)  # its ids are negative
    assert adapter.from_resolved(merged.as_dump()).at(1.0) == partition
    of_one_source = adapter.from_resolved(parts[1], source="shop").at(1.0)
    assert of_one_source.to_list() == [{("shop", "a"), ("shop", "b")}]


def test_few_clusters(matchbox: SimpleNamespace) -> None:
    nothing = sl.Collection.from_edges([], keep_edges=True)
    assert adapter.to_clusters(nothing.at(1.0)).equals(matchbox.arrow.SCHEMA_CLUSTERS.empty_table())
    assert adapter.to_edges(nothing).equals(matchbox.arrow.SCHEMA_MODEL_EDGES.empty_table())
    assert adapter.to_resolved(nothing.at(1.0)).num_rows == 0
    assert sl.Collection.from_edges(adapter.edges(matchbox.arrow.SCHEMA_MODEL_EDGES.empty_table())).num_records == 0
    assert adapter.from_clusters(matchbox.arrow.SCHEMA_CLUSTERS.empty_table()).num_records == 0
    one = sl.Collection.from_entities([[2**64 - 1]]).at(1.0)
    assert adapter.to_clusters(one).num_rows == 0
    two = sl.Collection.from_entities([[2**64 - 1, 0]]).at(1.0)
    assert groups(adapter.to_clusters(two)) == {frozenset({2**64 - 1, 0})}


def test_columns_that_only_later_rows_have_are_seen() -> None:
    rows = [{"id": 1, "key": "a"}, {"id": 1, "key": "b", "source": "shop"}]
    with pytest.raises(sl.InvalidKeyError, match="row 0: the source is null"):
        adapter.from_resolved(rows)
    assert adapter.from_resolved([{"source": "crm", **rows[0]}, rows[1]]).at(1.0).num_entities == 1


def test_no_percentages_are_of_any_type() -> None:
    empty = pd.DataFrame({"left_id": [], "right_id": [], "probability": []})
    assert sl.Collection.from_edges(adapter.edges(empty)).num_records == 0


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(sl.InvalidArgumentError, match=r"'left_id', with the left clusters.*'id', 'key'"):
        adapter.edges({"id": [1], "key": ["a"]})
    with pytest.raises(sl.InvalidArgumentError, match=r"'score', with scores"):
        adapter.edges({"left_id": [1], "right_id": [2]})
    with pytest.raises(sl.InvalidArgumentError, match=r"'parent_id', with the clusters"):
        adapter.from_clusters(pd.DataFrame({"child_id": [1]}))
    with pytest.raises(sl.InvalidArgumentError, match=r"'key', with the keys"):
        adapter.from_resolved({"id": [1], "leaf_id": [2]})
    with pytest.raises(sl.OverlapError):
        adapter.from_clusters({"parent_id": [1, 2], "child_id": [7, 7]})
    text = sl.Collection.from_edges([("a", "b", 0.5)], keep_edges=True)
    several = sl.Collection.from_edges([(("a", 1), ("b", 1), 0.5)], keep_edges=True)
    for collection, message in ((text, "by number, but these keys are text"), (several, "records are of 'a', 'b'")):
        with pytest.raises(sl.InvalidArgumentError, match=message):
            adapter.to_edges(collection)
        with pytest.raises(sl.InvalidArgumentError, match=message):
            adapter.to_clusters(collection.at(0.5))
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges"):
        adapter.to_edges(sl.Collection.from_edges([(1, 2, 0.5)]))
    with pytest.raises(sl.InvalidArgumentError, match="no Partition"):
        adapter.to_clusters(text)  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match=r"LazyFrame.*collect"):
        adapter.edges(pl.LazyFrame({"left_id": [1], "right_id": [2], "score": [0.5]}))
    with pytest.raises(sl.InvalidArgumentError, match="labels of the type list"):
        adapter.from_clusters({"parent_id": [[1], [1]], "child_id": [1, 2]})
    for members in ([b"1"], [1, "x"]):
        with pytest.raises(sl.InvalidArgumentError, match="bytes, or of several kinds"):
            adapter.to_resolved(sl.Collection.from_entities([members]).at(1.0))
