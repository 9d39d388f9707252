"""Expressions made into measurements: one pass over a hierarchy for each reference partition it is compared with.

All thresholds of a collection come out of one pass, so the cost does not depend on how many are asked for. Reference
thresholds between which nothing merges are the same partition and share a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.exceptions import CapacityError, CollectionNotFoundError, InvalidArgumentError
from starlings.expressions import Column as NamedColumn
from starlings.expressions import Expression
from starlings.metrics import Metric, nearest, resolve
from starlings.reports import Categories, Column, Report, statistics, values_of

__all__ = ["analyse", "listed"]

_MOST_ROWS: Final = 2**31 - 1


def listed(expressions: Sequence[Any]) -> list[Expression]:
    """The expressions of a call, given one by one or as one list.

    Raises
    ------
    InvalidArgumentError
        If there is none, or something that is no expression.
    """
    if len(expressions) == 1 and not isinstance(expressions[0], (Expression, NamedColumn, str)):
        if not isinstance(expressions[0], Iterable):
            raise InvalidArgumentError(f"{expressions[0]!r} is no expression; use col(name).at(threshold) or .sweep()")
        expressions = list(expressions[0])
    for expression in expressions:
        if isinstance(expression, NamedColumn):
            raise InvalidArgumentError(f"col({expression.name!r}) names no threshold: add .at(threshold) or .sweep()")
        if not isinstance(expression, Expression):
            raise InvalidArgumentError(f"{expression!r} is no expression; use col(name).at(threshold) or .sweep()")
    if not expressions:
        raise InvalidArgumentError("nothing to analyse: give at least one expression, as in col(name).sweep()")
    return list(expressions)


def analyse(
    state: _core.FrameState,
    expressions: Sequence[Expression],
    metrics: Any,
    progress: _core.ProgressCallback | None,
) -> Report:
    """The report of expressions over the collections of a frame; see `EntityFrame.analyse`."""
    chosen = resolve(metrics, compared=len(expressions) > 1)
    cuts = [_Cuts.of(expression, state) for expression in expressions]
    if len(cuts) == 1:
        return _described(cuts[0], chosen, progress)
    at = _reference_position(expressions)
    judged = [cut for position, cut in enumerate(cuts) if position != at]
    return _compared(judged, cuts[at], chosen, progress)


@dataclass(frozen=True)
class _Cuts:
    """A collection with the thresholds at which it is to be cut, as compared."""

    name: str
    collection: _core.Collection
    hierarchy: _core.Hierarchy
    thresholds: NDArray[np.float64]
    are_all_levels: bool

    @classmethod
    def of(cls, expression: Expression, state: _core.FrameState) -> _Cuts:
        """What an expression means in a frame."""
        collection = state.collection(expression.name)
        if collection is None:
            raise CollectionNotFoundError(f"no collection {expression.name!r}{nearest(expression.name, state.names())}")
        hierarchy = collection.hierarchy
        are_all_levels = expression.is_everywhere and hierarchy.num_levels > 0
        return cls(expression.name, collection, hierarchy, expression.thresholds(hierarchy), are_all_levels)

    def curve(self, reference: _core.Partition | None, progress: _core.ProgressCallback | None) -> _core.Curve:
        """One pass."""
        where = None if self.are_all_levels else self.thresholds
        return _core.Curve(self.collection, 0, reference, where, progress)

    def partitions(self) -> tuple[list[float], NDArray[np.intp]]:
        """A threshold of each different partition, and for every threshold the number of its partition."""
        levels = [self.hierarchy.applied_levels(threshold) for threshold in self.thresholds.tolist()]
        _, firsts, numbers = np.unique(levels, return_index=True, return_inverse=True)
        return self.thresholds[firsts].tolist(), numbers


def _reference_position(expressions: Sequence[Expression]) -> int:
    """Which expression is the reference: the marked one, else the last."""
    marked = [position for position, expression in enumerate(expressions) if expression.is_reference]
    if len(marked) > 1:
        names = ", ".join(repr(expressions[position].name) for position in marked)
        raise InvalidArgumentError(f"{names} are all marked as reference; mark one expression")
    return marked[0] if marked else len(expressions) - 1


def _described(cuts: _Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None) -> Report:
    """Statistics of one collection."""
    columns: dict[str, Column] = {
        "collection": Categories.repeated(cuts.name, len(cuts.thresholds)),
        "threshold": cuts.thresholds,
    }
    return Report(columns | statistics(cuts.curve(None, progress), metrics))


def _compared(
    judged: Sequence[_Cuts], reference: _Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None
) -> Report:
    """Every cut of every collection against every cut of the reference, the reference's varying fastest."""
    counts = [len(cuts.thresholds) for cuts in judged]
    breadth = len(reference.thresholds)
    if sum(counts) * breadth > _MOST_ROWS:
        raise CapacityError(
            f"{sum(counts):,} cuts against {breadth:,} of the reference are {sum(counts) * breadth:,} comparisons, "
            f"more than {_MOST_ROWS:,}; sweep with a larger step"
        )
    measured = _measured(judged, reference, metrics, progress)  # first: it needs the most memory
    columns: dict[str, Column] = {
        "collection": Categories(
            np.repeat(np.arange(len(judged), dtype=np.uint32), [count * breadth for count in counts]),
            tuple(cuts.name for cuts in judged),
        ),
        "threshold": _joined(
            [cuts.thresholds if breadth == 1 else np.repeat(cuts.thresholds, breadth) for cuts in judged]
        ),
        "reference": Categories.repeated(reference.name, sum(counts) * breadth),
        "reference_threshold": np.tile(reference.thresholds, sum(counts)),
    }
    return Report(columns | measured)


def _measured(
    judged: Sequence[_Cuts], reference: _Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None
) -> dict[str, Column]:
    """One column for each metric; one pass for each collection and each different reference partition."""
    if len(reference.thresholds) == 1:
        return _measured_once(judged, reference, metrics, progress)
    shape = (len(reference.thresholds), sum(len(cuts.thresholds) for cuts in judged))
    values = {metric: np.empty(shape, dtype=np.int64 if metric.is_count else np.float64) for metric in metrics}
    thresholds, numbers = reference.partitions()
    for number, threshold in enumerate(thresholds):
        partition = _core.Partition(reference.hierarchy, threshold, reference.collection.num_records)
        where = np.flatnonzero(numbers == number)
        start = 0
        for cuts in judged:
            stop = start + len(cuts.thresholds)
            curve = cuts.curve(partition, progress)
            for metric, table in values.items():
                table[where, start:stop] = values_of(curve, metric)
            start = stop
    return {metric.label: table.T.reshape(-1) for metric, table in values.items()}


def _measured_once(
    judged: Sequence[_Cuts], reference: _Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None
) -> dict[str, Column]:
    """The same against one cut of the reference: the columns are the arrays that the engine made."""
    partition = reference.collection.at(float(reference.thresholds[0]))
    parts: dict[str, list[NDArray[Any]]] = {metric.label: [] for metric in metrics}
    for cuts in judged:
        curve = cuts.curve(partition, progress)
        for metric in metrics:
            parts[metric.label].append(values_of(curve, metric))
    return {label: _joined(parts.pop(label)) for label in list(parts)}


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """The arrays one after another; one alone is not copied."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
