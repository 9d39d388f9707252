"""``starlings sweep``: statistics, or metrics against a reference, over thresholds."""

from __future__ import annotations

from math import floor
from typing import Annotated, Final

import numpy as np
import typer

from starlings.cli.completion import complete_collections
from starlings.cli.cuts import CutText
from starlings.cli.frame_files import open_frame
from starlings.cli.measuring import MetricsOption, ReferenceOption, check_alone, metric_names
from starlings.cli.mistakes import Mistake
from starlings.cli.outputs import Output
from starlings.cli.parameters import argument, option
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.showing import Showing, show_json, show_report
from starlings.exceptions import CollectionNotFoundError, nearest
from starlings.expressions import Expression, col
from starlings.frame import EntityFrame
from starlings.reports import Categories, Column, Report

__all__ = ["sweep"]

#: What is told of collections by themselves.
_STATISTICS: Final = ("entity_count", "largest_entity", "mean_size", "singletons", "pair_count", "entropy")


def sweep(
    file: FileArgument,
    collections: Annotated[
        list[str] | None,
        argument(
            metavar="COLLECTION",
            autocompletion=complete_collections,
            help="Which collections; by default all but the reference.",
        ),
    ] = None,
    *,
    start: Annotated[float | None, option(help="The first threshold; 0 by default.")] = None,
    stop: Annotated[float | None, option(help="The last one, included; 1 by default.")] = None,
    step: Annotated[float | None, option(help="From one to the next; 0.01 by default.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every threshold at which something merges.")] = False,
    reference: ReferenceOption = None,
    metrics: MetricsOption = None,
    output: Output,
    reading: Reading,
    showing: Showing,
) -> None:
    """Measure collections at many thresholds.

    Without a reference: how many entities there are, how large they are and so on. With one: f1, precision, recall and
    so on against it.

    starlings sweep model.starlings model --reference truth --step 0.1 --metric f1
    """
    output.check(showing, file, *reading.files)
    if every and not (start is None and stop is None and step is None):
        raise Mistake("--all takes every threshold: leave out --start, --stop and --step")
    names = metric_names(metrics)
    if reference is None:
        check_alone(names)
    frame = open_frame(file, reading, showing.bar)
    against = None if reference is None else CutText.of(reference, frame)
    chosen = _chosen(collections, frame, against)
    if not chosen:
        raise Mistake("there is no collection to measure; starlings build --into adds one")
    swept = [_swept(name, frame, start, stop, step, every) for name in chosen]
    if against is not None:
        expressions = [*swept, against.reference(frame).reference()]
        report = frame.analyse(expressions, metrics=names, progress=showing.bar)
    else:
        statistics = names or list(_STATISTICS)
        report = _stacked(chosen, [frame.analyse(one, metrics=statistics, progress=showing.bar) for one in swept])
    output.write(report, showing)
    if showing.json:
        show_json({"command": "sweep", "file": file, "metrics": report.metrics, "rows": report})
    elif not output.is_data:
        show_report(report)


def _chosen(names: list[str] | None, frame: EntityFrame, against: CutText | None) -> list[str]:
    """The collections to measure."""
    for name in names or ():
        if name not in frame:
            raise CollectionNotFoundError(f"no collection {name!r}{nearest(name, frame.collection_names())}")
    reference = None if against is None else against.name
    return list(dict.fromkeys(names)) if names else [name for name in frame if name != reference]


def _swept(
    name: str, frame: EntityFrame, start: float | None, stop: float | None, step: float | None, every: bool
) -> Expression:
    """One collection at the thresholds asked for; by default at those of `Collection.sweep`."""
    if every:
        return col(name).sweep()
    if start is None and stop is None and step is None:
        collection = frame[name]
        has_floor = collection.scale == "weight" and len(collection.thresholds)
        start = floor(collection.thresholds[-1]) if has_floor else 0.0
    return col(name).sweep(start, stop, step)


def _stacked(names: list[str], reports: list[Report]) -> Report:
    """Statistics of collections, one below the other."""
    codes = np.repeat(np.arange(len(names), dtype=np.uint32), list(map(len, reports)))
    numbers: dict[str, Column] = {
        column: np.concatenate([report[column] for report in reports])
        for column in reports[0].columns
        if column != "collection"
    }
    return Report({"collection": Categories(codes, tuple(names)), **numbers})
