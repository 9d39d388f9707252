"""Expressions and what a frame makes of them."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import starlings as sl
from plain_metrics import ALONE, COMPARED
from plain_metrics import metric as plain_metric
from starlings import _core, analysis
from starlings.testing import Graph, graphs

EDGES = [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.75)]
COMPARISON = ["f1", "precision", "recall", "ari", "nmi"]
CUT = ["collection", "threshold", "reference", "reference_threshold"]


@pytest.fixture
def frame() -> sl.EntityFrame:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", EDGES)
    frame.add_collection_from_edges("rules", [("a", "b", 0.5), ("c", "x", 0.25)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"x", "y"}])
    return frame


def alike(one: dict[str, object], other: dict[str, object]) -> bool:
    """Equal but for the last digits of sums, which depend on what else was asked for."""
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=1e-12, abs_tol=1e-12)
        if isinstance(value, float)
        else value == other[name]
        for name, value in one.items()
    )


def test_one_expression_is_described(frame: sl.EntityFrame) -> None:
    report = frame.analyse(sl.col("model").at(0.7))
    assert report.columns == ["collection", "threshold", "entity_count", "entropy"]
    assert len(report) == 1 and report[0]["entity_count"] == 3 and report[0]["collection"] == "model"
    assert frame.analyse(sl.col("model").at(0.7).reference()) == report


def test_several_are_compared_with_the_last(frame: sl.EntityFrame) -> None:
    report = frame.analyse(sl.col("model").at(0.7), sl.col("truth").at(1.0))
    assert report.columns == CUT + COMPARISON
    assert len(report) == 1
    assert report[0] == dict(zip(CUT, ["model", 0.7, "truth", 1.0], strict=True)) | dict.fromkeys(COMPARISON, 1.0)


def test_or_with_the_marked_one(frame: sl.EntityFrame) -> None:
    truth = sl.col("truth").at(1.0).reference()
    report = frame.analyse(sl.col("model").at(0.7), truth, sl.col("rules").sweep())
    assert report["collection"].tolist() == ["model", "rules", "rules"]
    assert report["threshold"].tolist() == [0.7, 0.25, 0.5]
    assert set(report["reference"]) == {"truth"}
    assert frame.analyse(truth, sl.col("model").at(0.7)) == report[:1]


def test_two_references(frame: sl.EntityFrame) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="'truth', 'rules' are all marked"):
        frame.analyse(sl.col("model").at(0.5), sl.col("truth").at(1.0).reference(), sl.col("rules").sweep().reference())


def test_one_list_and_the_other_spelling(frame: sl.EntityFrame) -> None:
    expressions = [sl.col("model").sweep(), sl.col("truth").at(1.0)]
    report = frame.analyse(*expressions)
    assert frame.analyse(expressions) == frame.analyze(*expressions) == frame.analyse(iter(expressions)) == report
    assert frame.analyze(expressions, metrics=["f1"])["f1"].tolist() == report["f1"].tolist()


def test_sweeps_multiply(frame: sl.EntityFrame) -> None:
    report = frame.analyse(
        sl.col("model").sweep(0.5, 1.0, 0.25), sl.col("rules").at(0.3), sl.col("model").sweep(0.0, 1.0, 0.5).reference()
    )
    pairs = [*product([0.5, 0.75, 1.0], [0.0, 0.5, 1.0]), *product([0.3], [0.0, 0.5, 1.0])]
    assert list(zip(report["threshold"], report["reference_threshold"], strict=True)) == pairs
    for row in report:
        single = frame.analyse(
            sl.col(row["collection"]).at(row["threshold"]), sl.col("model").at(row["reference_threshold"])
        )
        assert alike(single[0], row)


@given(graphs(max_records=10), graphs(max_records=10))
def test_a_product_is_its_single_comparisons(one: Graph, other: Graph) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("one", one.edges)
    frame.add_collection_from_edges("other", other.edges)
    metrics = ["f1", "bcubed_f1", "cluster_f1", "entity_count", "purity"]
    report = frame.analyse(sl.col("one").sweep(0, 1, 0.25), sl.col("other").sweep(), metrics=metrics)
    assert len(report) == 5 * max(1, len(frame["other"].thresholds))
    for row in report:
        single = frame.analyse(
            sl.col("one").at(row["threshold"]), sl.col("other").at(row["reference_threshold"]), metrics=metrics
        )
        assert alike(single[0], row)


def test_a_full_sweep_has_the_distinct_thresholds(frame: sl.EntityFrame) -> None:
    assert frame.analyse(sl.col("model").sweep())["threshold"].tolist() == [0.6, 0.75, 0.9]
    frame.add_collection_from_edges("nothing", [])
    report = frame.analyse(sl.col("nothing").sweep(), sl.col("truth").at(1.0))
    assert report["threshold"].tolist() == [1.0]
    report = frame.analyse(sl.col("model").at(0.5), sl.col("nothing").sweep())
    assert report["reference_threshold"].tolist() == [1.0]


def test_a_step_alone_sweeps_everything(frame: sl.EntityFrame) -> None:
    assert len(frame.analyse(sl.col("model").sweep(step=0.01))) == 101
    assert frame.analyse(sl.col("model").sweep(0.98))["threshold"].tolist() == [0.98, 0.99, 1.0]
    assert frame.analyse(sl.col("model").sweep(stop=0.01))["threshold"].tolist() == [0.0, 0.01]
    assert frame.analyse(sl.col("model").at(0.1 + 0.75))[0]["threshold"] == 0.85


@pytest.mark.parametrize(
    "metrics",
    [
        ["f1", "precision"],
        ("f1", "precision"),
        [sl.f1, sl.precision],
        [sl.Metrics.eval.f1, "precision", "f1", sl.f1],
        iter(["f1", "precision"]),
    ],
)
def test_metrics_by_name_and_by_constant(frame: sl.EntityFrame, metrics: object) -> None:
    report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=metrics)
    assert report.columns == [*CUT, "f1", "precision"]


def test_one_metric_needs_no_list(frame: sl.EntityFrame) -> None:
    at = sl.col("model").sweep(), sl.col("truth").at(1.0)
    assert frame.analyse(*at, metrics="f1") == frame.analyse(*at, metrics=[sl.f1]) == frame.analyse(*at, metrics=sl.f1)
    assert frame.analyse(*at, metrics=sl.report) == frame.analyse(*at)


def test_f_beta(frame: sl.EntityFrame) -> None:
    metrics = [sl.f_beta(0.5), sl.Metrics.eval.f_beta(2), "f_beta(3.0)", "f_beta", sl.f1]
    report = frame.analyse(sl.col("model").at(0.6), sl.col("truth").at(1.0), metrics=metrics)
    assert report.metrics == ["f_beta(0.5)", "f_beta(2.0)", "f_beta(3.0)", "f_beta(1.0)", "f1"]
    row = report[0]
    precision, recall = 0.5, 1.0
    for beta in (0.5, 2.0, 3.0, 1.0):
        expected = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
        assert row[f"f_beta({beta})"] == pytest.approx(expected)
    assert row["f_beta(1.0)"] == row["f1"]
    assert report.best(sl.f_beta(0.5)) == row


def test_threshold_sensitivity(frame: sl.EntityFrame) -> None:
    other = sl.threshold_sensitivity(0.2)
    metrics = [other, "threshold_sensitivity", "threshold_sensitivity(0.1)", sl.threshold_sensitivity]
    for expressions in ([sl.col("model").at(0.6)], [sl.col("model").at(0.6), sl.col("truth").at(1.0)]):
        report = frame.analyse(*expressions, metrics=metrics)
        assert report.metrics == [
            "threshold_sensitivity(0.2)",
            "threshold_sensitivity",
            "threshold_sensitivity(0.1)",
        ]
        assert report.best(other) == report[0]
    assert sl.threshold_sensitivity(0.05) == sl.threshold_sensitivity == other(0.05)
    assert frame.analyse(sl.col("model").at(0.6), metrics="threshold_sensitivity(0.05)").metrics == report.metrics[1:2]
    assert other != sl.threshold_sensitivity and other in sl.Metrics.stats
    assert sl.threshold_sensitivity.parameter == 0.05


@pytest.mark.parametrize("shift", [0, -0.1, 1.01, float("nan"), float("inf"), "x", None, 10**400])
def test_no_shift(shift: object) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="shift"):
        sl.threshold_sensitivity(shift)


@pytest.mark.parametrize("beta", [0, -1, float("nan"), float("inf"), "x", None])
def test_no_beta(beta: object) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="beta"):
        sl.f_beta(beta)


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        (["f2"], sl.UnknownMetricError, "'f1'"),
        (["presicion"], sl.UnknownMetricError, "'precision'"),
        ([5], sl.UnknownMetricError, "5 is no metric"),
        ([], sl.InvalidArgumentError, "no metric"),
        (5, sl.InvalidArgumentError, "metrics"),
        (["f_beta(x)"], sl.InvalidArgumentError, "beta"),
        (["threshold_sensitivity(2)"], sl.InvalidArgumentError, "shift"),
        (["threshold_sensitivty"], sl.UnknownMetricError, "'threshold_sensitivity'"),
    ],
)
def test_no_metrics(frame: sl.EntityFrame, metrics: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=metrics)


def test_a_reference_is_needed(frame: sl.EntityFrame) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="f1, ari: compares with a reference"):
        frame.analyse(sl.col("model").sweep(), metrics=["f1", "entropy", "ari"])


@pytest.mark.parametrize(
    "expressions", [(), ([],), ("model",), (5,), (None,), (sl.col("model"),), ([sl.col("model")],)]
)
def test_no_expressions(frame: sl.EntityFrame, expressions: tuple[object, ...]) -> None:
    with pytest.raises(sl.InvalidArgumentError):
        frame.analyse(*expressions)


def test_unknown_collections_in_every_place(frame: sl.EntityFrame) -> None:
    known = sl.col("model").at(0.5)
    for expressions in ([sl.col("modle").at(0.5), known], [known, sl.col("modle").at(0.5)], [sl.col("modle").sweep()]):
        with pytest.raises(sl.CollectionNotFoundError, match="did you mean 'model'"):
            frame.analyse(expressions)


@pytest.mark.parametrize("name", [5, None, b"x"])
def test_names_are_text(name: object) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="str"):
        sl.col(name)


def test_too_many_comparisons() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", EDGES)
    every = sl.col("model").sweep(step=0.000001)
    with pytest.raises(sl.CapacityError, match="larger step"):
        frame.analyse(every, every)


def test_expressions_are_values() -> None:
    assert sl.col("a").at(0.5) == sl.col("a").at(0.5) != sl.col("a").at(0.6)
    assert sl.col("a").sweep() != sl.col("a").sweep(0.0, 1.0)
    assert len({sl.col("a").sweep(), sl.col("a").sweep()}) == 1
    cut = sl.col("a").at(0.5)
    assert cut.reference() != cut and not cut.is_reference


@given(st.floats(0, 1))
def test_rounding_is_the_engine_s(threshold: float) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [(1, 2, threshold)])
    level = frame["model"].thresholds.tolist()
    assert frame.analyse(sl.col("model").at(threshold))["threshold"].tolist() == level
    assert frame["model"].at(threshold).threshold == level[0]
    assert frame["model"].at(threshold).num_entities == 1


ALL_METRICS = [*sl.Metrics.eval, *sl.Metrics.stats, sl.f_beta(0.5), sl.threshold_sensitivity(0.2)]
PLAIN_METRICS = [metric for metric in [*sl.Metrics.eval, *sl.Metrics.stats] if metric.name in ALONE | COMPARED]


def bytes_of(report: sl.Report) -> list[bytes]:
    """Every column of a report that holds numbers."""
    return [report[name].tobytes() for name in report.columns if report[name].dtype != object]


def frame_of(*all_edges: list[tuple[int, int, float]]) -> sl.EntityFrame:
    """A frame of one collection for each list of edges, called a, b, ..."""
    frame = sl.EntityFrame()
    for name, edges in zip("abcdef", all_edges, strict=False):
        frame.add_collection_from_edges(name, edges)
    return frame


def scattered(seed: int, records: int = 300) -> list[tuple[int, int, float]]:
    """Random edges with few different scores."""
    random = np.random.default_rng(seed)
    pairs = random.integers(0, records, (2, records)).tolist()
    return list(zip(*pairs, random.random(records).round(2).tolist(), strict=True))


@given(graphs(max_records=8), graphs(max_records=8), graphs(max_records=8))
@settings(max_examples=25)
def test_any_mix_follows_the_definitions(one: Graph, two: Graph, three: Graph) -> None:
    frame = frame_of(one.edges, two.edges, three.edges)
    report = frame.analyse(
        sl.col("a").sweep(),
        sl.col("b").at(0.5),
        sl.col("c").sweep(0.0, 1.0, 0.5),
        sl.col("c").sweep().reference(),
        metrics=PLAIN_METRICS,
    )
    full = {name: frame[name].thresholds.tolist()[::-1] or [1.0] for name in "ac"}
    cuts = [*product("a", sorted(full["a"])), ("b", 0.5), *product("c", [0.0, 0.5, 1.0])]
    expected = [(*cut, at) for cut in cuts for at in sorted(full["c"])]
    names = ("collection", "threshold", "reference_threshold")
    assert list(zip(*(report[name] for name in names), strict=True)) == expected
    for row in report:
        labels = frame[row["collection"]].at(row["threshold"]).labels.tolist()
        truth = frame["c"].at(row["reference_threshold"]).labels.tolist()
        for metric in PLAIN_METRICS:
            plain = plain_metric(metric.name, labels, truth if metric.needs_reference else None)
            assert math.isclose(row[metric.name], plain, rel_tol=1e-9, abs_tol=1e-9), metric.name


def test_sweeps_against_sweeps_are_one_by_one_in_every_metric() -> None:
    frame = frame_of(scattered(1), scattered(2))
    grid = frame.analyse(sl.col("a").sweep(), sl.col("b").sweep(), metrics=ALL_METRICS)
    against = np.unique(grid["reference_threshold"])
    assert len(grid) == len(frame["a"].thresholds) * len(against) > 1000
    for place, threshold in enumerate(against.tolist()):
        alone = frame.analyse(sl.col("a").sweep(), sl.col("b").at(threshold), metrics=ALL_METRICS)
        assert bytes_of(alone) == bytes_of(grid[place :: len(against)])


@pytest.mark.parametrize("rows", [1, 100, 2**20])
def test_memory_is_bounded_by_chunks_which_change_nothing(
    monkeypatch: pytest.MonkeyPatch, threads: None, rows: int
) -> None:
    frame = frame_of(*map(scattered, range(4)))
    expressions = [sl.col("a").sweep(), sl.col("b").sweep(), sl.col("c").at(0.5), sl.col("d").sweep(step=0.1)]
    whole = frame.analyse(expressions, metrics=ALL_METRICS)
    calls: list[int] = []
    curves = _core.curves
    monkeypatch.setattr(analysis, "_ROWS_AT_ONCE", rows)
    monkeypatch.setattr(_core, "curves", lambda chunk, told: calls.append(len(chunk)) or curves(chunk, told))
    for count in (1, 4):
        sl.set_num_threads(count)
        calls.clear()
        assert bytes_of(frame.analyse(expressions, metrics=ALL_METRICS)) == bytes_of(whole)
        assert sum(calls) == 3 * len({frame["d"].at(tenth / 10).num_entities for tenth in range(11)})
        assert rows > 1 or max(calls) == count
        assert rows < 2**20 or len(calls) == 1


def test_progress_counts_over_all_and_may_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    frame = sl.EntityFrame()
    for name in ("model", "truth"):
        frame.add_collection_from_edges(name, (*random.integers(0, 200_000, (2, 300_000)), random.random(300_000)))
    expressions = [sl.col("model").sweep(), sl.col("truth").sweep(step=0.25)]
    monkeypatch.setattr(analysis, "_ROWS_AT_ONCE", 1)
    calls: list[tuple[str, int, int]] = []
    whole = frame.analyse(expressions, metrics="f1", progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)
    assert len({(phase, total) for phase, _, total in calls}) == 1 and calls[-1][1] <= calls[-1][2]

    def stop(phase: str, done: int, total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        frame.analyse(expressions, metrics="f1", progress=stop)
    assert frame.analyse(expressions, metrics="f1") == whole


def test_measuring_is_noted_in_the_stats(frame: sl.EntityFrame) -> None:
    frame.analyse(sl.col("model").sweep(), sl.col("rules").sweep(), sl.col("truth").at(1.0))
    stats = frame["model"].computation_stats
    assert (stats.total, stats.incremental) == (3, 2)
    assert frame["rules"].computation_stats.total == 2


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (5, sl.InvalidArgumentError),
        ((1, 2), sl.InvalidArgumentError),
        ((None, None, None, 1.0), sl.InvalidArgumentError),
        (("collection", None, "truth", 1.0), sl.InvalidArgumentError),
        (("collection", [0.5], None, 1.0), sl.InvalidArgumentError),
        (("collection", np.array([0.5], np.float32), None, 1.0), sl.InvalidArgumentError),
        (("collection", None, "collection", "x"), TypeError),
        (("collection", None, "collection", 2.0), sl.InvalidThresholdError),
        (("collection", None, "smaller", 0.5), sl.InvalidArgumentError),
    ],
)
def test_comparisons_that_the_engine_refuses(row: object, error: type[Exception]) -> None:
    collection = sl.Collection.from_edges(EDGES)._state.core
    known = {"collection": collection, "smaller": sl.Collection.from_edges(EDGES[:1])._state.core}
    given = tuple(known.get(part, part) if isinstance(part, str) else part for part in row) if row != 5 else row
    held = _core.memory_in_use()
    with pytest.raises(error):
        _core.curves([(collection, None, None, 1.0), given])
    assert _core.curves([]) == [] and _core.memory_in_use() == held
