"""Gates for continuous integration: ``--fail-under f1=0.9``.

A gate is a metric and the value that it may not be under (or over). What was measured of a collection passes if at one
threshold all gates hold; where they do not, the threshold is told at which least is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from starlings.cli.measuring import highest
from starlings.cli.mistakes import Mistake
from starlings.metrics import Metric, find
from starlings.reports import Report

__all__ = ["Gate", "Verdict", "judge", "parse_gates"]


@dataclass(frozen=True)
class Gate:
    """A metric and its limit, which is itself allowed."""

    metric: Metric
    kind: Literal["under", "over"]
    limit: float

    def missing(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much each value fails; 0 where it passes, infinity where it is NaN."""
        short = self.limit - values if self.kind == "under" else values - self.limit
        return np.where(np.isnan(short), np.inf, np.maximum(0.0, short))

    @classmethod
    def of(cls, text: str, kind: Literal["under", "over"]) -> Gate:
        """What ``metric=value`` says.

        Raises
        ------
        UnknownMetricError
            With the nearest name.
        Mistake
            For what is not of that form.
        """
        name, equals, limit = text.partition("=")
        try:
            number = float(limit)
        except ValueError:
            number = float("nan")
        if not (name and equals and isfinite(number)):
            raise Mistake(f"--fail-{kind} {text!r} is not of the form metric=value, as in f1=0.9")
        return cls(find(name.strip()), kind, number)


def parse_gates(under: Iterable[str], over: Iterable[str]) -> list[Gate]:
    """The gates that options ask for."""
    return [Gate.of(text, "under") for text in under] + [Gate.of(text, "over") for text in over]


@dataclass(frozen=True)
class Verdict:
    """One gate at the row at which a collection is judged."""

    gate: Gate
    row: dict[str, Any]

    @property
    def value(self) -> float:
        """What was measured."""
        return float(self.row[self.gate.metric.label])

    @property
    def missing(self) -> float:
        """By how much it fails; 0 where it passes."""
        return float(self.gate.missing(np.array([self.value]))[0])

    @property
    def passed(self) -> bool:
        """Whether it is within the limit."""
        return self.missing == 0.0

    def __str__(self) -> str:
        cut = f"{self.row['collection']}@{self.row['threshold']:g}"
        side = f"not {self.gate.kind}" if self.passed else self.gate.kind
        by = "" if self.passed else f" by {self.missing:.6g}"
        return f"{cut}: {self.gate.metric.label} is {self.value:.6g}, {side} {self.gate.limit:.6g}{by}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "collection": self.row["collection"],
            "threshold": self.row["threshold"],
            "metric": self.gate.metric.label,
            "kind": self.gate.kind,
            "limit": self.gate.limit,
            "value": self.value,
            "passed": self.passed,
        }


def judge(gates: Sequence[Gate], report: Report) -> list[Verdict]:
    """All gates at the row of one collection at which least is missing in all; of equal ones the highest threshold."""
    if not gates:
        return []
    missing = np.sum([gate.missing(report[gate.metric.label].astype(np.float64)) for gate in gates], axis=0)
    row = report[highest(report, -missing)]
    return [Verdict(gate, row) for gate in gates]
