"""Records with their attributes, as the data brought them.

A frame keeps the tables that its records were given in, as Arrow batches. Here they come out again, for the records of
one source or of one entity; nothing is copied where Arrow is asked for, unless the rows are all over the place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core, optional
from starlings._typing import KeyValue
from starlings.cached import cached_property
from starlings.exceptions import InvalidArgumentError, KeyNotFoundError, MissingDependencyError, nearest, shown
from starlings.immutable import Immutable
from starlings.optional import require
from starlings.uniting import distinct, unite_arrow, unite_polars

__all__ = ["MixedRecords", "Records", "attribute_values", "records_of_source", "tables_of"]

_NO_ATTACHMENT: Final = 0xFFFFFFFF
_ROWS_SHOWN: Final = 10
#: So many stretches of rows are handed on as they are, each a batch, whatever their length.
_FEW_RUNS: Final = 1000
#: A column that only holds rows in their place while tables are united: no name that data would have.
_PLACE: Final = "\N{REPLACEMENT CHARACTER}place"


@dataclass(frozen=True)
class _Part:
    """Consecutive records whose attributes came in one table, or that have none."""

    start: int
    stop: int
    batches: _core.Batches | None


def _parts(context: _core.Context, records: NDArray[np.uint32]) -> list[_Part]:
    """The records in order, split where their attributes are in another table."""
    numbers, rows = map(np.asarray, context.find_attributes(records))
    bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(records)]
    parts = []
    for start, stop in zip(bounds, bounds[1:], strict=False):
        if start < stop:
            number = int(numbers[start])
            batches = None if number == _NO_ATTACHMENT else context.attachment(number)
            parts.append(_Part(start, stop, None if batches is None else _chosen(batches, rows[start:stop])))
    return parts


def _chosen(batches: _core.Batches, rows: NDArray[np.uint64]) -> _core.Batches:
    """These rows of batches: the batches themselves if that is all of them in order."""
    if len(rows) == batches.num_rows and np.array_equal(rows, np.arange(len(rows), dtype=np.uint64)):
        return batches
    runs = 1 + int(np.count_nonzero(np.diff(rows) != 1))
    gathered = _gathered(batches, rows) if runs > max(_FEW_RUNS, len(rows) // 8) else None
    return batches.rows(rows) if gathered is None else gathered


def _gathered(batches: _core.Batches, rows: NDArray[np.uint64]) -> _core.Batches | None:
    """A copy of these rows, if pyarrow can make it: scattered as they are, each would be a batch of its own."""
    if not optional.is_installed("pyarrow"):
        return None
    pyarrow = require("pyarrow", "attributes of records")
    try:
        return _core.Batches(pyarrow.table(batches).take(pyarrow.array(rows)))
    except (pyarrow.ArrowException, TypeError, ValueError):  # a type that it cannot gather, or does not know
        return None


class Records(Immutable):
    """Records of one source with their attributes: a table, as the data brought it. Immutable.

    Made by `EntityFrame.records` and `Entity.tables`. Any reader of the Arrow PyCapsule interface takes it as it is. Of
    a source whose records came in several calls with different columns, the Arrow stream has no one schema; `to_arrow`,
    `to_pandas` and `to_polars` unite them by name.

    Records that only edges named have no attributes. They are left out here, unless none of the records has any: then
    the table is one column, ``key``.

    Examples
    --------
    >>> import starlings as sl
    >>> people = [{"id": "a", "name": "Ann", "age": 40}, {"id": "b", "name": "Bob", "age": None}]
    >>> frame = sl.EntityFrame.from_records("crm", people, key_column="id")
    >>> records = frame.records("crm")
    >>> records
    Records(num_records=2, columns=['id', 'name', 'age'])
    >>> records.keys, records.to_dicts()[1]
    (['a', 'b'], {'id': 'b', 'name': 'Bob', 'age': None})
    """

    def __init__(self, context: _core.Context, records: NDArray[np.uint32]) -> None:
        parts = _parts(context, records)
        if any(part.batches is not None for part in parts):
            described = [records[part.start : part.stop] for part in parts if part.batches is not None]
            records = np.concatenate(described)
        self._context = context
        self._indices = np.array(records)
        self._indices.setflags(write=False)
        self._batches: list[_core.Batches] = [part.batches for part in parts if part.batches is not None]

    @property
    def indices(self) -> NDArray[np.uint32]:
        """Indices of the records in their data context. Read-only."""
        return self._indices

    @cached_property
    def keys(self) -> list[KeyValue]:
        """Keys of the records."""
        return self._context.record_keys(self._indices)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order of first appearance."""
        if not self._batches:
            return ["key"]
        tables = [batches.column_names for batches in self._batches]
        return tables[0] if len(tables) == 1 else list(dict.fromkeys(name for names in tables for name in names))

    @cached_property
    def _one(self) -> _core.Batches | _core.Table | None:
        """All records as one table, or None where their columns differ."""
        if self._batches:
            return self._batches[0] if len(self._batches) == 1 else _core.concat_batches(self._batches)
        table = _core.Table(len(self._indices))
        table.add_record_keys("key", self._context, self._indices)
        return table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The columns as they came in, as an Arrow stream that shares their memory.

        Raises
        ------
        InvalidArgumentError
            If the records came in tables of different columns.
        """
        if self._one is None:
            raise InvalidArgumentError(
                "these records came in tables of different columns, which have no one Arrow schema; call to_arrow(), "
                "to_pandas() or to_polars(), which unite them by name"
            )
        return self._one.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow Table of the columns as they came in, sharing their memory.

        Tables of different columns are united by name, with nulls where one lacks a column; columns whose types do not
        unite become text.

        Raises
        ------
        MissingDependencyError
            Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the records as they are.
        """
        pyarrow = require("pyarrow", "to_arrow()")
        if self._one is not None:
            return pyarrow.table(self._one)
        return unite_arrow(pyarrow, [_arrow_table(pyarrow, batches) for batches in self._batches])

    def to_pandas(self) -> Any:
        """A pandas DataFrame of the columns; different ones are united as in `to_arrow`.

        Raises
        ------
        MissingDependencyError
            Without pandas, and for columns of dates, decimals or nested values without pyarrow.
        """
        pandas = require("pandas", "to_pandas()")
        if not self._batches:
            return pandas.DataFrame({"key": pandas.Series(self.keys, dtype=None if self.keys else object)})
        whole = self._one
        batches = [whole] if isinstance(whole, _core.Batches) else self._batches
        frames = [_pandas_frame(pandas, part) for part in batches]
        if len(frames) == 1:
            return frames[0]
        return pandas.concat([part.set_axis(distinct(part.columns), axis=1) for part in frames], ignore_index=True)

    def to_polars(self) -> Any:
        """A polars DataFrame of the columns; different ones are united as in `to_arrow`.

        Raises
        ------
        MissingDependencyError
            Without polars, and for several columns of one name without pyarrow.
        """
        polars = require("polars", "to_polars()")
        if not self._batches:
            return polars.DataFrame([_polars_keys(polars, self._context, self._indices)])
        if isinstance(self._one, _core.Batches):
            return _polars_frame(polars, self._one)
        return unite_polars(polars, [_polars_frame(polars, batches) for batches in self._batches])

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict a record, with the columns of the table that it came in.

        Raises
        ------
        MissingDependencyError
            For columns of other types than bool, int, float, str and bytes, without pyarrow.
        """
        if not self._batches:
            return [{"key": key} for key in self.keys]
        return [row for batches in self._batches for row in _dicts(batches)]

    def __len__(self) -> int:
        return len(self._indices)

    def __repr__(self) -> str:
        return f"Records(num_records={len(self)}, columns={self.columns})"

    def _repr_html_(self) -> str:
        names = self.columns
        body = ""
        try:
            rows = Records(self._context, self._indices[:_ROWS_SHOWN]).to_dicts()
        except MissingDependencyError:
            rows = []
        for row in rows:
            cells = "".join(f"<td>{escape(shown(row.get(name)))}</td>" for name in names)
            body += f"<tr>{cells}</tr>"
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        title = f"{len(self):,} records"
        return f"<p>{title}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class MixedRecords:
    """Records of several sources as one table: source, key, then the attributes of all of them, united by name.

    One row a record. An attribute called source or key becomes attribute_source or attribute_key.
    """

    def __init__(self, context: _core.Context, records: NDArray[np.uint32]) -> None:
        self._context = context
        self._records = records
        self._parts = _parts(context, records)

    def to_arrow(self) -> Any:
        """A pyarrow Table."""
        pyarrow = require("pyarrow", "to_arrow()")
        table = _core.Table(len(self._records))
        table.add_record_sources("source", self._context, self._records)
        table.add_record_keys("key", self._context, self._records)
        head = pyarrow.table(table)
        if not any(part.batches for part in self._parts):
            return head
        tables = []
        for part in self._parts:
            columns = {_PLACE: pyarrow.array(range(part.start, part.stop), pyarrow.uint32())}
            if part.batches is not None:
                attributes = _arrow_table(pyarrow, part.batches, ("source", "key"))
                columns |= dict(zip(attributes.column_names, attributes.columns, strict=True))
            tables.append(pyarrow.table(columns))
        united = unite_arrow(pyarrow, tables).drop_columns([_PLACE])
        names = [*head.column_names, *united.column_names]
        return pyarrow.Table.from_arrays([*head.columns, *united.columns], names=names)

    def to_pandas(self) -> Any:
        """A pandas DataFrame."""
        pandas = require("pandas", "to_pandas()")
        codes = np.asarray(self._context.record_sources(self._records))
        head = {
            "source": pandas.Categorical.from_codes(
                codes, categories=self._context.sources()
            ).remove_unused_categories(),
            "key": pandas.Series(self._context.record_keys(self._records), dtype=None if len(codes) else object),
        }
        frames = []
        for part in self._parts:
            if part.batches is not None:
                frame = _pandas_frame(pandas, part.batches)
                frame.columns = distinct(frame.columns, head)
                frames.append(frame.set_axis(range(part.start, part.stop)))
        if not frames:
            return pandas.DataFrame(head)
        united = frames[0] if len(frames) == 1 else pandas.concat(frames)
        if len(united) < len(codes):
            united = united.reindex(range(len(codes)))
        return pandas.concat([pandas.DataFrame(head), united], axis=1)

    def to_polars(self) -> Any:
        """A polars DataFrame."""
        polars = require("polars", "to_polars()")
        codes = np.asarray(self._context.record_sources(self._records)).astype(np.uint32)
        names = polars.Series("source", self._context.sources(), dtype=polars.String)
        head = polars.DataFrame([names.gather(codes), _polars_keys(polars, self._context, self._records)])
        if not any(part.batches for part in self._parts):
            return head
        frames = []
        for part in self._parts:
            place = polars.Series(_PLACE, range(part.start, part.stop), dtype=polars.UInt32)
            if part.batches is None:
                frames.append(polars.DataFrame([place]))
            else:
                frames.append(_polars_frame(polars, part.batches, ("source", "key")).with_columns(place))
        return head.hstack(unite_polars(polars, frames).drop(_PLACE))


def _arrow_table(pyarrow: Any, batches: _core.Batches, taken: Sequence[str] = ()) -> Any:
    """Batches as a table of pyarrow whose columns can be told apart by name."""
    table = pyarrow.table(batches)
    return table.rename_columns(distinct(table.column_names, taken))


def _polars_frame(polars: Any, batches: _core.Batches, taken: Sequence[str] = ()) -> Any:
    """Batches as a frame of polars whose columns can be told apart from those that are taken."""
    names = batches.column_names
    if len(set(names)) < len(names):  # polars does not read them
        pyarrow = require("pyarrow", "to_polars() with several columns of one name")
        return polars.DataFrame(_arrow_table(pyarrow, batches, taken))
    frame = polars.DataFrame(batches)
    return frame.rename(dict(zip(names, distinct(names, taken), strict=True)))


def _pandas_frame(pandas: Any, batches: _core.Batches) -> Any:
    """Batches as a frame of pandas, through pyarrow where it is installed."""
    if optional.is_installed("pyarrow"):
        return require("pyarrow", "to_pandas()").table(batches).to_pandas()
    names = batches.column_names
    columns = {i: pandas.Series(values) for i, values in enumerate(_columns(batches))}
    return pandas.DataFrame(columns, index=range(batches.num_rows)).set_axis(names, axis=1)


def _polars_keys(polars: Any, context: _core.Context, records: NDArray[np.uint32]) -> Any:
    """The column of keys; of mixed kinds, which polars has no type for, as objects."""
    keys = context.record_keys(records)
    kinds = {type(key) for key in keys}
    if len(kinds) > 1:
        return polars.Series("key", keys, dtype=polars.Object)
    types = {int: polars.UInt64, str: polars.String, bytes: polars.Binary}
    return polars.Series("key", keys, dtype=types[kinds.pop()] if kinds else polars.UInt64)


def _listed(column: Any) -> list[Any]:
    """The values of a pyarrow column."""
    return list(column.to_pylist())


def _columns(batches: _core.Batches, listed: Callable[[Any], list[Any]] = _listed) -> list[list[Any]]:
    """The values of each column as Python objects; `listed` makes them of a pyarrow column."""
    table = None
    columns = []
    for i in range(len(batches.column_names)):
        values = batches.column(i)
        if values is None:
            if table is None:
                table = require("pyarrow", f"reading the column {batches.column_names[i]!r}").table(batches)
            values = listed(table.column(i))
        columns.append(values)
    return columns


def _dicts(batches: _core.Batches) -> list[dict[str, Any]]:
    """One dict a row."""
    names = batches.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*_columns(batches), strict=True)]


def attribute_values(
    context: _core.Context, attachment: int, rows: NDArray[np.uint64]
) -> tuple[list[str], list[list[Any]]]:
    """Names of the columns of one table of attributes, and for each the values of these rows, to be shown.

    What Python has no object for, such as a date of the year 20000, is text.

    Raises
    ------
    MissingDependencyError
        For columns of other types than bool, int, float, str and bytes, without pyarrow.
    """
    batches = context.attachment(attachment)
    if batches is None:
        return [], []
    chosen = _chosen(batches, rows)
    return chosen.column_names, _columns(chosen, _shown_values)


def _shown_values(column: Any) -> list[Any]:
    """The values of a pyarrow column, as text where Python has no objects for them."""
    try:
        return _listed(column)
    except (OverflowError, ValueError):  # beyond the years of datetime, or nanoseconds without pandas
        pyarrow = require("pyarrow", "reading attributes")
    try:
        return list(column.cast(pyarrow.string()).to_pylist())
    except pyarrow.ArrowException:  # nested
        return [_shown_value(value) for value in column]


def _shown_value(value: Any) -> Any:
    """One value of a nested pyarrow column; the name of its type where Python has no object for what is in it."""
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        return f"<{value.type}>"


def records_of_source(context: _core.Context, source: object, num_records: int, sources: Sequence[str]) -> Records:
    """Records of one source among the first `num_records` of a context; `sources` are those that they are from.

    Raises
    ------
    KeyNotFoundError
        For another source, with the nearest name.
    """
    if not isinstance(source, str) or source not in sources:
        raise KeyNotFoundError(f"no record is from a source {shown(source)}{nearest(str(source), sources)}")
    return Records(context, np.asarray(context.source_records(str(source), num_records)))


def tables_of(context: _core.Context, records: NDArray[np.uint32]) -> dict[str, Records]:
    """Records by source, in order of the sources, each in record order."""
    names = context.sources()
    numbers = np.asarray(context.record_sources(records))
    return {names[number]: Records(context, records[numbers == number]) for number in np.unique(numbers).tolist()}
