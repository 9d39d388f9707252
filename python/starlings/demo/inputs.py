"""Edge, truth and record files as Arrow tables with agreed column names and one kind of key.

Edges come as ``left, right, score`` or as Splink writes them (``unique_id_l, unique_id_r, match_probability``), with or
without the source of each side; the truth as ``key, entity`` and the records as ``key``, both with an optional
``source``. Everything is checked here that the engine could not put in terms of the user's files: missing columns, key
types that do not agree between files, empty fields. Repeated keys and bad scores the engine names itself.

Keys in CSV files are text ("007" stays what it is), unless a Parquet file of the same job has them as integers. Columns
are read and checked as a whole; the cost is that of reading the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import csv

from starlings.demo.errors import DemoError

__all__ = ["DEFAULT_SOURCE", "InputFiles", "Inputs", "read_inputs"]

DEFAULT_SOURCE = "default"
_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_EDGE_COLUMNS = ("left", "right", "score")
_EDGE_SOURCES = ("left_source", "right_source")
_SPLINK_COLUMNS = ("unique_id_l", "unique_id_r", "match_probability")
_SPLINK_SOURCES = ("source_dataset_l", "source_dataset_r")


@dataclass(frozen=True)
class InputFiles:
    """Where the files of a job are; without `records` the records are those that truth and edges name."""

    edges: Path
    truth: Path
    records: Path | None = None


@dataclass(frozen=True)
class Inputs:
    """The tables of a job, with keys of one kind throughout.

    Attributes
    ----------
    files : InputFiles
        Where they come from, for messages.
    edges : pyarrow.Table
        ``left_source, left, right_source, right, score``.
    truth : pyarrow.Table
        ``source, key, entity``.
    records : pyarrow.Table
        ``source, key`` and any attributes.
    """

    files: InputFiles
    edges: pa.Table
    truth: pa.Table
    records: pa.Table


@dataclass
class _File:
    """One input file while it is being checked: its table and which of its columns hold keys."""

    path: Path
    table: pa.Table
    keys: tuple[str, ...]

    @property
    def is_text(self) -> bool:
        """Whether the file format has no types, so that its keys may be read as another kind."""
        return self.path.name.lower().endswith(_CSV)


def read_inputs(files: InputFiles) -> Inputs:
    """Read and check the files of a job.

    Raises
    ------
    DemoError
        If a file cannot be read, lacks a column, or has keys that are empty or not of the kind of the other files'.
    """
    edges = _read_edges(files.edges)
    truth = _read_keyed(files.truth, required=("key", "entity"), others=False)
    records = truth if files.records is None else _read_keyed(files.records, required=("key",), others=True)
    _agree_on_keys([edges, truth] if records is truth else [edges, truth, records])
    _check_complete(truth, "entity")
    known = truth.table.select(["source", "key"]) if records is truth else records.table
    return Inputs(files=files, edges=edges.table, truth=truth.table, records=known)


def _read_edges(path: Path) -> _File:
    """Read an edge file in either set of names and give it one."""
    names = _column_names(path)
    columns, sources = _EDGE_COLUMNS, _EDGE_SOURCES
    if not set(columns) <= set(names) and set(_SPLINK_COLUMNS) <= set(names):
        columns, sources = _SPLINK_COLUMNS, _SPLINK_SOURCES
    missing = [name for name in columns if name not in names]
    if missing:
        raise DemoError(
            f"{path}: no column {_quoted(missing)}; edges need {_quoted(_EDGE_COLUMNS)} or Splink's"
            f" {_quoted(_SPLINK_COLUMNS)}; found: {_quoted(names)}"
        )
    present = [name for name in sources if name in names]
    if len(present) == 1:
        other = sources[1 - sources.index(present[0])]
        raise DemoError(f"{path}: column {present[0]!r} without {other!r}; give both sources or neither")
    table = _read_columns(path, [*columns, *present], text=[*columns[:2], *present])
    renamed = dict(zip([*columns, *sources], [*_EDGE_COLUMNS, *_EDGE_SOURCES], strict=True))
    table = table.rename_columns([renamed[name] for name in table.column_names])
    for name in _EDGE_SOURCES:
        table = _with_source(table, name, path)
    file = _File(path, table.select(["left_source", "left", "right_source", "right", "score"]), ("left", "right"))
    _check_complete(file, "left", "right", "score")
    return file


def _read_keyed(path: Path, *, required: tuple[str, ...], others: bool) -> _File:
    """Read a file with one row per record; `others` keeps the columns that nobody asked for."""
    names = _column_names(path)
    missing = [name for name in required if name not in names]
    if missing:
        wanted = _quoted(["source", *required])
        raise DemoError(
            f"{path}: no column {_quoted(missing)}; need {wanted} (source optional); found: {_quoted(names)}"
        )
    columns = names if others else [name for name in ("source", *required) if name in names]
    table = _read_columns(path, columns, text=["source", *required])
    rest = [name for name in table.column_names if name not in ("source", "key")]
    table = _with_source(table, "source", path).select(["source", "key", *rest])
    if "entity" in required:
        if pa.types.is_nested(table["entity"].type):
            raise DemoError(f"{path}: column 'entity' is {table['entity'].type}; it must hold one number or name a row")
        table = table.set_column(2, "entity", _plain(table["entity"]))
    file = _File(path, table, ("key",))
    _check_complete(file, "key")
    return file


def _column_names(path: Path) -> list[str]:
    """The column names of a file, without reading it."""
    try:
        if path.name.lower().endswith(_PARQUET):
            return list(pq.read_schema(path).names)
        if path.name.lower().endswith(_CSV):
            with csv.open_csv(path, parse_options=_csv_format(path)) as reader:
                return list(reader.schema.names)
    except (pa.ArrowException, OSError) as error:
        raise DemoError(f"{path}: cannot be read: {error}") from error
    raise DemoError(f"{path}: unknown kind of file; use one of {' '.join([*_PARQUET, *_CSV])}")


def _read_columns(path: Path, columns: Sequence[str], *, text: Sequence[str]) -> pa.Table:
    """Read some columns; those of `text` are not guessed at where the format has no types."""
    try:
        if path.name.lower().endswith(_PARQUET):
            return pq.read_table(path, columns=list(columns))
        options = csv.ConvertOptions(
            include_columns=list(columns),
            column_types={**dict.fromkeys(text, pa.string()), "score": pa.float64(), "match_probability": pa.float64()},
            strings_can_be_null=True,
            null_values=[""],
        )
        return csv.read_csv(path, parse_options=_csv_format(path), convert_options=options)
    except (pa.ArrowException, OSError) as error:
        raise DemoError(f"{path}: cannot be read: {error}") from error


def _csv_format(path: Path) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter="\t" if ".tsv" in path.name.lower() else ",")


def _with_source(table: pa.Table, name: str, path: Path) -> pa.Table:
    """The table with the source column `name` as text without gaps, added if it is absent."""
    if name not in table.column_names:
        return table.append_column(name, pa.repeat(DEFAULT_SOURCE, table.num_rows))
    try:
        column = pc.fill_null(_plain(table[name]).cast(pa.string()), DEFAULT_SOURCE)
    except pa.ArrowException as error:
        raise DemoError(f"{path}: column {name!r} must hold the names of sources: {error}") from error
    return table.set_column(table.column_names.index(name), name, column)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without dictionary encoding and string views, which not every Arrow kernel takes."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _check_complete(file: _File, *names: str) -> None:
    """Refuse empty fields in the named columns, with the first row that has one."""
    for name in names:
        column = file.table[name]
        if column.null_count:
            row = pc.index(column.is_null(), True).as_py()
            raise DemoError(f"{file.path}: column {name!r} is empty in row {row} (rows count from 0)")


def _agree_on_keys(files: Sequence[_File]) -> None:
    """Bring the keys of all files to one kind: text keys follow typed ones, typed ones must agree."""
    typed = {_kind(file, name): (file, name) for file in files if not file.is_text for name in file.keys}
    if len(typed) > 1:
        found = "; ".join(f"{file.path} column {name!r}: {kind}" for kind, (file, name) in sorted(typed.items()))
        raise DemoError(f"keys of different types never meet ({found}); convert one file's keys")
    kind = next(iter(typed), "string")
    for file in files:
        for name in file.keys:
            _cast_keys(file, name, kind)


def _kind(file: _File, name: str) -> str:
    """Which of the engine's kinds of key a column holds."""
    kind = _plain(file.table[name].slice(0, 0)).type
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "bytes"
    raise DemoError(f"{file.path}: keys in column {name!r} are {kind}; they must be integers, strings or bytes")


def _cast_keys(file: _File, name: str, kind: str) -> None:
    """Turn a text file's keys into integers if that is what the other files have."""
    column = _plain(file.table[name])
    if file.is_text and kind == "integer":
        try:
            column = column.cast(pa.uint64())
        except pa.ArrowInvalid as error:
            raise DemoError(
                f"{file.path}: column {name!r} must hold integers as the other files do: {error}"
            ) from error
    elif file.is_text and kind == "bytes":
        column = column.cast(pa.binary())
    file.table = file.table.set_column(file.table.column_names.index(name), name, column)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(names)
