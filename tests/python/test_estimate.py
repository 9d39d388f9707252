"""Estimates from a sample of true entities: against a plain definition, exact figures, a peer, repeated sampling."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import starlings as sl
from starlings import Collection, EntityFrame, col
from starlings.reports import Report

ESTIMABLE = [
    *("precision", "recall", "f1", "f_beta(0.5)", "f_beta(3.0)", "jaccard", "fowlkes_mallows"),
    *("bcubed_precision", "bcubed_recall", "bcubed_f1", "cluster_precision", "cluster_recall", "cluster_f1"),
]
TRUTH = {"ann": ["a", "b"], "bob": ["c"], "eve": ["x", "y", "z"]}


@pytest.fixture
def frame() -> EntityFrame:
    frame = EntityFrame()
    frame.add_collection_from_edges(
        "model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7), ("z", "w", 0.5), ("y", "w", 0.25)]
    )
    frame.add_collection_from_entities("truth", [*TRUTH.values(), ["w"]])
    return frame


# ------------------------------------------------------------------------------------------------------ the definition

Sample = Mapping[Hashable, list[int]]


def contributions(members: list[int], labels: list[int], sizes: Counter[int]) -> dict[str, float]:
    """The sums over one true entity, given the entity of every record and the sizes of those."""
    cells = Counter(labels[record] for record in members)
    n = len(members)
    return {
        "tp": sum(c * (c - 1) / 2 for c in cells.values()),
        "p": sum(c * (sizes[j] - 1) / 2 for j, c in cells.items()),
        "t": n * (n - 1) / 2,
        "bp": sum(c * c / sizes[j] for j, c in cells.items()),
        "br": sum(c * c / n for c in cells.values()),
        "n": n,
        "x": float(any(c == n == sizes[j] for j, c in cells.items())),
        "k": sum(c / sizes[j] for j, c in cells.items()),
        "one": 1.0,
    }


Sums = dict[str, float]


def f_beta(beta: float) -> Callable[[Sums], float]:
    b = beta * beta
    return lambda s: (1 + b) * s["tp"] / (b * s["t"] + s["p"]) if s["t"] + s["p"] else 1.0


def mean_of(share: float, other: float) -> float:
    return 2 * share * other / (share + other)


FIGURES: dict[str, Callable[[Sums], float]] = {
    "precision": lambda s: s["tp"] / s["p"] if s["p"] else 1.0,
    "recall": lambda s: s["tp"] / s["t"] if s["t"] else 1.0,
    "f1": f_beta(1.0),
    "f_beta(0.5)": f_beta(0.5),
    "f_beta(3.0)": f_beta(3.0),
    "jaccard": lambda s: s["tp"] / (s["p"] + s["t"] - s["tp"]) if s["p"] + s["t"] else 1.0,
    "fowlkes_mallows": lambda s: s["tp"] / sqrt(s["p"] * s["t"]) if s["tp"] else 0.0,
    "bcubed_precision": lambda s: s["bp"] / s["n"],
    "bcubed_recall": lambda s: s["br"] / s["n"],
    "bcubed_f1": lambda s: mean_of(s["bp"] / s["n"], s["br"] / s["n"]),
    "cluster_precision": lambda s: s["x"] / s["k"],
    "cluster_recall": lambda s: s["x"] / s["one"],
    "cluster_f1": lambda s: 2 * s["x"] / (s["k"] + s["one"]),
}


def plain(name: str, rows: list[Sums], weights: list[float]) -> tuple[float, float]:
    """A figure and its standard error: the residuals by what one entity more changes, numerically."""
    sums = {key: sum(w * row[key] for w, row in zip(weights, rows, strict=True)) for key in rows[0]}
    value = FIGURES[name](sums)
    if value in (0.0, 1.0):
        return value, 0.0
    square = 0.0
    for w, row in zip(weights, rows, strict=True):
        step = 1e-5
        up, down = (FIGURES[name]({k: sums[k] + sign * step * w * row[k] for k in sums}) for sign in (1, -1))
        square += ((up - down) / (2 * step)) ** 2
    return value, sqrt(len(rows) / (len(rows) - 1) * square)


def random_case(seed: int) -> tuple[Collection, dict[int, list[int]], np.random.Generator]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 30))
    (left, right), scores = rng.integers(0, n, (2, 2 * n)), rng.random(2 * n).round(2)
    truth = defaultdict(list)
    for record, entity in enumerate(rng.integers(0, max(2, n // 3), n).tolist()):
        truth[entity].append(record)
    return Collection.from_edges((left, right, scores), records=range(n)), dict(truth), rng


def labels_of(collection: Collection, threshold: float) -> tuple[list[int], Counter[int]]:
    labels = collection.at(threshold).labels.tolist()
    return labels, Counter(labels)


@pytest.mark.parametrize("weighting", ["uniform", "size", "given"])
@pytest.mark.parametrize("seed", range(12))
def test_estimates_follow_their_definition_at_every_threshold(seed: int, weighting: str) -> None:
    collection, truth, rng = random_case(seed)
    names = [name for name in truth if len(truth) < 4 or rng.random() < 0.7]
    if len(names) < 2:
        names = list(truth)[:2]
    if len(names) < 2:
        return
    weights = {name: float(rng.random() + 0.1) for name in truth}
    sample = {name: truth[name] for name in names}
    given = {"uniform": [1.0] * len(names), "size": [1 / len(truth[name]) for name in names]}
    frame = EntityFrame()
    frame.add_collection("model", collection)
    asked: Any = weights if weighting == "given" else weighting
    report = frame.estimate(col("model").sweep(), sample, asked, ESTIMABLE)
    for row in report:
        labels, sizes = labels_of(collection, row["threshold"])
        rows = [contributions(truth[name], labels, sizes) for name in names]
        for metric in ESTIMABLE:
            value, error = plain(metric, rows, given.get(weighting, [weights[name] for name in names]))
            assert row[metric] == pytest.approx(value, abs=1e-9)
            assert row[f"{metric}_se"] == pytest.approx(error, abs=1e-6)
            assert 0 <= row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"] <= 1


@pytest.mark.parametrize("seed", range(10))
def test_a_sample_of_all_entities_gives_the_exact_figures(seed: int) -> None:
    collection, truth, _ = random_case(100 + seed)
    if len(truth) < 2:
        return
    frame = EntityFrame()
    frame.add_collection("model", collection)
    frame.add_collection_from_entities("truth", truth.values())
    exact = frame.analyse(col("model").sweep(), col("truth").at(1.0), metrics=ESTIMABLE)
    report = frame.estimate(col("model").sweep(), frame["truth"].at(1.0).entities, metrics=ESTIMABLE)
    assert report["threshold"].tolist() == exact["threshold"].tolist()
    for metric in ESTIMABLE:
        np.testing.assert_allclose(report[metric], exact[metric], rtol=0, atol=1e-9)


def test_records_beyond_a_collection_are_entities_of_their_own(frame: EntityFrame) -> None:
    frame.add_collection_from_edges("later", [("n", "m", 0.9)])
    before = frame.estimate(col("model").at(0.6), TRUTH)
    assert frame.estimate(col("model").at(0.6), TRUTH | {"new": ["n"]})["recall"] == before["recall"]
    assert (
        frame.estimate(col("model").at(0.6), {"new": ["n"], "other": ["m"]}, metrics="bcubed_f1")[0]["bcubed_f1"] == 1
    )


def test_er_evaluation_gives_the_same() -> None:
    from er_evaluation import estimators as peer

    collection, truth, _ = random_case(7)
    frame = EntityFrame()
    frame.add_collection("model", collection)
    sample = pd.Series({record: f"e{name}" for name, members in truth.items() for record in members}).sort_index()
    sample = sample[sample.isin(sorted(sample.unique())[:-1])]
    labels, sizes = labels_of(collection, 0.5)
    prediction = pd.Series(labels)
    columns = {"pairwise_precision": ("tp", "p"), "pairwise_recall": ("tp", "t"), "cluster_recall": ("x", "one")}
    for ours, theirs in (("uniform", "uniform"), ("size", "cluster_size")):
        report = frame.estimate(col("model").at(0.5), sample, ours, ["precision", "recall", "cluster_recall"])
        for (name, (top, bottom)), metric in zip(columns.items(), report.metrics, strict=True):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                value, error = getattr(peer, f"{name}_estimator")(prediction, sample, theirs)
            rows = [contributions(list(members.index), labels, sizes) for _, members in sample.groupby(sample)]
            weigh = np.array([1 / row["n"] if ours == "size" else 1.0 for row in rows])
            b, a = (weigh * [row[key] for row in rows] for key in (top, bottom))
            bias = 1 + np.mean(a * (b / b.mean() - a / a.mean())) / ((len(rows) - 1) * a.mean()) if b.any() else 1.0
            assert report[0][metric] * bias == pytest.approx(value, abs=1e-9)
            assert report[0][f"{metric}_se"] == pytest.approx(np.nan_to_num(error), abs=1e-9)


# ---------------------------------------------------------------------------------------------------- repeated sampling

SAMPLES, SIZE = 1000, 200


def labelled(seed: int, num_records: int) -> tuple[EntityFrame, list[NDArrayInt]]:
    """A frame whose truth is known, with noisy scores: entities of 1 to 10 records, of skewed size."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(rng.geometric(0.5, num_records), 10)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), num_records))]
    ends = np.cumsum(sizes)
    entities = np.split(np.arange(ends[-1]), ends[:-1])
    inside = np.array([(a, b) for entity in entities for i, a in enumerate(entity) for b in entity[i + 1 :]])
    across = rng.integers(0, ends[-1], (num_records, 2))
    scores = np.concatenate([rng.beta(6, 2.5, len(inside)), rng.beta(2, 6, len(across))])
    left, right = np.concatenate([inside, across]).T
    frame = EntityFrame()
    frame.add_collection_from_edges("model", (left, right, scores))
    frame.add_collection_from_entities("truth", entities)
    return frame, entities


NDArrayInt = np.ndarray[tuple[int], np.dtype[np.int64]]


@pytest.mark.parametrize("weighting", ["uniform", "size"])
def test_the_band_holds_the_true_value_as_often_as_it_says(weighting: Any) -> None:
    """On one chosen set of data, which guards against changes; docs/estimates.md tells how it was on others."""
    frame, entities = labelled(1, 20_000)
    exact = frame.analyse(col("model").sweep(0.4, 0.8, 0.05), col("truth").at(1.0))
    rng = np.random.default_rng(2)
    sizes = np.array([len(entity) for entity in entities])
    chances = sizes / sizes.sum() if weighting == "size" else None
    held: dict[str, Any] = defaultdict(list)
    for _ in range(SAMPLES):
        chosen = rng.choice(len(entities), SIZE, replace=False, p=chances)
        report = frame.estimate(col("model").sweep(0.4, 0.8, 0.05), [entities[i] for i in chosen], weighting)
        for metric in report.metrics:
            low, high = report[f"{metric}_low"], report[f"{metric}_high"]
            assert np.all((low >= 0) & (high <= 1))
            held[metric].append((low <= exact[metric]) & (exact[metric] <= high))
    for metric, rows in held.items():
        for truth, share in zip(exact[metric], np.mean(rows, axis=0), strict=True):
            # Close to 1 most samples show no error at all, and the band is wider than it need be.
            assert 0.93 <= share <= (0.97 if truth < 0.98 else 1.0), (metric, truth)


# ------------------------------------------------------------------------------------------------------ what goes in


def test_ways_to_give_a_sample(frame: EntityFrame) -> None:
    expected = frame.estimate(col("model").sweep(), TRUTH, metrics=ESTIMABLE)
    series = pd.Series({key: name for name, keys in TRUTH.items() for key in keys})
    qualified = {name: [("default", key) for key in keys] for name, keys in TRUTH.items()}
    ways: list[Any] = [
        list(TRUTH.values()),
        (set(keys) for keys in TRUTH.values()),
        {name: np.array(keys) for name, keys in TRUTH.items()},
        {name: [*keys, *keys] for name, keys in TRUTH.items()},
        [sl.Entity(keys) for keys in TRUTH.values()],
        pa.array(list(TRUTH.values())),
        [pa.array(keys) for keys in TRUTH.values()],
        frame["truth"].at(1.0).entities[:3],
        qualified,
        series,
        series[::-1],
        series.astype("category"),
        pd.concat([series, pd.Series({"w": None, "never seen": None})]),
        pd.Series({("default", key): name for key, name in series.items()}),
    ]
    for sample in ways:
        report = frame.estimate(col("model").sweep(), sample, metrics=ESTIMABLE)
        for name in report.columns[1:]:
            np.testing.assert_allclose(report[name], expected[name], rtol=0, atol=1e-12)


def test_int_keys_of_a_source() -> None:
    frame = EntityFrame.from_records("crm", [{"id": i} for i in range(4)], "id")
    frame.add_collection_from_edges("model", [(0, 1, 0.5)], source="crm")
    series = pd.Series(["p", "p", "q"])
    assert frame.estimate(col("model").at(0.5), series, source="crm")[0]["f1"] == 1.0
    assert frame.estimate(col("model").at(0.5), {"p": [0, 1], "q": [2]}, source="crm")[0]["f1"] == 1.0
    with pytest.raises(sl.KeyNotFoundError, match="default"):
        frame.estimate(col("model").at(0.5), series)


def test_ways_to_give_weights(frame: EntityFrame) -> None:
    def estimate(weights: Any, sample: Any = TRUTH) -> Report:
        return frame.estimate(col("model").sweep(), sample, weights)

    assert (
        estimate("uniform") == estimate(dict.fromkeys(TRUTH, 7.5)) == estimate({"ann": 1, "bob": 1, "eve": 1, "z": 0})
    )
    assert estimate("size") == estimate({name: 1 / len(keys) for name, keys in TRUTH.items()})
    assert estimate("size") == estimate({name: Fraction(1, len(keys)) for name, keys in TRUTH.items()})
    series = pd.Series({"eve": 3.0, "bob": 2.0, "ann": 1.0})
    assert estimate(series) == estimate(series.to_dict()) != estimate("uniform")
    assert estimate({0: 1, 1: 2, 2: 3}, list(TRUTH.values())) == estimate({"ann": 1, "bob": 2, "eve": 3})
    doubled = {"ann": ["a", "b", "a"], "bob": ["c", "c", "c"], "eve": TRUTH["eve"]}
    assert estimate("size") == estimate("size", doubled)


def test_expressions(frame: EntityFrame) -> None:
    full = frame.estimate(col("model").sweep(), TRUTH)
    assert full["threshold"].tolist() == [0.25, 0.5, 0.6, 0.7, 0.9]
    assert set(full["collection"]) == {"model"}
    assert frame.estimate([col("model").at(0.6)], TRUTH) == full[2:3]
    swept = frame.estimate(col("model").sweep(0.5, 0.7, 0.1), TRUTH)
    assert swept == full[1:4]
    frame.add_collection_from_edges("nothing", [])
    assert frame.estimate(col("nothing").sweep(), TRUTH)["threshold"].tolist() == [1.0]


def test_levels(frame: EntityFrame) -> None:
    bounds = [frame.estimate(col("model").at(0.6), TRUTH, level=level)[0] for level in (0.5, 0.9, 0.99)]
    lows, highs = ([row[f"precision_{end}"] for row in bounds] for end in ("low", "high"))
    assert lows == sorted(lows, reverse=True) and highs == sorted(highs) and len(set(lows)) == 3


BAD: list[tuple[type[Exception], str, int | None, dict[str, Any]]] = [
    (sl.KeyNotFoundError, "'bob'.*'d'.*does not have", 1, {"sample": TRUTH | {"bob": ["c", "d"]}}),
    (sl.OverlapError, "'a'.*'ann'.*'bob'", 1, {"sample": TRUTH | {"bob": ["c", "a"]}}),
    (sl.InvalidArgumentError, "'bob'.*no record", 1, {"sample": TRUTH | {"bob": []}}),
    (sl.InvalidArgumentError, "0 entities", None, {"sample": {}}),
    (sl.InvalidArgumentError, "1 entities", None, {"sample": {"ann": ["a"]}}),
    (sl.InvalidArgumentError, "not a str", None, {"sample": "ab"}),
    (sl.InvalidArgumentError, "not a NoneType", None, {"sample": None}),
    (sl.InvalidArgumentError, "not a DataFrame", None, {"sample": pd.DataFrame({"a": [1]})}),
    (sl.InvalidArgumentError, "entity 0 .* iterable of keys", None, {"sample": ["a", "b"]}),
    (sl.InvalidKeyError, "float", None, {"sample": {"ann": [1.5], "bob": ["c"]}}),
    (sl.InvalidKeyError, "entity 'bob' of the sample: the key is null", 1, {"sample": TRUTH | {"bob": ["c", None]}}),
    (sl.InvalidArgumentError, "iterable of their keys", None, {"sample": pd.Series([["a", "b"], ["c"]])}),
    (sl.InvalidArgumentError, "two weights", 1, {"weights": pd.Series([1, 2, 3, 4], ["ann", "ann", "bob", "eve"])}),
    (sl.InvalidArgumentError, "'eve' is 1000", 2, {"weights": {"ann": 1, "bob": 1, "eve": 10**400}}),
    (sl.InvalidArgumentError, "weights", None, {"weights": "cluster_size"}),
    (sl.InvalidArgumentError, "weights", None, {"weights": [1, 2, 3]}),
    (sl.InvalidArgumentError, "no weight for entity 'bob'", 1, {"weights": {"ann": 1, "eve": 1}}),
    (sl.InvalidArgumentError, "'bob' is 0", 1, {"weights": {"ann": 1, "bob": 0, "eve": 1}}),
    (sl.InvalidArgumentError, "'bob' is nan", 1, {"weights": {"ann": 1, "bob": float("nan"), "eve": 1}}),
    (sl.InvalidArgumentError, "'bob' is True", 1, {"weights": {"ann": 1, "bob": True, "eve": 1}}),
    (sl.InvalidArgumentError, "'eve' is '2'", 2, {"weights": {"ann": 1, "bob": 1, "eve": "2"}}),
    (
        sl.InvalidArgumentError,
        "ari, entity_count.*precision.*cluster_f1",
        None,
        {"metrics": ["f1", "ari", "entity_count"]},
    ),
    (sl.UnknownMetricError, "f1", None, {"metrics": "f11"}),
    (sl.InvalidArgumentError, "level", None, {"level": 95}),
    (sl.InvalidArgumentError, "level", None, {"level": 0}),
    (sl.InvalidArgumentError, "level", None, {"level": float("nan")}),
    (sl.InvalidArgumentError, "level", None, {"level": "0.95"}),
    (sl.InvalidArgumentError, "source", None, {"source": 5}),
    (sl.CollectionNotFoundError, "'model'", None, {"expression": col("mode").at(0.5)}),
    (sl.InvalidArgumentError, "add .at", None, {"expression": col("model")}),
    (sl.InvalidArgumentError, "one expression", None, {"expression": [col("model").at(0.5), col("truth").at(1.0)]}),
    (sl.InvalidArgumentError, "no expression", None, {"expression": "model"}),
]


@pytest.mark.parametrize(("kind", "message", "row", "arguments"), BAD)
def test_bad_input(
    frame: EntityFrame, kind: type[sl.StarlingsError], message: str, row: int | None, arguments: dict[str, Any]
) -> None:
    with pytest.raises(kind, match=message) as caught:
        frame.estimate(**{"expression": col("model").sweep(), "sample": TRUTH} | arguments)
    if row is not None:
        assert caught.value.row == row


def test_records_that_a_state_does_not_know_are_unknown(frame: EntityFrame) -> None:
    before = frame.copy()
    frame.add_collection_from_edges("later", [("n", "m", 0.9)])
    with pytest.raises(sl.KeyNotFoundError, match="'n'"):
        before.estimate(col("model").at(0.5), TRUTH | {"new": ["n"]})


def test_progress_can_stop_it(frame: EntityFrame) -> None:
    phases = set()
    frame.estimate(col("model").sweep(), TRUTH, progress=lambda phase, done, total: phases.add(phase))
    big, entities = labelled(5, 200_000)

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt(phase)

    with pytest.raises(KeyboardInterrupt):
        big.estimate(col("model").sweep(), entities, progress=stop)


# ------------------------------------------------------------------------------------------------------ what comes out


def test_the_report_keeps_bands_beside_their_metrics(frame: EntityFrame) -> None:
    report = frame.estimate(col("model").sweep(), TRUTH, metrics=["f1", sl.f_beta(2.0)])
    assert report.metrics == ["f1", "f_beta(2.0)"]
    assert report.columns == [
        *("collection", "threshold", "f1", "f1_se", "f1_low", "f1_high"),
        *("f_beta(2.0)", "f_beta(2.0)_se", "f_beta(2.0)_low", "f_beta(2.0)_high"),
    ]
    assert "f1_low" in report.best("f1")
    with pytest.raises(sl.UnknownMetricError):
        report.best("f1_low")
    assert report.to_pandas()["f1_high"].tolist() == report["f1_high"].tolist()
    assert frame.analyse(col("model").sweep(), col("truth").at(1.0)).metrics[0] == "f1"


def test_tidy_estimates_have_their_bands(frame: EntityFrame) -> None:
    report = frame.estimate(col("model").sweep(), TRUTH)
    tidy = report.tidy()
    assert tidy.tidy() is tidy and tidy.metrics == [] and len(tidy) == 3 * len(report)
    assert tidy[1]["metric_name"] == "recall" and tidy.columns[-3:] == [
        f"metric_value{end}" for end in ("_se", "_low", "_high")
    ]
    for end in ("", "_se", "_low", "_high"):
        assert tidy[f"metric_value{end}"][1::3].tolist() == report[f"recall{end}"].tolist()


def test_the_chart_shows_the_band(frame: EntityFrame) -> None:
    report = frame.estimate(col("model").sweep(), TRUTH)
    spec = report.plot("f1").to_dict()
    area, line = spec["layer"]
    assert area["mark"]["type"] == "area" and line["mark"]["type"] == "line"
    assert (area["encoding"]["y"]["field"], area["encoding"]["y2"]["field"]) == ("low", "high")
    values = next(iter(spec["datasets"].values())) if "datasets" in spec else line["data"]["values"]
    assert [(v["low"], v["high"]) for v in values] == [(row["f1_low"], row["f1_high"]) for row in report]
    assert report.plot().to_dict()["layer"]
    with pytest.raises(sl.UnknownMetricError):
        report.plot("f1_low")
