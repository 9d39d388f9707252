"""How one record's entity grows as the threshold falls."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import RecordName
from starlings.numbered import Numbered
from starlings.optional import require
from starlings.report_table import ReportTable
from starlings.reports import Report

__all__ = ["Lineage", "LineageStep"]

_STEPS_SHOWN: Final = 6


class LineageStep:
    """What a record's entity is from one threshold down to the next; from a `Lineage`. Immutable.

    Examples
    --------
    >>> import starlings as sl
    >>> step = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).lineage("a")[2]
    >>> step, step.joined
    (LineageStep(threshold=0.6, size=3, num_joined=1), {('default', 'c')})
    """

    __slots__ = ("_lineage", "_number")

    def __init__(self, lineage: Lineage, number: int) -> None:
        self._lineage = lineage
        self._number = number

    @property
    def threshold(self) -> float | None:
        """Where the entity becomes this; None for the record alone."""
        return float(self._lineage.thresholds[self._number]) if self._number else None

    @property
    def size(self) -> int:
        """Records of the entity."""
        return int(self._lineage.sizes[self._number])

    @property
    def num_joined(self) -> int:
        """The number of records that joined in this step."""
        return self.size - (int(self._lineage.sizes[self._number - 1]) if self._number else 0)

    @property
    def joined(self) -> set[RecordName]:
        """(source, key) of the records that joined in this step: at first the record itself."""
        return self._lineage._context.record_set(self._lineage._joined(self._number))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LineageStep):
            return NotImplemented
        same = (self.threshold, self.size, self.num_joined) == (other.threshold, other.size, other.num_joined)
        return same and self.joined == other.joined

    def __hash__(self) -> int:
        return hash((self.threshold, self.size, self.num_joined))

    def __repr__(self) -> str:
        return f"LineageStep(threshold={self.threshold}, size={self.size}, num_joined={self.num_joined})"


class Lineage(ReportTable, Numbered[LineageStep]):
    """The entities of one record, highest threshold first; made by `Collection.lineage`. Immutable.

    A sequence of steps: first the record alone, then one step for each threshold at which others join. As a table
    (`to_arrow`, `to_pandas`, `to_polars`, or as it is) it has the columns ``threshold``, NaN for the record alone,
    ``size`` and ``joined``, the number of records that joined.

    Examples
    --------
    >>> import starlings as sl
    >>> lineage = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("b", "d", 0.6)]).lineage("a")
    >>> lineage
    Lineage(record=('default', 'a'), thresholds=[nan, 0.9, 0.6], sizes=[1, 2, 4])
    >>> [(step.threshold, sorted(step.joined)) for step in lineage][1:]
    [(0.9, [('default', 'b')]), (0.6, [('default', 'c'), ('default', 'd')])]
    """

    _what: ClassVar = "step"

    def __init__(self, context: _core.Context, hierarchy: _core.Hierarchy, record: int) -> None:
        self._context = context
        self._hierarchy = hierarchy
        self._index = record
        self._thresholds, self._starts, self._sizes = map(np.asarray, hierarchy.lineage(record))

    @property
    def record(self) -> RecordName:
        """Whose lineage it is, as (source, key)."""
        return self._context.record(self._index)

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """Where each step begins, falling; NaN for the record alone. Read-only."""
        return self._thresholds

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """Records of the entity at each step. Read-only."""
        return self._sizes

    def _joined(self, number: int) -> NDArray[np.uint32]:
        """Indices of the records that joined in a step: the slice of the order but for the slice of the step before."""
        if number == 0:
            return np.array([self._index], dtype=np.uint32)
        order = np.asarray(self._hierarchy.order)
        start, inner = (int(self._starts[i]) for i in (number, number - 1))
        end, inner_end = start + int(self._sizes[number]), inner + int(self._sizes[number - 1])
        return np.concatenate([order[start:inner], order[inner_end:end]])

    def __len__(self) -> int:
        return len(self._sizes)

    def _element(self, number: int) -> LineageStep:
        return LineageStep(self, number)

    def _make_report(self) -> Report:
        joined = np.diff(self._sizes, prepend=np.uint32(0))
        return Report({"threshold": self._thresholds, "size": self._sizes, "joined": joined})

    def plot(self) -> Any:
        """A chart of the entity's size over the threshold.

        Returns
        -------
        altair.Chart
            A lineage of many steps is drawn through a few hundred of them.

        Raises
        ------
        MissingDependencyError
            Without altair.
        """
        altair = require("altair", "plot()")
        from starlings.plotting import draw_lineage

        return draw_lineage(altair, self._thresholds[1:], self._sizes, scale=self._hierarchy.scale)

    def __repr__(self) -> str:
        thresholds, sizes = (_shown(column) for column in (self._thresholds, self._sizes))
        return f"Lineage(record={self.record!r}, thresholds={thresholds}, sizes={sizes})"

    def _repr_html_(self) -> str:
        return f"<p>Lineage of {escape(repr(self.record))}</p>{self._report._table_html()}"


def _shown(column: NDArray[Any]) -> str:
    """The first values of a column."""
    values = ", ".join(map(str, column[:_STEPS_SHOWN].tolist()))
    return f"[{values}, ...]" if len(column) > _STEPS_SHOWN else f"[{values}]"
