"""Keys in files of text, which do not say whether 5 is a number: decided once for all files of a command.

By default the keys of all text files are ints if, in the first block of each, every one is written as Starlings would
write it (``5``, not ``05`` or ``5.0``), else text; so 5 in one file is 5 in the other. A later key that is no int is an
error that says how to read them all as text: nothing is guessed halfway. Files with types of their own are read as they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from starlings.cli.mistakes import Mistake
from starlings.cli.table_files import InputFile, arrow

__all__ = ["KeyColumns", "KeyKind", "decided", "typed_batches", "typed_table"]

_INT: Final = r"^(0|[1-9][0-9]{0,19})$"


class KeyKind(StrEnum):
    """How keys of text files are read."""

    AUTO = "auto"
    INT = "int"
    STR = "str"


@dataclass(frozen=True)
class KeyColumns:
    """A file, and which of its columns hold keys."""

    file: InputFile
    names: tuple[str, ...]


def decided(kind: KeyKind, every: Sequence[KeyColumns]) -> KeyKind:
    """The kind of the keys of these files as far as they are text: what was asked for, else what they look like."""
    texts = [columns for columns in every if columns.file.is_text]
    if kind is not KeyKind.AUTO or not texts:
        return kind
    return KeyKind.INT if all(map(_begins_with_ints, texts)) else KeyKind.STR


def _begins_with_ints(columns: KeyColumns) -> bool:
    """Whether all keys of the first batch are ints; true of none."""
    strings = dict.fromkeys(columns.names, arrow().string())
    first = next(columns.file.batches(columns.names, strings), None)
    return first is None or all(map(_are_ints, first.columns))


def _are_ints(column: Any) -> bool:
    """Whether a column of text holds nothing but ints as Starlings writes them, and nulls."""
    matching = arrow(".compute").all(arrow(".compute").match_substring_regex(column, _INT)).as_py()
    return matching is not False


def typed_batches(columns: KeyColumns, others: Sequence[str], types: dict[str, Any], kind: KeyKind) -> Iterator[Any]:
    """Batches of a file with its columns of keys, then others; keys of text are of that kind."""
    texts = types | dict.fromkeys(columns.names, arrow().string())
    for batch in columns.file.batches([*columns.names, *others], texts):
        if kind is KeyKind.INT and columns.file.is_text:
            batch = _with_int_keys(batch, columns)
        yield batch


def typed_table(columns: KeyColumns, others: Sequence[str], types: dict[str, Any], kind: KeyKind) -> Any:
    """The same as one table."""
    every = list(typed_batches(columns, others, types, kind))
    if every:
        return arrow().Table.from_batches(every)
    return arrow().table({name: arrow().array([], arrow().string()) for name in [*columns.names, *others]})


def _with_int_keys(batch: Any, columns: KeyColumns) -> Any:
    """The batch with its keys as ints."""
    pyarrow = arrow()
    for name in columns.names:
        text = batch.column(name)
        try:
            if not _are_ints(text):
                raise pyarrow.ArrowInvalid
            ints = text.cast(pyarrow.uint64())
        except pyarrow.ArrowInvalid:
            raise _no_int(text, name, columns.file) from None
        batch = batch.set_column(batch.schema.get_field_index(name), name, ints)
    return batch


def _no_int(text: Any, name: str, file: InputFile) -> Mistake:
    """The error for a key that is no int among ints."""
    compute = arrow(".compute")
    others = text.filter(compute.invert(compute.match_substring_regex(text, _INT)))
    first = others[0].as_py() if len(others) else compute.max(compute.utf8_rpad(text, 20)).as_py()
    return Mistake(
        f"{file.name}: column {name!r} holds {first!r}, which is no int key, while other keys are ints; "
        "--key-type str reads all keys of text files as text",
        kind="InvalidKeyError",
        file=file.name,
    )
