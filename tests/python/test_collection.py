"""Collections: thresholds, cache, copies, growth, records given as entities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from starlings.testing import Graph, graphs
from starlings.thresholds import grid

EDGES = [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.75)]


def collection() -> sl.Collection:
    return sl.Collection.from_edges(EDGES)


def test_what_it_tells() -> None:
    subject = collection()
    assert (subject.num_records, len(subject), subject.num_merges) == (5, 5, 3)
    assert subject.thresholds.tolist() == [0.9, 0.75, 0.6]
    assert not subject.thresholds.flags.writeable
    assert not subject.is_view
    assert subject.nbytes > 0
    assert repr(subject) == "Collection(num_records=5, num_merges=3, num_thresholds=3)"
    assert "num_merges=3" in subject._repr_html_() and "0.75" in subject._repr_html_()
    assert "<table>" in sl.Collection.from_edges([])._repr_html_()


def test_a_hierarchy_is_8_bytes_a_record() -> None:
    n = 100_000
    records = np.arange(n)
    subject = sl.Collection.from_edges((records[:-1], records[1:], np.full(n - 1, 0.5)))
    assert 8 * n <= subject.nbytes <= 8 * n + 4096


@pytest.mark.parametrize("threshold", [0.85, 0.1 + 0.75, 0.85 + 4e-7, 0.85 - 4e-7, np.float64(0.85), np.float32(0.85)])
def test_thresholds_are_compared_on_the_grid_of_scores(threshold: float) -> None:
    partition = sl.Collection.from_edges([("a", "b", 0.85)]).at(threshold)
    assert partition.num_entities == 1 and partition.threshold == 0.85


def test_integers_are_thresholds() -> None:
    assert collection().at(1).num_entities == 5 and collection().at(0).num_entities == 2


def test_exact_scores() -> None:
    low, high = 0.3, 0.1 + 0.2
    assert low < high, "two doubles"
    subject = sl.Collection.from_edges([("a", "b", low)], quantise=None)
    assert subject.at(low).num_entities == 1 and subject.at(high).num_entities == 2
    assert subject.thresholds.tolist() == [low]
    assert sl.Collection.from_edges([("a", "b", low)]).at(high).num_entities == 1


def test_scores_beyond_the_decimals_are_merged() -> None:
    subject = sl.Collection.from_edges([("a", "b", 0.1234564), ("b", "c", 0.1234561)])
    assert subject.thresholds.tolist() == [0.123456] and subject.num_merges == 1


@given(graphs(), st.data())
def test_threshold_between(graph: Graph, data: st.DataObject) -> None:
    subject = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    records = st.integers(0, graph.num_records - 1)
    a, b = data.draw(records), data.draw(records)
    together = [t for t in [1.0, *subject.thresholds.tolist()] if len(set(subject.at(t).labels[[a, b]].tolist())) == 1]
    assert subject.threshold_between(a, ("default", b)) == max(together, default=None)
    with pytest.raises(sl.KeyNotFoundError):
        subject.threshold_between(a, "nobody")


# ------------------------------------------------------------------------------------------------------------ the cache


def test_thresholds_with_one_partition_share_an_entry() -> None:
    subject = collection()
    parts = [subject.at(threshold)._core for threshold in (0.61, 0.7, 0.75)]
    assert parts[0] == parts[1] == parts[2]
    assert subject.at(0.7).threshold == 0.7, "though each says where it was cut"
    subject.clear_cache()
    assert subject.at(0.7)._core != parts[0]


def test_the_ten_used_last_are_kept() -> None:
    subject = sl.Collection.from_edges([(i, i + 1, i / 20) for i in range(20)])
    first = subject.at(0.0)._core
    for i in range(1, 10):
        subject.at(i / 20)
    assert subject.at(0.0)._core == first
    last = [subject.at(i / 20)._core for i in range(10, 20)]
    assert [subject.at(i / 20)._core for i in range(10, 20)] == last
    assert subject.at(0.0)._core != first
    assert (subject.computation_stats.total, subject.computation_stats.cached) == (32, 11)


def test_cache_in_many_threads() -> None:
    subject = sl.Collection.from_edges([(i, i + 1, i / 40) for i in range(40)])
    expected = [subject.at(i / 40).num_entities for i in range(41)]

    def read(seed: int) -> bool:
        numbers = np.random.default_rng(seed).integers(0, 41, 200).tolist()
        return all(
            subject.at(i / 40).num_entities == expected[i] and subject.at(i / 40).sizes.sum() == 41 for i in numbers
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(16)))
    assert subject.computation_stats.total == 41 + 2 * 16 * 200


def test_a_cache_is_not_shared_by_copies() -> None:
    subject = collection()
    before = subject.at(0.7)._core
    assert subject.copy().at(0.7)._core != before
    assert subject.copy().computation_stats.total == 0
    assert subject.at(0.7)._core == before


# ----------------------------------------------------------------------------------------------------- copying, growing


def test_a_copy_is_independent() -> None:
    subject = collection()
    copy = subject.copy()
    before = copy.at(0.6)
    subject.add_edges([("c", "x", 0.8)])
    assert subject.at(0.6).num_entities == 1 and copy.at(0.6).num_entities == 2
    copy.add_edges([("new", "a", 0.7)])
    assert (subject.num_records, copy.num_records) == (5, 6)
    subject.add_edges([("other", "a", 0.7)])
    assert ("default", "other") not in copy.at(0.0).entity_of("a")
    assert before.num_entities == 2 and before.num_records == 5
    with pytest.raises(sl.KeyNotFoundError):
        before.entity_of("new")


def test_partitions_stay_when_the_collection_grows() -> None:
    subject = collection()
    before = subject.at(0.6)
    labels = before.labels.copy()
    assert subject.add_edges([("c", "z", 0.95), ("z", "x", 0.7)]) is None
    assert before.labels.tolist() == labels.tolist()
    assert before.to_list() == collection().at(0.6).to_list()
    assert subject.num_records == 6 and subject.at(0.6).num_entities == 1


@given(graphs(), st.integers(0, 60))
def test_growing_is_building_at_once(graph: Graph, split: int) -> None:
    subject = sl.Collection.from_edges(graph.edges[:split])
    subject.add_edges(graph.edges[split:])
    whole = sl.Collection.from_edges(graph.edges)
    assert subject._state.hierarchy == whole._state.hierarchy


def test_growing_rounds_as_before() -> None:
    subject = sl.Collection.from_edges([("a", "b", 0.123)], quantise=1)
    subject.add_edges([("b", "c", 0.44)])
    assert subject.thresholds.tolist() == [0.4, 0.1]
    exact = sl.Collection.from_edges([("a", "b", 0.1234567)], quantise=None)
    exact.add_edges([("b", "c", 0.7654321)])
    assert exact.thresholds.tolist() == [0.7654321, 0.1234567]


# --------------------------------------------------------------------------------------------------------------- sweeps


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0.0, 1.0, 0.01), [i / 100 for i in range(101)]),
        ((0.0, 1.0, 0.1), [i / 10 for i in range(11)]),
        ((0.3, 0.6, 0.1), [0.3, 0.4, 0.5, 0.6]),
        ((0.5, 0.5, 0.1), [0.5]),
        ((0.0, 1.0, 0.3), [0.0, 0.3, 0.6, 0.9]),
        ((0.0, 1.0, 1 / 3), [0.0, 0.333333, 0.666667, 1.0]),
        ((0, 1, 1), [0.0, 1.0]),
        ((0.1, 0.2, 5), [0.1]),
        ((0.999998, 1.0, 1e-6), [0.999998, 0.999999, 1.0]),
    ],
)
def test_steps_do_not_drift(arguments: tuple[float, float, float], expected: list[float]) -> None:
    assert grid(*arguments).tolist() == expected


def test_a_million_steps() -> None:
    points = grid(0.0, 1.0, 1e-6)
    assert len(points) == 1_000_001 and points[123_456] == 0.123456 and points[-1] == 1.0


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_grids_in_integers(start: int, length: int, step: int) -> None:
    stop = min(10**6, start + length)
    points = grid(start / 1e6, stop / 1e6, step / 1e6) if length < 2000 * step else np.array([])
    assert [round(point * 1e6) for point in points] == (list(range(start, stop + 1, step)) if len(points) else [])


def test_sweep() -> None:
    report = collection().sweep(0.5, 1.0, 0.25)
    assert report == [dict(row) for row in report]
    assert report.columns == ["threshold", *(metric.name for metric in sl.Metrics.stats)]
    assert report["entity_count"].tolist() == [2, 3, 5]
    assert len(collection().sweep()) == 101
    assert report[1]["largest_entity"] == 2 and report[1]["entropy"] == pytest.approx(1.0549201679861442)


# ----------------------------------------------------------------------------------------------------- from_entities &c


def test_from_entities() -> None:
    entities = [{"a", "b"}, [("web", "c")], ("d",), set(), sl.Entity(["e", ("web", "f")])]
    subject = sl.Collection.from_entities(iter(entities), 0.7, source="crm")
    assert subject.thresholds.tolist() == [0.7]
    found = {frozenset(entity) for entity in subject.at(0.7).to_list()}
    crm, web = [("crm", key) for key in "abd"], [("web", key) for key in "cf"]
    assert found == {
        frozenset(crm[:2]),
        frozenset(web[:1]),
        frozenset(crm[2:]),
        frozenset([("default", "e"), web[1]]),
    }
    assert subject.at(0.8).num_entities == subject.num_records == 6


@given(graphs())
def test_entities_of_a_partition_make_it_again(graph: Graph) -> None:
    partition = sl.Collection.from_edges(graph.edges, records=range(graph.num_records)).at(0.5)
    for entities in (
        partition.entities,
        partition.entities[:],
        iter(partition.entities),
        partition.to_list(),
        partition,
    ):
        again = sl.Collection.from_entities(entities)
        assert again.at(1.0) == partition
    from_labels = sl.Collection.from_labels(range(graph.num_records), partition.labels)
    assert from_labels.at(1.0) == partition


def test_given_records_come_first_and_in_order() -> None:
    for subject in (
        sl.Collection.from_entities([{"b"}, {"c", "a"}], records=["a", "b", "c"]),
        sl.Collection.from_labels(["b", "c", "a"], [1, 2, 2], records=["a", "b", "c"]),
        sl.Collection.from_edges([("c", "a", 1.0)], records=["a", "b", "c"]),
    ):
        assert subject.at(1.0).labels.tolist() == [0, 1, 0]
    with pytest.raises(sl.KeyNotFoundError):
        sl.Collection.from_entities([{"z"}], records=["a"])
    with pytest.raises(sl.KeyNotFoundError):
        sl.Collection.from_labels(["z"], [1], records=["a"])


# -------------------------------------------------------------------------------------------------- records as entities


def test_edges_between_entities() -> None:
    stage = [
        sl.Entity(["a1", "a2"], id="A"),
        sl.Entity(["b1"], id="B"),
        sl.Entity([("web", "c1"), "c2"], id=3),
    ]
    for records in (stage, tuple(stage), iter(stage)):
        subject = sl.Collection.from_edges([("A", "B", 0.8), (3, "A", 0.4)], records=records)
        assert subject.num_records == 5
        assert subject.thresholds.tolist() == [1.0, 0.8, 0.4]
        assert subject.at(1.0) == sl.Collection.from_entities(stage).at(1.0)
        assert {"a1", "a2", "b1"} == {key for _, key in subject.at(0.8).entity_of("b1").members}
        assert subject.at(0.4).num_entities == 1


@given(graphs(max_records=10), graphs(max_records=10))
def test_two_stages_are_two_hierarchies_in_one(first: Graph, second: Graph) -> None:
    stage = sl.Collection.from_edges(first.edges, records=range(first.num_records)).at(0.5)
    ids = stage.num_entities
    edges = [(a % ids, b % ids, score) for a, b, score in second.edges]
    subject = sl.Collection.from_edges(edges, records=stage.entities)
    one_by_one = sl.Collection.from_edges(edges, records=list(stage.entities))
    firsts = [int(entity.records[0]) for entity in stage.entities]
    within = [(int(e.records[0]), int(r), 1.0) for e in stage.entities for r in e.records]
    between = [(firsts[a], firsts[b], score) for a, b, score in edges]
    expected = sl.Collection.from_edges(within + between, records=range(first.num_records))
    for threshold in (0.0, 0.25, 0.5, 1.0):
        assert subject.at(threshold) == expected.at(threshold) == one_by_one.at(threshold)


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ([sl.Entity(["a"])], sl.InvalidArgumentError),
        ([sl.Entity([], id=1)], sl.InvalidArgumentError),
        ([sl.Entity(["a"], id=1), "b"], sl.InvalidArgumentError),
        ([sl.Entity(["a"], id=1), sl.Entity(["b"], id=1)], sl.DuplicateKeyError),
        ([sl.Entity(["a"], id=1), sl.Entity(["a"], id=2)], sl.OverlapError),
    ],
)
def test_unusable_entities(records: list[object], error: type[Exception]) -> None:
    with pytest.raises(error):
        sl.Collection.from_edges([], records=records)


def test_edges_between_unknown_entities() -> None:
    with pytest.raises(sl.KeyNotFoundError) as caught:
        sl.Collection.from_edges([("A", "A", 0.5), ("A", "B", 0.5)], records=[sl.Entity(["a"], id="A")])
    assert caught.value.row == 1
