"""Files of tables: telling their format, and reading them batch by batch.

The format is told by the first bytes: Parquet, Arrow (file or stream) and the native file are marked, what is text is
CSV; gzip, bzip2, lz4 and zstandard are undone for CSV and Arrow streams. Nothing is held but the batch that is being
read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Final
from weakref import finalize

from starlings.cached import cached_property
from starlings.cli.input_paths import opened_paths
from starlings.cli.mistakes import Mistake, blaming
from starlings.optional import require

__all__ = ["FileFormat", "InputFile", "arrow", "input_files", "united_tables"]

_NATIVE_MARK: Final = b"\x89STARL\r\n"
_PARQUET_MARK: Final = b"PAR1"
_ARROW_FILE_MARK: Final = b"ARROW1"
_ARROW_STREAM_MARK: Final = b"\xff\xff\xff\xff"
_COMPRESSIONS: Final = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}
_OTHER_DELIMITERS: Final = (";", "\t", "|", ",")
_HEAD_BYTES: Final = 4096
_CSV_BLOCK_BYTES: Final = 1 << 22
_PARQUET_BATCH_ROWS: Final = 1 << 16


class FileFormat(StrEnum):
    """What a file of records, pairs or collections is."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
    NATIVE = "native"


def arrow(part: str = "") -> Any:
    """pyarrow, or a part of it, such as ``.csv``."""
    require("pyarrow", "reading and writing tables")
    return import_module(f"pyarrow{part}")


@dataclass(frozen=True)
class InputFile:
    """A file to read.

    Attributes
    ----------
    name : str
        What messages call it.
    path : str
        Where it is opened.
    said : FileFormat or None
        The format, where the user said it.
    delimiter : str or None
        Between columns of CSV; by default a comma, of ``.tsv`` a tab.
    """

    name: str
    path: str
    said: FileFormat | None = None
    delimiter: str | None = None

    # -------------------------------------------------------------------------------------------------------- format

    @cached_property
    def format(self) -> FileFormat:
        """What it is: as said, else as its first bytes tell."""
        if self.said is not None:
            return self.said
        with blaming(self.name):
            return self._recognised()

    @cached_property
    def is_text(self) -> bool:
        """Whether columns of it have no types of their own."""
        return self.format is FileFormat.CSV

    @cached_property
    def compression(self) -> str | None:
        """What has to be undone before it can be read."""
        with blaming(self.name), open(self.path, "rb") as file:
            mark = file.read(4)
        return next((name for start, name in _COMPRESSIONS.items() if mark.startswith(start)), None)

    def _recognised(self) -> FileFormat:
        """The format by the first bytes."""
        with open(self.path, "rb") if self.compression is None else self._opened() as file:
            head: bytes = file.read(_HEAD_BYTES)
        if head.startswith(_NATIVE_MARK):
            return FileFormat.NATIVE
        if head.startswith(_PARQUET_MARK):
            return FileFormat.PARQUET
        if head.startswith((_ARROW_FILE_MARK, _ARROW_STREAM_MARK)):
            return FileFormat.ARROW
        if not head:
            raise Mistake(f"{self.name}: the file is empty", file=self.name)
        if b"\0" in head:
            raise Mistake(
                f"{self.name}: neither Parquet, Arrow, CSV nor a file of Starlings; --format says what it is",
                file=self.name,
            )
        return FileFormat.CSV

    def _opened(self) -> Any:
        """The bytes, decompressed."""
        pyarrow = arrow()
        try:
            return pyarrow.input_stream(self.path, compression=self.compression)
        except pyarrow.ArrowNotImplementedError as error:
            raise Mistake(f"{self.name}: {error}", file=self.name) from error

    # --------------------------------------------------------------------------------------------------------- reading

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns."""
        with _complaining(self.name):
            if self.format is FileFormat.PARQUET:
                names = list(arrow(".parquet").read_schema(self.path).names)
            elif self.format is FileFormat.ARROW:
                names = list(self._arrow_reader().schema.names)
            else:
                names = list(self._csv_reader([], {}).schema.names)
        for name in names:
            if names.count(name) > 1:
                raise Mistake(
                    f"{self.name}: {names.count(name)} columns are called {name!r}; rename one", file=self.name
                )
        return names

    @property
    def separator_hint(self) -> str:
        """What to add to an error about columns of a text that looks as if others separate them."""
        if not self.is_text or len(self.names) != 1:
            return ""
        other = next((mark for mark in _OTHER_DELIMITERS if mark in self.names[0]), None)
        return "" if other is None else f" Columns seem to end at {other!r}, which --delimiter can say"

    def column(self, asked: str | None, known: Sequence[str], what: str, option: str) -> str:
        """The column asked for, else the first of the known ones that there is; `option` names it."""
        wanted = known if asked is None else (asked,)
        found = next((name for name in wanted if name in self.names), None)
        if found is not None:
            return found
        there = ", ".join(map(repr, self.names)) or "none"
        raise Mistake(
            f"{self.name}: no column {' or '.join(map(repr, wanted))} for the {what}; name it with {option}. "
            f"There are {there}.{self.separator_hint}",
            kind="InvalidArgumentError",
            file=self.name,
        )

    def batches(self, columns: Sequence[str], types: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Record batches of these columns, in this order; `types` are those of columns of text files."""
        with _complaining(self.name):
            if self.format is FileFormat.PARQUET:
                read = self._parquet_batches(columns)
            elif self.format is FileFormat.ARROW:
                read = self._arrow_batches(columns)
            else:
                read = self._csv_batches(columns, types or {})
            yield from read

    def _parquet_batches(self, columns: Sequence[str]) -> Iterator[Any]:
        with arrow(".parquet").ParquetFile(self.path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH_ROWS, columns=list(columns)):
                yield batch.select(list(columns))

    def _arrow_batches(self, columns: Sequence[str]) -> Iterator[Any]:
        reader = self._arrow_reader()
        if hasattr(reader, "num_record_batches"):
            every = map(reader.get_batch, range(reader.num_record_batches))
        else:
            every = iter(reader)
        return (batch.select(list(columns)) for batch in every)

    def _arrow_reader(self) -> Any:
        """A reader of an Arrow file, which is mapped, or of a stream."""
        with open(self.path, "rb") as file:
            is_file = file.read(len(_ARROW_FILE_MARK)) == _ARROW_FILE_MARK
        ipc = arrow(".ipc")
        return ipc.open_file(arrow().memory_map(self.path)) if is_file else ipc.open_stream(self._opened())

    def _csv_batches(self, columns: Sequence[str], types: Mapping[str, Any]) -> Iterator[Any]:
        """Parsed on all threads; what cannot be parsed is read again on one, which alone knows the row."""
        try:
            yield from self._csv_reader(columns, types)
        except arrow().ArrowInvalid as error:
            for _ in self._csv_reader(columns, types, use_threads=False):
                pass
            raise error

    def _csv_reader(self, columns: Sequence[str], types: Mapping[str, Any], *, use_threads: bool = True) -> Any:
        csv = arrow(".csv")
        delimiter = self.delimiter or ("\t" if ".tsv" in self.name.lower() else ",")
        convert = csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        return csv.open_csv(
            self._opened(),
            read_options=csv.ReadOptions(use_threads=use_threads, block_size=_CSV_BLOCK_BYTES),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=convert,
        )


@contextmanager
def _complaining(name: str) -> Iterator[None]:
    """Errors of pyarrow become mistakes that name the file."""
    try:
        with blaming(name):
            yield
    except arrow().ArrowException as error:
        raise Mistake.of(error, name) from error


def input_files(
    patterns: Iterable[str], said: FileFormat | None = None, delimiter: str | None = None
) -> list[InputFile]:
    """The files that arguments name: paths, patterns such as ``parts/*.parquet`` in their order by name, ``-``."""
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii()):
        raise Mistake(f"--delimiter is one character, not {delimiter!r}")
    found: list[InputFile] = []
    for opened in (opened for pattern in patterns for opened in opened_paths(pattern)):
        found.append(InputFile(opened.name, opened.path, said, delimiter))
        if opened.held is not None:
            finalize(found[-1], opened.held.close)
    return found


def united_tables(tables: list[Any], what: str) -> Any:
    """Tables as one; columns are matched by name, and what a table lacks is null. `what` names them in the error."""
    pyarrow = arrow()
    try:
        return pyarrow.concat_tables(tables, promote_options="permissive")
    except pyarrow.ArrowException as error:
        raise Mistake(f"{what} are in files whose columns do not fit: {error}") from error
