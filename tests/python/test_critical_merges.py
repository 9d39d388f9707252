"""The merges that bring most pairs together: those that counting pairs of records finds."""

from __future__ import annotations

import copy
import pickle
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from graph_cases import built
from starlings import _core
from starlings.testing import Graph, graphs

EDGES = [("a", "b", 0.9), ("c", "d", 0.9), ("d", "e", 0.8), ("b", "c", 0.4), ("x", "y", 0.7), ("y", "z", 0.7)]


def collection() -> sl.Collection:
    return sl.Collection.from_edges(EDGES)


def numbers(merges: sl.CriticalMerges) -> list[int]:
    return [merge.result_component for merge in merges]


def plain_pairs(sides: list[set[Any]]) -> int:
    """Pairs of records that are on two sides."""
    side_of = {record: number for number, side in enumerate(sides) for record in side}
    return sum(side_of[a] != side_of[b] for a, b in combinations(side_of, 2))


def plain_sides(subject: sl.Collection, event: sl.MergeEvent) -> list[set[sl.RecordName]]:
    """What the entity of an event was one threshold higher, by smallest record."""
    higher = [threshold for threshold in subject.thresholds.tolist() if threshold > event.threshold]
    records = event.affected_records
    entities = subject.at(higher[-1]).labels if higher else np.arange(subject.num_records)
    parts = sorted((records[entities[records] == entity] for entity in np.unique(entities[records])), key=min)
    return [{("default", int(record)) for record in part} for part in parts]


@given(graphs(max_records=14), st.booleans())
def test_pairs_sizes_and_sides_of_every_event(graph: Graph, exact: bool) -> None:
    subject = built(graph, exact)
    for event in subject.merge_events():
        sides = plain_sides(subject, event)
        assert event.sides == sides and event.sizes.tolist() == list(map(len, sides))
        assert event.num_pairs == plain_pairs(sides)


@given(graphs(), st.booleans(), st.integers(0, 12))
def test_they_are_those_of_most_pairs(graph: Graph, exact: bool, n: int) -> None:
    subject = built(graph, exact)
    events = list(subject.merge_events())
    best = sorted(events, key=lambda event: (-event.num_pairs, event.threshold, event.result_component))[:n]
    expected = sorted(best, key=lambda event: (event.threshold, event.result_component))
    merges = subject.critical_merges(n)
    assert list(merges) == expected and len(merges) == len(expected)
    assert list(subject.critical_merges(10**30)) == sorted(events, key=lambda e: (e.threshold, e.result_component))
    names = ["threshold", "num_pairs", "num_records", "num_components"]
    rows = [[e.threshold, e.num_pairs, len(e.affected_records), len(e.merging_components)] for e in expected]
    table = pa.table(merges)
    assert table.column_names == names and [list(row.values()) for row in table.to_pylist()] == rows


def test_what_they_tell() -> None:
    merges = collection().critical_merges(3)
    assert [(merge.threshold, merge.num_pairs) for merge in merges] == [(0.4, 6), (0.7, 3), (0.8, 2)]
    assert merges[0].sides == [{("default", key) for key in keys} for keys in ("ab", "cde")]
    assert merges[0].sizes.tolist() == [2, 3] and merges[1].sizes.tolist() == [1, 1, 1]
    assert isinstance(merges[0], sl.MergeEvent) and merges[0] == collection().merge_events()[-1]
    assert repr(merges) == "<3 of 5 merges, those of most pairs>"
    assert merges._repr_html_().startswith("<p>&lt;3 of 5 merges") and merges._repr_html_().count("<tr>") == 4
    assert len(collection().critical_merges()) == 5
    assert merges.to_pandas()["num_pairs"].tolist() == merges.to_polars()["num_pairs"].to_list() == [6, 3, 2]


def test_ties_go_to_the_lower_threshold_and_then_to_the_smaller_record() -> None:
    subject = sl.Collection.from_edges([(0, 1, 0.9), (2, 3, 0.8), (4, 5, 0.8), (6, 7, 0.7)])
    assert [merge.affected_records.tolist() for merge in subject.critical_merges(2)] == [[6, 7], [2, 3]]
    assert [merge.affected_records.tolist() for merge in subject.critical_merges(3)] == [[6, 7], [2, 3], [4, 5]]


def test_sequence() -> None:
    merges = collection().critical_merges(3)
    assert merges[-1] == merges[2] and merges[::-1] == [merges[2], merges[1], merges[0]] and merges[1] in merges
    for index in (3, -4, 2**70):
        with pytest.raises(IndexError, match="of 3"):
            merges[index]
    with pytest.raises(sl.InvalidArgumentError, match="numbered"):
        merges["0"]  # type: ignore[call-overload]
    assert copy.copy(merges) is merges
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(merges)


@pytest.mark.parametrize("num_records", [0, 1, 2])
def test_nothing_merges(num_records: int) -> None:
    subject = sl.Collection.from_edges([], records=range(num_records))
    merges = subject.critical_merges()
    assert len(merges) == 0 and list(merges) == [] and merges.to_pandas().shape == (0, 4)
    assert len(collection().critical_merges(0)) == 0


@pytest.mark.parametrize("n", [-1, -(10**30), 1.0, "3", None, True, np.float64(2)])
def test_what_is_no_number_of_merges(n: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="n must be"):
        collection().critical_merges(n)


def test_views_with_later_records() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("early", [("a", "b", 0.9), (("crm", 1), "b", 0.6)])
    frame.add_collection_from_edges("late", [("a", "p", 0.8)])
    merges = frame["early"].critical_merges(np.int64(1))
    assert numbers(merges) == [5] and merges[0].sides == [{("default", "a"), ("default", "b")}, {("crm", 1)}]


def test_they_stay_as_they_are_when_edges_are_added() -> None:
    subject = collection()
    merges = subject.critical_merges(1)
    subject.add_edges([("a", "x", 0.1)])
    assert merges[0].num_pairs == 6 and subject.critical_merges(1)[0].num_pairs == 15


def test_a_hundred_thousand_records() -> None:
    random = np.random.default_rng(4)
    left, right = random.integers(0, 100_000, (2, 150_000))
    subject = sl.Collection.from_edges((left, right, random.random(150_000)), records=range(100_000))
    table = subject.critical_merges(10**6).to_pandas()
    assert len(table) == subject.num_merges and table["threshold"].is_monotonic_increasing
    sizes = subject.at(0.0).sizes.astype(np.int64)
    assert table["num_pairs"].sum() == (sizes * (sizes - 1) // 2).sum(), "each pair comes together once"
    few = subject.critical_merges(100).to_pandas()
    assert sorted(few["num_pairs"]) == sorted(table["num_pairs"])[-100:]
    one = sl.Collection.from_labels(range(100_000), [0] * 100_000).critical_merges()
    assert one[0].num_pairs == 100_000 * 99_999 // 2 and len(one[0].sizes) == 100_000


def test_critical_merges_in_the_extension() -> None:
    events = _core.MergeEvents(collection()._state.hierarchy)
    assert np.asarray(events.critical(2)).tolist() == [4, 3]
    assert np.asarray(events.critical(2**32 - 1)).tolist() == [4, 3, 2, 0, 1]
    for bad in (-1, 2**32):
        with pytest.raises(ValueError, match="2\\^32"):
            events.critical(bad)
    with pytest.raises(IndexError, match="only 5"):
        events.columns(np.array([0, 5], np.uint32))
    with pytest.raises(sl.InvalidArgumentError, match="uint32"):
        events.columns([0])
    for index in (5, -1, 2**70):
        with pytest.raises(IndexError):
            events.sizes(index)
