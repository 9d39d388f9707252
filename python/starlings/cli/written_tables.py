"""Tables as data: CSV, Parquet, Arrow or JSON lines, to a file or to standard output.

A file is written beside its place and moved there once it is whole, so that no error or interrupt leaves half of one.
Only Arrow has keys of several kinds in one column, and CSV and JSON have no bytes: elsewhere such keys are text, and a
column ``key_kind`` says of which kind each is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Final, TypeAlias

import numpy as np

from starlings import _core
from starlings.cli.mistakes import Mistake, blaming
from starlings.cli.table_files import arrow
from starlings.partition import Partition
from starlings.whole_files import replacing

__all__ = ["TableFormat", "entities_table", "format_of", "json_rows", "write_table"]

_ROWS_AT_ONCE: Final = 1 << 16
_SPECIAL_IN_CSV: Final = '[",\r\n]|^$'
_SPECIAL_IN_JSON: Final = r'["\\\x00-\x1f]'
_ONE_KIND: Final = (0, 0b0001, 0b0010, 0b0011, 0b0100)

#: What writes record batches of a schema to a file.
_Writer: TypeAlias = Callable[[Any, Any], None]


class TableFormat(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
    JSONL = "jsonl"


_BY_ENDING: Final = {
    ".csv": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET,
    ".pq": TableFormat.PARQUET,
    ".arrow": TableFormat.ARROW,
    ".arrows": TableFormat.ARROW,
    ".feather": TableFormat.ARROW,
    ".ipc": TableFormat.ARROW,
    ".jsonl": TableFormat.JSONL,
    ".ndjson": TableFormat.JSONL,
}


def format_of(path: str | None, said: TableFormat | None) -> TableFormat:
    """What to write: as said, else by the ending of the path; CSV to standard output."""
    if said is not None:
        return said
    if path is None or path == "-":
        return TableFormat.CSV
    ending = PurePath(path).suffix.lower()
    if ending not in _BY_ENDING:
        raise Mistake(f"{path}: the ending {ending!r} is of no table; --as says csv, parquet, arrow or jsonl")
    return _BY_ENDING[ending]


def entities_table(partition: Partition, format: TableFormat) -> Any:
    """The records of a partition with their entities, as a format can hold them."""
    context, records = partition._context, partition._core.records
    if format is TableFormat.ARROW or context.record_kinds(records) in _ONE_KIND:
        return partition
    table = _core.Table(partition.num_records)
    table.add_record_sources("source", context, records)
    table.add_record_key_texts("key", context, records)
    for name, values in partition._number_columns().items():
        table.add_numbers(name, values)
    return table


def write_table(data: Any, path: str | None, format: TableFormat) -> None:
    """Write a table (anything with the Arrow stream interface) to a file or, without a path, to standard output."""
    table = arrow().table(data)
    if path is None or path == "-":
        sys.stdout.flush()
        _WRITERS[format](table, sys.stdout.buffer)
        return
    with blaming(path), replacing(path) as sink:
        _WRITERS[format](table, sink)


# ---------------------------------------------------------------------------------------------------------- the formats


def _write_parquet(table: Any, sink: Any) -> None:
    arrow(".parquet").write_table(table, sink)


def _write_arrow(table: Any, sink: Any) -> None:
    with arrow(".ipc").new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _write_csv(table: Any, sink: Any) -> None:
    csv, compute = arrow(".csv"), arrow(".compute")
    plain = _plain(table)
    sink.write((",".join(plain.column_names) + "\n").encode())
    texts = [field.name for field in plain.schema if arrow(".types").is_large_string(field.type)]
    for batch in plain.to_batches(max_chunksize=_ROWS_AT_ONCE):
        special = any(
            compute.any(compute.match_substring_regex(batch.column(name), _SPECIAL_IN_CSV)).as_py() for name in texts
        )
        style = "needed" if special else "none"
        csv.write_csv(batch, sink, csv.WriteOptions(include_header=False, quoting_style=style))


def _write_jsonl(table: Any, sink: Any) -> None:
    for block in json_rows(table):
        sink.write(block)


def json_rows(table: Any) -> Iterator[bytes]:
    """Rows as JSON objects, each on a line of its own, in blocks; made column by column."""
    plain = _plain(arrow().table(table))
    for batch in plain.to_batches(max_chunksize=_ROWS_AT_ONCE):
        parts: list[Any] = []
        for name, column in zip(plain.column_names, batch.columns, strict=True):
            parts += [_text(f"{', ' if parts else '{'}{json.dumps(name)}: "), _json_values(column)]
        lines = _concatenated(*parts, _text("}\n"))
        _, offsets, data = lines.buffers()
        bounds = np.frombuffer(offsets, dtype=np.int64)
        yield data[bounds[0] : bounds[len(lines)]].to_pybytes()


def _text(value: str) -> Any:
    """Text to put between columns of it."""
    return arrow().scalar(value, arrow().large_string())


def _concatenated(*parts: Any) -> Any:
    """Columns of text and text between them as one column."""
    return arrow(".compute").binary_join_element_wise(*parts, _text(""))


def _json_values(column: Any) -> Any:
    """Each value as JSON has it; null for what it has no number for."""
    compute, pyarrow, types = arrow(".compute"), arrow(), arrow(".types")
    if types.is_large_string(column.type):
        return _json_strings(column)
    if types.is_floating(column.type):
        column = compute.if_else(compute.is_finite(column), column, None)
    return compute.fill_null(column.cast(pyarrow.large_string()), "null")


def _json_strings(column: Any) -> Any:
    """Text as JSON has it."""
    compute = arrow(".compute")
    if compute.any(compute.match_substring_regex(column, _SPECIAL_IN_JSON)).as_py():
        for character in ("\\", '"', *map(chr, range(0x20))):
            column = compute.replace_substring(column, character, json.dumps(character)[1:-1])
    return compute.fill_null(_concatenated(_text('"'), column, _text('"')), "null")


_WRITERS: Final[dict[TableFormat, _Writer]] = {
    TableFormat.CSV: _write_csv,
    TableFormat.PARQUET: _write_parquet,
    TableFormat.ARROW: _write_arrow,
    TableFormat.JSONL: _write_jsonl,
}


# ---------------------------------------------------------------------------------------------------------- plain types


def _plain(table: Any) -> Any:
    """The table with text instead of codes for it."""
    pyarrow, types = arrow(), arrow(".types")
    texts = [types.is_dictionary(field.type) or types.is_string(field.type) for field in table.schema]
    columns = [
        column.cast(pyarrow.large_string()) if is_text else column
        for column, is_text in zip(table.columns, texts, strict=True)
    ]
    return pyarrow.table(columns, names=table.column_names)
