"""``starlings compare``: cuts and collections against a reference, with gates for continuous integration."""

from __future__ import annotations

import sys
from itertools import pairwise
from os.path import exists
from typing import Annotated, Final

import numpy as np

from starlings.cli.completion import complete_cuts, complete_gates, complete_metrics
from starlings.cli.cuts import CutText
from starlings.cli.frame_files import open_frame
from starlings.cli.gates import Gate, Verdict, judge, parse_gates
from starlings.cli.measuring import MetricsOption, ReferenceOption, highest, metric_names
from starlings.cli.mistakes import Mistake
from starlings.cli.outputs import Output
from starlings.cli.parameters import argument, option
from starlings.cli.reading_options import FileArgument, Reading
from starlings.cli.showing import Showing, show_json, show_report
from starlings.expressions import Expression
from starlings.frame import EntityFrame
from starlings.metrics import Metric, find
from starlings.metrics import report as defaults
from starlings.reports import Report

__all__ = ["compare"]

_FAILED: Final = 1


def compare(
    file: FileArgument,
    cuts: Annotated[
        list[str] | None,
        argument(
            metavar="CUT",
            autocompletion=complete_cuts,
            help="What to judge: collection@threshold, or a collection at all its thresholds; by default all "
            "collections but the reference.",
        ),
    ] = None,
    *,
    reference: ReferenceOption = None,
    metrics: MetricsOption = None,
    best: Annotated[
        str | None,
        option(
            metavar="METRIC",
            autocompletion=complete_metrics,
            help="Of each collection only the threshold at which this metric is highest; gates are judged there.",
        ),
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        option(
            metavar="METRIC=VALUE",
            autocompletion=complete_gates,
            help="Exit code 1 if the metric is under the value at every threshold judged. Repeatable: all have to hold "
            "at one threshold.",
        ),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        option(
            metavar="METRIC=VALUE",
            autocompletion=complete_gates,
            help="The same for metrics of which less is better, such as variation_of_information.",
        ),
    ] = None,
    output: Output,
    reading: Reading,
    showing: Showing,
) -> int:
    """Compare cuts or collections with a reference: by default the collection called truth, cut at 1.0.

    starlings compare model.starlings model --best f1 --fail-under precision=0.95
    """
    output.check(showing, file, *reading.files)
    gates = parse_gates(fail_under or (), fail_over or ())
    measured = _metrics(metric_names(metrics), gates, best)
    frame = open_frame(file, reading, showing.bar)
    against = CutText.of(_reference(reference, frame), frame)
    judged = _judged(cuts, frame, against)
    target = against.reference(frame)
    report = frame.analyse([*judged, target.reference()], metrics=measured, progress=showing.bar)
    starts = np.cumsum([0, *(len(one.thresholds(frame[one.name]._state.hierarchy)) for one in judged)]).tolist()
    if best is not None:
        report = _best_rows(report, starts, find(best).label)
        starts = list(range(len(judged) + 1))
    verdicts = [verdict for start, stop in pairwise(starts) for verdict in judge(gates, report[start:stop])]
    passed = all(verdict.passed for verdict in verdicts)
    output.write(report, showing)
    if showing.json:
        gated = [verdict.as_json() for verdict in verdicts]
        labels = [metric.label for metric in measured]
        show_json(
            {"command": "compare", "file": file, "metrics": labels, "rows": report, "gates": gated, "passed": passed}
        )
    else:
        if not output.is_data:
            show_report(report)
        _tell_failed(verdicts)
    return 0 if passed else _FAILED


def _tell_failed(verdicts: list[Verdict]) -> None:
    """What did not pass, a line each."""
    for verdict in verdicts:
        if not verdict.passed:
            print(f"starlings: failed: {verdict}", file=sys.stderr)


def _metrics(names: list[str] | None, gates: list[Gate], best: str | None) -> list[Metric]:
    """What to measure: what was asked for, and what gates and the choice of a threshold need."""
    chosen = list(defaults.comparison) if names is None else [find(name) for name in names]
    needed = [gate.metric for gate in gates] + ([] if best is None else [find(best)])
    return list(dict.fromkeys([*chosen, *needed]))


def _reference(asked: str | None, frame: EntityFrame) -> str:
    """The reference asked for, or the collection called truth."""
    if asked is not None:
        return asked
    if "truth" not in frame:
        there = ", ".join(map(repr, frame)) or "none"
        raise Mistake(
            f"what to compare with? --reference names a collection (there are {there}), --truth a file of true entities"
        )
    return "truth"


def _judged(cuts: list[str] | None, frame: EntityFrame, against: CutText) -> list[Expression]:
    """What is compared with the reference."""
    for cut in cuts or ():
        if cut not in frame and exists(cut):
            raise Mistake(f"{cut!r} is a file, and cuts are named here; quote a pattern, so that it is one argument")
    if cuts:
        return [CutText.of(cut, frame).expression() for cut in cuts]
    judged = [CutText(name, None).expression() for name in frame if name != against.name]
    if not judged:
        raise Mistake(f"there is no collection but the reference {against.name!r}; name a cut of it to compare")
    return judged


def _best_rows(report: Report, starts: list[int], label: str) -> Report:
    """Of each part of a report the row in which a metric is highest."""
    rows = [start + highest(report[start:stop], report[label][start:stop]) for start, stop in pairwise(starts)]
    return Report({name: column[np.array(rows)] for name, column in report._columns.items()})
