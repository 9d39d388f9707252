"""What to measure, said before anything is measured: which collection, at which thresholds, as what.

``col("a").at(0.85)`` and ``col("a").sweep()`` are values without data. `starlings.EntityFrame.analyse` gives them a
meaning. That thresholds are finite numbers in order is checked here, where they are written; that those of a
collection of probabilities lie in [0, 1], where they meet it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from starlings._core import Hierarchy
from starlings.exceptions import InvalidArgumentError
from starlings.thresholds import as_compared, check_sweep, check_threshold, sweep_points

__all__ = ["Column", "Cut", "Expression", "Points", "Sweep", "col"]

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
        """Where it cuts this hierarchy.

        Raises
        ------
        InvalidThresholdError
            For probabilities outside [0, 1].
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Cut(Expression):
    """A collection at one threshold; made by ``col(name).at(threshold)``."""

    threshold: float = 1.0

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy: one value."""
        at = check_threshold(self.threshold, f"threshold of collection {self.name!r}", scale=hierarchy.scale)
        return np.array([as_compared(at, exact=hierarchy.is_exact)])


@dataclass(frozen=True)
class Sweep(Expression):
    """A collection at many thresholds; made by ``col(name).sweep(...)``. All three None: at every distinct one."""

    start: float | None = None
    stop: float | None = None
    step: float | None = None

    @property
    def is_everywhere(self) -> bool:
        """Whether it cuts at every distinct threshold of the collection."""
        return self.start is None and self.stop is None and self.step is None

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy, ascending; 1.0 where every distinct threshold is asked for and none is."""
        if not self.is_everywhere:
            return sweep_points(self.start, self.stop, self.step, hierarchy, f"a sweep of collection {self.name!r}")
        levels = np.asarray(hierarchy.levels)[::-1]
        return np.ascontiguousarray(levels) if len(levels) else np.array([1.0])


@dataclass(frozen=True)
class Points(Expression):
    """A collection at these thresholds, in this order: as many cuts."""

    points: tuple[float, ...] = ()

    @classmethod
    def of(cls, name: str, thresholds: Any) -> Points:
        """A collection at one threshold, or at each of several.

        Raises
        ------
        InvalidThresholdError
            For what `Column.at` refuses.
        """
        several = isinstance(thresholds, Iterable) and not isinstance(thresholds, (str, bytes))
        column = col(name)
        return cls(name, points=tuple(column.at(at).threshold for at in (thresholds if several else [thresholds])))

    def thresholds(self, hierarchy: Hierarchy) -> NDArray[np.float64]:
        """Where it cuts this hierarchy: a value for each point."""
        cuts = [Cut(self.name, threshold=point).thresholds(hierarchy) for point in self.points]
        return np.concatenate(cuts) if cuts else np.empty(0)


@dataclass(frozen=True)
class Column:
    """A collection of a frame, by name; made by `col`."""

    name: str

    def at(self, threshold: float) -> Cut:
        """The collection cut at one threshold.

        Raises
        ------
        InvalidThresholdError
            For a threshold that is no finite number. `EntityFrame.analyse` raises it for one that the collection
            cannot have.
        """
        return Cut(self.name, threshold=check_threshold(threshold, scale="weight"))

    def sweep(self, start: float | None = None, stop: float | None = None, step: float | None = None) -> Sweep:
        """The collection at many thresholds.

        Parameters
        ----------
        start, stop : float, optional
            First and last threshold, both included. Where only others are given, those of `Collection.sweep`.
        step : float, optional
            From one to the next, on a grid of millionths. Where only others are given, that of `Collection.sweep`.

        Returns
        -------
        Sweep
            Without any argument: every threshold at which the partition changes.

        Raises
        ------
        InvalidThresholdError
            For bounds that are no finite numbers or in the wrong order. `EntityFrame.analyse` raises it for those that
            the collection cannot have.
        InvalidArgumentError
            For a step below 0.000001.
        """
        first, last, stride = check_sweep(start, stop, step)
        return Sweep(self.name, start=first, stop=last, step=stride)


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
