"""Expressions made into measurements: one pass over a hierarchy for each reference partition it is compared with.

All thresholds of a collection come out of one pass, so the cost does not depend on how many are asked for. Reference
thresholds between which nothing merges are the same partition and share a pass. Passes run in parallel, so many at a
time that what they give fits into memory; it is turned into columns before the next ones begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.cached import cached_property
from starlings.exceptions import CapacityError, CollectionNotFoundError, InvalidArgumentError, nearest
from starlings.expressions import Column as NamedColumn
from starlings.expressions import Expression
from starlings.metrics import Metric, resolve
from starlings.reports import Categories, Column, Report, statistics, values_of

__all__ = ["Cuts", "analyse", "compare", "compare_each", "listed"]

_MOST_ROWS: Final = 2**31 - 1
_ROWS_AT_ONCE: Final = 2**20  # of curves, about 100 bytes each


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
    cuts = [Cuts.of(expression, state) for expression in expressions]
    if len(cuts) == 1:
        return _described(cuts[0], chosen, progress)
    at = _reference_position(expressions)
    judged = [cut for position, cut in enumerate(cuts) if position != at]
    return _compared(judged, [cuts[at]], chosen, progress)


def compare(
    state: _core.FrameState,
    expressions: Sequence[Expression],
    reference: Expression,
    metrics: Any,
    progress: _core.ProgressCallback | None,
) -> Report:
    """The report of expressions, of which there may be none, against a reference; see `EntityFrame.compare_all`."""
    chosen = resolve(metrics, compared=True)
    judged = [Cuts.of(expression, state) for expression in expressions]
    return _compared(judged, [Cuts.of(reference, state)], chosen, progress)


def compare_each(
    state: _core.FrameState,
    expressions: Sequence[Expression],
    metrics: Any,
    progress: _core.ProgressCallback | None,
) -> Report:
    """Every cut of the expressions against every one of them; see `BatchProcessor.parallel_batch_comparison`."""
    chosen = resolve(metrics, compared=True)
    cuts = [Cuts.of(expression, state) for expression in expressions]
    return _compared(cuts, cuts, chosen, progress)


@dataclass(frozen=True)
class Cuts:
    """A collection with the thresholds at which it is to be cut, as compared."""

    name: str
    collection: _core.Collection
    hierarchy: _core.Hierarchy
    thresholds: NDArray[np.float64]
    are_all_levels: bool

    @classmethod
    def of(cls, expression: Expression, state: _core.FrameState) -> Cuts:
        """What an expression means in a frame."""
        collection = state.collection(expression.name)
        if collection is None:
            raise CollectionNotFoundError(f"no collection {expression.name!r}{nearest(expression.name, state.names())}")
        hierarchy = collection.hierarchy
        are_all_levels = expression.is_everywhere and hierarchy.num_levels > 0
        return cls(expression.name, collection, hierarchy, expression.thresholds(hierarchy), are_all_levels)

    @property
    def where(self) -> NDArray[np.float64] | None:
        """The thresholds as the engine takes them: None for every level."""
        return None if self.are_all_levels else self.thresholds

    def columns(self) -> dict[str, Column]:
        """The columns of a report that say what was measured, one row a cut."""
        names = Categories.repeated(self.name, len(self.thresholds))
        return {"collection": names, "threshold": self.thresholds}

    @cached_property
    def partitions(self) -> list[tuple[float, NDArray[np.intp]]]:
        """Each different partition: a threshold of it, and at which of the thresholds it is."""
        levels = [self.hierarchy.applied_levels(threshold) for threshold in self.thresholds.tolist()]
        order = np.argsort(levels, kind="stable")
        ends = np.flatnonzero(np.diff(np.asarray(levels)[order])) + 1
        return [(float(self.thresholds[rows[0]]), rows) for rows in np.split(order, ends) if len(rows)]


class _Pass(NamedTuple):
    """A collection measured against one partition of a reference, or by itself."""

    judged: Cuts
    reference: Cuts | None = None
    threshold: float = 1.0

    @property
    def positions(self) -> int:
        """What progress counts: the positions passed, once for each side."""
        return self.judged.hierarchy.num_records * (1 if self.reference is None else 2)

    def comparison(self) -> tuple[_core.Collection, Any, _core.Collection | None, float]:
        """The same for the engine."""
        reference = None if self.reference is None else self.reference.collection
        return self.judged.collection, self.judged.where, reference, self.threshold


def _reference_position(expressions: Sequence[Expression]) -> int:
    """Which expression is the reference: the marked one, else the last."""
    marked = [position for position, expression in enumerate(expressions) if expression.is_reference]
    if len(marked) > 1:
        names = ", ".join(repr(expressions[position].name) for position in marked)
        raise InvalidArgumentError(f"{names} are all marked as reference; mark one expression")
    return marked[0] if marked else len(expressions) - 1


def _described(cuts: Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None) -> Report:
    """Statistics of one collection."""
    (curve,) = _curves([_Pass(cuts)], progress)
    return Report(cuts.columns() | statistics(curve, metrics))


def _compared(
    judged: Sequence[Cuts],
    references: Sequence[Cuts],
    metrics: list[Metric],
    progress: _core.ProgressCallback | None,
) -> Report:
    """Every cut of every collection against every cut of the references, the references' varying fastest."""
    count, breadth = _num_cuts(judged), _num_cuts(references)
    if count * breadth > _MOST_ROWS:
        raise CapacityError(
            f"{count:,} cuts against {breadth:,} of the reference are {count * breadth:,} comparisons, "
            f"more than {_MOST_ROWS:,}; sweep with a larger step"
        )
    measured = _measured(judged, references, metrics, progress)  # first: it needs the most memory
    against = _names(references)
    columns: dict[str, Column] = {
        "collection": _names(judged, breadth),
        "threshold": np.repeat(_thresholds(judged), breadth) if breadth != 1 else _thresholds(judged),
        "reference": Categories(np.tile(against.codes, count), against.strings),
        "reference_threshold": np.tile(_thresholds(references), count),
    }
    return Report(columns | measured)


def _num_cuts(all_cuts: Sequence[Cuts]) -> int:
    """How many cuts there are."""
    return sum(len(cuts.thresholds) for cuts in all_cuts)


def _names(all_cuts: Sequence[Cuts], times: int = 1) -> Categories:
    """The collection of every cut, so many times."""
    counts = np.array([len(cuts.thresholds) * times for cuts in all_cuts], dtype=np.intp)
    codes = np.repeat(np.arange(len(all_cuts), dtype=np.uint32), counts)
    return Categories(codes, tuple(cuts.name for cuts in all_cuts))


def _thresholds(all_cuts: Sequence[Cuts]) -> NDArray[np.float64]:
    """The threshold of every cut."""
    return _joined([cuts.thresholds for cuts in all_cuts], np.float64)


def _measured(
    judged: Sequence[Cuts],
    references: Sequence[Cuts],
    metrics: list[Metric],
    progress: _core.ProgressCallback | None,
) -> dict[str, Column]:
    """One column for each metric; one pass for each collection and each different reference partition."""
    if _num_cuts(references) == 1:
        return _measured_once(judged, references[0], metrics, progress)
    breadth, count = _num_cuts(references), _num_cuts(judged)
    tables = {m: np.empty((breadth if m.needs_reference else 1, count), dtype=_dtype(m)) for m in metrics}
    partitions = list(_partitions(references))
    passes = [_Pass(cuts, reference, at) for reference, at, _ in partitions for cuts in judged]
    curves = _curves(passes, progress)
    for number, (_, _, rows) in enumerate(partitions):
        stop = 0
        for cuts, curve in zip(judged, curves, strict=False):
            start, stop = stop, stop + len(cuts.thresholds)
            for metric, table in tables.items():
                if metric.needs_reference:
                    table[rows, start:stop] = values_of(curve, metric)
                elif number == 0:  # it is the same against all of them
                    table[0, start:stop] = values_of(curve, metric)
    return {metric.label: _by_judged_cut(tables.pop(metric), breadth) for metric in metrics}


def _partitions(references: Sequence[Cuts]) -> Iterator[tuple[Cuts, float, NDArray[np.intp]]]:
    """Each different partition of the references: a threshold of it, and at which of all their cuts it is."""
    first = 0
    for reference in references:
        for threshold, rows in reference.partitions:
            yield reference, threshold, first + rows
        first += len(reference.thresholds)


def _by_judged_cut(table: NDArray[Any], breadth: int) -> NDArray[Any]:
    """A column from a table with a row for each reference cut, or with one that holds for all of them."""
    return table.T.reshape(-1) if len(table) == breadth else np.repeat(table[0], breadth)


def _measured_once(
    judged: Sequence[Cuts], reference: Cuts, metrics: list[Metric], progress: _core.ProgressCallback | None
) -> dict[str, Column]:
    """The same against one cut of the reference: the columns are the arrays that the engine made."""
    passes = [_Pass(cuts, reference, float(reference.thresholds[0])) for cuts in judged]
    parts: dict[Metric, list[NDArray[Any]]] = {metric: [] for metric in metrics}
    for curve in _curves(passes, progress):
        for metric, values in parts.items():
            values.append(values_of(curve, metric))
    return {metric.label: _joined(parts.pop(metric), _dtype(metric)) for metric in metrics}


def _curves(passes: Sequence[_Pass], progress: _core.ProgressCallback | None) -> Iterator[_core.Curve]:
    """A curve for each pass, in order."""
    total = sum(each.positions for each in passes)
    finished = 0
    for chunk in _chunks(passes):
        told = None if progress is None else _counting_on(progress, finished, total)
        curves = _core.curves([each.comparison() for each in chunk], told)
        finished += sum(each.positions for each in chunk)
        curves.reverse()
        while curves:
            yield curves.pop()


def _chunks(passes: Sequence[_Pass]) -> Iterator[Sequence[_Pass]]:
    """Passes to make at once: one for each thread at least, more while their rows are few."""
    least = _core.num_threads()
    first = rows = 0
    for position, each in enumerate(passes):
        count = len(each.judged.thresholds)
        if position - first >= least and rows + count > _ROWS_AT_ONCE:
            yield passes[first:position]
            first, rows = position, 0
        rows += count
    if first < len(passes):
        yield passes[first:]


def _counting_on(progress: _core.ProgressCallback, finished: int, total: int) -> _core.ProgressCallback:
    """The callback, told of one chunk as of a part of them all."""

    def call(phase: str, done: int, _: int) -> None:
        progress(phase, finished + done, total)

    return call


def _dtype(metric: Metric) -> type[np.generic]:
    """What a metric's values are."""
    return np.int64 if metric.is_count else np.float64


def _joined(arrays: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    """The arrays one after another; one alone is not copied."""
    if not arrays:
        return np.empty(0, dtype=dtype)
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
