"""Results that hand themselves over as tables, by way of a report that is made when first asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from starlings import _core
from starlings.arrow_table import ArrowTable
from starlings.cached import cached_property
from starlings.immutable import Immutable
from starlings.reports import Report

__all__ = ["ReportTable"]


class ReportTable(Immutable, ArrowTable, ABC):
    """What has a report of itself, whose columns are its table."""

    @abstractmethod
    def _make_report(self) -> Report:
        """The rows."""

    @cached_property
    def _report(self) -> Report:
        return self._make_report()

    @cached_property
    def _table(self) -> _core.Table:
        return self._report._table

    def to_pandas(self) -> Any:
        """A pandas DataFrame; names are categorical.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        return self._report.to_pandas()
