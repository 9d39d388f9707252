"""Cuts compared each with each: square matrices of metrics over one report.

Row i of the matrix of a metric is cut i, judged; column j is cut j, the reference. The report has the same in rows, the
reference varying fastest, so a matrix is a column of it in another shape.
"""

from __future__ import annotations

from html import escape
from math import isqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings.exceptions import UnknownMetricError, nearest
from starlings.metrics import MetricLike
from starlings.optional import require
from starlings.report_table import ReportTable
from starlings.reports import Report

__all__ = ["ComparisonMatrix"]

_CUTS_SHOWN: Final = 12


class ComparisonMatrix(ReportTable):
    """Every metric of every cut against every other. Immutable; made by `BatchProcessor.parallel_batch_comparison`.

    Its length is the number of cuts. It reads as an Arrow stream: the columns of a report that compares.

    Examples
    --------
    >>> import starlings as sl
    >>> frame = sl.EntityFrame()
    >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
    >>> frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}])
    >>> matrix = sl.BatchProcessor(frame).parallel_batch_comparison(["model", "truth"], [0.5], ["precision", "recall"])
    >>> matrix
    ComparisonMatrix of 2 cuts: precision, recall
    >>> matrix.cuts
    [('model', 0.5), ('truth', 0.5)]
    >>> matrix.matrix("precision").round(3).tolist()  # row: judged; column: reference
    [[1.0, 0.333], [1.0, 1.0]]
    >>> matrix.to_arrow().num_rows
    4
    """

    def __init__(self, report: Report) -> None:
        self._rows = report
        self._num_cuts = isqrt(len(report))

    @property
    def cuts(self) -> list[tuple[str, float]]:
        """Name and threshold of each cut, as compared."""
        names = self._report["reference"][: self._num_cuts].tolist()
        thresholds = self._report["reference_threshold"][: self._num_cuts].tolist()
        return list(zip(names, thresholds, strict=True))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics."""
        return self._report.metrics

    @property
    def report(self) -> Report:
        """The same as a report: a row for each pair of cuts."""
        return self._report

    def _make_report(self) -> Report:
        return self._rows

    def matrix(self, metric: MetricLike) -> NDArray[Any]:
        """A square array: at [i, j] cut i judged against cut j as the reference. Read-only.

        Raises
        ------
        UnknownMetricError
            If the metric was not asked for.
        """
        return self._report[self._name_of(metric)].reshape(self._num_cuts, self._num_cuts)

    def _name_of(self, metric: MetricLike) -> str:
        """The column of a metric."""
        name = str(metric)
        if name not in self.metrics:
            raise UnknownMetricError(f"the matrix has no metric {name!r}{nearest(name, self.metrics)}")
        return name

    def plot(self, metric: MetricLike | None = None) -> Any:
        """A heat map of one metric.

        Parameters
        ----------
        metric : metric or name, optional
            By default the first.

        Returns
        -------
        altair.Chart
            Of up to a hundred cuts, evenly chosen where there are more.

        Raises
        ------
        MissingDependencyError
            Without altair.
        UnknownMetricError
            If the metric was not asked for.
        """
        altair = require("altair", "plot()")
        from starlings.plotting import draw_matrix

        name = self._name_of(self.metrics[0] if metric is None else metric)
        return draw_matrix(altair, self._labels(), self.matrix(name), name)

    def _labels(self) -> list[str]:
        """What each cut is called in a chart or a table."""
        return [f"{name} at {threshold}" for name, threshold in self.cuts]

    # ---------------------------------------------------------------------------------------------------- showing it

    def __len__(self) -> int:
        return self._num_cuts

    def __eq__(self, other: object) -> bool:
        return self._report == other._report if isinstance(other, ComparisonMatrix) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        cuts = f"{self._num_cuts:,} cut{'' if self._num_cuts == 1 else 's'}"
        return f"ComparisonMatrix of {cuts}: {', '.join(self.metrics)}"

    def _repr_html_(self) -> str:
        """The first metric of the first cuts, as a table."""
        name = self.metrics[0]
        labels = [escape(label) for label in self._labels()[:_CUTS_SHOWN]]
        values = np.asarray(self.matrix(name)[:_CUTS_SHOWN, :_CUTS_SHOWN])
        head = "".join(f"<th>{label}</th>" for label in ["", *labels])
        body = "".join(
            f"<tr><th>{label}</th>{''.join(f'<td>{value:.6g}</td>' for value in row)}</tr>"
            for label, row in zip(labels, values.tolist(), strict=True)
        )
        title = f"{self!r}. Shown: {name}, judged by row, against the reference by column"
        return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
