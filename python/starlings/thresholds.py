"""Thresholds as they are checked and counted in Python: numbers in [0, 1], on a grid of millionths where they step.

A sweep is ``start + i * step`` rounded to that grid, so that it meets every score written with up to six decimals and
two sweeps over the same range meet each other. Nothing is added up, so nothing drifts.
"""

from __future__ import annotations

from math import inf, isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starlings.exceptions import InvalidArgumentError, InvalidThresholdError, shown

__all__ = ["as_compared", "check_threshold", "grid"]

_UNITS = 1_000_000
_MOST_STEPS = 2 * _UNITS


def check_threshold(value: Any, what: str = "threshold") -> float:
    """`value` as a float in [0, 1]; `what` names it in the error.

    Raises
    ------
    InvalidThresholdError
        For NaN, what is no number, and what is outside [0, 1].
    """
    if not isinstance(value, (Real, np.number)) or isinstance(value, (bool, np.bool_)):
        raise InvalidThresholdError(f"{what} must be a number in [0, 1], not {shown(value)}")
    number = _as_float(value)
    if not 0.0 <= number <= 1.0:
        raise InvalidThresholdError(f"{what} must lie in [0, 1], not {shown(value)}")
    return number


def _as_float(value: Any) -> float:
    """The number as a float; infinite where it is beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return inf


def as_compared(threshold: float, *, exact: bool) -> float:
    """The threshold that scores are compared with: itself, or rounded half-even to six decimals."""
    return threshold if exact else round(threshold * _UNITS) / _UNITS


def grid(start: Any, stop: Any, step: Any) -> NDArray[np.float64]:
    """The thresholds of a sweep, ascending, `stop` included where the steps meet it.

    Raises
    ------
    InvalidThresholdError
        For bounds outside [0, 1] or in the wrong order.
    InvalidArgumentError
        For a step that is not a number of at least 0.000001.
    """
    first = check_threshold(start, "start of a sweep")
    last = check_threshold(stop, "stop of a sweep")
    if first > last:
        raise InvalidThresholdError(f"a sweep goes up: its start {first!r} is above its stop {last!r}")
    stride = _check_step(step)
    low, high = round(first * _UNITS), round(last * _UNITS)
    count = min(int((high - low) / (stride * _UNITS)) + 2, _MOST_STEPS)
    units = np.rint(low + np.arange(count) * (stride * _UNITS))
    return np.asarray(units[units <= high] / _UNITS, dtype=np.float64)


def _check_step(step: Any) -> float:
    """`step` as a float that leads from one point of the grid to another."""
    if not isinstance(step, (Real, np.number)) or isinstance(step, (bool, np.bool_)) or not isfinite(_as_float(step)):
        raise InvalidArgumentError(f"step of a sweep must be a number, not {shown(step)}")
    stride = float(step)
    if stride < 1 / _UNITS:
        raise InvalidArgumentError(f"step of a sweep must be at least 0.000001, not {shown(step)}")
    return stride
