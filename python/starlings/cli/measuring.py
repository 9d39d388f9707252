"""What the commands that measure have in common: which metrics, and against what."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from starlings.cli.completion import complete_cuts, complete_metrics
from starlings.cli.mistakes import Mistake
from starlings.cli.parameters import option
from starlings.metrics import resolve
from starlings.reports import Report

__all__ = ["MetricsOption", "ReferenceOption", "check_alone", "highest", "metric_names"]

MetricsOption = Annotated[
    list[str] | None,
    option(
        "--metric",
        "-m",
        metavar="METRIC",
        autocompletion=complete_metrics,
        help="What to measure, as in f1 or f_beta(2); several by commas, or repeated.",
    ),
]
ReferenceOption = Annotated[
    str | None,
    option(
        "--reference",
        "-r",
        metavar="CUT",
        autocompletion=complete_cuts,
        help="What to compare with: collection@threshold, or a collection, which is then cut at 1.0.",
    ),
]


def metric_names(given: list[str] | None) -> list[str] | None:
    """The metrics that options name; None where there are none."""
    names = [name.strip() for text in given or () for name in text.split(",")]
    return [name for name in names if name] or None


def check_alone(names: list[str] | None) -> None:
    """Raise an error if one of the metrics needs a reference."""
    needy = [metric.label for metric in resolve(names, compared=True) if metric.needs_reference] if names else []
    if needy:
        raise Mistake(f"{', '.join(needy)}: compares with a reference; name one with --reference")


def highest(report: Report, values: NDArray[np.float64]) -> int:
    """The row with the highest of these values; of equal ones that with the highest threshold. NaN is below all."""
    known = np.where(np.isnan(values), -np.inf, values)
    candidates = np.flatnonzero(known == known.max())
    return int(candidates[np.argmax(report["threshold"][candidates])])
