"""The result files of the main job, and its summary as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import csv

from starlings.demo.job import JobResult, Row
from starlings.demo.metrics import BEST_BY, TITLES

__all__ = ["summary", "write_tables"]

_HEADER = ("cut", "threshold", "precision", "recall", "F1", "B-cubed F1", "exact F1", "entities", "exact")


def write_tables(result: JobResult, directory: Path) -> list[Path]:
    """Write the entities (Parquet and CSV) and the curve (Parquet).

    Returns
    -------
    list of Path
        The files, in the order in which to show them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    entities, text, curve = (directory / name for name in ("entities.parquet", "entities.csv", "curve.parquet"))
    pq.write_table(result.entities, entities)
    csv.write_csv(_without_dictionaries(result.entities), text, csv.WriteOptions(quoting_style="needed"))
    pq.write_table(result.curve, curve)
    return [entities, text, curve]


def summary(result: JobResult, title: str, files: Sequence[Path]) -> str:
    """The result as text: what went in, the best cuts, what the customary thresholds give, and the files written."""
    lines = [
        title,
        "",
        f"  {result.records:,} records, {result.true_entities:,} true entities",
        f"  {result.edges:,} scored pairs, {result.curve.num_rows:,} thresholds at which entities change",
    ]
    if result.unlabelled:
        what = "record is" if result.unlabelled == 1 else "records are"
        such_as = f"such as {result.unlabelled_example}; each counts as an entity of its own"
        lines.append(f"  {result.unlabelled:,} {what} not in the truth, {such_as}")
    return "\n".join([*lines, "", *_cuts(result), "", *(f"  {path}" for path in files)])


def _cuts(result: JobResult) -> list[str]:
    """The table of cuts, the chosen one marked."""
    names = dict.fromkeys((*BEST_BY, result.metric))
    rows = [_cells(result, f"best {TITLES.get(name, name)}", result.best[name]) for name in names]
    rows += [_cells(result, f"at {at:g}", row, at) for at, row in result.defaults.items()]
    chosen = list(names).index(result.metric)
    marks = ["->" if i == chosen else "" for i in range(len(rows))]
    return [
        *_aligned([_HEADER, *rows], ["", *marks]),
        "",
        "  -> the cut that is written out; exact: entities that are a true one, record for record",
    ]


def _cells(result: JobResult, title: str, row: Row, threshold: float | None = None) -> tuple[str, ...]:
    """One line of the table; `exact` counts the entities that are exactly a true one."""
    at = row["threshold"] if threshold is None else threshold
    figures = [f"{row[name]:.4f}" for name in ("precision", "recall", "f1", "bcubed_f1", "cluster_f1")]
    exact = round(row["cluster_recall"] * result.true_entities)
    return (title, f"{at:.6f}", *figures, f"{int(row['entity_count']):,}", f"{exact:,}")


def _aligned(rows: Sequence[Sequence[str]], marks: Sequence[str]) -> list[str]:
    """Rows as lines of columns two spaces apart, the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for mark, row in zip(marks, rows, strict=True):
        figures = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([f"  {mark:2}", row[0].ljust(widths[0]), *figures]).rstrip())
    return lines


def _without_dictionaries(table: pa.Table) -> pa.Table:
    """The table with dictionary columns written out, as the CSV writer wants them."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(field.type.value_type))
    return table
