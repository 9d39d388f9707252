"""What the shell completes: collections and cuts of the file on the line, and metrics.

Only native files are opened, which takes no longer than a look at them; whatever goes wrong, there is nothing to
complete, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

import typer

from starlings.cli.table_files import FileFormat, input_files
from starlings.frame import EntityFrame
from starlings.metrics import Metrics

__all__ = ["complete_collections", "complete_cuts", "complete_gates", "complete_metrics"]


def complete_collections(context: typer.Context, incomplete: str) -> list[str]:
    """Names of the collections of the file."""
    frame = _frame_of(context)
    return [] if frame is None else [name for name in frame if name.startswith(incomplete)]


def complete_cuts(context: typer.Context, incomplete: str) -> list[str]:
    """Collections, with an ``@`` and without, so that the shell goes on to no next word; behind it tenths."""
    frame = _frame_of(context)
    if frame is None:
        return []
    name, at, begun = incomplete.rpartition("@")
    if at and name in frame:
        tenths = (f"{number / 10:g}" for number in range(11))
        return [f"{name}@{tenth}" for tenth in tenths if tenth.startswith(begun)]
    return [text for known in frame if known.startswith(incomplete) for text in (known, f"{known}@")]


def complete_metrics(incomplete: str) -> Iterator[str]:
    """Names of metrics, after what was written before a comma."""
    before, comma, begun = incomplete.rpartition(",")
    names = [metric.name for metric in [*Metrics.eval, *Metrics.stats]]
    return (f"{before}{comma}{name}" for name in names if name.startswith(begun))


def complete_gates(incomplete: str) -> Iterator[str]:
    """Names of metrics with an equals sign."""
    return (f"{name}=" for name in complete_metrics(incomplete)) if "=" not in incomplete else iter(())


def _frame_of(context: typer.Context) -> EntityFrame | None:
    """The frame of the file on the line, if it is a native one."""
    from starlings.cli.native_files import load_frame

    path = context.params.get("file") or next(iter(context.args), None)  # not told apart yet behind an option
    if not isinstance(path, str) or path == "-":
        return None
    try:
        (file,) = input_files([path])
        return load_frame(file, False) if file.format is FileFormat.NATIVE else None
    except Exception:  # a shell that waits for names is no place for an error
        return None
