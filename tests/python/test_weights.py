"""Collections of weights: the plain leaf order, thresholds in the units of the weights, and all that reads them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plain_metrics
import starlings as sl
from core_cases import numbers
from leaf_order_reference import hierarchy as plain_hierarchy
from plain_frame import components
from starlings import _core
from starlings.state import State
from starlings.thresholds import as_compared, grid

Edge = tuple[int, int, float]

N = 9
WEIGHTS = {
    "floats": st.floats(-40, 40),
    "ints": st.integers(-3, 3).map(float),
    "any": st.floats(allow_nan=False, allow_infinity=False),
    "tiny": st.floats(-2e-6, 2e-6),
    "hardly rounded": st.floats(2.0e9, 2.5e9),
}


def edge_lists() -> st.SearchStrategy[list[Edge]]:
    records = st.integers(0, N - 1)
    return st.one_of([st.lists(st.tuples(records, records, weights), max_size=25) for weights in WEIGHTS.values()])


def rounded(weight: float, decimals: int) -> float:
    """Half to even, unless it is huge; by way of fractions of ten."""
    units = weight * 10.0**decimals
    return weight + 0.0 if decimals == 0 or abs(units) >= 2**51 else round(units) / 10**decimals


def build(edges: Any, decimals: int = 6, base: _core.Hierarchy | None = None, n: int = N) -> _core.Hierarchy:
    context = _core.Context()
    context.intern(np.arange(n, dtype=np.uint32))
    made = _core.extend(context, base, edges, decimals=decimals, scale="weight")
    made.validate()
    return made


def collection_of(edges: Iterable[Edge], decimals: int = 6, n: int = N) -> sl.Collection:
    """What `from_edges` makes of weights."""
    return sl.Collection.from_edges(list(edges), records=range(n), quantise=decimals or None, scale="weight")


def plain_labels(edges: Iterable[Edge], threshold: float, n: int = N) -> list[int]:
    """The smallest record that each is connected with."""
    return components(n, [(a, b) for a, b, weight in edges if weight >= threshold])


def example() -> list[Edge]:
    """Weights in bits, of which the probabilities are nearly all 1."""
    chance = random.Random(4)
    return [(chance.randrange(N), chance.randrange(N), chance.gauss(12, 15)) for _ in range(12)]


# ---------------------------------------------------------------------------------------------------------- hierarchies


@given(edge_lists(), st.integers(0, 6))
def test_the_hierarchy_is_that_of_the_definition(edges: list[Edge], decimals: int) -> None:
    made = build(edges, decimals)
    order, join, levels = plain_hierarchy(N, [(a, b, rounded(weight, decimals)) for a, b, weight in edges if a != b])
    assert (numbers(made.order), numbers(made.join), numbers(made.levels)) == (order, join, levels)
    assert made.scale == "weight" and made.is_exact == (decimals == 0)


@given(edge_lists(), edge_lists(), st.integers(0, 6))
def test_extending_is_building_at_once(first: list[Edge], second: list[Edge], decimals: int) -> None:
    assert build(second, decimals, build(first, decimals)) == build(first + second, decimals)


@given(edge_lists(), st.integers(0, 6))
def test_merge_events_go_round(edges: list[Edge], decimals: int) -> None:
    original = collection_of(edges, decimals)
    for events in (original.merge_events(), [(e.threshold, e.merging_components) for e in original.merge_events()]):
        again = sl.Collection.from_merge_events(events, N, exact=decimals == 0, scale="weight")
        assert again._state.hierarchy == original._state.hierarchy and again.scale == "weight"


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_weights_are_finite(bad: float) -> None:
    for decimals in (0, 6):
        with pytest.raises(sl.InvalidScoreError, match="row 2 is not a finite number") as caught:
            build([(0, 1, 1e300), (1, 2, -5), (2, 3, bad)], decimals)
        assert caught.value.row == 2
    with pytest.raises(sl.InvalidThresholdError, match="finite number") as caught_event:
        sl.Collection.from_merge_events([(2.0, (0, 1)), (bad, (2, 3))], 4, scale="weight")
    assert caught_event.value.row == 1


@pytest.mark.parametrize("bad", ["0.5", None, True, "x"])
def test_thresholds_of_events_are_numbers(bad: Any) -> None:
    with pytest.raises(sl.InvalidThresholdError, match="finite number"):
        sl.Collection.from_merge_events([(bad, (0, 1))], 4, scale="weight")


def test_weights_that_are_taken_for_probabilities_name_the_scale() -> None:
    with pytest.raises(sl.InvalidScoreError, match='scale="weight"'):
        sl.Collection.from_edges([("a", "b", 24.5)])
    with pytest.raises(sl.InvalidScoreError, match=r"scores are probabilities$"):
        sl.Collection.from_edges([("a", "b", nan)])


def test_scales_do_not_mix() -> None:
    weights, context = build([(0, 1, 3)]), _core.Context()
    probabilities = _core.extend(context, None, [(0, 1, 0.5)])
    assert probabilities.scale == "probability" and sl.Collection.from_edges([]).scale == "probability"
    with pytest.raises(sl.InvalidArgumentError, match="probabilities cannot be extended with weights"):
        _core.extend(context, probabilities, [(0, 1, 0.5)], scale="weight")
    with pytest.raises(sl.InvalidArgumentError, match="cannot be merged"):
        _core.merge(weights, probabilities, None, N)
    for scale in ("bits", 1, None, "Weight"):
        with pytest.raises(sl.InvalidArgumentError, match="scale must be 'probability' or 'weight', not"):
            _core.extend(context, None, [], scale=scale)  # type: ignore[arg-type]
        with pytest.raises(sl.InvalidArgumentError, match="scale must be 'probability' or 'weight', not"):
            sl.Collection.from_merge_events([], 0, scale=scale)  # type: ignore[arg-type]
    assert _core.from_merges([(0.5, (0, 1))], 2) != _core.from_merges([(0.5, (0, 1))], 2, scale="weight")
    with pytest.raises(sl.InvalidArgumentError, match="records= cannot be entities where scores are weights"):
        sl.Collection.from_edges([], records=[sl.Entity(["a"], id=1)], scale="weight")


def test_edges_are_added_on_the_scale_of_the_collection() -> None:
    collection = sl.Collection.from_merge_events([(17.5, (0, 1))], 4, scale="weight")
    collection.add_edges([(1, 2, -8.1234567), (2, 3, 1e200)])
    assert collection.scale == "weight" and collection.thresholds.tolist() == [1e200, 17.5, -8.123457]
    with pytest.raises(sl.InvalidScoreError, match="finite"):
        collection.add_edges([(1, 2, inf)])
    copy = collection.copy()
    copy.add_edges([(0, 3, 400)])
    assert copy.scale == "weight" and len(collection.thresholds) == 3 and copy.thresholds.tolist() == [1e200, 400, 17.5]


# ----------------------------------------------------------------------------------------------------------- thresholds


@given(edge_lists(), st.sampled_from([0, 1, 6]), st.floats(allow_nan=False, allow_infinity=False))
def test_cuts_are_what_edges_of_the_threshold_connect(edges: list[Edge], decimals: int, anywhere: float) -> None:
    collection = collection_of(edges, decimals)
    plain = [(a, b, rounded(weight, decimals)) for a, b, weight in edges]
    for threshold in (anywhere, 0, -0.0, 1, *(weight for _, _, weight in edges[:5])):
        partition = collection.at(threshold)
        at = rounded(threshold, 6 if decimals else 0)
        assert partition.threshold == at
        assert plain_metrics.clusters(partition.labels.tolist()) == plain_metrics.clusters(plain_labels(plain, at))


@pytest.mark.parametrize("threshold", [nan, inf, -inf, 10**400, "3", None, True])
def test_thresholds_are_finite_numbers(threshold: Any) -> None:
    collection = collection_of(example())
    for attempt in (collection.at, lambda t: collection.sweep(-1e6, t), lambda t: sl.col("bits").at(t)):
        if threshold is not None or attempt == collection.at:
            with pytest.raises(sl.InvalidThresholdError, match="finite number"):
                attempt(threshold)


def test_threshold_between() -> None:
    collection = collection_of([(0, 1, -7.5), (1, 2, 900)])
    assert collection.threshold_between(0, 2) == -7.5 and collection.threshold_between(0, 3) is None
    assert collection.threshold_between(2, 2) == inf
    assert sl.Collection.from_edges([(0, 1, 0.5)]).threshold_between(1, 1) == 1.0


@given(st.floats(-1e9, 1e9), st.integers(0, 300), st.sampled_from([1e-6, 0.01, 0.3, 1, 2.5, 1e3]))
def test_grids_do_not_drift(start: float, count: int, step: float) -> None:
    points = grid(start, start + count * step, step, scale="weight").tolist()
    first = round(start * 1e6)
    assert len(points) in (count, count + 1, count + 2)
    assert points == [round(first + i * (step * 1e6)) / 1e6 for i in range(len(points))]
    assert all(point == as_compared(point, exact=False) for point in points)


def test_grids_of_huge_ranges() -> None:
    assert grid(-1e308, 1e308, 1e307, scale="weight") == pytest.approx([i * 1e307 for i in range(-10, 11)])
    assert grid(1e308, 1e308, 1, scale="weight").tolist() == [1e308]
    assert grid(-3e9, 3e9, 1e9, scale="weight").tolist() == [i * 1e9 for i in range(-3, 4)]
    for bounds in ((-1e308, 1e308), (0, 3), (1e308, 1.1e308)):
        with pytest.raises(sl.InvalidArgumentError, match="larger step"):
            grid(*bounds, 1e-6, scale="weight")


@pytest.mark.parametrize(
    ("weights", "ends", "step"),
    [
        ((-20.5, 30), (-21, 30), 1),
        ((3, 8.5), (3, 9), 0.1),
        ((0.25, 0.5), (0, 1), 0.01),
        ((-7, 13), (-7, 13), 0.2),
        ((7, 7), (7, 7), None),
        ((-1e9, 1e9), (-1e9, 1e9), 2e7),
        ((-1e308, 1e308), (-1e308, 1e308), 2e306),
    ],
)
def test_a_sweep_of_its_own_covers_all_merges(
    weights: tuple[float, float], ends: tuple[float, float], step: float | None
) -> None:
    collection = collection_of([(0, 1, weights[1]), (1, 2, weights[0])])
    frame = sl.EntityFrame()
    frame.add_collection("bits", collection)
    thresholds = collection.sweep()["threshold"]
    assert thresholds[0] == ends[0] and thresholds[-1] == pytest.approx(ends[1])
    if step is not None:
        assert 50 <= len(thresholds) <= 101
        assert np.allclose(np.diff(thresholds / step), 1)
    assert frame.analyse(sl.col("bits").sweep(start=ends[0]))["threshold"].tolist() == thresholds.tolist()
    at = collection.sweep(step=max(1.0, 10 * (step or 1)))
    assert len(at) <= 12 and at["threshold"][0] == ends[0]


def test_sweeps_without_merges_or_with_some_bounds() -> None:
    assert len(collection_of([]).sweep()) == len(sl.Collection.from_edges([]).sweep())
    collection = collection_of([(0, 1, 40), (1, 2, -10)])
    assert collection.sweep(39)["threshold"].tolist() == [39 + i / 100 for i in range(101)]
    assert collection.sweep(0, 10, 5)["threshold"].tolist() == [0, 5, 10]
    assert collection.sweep(0, 10, 5)["entity_count"].tolist() == [8, 8, 8]
    with pytest.raises(sl.InvalidThresholdError, match="goes up"):
        collection.sweep(41)
    with pytest.raises(sl.InvalidThresholdError, match="goes up"):
        collection.sweep(2, 1)


# ------------------------------------------------------------------------------------------------------------- analysis


def frame_of(edges: list[Edge], decimals: int = 6) -> tuple[sl.EntityFrame, list[int]]:
    """A frame with a collection of weights, one of probabilities and a truth."""
    truth = [0, 0, 0, 1, 1, 2, 2, 2, 3]
    frame = sl.EntityFrame()
    frame.add_collection("bits", collection_of(edges, decimals))
    sigmoid = [(a, b, 1 / (1 + 2.0**-weight)) for a, b, weight in edges]
    frame.add_collection("model", sl.Collection.from_edges(sigmoid, quantise=None))
    frame.add_collection_from_labels("truth", np.arange(N), truth)
    return frame, truth


@pytest.mark.parametrize("decimals", [0, 2, 6])
def test_weights_against_a_truth(decimals: int) -> None:
    edges = [(a, b, rounded(weight, decimals)) for a, b, weight in example()]
    frame, truth = frame_of(edges, decimals)
    names = ["f1", "recall", "bcubed_precision", "entity_count", "entropy", "pair_count"]
    everywhere = frame.analyse(sl.col("bits").sweep(), sl.col("truth").at(1.0), metrics=names)
    some = frame.analyse(sl.col("bits").sweep(-30, 50, 2.5), sl.col("truth").at(1.0), metrics=names)
    assert everywhere["threshold"].tolist() == frame["bits"].thresholds[::-1].tolist()
    assert some["threshold"].tolist() == [-30 + 2.5 * i for i in range(33)]
    for row in [*everywhere, *some, *frame.analyse(sl.col("bits").at(11.5), sl.col("truth").at(1.0), metrics=names)]:
        labels = plain_labels(edges, row["threshold"])
        for name in names:
            assert row[name] == pytest.approx(plain_metrics.metric(name, labels, truth), abs=1e-9)
    best = everywhere.best("f1")
    assert best["f1"] == max(everywhere["f1"]) and best["threshold"] in frame["bits"].thresholds


def test_weights_against_weights_and_probabilities() -> None:
    edges = [(a, b, rounded(weight, 6)) for a, b, weight in example()]
    frame, _ = frame_of(edges)
    report = frame.analyse(
        sl.col("bits").sweep(-10, 30, 10), sl.col("model").sweep(0.0, 1.0, 0.5), sl.col("bits").sweep().reference()
    )
    levels = frame["bits"].thresholds[::-1].tolist()
    assert len(report) == (5 + 3) * len(levels) and report["reference_threshold"].tolist() == levels * 8
    for row in report:
        if row["collection"] == "bits":
            labels, truth = (plain_labels(edges, row[name]) for name in ("threshold", "reference_threshold"))
            assert row["f1"] == pytest.approx(plain_metrics.metric("f1", labels, truth), abs=1e-9)
    with pytest.raises(sl.InvalidThresholdError, match=r"threshold of collection 'model' must lie in \[0, 1\], not 11"):
        frame.analyse(sl.col("bits").at(11.0), sl.col("model").at(11.0))
    assert frame.analyse(sl.col("bits").sweep(step=10))["threshold"][0] == math.floor(levels[0])


def test_lifetimes_are_those_of_shares_of_the_range() -> None:
    edges = [edge for edge in example() if edge[0] != edge[1]]
    bits = collection_of(edges, 0)
    low, high = bits.thresholds[-1], bits.thresholds[0]
    shares = [(a, b, min(max((weight - low) / (high - low), 0.0), 1.0)) for a, b, weight in edges]
    context = _core.Context()
    context.intern(np.arange(N, dtype=np.uint32))
    plain = sl.Collection._with_state(State.standalone(context, _core.extend(context, None, shares, decimals=0), 0))
    points = np.linspace(0.0, 1.0, 41)
    names = (sl.Metrics.stats.entity_stability, sl.threshold_sensitivity(0.17))
    for of_weights, of_shares in (
        (low + points * (high - low), points),
        (np.array([low - 100, high + 100]), np.array([0.0, 1.0])),
    ):
        for metric in names:
            made, expected = (
                np.asarray(_core.Curve(collection._state.core, 0, None, at).metric(metric.name, metric.parameter))
                for collection, at in ((bits, of_weights), (plain, of_shares))
            )
            inner = slice(None) if len(of_shares) == 2 else slice(1, -1)
            assert made[inner] == pytest.approx(expected[inner], abs=1e-9)
    assert bits._state.hierarchy.lifetimes(0, 0.05) == pytest.approx(plain._state.hierarchy.lifetimes(0, 0.05))


@pytest.mark.parametrize("edges", [[], [(0, 1, -12.5), (3, 4, -12.5)]])
def test_nothing_changes_over_a_range_that_is_none(edges: list[Edge]) -> None:
    report = collection_of(edges).sweep(-20, 20, 1)
    assert report["entity_stability"].tolist() == [1.0] * 41
    assert report["threshold_sensitivity"].tolist() == [0.0] * 41
    assert collection_of(edges)._state.hierarchy.lifetimes(0, 0.05) == (1.0, 0.0)


# ---------------------------------------------------------------------------------------------------- all that is left


def test_what_shows_and_watches_collections_takes_weights() -> None:
    pytest.importorskip("altair")
    frame, _ = frame_of(example())
    bits = frame["bits"]
    assert bits.is_view and bits.scale == "weight"
    report = frame.analyse(sl.col("bits").sweep(), sl.col("truth").at(1.0))
    (points,) = report.plot("f1").to_dict()["datasets"].values()
    drawn = {point["threshold"] for point in points}
    assert drawn == set(bits.thresholds.tolist())
    assert f"{bits.thresholds[0]:.6g}" in bits._repr_html_() and "bits" in frame._repr_html_()
    assert report.tidy()["collection_threshold"].min() == bits.thresholds[-1]
    metrics = frame.collect_metrics()
    assert 0 <= metrics.avg_entity_stability <= 1 and 0 <= metrics.threshold_sensitivity <= 1
    _ = [bits.at(t) for t in (-5, -5.0, 20)]
    assert bits.computation_stats.cached >= 1


def test_frames_keep_the_scale() -> None:
    frame, _ = frame_of(example())
    assert frame.copy()["bits"].scale == "weight"
    frame.add_collection("again", frame["bits"].copy())
    before = frame["again"].thresholds.tolist()
    frame.drop("model", "bits")
    frame.compact()
    assert frame["again"].scale == "weight" and frame["again"].thresholds.tolist() == before
    other = sl.EntityFrame()
    other.add_collection("moved", frame["again"])
    assert (
        other["moved"].scale == "weight"
        and other["moved"].at(-1e9).num_entities == frame["again"].at(-1e9).num_entities
    )


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, pd.DataFrame])
def test_weights_of_splink_are_its_column_of_weights(make: Any) -> None:
    predictions = make(
        {
            "match_weight": [12.5, -3.0],
            "match_probability": [0.999827, 0.111111],
            "unique_id_l": ["a", "b"],
            "unique_id_r": ["b", "c"],
        }
    )
    weights = sl.Collection.from_edges(predictions, scale="weight")
    assert weights.thresholds.tolist() == [12.5, -3.0]
    weights.add_edges(make({"match_weight": [4.0], "unique_id_l": ["c"], "unique_id_r": ["d"]}))
    assert weights.thresholds.tolist() == [12.5, 4.0, -3.0]
    assert sl.Collection.from_edges(predictions).thresholds.tolist() == [0.999827, 0.111111]
