"""Small drawings for notebooks, as SVG text: curves over the threshold, and sizes of entities. No script is needed.

They take the colour of text from where they are shown, so that they read in light and dark. Curves are thinned, so that
a drawing is a few kilobytes whatever it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starlings.plotting import thin

__all__ = ["MOST_CURVES", "curves_svg", "sizes_svg"]

#: More than these cannot be told apart.
MOST_CURVES: Final = 8
_POINTS: Final = 160
_WIDTH: Final = 460
_HEIGHT: Final = 150
_LEFT: Final = 56
_TOP: Final = 24
_LEGEND: Final = 190
_LABEL: Final = 24
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a08a00", "#56b4e9", "#808890", "#7a5fc0")
_DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")
_BAR: Final = 15

#: A curve: its label, thresholds ascending, and values.
_Curve = tuple[str, NDArray[np.float64], NDArray[np.float64]]


def curves_svg(curves: Sequence[_Curve], what: str) -> str:
    """Curves over the threshold as steps, with a legend; nothing where there are no two thresholds."""
    drawn = [(label, x, y.astype(np.float64)) for label, x, y in curves[:MOST_CURVES] if np.isfinite(y).any()]
    if not drawn:
        return ""
    low, high = min(float(x[0]) for _, x, _ in drawn), max(float(x[-1]) for _, x, _ in drawn)
    if not high > low:
        return ""
    bottom = min(0.0, *(float(np.nanmin(y)) for _, _, y in drawn), 0.0)
    top = max(float(np.nanmax(y)) for _, _, y in drawn)
    top = 1.0 if 0.0 < top <= 1.0 and bottom == 0.0 else max(top, bottom + 1.0)
    body = "".join(
        _path(_scaled(x, low, high, _WIDTH) + _LEFT, _TOP + _HEIGHT - _scaled(y, bottom, top, _HEIGHT), number)
        + _legend(label, number)
        for number, (label, x, y) in enumerate(drawn)
    )
    axes = (
        f'<path d="M{_LEFT} {_TOP}V{_TOP + _HEIGHT}H{_LEFT + _WIDTH}" fill="none" stroke="currentColor" opacity=".4"/>'
    )
    below = _TOP + _HEIGHT + 15
    ticks = (
        _text(what, _LEFT, _TOP - 10, "start")
        + _text(f"{top:,.6g}", _LEFT - 6, _TOP + 9, "end")
        + _text(f"{bottom:,.6g}", _LEFT - 6, _TOP + _HEIGHT, "end")
        + _text(f"{low:.6g}", _LEFT, below, "start")
        + _text("threshold", _LEFT + _WIDTH // 2, below, "middle")
        + _text(f"{high:.6g}", _LEFT + _WIDTH, below, "end")
    )
    return _svg(_LEFT + _WIDTH + _LEGEND, _TOP + _HEIGHT + 22, f"{what} over the threshold", axes + ticks + body)


def sizes_svg(classes: Sequence[str], counts: Sequence[int]) -> str:
    """A bar for each class of sizes, on a logarithmic scale, with its count."""
    most = np.log1p(max(counts, default=0))
    if not most > 0.0:
        return ""
    bars = _text("entities by number of records (log scale)", _LEFT, _TOP - 10, "start")
    for row, (name, count) in enumerate(zip(classes, counts, strict=True)):
        y = _TOP + row * _BAR
        length = _WIDTH / 2 * np.log1p(count) / most
        bars += _text(name, _LEFT + 84, y + 10, "end")
        bars += f'<rect x="{_LEFT + 92}" y="{y}" width="{length:.1f}" height="{_BAR - 4}" fill="{_COLOURS[0]}"/>'
        bars += _text(f"{count:,}", round(_LEFT + 98 + length), y + 10, "start")
    height = _TOP + len(counts) * _BAR + 4
    return _svg(_LEFT + _WIDTH, height, "entities by number of records, logarithmic", bars)


def _scaled(values: NDArray[np.float64], low: float, high: float, length: int) -> NDArray[np.float64]:
    """Values as lengths; halved first, as the range of weights may be no float."""
    return (values / 2 - low / 2) / (high / 2 - low / 2) * length


def _path(x: NDArray[np.float64], y: NDArray[np.float64], number: int) -> str:
    """One curve: what holds at a threshold holds down to the one below."""
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    kept = thin(y, _POINTS)
    points = list(zip(x[kept].tolist(), y[kept].tolist(), strict=True))
    steps = "".join(f"V{down:.1f}H{across:.1f}" for across, down in points[1:])
    dash = _DASHES[number % len(_DASHES)]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    start = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    return f'<path d="{start}{steps}" fill="none" stroke="{_COLOURS[number]}" stroke-width="1.8"{dashed}/>'


def _legend(label: str, number: int) -> str:
    """A piece of the line, and its label."""
    y = _TOP + 6 + 17 * number
    x = _LEFT + _WIDTH + 12
    dash = _DASHES[number % len(_DASHES)]
    line = f'<path d="M{x} {y}h22" stroke="{_COLOURS[number]}" stroke-width="2" stroke-dasharray="{dash}"/>'
    short = label if len(label) <= _LABEL else f"{label[:_LABEL]}…"
    return line + _text(short, x + 28, y + 4, "start")


def _text(text: str, x: int, y: int, anchor: str) -> str:
    """A text in the colour of texts."""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="11" font-family="sans-serif" '
        f'fill="currentColor">{escape(text)}</text>'
    )


def _svg(width: int, height: int, label: str, body: str) -> str:
    """The drawing; narrower where there is less room."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width:100%" role="img" aria-label="{escape(label)}">{body}</svg>'
    )
