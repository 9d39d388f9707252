"""Charts of reports. Called with the altair module; knows nothing about how reports are computed.

A chart holds its data, so curves are thinned first: evenly by rank, with the highest and lowest value of each
stretch, which keeps every peak. Metrics within [0, 1] share one panel; others get one each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from starlings.reports import Report

__all__ = ["draw", "thin"]

_POINTS_A_CURVE: Final = 400
_WIDTH: Final = 600
_HEIGHT: Final = 260


def draw(altair: Any, report: Report, metrics: list[str]) -> Any:
    """Metrics of a report over the threshold, one line for each collection and reference cut."""
    shared = [name for name in metrics if _is_share(report[name])]
    panels = [shared] if shared else []
    panels += [[name] for name in metrics if name not in shared]
    charts = [_panel(altair, report, names) for names in panels]
    return charts[0] if len(charts) == 1 else altair.vconcat(*charts)


def thin(values: NDArray[np.float64], limit: int = _POINTS_A_CURVE) -> NDArray[np.intp]:
    """Positions of a curve to draw: first and last, and the extremes of equal stretches."""
    if len(values) <= limit:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), limit // 2 + 1).astype(np.intp)
    chosen = {0, len(values) - 1}
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        chosen |= {int(start + np.argmin(values[start:stop])), int(start + np.argmax(values[start:stop]))}
    return np.array(sorted(chosen))


def _is_share(values: NDArray[Any]) -> bool:
    """Whether a metric's values are all fractions."""
    return bool(values.dtype.kind == "f" and np.all((values >= -1.0) & (values <= 1.0)))


def _panel(altair: Any, report: Report, metrics: list[str]) -> Any:
    """One chart."""
    curves = _curves(report)
    rows = [row for name in metrics for label, at in curves for row in _points(report, name, label, at)]
    chart = altair.Chart(altair.InlineData(values=rows)).mark_line(interpolate="step-before", point=len(report) <= 30)
    encoding = {
        "x": altair.X("threshold:Q", title="threshold", scale=altair.Scale(zero=False)),
        "y": altair.Y("value:Q", title=metrics[0] if len(metrics) == 1 else "value"),
        "color": altair.Color("metric:N", title="metric"),
        "tooltip": ["metric:N", "curve:N", "threshold:Q", "value:Q"],
    }
    if len(curves) > 1:
        encoding["strokeDash"] = altair.StrokeDash("curve:N", title="collection")
    return chart.encode(**encoding).properties(width=_WIDTH, height=_HEIGHT)


def _curves(report: Report) -> list[tuple[str, NDArray[np.intp]]]:
    """The rows of each curve, by threshold, with a name: one a collection and reference cut."""
    order = np.argsort(report["threshold"], kind="stable")
    names = np.full(len(report), "", dtype=object)
    if "collection" in report.columns:
        names = report["collection"].copy()
    if "reference_threshold" in report.columns and len(np.unique(report["reference_threshold"])) > 1:
        at = np.char.mod("%g", report["reference_threshold"])
        names = names + " against " + report["reference"] + " at " + at.astype(object)
    labels, numbers = np.unique(names.astype(str), return_inverse=True)
    return [(str(label), order[numbers[order] == number]) for number, label in enumerate(labels)]


def _points(report: Report, metric: str, label: str, rows: NDArray[np.intp]) -> list[dict[str, Any]]:
    """The points of one line."""
    values = report[metric][rows].astype(np.float64)
    kept = thin(values)
    thresholds = report["threshold"][rows][kept].tolist()
    return [
        {"metric": metric, "curve": label, "threshold": threshold, "value": value}
        for threshold, value in zip(thresholds, values[kept].tolist(), strict=True)
    ]
