"""What notebooks show of frames, collections, partitions and reports: a drawing and a table that need no script.

Frames and collections of moderate size also bring the page of the explorer, small, in a frame that is closed off from
the notebook: its scripts run in an origin of their own, and its own policy forbids every connection. Where scripts are
not trusted the drawing and the table are there all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from starlings import _core
from starlings.exceptions import MissingDependencyError
from starlings.explorer import explored
from starlings.explorer.drawing import MOST_CURVES, curves_svg, sizes_svg
from starlings.explorer.size_classes import SIZE_CLASSES
from starlings.explorer.subject import Named, Subject, Yardstick
from starlings.reports import Categories
from starlings.thresholds import sweep_points

if TYPE_CHECKING:
    from starlings.partition import Partition
    from starlings.reports import Report

__all__ = ["bundle", "counts_drawing", "report_drawing", "sizes_drawing"]

_POINTS: Final = 100
_MOST_ROWS: Final = 2_000_000
_MOST_TO_EXPLORE: Final = 100_000  # records times collections
_RECORDS: Final = 1000
_STOPS: Final = 150
_HINT: Final = "<p><small>explore(&quot;report.html&quot;) writes a page that shows it at every threshold.</small></p>"


def bundle(plain: str, static: str, subject: Subject) -> Mapping[str, str]:
    """The formats of something to explore: its text, and its static view with the page below it."""
    page = _small_page(subject)
    if page is None:
        return {"text/plain": plain, "text/html": f"{static}{_HINT}"}
    inside = (
        f'<details><summary>Explore</summary><iframe sandbox="allow-scripts" loading="lazy" width="100%" height="640" '
        f'style="border:0" title="Explorer" srcdoc="{escape(page)}"></iframe></details>'
    )
    return {"text/plain": plain, "text/html": static + inside}


def _small_page(subject: Subject) -> str | None:
    """The page of the explorer with few records; None of much data, and of attributes that cannot be read here."""
    if not 0 < subject.num_records * len(subject.collections) <= _MOST_TO_EXPLORE:
        return None
    try:
        return explored(subject, Yardstick.none(), None, _RECORDS, most_stops=_STOPS)
    except MissingDependencyError:
        return None


def counts_drawing(subject: Subject) -> str:
    """How many entities every collection has over the threshold; those of the commonest scale."""
    named = [each for each in subject.collections if each.hierarchy.num_levels]
    scales = [each.hierarchy.scale for each in named]
    shown = [each for each in named if each.hierarchy.scale == max(scales, key=scales.count)][:MOST_CURVES]
    grids = [_thresholds(each) for each in shown]
    curves = _core.curves([(each.core, grid, None, 1.0) for each, grid in zip(shown, grids, strict=True)])
    return curves_svg(
        [
            (each.name, grid, np.asarray(curve.metric("entity_count")))
            for each, grid, curve in zip(shown, grids, curves, strict=True)
        ],
        "number of entities",
    )


def _thresholds(named: Named) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Thresholds to draw: a regular grid, and levels evenly by rank."""
    levels = np.asarray(named.hierarchy.levels)
    some = np.unique(np.linspace(0, len(levels) - 1, min(len(levels), _POINTS)).astype(np.intp))
    return np.unique(np.concatenate([sweep_points(None, None, None, named.hierarchy), levels[some]]))


def sizes_drawing(partition: Partition) -> str:
    """How many entities of which size a partition has."""
    firsts = np.array([low for low, _ in SIZE_CLASSES])
    classes = np.searchsorted(firsts, partition.sizes, side="right") - 1
    counts = np.bincount(classes).tolist()
    names = [f"{low:,}" if low == high else f"{low:,} to {high:,}" for low, high in SIZE_CLASSES[: len(counts)]]
    return sizes_svg(names, counts)


def report_drawing(report: Report, metrics: Sequence[str]) -> str:
    """The curves of a report: of several collections the first metric, of one alone the first few metrics.

    Nothing for reports without thresholds, against several references, or of millions of rows.
    """
    if "threshold" not in report.columns or not metrics or not 1 < len(report) <= _MOST_ROWS:
        return ""
    if any(
        np.any(report[name] != report[name][0]) for name in ("reference_threshold", "reference") if _has(report, name)
    ):
        return ""
    names = report._columns.get("collection")
    codes, strings = (names.codes, names.strings) if isinstance(names, Categories) else (None, ())
    order = np.argsort(report["threshold"], kind="stable")
    thresholds = report["threshold"][order]
    if codes is not None and np.any(codes != codes[0]):
        parts = [(strings[code], order[codes[order] == code]) for code in np.unique(codes)[:MOST_CURVES].tolist()]
        return curves_svg(
            [(name, report["threshold"][rows], report[metrics[0]][rows]) for name, rows in parts], metrics[0]
        )
    shares = [name for name in metrics if np.all(np.abs(report[name]) <= 1.0)] or list(metrics[:1])
    return curves_svg([(name, thresholds, report[name][order]) for name in shares], "metrics")


def _has(report: Report, name: str) -> bool:
    """Whether a report has a column."""
    return name in report.columns
