"""``starlings at``: the entities at a threshold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import numpy as np
import typer

from starlings.cli.completion import complete_cuts
from starlings.cli.cuts import CutText
from starlings.cli.frame_files import open_frame
from starlings.cli.mistakes import Mistake
from starlings.cli.outputs import Output
from starlings.cli.parameters import argument
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.record_keys import safe_text
from starlings.cli.showing import Showing, on_terminal, say, show_facts, show_json, show_table, write_bytes
from starlings.cli.written_tables import TableFormat, entities_table, json_rows, write_table
from starlings.partition import Partition
from starlings.record_names import record_names

__all__ = ["at"]

_ROWS_ON_TERMINAL: Final = 40

CutArgument = Annotated[
    str,
    argument(
        metavar="CUT",
        autocompletion=complete_cuts,
        help="collection@threshold, as in model@0.8; the threshold alone if there is but one collection.",
    ),
]


def at(
    file: FileArgument,
    cut: CutArgument,
    *,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how many entities there are, and how large.")
    ] = False,
    output: Output,
    reading: Reading,
    showing: Showing,
) -> None:
    """Write the entities at a threshold, one row a record: source, key, entity_id.

    To standard output they go as CSV, on a terminal as a table of the first of them.

    starlings at model.starlings model@0.8 -o entities.parquet
    """
    output.check(showing, file, *reading.files)
    if summary and output.is_data:
        raise Mistake("--summary writes no table: leave out --output and --as")
    frame = open_frame(file, reading, showing.bar)
    chosen = CutText.of(cut, frame)
    partition = chosen.partition(frame)
    if output.is_data:
        output.write(entities_table(partition, output.format), showing)
    facts = _summary(chosen.name, partition)
    if showing.json:
        document = {"command": "at", "file": file} | facts
        _show_json(document, None if summary or output.is_data else partition)
    elif summary:
        show_facts(list(facts.items()))
    elif not output.is_data:
        _show(chosen.name, partition, showing)


def _summary(name: str, partition: Partition) -> dict[str, Any]:
    """How many entities there are, and how large."""
    sizes = partition.sizes
    return {
        "collection": name,
        "threshold": partition.threshold,
        "num_records": partition.num_records,
        "num_entities": partition.num_entities,
        "largest_entity": int(sizes.max(initial=0)),
        "singletons": int(np.count_nonzero(sizes == 1)),
    }


def _show_json(document: dict[str, Any], partition: Partition | None) -> None:
    """One document, with the rows of a partition, which are written as they are made."""
    if partition is None:
        show_json(document)
        return
    head = json.dumps(document, ensure_ascii=False, indent=2)
    write_bytes(f'{head[: head.rindex("}")].rstrip()},\n  "rows": ['.encode("utf-8", "surrogateescape"))
    separator = b"\n    "
    for block in json_rows(entities_table(partition, TableFormat.JSONL)):
        write_bytes(separator + block.rstrip(b"\n").replace(b"\n", b",\n    "))
        separator = b",\n    "
    write_bytes(b"\n  ]\n}\n" if partition.num_records else b"]\n}\n")


def _show(name: str, partition: Partition, showing: Showing) -> None:
    """All rows as CSV, on a terminal the first ones as a table."""
    if not on_terminal():
        write_table(entities_table(partition, TableFormat.CSV), None, TableFormat.CSV)
        return
    count = min(partition.num_records, _ROWS_ON_TERMINAL)
    show_table(["source", "key", "entity_id"], _first_rows(partition, count), count, ["source", "key"])
    more = f"the first {count:,} of " if count < partition.num_records else ""
    where = "; --output writes all" if more else ""
    say(
        f"{more}{partition.num_records:,} records in {partition.num_entities:,} entities at {name}@"
        f"{partition.threshold:g}{where}",
        showing,
    )


def _first_rows(partition: Partition, count: int) -> Iterator[list[str]]:
    """The first rows of the table, entity by entity."""
    records = np.asarray(partition._core.records)[:count]
    ids = partition.labels[records].tolist()
    for (source, key), entity in zip(record_names(partition._context, records), ids, strict=True):
        yield [safe_text(source), safe_text(key.hex() if isinstance(key, bytes) else str(key)), str(entity)]
