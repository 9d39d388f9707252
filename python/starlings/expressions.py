"""What to measure, said before anything is measured: which collection, at which thresholds, as what.

``col("a").at(0.85)`` and ``col("a").sweep()`` are values without data. `starlings.EntityFrame.analyse` gives them a
meaning. Thresholds are checked here, where they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from starlings._core import Hierarchy
from starlings.exceptions import InvalidArgumentError
from starlings.thresholds import as_compared, check_threshold, grid

__all__ = ["Column", "Cut", "Expression", "Sweep", "col"]

_Self = TypeVar("_Self", bound="Expression")


@dataclass(frozen=True)
class Expression:
    """A collection at one or more thresholds.

    Attributes
    ----------
    name : str
        The collection.
    is_reference : bool
        Whether it is marked as the truth of a comparison.
    """

    name: str
    is_reference: bool = False

    def reference(self: _Self) -> _Self:
        """The same expression, marked as the one that others are compared with."""
        return replace(self, is_reference=True)

    @property
    def is_everywhere(self) -> bool:
        """Whether it cuts at every distinct threshold of the collection."""
        return False

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy."""
        raise NotImplementedError


@dataclass(frozen=True)
class Cut(Expression):
    """A collection at one threshold; made by ``col(name).at(threshold)``."""

    threshold: float = 1.0

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy: one value."""
        return np.array([as_compared(self.threshold, exact=hierarchy.is_exact)])


@dataclass(frozen=True)
class Sweep(Expression):
    """A collection at many thresholds; made by ``col(name).sweep(...)``. A `step` of None: at every distinct one."""

    start: float = 0.0
    stop: float = 1.0
    step: float | None = None

    @property
    def is_everywhere(self) -> bool:
        """Whether it cuts at every distinct threshold of the collection."""
        return self.step is None

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy, ascending; 1.0 where every distinct threshold is asked for and none is."""
        if self.step is not None:
            return grid(self.start, self.stop, self.step)
        levels = np.asarray(hierarchy.levels)[::-1]
        return np.ascontiguousarray(levels) if len(levels) else np.array([1.0])


@dataclass(frozen=True)
class Column:
    """A collection of a frame, by name; made by `col`."""

    name: str

    def at(self, threshold: float) -> Cut:
        """The collection cut at one threshold.

        Raises
        ------
        InvalidThresholdError
            For a threshold outside [0, 1].
        """
        return Cut(self.name, threshold=check_threshold(threshold))

    def sweep(self, start: float | None = None, stop: float | None = None, step: float | None = None) -> Sweep:
        """The collection at many thresholds.

        Parameters
        ----------
        start, stop : float, optional
            First and last threshold, both included; 0.0 and 1.0 where only others are given.
        step : float, optional
            From one to the next, on a grid of millionths; 0.01 where only others are given.

        Returns
        -------
        Sweep
            Without any argument: every threshold at which the partition changes.

        Raises
        ------
        InvalidThresholdError
            For bounds outside [0, 1] or in the wrong order.
        InvalidArgumentError
            For a step below 0.000001.
        """
        if start is None and stop is None and step is None:
            return Sweep(self.name)
        first, last = 0.0 if start is None else start, 1.0 if stop is None else stop
        stride = 0.01 if step is None else step
        grid(first, last, stride)
        return Sweep(self.name, start=float(first), stop=float(last), step=float(stride))


def col(name: str) -> Column:
    """A collection of the frame that will be analysed.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.col("model").at(0.85)
    Cut(name='model', is_reference=False, threshold=0.85)
    >>> sl.col("truth").at(1.0).reference().is_reference
    True
    """
    if not isinstance(name, str):
        raise InvalidArgumentError(f"a collection's name is a str, not {name!r}")
    return Column(name)
