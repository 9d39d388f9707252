"""Thresholds as they are checked and counted in Python, on a grid of millionths where they step.

On the scale of probabilities they are numbers in [0, 1], on that of weights any finite ones. A sweep is
``start + i * step`` rounded to the grid, so that it meets every score written with up to six decimals and two sweeps
over the same range meet each other. Nothing is added up, so nothing drifts. Weights of 2**51 millionths and more have
hardly a digit beyond the grid: they stay as they are.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import Scale
from starlings.arguments import float_of, is_number
from starlings.exceptions import InvalidArgumentError, InvalidThresholdError, shown

__all__ = ["as_compared", "check_sweep", "check_threshold", "grid", "sweep_points"]

_UNITS: Final = 1_000_000
_MOST_UNITS: Final = 2**51
_MOST_STEPS: Final = 2 * _UNITS
_STEPS_OF_A_SWEEP: Final = 100


def check_threshold(value: Any, what: str = "threshold", *, scale: Scale = "probability") -> float:
    """`value` as a float that is a threshold on that scale; `what` names it in the error.

    Raises
    ------
    InvalidThresholdError
        For NaN, what is no number, what is infinite and, of probabilities, what is outside [0, 1].
    """
    wanted = "be a finite number" if scale == "weight" else "be a number in [0, 1]"
    if not is_number(value):
        raise InvalidThresholdError(f"{what} must {wanted}, not {shown(value)}")
    number = float_of(value)
    if scale == "weight" and not isfinite(number):
        raise InvalidThresholdError(f"{what} must {wanted}, not {shown(value)}")
    if scale == "probability" and not 0.0 <= number <= 1.0:
        raise InvalidThresholdError(f"{what} must lie in [0, 1], not {shown(value)}")
    return number


def as_compared(threshold: float, *, exact: bool) -> float:
    """The threshold that scores are compared with: itself, or rounded half-even to six decimals."""
    units = threshold * _UNITS
    return threshold if exact or not abs(units) < _MOST_UNITS else round(units) / _UNITS


# ------------------------------------------------------------------------------------------------------------- sweeps


def check_sweep(start: Any, stop: Any, step: Any) -> tuple[float | None, float | None, float | None]:
    """The arguments of a sweep of a collection of either scale, as floats; None where one is left out.

    Raises
    ------
    InvalidThresholdError
        For bounds that are no finite numbers or in the wrong order.
    InvalidArgumentError
        For a step that is not a number of at least 0.000001.
    """
    first = None if start is None else check_threshold(start, "start of a sweep", scale="weight")
    last = None if stop is None else check_threshold(stop, "stop of a sweep", scale="weight")
    if first is not None and last is not None:
        _check_order(first, last)
    return first, last, None if step is None else _check_step(step)


def sweep_points(
    start: Any, stop: Any, step: Any, hierarchy: _core.Hierarchy, what: str = "a sweep"
) -> NDArray[np.float64]:
    """The thresholds of a sweep of this hierarchy; `grid` with what is left out (None) filled in.

    Probabilities go from 0.0 to 1.0 in steps of 0.01; weights from the floor of the lowest level to the ceiling of the
    highest, in the smallest step of 1, 2 or 5 times a power of ten that makes at most about a hundred of them.
    """
    scale, low, high = hierarchy.scale, 0.0, 1.0
    if scale == "weight" and hierarchy.num_levels:
        levels = np.asarray(hierarchy.levels)
        low, high = float(floor(levels[-1])), float(ceil(levels[0]))
    first = check_threshold(low if start is None else start, f"start of {what}", scale=scale)
    last = check_threshold(high if stop is None else stop, f"stop of {what}", scale=scale)
    if step is None and scale == "weight":
        step = _round_step(last / _STEPS_OF_A_SWEEP - first / _STEPS_OF_A_SWEEP)
    return grid(first, last, 0.01 if step is None else step, scale=scale)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is `least` or more, and at least a millionth."""
    if not least > 1 / _UNITS:
        return 1 / _UNITS
    power = floor(log10(least))
    steps = (float(f"{digit}e{exponent}") for exponent in (power, power + 1) for digit in (1, 2, 5))
    return next(step for step in steps if step >= least * (1 - 1e-9))


def grid(start: Any, stop: Any, step: Any, *, scale: Scale = "probability") -> NDArray[np.float64]:
    """The thresholds of a sweep, ascending, `stop` included where the steps meet it.

    Raises
    ------
    InvalidThresholdError
        For bounds outside [0, 1], of weights not finite, or in the wrong order.
    InvalidArgumentError
        For a step that is not a number of at least 0.000001, and for one that makes more than two million thresholds.
    """
    first = check_threshold(start, "start of a sweep", scale=scale)
    last = check_threshold(stop, "stop of a sweep", scale=scale)
    _check_order(first, last)
    stride = _check_step(step)
    if max(abs(first), abs(last)) * _UNITS < _MOST_UNITS:
        low, high = round(first * _UNITS), round(last * _UNITS)
        units = np.rint(low + np.arange(_count(low, high, stride * _UNITS)) * (stride * _UNITS))
        return np.asarray(units[units <= high] / _UNITS + 0.0, dtype=np.float64)
    with np.errstate(over="ignore"):
        halves = first / 2 + np.arange(_count(first, last, stride)) * (stride / 2)  # their range may be no float
        points = halves[halves <= last / 2] * 2
        units = points * _UNITS
    points = np.where(np.abs(units) < _MOST_UNITS, np.rint(units) / _UNITS + 0.0, points)
    return np.unique(points)  # a step may be less than the next float is away


def _count(low: float, high: float, stride: float) -> int:
    """How many steps to take, at least, to get beyond `high`."""
    steps = high / stride - low / stride if high > low else 0.0
    if not steps <= _MOST_STEPS:
        raise InvalidArgumentError(f"a sweep has at most {_MOST_STEPS:,} thresholds; give a larger step")
    return int(steps) + 2


def _check_order(first: float, last: float) -> None:
    """A sweep goes up."""
    if first > last:
        raise InvalidThresholdError(f"a sweep goes up: its start {first!r} is above its stop {last!r}")


def _check_step(step: Any) -> float:
    """`step` as a float that leads from one point of the grid to another."""
    if not is_number(step) or not isfinite(float_of(step)):
        raise InvalidArgumentError(f"step of a sweep must be a number, not {shown(step)}")
    stride = float(step)
    if stride < 1 / _UNITS:
        raise InvalidArgumentError(f"step of a sweep must be at least 0.000001, not {shown(step)}")
    return stride
