"""Frames read and changed from many threads at once, and in forked processes: every result is what its state must show.

A collection named for a number k joins the keys 10 * k to 10 * k + 4, so what is right can be told from its name alone.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import numpy as np
import pytest

import starlings as sl

MEMBERS = 5
ROUNDS = 150
NUM_READERS = 4
TIMEOUT = 60  # seconds, before a test that hangs is given up

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def edges_of(number: int) -> list[tuple[int, int, float]]:
    first = 10 * number
    return [(first + i, first + i + 1, 0.5 if i + 2 == MEMBERS else 0.9) for i in range(MEMBERS - 1)]


def check(view: sl.Collection, number: int) -> None:
    """The view joins its own keys and nothing else."""
    low, high = view.at(0.5), view.at(0.7)
    assert low.num_records == high.num_records == view.num_records == len(low.labels)
    assert low.num_entities == view.num_records - (MEMBERS - 1)
    assert high.num_entities == view.num_records - (MEMBERS - 2)
    keys = [("crm", 10 * number + i) for i in range(MEMBERS)]
    assert low.entity_of(keys[0]).members == set(keys)
    assert high.entity_of(10 * number).size == MEMBERS - 1
    assert set(keys) in low.to_list()
    assert view.threshold_between(keys[0], keys[-1]) == 0.5
    assert view.sweep(0.5, 1.0, 0.5)["entity_count"].tolist() == [low.num_entities, view.num_records]


def read_once(frame: sl.EntityFrame) -> int:
    """Check whatever is there; how much."""
    checked = 0
    for name in frame:
        try:
            view = frame[name]
        except sl.CollectionNotFoundError:
            continue  # dropped since its name was read
        check(view, int(name))
        checked += 1
    report = frame.analyse(sl.col("0").sweep(), sl.col("0").at(0.5), metrics=["f1", "precision", "entity_count"])
    assert report["threshold"].tolist() == [0.5, 0.9] and report["f1"][0] == 1.0 and report["precision"][1] == 1.0
    metrics = frame.collect_metrics()
    assert metrics.garbage_ratio <= 0.5 and metrics.num_records >= MEMBERS * metrics.num_collections
    copy = frame.copy()
    before = copy.num_records
    copy.add_collection_from_edges("copied", [("left", "right", 1.0)], source="copy")
    assert copy.num_records == before + 2 and copy["copied"].at(1.0).num_entities == before + 1
    return checked


def read_until(frame: sl.EntityFrame, stop: Event) -> int:
    kept = [(frame["0"], frame["0"].num_records, frame["0"].at(0.5).labels.tolist())]
    checked = 0
    while not stop.is_set() or not checked:
        checked += read_once(frame)
        view = frame["0"]
        kept = [*kept[-10:], (view, view.num_records, view.at(0.5).labels.tolist())]
    for view, num_records, labels in kept:
        view.clear_cache()
        assert view.num_records == num_records and view.at(0.5).labels.tolist() == labels
    return checked


def change(frame: sl.EntityFrame, first: int, rounds: int) -> None:
    """Add, fail to add and drop; what was added last stays."""
    for number in range(first, first + rounds):
        frame.add_collection_from_edges(str(number), edges_of(number), source="crm")
        bad = [*edges_of(number + rounds), (1, 2, 1.5)]
        with pytest.raises(sl.InvalidScoreError):
            frame.add_collection_from_edges("bad", bad, source="crm")
        if number > first:
            frame.drop(str(number - 1))
        if number % 7 == 0:
            frame.compact()


def small_frame() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("0", edges_of(0), source="crm")
    return frame


def test_readers_beside_changes() -> None:
    frame = small_frame()
    stop = Event()
    with ThreadPoolExecutor(NUM_READERS + 1) as pool:
        readers = [pool.submit(read_until, frame, stop) for _ in range(NUM_READERS)]
        try:
            pool.submit(change, frame, 1, ROUNDS).result()
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)
    assert frame.collection_names() == ["0", str(ROUNDS)]
    frame.compact()
    assert frame.num_records == 2 * MEMBERS
    read_once(frame)


def test_changes_from_many_threads() -> None:
    frame = small_frame()
    firsts = [1000 * (number + 1) for number in range(4)]
    with ThreadPoolExecutor(len(firsts)) as pool:
        for future in [pool.submit(change, frame, first, ROUNDS // 3) for first in firsts]:
            future.result()
    assert set(frame) == {"0", *(str(first + ROUNDS // 3 - 1) for first in firsts)}
    frame.compact()
    assert frame.num_records == MEMBERS * (1 + len(firsts))
    read_once(frame)


def test_a_collection_grows_beside_readers() -> None:
    collection = sl.Collection.from_edges(edges_of(0), source="crm")
    stop = Event()

    def read() -> None:
        while not stop.is_set():
            copy = collection.copy()
            assert copy.at(0.7).num_records == copy.num_records and copy.num_records % MEMBERS == 0
            assert copy.at(0.5).num_entities == copy.num_records // MEMBERS

    def grow(first: int) -> None:
        for number in range(first, first + ROUNDS):
            collection.add_edges(edges_of(number), source="crm")
            with pytest.raises(sl.InvalidScoreError):
                collection.add_edges([("new", "newer", 0.5), (1, 2, 2.0)])

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for future in [pool.submit(grow, first) for first in (1, 1000)]:
                future.result()
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    assert collection.num_records == MEMBERS * (1 + 2 * ROUNDS)


# ------------------------------------------------------------------------------------------------------------ processes

NUM_RECORDS = 60_000  # enough for the engine to use its threads

#: What forked processes find in their memory.
_inherited: dict[str, sl.EntityFrame] = {}


def large_edges(seed: int) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    ends = random.integers(0, NUM_RECORDS, (2, 2 * NUM_RECORDS), dtype=np.uint32)
    return ends[0], ends[1], random.integers(0, 1000, 2 * NUM_RECORDS) / 1000


def work(frame: sl.EntityFrame, number: int) -> list[Any]:
    """Read, analyse, build and change; everything that a process finds out on the way."""
    found: list[Any] = [frame["large"].at(0.9).num_entities, int(frame["large"].at(0.4).labels.sum(dtype=np.int64))]
    found += frame.analyse(sl.col("large").sweep(0.2, 1.0, 0.1), sl.col("truth").at(1.0))["f1"].tolist()
    own = sl.Collection.from_edges(large_edges(number))
    found += [own.num_records, own.num_merges, own.at(0.5).num_entities]
    assimilation = frame.add_collection("own", own)
    found += [
        assimilation.num_new,
        int(assimilation.translation.sum(dtype=np.int64)),
        frame["own"].at(0.5).num_entities,
    ]
    frame.add_collection_from_edges("more", [(("new", i), ("new", i + number), 0.5) for i in range(200)])
    found += [frame.num_records, frame["more"].at(0.1).num_entities, frame.sources]
    frame.drop("own", "more")
    found += [frame.collect_metrics().garbage_ratio, frame.compact(), frame.num_records, frame.collection_names()]
    return found


def work_on_inherited(number: int) -> list[Any]:
    return work(_inherited["frame"], number)


@contextmanager
def inherited_frame() -> Iterator[sl.EntityFrame]:
    frame = sl.EntityFrame.from_records("default", [{"id": key} for key in range(1000)], "id")
    frame.add_collection_from_edges("large", large_edges(1_000))
    frame.add_collection_from_labels("truth", range(NUM_RECORDS), [key // 3 for key in range(NUM_RECORDS)])
    _inherited["frame"] = frame
    try:
        yield frame
    finally:
        _inherited.clear()


def in_forked_processes(numbers: range, processes: int) -> list[list[Any]]:
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map_async(work_on_inherited, numbers, chunksize=1).get(TIMEOUT)


def read_in_a_fork(connection: Any) -> None:
    """In a process of its own: a result that the parent knows, and a change."""
    frame = _inherited["frame"]
    connection.send((frame["large"].at(0.9).num_entities, len(sl.Collection.from_edges(large_edges(3)).at(0.5).sizes)))
    frame.add_collection_from_edges("more", [("new", "newer", 1.0)])
    connection.send(frame.num_records)


pytest_fork = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")


@pytest_fork
def test_forked_processes_go_their_own_ways(threads: None) -> None:
    sl.set_num_threads(3)
    with inherited_frame() as frame:
        names, num_records = frame.collection_names(), frame.num_records
        partition = frame["large"].at(0.4)
        assert partition.num_entities == len(partition.sizes)
        view, labels = frame["large"], partition.labels.copy()
        found = in_forked_processes(range(6), 3)
        assert (frame.collection_names(), frame.num_records) == (names, num_records)
        assert np.array_equal(view.at(0.4).labels, labels)
        alone = []
        for process in range(3):  # a process may have worked on its frame more than once: that leaves it as it was
            copy = frame.copy()
            alone += [work(copy, number) for number in (process, process + 3)]
        assert sorted(found, key=str) == sorted(alone, key=str)


@pytest_fork
def test_forks_while_another_thread_builds(threads: None) -> None:
    sl.set_num_threads(3)
    stop = Event()

    def build_on() -> int:
        built = 0
        while not stop.is_set():
            other = sl.EntityFrame()
            other.add_collection_from_edges("large", large_edges(built))
            other.add_collection("again", other["large"].copy())
            other.drop("large", "again")
            built += 1
        return built

    context = multiprocessing.get_context("fork")
    with inherited_frame() as frame, ThreadPoolExecutor(1) as pool:
        known = (frame["large"].at(0.9).num_entities, sl.Collection.from_edges(large_edges(3)).at(0.5).num_entities)
        busy = pool.submit(build_on)
        try:
            for _ in range(10):
                receiving, sending = context.Pipe(duplex=False)
                process = context.Process(target=read_in_a_fork, args=(sending,))
                process.start()
                assert receiving.poll(TIMEOUT), "the forked process hangs"
                assert receiving.recv() == known
                assert receiving.poll(TIMEOUT), "the forked process hangs"
                assert receiving.recv() == frame.num_records + 2
                process.join(TIMEOUT)
                assert process.exitcode == 0
        finally:
            stop.set()
        assert busy.result() > 0


def use_in_a_fork(connection: Any) -> None:
    """Read an inherited frame and change it; what came out, or that its records were lost to this process."""
    frame = _inherited["frame"]
    read = [frame["large"].at(t).num_entities for t in (0.9, 0.5)]
    read.append(int(frame["large"].at(0.7).labels.sum()))
    try:
        found = frame["large"].at(0.9).entity_of(0).size
        frame.add_collection_from_edges("mine", [("new", "other", 0.9)])
        connection.send([*read, found, frame["mine"].at(0.9).entity_of("new").size])
    except sl.SystemCallError as error:
        connection.send([*read, str(error)])


@pytest_fork
@pytest.mark.parametrize("beside", ["readers", "changes"])
def test_forks_amid_uses_of_the_same_frame(beside: str, threads: None) -> None:
    """A fork may happen while any other thread holds any lock of the frame: the child never waits for it."""
    sl.set_num_threads(2)
    stop = Event()
    context = multiprocessing.get_context("fork")

    def read_on(frame: sl.EntityFrame, number: int) -> None:
        while not stop.is_set():
            for threshold in (0.9, 0.5, 0.7):
                frame["large"].clear_cache()
                assert frame["large"].at(threshold).labels.size == frame["large"].num_records
                frame["large"].at(0.9).entity_of(0)

    def change_on(frame: sl.EntityFrame, number: int) -> None:
        while not stop.is_set():
            frame.add_collection_from_edges(f"more {number}", [(f"r{i}", f"r{i + 1}", 0.5) for i in range(2000)])
            frame.drop(f"more {number}")
            frame.compact()

    work_on = read_on if beside == "readers" else change_on
    with inherited_frame() as frame, ThreadPoolExecutor(3) as pool:
        expected = [frame["large"].at(t).num_entities for t in (0.9, 0.5)]
        large = frame["large"].at(0.9).entity_of(0).size
        busy = [pool.submit(work_on, frame, number) for number in range(3)]
        answers = []
        try:
            for _ in range(30):
                receiving, sending = context.Pipe(duplex=False)
                process = context.Process(target=use_in_a_fork, args=(sending,))
                process.start()
                assert receiving.poll(TIMEOUT), "the forked process hangs"
                answers.append(receiving.recv())
                process.join(TIMEOUT)
                assert process.exitcode == 0
        finally:
            stop.set()
        for future in busy:
            future.result()
    if beside == "readers":
        assert all(answer[:2] == expected and answer[3:] == [large, 2] for answer in answers)
    for answer in answers:
        assert answer[3:] == [large, 2] or "when this process was forked" in answer[3]
