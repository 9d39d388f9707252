"""Command line of the main job: ``python -m starlings.demo``; ``--help`` lists the options.

Results go to standard output, progress to standard error. Exit code 0: done; 1: the input cannot be used, or a library
of an extra is missing; 2: the command line cannot be understood; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import starlings as sl
from starlings.demo.errors import DemoError, needs_extra
from starlings.demo.metrics import CHOICES
from starlings.demo.steps import Steps

if TYPE_CHECKING:
    from starlings.demo.inputs import InputFiles

__all__ = ["main"]

_DESCRIPTION = """\
From scored record pairs and the true entities to every metric at every threshold, the best thresholds, a chart, and the
entities at the best one as a file. Without --edges and --truth: on the FEBRL 3 records, scored by a Splink model."""
_EPILOG = """\
input files (Parquet, CSV or TSV)
  edges    left, right, score [left_source, right_source], or as Splink writes them:
           unique_id_l, unique_id_r, match_probability [source_dataset_l, source_dataset_r]
  truth    key, entity [source]; records that it leaves out count as entities of their own
  records  key [source, attributes]; all records there are, so the other files may name no more. Without this file:
           the records of the truth and of the edges
  A record is its key and its source, which must be the same in all files. Without a source column it is "default".

result files, in the output folder
  entities.parquet, entities.csv   source, key and entity_id of every record, at the best threshold
  curve.parquet                    every metric at every threshold at which entities change
  curve.html, curve.png            the chart"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    options = _parser().parse_args(arguments)
    if (options.edges is None) != (options.truth is None):
        _parser().error("--edges and --truth go together")
    if options.records is not None and options.edges is None:
        _parser().error("--records goes with --edges and --truth")
    try:
        _run(options)
    except (DemoError, sl.StarlingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    """Read or make the input, do the job, write and print the result."""
    _check_extras(chart=options.chart)
    from starlings.demo.inputs import read_inputs
    from starlings.demo.job import run_job
    from starlings.demo.outputs import summary, write_tables

    if options.threads is not None:
        sl.set_num_threads(options.threads)
    steps = Steps(quiet=options.quiet)
    options.output.mkdir(parents=True, exist_ok=True)
    title = "FEBRL 3, scored by Splink" if options.edges is None else options.edges.name
    files = _input_files(options, steps)
    with steps.step("Read and check the input"):
        inputs = read_inputs(files)
    result = run_job(inputs, steps, metric=options.metric)
    with steps.step("Write entities and curve"):
        written = write_tables(result, options.output)
    if options.chart:
        with steps.step("Draw the chart"), needs_extra("plot"):
            from starlings.demo.chart import write_chart

            written += write_chart(result, options.output, title=f"{title}: quality at every threshold")
    steps.total()
    print(summary(result, title, written))


def _check_extras(*, chart: bool) -> None:
    """Find out before any work whether the libraries are there."""
    with needs_extra("demo"):
        import pyarrow  # type: ignore[import-untyped]  # noqa: F401
    if chart:
        with needs_extra("plot"):
            import altair  # noqa: F401
            import vl_convert  # noqa: F401


def _input_files(options: argparse.Namespace, steps: Steps) -> InputFiles:
    """The user's files, or those made from FEBRL 3."""
    from starlings.demo.inputs import InputFiles

    if options.edges is not None:
        return InputFiles(edges=options.edges, truth=options.truth, records=options.records)
    with steps.step("Load Splink and DuckDB"), needs_extra("demo"):
        from starlings.demo.febrl import prepare_febrl3
    return prepare_febrl3(options.output, steps)


def _parser() -> argparse.ArgumentParser:
    """The options, documented."""
    parser = argparse.ArgumentParser(
        prog="python -m starlings.demo",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("input (none: FEBRL 3)")
    files.add_argument("--edges", type=_existing_file, metavar="FILE", help="scored pairs of records")
    files.add_argument("--truth", type=_existing_file, metavar="FILE", help="true entity of each record")
    files.add_argument(
        "--records",
        type=_existing_file,
        metavar="FILE",
        help="all records there are (default: the records of the truth and of the edges)",
    )
    parser.add_argument(
        "--output",
        type=_folder,
        default=Path("demo-output"),
        metavar="DIR",
        help="folder for the results (default: demo-output)",
    )
    parser.add_argument(
        "--metric",
        choices=CHOICES,
        default="f1",
        metavar="NAME",
        help=f"cut the entities where this metric is best: {', '.join(CHOICES)} (default: f1)",
    )
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads to use (default: all processors)")
    parser.add_argument("--no-chart", dest="chart", action="store_false", help="write no chart")
    parser.add_argument("--quiet", action="store_true", help="show no progress, only the result")
    return parser


def _existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return path


def _folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"not a folder: {text}")
    return path


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a positive whole number: {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
