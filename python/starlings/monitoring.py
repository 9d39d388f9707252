"""What there is to watch of collections and frames in service: work done, memory held, stability."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from html import escape
from math import isnan
from typing import Any, Final

from starlings import _core
from starlings.exceptions import InvalidArgumentError, shown

__all__ = ["ComputationStats", "FrameMetrics"]

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class ComputationStats:
    """Work done for a collection since it was made, by all views of it, or by `LazyMetrics`.

    A computation is one cut answered: a partition from `Collection.at`, a row of a sweep or of `EntityFrame.analyse`,
    one call of `LazyMetrics.get`.

    Attributes
    ----------
    total : int
        All computations.
    incremental : int
        Rows of a sweep after its first: carried on from the row before, in the same pass over the hierarchy. Of lazy
        metrics: stepped on from a higher threshold.
    cached : int
        Partitions found among those kept. Of lazy metrics: partitions measured before.
    seconds : float
        Time spent.
    speedup : float or None
        Measured: the time that the computations would have taken one by one, divided by the time they took. A cached
        partition counts as the mean partition that was cut, a row of a sweep as the whole pass that gave it, a lazy
        metric as what its partition takes from the start. None while nothing was computed.
    """

    total: int
    incremental: int
    cached: int
    seconds: float
    speedup: float | None

    @classmethod
    def _of(cls, worker: _core.Collection | _core.LazyMetrics) -> ComputationStats:
        total, incremental, cached, _, _, seconds, one_by_one = worker.stats()
        return cls(total, incremental, cached, seconds, one_by_one / seconds if seconds > 0.0 else None)


#: Name and meaning in Prometheus of each field of FrameMetrics, in base units.
_PROMETHEUS: Final[dict[str, tuple[str, str]]] = {
    "num_collections": ("starlings_collections", "Collections in the frame."),
    "num_records": ("starlings_records", "Records of the frame, garbage included."),
    "num_sources": ("starlings_sources", "Sources with a record in the frame."),
    "total_memory_mb": ("starlings_memory_bytes", "Memory that the frame holds, counted by the allocator."),
    "avg_reconstruction_time_ms": ("starlings_reconstruction_seconds", "Mean time of a partition that was not kept."),
    "cache_hit_rate": ("starlings_cache_hit_ratio", "Share of partitions asked for that were found kept."),
    "incremental_computation_rate": (
        "starlings_incremental_computation_ratio",
        "Share of computations carried on from one before.",
    ),
    "avg_entity_stability": ("starlings_entity_stability", "Mean entity stability over collections and thresholds."),
    "threshold_sensitivity": (
        "starlings_threshold_sensitivity",
        "Mean threshold sensitivity over collections and thresholds.",
    ),
    "garbage_ratio": ("starlings_garbage_ratio", "Share of records that nothing uses any more."),
    "last_compaction": ("starlings_last_compaction_timestamp_seconds", "When the frame compacted last, Unix time."),
}
_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class FrameMetrics:
    """What there is to watch of a frame in service; made by `EntityFrame.collect_metrics`.

    Attributes
    ----------
    num_collections : int
        Collections.
    num_records : int
        Records, garbage included.
    num_sources : int
        Sources with a record in the frame.
    total_memory_mb : float
        Megabytes (10^6 bytes) that the frame holds by the allocator's own count: records, hierarchies, sets and kept
        partitions. Attributes of records are memory of the library that made them and are not counted.
    avg_reconstruction_time_ms : float or None
        Mean milliseconds that a partition took which was not kept; None before the first.
    cache_hit_rate : float or None
        Share of the partitions asked for that were found kept; None before the first.
    incremental_computation_rate : float or None
        Share of all computations that were carried on from one before; None before the first.
    avg_entity_stability : float
        Mean of the metric `entity_stability` over all thresholds and collections; 1 without collections.
    threshold_sensitivity : float
        Likewise of `threshold_sensitivity`; 0 without collections.
    garbage_ratio : float
        Share of the records that no collection uses and that were not given as records.
    last_compaction : datetime or None
        When garbage was cleared away last, UTC.

    Examples
    --------
    >>> import starlings as sl
    >>> frame = sl.EntityFrame()
    >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
    >>> metrics = frame.collect_metrics()
    >>> metrics.num_collections, metrics.num_records, metrics.garbage_ratio
    (1, 3, 0.0)
    """

    num_collections: int
    num_records: int
    num_sources: int
    total_memory_mb: float
    avg_reconstruction_time_ms: float | None
    cache_hit_rate: float | None
    incremental_computation_rate: float | None
    avg_entity_stability: float
    threshold_sensitivity: float
    garbage_ratio: float
    last_compaction: datetime | None

    @classmethod
    def _of(cls, frame: _core.Frame) -> FrameMetrics:
        measured = frame.metrics()
        nanoseconds = measured["last_compaction"]
        return cls(
            num_collections=measured["num_collections"],
            num_records=measured["num_records"],
            num_sources=measured["num_sources"],
            total_memory_mb=measured["memory"] / _MEGABYTE,
            avg_reconstruction_time_ms=_known(measured["avg_reconstruction_seconds"] * 1e3),
            cache_hit_rate=_known(measured["cache_hit_rate"]),
            incremental_computation_rate=_known(measured["incremental_computation_rate"]),
            avg_entity_stability=measured["avg_entity_stability"],
            threshold_sensitivity=measured["threshold_sensitivity"],
            garbage_ratio=measured["garbage_ratio"],
            last_compaction=datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_prometheus(self, labels: dict[str, str] | None = None) -> str:
        """The metrics in Prometheus' text format, in base units (bytes, seconds); what is not known yet is left out.

        Parameters
        ----------
        labels : dict of str to str, optional
            Labels of every metric, such as ``{"frame": "customers"}``.

        Examples
        --------
        >>> import starlings as sl
        >>> print(sl.EntityFrame().collect_metrics().to_prometheus({"frame": "customers"}).splitlines()[2])
        starlings_collections{frame="customers"} 0
        """
        named = ",".join(f'{_label_name(name)}="{_escaped(value)}"' for name, value in (labels or {}).items())
        lines = []
        for field, (name, meaning) in _PROMETHEUS.items():
            value = self._in_base_units(field)
            if value is None:
                continue
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
            lines.append(f"{name}{{{named}}} {value!r}" if named else f"{name} {value!r}")
        return "".join(f"{line}\n" for line in lines)

    def _in_base_units(self, field: str) -> float | int | None:
        value = getattr(self, field)
        if field == "total_memory_mb":
            return round(self.total_memory_mb * _MEGABYTE)
        if field == "avg_reconstruction_time_ms" and self.avg_reconstruction_time_ms is not None:
            return self.avg_reconstruction_time_ms / 1e3
        return value.timestamp() if isinstance(value, datetime) else value

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td>{escape(f'{value:,.6g}' if isinstance(value, float) else str(value))}</td></tr>"
            for name, value in self.to_dict().items()
        )
        return f"<table><tbody>{rows}</tbody></table>"


def _known(value: float) -> float | None:
    """The engine's NaN means that there is nothing to tell yet."""
    return None if isnan(value) else value


def _label_name(name: object) -> str:
    """A name of a label, if it is one that Prometheus takes."""
    if not isinstance(name, str) or not _LABEL_NAME.fullmatch(name) or name.startswith("__"):
        raise InvalidArgumentError(
            f"{shown(name)} is no name of a label: use letters, digits and underscores, not starting with a digit or __"
        )
    return name


def _escaped(value: object) -> str:
    """A value of a label between its quotes."""
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
