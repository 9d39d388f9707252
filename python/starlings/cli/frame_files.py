"""From files to a frame: a native file, or tables of pairs, with records and labelled collections beside them.

Pairs are streamed: whatever the number and size of the files, memory is that of the records and of one batch. What an
error says about a row is said about the row of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlings._typing import Progress, RecordName
from starlings.batches import BatchProcessor
from starlings.cli.memberships import KEY_NAMES, Membership
from starlings.cli.mistakes import Mistake, blaming, warn
from starlings.cli.native_files import load_frame
from starlings.cli.reading_options import Reading
from starlings.cli.row_origins import RowOrigins
from starlings.cli.table_files import FileFormat, InputFile, arrow, input_files, united_tables
from starlings.cli.text_keys import KeyColumns, KeyKind, decided, typed_batches, typed_table
from starlings.dataframes import edge_names
from starlings.frame import EntityFrame

__all__ = ["Inputs", "open_frame", "sampled_entities"]

_PAIRS_AT_ONCE: Final = 1 << 21
_STANDARD_NAMES: Final = ("left", "right", "score", "left_source", "right_source")
_BLAMED_COLUMN: Final = re.compile(r"In CSV column #(\d+):")
_TEXT_KEYS: Final = 0b0100
_INT_KEYS: Final = 0b0011


def open_frame(pattern: str, reading: Reading, progress: Progress, *, memory_map: bool = True) -> EntityFrame:
    """The frame of one argument: a native file, mapped or read whole, or pairs; with what options add to it."""
    files = input_files([pattern], reading.format, reading.delimiter)
    if all(file.format is not FileFormat.NATIVE for file in files):
        return Inputs.of(files, reading).frame(EntityFrame(), progress)
    if len(files) > 1:
        raise Mistake(f"{pattern}: {len(files)} files, of which one alone can be read if it is a file of Starlings")
    return Inputs.of([], reading).frame(load_frame(files[0], progress, memory_map=memory_map), progress)


def sampled_entities(frame: EntityFrame, pattern: str, reading: Reading) -> dict[str, list[RecordName]]:
    """The entities of a sample, by their labels, in a file as those of other labels are; it is small."""
    membership = Membership.of("sample", input_files([pattern], delimiter=reading.delimiter), reading)
    kind = decided(_kind_of(frame, reading.key_type), membership.keys)
    return membership.entities(reading, kind)


@dataclass(frozen=True)
class _Pairs:
    """A file of pairs and its columns: keys, score and, where there are such, sources."""

    file: InputFile
    names: tuple[str | None, ...]

    @property
    def keys(self) -> KeyColumns:
        left, right = self.names[:2]
        return KeyColumns(self.file, (str(left), str(right)))

    def batches(self, kind: KeyKind) -> Iterator[Any]:
        """Its rows under the names that the engine knows."""
        pyarrow = arrow()
        others = [name for name in self.names[2:] if name is not None]
        types = dict(zip(others, [pyarrow.float64(), pyarrow.string(), pyarrow.string()], strict=False))
        standard = [name for name, own in zip(_STANDARD_NAMES, self.names, strict=True) if own is not None]
        for batch in typed_batches(self.keys, others, types, kind):
            yield pyarrow.RecordBatch.from_arrays(batch.columns, names=standard)


@dataclass(frozen=True)
class Inputs:
    """What is read into a frame."""

    pairs: list[_Pairs]
    records: list[tuple[str, KeyColumns]]
    memberships: list[Membership]
    reading: Reading

    @classmethod
    def of(cls, files: Sequence[InputFile], reading: Reading) -> Inputs:
        """The files of pairs, and what the options name; their columns are found here, and no row is read."""
        records = [
            (source, KeyColumns(file, (file.column(reading.key, KEY_NAMES, "keys", "--key"),)))
            for source, pattern in reading.sourced_records()
            for file in input_files([pattern], delimiter=reading.delimiter)
        ]
        memberships = [
            Membership.of(name, input_files([pattern], delimiter=reading.delimiter), reading)
            for name, pattern in reading.named_labels()
        ]
        return cls([_pairs_of(file, reading) for file in files], records, memberships, reading)

    def frame(self, frame: EntityFrame, progress: Progress) -> EntityFrame:
        """The frame with all of them added."""
        every = [*(pairs.keys for pairs in self.pairs), *(columns for _, columns in self.records)]
        every += [columns for membership in self.memberships for columns in membership.keys]
        kind = decided(_kind_of(frame, self.reading.key_type), every)
        self._add_records(frame, kind, progress)
        if self.pairs:
            self._add_pairs(frame, kind, progress)
        for membership in self.memberships:
            membership.add_to(frame, self.reading, kind, progress)
        if any(columns.file.is_text for columns in every) and _has_both_kinds(frame):
            warn("some keys are ints and others text, and 5 is not '5'; --key-type int or str reads those of CSV alike")
        return frame

    def _add_pairs(self, frame: EntityFrame, kind: KeyKind, progress: Progress) -> None:
        """All files as one collection."""
        rows = RowOrigins()
        reading = self.reading

        def batches() -> Iterator[Any]:
            for pairs in self.pairs:
                rows.begin(pairs.file.name)
                for batch in pairs.batches(kind):
                    yield batch
                    rows.add(len(batch))

        with blaming(", ".join(sorted({pairs.file.name for pairs in self.pairs})[:3]), rows.locate):
            BatchProcessor(frame, _PAIRS_AT_ONCE).process_large_dataset(
                reading.name,
                batches(),
                new_records=reading.new_records.value,
                progress=progress,
                **reading.edge_options(),
            )

    def _add_records(self, frame: EntityFrame, kind: KeyKind, progress: Progress) -> None:
        """The records of each source, all its files as one table."""
        for source in dict.fromkeys(source for source, _ in self.records):
            files = [columns for other, columns in self.records if other == source]
            (key,) = files[0].names
            rows = RowOrigins()
            tables = []
            for columns in files:
                rows.begin(columns.file.name)
                tables.append(_records_table(columns, kind).rename_columns({columns.names[0]: key}))
                rows.add(len(tables[-1]))
            with blaming(rows.files[0], rows.locate):
                frame.add_records(source, united_tables(tables, f"the records of {source!r}"), key, progress=progress)


def _records_table(columns: KeyColumns, kind: KeyKind) -> Any:
    """All columns of a file of records. A column of CSV that changes its type on the way is read as text."""
    others = [name for name in columns.file.names if name not in columns.names]
    types: dict[str, Any] = {}
    while True:
        try:
            return typed_table(columns, others, types, kind).select(columns.file.names)
        except Mistake as mistake:
            blamed = _BLAMED_COLUMN.search(str(mistake)) if columns.file.is_text else None
            name = None if blamed is None else columns.file.names[int(blamed[1])]
            if name is None or name in types or name in columns.names:
                raise
            types[name] = arrow().string()
            warn(f"{columns.file.name}: column {name!r} is read as text, for its values are of several types")


def _pairs_of(file: InputFile, reading: Reading) -> _Pairs:
    """A file as one of pairs; its columns are found."""
    if file.format is FileFormat.NATIVE:
        raise Mistake(f"{file.name}: is a file of Starlings, not one of pairs; --into adds pairs to it", file=file.name)
    if {"key", "entity_id"} <= set(file.names) and reading.score is None:
        raise Mistake(
            f"{file.name}: is a table of entities, as starlings at writes them, not one of pairs; --labels "
            "NAME=FILE reads it",
            file=file.name,
        )
    names = edge_names(file.names, reading.columns, reading.scale.value)
    missing = [str(name) for name in names if name is not None and name not in file.names]
    if missing:
        raise Mistake(
            f"{file.name}: no column {', '.join(map(repr, missing))} in the pairs; name them with --left, --right and "
            f"--score. There are {', '.join(map(repr, file.names)) or 'none'}.{file.separator_hint}",
            kind="InvalidArgumentError",
            file=file.name,
        )
    if len(set(names[:3])) < 3:
        raise Mistake(
            f"{file.name}: a column is named twice; --left, --right and --score name different ones, not {names[:3]}",
            file=file.name,
        )
    return _Pairs(file, names)


def _kind_of(frame: EntityFrame, asked: KeyKind) -> KeyKind:
    """The kind of key to read from text: as asked, else that of the frame if it has but one."""
    kinds = frame._core.now().context.key_kinds
    if asked is not KeyKind.AUTO or not kinds:
        return asked
    if not kinds & ~_INT_KEYS:
        return KeyKind.INT
    return KeyKind.STR if kinds == _TEXT_KEYS else asked


def _has_both_kinds(frame: EntityFrame) -> bool:
    """Whether there are keys that are ints and such that are text."""
    kinds = frame._core.now().context.key_kinds
    return bool(kinds & _INT_KEYS) and bool(kinds & _TEXT_KEYS)
