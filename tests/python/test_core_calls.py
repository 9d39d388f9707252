"""Calls of the C extension: progress, signals, threads, and that nothing is leaked."""

from __future__ import annotations

import gc
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from core_cases import (
    INT_ROWS,
    TEXT_ROWS,
    attempt,
    built,
    columns,
    table,
)
from starlings import _core
from starlings.exceptions import (
    InvalidArgumentError,
    InvalidScoreError,
)

# ------------------------------------------------------------------------------------ progress, interrupts, threads


def test_progress_is_called_and_may_stop() -> None:
    count = 2_000_000
    rng = np.random.default_rng(1)
    edges = (rng.integers(0, count, count), rng.integers(0, count, count), rng.random(count))
    calls: list[tuple[str, int, int]] = []
    context = _core.Context()
    _core.extend(context, None, edges, progress=lambda *call: calls.append(call))
    assert calls and all(isinstance(phase, str) and 0 <= done <= total for phase, done, total in calls)

    def stop(phase: str, done: int, total: int) -> None:
        raise LookupError("enough")

    context = _core.Context()
    context.intern(["before"])
    with pytest.raises(LookupError, match="enough"):
        _core.extend(context, None, edges, progress=stop)
    assert context.num_records == 1
    with pytest.raises(LookupError, match="enough"):
        _core.extend(context, None, ((i, i, 0.5) for i in range(10_000_000)), progress=stop)
    assert context.num_records == 1


def test_a_call_cannot_be_entered_from_its_own_progress() -> None:
    count = 1_000_000
    rng = np.random.default_rng(3)
    edges = (rng.integers(0, count, count), rng.integers(0, count, count), rng.random(count))
    context, refused = _core.Context(), []
    uses: list[Callable[[], object]] = [
        lambda: context.intern(["a"]),
        lambda: context.find(["a"]),
        lambda: context.find_one("a"),
        lambda: context.truncate(0),
        lambda: context.copy(),
        lambda: context.nbytes,
        lambda: context.intern_records("s", [{"id": 1}]),
        lambda: context.intern_context(_core.Context()),
        lambda: _core.Context().intern_context(context, 0),
        lambda: _core.extend(context, None, []),
        lambda: _core.from_entities(context, []),
        lambda: _core.from_labels(context, [], []),
    ]

    def use(*_: object) -> None:
        assert context.num_records == 0
        _core.extend(_core.Context(), None, INT_ROWS)  # another context is free
        for work in uses:
            try:
                work()
            except InvalidArgumentError as error:
                refused.append(str(error))

    _core.extend(context, None, edges, progress=use)
    assert len(refused) >= 10 and all("being changed" in message for message in refused)
    for work in uses:
        work()


@pytest.mark.parametrize("bad_row", [0, 1, 2])
def test_a_failed_round_ends_the_reading(bad_row: int) -> None:
    scores = [1.5 if row == bad_row else 0.5 for row in range(3)]
    chunks = [
        pa.table({"left": [f"a{row}"], "right": [f"b{row}"], "score": [score]}) for row, score in enumerate(scores)
    ]
    context = _core.Context()
    with pytest.raises(InvalidScoreError, match=f"row {bad_row} "):
        _core.extend(context, None, pa.concat_tables(chunks), batch_rows=1)
    assert context.num_records == 0


class Alarm(Exception):
    pass


def interrupted(work: Callable[[], object], delay: float) -> float:
    """Seconds from the signal to the end of the call."""
    rang: list[float] = []

    def ring(*_: object) -> None:
        rang.append(time.perf_counter())
        raise Alarm

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, delay)
    started = time.perf_counter()
    try:
        with pytest.raises(Alarm):
            while True:
                work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return time.perf_counter() - started - delay


def test_signals_stop_long_calls() -> None:
    count = 3_000_000
    rng = np.random.default_rng(2)
    left, right, score = rng.integers(0, count, count), rng.integers(0, count, count), rng.random(count)
    rows = [(str(i), str(i + 1), 0.5) for i in range(1000)] * 3000
    text = pa.array(left).cast(pa.string())
    texts = list(map(str, range(1_000_000)))
    context = _core.Context()
    jobs: dict[str, Callable[[], object]] = {
        "arrays": lambda: _core.extend(context, None, (left, right, score)),
        "strings": lambda: _core.extend(context, None, (text, text[::-1], score)),
        "rows": lambda: _core.extend(context, None, rows),
        "generator": lambda: _core.extend(context, None, (row for row in rows)),
        "lists": lambda: _core.extend(context, None, (texts, texts, [0.5] * len(texts))),
        "entities": lambda: _core.from_entities(context, ([i, i + 1] for i in range(0, 10**7, 2))),
        "labels": lambda: _core.from_labels(context, texts, texts),
        "intern": lambda: context.intern(text),
        "find": lambda: context.find(text),
        "counted": lambda: _core.Context().intern_records("s", ({} for _ in range(10**8))),
    }
    for name, job in jobs.items():
        late = interrupted(job, 0.05)
        print(f"{name}: {late * 1000:.0f} ms")
        assert late < 2.0, name
        if name != "intern":
            assert context.num_records == 0 or name == "find"
        context.truncate(0)


def test_contexts_serve_several_threads() -> None:
    context = _core.Context()
    hierarchy = _core.extend(context, None, [(i, i + 1, 0.5) for i in range(1000)])
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            rng = np.random.default_rng(seed)
            for turn in range(10):
                edges = (rng.integers(0, 50_000, 100_000), rng.integers(0, 50_000, 100_000), rng.random(100_000))
                _core.extend(context, hierarchy, edges, progress=lambda *_: None).validate()
                context.intern([(f"s{seed}-{turn}", i) for i in range(1000)])
                context.find_one(("s0-0", 5))
                context.record(turn)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)


# ------------------------------------------------------------------------------------------------------------- leaks


def everything_once() -> None:
    left, right, score = columns(TEXT_ROWS)
    context = _core.Context()
    good: list[Any] = [
        TEXT_ROWS,
        iter(TEXT_ROWS),
        (left, right, score),
        (np.array(left), np.array(right), np.array(score)),
        table(TEXT_ROWS),
        table(TEXT_ROWS).to_reader(max_chunksize=2),
        pl.DataFrame(table(TEXT_ROWS)),
        table(TEXT_ROWS).to_pandas(),
        dict(zip("abc", (left, right, score), strict=True)),
    ]
    bad: list[Any] = [
        [*TEXT_ROWS, (None, 1, 1)],
        ([*left, None], [*right, 1], [*score, 1]),
        [(("s", 1), ("t", None), 0.5)],
        [(1, 2, "x")],
        [1],
        5,
        (left, right, score[1:]),
        table([*TEXT_ROWS, (None, "b", 0.5)]),
        {"a": left, "b": right},
        ([("q", 1)], [2], [float("nan")]),
        (np.array(["\ud800"]), [1], [1.0]),
    ]
    for edges in [*good, *bad]:
        attempt(lambda edges=edges: _core.extend(context, None, edges))
    hierarchy = _core.extend(context, None, TEXT_ROWS, progress=lambda *_: None)
    partition = _core.Partition(hierarchy, 0.5)
    arrays = [np.asarray(x) for x in (hierarchy.order, hierarchy.levels, partition.labels, partition.records)]
    partition.to_list(context)
    partition.entity_set(context, 0)
    partition.entity_sources(context, 0)
    context.record_set(partition.records)
    context.record_keys(partition.records)
    context.record_sources(partition.records)
    attempt(lambda: partition.entity_set(context, 99))
    curve = _core.Curve(hierarchy, 0, partition, np.array([0.5]))
    curve.metric("f1")
    attempt(lambda: curve.metric("nope"))
    attempt(lambda: _core.Curve(hierarchy, 99, partition))
    for entities in (
        [["a", "b"], {("s", "c"), "d"}],
        [["a"], ["a"]],
        [{("s", 1), ("t", None), ("u", 2)}],
        ["x"],
        [{1: 2}],
    ):
        attempt(lambda entities=entities: _core.from_entities(context, entities))
    for labels in (["x", "y"], ["x", None], ["x"]):
        attempt(lambda labels=labels: _core.from_labels(context, [1, 2], labels))
        attempt(lambda labels=labels: _core.from_labels(context, [1, 1], labels))
        attempt(lambda labels=labels: _core.from_labels(context, ["n", ("m", 1)], labels, known_records_only=True))
    attempt(lambda: context.add_records("s", [{"id": 1}, {"id": 1}], "id"))
    attempt(lambda: context.add_records("s", [{"id": 1}, {}], "id"))
    attempt(lambda: context.add_records("s", pa.table({"id": pa.chunked_array([[1], [1]])}), "id"))
    attempt(lambda: context.find_one(left[0]))
    attempt(lambda: context.find_one(None))
    context.intern_context(context.copy())
    _core.Context().intern_context(context)
    _core.merge(hierarchy, hierarchy, np.arange(6, dtype="u4"), 6)
    made = _core.Table(6)
    made.add_numbers("a", np.zeros(6))
    made.add_numbers("b", arrays[0])
    made.add_categories("c", np.zeros(6, "u4"), ["x"])
    attempt(lambda: made.add_categories("c", np.zeros(6, "u4"), ["x", 5]))
    made.add_record_keys("k", context, partition.records)
    made.add_record_key_texts("t", context, partition.records)
    attempt(lambda: made.add_numbers("b", np.zeros(5)))
    attempt(lambda: pa.table(made))
    attempt(made.__arrow_c_stream__)


def resident() -> int:
    """Bytes of memory now in use by the process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_nothing_is_leaked() -> None:
    for _ in range(20):
        everything_once()
    gc.collect()
    before, engine, objects = resident(), _core.memory_in_use(), len(gc.get_objects())
    for _ in range(200):
        everything_once()
    gc.collect()
    assert _core.memory_in_use() == engine
    assert len(gc.get_objects()) - objects < 100
    assert resident() - before < 8_000_000


def references(objects: list[object]) -> list[int]:
    return [sys.getrefcount(x) for x in objects]


def test_references_are_balanced() -> None:
    source, name, key, odd = "a source " + "x" * 3, "an entry", "a key " + "y" * 3, object()
    watched = [source, name, key, odd]

    def once() -> None:
        for edges in ([((source, key), key, 0.5)], [((source, key), odd, 0.5)], ([(source, key)], [key], [0.5])):
            attempt(lambda edges=edges: built(edges, source=name))
        attempt(lambda: _core.from_entities(_core.Context(), [{(source, key)}, {(source, key), (name, None)}]))
        attempt(lambda: _core.Context().intern_records(source, [{name: key}, {}], name))
        attempt(lambda: _core.Context().find_one((source, key), name))

    once()
    before = references(watched)
    for _ in range(50):
        once()
    assert references(watched) == before
