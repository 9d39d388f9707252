"""The curve as a picture: metrics over the threshold with the best cuts marked, and the number of entities below.

A curve may have a million thresholds; the picture holds at most 2,000. The axis is cut into equal strips, and of each
strip and series the highest and the lowest point stay, so that no peak or dip is lost and every maximum is exact.

Match probabilities crowd near 0 and 1, where a linear axis shows nothing. If they do, the axis is that of the odds:
0.9, 0.99 and 0.999 are the same distance apart, as on Splink's scale of match weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import altair as alt
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from starlings.demo.job import JobResult
from starlings.demo.metrics import BEST_BY
from starlings.demo.metrics import TITLES as _SERIES

__all__ = ["Axis", "chart_of", "thin", "write_chart"]

Axis = Literal["auto", "linear", "odds"]
Floats = npt.NDArray[np.float64]

MAX_POINTS = 2000
_COLOURS = ["#8fa3b5", "#c9a66b", "#1f5fa8", "#d1495b", "#2e8b57"]
_DASHES = [[5, 3], [5, 3], [1, 0], [1, 0], [1, 0]]
_INK = "#2b2f36"
_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
_WIDTH = 860


def write_chart(result: JobResult, directory: Path, *, title: str, axis: Axis = "auto") -> list[Path]:
    """Write the chart as one HTML file that needs no network, and as PNG.

    Returns
    -------
    list of Path
        The two files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chart = chart_of(result, title=title, axis=axis)
    page, picture = directory / "curve.html", directory / "curve.png"
    chart.save(page, inline=True)
    chart.save(picture, scale_factor=2.0)
    return [page, picture]


def chart_of(result: JobResult, *, title: str, axis: Axis = "auto") -> alt.VConcatChart:
    """The chart of a result, both panels over one threshold axis."""
    thresholds = result.curve["threshold"].to_numpy()
    on_odds = axis == "odds" or (axis == "auto" and _crowds_at_the_ends(thresholds))
    places = _log_odds(thresholds) if on_odds else thresholds
    points = thin(result.curve.append_column("place", pa.array(places)), places, list(_SERIES))
    data = _inline(points.select(["threshold", "place", "entity_count", *_SERIES]).to_pylist())
    panels = alt.vconcat(_metrics_panel(result, on_odds), _entities_panel(result, on_odds), data=data, spacing=14)
    heading = alt.TitleParams(title, subtitle=_subtitle(result), anchor="start", offset=16)
    return _styled(panels.resolve_scale(x="shared").properties(title=heading))


def thin(curve: pa.Table, places: Floats, columns: list[str], *, limit: int = MAX_POINTS) -> pa.Table:
    """At most `limit` rows of a curve that draw the same lines.

    Parameters
    ----------
    curve : pyarrow.Table
        One row per threshold, in order of threshold.
    places : array
        Where each row is on the axis.
    columns : list of str
        The series whose highest and lowest values must stay.
    limit : int
        Number of rows to keep; a shorter curve is kept whole.

    Returns
    -------
    pyarrow.Table
        Rows of `curve` in their order: of each strip of the axis the first and last, and the highest and lowest of
        each series; the strips as narrow as the limit allows, down to one pixel. O(rows).
    """
    if curve.num_rows <= limit:
        return curve
    series = [np.arange(curve.num_rows, dtype=np.float64), *(curve[name].to_numpy() for name in columns)]
    enough = limit // (2 * len(series))
    for strips in (_WIDTH, _WIDTH // 2, _WIDTH // 3, max(1, enough)):
        starts = _strip_starts(places, strips)
        kept = np.unique(np.concatenate([_extremes(starts, sign * values) for values in series for sign in (1, -1)]))
        if len(kept) <= limit:
            break
    return curve.take(kept)


def _strip_starts(places: Floats, strips: int) -> npt.NDArray[np.intp]:
    """First row of each strip that has any, the axis cut into equal strips."""
    low, high = places.min(), places.max()
    strip = np.minimum((places - low) / max(high - low, np.finfo(np.float64).tiny) * strips, strips - 1).astype(
        np.int64
    )
    return np.flatnonzero(np.diff(strip, prepend=strip[0] - 1))


def _extremes(starts: npt.NDArray[np.intp], values: Floats) -> npt.NDArray[np.intp]:
    """The first row with the highest value of each strip."""
    lengths = np.diff(starts, append=len(values))
    rows = np.flatnonzero(values == np.repeat(np.maximum.reduceat(values, starts), lengths))
    first = np.searchsorted(rows, starts)
    return rows[first]


def _crowds_at_the_ends(thresholds: Floats) -> bool:
    """Whether there are several thresholds, most of them within a hundredth of 0 or 1."""
    return len(thresholds) > 1 and bool(np.mean((thresholds < 0.01) | (thresholds > 0.99)) > 0.5)


def _log_odds(thresholds: Floats) -> Floats:
    """Decimal logarithm of the odds, with 0 and 1 half a step of six decimals inside."""
    inside = np.clip(thresholds, 5e-7, 1 - 5e-7)
    places: Floats = np.log10(inside / (1 - inside))
    return places


def _metrics_panel(result: JobResult, on_odds: bool) -> Any:
    """Metrics over the threshold, the best cuts marked."""
    low = _lower_bound(result)
    scale = alt.Scale(domain=[low, 1 + (1 - low) / 50], nice=False)
    value = alt.Y("value:Q", title="score", scale=scale, axis=alt.Axis(format=".2f"))
    legend = alt.Legend(title=None, labelExpr=f"{json.dumps(_SERIES)}[datum.value]", symbolType="stroke")
    colour = alt.Color("metric:N", scale=alt.Scale(domain=list(_SERIES), range=_COLOURS), legend=legend)
    dash = alt.StrokeDash("metric:N", scale=alt.Scale(domain=list(_SERIES), range=_DASHES), legend=legend)
    lines = (
        alt.Chart()
        .transform_fold(list(_SERIES), as_=["metric", "value"])
        .mark_line(interpolate="step-before", strokeWidth=2, clip=True, point=result.curve.num_rows == 1)
        .encode(x=_threshold_axis(on_odds, shown=False), y=value, color=colour, strokeDash=dash)
    )
    best = (
        alt.Chart(_inline(_best_rows(result, on_odds)))
        .mark_point(filled=True, size=130, opacity=1, stroke="white", strokeWidth=1.5)
        .encode(x="place:Q", y="value:Q", fill=alt.Fill("colour:N", scale=None), tooltip=["name:N", *_tooltip()])
    )
    return alt.layer(_chosen_line(result, on_odds), lines, best, _reading_line("scores")).properties(
        width=_WIDTH, height=340
    )


def _entities_panel(result: JobResult, on_odds: bool) -> Any:
    """Number of entities over the threshold, beside the true number."""
    counts = alt.Y(
        "entity_count:Q",
        title="entities",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(format=",d", tickCount=5),
    )
    line = (
        alt.Chart()
        .mark_line(interpolate="step-before", strokeWidth=2, color=_INK)
        .encode(x=_threshold_axis(on_odds, shown=True), y=counts)
    )
    true = alt.Chart(_inline([{"entities": result.true_entities, "text": f"{result.true_entities:,} true"}]))
    level = true.mark_rule(strokeDash=[2, 3], strokeWidth=1.3, color=_INK).encode(y="entities:Q")
    label = true.mark_text(align="left", dx=_WIDTH + 8, color=_INK, fontSize=12).encode(
        x=alt.value(0), y="entities:Q", text="text:N"
    )
    return alt.layer(_chosen_line(result, on_odds), level, line, label, _reading_line("counts")).properties(
        width=_WIDTH, height=130
    )


def _threshold_axis(on_odds: bool, *, shown: bool) -> alt.X:
    """The shared axis; on odds its ticks are probabilities at the places of their log odds."""
    title = "threshold (match probability, spaced by its odds)" if on_odds else "threshold"
    axis = alt.Axis(title=title if shown else None, labels=shown, ticks=shown, labelFlush=False)
    if on_odds:
        axis.values = _log_odds(np.array(_TICKS)).tolist()
        axis.labelExpr = "format(1 / (1 + pow(10, -datum.value)), '.6~f')"
    return alt.X("place:Q", scale=alt.Scale(nice=False, zero=False, padding=8), axis=axis)


def _chosen_line(result: JobResult, on_odds: bool) -> Any:
    """A vertical line at the cut that is written out."""
    row = {"place": _place(result.best[result.metric]["threshold"], on_odds)}
    return alt.Chart(_inline([row])).mark_rule(color="#c2c7cf", strokeWidth=1.5).encode(x="place:Q")


def _reading_line(name: str) -> Any:
    """A line at the threshold nearest to the pointer, with all figures there; invisible on paper."""
    pointer = alt.selection_point(
        name=name, nearest=True, on="pointermove", clear="pointerout", fields=["place"], empty=False
    )
    shown = alt.condition(pointer, alt.value(0.6), alt.value(0))
    return (
        alt.Chart()
        .mark_rule(color=_INK, strokeDash=[3, 3])
        .encode(x="place:Q", opacity=shown, tooltip=_tooltip(*_SERIES))
        .add_params(pointer)
    )


def _tooltip(*series: str) -> list[alt.Tooltip]:
    """Threshold, the figures of `series`, and the number of entities."""
    figures = [alt.Tooltip(f"{name}:Q", title=_SERIES[name], format=".4f") for name in series]
    threshold = alt.Tooltip("threshold:Q", format=".6~f")
    return [threshold, *figures, alt.Tooltip("entity_count:Q", title="entities", format=",")]


def _best_rows(result: JobResult, on_odds: bool) -> list[dict[str, Any]]:
    """The marked points, one per metric of `BEST_BY`."""
    return [
        {
            "colour": _COLOURS[list(_SERIES).index(name)],
            "name": f"best {_SERIES[name]}",
            "value": result.best[name][name],
            "threshold": result.best[name]["threshold"],
            "entity_count": result.best[name]["entity_count"],
            "place": _place(result.best[name]["threshold"], on_odds),
        }
        for name in BEST_BY
    ]


def _inline(rows: list[dict[str, Any]]) -> Any:
    """Rows as data that travels inside the chart."""
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _place(threshold: float, on_odds: bool) -> float:
    return float(_log_odds(np.array([threshold]))[0]) if on_odds else threshold


def _lower_bound(result: JobResult) -> float:
    """Where the score axis starts: low enough for nine tenths of all drawn values, on a tenth."""
    values = np.concatenate([result.curve[name].to_numpy() for name in _SERIES])
    return min(0.9, float(np.floor(np.quantile(values, 0.1) * 10) / 10))


def _subtitle(result: JobResult) -> list[str]:
    """Sizes of the input, then each best cut with its figures."""
    sizes = (
        f"{result.records:,} records, {result.edges:,} scored pairs, {result.curve.num_rows:,} thresholds at which"
        " entities change; grey line: the cut written out"
    )
    best = [
        f"best {_SERIES[name]} {row[name]:.4f} at {row['threshold']:.6f} ({row['entity_count']:,.0f} entities)"
        for name, row in ((name, result.best[name]) for name in BEST_BY)
    ]
    return [sizes, " \u00b7 ".join(best)]


def _styled(chart: Any) -> alt.VConcatChart:
    """Fonts, grid and paddings."""
    font = "Helvetica, Arial, sans-serif"
    styled: alt.VConcatChart = (
        chart.configure(font=font, background="white", padding=20)
        .configure_view(stroke=None)
        .configure_title(fontSize=18, subtitleFontSize=12.5, subtitleColor="#5b6470", color=_INK, subtitlePadding=6)
        .configure_axis(
            labelFontSize=12,
            titleFontSize=12.5,
            labelColor=_INK,
            titleColor=_INK,
            titleFontWeight="normal",
            gridColor="#eceef1",
            domainColor="#b4bac3",
            tickColor="#b4bac3",
            titlePadding=10,
        )
        .configure_axisY(minExtent=44)
        .configure_legend(labelFontSize=12.5, labelColor=_INK, rowPadding=6, symbolSize=700, symbolStrokeWidth=2.5)
    )
    return styled
