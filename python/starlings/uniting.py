"""Tables of different columns as one, by the names of the columns: rows that lack a column have nulls in it.

Types unite where the library at hand unites them, as int32 and int64 do. Columns of one name whose types do not unite
become text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["distinct", "unite_arrow", "unite_polars"]


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names of columns, each once: those that are taken come out as ``attribute_...``, repeats as ``..._2``."""
    reserved, seen = set(taken), set(taken)
    out = []
    for given in names:
        first = name = f"attribute_{given}" if given in reserved else given
        count = 1
        while name in seen:
            count += 1
            name = f"{first}_{count}"
        seen.add(name)
        out.append(name)
    return out


def unite_arrow(pyarrow: Any, tables: Sequence[Any]) -> Any:
    """Tables of pyarrow, one below the other."""
    bare = [table.replace_schema_metadata(None) for table in tables]
    try:
        return pyarrow.concat_tables(bare, promote_options="permissive")
    except pyarrow.ArrowException:
        pass
    for name in dict.fromkeys(name for table in bare for name in table.column_names):
        fields = [table.schema.field(name) for table in bare if name in table.column_names]
        if not _fields_unite(pyarrow, fields):
            bare = [_with_arrow_text(pyarrow, table, name) for table in bare]
    return pyarrow.concat_tables(bare, promote_options="permissive")


def _fields_unite(pyarrow: Any, fields: Sequence[Any]) -> bool:
    """Whether there is a type for the values of all these fields, and a way to it."""
    try:
        empty = [pyarrow.schema([field]).empty_table() for field in fields]
        pyarrow.concat_tables(empty, promote_options="permissive")
    except pyarrow.ArrowException:
        return False
    return True


def _with_arrow_text(pyarrow: Any, table: Any, name: str) -> Any:
    """The table with a column, if it has it, as text."""
    if name not in table.column_names:
        return table
    column = table.column(name)
    try:
        text = column.cast(pyarrow.large_string())
    except pyarrow.ArrowException:
        text = pyarrow.chunked_array([_text(column.to_pylist())], pyarrow.large_string())
    return table.set_column(table.column_names.index(name), name, text)


def unite_polars(polars: Any, frames: Sequence[Any]) -> Any:
    """Frames of polars, one below the other."""
    try:
        return polars.concat(frames, how="diagonal_relaxed")
    except polars.exceptions.PolarsError:
        pass
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    differing = [name for name in names if not _columns_unite(polars, name, frames)]
    return polars.concat([_with_polars_text(polars, frame, differing) for frame in frames], how="diagonal_relaxed")


def _columns_unite(polars: Any, name: str, frames: Sequence[Any]) -> bool:
    """Whether there is a type for all columns of that name, and their values can be cast to it."""
    try:
        polars.concat([frame.select(name) for frame in frames if name in frame.columns], how="diagonal_relaxed")
    except polars.exceptions.PolarsError:
        return False
    return True


def _with_polars_text(polars: Any, frame: Any, names: Sequence[str]) -> Any:
    """The frame with some columns, those of them that it has, as text."""
    columns = [frame[name] for name in names if name in frame.columns]
    return frame.with_columns(
        polars.Series(column.name, _text(column.to_list()), dtype=polars.String) for column in columns
    )


def _text(values: list[object]) -> list[str | None]:
    """Values as text."""
    return [None if value is None else str(value) for value in values]
