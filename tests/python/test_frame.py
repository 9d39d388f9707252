"""Frames: records, collections over all of them, assimilation, views that never change, threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from starlings.testing import Graph, graphs, key_lists


def frame() -> sl.EntityFrame:
    frame = sl.EntityFrame.from_records("crm", [{"id": key} for key in "abcd"], key_column="id")
    frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)], source="crm")
    return frame


def test_a_mapping_of_views() -> None:
    subject = frame()
    subject.add_collection("second", edges=[("c", "d", 0.5)], source="crm")
    assert len(subject) == 2 and list(subject) == subject.collection_names() == ["model", "second"]
    assert "model" in subject and "nothing" not in subject and 5 not in subject
    assert subject["model"].is_view
    assert repr(subject["model"]).endswith("is_view=True)")
    assert repr(subject) == "EntityFrame(num_records=4, collections=['model', 'second'])"
    assert "crm" in subject._repr_html_() and "second" in subject._repr_html_()
    subject.drop("model")
    assert list(subject) == ["second"]
    subject.drop()
    subject.add_collection("model", edges=[])


@pytest.mark.parametrize("name", [None, 5, b"model", "\ud800", sl.Key("model")])
def test_names_that_are_no_text(name: Any) -> None:
    subject = frame()
    additions: list[Callable[[], object]] = [
        lambda: subject.add_collection(name, edges=[]),
        lambda: subject.add_collection(name, subject["model"]),
        lambda: subject.add_collection_from_edges(name, []),
        lambda: subject.add_collection_from_entities(name, []),
        lambda: subject.add_collection_from_labels(name, [], []),
    ]
    for add in additions:
        with pytest.raises(sl.InvalidArgumentError, match="name of a collection must be"):
            add()
    with pytest.raises(sl.InvalidArgumentError, match="source must be"):
        subject.add_records(name, [{"id": 1}], "id")
    assert name not in subject
    with pytest.raises(sl.CollectionNotFoundError, match=r"did you mean|there are 'model'"):
        subject[name]
    with pytest.raises(sl.CollectionNotFoundError):
        subject.drop(name)
    with pytest.raises(sl.KeyNotFoundError, match="there are 'crm'"):
        subject.records(name)
    with pytest.raises(sl.KeyNotFoundError):
        subject.records(sl.Key("crm"))  # type: ignore[arg-type]
    assert list(subject) == ["model"] and subject.sources == ["crm"] and subject.num_records == 4


def test_every_collection_is_over_all_records() -> None:
    subject = frame()
    assert subject["model"].num_records == 4 and subject["model"].at(0.6).num_entities == 2
    subject.add_records("web", [{"id": 1}, {"id": 2}], "id")
    assert subject["model"].num_records == 6 and subject["model"].at(0.6).num_entities == 4
    subject.add_collection_from_edges("other", [("new", "a", 0.8)], source="crm")
    assert subject.num_records == 7 and subject["model"].at(0.6).num_entities == 5
    assert subject["model"].at(0.6).to_list()[-1] == {("crm", "new")}
    assert subject.sources == ["crm", "web"]


def test_views_do_not_change() -> None:
    subject = frame()
    view = subject["model"]
    partition, entity = view.at(0.6), view.at(0.6).entities[0]
    subject.add_records("web", [{"id": 1}], "id")
    subject.add_collection_from_edges("other", [("z", "a", 0.8)], source="crm")
    subject.drop("model")
    assert view.num_records == partition.num_records == len(partition.labels) == 4
    assert view.at(0.6) == partition and view.at(0.9).num_entities == 3
    assert entity.members == {("crm", key) for key in "abc"}
    assert partition.to_arrow().num_rows == 4
    with pytest.raises(sl.KeyNotFoundError):
        view.at(0.6).entity_of(("crm", "z"))
    subject.add_collection("again", view)
    assert subject["again"].num_records == 6


def test_later_records_do_not_make_a_bare_key_ambiguous() -> None:
    subject = frame()
    view = subject["model"]
    partition = view.at(0.6)
    subject.add_records("web", [{"id": "a"}], "id")
    assert partition.entity_of("a").size == 3 and view.threshold_between("a", "b") == 0.9
    with pytest.raises(sl.InvalidArgumentError, match="2 sources"):
        subject["model"].at(0.6).entity_of("a")


def test_attributes_that_come_later_are_not_seen_elsewhere() -> None:
    subject = sl.EntityFrame()
    subject.add_collection_from_edges("model", [("a", "b", 0.9)])
    copy, entity = subject.copy(), subject["model"].at(0.5).entities[0]
    with pytest.raises(sl.DuplicateKeyError):
        subject.add_records("default", [{"id": "a", "x": 1}, {"id": "c", "x": 2}, {"id": "a", "x": 3}], "id")
    subject.add_records("default", [{"id": "a", "x": 1}, {"id": "d", "x": 2}], "id")
    assert subject.records("default").to_dicts() == [{"id": "a", "x": 1}, {"id": "d", "x": 2}]
    assert subject["model"].at(0.5).entities[0].tables()["default"].to_dicts() == [{"id": "a", "x": 1}]
    for other in (copy.records("default"), entity.tables()["default"]):
        assert other.to_dicts() == [{"key": "a"}, {"key": "b"}]
    copy.add_records("default", [{"id": "a", "y": 5}], "id")
    assert copy.records("default").to_dicts() == [{"id": "a", "y": 5}] and copy.num_records == 2


def test_known_records_are_not_given_attributes_by_collections() -> None:
    subject = sl.EntityFrame()
    subject.add_collection_from_edges("model", [("a", "b", 0.9)])
    copy, entity = subject.copy(), subject["model"].at(0.5).entities[0]
    other = sl.EntityFrame.from_records("default", [{"id": "b", "x": 1}, {"id": "c", "x": 2}], "id")
    other.add_collection_from_edges("other", [("b", "c", 0.8)])
    subject.add_collection("other", other["other"])
    assert subject.records("default").to_dicts() == [{"id": "c", "x": 2}]
    for unchanged in (copy.records("default"), entity.tables()["default"]):
        assert unchanged.to_dicts() == [{"key": "a"}, {"key": "b"}]


def test_rows_that_are_given_win_over_what_a_collection_brought() -> None:
    rows = [{"id": "a", "x": 1}, {"id": "b", "x": 2}, {"id": "c", "x": 3}]
    other = sl.EntityFrame.from_records("default", rows, "id")
    other.add_collection_from_edges("other", [("a", "b", 0.8)])
    subject = sl.EntityFrame()
    subject.add_collection("other", other["other"])
    copy, entity = subject.copy(), subject["other"].at(0.5).entities[0]
    with pytest.raises(sl.DuplicateKeyError):
        subject.add_records("default", [{"id": "b", "y": 4}, {"id": "d", "y": 5}, {"id": "b", "y": 6}], "id")
    assert subject.records("default").to_dicts() == rows
    subject.add_records("default", [{"id": "d", "y": 5}, {"id": "b", "y": 6}], "id")
    tables = [records.to_dicts() for records in (copy.records("default"), other.records("default"))]
    assert tables == [rows, rows] and entity.tables()["default"].to_dicts() == rows[:2]
    found = {
        row["id"]: {k: v for k, v in row.items() if v is not None} for row in subject.records("default").to_dicts()
    }
    assert found == {"a": rows[0], "b": {"id": "b", "y": 6}, "c": rows[2], "d": {"id": "d", "y": 5}}


def test_compaction_frees_the_names_of_sources_that_failed() -> None:
    subject = frame()
    before = subject["model"].at(0.6)
    with pytest.raises(sl.InvalidScoreError):
        subject.add_collection_from_edges(
            "failed", [((f"failed{n}", 1), ("crm", "a"), 0.5 if n < 65_500 else 2.0) for n in range(65_501)]
        )
    for number in range(65_501, 65_534):
        with pytest.raises(sl.DuplicateKeyError):
            subject.add_records(f"failed{number}", [{"id": 1}, {"id": 1}], "id")
    with pytest.raises(sl.CapacityError, match="sources"):
        subject.add_records("web", [{"id": 1}], "id")
    assert subject.sources == ["crm"]
    assert subject.compact() == 0 and subject["model"].at(0.6) == before
    compacted = subject.collect_metrics().last_compaction
    assert subject.compact() == 0 and subject.collect_metrics().last_compaction == compacted
    subject.add_records("web", [{"id": 1}], "id")
    assert subject.sources == ["crm", "web"]
    assert subject["model"].at(0.6).entity_of(("crm", "a")).size == 3


@pytest.mark.parametrize("num_given", [1_500_000, 2_500_000])  # a drop compacts; compact() does
def test_an_interrupted_compaction_changes_nothing(num_given: int) -> None:
    subject = sl.EntityFrame.from_records("crm", [{"id": 0, "x": 1}], key_column="id")
    numbers = np.arange(2_000_000)
    subject.add_collection_from_edges("large", (numbers, numbers ^ 1, np.full(len(numbers), 0.5)), source="crm")
    subject.add_collection_from_edges("small", [(0, 1, 0.9), (2, 3, 0.8)], source="crm")
    subject.add_records("web", pa.table({"id": np.arange(num_given)}), "id")
    num_live, names = num_given + 4, ["large", "small"]
    num_records = len(numbers) + num_given
    view, told = subject["large"], 0

    def stop(phase: str, done: int, total: int) -> None:
        nonlocal told
        told += 1
        assert phase == "compacting" and 0 <= done <= total and list(subject) == names
        if told == 2:
            raise ZeroDivisionError

    if num_given > len(numbers):
        subject.drop("large", progress=stop)
        names.remove("large")
    assert not told
    for _ in range(2):
        told = 0
        with pytest.raises(ZeroDivisionError):
            subject.drop("large", progress=stop) if "large" in subject else subject.compact(progress=stop)
        assert told == 2 and list(subject) == names and subject.num_records == num_records
        assert subject.collect_metrics().last_compaction is None
        assert subject["small"].at(0.8).entity_of(("crm", 3)).size == 2
    if "large" in subject:
        subject.drop("large", progress=False)
    else:
        assert subject.compact(progress=False) == num_records - num_live
    assert subject.num_records == num_live and view.num_records <= num_records
    assert subject.records("crm").to_dicts() == [{"id": 0, "x": 1}]
    assert subject["small"].at(0.8).entity_of(("crm", 3)).size == 2


def test_growing_a_view_detaches_it() -> None:
    subject = frame()
    view = subject["model"]
    view.add_edges([("c", "d", 0.7), ("d", "e", 0.7)], source="crm")
    assert not view.is_view and view.num_records == 5
    assert subject.num_records == 4 and subject["model"].at(0.6).num_entities == 2
    assert subject["model"].is_view
    copy = subject["model"].copy()
    assert not copy.is_view
    copy.add_edges([("x", "y", 1.0)])
    assert subject.num_records == 4 and subject._core.now().context.num_records == 4


def test_views_share_the_cache() -> None:
    subject = frame()
    assert subject["model"].at(0.6)._core == subject["model"].at(0.6)._core
    view = subject["model"]
    view.clear_cache()
    old = subject["model"].at(0.6)
    subject.add_records("web", [{"id": 1}], "id")
    assert subject["model"].at(0.6).num_records == 5 and view.at(0.6)._core == old._core


# --------------------------------------------------------------------------------------------------------- assimilation


def test_assimilation_is_by_source_and_key() -> None:
    subject = frame()
    given = sl.Collection.from_edges([("d", "c", 0.8), ("new", "a", 0.7), (("web", "a"), "d", 0.5)], source="crm")
    before = given.at(0.5)
    subject.add_collection("given", given)
    assert subject.num_records == 6
    assert subject["given"].at(0.7).entity_of(("crm", "d")).members == {("crm", "c"), ("crm", "d")}
    assert subject["given"].at(0.5).entity_of(("web", "a")).size == 3
    assert subject["given"].at(0.5).num_entities == 3
    assert not given.is_view and given.num_records == 5 and given.at(0.5) == before
    given.add_edges([("p", "q", 1.0)])
    assert subject.num_records == 6


@given(graphs(), graphs(), st.data())
def test_assimilation_is_adding_the_edges(one: Graph, other: Graph, data: st.DataObject) -> None:
    names = data.draw(key_lists(max(one.num_records, other.num_records)))
    first, second = ([(names[a], names[b], score) for a, b, score in graph.edges] for graph in (one, other))
    given = sl.Collection.from_edges(second)
    by_edges, by_collection = sl.EntityFrame(), sl.EntityFrame()
    for frame in (by_edges, by_collection):
        frame.add_collection_from_edges("first", first)
    by_edges.add_collection_from_edges("second", second)
    by_collection.add_collection("second", given)
    assert by_edges.num_records == by_collection.num_records
    for name in by_edges:
        by_collection[name]._state.hierarchy.validate()
        for threshold in (0.0, 0.3, 0.7, 1.0):
            assert by_edges[name].at(threshold) == by_collection[name].at(threshold)


def test_the_first_collection_of_a_frame_shares_its_records() -> None:
    given = sl.Collection.from_edges([("a", "b", 0.9)])
    subject = sl.EntityFrame()
    subject.add_collection("given", given)
    assert subject._core.now().context == given._state.context
    subject.add_collection_from_edges("more", [("c", "d", 0.9)])
    assert given._state.context.num_records == 2 and subject.num_records == 4
    given.add_edges([("x", "y", 0.9)])
    assert subject.num_records == 4 and given.num_records == 4
    assert subject["given"].at(0.5).num_entities == 3


def test_a_view_comes_back_without_translation() -> None:
    subject = frame()
    subject.add_collection("twin", subject["model"])
    assert subject["twin"]._state.hierarchy == subject["model"]._state.hierarchy
    detached = subject["model"]
    detached.add_edges([("d", "e", 0.9)], source="crm")
    subject.add_collection("grown", detached)
    assert subject.num_records == 5 and subject["grown"].at(0.9).entity_of(("crm", "e")).size == 2


def test_exact_collections_stay_exact() -> None:
    subject = frame()
    subject.add_collection("exact", sl.Collection.from_edges([("a", "b", 0.1234567)], quantise=None))
    subject.add_collection_from_edges("too", [("a", "b", 0.1234567)], quantize=None)
    assert subject["exact"].thresholds.tolist() == subject["too"].thresholds.tolist() == [0.1234567]
    report = subject.analyse(sl.col("exact").sweep(), sl.col("model").at(0.5))
    assert report["threshold"].tolist() == [0.1234567]


# --------------------------------------------------------------------------------------------------------------- copies


def test_copies_are_independent() -> None:
    subject = frame()
    copy = subject.copy()
    copy.add_records("web", [{"id": 1}], "id")
    copy.drop("model")
    subject.add_collection_from_edges("other", [("new", "a", 0.8)], source="crm")
    subject.add_records("shop", [{"id": 9}], "id")
    assert (subject.num_records, copy.num_records) == (6, 5)
    assert list(subject) == ["model", "other"] and list(copy) == []
    again = subject.copy()
    assert again["model"].at(0.6) == subject["model"].at(0.6)


# -------------------------------------------------------------------------------------------------------------- threads


def test_reading_while_another_thread_adds() -> None:
    subject = sl.EntityFrame.from_records("default", [{} for _ in range(500)])
    subject.add_collection_from_edges("model", [(i, i + 1, (i % 10) / 10) for i in range(499)])
    subject.add_collection_from_labels("truth", range(500), [i // 3 for i in range(500)])
    expected = subject.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["f1"])["f1"].tolist()
    stop = Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                report = subject.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["f1"])
                assert report["f1"].tolist() == expected
                view = subject["model"]
                partition = view.at(0.5)
                assert len(partition.labels) == view.num_records == partition.sizes.sum()
                assert partition.entity_of(7).size == 6
        except BaseException as error:
            failures.append(error)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(30):
        first = 1000 + 10 * number
        subject.add_collection_from_edges(f"c{number}", [(first, first + 1, 0.5), (first, 3, 0.4)])
        subject.add_records(f"s{number}", [{} for _ in range(5)])
        with pytest.raises(sl.InvalidScoreError):
            subject.add_collection_from_edges("bad", [(first + 2, first + 3, 0.5), (1, 2, 7.0)])
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures, failures[0]
    assert subject.num_records == 500 + 30 * 7


def test_adding_from_many_threads() -> None:
    subject = sl.EntityFrame()

    def add(number: int) -> None:
        subject.add_collection_from_edges(f"c{number}", [(f"{number}-{i}", f"common-{i}", 0.5) for i in range(50)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(24)))
    assert subject.num_records == 24 * 50 + 50 and len(subject) == 24
    for number in range(24):
        partition = subject[f"c{number}"].at(0.5)
        assert partition.entity_of(f"{number}-7").members == {("default", f"{number}-7"), ("default", "common-7")}
        assert partition.num_entities == subject.num_records - 50


def test_attributes_of_known_records_are_seen_by_nobody_else() -> None:
    subject = sl.EntityFrame()
    subject.add_collection_from_edges("model", [("a", "b", 0.9)])
    view, copy, adopter = subject["model"], subject.copy(), sl.EntityFrame()
    adopter.add_collection("model", view)
    entity = view.at(0.5).entities[0]
    bare = [{"key": "a"}, {"key": "b"}]
    for number, changed in enumerate([subject, copy, adopter]):
        changed.add_records("default", [{"id": "a", "number": number}], "id")
        for again, other in enumerate([subject, copy, adopter]):
            expected = [{"id": "a", "number": again}] if again <= number else bare
            assert other.records("default").to_dicts() == expected
        assert entity.tables()["default"].to_dicts() == bare
        assert changed["model"].at(0.5).to_list() == view.at(0.5).to_list()


def test_assimilated_attributes_are_seen_by_nobody_else() -> None:
    described = sl.EntityFrame.from_records("default", [{"id": "a", "name": "Ann"}], "id")
    described.add_collection_from_edges("model", [("a", "b", 0.9)])
    subject = sl.EntityFrame()
    subject.add_collection_from_edges("own", [("a", "c", 0.9)])
    copy = subject.copy()
    subject.add_collection("model", described["model"])
    assert subject.records("default").to_dicts() == [{"key": "a"}, {"key": "c"}, {"key": "b"}], "a was there before"
    assert copy.records("default").to_dicts() == [{"key": "a"}, {"key": "c"}]
    subject.add_records("default", [{"id": "c", "name": "Cy"}], "id")
    assert subject.records("default").to_dicts() == [{"id": "c", "name": "Cy"}]
    assert copy.records("default").to_dicts() == [{"key": "a"}, {"key": "c"}]
    with pytest.raises(sl.KeyNotFoundError):
        copy.add_collection("model", described["model"], new_records="error")
    assert copy.num_records == 2 and copy.records("default").to_dicts() == [{"key": "a"}, {"key": "c"}]


def test_a_large_frame_is_all_arrays() -> None:
    n = 200_000
    random = np.random.default_rng(3)
    subject = sl.EntityFrame()
    subject.add_collection_from_labels("truth", np.arange(n), np.arange(n) // 3)
    subject.add_collection_from_edges("model", (*random.integers(0, n, (2, n)), random.random(n).round(3)))
    report = subject.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0))
    assert subject.num_records == n and len(report) == len(subject["model"].thresholds)


def test_a_frame_is_not_measured_in_the_progress_of_its_own_change() -> None:
    frame = sl.EntityFrame.from_records("default", [{"id": 1}, {"id": 2}], key_column="id")
    count = 3_000_000
    edges = (np.arange(count), np.arange(1, count + 1), np.full(count, 0.5))
    refused: list[str] = []

    def measure(*_: object) -> None:
        try:
            frame.collect_metrics()
        except sl.InvalidArgumentError as error:
            refused.append(str(error))

    frame.add_collection("edges", edges=edges, progress=measure)
    assert refused and all("being changed" in message for message in refused)
    other = sl.Collection.from_edges(tuple(column[::-1] for column in edges))
    refused.clear()
    frame.add_collection("other", other, progress=measure)
    assert refused and all("being changed" in message for message in refused)
    frame.add_collection("more", edges=[(1, 2, 0.9)])  # the locks are as they should be
    assert frame.collect_metrics().num_collections == 3
