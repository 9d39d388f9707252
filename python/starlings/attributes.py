"""Attributes of records on their way in: what was given beside the keys, as Arrow batches.

Arrow data is read once and kept as it came in, without a copy. Rows become Arrow batches in the extension; frames of
pandas go through pyarrow where it is installed, else through their rows. A column that has no Arrow type, because its
values are of several kinds, is kept as text, with a warning unless it is the column of the keys, which are read as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from warnings import warn

from starlings import _core, optional
from starlings.dataframes import is_pandas, is_splink, readable_records, splink_stream
from starlings.exceptions import InvalidArgumentError, StarlingsError, shown

__all__ = ["attributes_of"]

#: Name, values and why: the values as text.
_AsText = Callable[[str, list[object], str], list[str | None]]


def attributes_of(data: Any, key_column: str | None) -> tuple[Any, _core.Batches | None]:
    """Records given to a frame: what to read the keys from, and all their columns.

    The second is None for rows that are no mappings and for tables without columns. Its rows are those of the first.
    What can be read only once is read here.

    Raises
    ------
    InvalidArgumentError
        For what has no rows, for Arrow data that is malformed, and for two columns of the name of the keys'.
    """
    if is_splink(data):
        data = splink_stream(data)
    if is_pandas(data) and hasattr(data, "columns"):
        _check_keys_once(list(data.columns), key_column)
    readable, attributes = _read(data, key_column)
    if attributes is not None:
        _check_keys_once(attributes.column_names, key_column)
    return readable, attributes


def _check_keys_once(names: list[Any], key_column: str | None) -> None:
    """Raise an error if it cannot be told which column holds the keys."""
    if key_column is not None and names.count(key_column) > 1:
        raise InvalidArgumentError(f"there are {names.count(key_column)} columns called {key_column!r}; rename one")


def _read(data: Any, key_column: str | None) -> tuple[Any, _core.Batches | None]:
    """The same, whatever the columns are called."""
    readable = readable_records(data, key_column)
    as_text = partial(_as_text, key_column)
    if is_pandas(data):
        return readable, _with_columns(_of_pandas(data, as_text))
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _of_arrow(data, as_text)
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):  # a frame of columns that has no Arrow interface
        return data, None
    rows = data if isinstance(data, list) else list(data)
    return rows, _with_columns(_of_rows(rows, as_text))


def _with_columns(batches: _core.Batches | None) -> _core.Batches | None:
    """The batches, if they say anything."""
    return batches if batches is not None and batches.column_names else None


def _of_rows(rows: list[Any], as_text: _AsText) -> _core.Batches | None:
    """The columns of mappings."""
    return _core.rows_to_batches(rows, partial(_converted, as_text))


def _of_arrow(data: Any, as_text: _AsText) -> tuple[Any, _core.Batches | None]:
    """Anything with the Arrow interface: one column is left to whoever reads the keys."""
    objects = _object_columns(data)
    if objects:
        return data, _core.Batches(_without_objects(data, objects, as_text))
    try:
        batches = _core.Batches(data)
    except StarlingsError:
        raise
    except (TypeError, ValueError, NotImplementedError, ImportError):  # one column, or what cannot be exported
        return data, None
    return batches, _with_columns(batches)


def _object_columns(data: Any) -> list[str]:
    """The columns of Python objects of a polars frame, of which it would export the addresses."""
    if type(data).__module__.partition(".")[0] != "polars" or not hasattr(data, "schema"):
        return []
    return [name for name, dtype in data.schema.items() if str(dtype) == "Object"]


def _without_objects(frame: Any, names: list[str], as_text: _AsText) -> Any:
    """A polars frame with columns of Python objects turned into others."""
    import polars

    for name in names:
        converted = _converted(as_text, name, frame[name].to_list())
        if isinstance(converted, list):
            column = polars.Series(name, converted, dtype=polars.String)
        else:
            column = polars.DataFrame(converted).to_series()
        frame = frame.with_columns(column)
    return frame


def _of_pandas(frame: Any, as_text: _AsText) -> _core.Batches | None:
    """The columns of a pandas frame."""
    if not optional.is_installed("pyarrow"):
        return _of_rows(_plain(frame).to_dict("records"), as_text)
    import pyarrow  # type: ignore[import-untyped]

    names = [str(name) for name in frame.columns]
    own = frame.copy().set_axis(names, axis=1)  # Arrow shares numpy's memory, which the caller may go on to change
    try:
        table = pyarrow.Table.from_pandas(own, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        columns = [_pandas_column(pyarrow, name, own.iloc[:, i], as_text) for i, name in enumerate(names)]
        table = pyarrow.Table.from_arrays(columns, names=names)
    return _core.Batches(table)


def _pandas_column(pyarrow: Any, name: str, column: Any, as_text: _AsText) -> Any:
    """One column as an Arrow array."""
    try:
        return pyarrow.array(column, from_pandas=True)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        return pyarrow.array(as_text(name, _plain(column).tolist(), str(error)), pyarrow.large_string())


def _plain(values: Any) -> Any:
    """A frame or column of Python objects, None where a value is missing."""
    return values.astype(object).where(values.notna(), None)


def _converted(as_text: _AsText, name: str, values: list[object]) -> Any:
    """A column of values that the engine has no type for: an Arrow table of that one column, or its text."""
    if not optional.is_installed("pyarrow"):
        return as_text(name, values, "pyarrow, which knows more types, is not installed")
    import pyarrow

    try:
        array = pyarrow.array(values, from_pandas=True)
        if isinstance(array, pyarrow.ChunkedArray):
            array = pyarrow.concat_arrays(array.chunks)
        if pyarrow.types.is_binary(array.type) and any(isinstance(value, str) for value in values):
            return as_text(name, values, "bytes and text have no type in common")
        return pyarrow.record_batch([array], names=[name])
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        return as_text(name, values, str(error))


def _as_text(key_column: str | None, name: str, values: list[object], reason: str) -> list[str | None]:
    """The values as text, with a warning unless they are the keys."""
    if name != key_column:
        kinds = sorted({type(value).__name__ for value in values if value is not None})
        message = f"the column {shown(name)} of {', '.join(kinds[:5])} values is kept as text: {reason}"
        warn(message, UserWarning, stacklevel=2)
    return [None if value is None or _is_nan(value) else _text(value) for value in values]


def _is_nan(value: object) -> bool:
    """Whether this is a missing value of other libraries."""
    return isinstance(value, float) and value != value


def _text(value: object) -> str:
    """A value as text that UTF-8 can hold."""
    try:
        text = str(value)
    except Exception:  # a class of the caller's that cannot be shown
        text = f"<{type(value).__name__}>"
    return text.encode(errors="backslashreplace").decode()
