"""Other packages' tables as Arrow, their columns by name, and tables of edges made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlings.dataframes import is_lazy, is_pandas, is_splink, splink_stream
from starlings.exceptions import InvalidArgumentError, shown
from starlings.optional import require

__all__ = ["Wanted", "arrow_table", "edge_table", "find_column", "find_columns", "has_column", "plain"]

_EDGE_NAMES = ("left_source", "left", "right_source", "right", "score")


class Wanted(NamedTuple):
    """A column to be found: its name, and for the error what it holds and which option names it, if any does."""

    name: str
    holds: str
    option: str = ""


def arrow_table(data: Any, what: str) -> Any:
    """A table of another package as one of pyarrow; `what` names it in errors.

    A column of pandas or of a dict whose values are of several kinds is empty in it; `find_column` says so, should
    anybody want it.

    Raises
    ------
    InvalidArgumentError
        If it is no table.
    MissingDependencyError
        Without pyarrow.
    """
    pyarrow = require("pyarrow", f"reading {what}")
    if is_splink(data):
        data = splink_stream(data)
    try:
        if isinstance(data, Mapping) or (is_pandas(data) and hasattr(data, "columns")):
            return _of_columns(data)
        if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
            return pyarrow.table(data).replace_schema_metadata(None)
        if isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
            return _of_columns(_by_column(data))
    except (pyarrow.ArrowException, TypeError) as error:
        raise InvalidArgumentError(f"{what}: no table can be made of this {type(data).__name__}: {error}") from error
    for method in ("toArrow", "toPandas"):  # Spark, from version 4 on and before
        if hasattr(data, method):
            return arrow_table(getattr(data, method)(), what)
    if is_lazy(data):
        raise InvalidArgumentError(f"{what}: this is a LazyFrame, which holds no rows yet: call .collect() first")
    raise InvalidArgumentError(
        f"{what} must be a table with the Arrow PyCapsule interface, a DataFrame, a dict of columns or a list of dicts,"
        f" not {shown(data)}"
    )


def _by_column(rows: list[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """Rows as columns: all that any row has, None in the others."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _of_columns(columns: Any) -> Any:
    """Columns that are iterated by name as a table, whose metadata say what is wrong with those that cannot be read."""
    pyarrow = require("pyarrow", "columns")
    arrays, names, faults = [], [], {}
    for name, values in columns.items():
        try:
            arrays.append(pyarrow.array(values, from_pandas=True))
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            arrays.append(pyarrow.nulls(len(values)))
            faults[str(name)] = str(error)
        names.append(str(name))
    return pyarrow.Table.from_arrays(arrays, names=names).replace_schema_metadata(faults)


def has_column(table: Any, name: str | None) -> bool:
    """Whether a table has a column of that name, upper or lower case as databases have it."""
    return name is not None and _named(table, name) is not None


def find_columns(table: Any, what: str, *wanted: Wanted) -> list[Any]:
    """Several columns of a table, as `find_column` finds each."""
    return [find_column(table, what, column) for column in wanted]


def find_column(table: Any, what: str, wanted: Wanted) -> Any:
    """A column of a table, upper or lower case; `what` names the table in errors.

    Raises
    ------
    InvalidArgumentError
        If there is none, with those that there are.
    """
    name, holds, option = wanted
    found = _named(table, name)
    if found is None:
        there = ", ".join(map(repr, table.column_names)) or "none at all"
        remedy = f"; name it with {option}=" if option else ""
        raise InvalidArgumentError(
            f"{what} should have a column {name!r}, with {holds}, but the columns are {there}{remedy}"
        )
    if table.column_names.count(found) > 1:
        raise InvalidArgumentError(
            f"{what}: {table.column_names.count(found)} columns are called {found!r}; rename one"
        )
    fault = (table.schema.metadata or {}).get(found.encode())
    if fault is not None:
        raise InvalidArgumentError(f"{what}: the column {found!r} has values of several kinds: {fault.decode()}")
    return _with_kernels(table[found])


def _with_kernels(column: Any) -> Any:
    """A column as pyarrow can pick rows of it: views of text and bytes, which polars exports, are written out."""
    pyarrow = require("pyarrow", "columns")
    if pyarrow.types.is_string_view(column.type):
        return column.cast(pyarrow.large_string())
    return column.cast(pyarrow.large_binary()) if pyarrow.types.is_binary_view(column.type) else column


def _named(table: Any, name: str) -> str | None:
    """The name of a column as the table spells it."""
    if not isinstance(name, str):
        raise InvalidArgumentError(f"the name of a column must be a str, not {shown(name)}")
    if name in table.column_names:
        return name
    alike = [there for there in table.column_names if there.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def edge_table(left: Any, right: Any, score: Any, left_source: Any = None, right_source: Any = None) -> Any:
    """Columns as a table of edges under the names that `Collection.from_edges` looks for; without sources if None."""
    pyarrow = require("pyarrow", "tables of edges")
    columns = zip(_EDGE_NAMES, (left_source, left, right_source, right, score), strict=True)
    return pyarrow.table({name: column for name, column in columns if column is not None})


def plain(column: Any) -> Any:
    """A column without a dictionary."""
    pyarrow = require("pyarrow", "columns")
    return column.cast(column.type.value_type) if pyarrow.types.is_dictionary(column.type) else column
