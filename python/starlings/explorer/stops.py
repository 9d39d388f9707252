"""Where the slider stops: thresholds at which every curve of the page is measured exactly.

Collections of one scale share an axis. If all their levels together are few, each is a stop and nothing is left out.
Otherwise the stops are a regular grid, every best cut, the merges that change most, the extremes of equal stretches of
every curve, so that no peak is lost, and levels evenly by rank; between two stops the page says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import Scale
from starlings.explorer.subject import LOWER_IS_BETTER, Named, Yardstick
from starlings.plotting import ends_of_axis, thin
from starlings.thresholds import sweep_points

__all__ = ["MOST_STOPS", "Axis", "Full", "axis_of", "compared_with", "full_curves"]

#: About so many, where there are more levels; each collection adds its best cuts and merges.
MOST_STOPS: Final = 2000
_LEAST_OF_A_CURVE: Final = 8
_UNITS: Final = 1_000_000
_MOST_UNITS: Final = 2.0**51


@dataclass(frozen=True)
class Full:
    """A collection measured at every level: the thresholds, ascending, and what was found there.

    Attributes
    ----------
    best : dict
        For each metric that judges, threshold and value of the best cut.
    leading_change : array
        By how much the first metric changes at each of them, as the threshold falls. NaN at the highest where it is not
        known before: for an estimate.
    corners : array
        Thresholds at which some curve has an extreme of its stretch.
    """

    thresholds: NDArray[np.float64]
    best: dict[str, tuple[float, float]]
    leading_change: NDArray[np.float64]
    corners: NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """The thresholds of one scale, ascending."""

    scale: Scale
    stops: NDArray[np.float64]
    is_complete: bool
    members: Sequence[Named] = field(default=())


def full_curves(
    named: Named, yardstick: Yardstick, most_corners: int, progress: _core.ProgressCallback | None
) -> Full | None:
    """A collection at all its levels, with at most so many corners a curve; None if nothing ever merges."""
    if not named.hierarchy.num_levels:
        return None
    values = yardstick.measure(named, None, progress)
    thresholds = np.asarray(named.hierarchy.levels)[::-1]
    leading = values[yardstick.all_metrics[0].label]
    judging = yardstick.metrics if yardstick.judges(named) else ()
    best = {metric.label: _best(thresholds, values[metric.label], metric.name) for metric in judging}
    corners = [thin(values[metric.label], max(_LEAST_OF_A_CURVE, most_corners)) for metric in yardstick.all_metrics]
    return Full(
        thresholds,
        {label: cut for label, cut in best.items() if cut is not None},
        leading - np.append(leading[1:], _before_any_merge(named, yardstick)),
        thresholds[np.unique(np.concatenate(corners))],
    )


def _before_any_merge(named: Named, yardstick: Yardstick) -> float:
    """The first metric where every record is alone; NaN where it is estimated."""
    if yardstick.sample is not None:
        return np.nan
    num_records = named.core.num_records
    alone = _core.Collection(named.core.context, _core.from_merges([], num_records), num_records)
    values = yardstick.measure(Named(named.name, alone), np.array([1.0]), None)
    return float(values[yardstick.all_metrics[0].label][0])


def _best(thresholds: NDArray[np.float64], values: NDArray[np.float64], name: str) -> tuple[float, float] | None:
    """Threshold and value of the best of these cuts; of equal ones that with the highest threshold."""
    if np.all(np.isnan(values)):
        return None
    at = np.nanmin(values) if name in LOWER_IS_BETTER else np.nanmax(values)
    row = np.flatnonzero(values == at)[-1]
    return float(thresholds[row]), float(at)


def axis_of(
    scale: Scale,
    members: Sequence[Named],
    full: Mapping[str, Full | None],
    merges: Sequence[float],
    most_stops: int,
) -> Axis:
    """The stops of the collections of one scale; `merges` are thresholds that must be among them."""
    levels = np.unique(np.concatenate([np.asarray(named.hierarchy.levels) for named in members]))
    grids = [sweep_points(None, None, None, named.hierarchy) for named in members]
    regular = np.concatenate([*grids, np.array(ends_of_axis(levels, scale))])
    if len(levels) <= most_stops:
        return Axis(scale, np.unique(np.concatenate([levels, regular])), True, members)
    found = [each for each in (full[named.name] for named in members) if each is not None]
    best = [threshold for each in found for threshold, _ in each.best.values()]
    corners = [each.corners for each in found]
    needed = np.unique(np.concatenate([regular, *corners, np.array([*best, *merges], np.float64)]))
    evenly = np.linspace(0, len(levels) - 1, max(2, most_stops - len(needed))).astype(np.intp)
    stops = np.unique(np.concatenate([needed, levels[evenly]]))
    return Axis(scale, stops, False, members)


def compared_with(stops: NDArray[np.float64], hierarchy: _core.Hierarchy) -> NDArray[np.float64]:
    """The stops as a hierarchy compares its levels with them: rounded to six decimals unless it is exact."""
    if hierarchy.is_exact:
        return stops
    units = stops * _UNITS
    return np.where(np.abs(units) < _MOST_UNITS, np.rint(units) / _UNITS, stops)
