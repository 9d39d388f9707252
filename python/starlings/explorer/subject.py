"""What a page of the explorer is about, and what it measures collections by.

A subject is a frame at one moment, or one collection by itself. Its yardstick is a reference cut, a sample of true
entities, or nothing: then collections are described, not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core, estimation
from starlings.analysis import Cuts
from starlings.exceptions import InvalidArgumentError, shown
from starlings.expressions import Column, Expression, Points, Sweep, col
from starlings.metrics import Metric, Metrics, resolve
from starlings.reports import values_of

__all__ = ["LOWER_IS_BETTER", "PARTS_OF_MEANS", "STATISTICS", "Named", "Subject", "Yardstick"]

#: What is shown of every collection, whatever it is measured by.
STATISTICS: Final = tuple(
    getattr(Metrics.stats, name)
    for name in ("entity_count", "largest_entity", "singletons", "mean_size", "pair_count", "entropy")
)
_COMPARISON: Final = (
    *("f1", "precision", "recall", "bcubed_f1", "bcubed_precision", "bcubed_recall"),
    *("cluster_f1", "cluster_precision", "cluster_recall", "ari", "nmi", "variation_of_information"),
)
#: The two metrics between which a harmonic mean lies.
PARTS_OF_MEANS: Final = {
    "f1": ("precision", "recall"),
    "bcubed_f1": ("bcubed_precision", "bcubed_recall"),
    "cluster_f1": ("cluster_precision", "cluster_recall"),
    "v_measure": ("homogeneity", "completeness"),
}
LOWER_IS_BETTER: Final = frozenset({"variation_of_information"})


@dataclass(frozen=True)
class Named:
    """A collection with its name."""

    name: str
    core: _core.Collection

    @property
    def hierarchy(self) -> _core.Hierarchy:
        """Its merges."""
        return self.core.hierarchy


@dataclass(frozen=True)
class Subject:
    """Records, and the collections over them."""

    context: _core.Context
    num_records: int
    collections: Sequence[Named]

    @classmethod
    def of_state(cls, state: _core.FrameState) -> Subject:
        """A frame at one moment."""
        cores = {name: state.collection(name) for name in state.names()}
        named = [Named(name, core) for name, core in cores.items() if core is not None]
        return cls(state.context, state.num_records, named)

    @classmethod
    def of_collection(cls, name: str, core: _core.Collection) -> Subject:
        """One collection."""
        return cls(core.context, core.num_records, [Named(name, core)])


@dataclass(frozen=True)
class _Reference:
    """The cut that collections are compared with."""

    name: str
    core: _core.Collection
    threshold: float


@dataclass(frozen=True)
class _Sample:
    """True entities from which metrics are estimated."""

    state: _core.FrameState
    sample: Any
    weights: Any
    source: str
    level: float


@dataclass(frozen=True)
class Yardstick:
    """What collections are measured by, and in which metrics, the first of which is shown first."""

    metrics: tuple[Metric, ...] = ()
    reference: _Reference | None = None
    sample: _Sample | None = None
    statistics: tuple[Metric, ...] = field(default=STATISTICS)

    @classmethod
    def none(cls, metrics: Any = None) -> Yardstick:
        """No truth: only statistics."""
        wanted = () if metrics is None else tuple(resolve(metrics, compared=False))
        return cls(statistics=tuple(dict.fromkeys((*wanted, *STATISTICS))))

    @classmethod
    def against(cls, state: _core.FrameState, reference: Any, metrics: Any) -> Yardstick:
        """A cut of a collection of the frame; a name alone stands for its cut at 1.0."""
        cuts = Cuts.of(_expression(reference), state)
        if len(cuts.thresholds) != 1:
            raise InvalidArgumentError(f"the reference is one cut, not {len(cuts.thresholds):,}: use col(name).at(...)")
        judging, describing = _split(resolve(_COMPARISON if metrics is None else metrics, compared=True))
        return cls(judging, _Reference(cuts.name, cuts.collection, float(cuts.thresholds[0])), None, describing)

    @classmethod
    def sampled(
        cls, state: _core.FrameState, sample: Any, weights: Any, metrics: Any, level: float, source: str
    ) -> Yardstick:
        """A sample of true entities, as in `EntityFrame.estimate`."""
        chosen = resolve(("f1", "precision", "recall") if metrics is None else metrics, compared=True)
        judging, describing = _split(chosen)
        entities = sample if hasattr(sample, "keys") or hasattr(sample, "index") else list(sample)
        return cls(judging, None, _Sample(state, entities, weights, source, level), describing)

    @property
    def all_metrics(self) -> tuple[Metric, ...]:
        """Those that judge, then those that describe."""
        return (*self.metrics, *self.statistics)

    def judges(self, named: Named) -> bool:
        """Whether a collection is compared: the reference is not compared with itself."""
        return self.reference is None or named.name != self.reference.name

    def measure(
        self, named: Named, thresholds: NDArray[np.float64] | None, progress: _core.ProgressCallback | None
    ) -> dict[str, NDArray[np.float64]]:
        """Values of every metric at these thresholds, or (None) at every level, ascending, by label.

        Metrics estimated from a sample have bounds too, as ``label_low`` and ``label_high``.
        """
        against = (None, 1.0) if self.reference is None else (self.reference.core, self.reference.threshold)
        (curve,) = _core.curves([(named.core, thresholds, *against)], progress)
        wanted = self.all_metrics if self.sample is None else self.statistics
        values = {metric.label: np.asarray(values_of(curve, metric), np.float64) for metric in wanted}
        if self.sample is not None and self.metrics:
            values |= self._estimated(self.sample, named, thresholds, progress)
        return values

    def _estimated(
        self,
        given: _Sample,
        named: Named,
        thresholds: NDArray[np.float64] | None,
        progress: _core.ProgressCallback | None,
    ) -> dict[str, NDArray[np.float64]]:
        """Estimates and their bounds."""
        where = Sweep(named.name) if thresholds is None else Points(named.name, points=tuple(thresholds.tolist()))
        report = estimation.estimate(
            given.state, where, given.sample, given.weights, self.metrics, given.level, given.source, progress
        )
        endings = ("", "_low", "_high")
        return {metric.label + end: report[metric.label + end] for metric in self.metrics for end in endings}


def _expression(reference: Any) -> Expression:
    """The reference as an expression."""
    if isinstance(reference, Expression):
        return reference
    if isinstance(reference, Column):
        return reference.at(1.0)
    if isinstance(reference, str):
        return col(reference).at(1.0)
    raise InvalidArgumentError(f"{shown(reference)} is no reference; use col(name).at(threshold) or a name")


def _split(metrics: list[Metric]) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    """Metrics that judge, with the parts of means that are shown as their bands, and those that describe."""
    judging = [metric for metric in metrics if metric.needs_reference]
    parts = [part for metric in judging for part in PARTS_OF_MEANS.get(metric.label, ())]
    describing = [metric for metric in metrics if not metric.needs_reference]
    return (
        tuple(dict.fromkeys((*judging, *(resolve(parts, compared=True) if parts else ())))),
        tuple(dict.fromkeys((*describing, *STATISTICS))),
    )
