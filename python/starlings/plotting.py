"""Charts of reports and lineages. Called with the altair module; knows nothing about how reports are computed.

A chart holds its data, so curves are thinned first: evenly by rank, with the highest and lowest value of each
stretch, which keeps every peak. Metrics within [0, 1] share one panel; others get one each. The confidence band of an
estimate is an area behind its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings._typing import Scale

if TYPE_CHECKING:
    from starlings.reports import Report

__all__ = ["draw", "draw_lineage", "draw_matrix", "ends_of_axis", "thin"]

_POINTS_A_CURVE: Final = 400
_WIDTH: Final = 600
_HEIGHT: Final = 260
_MOST_CUTS: Final = 100  # of a matrix, each way
_BAND_OPACITY: Final = 0.2
_MARGIN: Final = 0.05  # of the range of weights, on either side
_LARGEST: Final = float(np.finfo(np.float64).max)


def draw(altair: Any, report: Report, metrics: list[str]) -> Any:
    """Metrics of a report over the threshold, one line for each collection and reference cut."""
    shared = [name for name in metrics if _is_share(report[name])]
    panels = [shared] if shared else []
    panels += [[name] for name in metrics if name not in shared]
    charts = [_panel(altair, report, names) for names in panels]
    return charts[0] if len(charts) == 1 else altair.vconcat(*charts)


def draw_matrix(altair: Any, labels: list[str], matrix: NDArray[Any], metric: str) -> Any:
    """A heat map of a metric: what is judged from top to bottom, the references from left to right."""
    shown = np.unique(np.linspace(0, max(0, len(labels) - 1), min(len(labels), _MOST_CUTS)).astype(np.intp))
    names = [labels[cut] for cut in shown]
    rows = [
        {"judged": judged, "reference": reference, "value": value}
        for judged, values in zip(names, matrix[np.ix_(shown, shown)].astype(np.float64).tolist(), strict=True)
        for reference, value in zip(names, values, strict=True)
    ]
    return (
        altair.Chart(altair.InlineData(values=rows))
        .mark_rect()
        .encode(
            x=altair.X("reference:N", title="reference", sort=names),
            y=altair.Y("judged:N", title="judged", sort=names),
            color=altair.Color("value:Q", title=metric),
            tooltip=["judged:N", "reference:N", "value:Q"],
        )
    )


def draw_lineage(altair: Any, thresholds: NDArray[np.float64], sizes: NDArray[np.uint32], *, scale: Scale) -> Any:
    """Sizes of an entity over falling thresholds, each from its own on; the first, of one record, above them all."""
    low, high = ends_of_axis(thresholds, scale)
    at = np.concatenate([[high], thresholds, [low]])[::-1]
    size = np.concatenate([sizes, sizes[-1:]])[::-1].astype(np.float64)
    kept = thin(size)
    rows = [{"threshold": x, "size": y} for x, y in zip(at[kept].tolist(), size[kept].tolist(), strict=True)]
    chart = altair.Chart(altair.InlineData(values=rows)).mark_line(interpolate="step-before", point=len(rows) <= 30)
    encoding = {
        "x": altair.X("threshold:Q", title="threshold", scale=altair.Scale(zero=False)),
        "y": altair.Y("size:Q", title="records of the entity"),
        "tooltip": ["threshold:Q", "size:Q"],
    }
    return chart.encode(**encoding).properties(width=_WIDTH, height=_HEIGHT)


def ends_of_axis(thresholds: NDArray[np.float64], scale: Scale) -> tuple[float, float]:
    """Lowest and highest threshold of a chart: all that probabilities can be, and somewhat beyond given weights."""
    if scale == "probability" or not len(thresholds):
        return 0.0, 1.0
    low, high = float(thresholds.min()), float(thresholds.max())
    margin = _MARGIN * high - _MARGIN * low or 1.0
    return max(low - margin, -_LARGEST), min(high + margin, _LARGEST)


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
    title = metrics[0] if len(metrics) == 1 else "value"
    data = altair.Chart(altair.InlineData(values=rows))
    encoding = {
        "x": altair.X("threshold:Q", title="threshold", scale=altair.Scale(zero=False)),
        "y": altair.Y("value:Q", title=title),
        "color": altair.Color("metric:N", title="metric"),
        "tooltip": ["metric:N", "curve:N", "threshold:Q", "value:Q"],
    }
    if len(curves) > 1:
        encoding["strokeDash"] = altair.StrokeDash("curve:N", title="collection")
    chart = data.mark_line(interpolate="step-before", point=len(report) <= 30).encode(**encoding)
    if any(map(report._has_band, metrics)):
        chart = altair.layer(_band(altair, data, encoding, title), chart)
    return chart.properties(width=_WIDTH, height=_HEIGHT)


def _band(altair: Any, data: Any, encoding: dict[str, Any], title: str) -> Any:
    """The bands of a panel's estimates, behind its lines."""
    bounds = {"y": altair.Y("low:Q", title=title), "y2": altair.Y2("high:Q")}
    area = data.mark_area(interpolate="step-before", opacity=_BAND_OPACITY)
    chosen = {name: encoding[name] for name in ("x", "color")}
    if "strokeDash" in encoding:
        chosen["detail"] = altair.Detail("curve:N")
    return area.encode(**chosen, **bounds)


def _curves(report: Report) -> list[tuple[str, NDArray[np.intp]]]:
    """The rows of each curve, by threshold, with a name: one a collection and reference cut."""
    order = np.argsort(report["threshold"], kind="stable")
    names = np.full(len(report), "", dtype=object)
    if "collection" in report.columns:
        names = report["collection"].copy()
    if "reference_threshold" in report.columns:
        thresholds, at = np.unique(report["reference_threshold"], return_inverse=True)
        against = report["reference"] + " at " + thresholds.astype(str).astype(object)[at]
        if np.any(against != against[:1]):
            names = names + " against " + against
    labels, numbers = np.unique(names.astype(str), return_inverse=True)
    return [(str(label), order[numbers[order] == number]) for number, label in enumerate(labels)]


def _points(report: Report, metric: str, label: str, rows: NDArray[np.intp]) -> list[dict[str, Any]]:
    """The points of one line."""
    values = report[metric][rows].astype(np.float64)
    kept = thin(values)
    thresholds = report["threshold"][rows][kept].tolist()
    points = [
        {"metric": metric, "curve": label, "threshold": threshold, "value": value}
        for threshold, value in zip(thresholds, values[kept].tolist(), strict=True)
    ]
    if report._has_band(metric):
        bounds = (report[metric + ending][rows][kept].tolist() for ending in ("_low", "_high"))
        for point, low, high in zip(points, *bounds, strict=True):
            point |= {"low": low, "high": high}
    return points
