"""Reports: what was measured, as a table of columns that reads like a list of dicts.

A report holds numpy arrays, and categories for names; a dict is made when a row is asked for. So a million rows cost
a few arrays, and every export hands over columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import ArrowArray, ArrowStream
from starlings.arrow_exchange import arrow_data
from starlings.arrow_table import ArrowTable
from starlings.cached import cached_property
from starlings.exceptions import ColumnNotFoundError, InvalidArgumentError, UnknownMetricError, nearest
from starlings.metrics import Metric, MetricLike
from starlings.optional import require

__all__ = ["BAND", "Categories", "Column", "Report", "statistics"]

Row: TypeAlias = dict[str, Any]

_CUT_COLUMNS: Final = ("collection", "threshold", "reference", "reference_threshold")
_TIDY_COLUMNS: Final = (
    "collection",
    "collection_threshold",
    "reference",
    "reference_threshold",
    "metric_name",
    "metric_value",
)
#: What the columns beside an estimate are called: standard error and bounds of its band.
BAND: Final = ("_se", "_low", "_high")
_ROWS_AT_ONCE: Final = 4096
_ROWS_SHOWN: Final = 10


@dataclass(frozen=True, eq=False)
class Categories:
    """A column of few different strings: row i is ``strings[codes[i]]``."""

    codes: NDArray[np.uint32]
    strings: tuple[str, ...]

    @classmethod
    def repeated(cls, string: str, count: int) -> Categories:
        """One string in every row."""
        return cls(np.zeros(count, dtype=np.uint32), (string,))

    def array(self) -> NDArray[np.object_]:
        """The strings row by row."""
        return np.array(self.strings, dtype=object)[self.codes]

    def tolist(self) -> list[str]:
        """The strings row by row."""
        strings: list[str] = self.array().tolist()
        return strings

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Categories:
        return Categories(self.codes[rows], self.strings)


Column: TypeAlias = NDArray[Any] | Categories


class Report(ArrowTable, Sequence[Row]):
    """A sequence of dicts, one a comparison, stored as columns. Immutable.

    Returned by `EntityFrame.analyse` and `Collection.sweep`. Equal to the list of its dicts.

    Examples
    --------
    >>> import starlings as sl
    >>> report = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).sweep(0.5, 1.0, 0.25)
    >>> len(report), report[0]["largest_entity"], report[-1]["threshold"]
    (3, 3, 1.0)
    >>> report["entity_count"]
    array([1, 2, 3])
    >>> report[1:] == [dict(row) for row in report][1:]
    True
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = dict(columns)
        lengths = {len(column) for column in self._columns.values()}
        if len(lengths) > 1:
            raise InvalidArgumentError(f"the columns of a report are of one length, not of {sorted(lengths)}")
        self._length = lengths.pop() if lengths else 0

    @classmethod
    def from_arrow(cls, data: ArrowStream | ArrowArray) -> Report:
        """The report that `to_arrow`, or another way through Arrow, made a table of.

        Parameters
        ----------
        data : table
            Anything with the Arrow PyCapsule interface; its columns are numbers and text. Null floats are NaN.

        Raises
        ------
        InvalidArgumentError
            For a column of another type, and for nulls among ints.
        InvalidKeyError
            For nulls among text.

        Examples
        --------
        >>> import starlings as sl
        >>> report = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).sweep(0.5, 1.0, 0.25)
        >>> sl.Report.from_arrow(report.to_arrow()) == report
        True
        """
        batches = _core.Batches(arrow_data(data, "a report"))
        return cls({name: _read_column(batches, i, name) for i, name in enumerate(batches.column_names)})

    # ------------------------------------------------------------------------------------------ the sequence of dicts

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._columns)

    @property
    def metrics(self) -> list[str]:
        """Names of the columns that hold metrics; the standard errors and bounds of estimates are no metrics."""
        others = {*_CUT_COLUMNS, *_TIDY_COLUMNS, *(name + ending for name in self._columns for ending in BAND)}
        return [name for name in self._columns if name not in others]

    def _has_band(self, metric: str) -> bool:
        """Whether a metric was estimated, and its standard error and bounds are there."""
        return all(metric + ending in self._columns for ending in BAND)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Report: ...
    @overload
    def __getitem__(self, index: str) -> NDArray[Any]: ...
    def __getitem__(self, index: int | slice | str) -> Row | Report | NDArray[Any]:
        if isinstance(index, str):
            return self._array(index)
        if isinstance(index, slice):
            return Report({name: column[index] for name, column in self._columns.items()})
        try:
            row = range(self._length)[index]
        except IndexError:
            raise IndexError(f"row {index} of a report of {self._length} rows") from None
        return next(self._rows(row, row + 1))

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, self._length, _ROWS_AT_ONCE):
            yield from self._rows(start, start + _ROWS_AT_ONCE)

    def _rows(self, start: int, stop: int) -> Iterator[Row]:
        """The dicts of some rows."""
        names = tuple(self._columns)
        values = [column[start:stop].tolist() for column in self._columns.values()]
        return (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))

    def _array(self, name: str) -> NDArray[Any]:
        """One column, read-only."""
        if name not in self._columns:
            raise ColumnNotFoundError(f"no column {name!r}{nearest(name, self._columns)}")
        column = self._columns[name]
        array = column.array() if isinstance(column, Categories) else column.view()
        array.setflags(write=False)
        return array

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Report):
            return self.columns == other.columns and all(
                _same(column, other._columns[name]) for name, column in self._columns.items()
            )
        if isinstance(other, Sequence) and not isinstance(other, (str, bytes)):
            return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    # ---------------------------------------------------------------------------------------------------- reading it

    def best(self, metric: MetricLike) -> Row:
        """The row in which a metric is highest; of equal ones that with the highest threshold.

        Raises
        ------
        UnknownMetricError
            If the report has no column for the metric.
        InvalidArgumentError
            If the report has no rows.

        Examples
        --------
        >>> import starlings as sl
        >>> sl.Collection.from_edges([("a", "b", 0.9)]).sweep(0.0, 1.0, 0.1).best("largest_entity")["threshold"]
        0.9
        """
        name = str(metric)
        if name not in self.metrics:
            raise UnknownMetricError(f"the report has no metric {name!r}{nearest(name, self.metrics)}")
        if not self._length:
            raise InvalidArgumentError("an empty report has no best row")
        values = self._array(name)
        candidates = np.flatnonzero(values == np.nanmax(values))
        thresholds = self._array("threshold")[candidates]
        return self[int(candidates[np.argmax(thresholds)])]

    def tidy(self) -> Report:
        """The long form: one row for each metric of each row.

        Returns
        -------
        Report
            With the columns ``collection, collection_threshold, reference, reference_threshold, metric_name,
            metric_value``. Where there is no reference its name is empty and its threshold NaN. Of estimates also
            ``metric_value_se, metric_value_low, metric_value_high``.

        Examples
        --------
        >>> import starlings as sl
        >>> tidy = sl.Collection.from_edges([("a", "b", 0.9)]).sweep(0.9, 0.9).tidy()
        >>> tidy["metric_name"][:2].tolist(), tidy["metric_value"][:2].tolist()
        (['entity_count', 'entropy'], [1.0, 0.0])
        """
        if tuple(self._columns)[: len(_TIDY_COLUMNS)] == _TIDY_COLUMNS:
            return self
        metrics = self.metrics
        rows = np.repeat(np.arange(self._length), len(metrics))
        endings = ("", *BAND) if any(map(self._has_band, metrics)) else ("",)
        names = np.tile(np.arange(len(metrics), dtype=np.uint32), self._length)
        return Report(
            {
                "collection": self._cut_column("collection")[rows],
                "collection_threshold": self._cut_column("threshold")[rows],
                "reference": self._cut_column("reference")[rows],
                "reference_threshold": self._cut_column("reference_threshold")[rows],
                "metric_name": Categories(names, tuple(metrics)),
            }
            | {f"metric_value{ending}": self._interleaved([name + ending for name in metrics]) for ending in endings}
        )

    def _interleaved(self, names: list[str]) -> NDArray[np.float64]:
        """The values of some columns, row by row; NaN for a column that is not there."""
        missing = np.full(self._length, np.nan)
        columns = [np.asarray(self._columns.get(name, missing), dtype=np.float64) for name in names]
        return np.stack(columns, axis=1).ravel() if columns else np.empty(0)

    def _cut_column(self, name: str) -> Column:
        """One of the columns that say what was compared, or its empty value."""
        if name in self._columns:
            return self._columns[name]
        if name in ("collection", "reference"):
            return Categories.repeated("", self._length)
        return np.full(self._length, np.nan)

    def plot(self, *metrics: MetricLike) -> Any:
        """A chart of metrics over the threshold.

        Parameters
        ----------
        *metrics : metrics or names
            What to draw; by default every metric of the report.

        Returns
        -------
        altair.Chart
            Long curves are drawn through a few hundred of their points.

        Raises
        ------
        MissingDependencyError
            Without altair.
        """
        altair = require("altair", "plot()")
        from starlings.plotting import draw

        wanted = [str(metric) for metric in metrics] or self.metrics
        for name in wanted:
            if name not in self.metrics:
                raise UnknownMetricError(f"the report has no metric {name!r}{nearest(name, self.metrics)}")
        return draw(altair, self, wanted)

    # --------------------------------------------------------------------------------------------------- handing it on

    @cached_property
    def _table(self) -> _core.Table:
        """The columns for Arrow."""
        table = _core.Table(self._length)
        for name, column in self._columns.items():
            if isinstance(column, Categories):
                table.add_categories(name, np.ascontiguousarray(column.codes), list(column.strings))
            else:
                table.add_numbers(name, np.ascontiguousarray(column))
        return table

    def to_pandas(self) -> Any:
        """A pandas DataFrame; names are categorical.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        pandas = require("pandas", "to_pandas()")
        columns = {
            name: pandas.Categorical.from_codes(column.codes.astype(np.int32), categories=list(column.strings))
            if isinstance(column, Categories)
            else column
            for name, column in self._columns.items()
        }
        return pandas.DataFrame(columns)

    # ---------------------------------------------------------------------------------------------------- showing it

    def _shown(self) -> tuple[list[list[str]], str]:
        """The first rows as text, and what to say about the others."""
        rows = [[_text(value) for value in row.values()] for row in self[:_ROWS_SHOWN]]
        more = self._length - len(rows)
        return rows, f"... {more:,} more rows" if more > 0 else ""

    def __repr__(self) -> str:
        rows, more = self._shown()
        table = [self.columns, *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in table]
        title = f"Report of {self._length:,} row{'' if self._length == 1 else 's'}"
        return "\n".join([title, *lines, more] if more else [title, *lines])

    def _repr_html_(self) -> str:
        from starlings.explorer.notebook import report_drawing

        return f"{report_drawing(self, self.metrics)}{self._table_html()}"

    def _table_html(self) -> str:
        """The table without a drawing."""
        rows, more = self._shown()
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{f'<p>{more}</p>' if more else ''}"


def statistics(curve: _core.Curve, metrics: Iterable[Metric]) -> dict[str, Column]:
    """One column for each metric, at every cut of a curve."""
    return {metric.label: values_of(curve, metric) for metric in metrics}


def values_of(curve: _core.Curve, metric: Metric) -> NDArray[Any]:
    """A metric at every cut of a curve; counts are integers."""
    values = np.asarray(curve.metric(metric.name, metric.parameter))
    return np.rint(values).astype(np.int64) if metric.is_count else values


def _read_column(batches: _core.Batches, index: int, name: str) -> Column:
    """A column of a table as one of a report."""
    numbers = batches.numbers(index)
    if numbers is not None:
        return np.asarray(numbers[0]).view(numbers[1])
    texts = batches.texts(index)
    if texts is not None:
        return Categories(np.asarray(texts[0]), tuple(texts[1]))
    raise InvalidArgumentError(f"column {name!r} is neither of numbers nor of text, as the columns of a report are")


def _same(a: Column, b: Column) -> bool:
    """Whether two columns hold the same values; NaN is the same as NaN."""
    if isinstance(a, Categories) or isinstance(b, Categories):
        return isinstance(a, Categories) and isinstance(b, Categories) and bool(np.array_equal(a.array(), b.array()))
    return bool(np.array_equal(a, b, equal_nan=True))


def _text(value: object) -> str:
    """A cell as it is shown."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
