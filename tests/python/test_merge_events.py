"""Merge events: those of cuts, one after the other; a collection made of its own events is the same collection."""

from __future__ import annotations

import copy
import gc
import pickle
from collections import UserDict, UserList
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from graph_cases import built
from starlings import _core
from starlings.testing import Graph, graphs

EDGES = [(3, 4, 0.9), (5, 6, 0.9), (0, 3, 0.7), (3, 5, 0.7), (1, 2, 0.2)]
EVENTS = [(0.9, (3, 4), 8), (0.9, (5, 6), 9), (0.7, (0, 8, 9), 10), (0.2, (1, 2), 11)]


def collection() -> sl.Collection:
    return sl.Collection.from_edges(EDGES, records=range(8))


def rows(events: Any) -> list[tuple[float, tuple[int, ...], int]]:
    return [(event.threshold, event.merging_components, event.result_component) for event in events]


def same(a: sl.Collection, b: sl.Collection) -> bool:
    return a._state.hierarchy == b._state.hierarchy and a.num_records == b.num_records


# ---------------------------------------------------------------------------------------------------- what they tell


def test_what_they_tell() -> None:
    events = collection().merge_events()
    assert (len(events), events.num_records) == (4, 8)
    assert repr(events) == "<4 merge events of 8 records>"
    assert rows(events) == EVENTS
    assert [event.affected_records.tolist() for event in events[:]] == [[3, 4], [5, 6], [0, 3, 4, 5, 6], [1, 2]]


@pytest.mark.parametrize("num_records", [0, 1, 2])
def test_collections_without_merges(num_records: int) -> None:
    subject = sl.Collection.from_edges([], records=range(num_records))
    events = subject.merge_events()
    assert len(events) == 0 and list(events) == []
    for again in (
        sl.Collection.from_merge_events(events),
        sl.Collection.from_merge_events([], num_records),
        sl.Collection.from_merge_events(iter(()), records=range(num_records)),
    ):
        assert same(subject, again) and again.num_merges == 0


def test_events_are_lazy_and_go_on_where_they_were() -> None:
    events = collection().merge_events()
    assert iter(events) is events
    assert next(events).result_component == 8
    assert rows(events) == EVENTS[1:]
    assert len(events) == 4 and list(events) == []
    with pytest.raises(StopIteration):
        next(events)
    assert rows(collection().merge_events()) == EVENTS


def test_events_by_number() -> None:
    events = collection().merge_events()
    assert rows([events[-1], events[np.int64(1)]]) == [EVENTS[3], EVENTS[1]]
    assert rows(events[1:3]) == EVENTS[1:3] and rows(events[::-2]) == EVENTS[::-2]
    assert rows(events) == EVENTS, "indices do not move the iterator"
    for index in (4, -5, 2**70):
        with pytest.raises(IndexError, match="of 4"):
            events[index]
    with pytest.raises(sl.InvalidArgumentError, match="numbered"):
        events["0"]  # type: ignore[call-overload]


def test_an_event_is_a_value() -> None:
    first, second = collection().merge_events()[:2]
    assert first == collection().merge_events()[0] and first != second and first != EVENTS[0]
    assert len({first, second, collection().merge_events()[0]}) == 2
    assert repr(first) == "MergeEvent(threshold=0.9, merging_components=(3, 4), result_component=8)"
    assert copy.copy(first) is first and copy.deepcopy(first) is first
    other = sl.Collection.from_edges([(3, 4, 0.9), (4, 5, 0.7)], records=range(8)).merge_events()
    assert other[0] == first and other[1] != collection().merge_events()[2]
    for name in ("threshold", "merging_components", "result_component", "affected_records", "other"):
        with pytest.raises(AttributeError):
            setattr(first, name, 1)
    with pytest.raises(sl.InvalidArgumentError, match="from_merge_events"):
        sl.MergeEvent()
    for value in (first, collection().merge_events()):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(value)


def test_many_components_are_shown_in_part() -> None:
    (event,) = sl.Collection.from_entities([range(9)]).merge_events()
    assert "(0, 1, 2, 3, 4, 5, ...)" in repr(event) and len(event.merging_components) == 9


def test_affected_records_are_the_engine_s_memory() -> None:
    subject = collection()
    event = subject.merge_events()[2]
    records = event.affected_records
    assert records.dtype == np.uint32 and not records.flags.writeable and not records.flags.owndata
    assert np.shares_memory(records, np.asarray(subject._state.hierarchy.order))
    del subject, event
    gc.collect()
    assert records.tolist() == [0, 3, 4, 5, 6]


def test_events_stay_as_they_are_when_edges_are_added() -> None:
    subject = collection()
    events = subject.merge_events()
    subject.add_edges([(1, 7, 0.95)])
    assert rows(events) == EVENTS and len(subject.merge_events()) == 5


def test_threads_share_one_iterator() -> None:
    subject = sl.Collection.from_edges([(i, i + 1, i / 5000) for i in range(5000)])
    events = subject.merge_events()
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: list(events), range(4)))
    assert sorted(event.result_component for part in parts for event in part) == list(range(5001, 10001))


# ------------------------------------------------------------------------------------------------------- definition


def plain_events(subject: sl.Collection) -> Iterator[tuple[float, tuple[int, ...], int, set[int]]]:
    """Events by comparing each partition with the one before."""
    number = {frozenset([record]): record for record in range(subject.num_records)}
    result = subject.num_records
    for threshold in subject.thresholds.tolist():
        entities = [frozenset(entity.records.tolist()) for entity in subject.at(threshold).entities]
        for entity in sorted((entity for entity in entities if entity not in number), key=min):
            parts = sorted((part for part in number if part <= entity), key=min)
            yield threshold, tuple(number.pop(part) for part in parts), result, set(entity)
            number[entity] = result
            result += 1


@given(graphs(max_records=16), st.booleans())
def test_events_are_those_of_partitions(graph: Graph, exact: bool) -> None:
    subject = built(graph, exact)
    events = subject.merge_events()[:]
    affected = [set(event.affected_records.tolist()) for event in events]
    found = [(*row, records) for row, records in zip(rows(events), affected, strict=True)]
    assert found == list(plain_events(subject)) and len(found) == subject.num_merges


# ------------------------------------------------------------------------------------------------------ and back again


class Row(NamedTuple):
    threshold: float
    merging_components: tuple[int, ...]


class Swapped(NamedTuple):
    merging_components: tuple[int, ...]
    threshold: float


FORMS: dict[str, Callable[[sl.MergeEvent], Any]] = {
    "the events themselves": lambda event: event,
    "pairs": lambda event: (event.threshold, event.merging_components),
    "triples": lambda event: (event.threshold, event.merging_components, event.result_component),
    "triples without a result": lambda event: (event.threshold, event.merging_components, None),
    "lists": lambda event: [event.threshold, list(event.merging_components)],
    "sequences": lambda event: UserList([event.threshold, event.merging_components]),
    "named tuples": lambda event: Row(event.threshold, event.merging_components),
    "named tuples in another order": lambda event: Swapped(event.merging_components, event.threshold),
    "dicts": lambda event: {"threshold": event.threshold, "merging_components": event.merging_components},
    "mappings": lambda event: UserDict(
        threshold=event.threshold,
        merging_components=event.merging_components,
        result_component=event.result_component,
        more=1,
    ),
    "objects": lambda event: SimpleNamespace(
        threshold=event.threshold, merging_components=set(event.merging_components), result_component=None
    ),
    "arrays": lambda event: (np.float64(event.threshold), np.array(event.merging_components, np.uint64)),
    "components in another order": lambda event: (event.threshold, event.merging_components[::-1]),
    "generators": lambda event: (event.threshold, (component for component in event.merging_components)),
    "fractions": lambda event: (Fraction(event.threshold), map(np.int32, event.merging_components)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_events(form: str) -> None:
    subject = collection()
    events = subject.merge_events()
    assert same(subject, sl.Collection.from_merge_events([FORMS[form](event) for event in events[:]], 8))
    assert same(subject, sl.Collection.from_merge_events(map(FORMS[form], events[:]), num_records=np.int64(8)))
    assert same(subject, sl.Collection.from_merge_events(tuple(map(FORMS[form], events)), records=range(8)))


@given(graphs(), st.booleans(), st.sampled_from(list(FORMS)))
def test_round_trips(graph: Graph, exact: bool, form: str) -> None:
    subject = built(graph, exact)
    events = subject.merge_events()
    again = sl.Collection.from_merge_events(events)
    assert same(subject, again) and again._state.decimals == subject._state.decimals
    again = sl.Collection.from_merge_events(map(FORMS[form], events), graph.num_records, exact=exact)
    assert same(subject, again) and again._state.decimals == subject._state.decimals
    again._state.hierarchy.validate()


@given(graphs(decimals=None))
def test_round_trips_of_any_double(graph: Graph) -> None:
    subject = built(graph, exact=True)
    assert same(subject, sl.Collection.from_merge_events(list(subject.merge_events()), graph.num_records, exact=True))


@given(graphs(), st.randoms(use_true_random=False))
def test_binary_merges_with_ties_become_n_way_events(graph: Graph, random: Any) -> None:
    subject = built(graph)
    merges: list[tuple[float, tuple[int, int]]] = []
    results: dict[int, int] = {}
    for event in subject.merge_events():
        parts = [results.get(component, component) for component in event.merging_components]
        while len(parts) > 1:
            random.shuffle(parts)
            merges.append((event.threshold, (parts.pop(), parts.pop())))
            parts.append(graph.num_records + len(merges) - 1)
        results[event.result_component] = parts[0]
    assert same(subject, sl.Collection.from_merge_events(merges, graph.num_records))


def test_events_of_scipy() -> None:
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    random = np.random.default_rng(5)
    for size in (2, 3, 17, 120):
        distances = np.round(random.random(size * (size - 1) // 2), 3)
        tree = hierarchy.linkage(distances, "single")
        merges = [(1 - row[2], row[:2].astype(int)) for row in tree]
        subject = sl.Collection.from_merge_events(merges, size)
        left, right = np.triu_indices(size, 1)
        assert same(subject, sl.Collection.from_edges((left, right, 1 - distances), records=range(size)))
        for cut in (0.001, 0.01, 0.05, 0.2):
            labels = hierarchy.fcluster(tree, cut + 1e-9, "distance")
            assert subject.at(1 - cut) == sl.Collection.from_labels(range(size), labels).at(1.0)
    points = random.random((50, 2))
    tree = hierarchy.linkage(points, "single")  # no ties: one event a row
    events = sl.Collection.from_merge_events([(1 - row[2] / 2, row[:2].astype(int)) for row in tree], 50, exact=True)
    found = [sorted(event.merging_components) for event in events.merge_events()]
    assert found == tree[:, :2].astype(int).tolist()


# ------------------------------------------------------------------------------------------------------------ records


def test_keys() -> None:
    subject = sl.Collection.from_edges([("a", "b", 0.9), ("b", ("crm", 1), 0.6)])
    keys = ["a", "b", ("crm", 1)]
    again = sl.Collection.from_merge_events(subject.merge_events(), records=keys)
    assert again.at(0.0) == subject.at(0.0) and again.at(0.7) == subject.at(0.7)
    again = sl.Collection.from_merge_events([(0.5, (0, 1))], 3, source="own")
    assert again.at(0.5).to_list() == [{("own", 0), ("own", 1)}, {("own", 2)}]
    again = sl.Collection.from_merge_events([(0.5, (0, 1))], 2, records=[7, 5], source="own")
    assert again.at(0.5).to_list() == [{("own", 7), ("own", 5)}]


def test_collections_can_be_extended_unless_their_records_were_given() -> None:
    subject = sl.Collection.from_merge_events(collection().merge_events())
    subject.add_edges([(7, 100, 0.5)])
    assert subject.num_records == 9 and subject.threshold_between(7, 100) == 0.5
    subject = sl.Collection.from_merge_events(collection().merge_events(), records=range(8))
    with pytest.raises(sl.KeyNotFoundError):
        subject.add_edges([(7, 100, 0.5)])


@pytest.mark.parametrize("as_objects", [False, True])
def test_views_of_frames_with_later_records(as_objects: bool) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("early", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.6)])
    frame.add_collection_from_edges("late", [("a", "p", 0.8), ("q", "r", 0.3)])
    view = frame["early"]
    assert view.num_records == 8 and view._state.hierarchy.num_records == 5
    events = view.merge_events()
    assert rows(events[:]) == [(0.9, (0, 1), 8), (0.6, (8, 2), 9), (0.6, (3, 4), 10)]
    again = sl.Collection.from_merge_events(list(events) if as_objects else events, view.num_records)
    assert again.num_records == 8 and rows(again.merge_events()) == rows(view.merge_events())
    assert again.at(0.6).labels.tolist() == view.at(0.6).labels.tolist()
    assert view.threshold_between("a", "q") is None and view.threshold_between("p", "q") is None


def test_events_of_a_collection_count_as_a_whole_and_bring_their_exactness() -> None:
    subject = sl.Collection.from_edges([("a", "b", 1 / 3)], quantise=None)
    events = subject.merge_events()
    next(events)
    again = sl.Collection.from_merge_events(events)
    assert again.thresholds.tolist() == [1 / 3] and again._state.decimals == 0
    assert sl.Collection.from_merge_events(list(subject.merge_events()), 2).thresholds.tolist() == [0.333333]


# --------------------------------------------------------------------------------------------------- what is refused

GOOD: list[Any] = [(0.9, (0, 1)), (0.8, (2, 3))]

BAD_EVENTS: dict[str, tuple[Any, str]] = {
    "no number": (("high", (4, 5)), "row 2: the threshold 'high'"),
    "text": (("0.5", (4, 5)), "threshold '0.5'"),
    "None": ((None, (4, 5)), "threshold None"),
    "a bool": ((True, (4, 5)), "threshold True"),
    "NaN": ((float("nan"), (4, 5)), "threshold nan"),
    "below": ((-1e-9, (4, 5)), "threshold -1e-09"),
    "above": ((1.5, (4, 5)), "threshold 1.5"),
    "infinite": ((Decimal("Infinity"), (4, 5)), "Infinity"),
    "beyond floats": ((10**400, (4, 5)), "threshold 1000"),
}


@pytest.mark.parametrize("case", BAD_EVENTS)
def test_bad_thresholds(case: str) -> None:
    event, message = BAD_EVENTS[case]
    with pytest.raises(sl.InvalidThresholdError, match=message) as caught:
        sl.Collection.from_merge_events([*GOOD, event, ("nor", "this")], 6)
    assert caught.value.row == 2


BAD_STRUCTURE: dict[str, tuple[Any, str]] = {
    "above the one before": ((0.85, (4, 5)), "highest threshold first"),
    "no components": ((0.5, ()), "0 components: two or more"),
    "one component": ((0.5, (4,)), "1 component: two or more"),
    "its own result": ((0.5, (4, 8)), "component 8, which is not there yet"),
    "a component far off": ((0.5, (4, 2**32 + 5)), "component 4294967301, which is not there yet"),
    "the largest component": ((0.5, (4, 2**64 - 1)), "component 18446744073709551615, which is not there yet"),
    "too large a component": ((0.5, (4, 2**64)), "18446744073709551616 is no component"),
    "a negative component": ((0.5, (4, -1)), "row 2: -1 is no component"),
    "a component twice": ((0.5, (4, 4)), "component 4 twice"),
    "a merged record": ((0.5, (4, 0)), "event 0 has merged: name the result, 6"),
    "a float": ((0.5, (4, 5.0)), "row 2: 5.0 is no component"),
    "text as a component": ((0.5, "45"), "'45'; give an iterable of ints"),
    "a number as components": ((0.5, 45), "45; give an iterable of ints"),
    "a bool as a component": ((0.5, (True, 4)), "True is no component"),
    "another result": ((0.5, (4, 5), 9), "result is 9, but with 6 records that of this event is 8"),
    "no result": ((0.5, (4, 5), "x"), "'x' is no result"),
    "one value": ((0.5,), "is no merge event"),
    "four values": ((0.5, (4, 5), 8, 1), "is no merge event"),
    "text": ("ab", "'ab' is no merge event"),
    "a number": (0.5, "row 2: 0.5 is no merge event"),
    "nothing": (None, "None is no merge event"),
    "a set": ({0.5, 4}, "is no merge event"),
    "a mapping without components": ({"threshold": 0.5}, "is no merge event"),
    "an object without components": (SimpleNamespace(threshold=0.5), "is no merge event"),
}


@pytest.mark.parametrize("case", BAD_STRUCTURE)
def test_bad_structure(case: str) -> None:
    event, message = BAD_STRUCTURE[case]
    with pytest.raises(sl.InvalidArgumentError, match=message) as caught:
        sl.Collection.from_merge_events(iter([*GOOD, event]), 6)
    assert caught.value.row == 2


def test_the_other_event_is_named() -> None:
    with pytest.raises(sl.InvalidArgumentError) as caught:
        sl.Collection.from_merge_events([*GOOD, (0.5, (3, 4))], 6)
    assert (caught.value.row, caught.value.other_row) == (2, 1)


def test_an_endless_iterator_ends() -> None:
    def endless() -> Iterator[tuple[float, tuple[int, int]]]:
        while True:
            yield 0.5, (0, 1)

    with pytest.raises(sl.InvalidArgumentError, match="component 0") as caught:
        sl.Collection.from_merge_events(endless(), 100)
    assert caught.value.row == 1


@pytest.mark.parametrize("events", [None, 5, "events", b"events"])
def test_what_has_no_events(events: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="merge events cannot be read from a"):
        sl.Collection.from_merge_events(events, 3)


@pytest.mark.parametrize("number", [-1, 2.0, "3", True, np.True_])
def test_what_is_no_number_of_records(number: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="num_records must be an int"):
        sl.Collection.from_merge_events([], number)


def test_numbers_of_records_that_do_not_fit() -> None:
    with pytest.raises(sl.InvalidArgumentError, match="give num_records or records"):
        sl.Collection.from_merge_events(GOOD)
    with pytest.raises(sl.InvalidArgumentError, match="num_records is 5, but there are 6"):
        sl.Collection.from_merge_events(GOOD, 5, records=range(6))
    with pytest.raises(sl.InvalidArgumentError, match="numbered for 8 records, not for 9"):
        sl.Collection.from_merge_events(collection().merge_events(), 9)
    with pytest.raises(sl.InvalidArgumentError, match="numbered for 8 records, not for 2"):
        sl.Collection.from_merge_events(collection().merge_events(), records=["a", "b"])
    with pytest.raises(sl.CapacityError):
        sl.Collection.from_merge_events([], 2**32 - 1)
    with pytest.raises(sl.CapacityError):
        sl.Collection.from_merge_events([], 10**5000)
    with pytest.raises(sl.CapacityError):
        _core.from_merges([], 2**32 - 1)


def test_bad_records_and_source() -> None:
    with pytest.raises(sl.DuplicateKeyError) as caught:
        sl.Collection.from_merge_events(GOOD, records=[1, 2, 1, 4])
    assert (caught.value.row, caught.value.other_row) == (2, 0)
    with pytest.raises(sl.InvalidArgumentError, match="source"):
        sl.Collection.from_merge_events(GOOD, 4, source=5)  # type: ignore[arg-type]


def test_what_the_caller_s_own_code_raises_comes_through() -> None:
    class Own(Exception):
        pass

    class Hostile:
        @property
        def threshold(self) -> float:
            raise Own

    class Number:
        def __float__(self) -> float:
            raise Own

        def __index__(self) -> int:
            raise Own

    def events() -> Iterator[Any]:
        yield GOOD[0]
        raise Own

    def components() -> Iterator[int]:
        yield 0
        raise Own

    for bad in (events(), [Hostile()], [(Number(), (0, 1))], [(0.5, (Number(), 1))], [(0.5, components())]):
        with pytest.raises(Own):
            sl.Collection.from_merge_events(bad, 4)


def test_progress_can_stop_the_reading() -> None:
    def stop(phase: str, done: int, total: int) -> None:
        if phase == "reading merge events":
            raise KeyboardInterrupt

    def slowly() -> Iterator[tuple[float, tuple[int, int]]]:
        yield 0.5, (0, 1)
        for event in range(10**7):
            yield 0.5, (event + 2, 10**7 + event)

    with pytest.raises(KeyboardInterrupt):
        sl.Collection.from_merge_events(slowly(), 10**7, progress=stop)


@pytest.mark.parametrize("keep", [False, "forest", True])
@pytest.mark.parametrize("limits", [{}, {"unique_sources": ["crm", "shop"]}])
def test_merges_know_neither_pairs_nor_constraints(keep: Any, limits: dict[str, Any]) -> None:
    """Of records that have no names any more, constraints on sources would forbid nothing when edges are added."""
    pairs = [(("crm", 1), ("shop", "A"), 0.95), (("crm", 2), ("shop", "A"), 0.9), (("crm", 2), ("shop", "B"), 0.85)]
    subject = sl.Collection.from_edges(pairs, keep_edges=keep, **limits)
    events = subject.merge_events()
    again, listed = (sl.Collection.from_merge_events(each, 4) for each in (events, rows(events)))
    again._state.hierarchy.validate()
    for each in (again, listed):
        assert each.constraints is None and each._state.hierarchy.kept == "nothing"
        each.add_edges([(0, 99, 0.1)])
    assert same(again, listed) and again.at(0.5).num_entities == subject.at(0.5).num_entities + 1


def test_nothing_is_left_behind() -> None:
    gc.collect()
    before = _core.memory_in_use()
    subject = collection()
    events = subject.merge_events()
    kept = list(events)
    again = sl.Collection.from_merge_events(kept, 8)
    with pytest.raises(sl.InvalidArgumentError):
        sl.Collection.from_merge_events([*kept, (0.1, (0, 1))], 8)
    del subject, events, kept, again
    gc.collect()
    assert _core.memory_in_use() == before


# -------------------------------------------------------------------------------------------------- threshold_between


@given(graphs(max_records=12))
def test_threshold_between_is_the_first_cut_that_joins(graph: Graph) -> None:
    subject = built(graph)
    labels = [(threshold, subject.at(threshold).labels) for threshold in subject.thresholds.tolist()]
    for a in range(graph.num_records):
        for b in range(graph.num_records):
            together = [threshold for threshold, of in labels if of[a] == of[b]]
            expected = 1.0 if a == b else together[0] if together else None
            assert subject.threshold_between(a, b) == expected


def test_threshold_between_in_the_extension() -> None:
    hierarchy = collection()._state.hierarchy
    assert hierarchy.threshold_between(3, 6) == 0.7 and hierarchy.threshold_between(0, 7) is None
    assert hierarchy.threshold_between(3, 8) is None
    with pytest.raises(sl.InvalidArgumentError):
        hierarchy.threshold_between(3, 3)
    with pytest.raises(ValueError, match="2\\^32"):
        hierarchy.threshold_between(3, -1)


def test_merge_events_in_the_extension() -> None:
    hierarchy = collection()._state.hierarchy
    events = _core.MergeEvents(hierarchy)
    assert events.hierarchy is hierarchy and events.num_records == 8 and len(events) == 4
    for index in (4, -1, 2**70):
        with pytest.raises(IndexError):
            events.event(index)
    with pytest.raises(TypeError):
        events.event("0")  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="only 7"):
        _core.MergeEvents(hierarchy, 7)
