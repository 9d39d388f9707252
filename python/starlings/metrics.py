"""The metrics that reports are made of: names with definitions; the engine computes them.

Every metric of the engine is an attribute of `Metrics.eval` (it compares with a reference) or of `Metrics.stats` (it
describes one partition), and a constant of the package: ``starlings.f1``. Functions that take metrics take names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isfinite, nan
from typing import Any, Final, TypeAlias

from starlings import _core
from starlings.exceptions import InvalidArgumentError, UnknownMetricError, nearest, shown

__all__ = [
    *("Defaults", "EvalMetrics", "Metric", "MetricLike", "Metrics", "SensitivityMetric", "StatsMetrics"),
    *("f_beta", "report", "resolve", "threshold_sensitivity"),
]

_WITH_PARAMETER = re.compile(r"(?P<name>f_beta|threshold_sensitivity)\((?P<parameter>[^()]+)\)")


class Metric:
    """One metric: what it is called, what it needs and what it means.

    Attributes
    ----------
    name : str
        The engine's name.
    parameter : float or None
        Beta of `f_beta`, the shift of `threshold_sensitivity`.
    needs_reference : bool
        Whether it compares a partition with a reference.
    is_count : bool
        Whether its values are whole numbers.
    definition : str
        One sentence.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.f1.needs_reference, sl.entity_count.is_count, str(sl.f_beta(0.5))
    (True, True, 'f_beta(0.5)')
    """

    def __init__(
        self, name: str, *, needs_reference: bool, is_count: bool, definition: str, parameter: float | None = None
    ) -> None:
        self.name = name
        self.parameter = parameter
        self.needs_reference = needs_reference
        self.is_count = is_count
        self.definition = definition
        self.__doc__ = definition

    @property
    def label(self) -> str:
        """The name of its column in a report."""
        return self.name if self.parameter is None else f"{self.name}({self.parameter!r})"

    def __str__(self) -> str:
        return self.label

    def __repr__(self) -> str:
        return f"<metric {self.label}: {self.definition}>"

    def __eq__(self, other: object) -> bool:
        return self.label == other.label if isinstance(other, Metric) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.label)


class SensitivityMetric(Metric):
    """`threshold_sensitivity`: by itself with the default shift, called with another one.

    Examples
    --------
    >>> import starlings as sl
    >>> str(sl.threshold_sensitivity), str(sl.threshold_sensitivity(0.1))
    ('threshold_sensitivity', 'threshold_sensitivity(0.1)')
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
    >>> collection.sweep(0.5, 1.0, 0.1)["threshold_sensitivity"].round(3).tolist()
    [0.0, 1.0, 0.0, 0.0, 0.667, 0.0]
    """

    @property
    def label(self) -> str:
        """The name of its column in a report; the default shift is not named."""
        return self.name if self.parameter == _core.SENSITIVITY_SHIFT else super().label

    def __call__(self, shift: float) -> SensitivityMetric:
        """The share of the records whose entity is not one both at `shift` above the threshold and at `shift` below it.

        Raises
        ------
        InvalidArgumentError
            If `shift` is not a number above 0 and at most 1.
        """
        number = _number(shift)
        if not 0.0 < number <= 1.0:
            raise InvalidArgumentError(f"the shift must be a number above 0 and at most 1, not {shown(shift)}")
        return SensitivityMetric(
            self.name,
            needs_reference=self.needs_reference,
            is_count=self.is_count,
            definition=self.definition,
            parameter=number,
        )


def _number(value: object) -> float:
    """A number from whatever was passed as one; NaN for what is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return nan


def _metric_of_engine(name: str, needs_reference: bool, is_count: bool, definition: str) -> Metric:
    """A row of the engine's table as an object."""
    kind, parameter = (
        (SensitivityMetric, _core.SENSITIVITY_SHIFT) if name == "threshold_sensitivity" else (Metric, None)
    )
    return kind(name, needs_reference=needs_reference, is_count=is_count, definition=definition, parameter=parameter)


#: A metric, or its name.
MetricLike: TypeAlias = Metric | str

_REGISTRY: Final[dict[str, Metric]] = {row[0]: _metric_of_engine(*row) for row in _core.metric_names()}


def f_beta(beta: float) -> Metric:
    """The weighted harmonic mean of pairwise precision and recall; recall counts `beta` times as much.

    Raises
    ------
    InvalidArgumentError
        If `beta` is not a finite number above 0.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.f_beta(2.0).label
    'f_beta(2.0)'
    """
    number = _number(beta)
    if not (isfinite(number) and number > 0.0):
        raise InvalidArgumentError(f"beta must be a finite number above 0, not {shown(beta)}")
    plain = _REGISTRY["f_beta"]
    return Metric(
        plain.name,
        needs_reference=plain.needs_reference,
        is_count=plain.is_count,
        definition=plain.definition,
        parameter=number,
    )


class _Group:
    """The metrics of one kind, as attributes; iteration gives them in the engine's order."""

    def __init__(self, *, needs_reference: bool) -> None:
        self._members = {
            name: metric
            for name, metric in _REGISTRY.items()
            if metric.needs_reference == needs_reference and name != "f_beta"
        }
        self.__dict__.update(self._members)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, metric: object) -> bool:
        return (metric.name if isinstance(metric, Metric) else metric) in self._members

    def __repr__(self) -> str:
        return f"<metrics {', '.join(self._members)}>"


class EvalMetrics(_Group):
    """Metrics that compare a partition with a reference."""

    precision: Metric
    recall: Metric
    f1: Metric
    rand: Metric
    ari: Metric
    fowlkes_mallows: Metric
    jaccard: Metric
    mutual_information: Metric
    nmi: Metric
    homogeneity: Metric
    completeness: Metric
    v_measure: Metric
    variation_of_information: Metric
    bcubed_precision: Metric
    bcubed_recall: Metric
    bcubed_f1: Metric
    cluster_precision: Metric
    cluster_recall: Metric
    cluster_f1: Metric
    purity: Metric
    inverse_purity: Metric

    def f_beta(self, beta: float) -> Metric:
        """`starlings.f_beta`."""
        return f_beta(beta)


class StatsMetrics(_Group):
    """Metrics of one partition by itself."""

    entity_count: Metric
    entropy: Metric
    largest_entity: Metric
    mean_size: Metric
    singletons: Metric
    pair_count: Metric
    entity_stability: Metric
    threshold_sensitivity: SensitivityMetric


class Metrics:
    """All metrics, by what they need.

    Examples
    --------
    >>> import starlings as sl
    >>> sl.Metrics.eval.f1.label, sl.Metrics.stats.entropy.label, sl.Metrics.eval.f_beta(0.5).label
    ('f1', 'entropy', 'f_beta(0.5)')
    """

    eval: Final = EvalMetrics(needs_reference=True)
    stats: Final = StatsMetrics(needs_reference=False)


class Defaults:
    """The metrics of a report that names none.

    ``metrics=starlings.report`` is the same as naming none.

    Attributes
    ----------
    comparison : tuple of Metric
        Where collections are compared with a reference.
    statistics : tuple of Metric
        Where one collection is described.

    Examples
    --------
    >>> import starlings as sl
    >>> [metric.name for metric in sl.report.comparison]
    ['f1', 'precision', 'recall', 'ari', 'nmi']
    >>> [metric.name for metric in sl.report.statistics]
    ['entity_count', 'entropy']
    """

    comparison: Final = tuple(_REGISTRY[name] for name in ("f1", "precision", "recall", "ari", "nmi"))
    statistics: Final = tuple(_REGISTRY[name] for name in ("entity_count", "entropy"))

    def __repr__(self) -> str:
        names = (", ".join(metric.name for metric in group) for group in (self.comparison, self.statistics))
        return "<report defaults: comparison {}; statistics {}>".format(*names)


#: The default metrics of reports.
report: Final = Defaults()

precision: Final = Metrics.eval.precision
recall: Final = Metrics.eval.recall
f1: Final = Metrics.eval.f1
rand: Final = Metrics.eval.rand
ari: Final = Metrics.eval.ari
fowlkes_mallows: Final = Metrics.eval.fowlkes_mallows
jaccard: Final = Metrics.eval.jaccard
mutual_information: Final = Metrics.eval.mutual_information
nmi: Final = Metrics.eval.nmi
homogeneity: Final = Metrics.eval.homogeneity
completeness: Final = Metrics.eval.completeness
v_measure: Final = Metrics.eval.v_measure
variation_of_information: Final = Metrics.eval.variation_of_information
bcubed_precision: Final = Metrics.eval.bcubed_precision
bcubed_recall: Final = Metrics.eval.bcubed_recall
bcubed_f1: Final = Metrics.eval.bcubed_f1
cluster_precision: Final = Metrics.eval.cluster_precision
cluster_recall: Final = Metrics.eval.cluster_recall
cluster_f1: Final = Metrics.eval.cluster_f1
purity: Final = Metrics.eval.purity
inverse_purity: Final = Metrics.eval.inverse_purity
entity_count: Final = Metrics.stats.entity_count
entropy: Final = Metrics.stats.entropy
largest_entity: Final = Metrics.stats.largest_entity
mean_size: Final = Metrics.stats.mean_size
singletons: Final = Metrics.stats.singletons
pair_count: Final = Metrics.stats.pair_count
entity_stability: Final = Metrics.stats.entity_stability
threshold_sensitivity: Final = Metrics.stats.threshold_sensitivity


def resolve(metrics: Any, *, compared: bool) -> list[Metric]:
    """The metrics asked for, each once, in the order of the request.

    Parameters
    ----------
    metrics : iterable of metrics and names, one of them, `Defaults` or None
        None asks for the defaults.
    compared : bool
        Whether there is a reference.

    Raises
    ------
    UnknownMetricError
        With the nearest name.
    InvalidArgumentError
        For a metric that needs a reference where there is none, and for no metric at all.
    """
    if metrics is None or isinstance(metrics, Defaults):
        return list(report.comparison if compared else report.statistics)
    if isinstance(metrics, (str, Metric)):
        metrics = [metrics]
    if not isinstance(metrics, Iterable):
        raise InvalidArgumentError(f"metrics must be metrics or their names, not {metrics!r}")
    chosen = list(dict.fromkeys(map(find, metrics)))
    if not chosen:
        raise InvalidArgumentError("metrics names no metric; leave it out for the defaults")
    alone = [] if compared else [metric.label for metric in chosen if metric.needs_reference]
    if alone:
        raise InvalidArgumentError(
            f"{', '.join(alone)}: compares with a reference, and one expression alone has none; "
            "add the reference as a second expression, as in analyse(col('a').sweep(), col('truth').at(1.0))"
        )
    return chosen


def find(metric: object) -> Metric:
    """The metric of that name, or the metric itself."""
    if isinstance(metric, Metric):
        return f_beta(1.0) if metric.name == "f_beta" and metric.parameter is None else metric
    if not isinstance(metric, str):
        raise UnknownMetricError(f"{metric!r} is no metric; use a name such as 'f1' or a constant such as starlings.f1")
    if metric == "f_beta":
        return f_beta(1.0)
    called = _WITH_PARAMETER.fullmatch(metric)
    if called:
        make = f_beta if called["name"] == "f_beta" else threshold_sensitivity
        return make(called["parameter"])  # type: ignore[arg-type]
    if metric not in _REGISTRY:
        raise UnknownMetricError(f"no metric {metric!r}{nearest(metric, _REGISTRY)}")
    return _REGISTRY[metric]
