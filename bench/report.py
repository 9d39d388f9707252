"""From repetitions to figures: medians, paired ratios against the targets, agreement of results, printed tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Any

from case import GRID_SCALE

Run = dict[str, Any]
Runs = dict[str, list[Run]]
"""Repetitions of each case by name, in the order of the rounds; a case that failed has none."""

SMALL, LARGE = "1M-5M", "10M-50M"


@dataclass(frozen=True)
class Ratio:
    """Time of one case over that of another; `at_most` holds the target at the sizes that have one.

    The peer's time counts `times` where it does that part of the work only.
    """

    title: str
    ours: str
    peer: str
    at_most: dict[str, float]
    times: float = 1.0


@dataclass(frozen=True)
class Limit:
    """An absolute target: a field, fact or figure of a case, scaled to `unit`."""

    title: str
    ours: str
    field: str
    scale: float
    unit: str
    at_most: dict[str, float]


EVERYWHERE = {"1M-1M": 0.5, SMALL: 0.5, LARGE: 0.5}
A_FIFTH = dict.fromkeys(EVERYWHERE, 0.2)
TWICE = dict.fromkeys(EVERYWHERE, 2.0)
RATIOS = [
    Ratio("hierarchy, integers / SciPy one cut", "ours-ints", "scipy-cut", {SMALL: 0.6, LARGE: 1.0}),
    Ratio("hierarchy, integers with records / SciPy one cut", "ours-records", "scipy-cut", {SMALL: 0.6, LARGE: 1.0}),
    Ratio("hierarchy, string keys / polars encoding", "ours-strings", "polars-encode", EVERYWHERE),
    Ratio("hierarchy, large_string keys / polars encoding", "ours-large-strings", "polars-encode", EVERYWHERE),
    Ratio("all metrics, all thresholds / one adjusted_rand_score", "ours-curve", "sklearn-ari", EVERYWHERE),
    Ratio("default metrics, all thresholds / one adjusted_rand_score", "ours-curve-default", "sklearn-ari", {}),
    Ratio("estimates, all thresholds / two estimates, one cut", "ours-estimate", "er-estimate", {}),
    Ratio("hashes as a table / Python loop over hashlib", "ours-hash-table", "hashlib-loop", A_FIFTH),
    Ratio("hashes as a table / plain C", "ours-hash-table", "digests", TWICE),
    Ratio("frame saved / its file copied and synced", "ours-save", "file-copy", TWICE),
    Ratio("frame loaded / its file copied and synced", "ours-load", "file-copy", TWICE),
    Ratio("frame read into memory / its file copied and synced", "ours-load-read", "file-copy", {}),
    Ratio("frame loaded / its file read", "ours-load", "file-read", {}),
    # Two thirds of a dict are a million strings and ints of Python, which the loop makes too and plain C does not.
    Ratio("hashes as a dict / Python loop over hashlib", "ours-hash", "hashlib-loop", {}),
    Ratio("hashes as a dict / plain C", "ours-hash", "digests", {}),
    Ratio("hierarchy, integers / SciPy one low cut", "ours-ints", "scipy-low-cut", {}),
    Ratio("hierarchy, integers / plain C reference", "ours-ints", "reference", {}),
    Ratio("hierarchy, integers / SciPy spanning tree", "ours-ints", "scipy-tree", {}),
    Ratio("hierarchy, integers / Splink one cut", "ours-ints", "splink-cut", {}),
    Ratio("hierarchy, integers / Splink ten cuts", "ours-ints", "splink-ten", {}),
    Ratio("all metrics, all thresholds / twelve metrics, one cut", "ours-curve", "scipy-metrics", {}),
    Ratio("20 collections, all thresholds / one adjusted_rand_score each", "ours-many", "sklearn-many", {}),
    Ratio(
        f"10,000 pairs of cuts / adjusted_rand_score of 10, x {GRID_SCALE:,.0f}",
        "ours-grid",
        "sklearn-grid",
        {},
        GRID_SCALE,
    ),
]
LIMITS = [
    Limit("uncached cut, counted", "ours-count", "seconds", 1e3, "ms", {"1M-1M": 1.0, SMALL: 1.0}),
    Limit("uncached cut, labelled", "ours-labels", "seconds", 1e3, "ms", {"1M-1M": 5.0, SMALL: 5.0}),
    Limit(
        "stored order and joins, a record",
        "ours-records",
        "bytes_per_record",
        1,
        "bytes",
        dict.fromkeys(EVERYWHERE, 8.01),
    ),
    Limit("with 8 bytes a distinct threshold", "ours-records", "bytes_per_record_with_thresholds", 1, "bytes", {}),
    Limit("frame of 5 collections, held in all", "ours-memory", "frame_held_bytes", 1e-6, "MB", {"1M-1M": 100}),
    Limit("with keys of 62 bits", "ours-memory-scattered", "frame_held_bytes", 1e-6, "MB", {"1M-1M": 100}),
    Limit("before freed pages go back to the system", "ours-memory", "untrimmed_bytes", 1e-6, "MB", {}),
    Limit("counted by the engine", "ours-memory", "engine_bytes", 1e-6, "MB", {}),
    Limit("of that the records, shared by all 5", "ours-memory", "records_bytes", 1e-6, "MB", {}),
    Limit("frame of 1 collection, held in all", "ours-memory", "one_collection_held_bytes", 1e-6, "MB", {}),
]


def middle(runs: list[Run], field: str) -> float:
    """Median of a field over the repetitions."""
    return float(median(run[field] for run in runs))


def paired_ratio(ours: list[Run], peer: list[Run]) -> float:
    """Median of the ratios within each round, so that a slow spell of the machine weighs on both sides."""
    return float(median(a["seconds"] / b["seconds"] for a, b in zip(ours, peer, strict=False)))


def verdict(value: float, limit: float | None) -> dict[str, Any]:
    return {"value": value} if limit is None else {"value": value, "at_most": limit, "met": value <= limit}


def ratios(runs: Runs, size: str) -> dict[str, dict[str, Any]]:
    """Every ratio whose two cases ran, by title."""
    present = [ratio for ratio in RATIOS if runs.get(ratio.ours) and runs.get(ratio.peer)]
    return {
        ratio.title: {
            "ours": ratio.ours,
            "peer": ratio.peer,
            "times": ratio.times,
            **verdict(paired_ratio(runs[ratio.ours], runs[ratio.peer]) / ratio.times, ratio.at_most.get(size)),
        }
        for ratio in present
    }


def limits(runs: Runs, size: str) -> dict[str, dict[str, Any]]:
    """Every absolute target whose case ran and knows the figure, by title."""
    found = {}
    for limit in LIMITS:
        values = [{**run["facts"], **run["figures"], **run}.get(limit.field) for run in runs.get(limit.ours, [])]
        if values and None not in values:
            value = median(values) * limit.scale
            found[limit.title] = {"ours": limit.ours, "unit": limit.unit, **verdict(value, limit.at_most.get(size))}
    return found


def disagreements(runs: Runs) -> list[str]:
    """Facts of one name on which two runs differ by more than rounding."""
    seen: dict[str, tuple[str, float]] = {}
    found = []
    for case, repetitions in runs.items():
        for name, value in ((name, value) for run in repetitions for name, value in run["facts"].items()):
            first, expected = seen.setdefault(name, (case, value))
            if not math.isclose(value, expected, rel_tol=1e-9):
                found.append(f"{name}: {expected} by {first}, {value} by {case}")
    return found


def case_summary(runs: list[Run]) -> dict[str, Any]:
    seconds = [run["seconds"] for run in runs]
    return {
        "seconds": median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "cpu_seconds": middle(runs, "cpu_seconds"),
        "step_peak_bytes": middle(runs, "step_peak_bytes"),
        "peak_bytes": middle(runs, "peak_bytes"),
        "held_bytes": middle(runs, "held_bytes"),
        "runs": runs,
    }


def summary(runs: Runs, failures: dict[str, str], size: str) -> dict[str, Any]:
    """All that is known of one size, ready for JSON."""
    return {
        "cases": {case: case_summary(repetitions) for case, repetitions in runs.items() if repetitions},
        "failures": failures,
        "ratios": ratios(runs, size),
        "limits": limits(runs, size),
        "disagreements": disagreements(runs),
    }


def time_text(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds >= 0.01 else f"{seconds * 1e3:.3f} ms"


def case_line(title: str, case: dict[str, Any] | None, failure: str | None) -> str:
    if case is None:
        return f"  {title:<58} {failure or 'not run'}"
    spread = f"{time_text(case['fastest'])} .. {time_text(case['slowest'])}"
    step, whole = (case[field] / 1e6 for field in ("step_peak_bytes", "peak_bytes"))
    memory = f"{step:>8,.0f} {whole:>8,.0f}"
    return f"  {title:<58} {time_text(case['seconds']):>10}  {spread:>24}  {memory}  {len(case['runs']):>2}"


def verdict_line(title: str, entry: dict[str, Any]) -> str:
    line = f"  {title:<58} {entry['value']:>10.3f} {entry.get('unit', ''):<5}"
    if "met" in entry:
        line += f" target {entry['at_most']:g}: {'met' if entry['met'] else 'NOT MET'}"
    return line.rstrip()


def table(heading: str, titles: dict[str, str], result: dict[str, Any]) -> str:
    """The printed form of one size's summary."""
    columns = f"  {'':<58} {'median':>10}  {'fastest .. slowest':>24}  {'step MB':>8} {'peak MB':>8}  {'n':>2}"
    lines = [heading, columns]
    for case, title in titles.items():
        lines.append(case_line(title, result["cases"].get(case), result["failures"].get(case)))
    verdicts = [verdict_line(title, entry) for part in ("ratios", "limits") for title, entry in result[part].items()]
    lines += ["", "  ratios of time, and limits", *verdicts] if verdicts else []
    lines += [f"  DISAGREEMENT {text}" for text in result["disagreements"]]
    return "\n".join(lines)
