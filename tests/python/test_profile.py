"""Estimates of time and memory: they grow with the job, say where their constants come from and survive any file."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from starlings import benchmark, costs
from starlings.profile import PerformanceProfile

MOST_RECORDS, MOST_EDGES = 2**32 - 2, 2**64 - 1
NOT_MONOTONE = {"sweep_seconds_per_threshold"}
NUMBERS = [
    field.name for field in fields(PerformanceProfile) if field.name not in {"scale", "constants", *NOT_MONOTONE}
]
MEASURED = replace(costs.SHIPPED, build=costs.Cost(1.0, 0.0, 0.0, 0.0), cached=2.0, measured_on=date(2026, 3, 1))

counts = st.sampled_from([0, 1, 2, 3, 9_999, 10_000, 10_001, 10**6, 10**6 + 1, costs.FAR, costs.FAR + 1])
many_records = counts | st.integers(0, MOST_RECORDS)
many_edges = counts | st.integers(0, MOST_EDGES)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's own file."""
    path = tmp_path / "here" / "constants.json"
    monkeypatch.setenv("STARLINGS_PROFILE", str(path))
    return path


def estimate(num_records: int, num_edges: int) -> PerformanceProfile:
    return sl.PerformanceProfile.estimate(num_records, num_edges)


# ------------------------------------------------------------------------------------------------------------ estimates


@given(many_records, many_records, many_edges, many_edges)
def test_more_records_or_edges_never_take_less(n1: int, n2: int, m1: int, m2: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("starlings.profile.constants_in_use", lambda: costs.SHIPPED)
        less, more = estimate(min(n1, n2), min(m1, m2)), estimate(max(n1, n2), max(m1, m2))
    for name in NUMBERS:
        assert getattr(less, name) <= getattr(more, name), name
    assert less.memory_usage_bytes <= less.peak_memory_bytes


@given(many_records, many_edges)
def test_a_threshold_takes_its_share_of_the_sweep(n: int, m: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("starlings.profile.constants_in_use", lambda: costs.SHIPPED)
        profile = estimate(n, m)
    assert profile.num_thresholds <= min(m, max(0, n - 1), 1_000_001)
    shared_out = profile.sweep_seconds_per_threshold * max(1, profile.num_thresholds)
    assert shared_out == pytest.approx(profile.sweep_seconds)


@pytest.mark.parametrize(
    ("num_records", "scale"),
    [
        *((0, "small"), (10_000, "small"), (10_001, "medium")),
        *((1_000_000, "medium"), (1_000_001, "large"), (MOST_RECORDS, "large")),
    ],
)
def test_scale_follows_the_records(num_records: int, scale: str) -> None:
    assert estimate(num_records, MOST_EDGES).scale == scale


@pytest.mark.parametrize(
    ("num_records", "num_edges", "name", "seconds_or_bytes"),
    [
        (10**6, 10**6, "hierarchy_build_seconds", 0.062),
        (10**6, 5 * 10**6, "hierarchy_build_seconds", 0.144),
        (10**7, 5 * 10**7, "hierarchy_build_seconds", 2.09),
        (10**6, 5 * 10**6, "string_key_build_seconds", 0.486),
        (10**7, 5 * 10**7, "string_key_build_seconds", 7.1),
        (10**6, 10**6, "sweep_seconds", 0.265),
        (10**6, 5 * 10**6, "sweep_seconds", 0.183),
        (10**7, 5 * 10**7, "sweep_seconds", 1.67),
        (10**6, 5 * 10**6, "uncached_query_seconds", 0.0015),
        (10**7, 5 * 10**7, "uncached_query_seconds", 0.053),
        (10**6, 10**6, "peak_memory_bytes", 55e6),
        (10**6, 5 * 10**6, "peak_memory_bytes", 112e6),
        (10**7, 5 * 10**7, "peak_memory_bytes", 1061e6),
    ],
)
def test_shipped_constants_give_what_the_benchmark_measured(
    num_records: int, num_edges: int, name: str, seconds_or_bytes: float
) -> None:
    estimated = getattr(estimate(num_records, num_edges), name)
    assert seconds_or_bytes / 1.3 < estimated < seconds_or_bytes * 1.3


def test_held_memory_is_what_the_engine_counts() -> None:
    n = 200_000
    rng = np.random.default_rng(7)
    edges = rng.integers(0, n, n), rng.integers(0, n, n), rng.random(n)
    before = sl._core.memory_in_use()
    collection = sl.Collection.from_edges(edges, records=np.arange(n))
    held = sl._core.memory_in_use() - before
    assert held / 1.5 < estimate(n, n).memory_usage_bytes < held * 1.5
    assert collection.num_records == n


@pytest.mark.parametrize("kind", [int, np.int64, np.uint32])
def test_any_integer_will_do(kind: Any) -> None:
    profile = estimate(kind(7), kind(9))
    assert (profile.num_records, profile.num_edges) == (7, 9)
    assert type(profile.num_records) is int


@pytest.mark.parametrize("bad", [-1, True, False, np.True_, 1.0, "1", None, [1], 10**400, -(10**400)])
def test_what_is_no_count_is_refused(bad: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="num_records must be an int from 0 to 4,294,967,294"):
        estimate(bad, 0)
    with pytest.raises(sl.InvalidArgumentError, match="num_edges must be an int from 0 to"):
        estimate(0, bad)


def test_more_records_than_there_can_be_are_refused() -> None:
    with pytest.raises(sl.InvalidArgumentError):
        estimate(MOST_RECORDS + 1, 0)


def test_a_profile_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        estimate(1, 1).num_records = 2  # type: ignore[misc]
    assert estimate(1, 1) == estimate(1, 1)


def test_it_is_shown_with_units() -> None:
    profile = estimate(10**6, 5 * 10**6)
    for text in (repr(profile), profile._repr_html_()):
        for part in ("1,000,000 records", "5,000,000 edges", "medium", "shipped defaults", " ms", " µs", " MB"):
            assert part in text, part
    assert "days" in repr(estimate(MOST_RECORDS, MOST_EDGES))
    assert "0 bytes" in repr(estimate(0, 0))


# ------------------------------------------------------------------------------------------------------------- the file


def test_constants_are_taken_from_the_file(place: Path) -> None:
    assert estimate(5, 5).constants == "shipped defaults"
    costs.store(MEASURED, place)
    assert costs.load(place) == MEASURED
    profile = estimate(5, 5)
    assert (profile.hierarchy_build_seconds, profile.cached_query_seconds) == (1.0, 2.0)
    assert profile.constants == "measured on this machine on 2026-03-01"
    assert "measured on this machine on 2026-03-01" in repr(profile)
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARLINGS_PROFILE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert costs.constants_path() == tmp_path / "cache" / "starlings" / "performance.json"
    monkeypatch.setenv("HOME", str(tmp_path))
    for unset in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert costs.constants_path() == tmp_path / ".cache" / "starlings" / "performance.json"


def test_without_a_home_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("STARLINGS_PROFILE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert estimate(1, 1).constants == "shipped defaults"
    with pytest.raises(sl.InvalidArgumentError, match="give a path"):
        sl.PerformanceProfile.measure(largest=100)


def spoilt(place: Path) -> list[bytes]:
    """Contents that are no constants: each member gone, of another type, no number; other versions; no JSON at all."""
    costs.store(MEASURED, place)
    good = json.loads(place.read_bytes())
    found = [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 50_000, b" " * 100_000, json.dumps(good).encode()[:-2]]
    for bad in (None, True, "x", -1.0, float("nan"), float("inf"), 10**400, [], {}):
        for parts in (
            ["constants"],
            ["constants", "build"],
            ["constants", "cut", "per_record"],
            ["constants", "cached"],
        ):
            changed = json.loads(place.read_bytes())
            at = changed
            for part in parts[:-1]:
                at = at[part]
            at[parts[-1]] = bad
            found.append(json.dumps(changed).encode())
    for name in good:
        found.append(json.dumps({key: value for key, value in good.items() if key != name}).encode())
    found += [json.dumps({**good, **other}).encode() for other in ({"format": 2}, {"format": "1"}, {"more": 1})]
    found += [json.dumps({**good, "measured_on": other}).encode() for other in (5, None, "today", "2026-13-01")]
    return found


def test_a_file_that_holds_no_constants_is_named_in_a_warning(place: Path) -> None:
    for contents in spoilt(place):
        place.write_bytes(contents)
        with pytest.warns(UserWarning, match="no usable performance constants") as caught:
            profile = estimate(10**6, 10**6)
        assert str(place) in str(caught[0].message)
        assert caught[0].filename == __file__
        assert profile.constants == "shipped defaults"


def test_a_file_that_cannot_be_read_is_named_in_a_warning(place: Path) -> None:
    place.mkdir(parents=True)
    with pytest.warns(UserWarning, match="constants.json holds no usable"):
        assert estimate(1, 1).constants == "shipped defaults"


def test_a_file_that_is_not_there_yet_is_no_mistake(place: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert estimate(1, 1).constants == "shipped defaults"
    assert not place.parent.exists()


def test_what_cannot_be_written_leaves_the_old_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs.store(MEASURED, place)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(sl.SystemCallError, match="disk full") as caught:
        costs.store(replace(MEASURED, cached=3.0), place)
    assert str(place) in str(caught.value)
    assert costs.load(place) == MEASURED
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_shipped_constants_are_not_stored(place: Path) -> None:
    with pytest.raises(sl.InvalidArgumentError):
        costs.store(costs.SHIPPED, place)
    assert not place.exists()


# ------------------------------------------------------------------------------------------------------------ measuring


@pytest.mark.parametrize("arrow", [True, False])
def test_measured_constants_are_used(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, arrow: bool
) -> None:
    if not arrow:
        monkeypatch.setattr(benchmark, "is_installed", lambda _: False)
    constants = sl.PerformanceProfile.measure(largest=400)
    assert constants.measured_on is not None and abs((constants.measured_on - date.today()).days) <= 1
    assert costs.load(place) == constants
    profile = estimate(10**6, 10**6)
    assert profile.constants == constants.origin
    assert all(getattr(profile, name) > 0 for name in NUMBERS if name.endswith("_seconds"))
    elsewhere = tmp_path / "other" / "constants.json"
    assert sl.PerformanceProfile.measure(elsewhere, largest=100) == costs.load(elsewhere)
    assert costs.load(place) == constants


@pytest.mark.parametrize("bad", [99, 0, -1, True, 1e6, "1", None])
def test_sizes_that_measure_nothing_are_refused(place: Path, bad: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="largest must be"):
        sl.PerformanceProfile.measure(largest=bad)
    assert not place.exists()


def test_a_fit_finds_the_constants_that_made_the_times() -> None:
    cost = costs.Cost(1e-4, 2e-8, 3e-8, 5e-8)
    sizes = [(10**3, 10**3), (10**5, 10**5), (10**5, 10**6), (10**6, 10**6), (4 * 10**6, 10**6)]
    points = [benchmark._Point(n, m, cost.seconds(n, m)) for n, m in sizes]
    fitted = benchmark._fitted(points, costs.SHIPPED.build)
    for part in fields(costs.Cost):
        assert getattr(fitted, part.name) == pytest.approx(getattr(cost, part.name), rel=1e-6)


def test_what_no_size_told_of_follows_the_speed_of_the_machine() -> None:
    shipped = costs.SHIPPED.build
    points = [
        benchmark._Point(n, m, 2 * shipped.seconds(n, m)) for n, m in [(10**3, 10**3), (10**5, 10**5), (10, 10**6)]
    ]
    assert benchmark._fitted(points, shipped).per_far_record == pytest.approx(2 * shipped.per_far_record)
    assert benchmark._as_fast(points).per_item == pytest.approx(2 * costs.SHIPPED.build_strings.per_item)


def test_a_fit_is_never_negative() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        points = [benchmark._Point(*rng.integers(1, 10**7, 2).tolist(), float(rng.random()) + 1e-6) for _ in range(6)]
        fitted = benchmark._fitted(points, costs.SHIPPED.build)
        assert min(getattr(fitted, part.name) for part in fields(costs.Cost)) >= 0
