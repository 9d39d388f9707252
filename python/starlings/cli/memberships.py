"""Collections that are given as labels: one row a record with its entity's name, or one row an entity with its members.

Several files are one table, in which records have sources where files name them. Lists of keys are written out, a row a
key; nothing is done record by record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from starlings._typing import Progress, RecordName
from starlings.cli.mistakes import Mistake, blaming, warn
from starlings.cli.row_origins import RowOrigins
from starlings.cli.table_files import FileFormat, InputFile, arrow, united_tables
from starlings.cli.text_keys import KeyColumns, KeyKind, typed_table
from starlings.frame import EntityFrame

if TYPE_CHECKING:
    from starlings.cli.reading_options import Reading

__all__ = ["KEY_NAMES", "Membership"]

KEY_NAMES: Final = ("key", "unique_id", "record_id", "id")
_LABEL_NAMES: Final = ("label", "entity_id", "cluster_id", "entity", "cluster")
_SOURCE_NAMES: Final = ("source", "source_dataset")


@dataclass(frozen=True)
class _LabelFile:
    """A file and its columns: keys (or lists of them), labels and sources where there are such."""

    file: InputFile
    key: str
    label: str | None
    source: str | None

    @classmethod
    def of(cls, file: InputFile, reading: Reading) -> _LabelFile:
        """The file with its columns found."""
        if file.format is FileFormat.NATIVE:
            raise Mistake(f"{file.name}: is a file of Starlings, not a table of keys and labels", file=file.name)
        names = file.names
        if len(names) == 1:
            return cls(file, names[0], None, None)
        if len(names) == 2 and reading.key is None and reading.label is None and not set(names) & set(_LABEL_NAMES):
            return cls(file, names[0], names[1], None)
        key = file.column(reading.key, KEY_NAMES, "keys", "--key")
        label = file.column(reading.label, _LABEL_NAMES, "labels", "--label")
        source: str | None = next((known for known in _SOURCE_NAMES if known in names), None)
        if reading.key_source is not None:
            source = file.column(reading.key_source, _SOURCE_NAMES, "sources", "--key-source")
        return cls(file, key, label, source)

    @property
    def keys(self) -> KeyColumns:
        """The column of keys."""
        return KeyColumns(self.file, (self.key,))

    def table(self, kind: KeyKind, first: int) -> Any:
        """The columns key, entity_id and perhaps source; each list of keys is an entity, numbered from `first`."""
        pyarrow, compute = arrow(), arrow(".compute")
        columns = [name for name in (self.label, self.source) if name is not None]
        table = typed_table(self.keys, columns, dict.fromkeys(columns, pyarrow.string()), kind)
        keys = table.column(self.key)
        for name in (self.key, *([] if self.label is None else [self.label])):
            self._check_complete(table.column(name), name)
        if self.label is not None:
            return table.rename_columns(["key", "entity_id", "source"][: table.num_columns])
        if not arrow(".types").is_nested(keys.type):
            raise Mistake(
                f"{self.file.name}: one column of keys says nothing about entities; give a second one of labels, or "
                "lists of keys",
                file=self.file.name,
            )
        numbers = compute.add(compute.list_parent_indices(keys), first)
        return pyarrow.table({"key": compute.list_flatten(keys), "entity_id": numbers})

    def _check_complete(self, column: Any, name: str) -> None:
        """Raise an error for the first row that has nothing in a column."""
        if column.null_count:
            row = arrow(".compute").index(column.is_null(), True).as_py()
            raise Mistake(
                f"{self.file.name}: row {row} has nothing in the column {name!r}; each record has a key and a label",
                kind="InvalidKeyError",
                file=self.file.name,
                row=row,
            )


@dataclass(frozen=True)
class Membership:
    """A collection that is given as labels, in one file or several."""

    name: str
    files: tuple[_LabelFile, ...]

    @classmethod
    def of(cls, name: str, files: Sequence[InputFile], reading: Reading) -> Membership:
        """The files with their columns found."""
        return cls(name, tuple(_LabelFile.of(file, reading) for file in files))

    @property
    def keys(self) -> list[KeyColumns]:
        """The columns of keys."""
        return [file.keys for file in self.files]

    def _tables(self, kind: KeyKind) -> tuple[list[Any], RowOrigins]:
        """The table of each file, and where their rows come from."""
        origins = RowOrigins()
        tables: list[Any] = []
        for file in self.files:
            origins.begin(file.file.name)
            tables.append(file.table(kind, sum(map(len, tables))))
            origins.add(len(tables[-1]))
        return tables, origins

    def _whole(self, tables: list[Any], reading: Reading) -> Any:
        """The tables as one."""
        return _with_every_source(united_tables(tables, f"the labels of {self.name!r}"), reading.source)

    def entities(self, reading: Reading, kind: KeyKind) -> dict[str, list[RecordName]]:
        """The records of each label, one by one: for what is small."""
        table = self._whole(self._tables(kind)[0], reading)
        columns = {name: table.column(name).to_pylist() for name in table.column_names}
        sources = columns.get("source") or repeat(reading.source)
        found: dict[str, list[RecordName]] = {}
        for source, key, label in zip(sources, columns["key"], columns["entity_id"], strict=False):
            found.setdefault(str(label), []).append((source, key))
        return found

    def add_to(self, frame: EntityFrame, reading: Reading, kind: KeyKind, progress: Progress) -> None:
        """Add the collection to a frame."""
        tables, origins = self._tables(kind)
        before = frame.num_records
        with blaming(origins.files[0], origins.locate):
            whole = self._whole(tables, reading)
            frame.add_collection_from_labels(
                self.name,
                whole,
                source=reading.source,
                new_records=reading.new_records.value,
                progress=progress,
            )
        if before and len(whole) and frame.num_records - before == len(whole):
            warn(
                f"{origins.files[0]}: no record of it is among those of the others; if that is a mistake, the keys are "
                "of another --source or another --key-type"
            )


def _with_every_source(table: Any, source: str) -> Any:
    """The table with that source where only other files name one."""
    if "source" not in table.column_names:
        return table
    sources = arrow(".compute").fill_null(table.column("source").cast(arrow().string()), source)
    return table.set_column(table.schema.get_field_index("source"), "source", sources)
