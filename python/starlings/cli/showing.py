"""Answers on standard output: tables for people, JSON for programs.

On a terminal tables are drawn by rich; elsewhere they are columns of text that a pipe can cut. JSON is one document a
command, in UTF-8; what JSON has no number for, NaN and infinity, is null.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Annotated, Any, Final, Literal

import numpy as np
import typer

from starlings._typing import Progress
from starlings.cli.record_keys import safe_text
from starlings.reports import Report

__all__ = ["Showing", "number", "say", "show_facts", "show_json", "show_report", "show_table", "write_bytes"]

_ROWS_ON_TERMINAL: Final = 200
_ROWS_AT_ONCE: Final = 10_000
_BETWEEN_DRAWN: Final = 2
_SHORT_TEXT: Final = 24  # which is never broken into lines


@dataclass(frozen=True)
class Showing:
    """How a command answers."""

    json: Annotated[bool, typer.Option("--json", help="Answer in JSON. Errors are JSON too, on standard error.")] = (
        False
    )
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on standard error but errors.")] = False
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            show_default=False,
            help="A bar on standard error; by default on a terminal, once the work has lasted a second.",
        ),
    ] = None

    @property
    def bar(self) -> Progress:
        """What to pass on as ``progress=``."""
        return False if self.quiet and self.progress is None else self.progress


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def number(value: object) -> str:
    """A cell as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else safe_text(str(value))


def say(text: str, showing: Showing) -> None:
    """A line on standard error about what was done."""
    if not showing.quiet:
        print(text, file=sys.stderr)


def write_bytes(data: bytes) -> None:
    """Bytes on standard output, after what was printed."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


# ----------------------------------------------------------------------------------------------------------------- JSON


def show_json(document: dict[str, Any]) -> None:
    """One document on standard output."""
    text = json.dumps(_storable(document), ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(text.encode("utf-8", "surrogateescape") + b"\n")


def _storable(value: Any) -> Any:
    """A value with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _storable(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, Report)):
        return [_storable(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value


# --------------------------------------------------------------------------------------------------------------- tables


def show_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Names and values, one a line."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name.ljust(width)}  {number(value)}")


def show_report(report: Report) -> None:
    """A report as a table; on a terminal a reference that is the same in all rows is said once."""
    if on_terminal() and "reference" in report.columns:
        cuts = set(zip(report["reference"], report["reference_threshold"].tolist(), strict=True))
        if len(cuts) == 1:
            ((name, threshold),) = cuts
            print(f"compared with {safe_text(name)}@{threshold:g}")
            others = {"reference", "reference_threshold"}
            report = Report({name: column for name, column in report._columns.items() if name not in others})
    rows = ([number(value) for value in row.values()] for row in report)
    text = {name for name, column in report._columns.items() if not isinstance(column, np.ndarray)}
    show_table(report.columns, rows, len(report), text)


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], count: int, text: Iterable[str] = (), more: str = ""
) -> None:
    """A table of `count` rows; columns named in `text` are aligned to the left. `more` says where all rows are."""
    is_text = [name in set(text) for name in columns]
    if on_terminal():
        _draw(columns, list(islice(rows, _ROWS_ON_TERMINAL)), is_text)
        if count > _ROWS_ON_TERMINAL:
            print(f"... {count - _ROWS_ON_TERMINAL:,} more rows{more}")
        return
    for block in _blocks(iter(rows)):
        _print_aligned(columns, block, is_text)
        columns = [""] * len(columns)


def _blocks(rows: Iterator[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """The rows in blocks, at least one of them."""
    block = list(islice(rows, _ROWS_AT_ONCE))
    yield block
    while block := list(islice(rows, _ROWS_AT_ONCE)):
        yield block


def _print_aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], is_text: Sequence[bool]) -> None:
    """Columns two spaces apart; without a head where all names are empty."""
    table = [list(columns), *rows] if any(columns) else list(rows)
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    place: list[Callable[[str, int], str]] = [str.ljust if left else str.rjust for left in is_text]
    for row in table:
        cells = (put(cell, width) for put, cell, width in zip(place, row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], is_text: Sequence[bool]) -> None:
    """The table as rich draws it; what is too wide in several, each with what rows are called: nothing is cut."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    may_fold = [left and width > _SHORT_TEXT for left, width in zip(is_text, widths, strict=True)]
    least = [_SHORT_TEXT if folds else width for folds, width in zip(may_fold, widths, strict=True)]
    for part in _parts(least, console.width, 2 if "threshold" in columns[:2] else 1):
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        for place in part:
            side: Literal["left", "right"] = "left" if is_text[place] else "right"
            table.add_column(Text(columns[place]), justify=side, min_width=least[place], overflow="fold")
        for row in rows:
            table.add_row(*(Text(row[place]) for place in part))
        console.print(table)


def _parts(widths: Sequence[int], most: int, repeated: int) -> Iterator[list[int]]:
    """Columns that fit side by side, so many of the first in each part, or fewer."""
    taken = [width + _BETWEEN_DRAWN for width in widths]
    while repeated > 1 and sum(taken[:repeated]) + max(taken[repeated:], default=0) > most:
        repeated -= 1
    first = list(range(repeated))
    part = list(first)
    for place in range(repeated, len(widths)):
        if part != first and sum(taken[other] for other in [*part, place]) > most:
            yield part
            part = list(first)
        part.append(place)
    yield part
