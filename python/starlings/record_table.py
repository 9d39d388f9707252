"""Tables of rows about records: their sources and keys, and numbers, for Arrow, pandas and polars."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from starlings import _core
from starlings.arrow_table import ArrowTable
from starlings.cached import cached_property
from starlings.immutable import Immutable
from starlings.optional import require
from starlings.record_names import source_codes

__all__ = ["RecordColumn", "RecordTable"]


class RecordColumn(NamedTuple):
    """Records as two columns: their indices, and what the columns of their sources and keys are called."""

    source: str
    key: str
    records: object


class RecordTable(Immutable, ArrowTable):
    """What can be handed on as a table of records and numbers; its classes say which columns it has."""

    _context: _core.Context

    def _record_columns(self) -> list[RecordColumn]:
        """The records of the rows."""
        raise NotImplementedError

    def _number_columns(self) -> dict[str, NDArray[Any]]:
        """The numbers of the rows by name; they come after the records."""
        raise NotImplementedError

    @cached_property
    def _table(self) -> _core.Table:
        """All columns for Arrow."""
        numbers = self._number_columns()
        table = _core.Table(len(next(iter(numbers.values()))))
        for source, key, records in self._record_columns():
            table.add_record_sources(source, self._context, records)
            table.add_record_keys(key, self._context, records)
        for name, values in numbers.items():
            table.add_numbers(name, values)
        return table

    def to_pandas(self) -> Any:
        """A pandas DataFrame; sources are categories.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        pandas = require("pandas", "to_pandas()")
        columns = {}
        for source, key, records in self._record_columns():
            codes, names = source_codes(self._context, records)
            columns[source] = pandas.Categorical.from_codes(codes, categories=names)
            columns[key] = pandas.Series(self._context.record_keys(records))
        return pandas.DataFrame(columns | self._number_columns())

    def to_polars(self) -> Any:
        """A polars DataFrame. Keys of several kinds are Python objects: polars has no union of types.

        Raises
        ------
        MissingDependencyError
            Without polars.
        """
        polars = require("polars", "to_polars()")
        if all(_is_one_kind(self._context.record_kinds(records)) for _, _, records in self._record_columns()):
            return super().to_polars()
        columns = {}
        for source, key, records in self._record_columns():
            codes, names = source_codes(self._context, records)
            columns[source] = polars.Series(names, dtype=polars.String).gather(codes)
            columns[key] = polars.Series(self._context.record_keys(records), dtype=polars.Object)
        return polars.DataFrame(columns | self._number_columns())


def _is_one_kind(kinds: int) -> bool:
    """Whether keys are all ints, all text or all bytes; `kinds` has a bit for each of u32, u64, string, bytes."""
    return kinds in (0, 0b0001, 0b0010, 0b0011, 0b0100, 0b1000)
