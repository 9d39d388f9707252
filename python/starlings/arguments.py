"""Arguments that several modules take, checked in one way: numbers, and whole ones."""

from __future__ import annotations

from math import inf
from numbers import Real
from operator import index
from typing import Any

import numpy as np

from starlings.exceptions import InvalidArgumentError, shown

__all__ = ["check_int", "float_of", "is_number"]


def is_number(value: object) -> bool:
    """Whether this is a real number, of Python or numpy; bools are none."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def float_of(value: Any) -> float:
    """The number as a float; infinite where it is beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return inf


def check_int(value: object, what: str, least: int, most: int | None = None) -> int:
    """`value` as an int from `least` on, up to `most` if that is given; `what` names it in the error.

    Raises
    ------
    InvalidArgumentError
        For other numbers, and for what is no int: bools and floats are none.

    Examples
    --------
    >>> check_int(3, "n", least=0)
    3
    """
    try:
        number = None if isinstance(value, (bool, np.bool_)) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        wanted = f"of {least:,} or more" if most is None else f"from {least:,} to {most:,}"
        raise InvalidArgumentError(f"{what} must be an int {wanted}, not {shown(value)}")
    return number
