"""What a page of the explorer holds: everything measured first, so that the slider only looks things up.

Curves are measured once at every level, to know the best cuts and where the stops must be, and once at the stops. All
of it is a few passes of the engine over each collection; nothing is done record by record here but putting the keys and
attributes of the embedded ones into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from starlings import _core
from starlings._typing import Scale
from starlings.explorer.changing_merges import ChangingMerge, changing_merges
from starlings.explorer.embedded import Choice, add_hierarchy, add_records, choose_records, default_most_records
from starlings.explorer.sections import Sections
from starlings.explorer.size_classes import SIZE_CLASSES, num_classes, sizes_at_stops
from starlings.explorer.stops import Axis, Full, axis_of, compared_with, full_curves
from starlings.explorer.subject import LOWER_IS_BETTER, PARTS_OF_MEANS, Named, Subject, Yardstick
from starlings.metrics import Metric

__all__ = ["pack_contents"]

_SCALES: Final[tuple[Scale, ...]] = ("probability", "weight")


def pack_contents(
    subject: Subject,
    yardstick: Yardstick,
    title: str,
    most_records: int | None,
    most_stops: int,
    progress: _core.ProgressCallback | None,
) -> str:
    """The data of a page, as the page reads it."""
    measured = _Measured.of(subject, yardstick, most_stops, progress)
    most = default_most_records(subject) if most_records is None else most_records
    choice = measured.choose(most)
    sections = Sections()
    _tell(progress, "embedding records", 0, len(choice.records))
    return sections.pack(
        {
            "title": title,
            "records": {"all": subject.num_records, "told": choice.told}
            | add_records(sections, subject.context, choice.records),
            "reference": None
            if yardstick.reference is None
            else {"name": yardstick.reference.name, "threshold": yardstick.reference.threshold},
            "sample": None if yardstick.sample is None else {"level": yardstick.sample.level},
            "metrics": [_described(metric, yardstick) for metric in yardstick.all_metrics],
            "classes": SIZE_CLASSES[: num_classes(subject.num_records)],
            "axes": [
                {"scale": axis.scale, "complete": axis.is_complete, "stops": sections.add(axis.stops, "f8")}
                for axis in measured.axes
            ],
            "collections": [
                measured.add_collection(sections, named, choice, progress) for named in subject.collections
            ],
        }
    )


def _tell(progress: _core.ProgressCallback | None, phase: str, done: int, total: int) -> None:
    """Report progress between passes of the engine, which report their own."""
    if progress is not None:
        progress(phase, done, total)


def _described(metric: Metric, yardstick: Yardstick) -> dict[str, Any]:
    """What the page knows of a metric."""
    parts = () if yardstick.sample is not None else PARTS_OF_MEANS.get(metric.label, ())
    return {
        "label": metric.label,
        "definition": metric.definition,
        "judges": metric.needs_reference,
        "count": metric.is_count,
        "lower": metric.name in LOWER_IS_BETTER,
        "between": list(parts),
    }


@dataclass(frozen=True)
class _Measured:
    """Collections measured at all their levels, the stops found from that, and the merges to show."""

    subject: Subject
    yardstick: Yardstick
    full: Mapping[str, Full | None]
    merges: Mapping[str, list[ChangingMerge]]
    axes: list[Axis]

    @classmethod
    def of(
        cls, subject: Subject, yardstick: Yardstick, most_stops: int, progress: _core.ProgressCallback | None
    ) -> _Measured:
        """Measure all collections."""
        most_corners = most_stops // max(1, len(subject.collections) * len(yardstick.all_metrics))
        full: dict[str, Full | None] = {}
        merges: dict[str, list[ChangingMerge]] = {}
        for number, named in enumerate(subject.collections):
            _tell(progress, "measuring", number, len(subject.collections))
            each = full[named.name] = full_curves(named, yardstick, most_corners, progress)
            by_metric = bool(yardstick.metrics) and yardstick.judges(named)
            merges[named.name] = changing_merges(named, subject.num_records, each, by_metric=by_metric)
        axes = []
        for scale in _SCALES:
            members = [named for named in subject.collections if named.hierarchy.scale == scale]
            if members:
                at = [merge.threshold for named in members for merge in merges[named.name]]
                axes.append(axis_of(scale, members, full, at, most_stops))
        return cls(subject, yardstick, full, merges, axes)

    def choose(self, most: int) -> Choice:
        """The records to embed."""
        wanted = [side for merges in self.merges.values() for merge in merges for side in merge.sides]
        return choose_records(self.subject, most, wanted, self._leading_cut())

    def _leading_cut(self) -> tuple[Named, float] | None:
        """The cut that entities are taken from: the best of the first collection that is judged, else one half-way."""
        for named in self.subject.collections:
            full = self.full[named.name]
            if full is not None and self.yardstick.judges(named):
                best = full.best.get(self.yardstick.all_metrics[0].label)
                return named, float(full.thresholds[len(full.thresholds) // 2]) if best is None else best[0]
        return None

    def add_collection(
        self, sections: Sections, named: Named, choice: Choice, progress: _core.ProgressCallback | None
    ) -> dict[str, Any]:
        """One collection: its curves and sizes at the stops, its best cuts, its merges."""
        axis = next(axis for axis in self.axes if named in axis.members)
        compared = compared_with(axis.stops, named.hierarchy)
        full = self.full[named.name]
        values = self.yardstick.measure(named, compared, progress)
        width = num_classes(self.subject.num_records)
        entities, records = sizes_at_stops(named.hierarchy, self.subject.num_records, axis.stops)
        described: dict[str, Any] = {
            "name": named.name,
            "axis": self.axes.index(axis),
            "judged": bool(self.yardstick.metrics) and self.yardstick.judges(named),
            "num_merges": named.hierarchy.num_merges,
            "num_levels": named.hierarchy.num_levels,
            "values": {label: sections.add(column, "f8") for label, column in values.items()},
            "best": {} if full is None else {label: list(cut) for label, cut in full.best.items()},
            "entities": sections.add(entities[:, :width], "u4"),
            "class_records": sections.add(records[:, :width], "u4"),
            "merges": [_merge(merge, choice) for merge in self.merges[named.name]],
        }
        return described | add_hierarchy(sections, named, choice.records, self.subject.num_records)


def _merge(merge: ChangingMerge, choice: Choice) -> dict[str, Any]:
    """A merge in the page, its records by their number there; those that found no room are left out."""
    sides = []
    for side in merge.sides:
        numbers = np.searchsorted(choice.records, side)
        inside = numbers < len(choice.records)
        inside[inside] = choice.records[numbers[inside]] == side[inside]
        sides.append(numbers[inside].tolist())
    return {
        "threshold": merge.threshold,
        "pairs": merge.num_pairs,
        "sizes": merge.sizes,
        "num_sides": merge.num_sides,
        "records": merge.num_records,
        "sides": sides,
        "change": merge.change,
        "alike": merge.num_at_threshold,
        "critical": merge.is_critical,
        "telling": merge.is_telling,
    }
