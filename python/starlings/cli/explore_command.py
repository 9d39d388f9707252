"""``starlings explore``: a page to look at all thresholds in a browser."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated, Any

import typer

from starlings.cli.cuts import CutText
from starlings.cli.frame_files import open_frame, sampled_entities
from starlings.cli.input_paths import check_target
from starlings.cli.measuring import MetricsOption, ReferenceOption, metric_names
from starlings.cli.mistakes import Mistake
from starlings.cli.parameters import option
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.showing import Showing, say, show_json
from starlings.exceptions import KeyNotFoundError, OverlapError
from starlings.frame import EntityFrame

__all__ = ["explore"]


class SampleWeights(StrEnum):
    """What an entity of a sample counts."""

    UNIFORM = "uniform"
    SIZE = "size"


def explore(
    file: FileArgument,
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The page, in place of one that is there.")
    ] = "explorer.html",
    reference: ReferenceOption = None,
    metrics: MetricsOption = None,
    sample: Annotated[
        str | None,
        option(
            "--sample",
            metavar="FILE",
            help="Instead of a reference, a random sample of the true entities, one row a record: key, label. Metrics "
            "are estimates then, with confidence bands.",
        ),
    ] = None,
    sample_weights: Annotated[
        SampleWeights,
        option(help="How the sample was drawn: each entity as probable, the default, or each record, with its entity."),
    ] = SampleWeights.UNIFORM,
    max_records: Annotated[
        int | None,
        option(
            min=1,
            help="Records that the page holds with their keys and attributes; by default so many that it stays at "
            "about 20 MB, at most 200,000. Curves and sizes are always of all.",
        ),
    ] = None,
    title: Annotated[str | None, option(help="Of the page.")] = None,
    reading: Reading,
    showing: Showing,
) -> None:
    """Make a page with curves, best cuts, entities and changes at every threshold. It needs no network.

    starlings explore model.starlings --reference truth -o report.html
    """
    if output == "-":
        raise Mistake("the page is written to a file, not to standard output; name one with --output")
    if sample is not None and reference is not None:
        raise Mistake("--sample and --reference exclude each other: metrics are estimated or they are measured")
    check_target(output, file, sample, *reading.files)
    frame = open_frame(file, reading, showing.bar)
    options: dict[str, Any] = {"title": title, "max_records": max_records, "progress": showing.bar}
    if metric_names(metrics):
        options["metrics"] = metric_names(metrics)
    if sample is not None:
        options |= {"sample": sampled_entities(frame, sample, reading), "weights": sample_weights.value}
    elif reference is None and "truth" in frame and len(frame) > 1:
        reference = "truth"
    if reference is not None:
        options["reference"] = CutText.of(reference, frame).reference(frame)
    _write(frame, output, options, sample)
    if showing.json:
        show_json({"command": "explore", "file": file, "output": output, "bytes": os.path.getsize(output)})
    else:
        say(f"wrote {output}: open it in a browser", showing)


def _write(frame: EntityFrame, output: str, options: dict[str, Any], sample: str | None) -> None:
    """Write the page; errors say which file they are about."""
    try:
        frame.explore(output, **options)
    except (KeyNotFoundError, OverlapError) as error:  # their row counts entities
        raise Mistake(f"{sample}: {error}", kind=type(error).__name__, file=sample) from error
    except OSError as error:
        raise Mistake.of(error, output) from error
