"""The merges of a collection that change most: by pairs of records brought together, and by what they do to a metric.

A metric changes from one level to the next, by all merges of that level together; of these the one of most pairs stands
for them, and it is said how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.explorer.stops import Full
from starlings.explorer.subject import Named

__all__ = ["ChangingMerge", "changing_merges"]

_MOST_MERGES: Final = 25  # of each kind
_SIDES_SHOWN: Final = 6
_RECORDS_SHOWN: Final = 5


@dataclass(frozen=True)
class ChangingMerge:
    """One merge, with a few records of a few of its sides.

    Attributes
    ----------
    change : float or None
        By how much the leading metric changes at its threshold; None where that is not known.
    num_at_threshold : int
        Merges of this threshold, itself included.
    is_critical, is_telling : bool
        Whether it is among those of most pairs, and among those that change the metric most.
    """

    threshold: float
    num_pairs: int
    sizes: list[int]
    num_sides: int
    num_records: int
    sides: list[NDArray[np.uint32]]
    change: float | None
    num_at_threshold: int
    is_critical: bool
    is_telling: bool


def changing_merges(named: Named, num_records: int, full: Full | None, *, by_metric: bool) -> list[ChangingMerge]:
    """Those of most pairs and, if wanted, those that change the leading metric most; highest threshold first."""
    if full is None:
        return []
    events = _core.MergeEvents(named.hierarchy, num_records)
    critical = np.asarray(events.critical(_MOST_MERGES)).astype(np.int64)
    thresholds, pairs, _, _ = map(np.asarray, events.columns(np.arange(len(events), dtype=np.uint32)))
    ascending = thresholds[::-1]
    change = full.leading_change if by_metric else np.full(len(full.thresholds), np.nan)
    telling = _telling(change, full.thresholds, ascending, pairs)
    merges = []
    for number in np.union1d(critical, telling).tolist():
        at = float(thresholds[number])
        alike = int(np.searchsorted(ascending, at, side="right") - np.searchsorted(ascending, at, side="left"))
        difference = float(change[np.searchsorted(full.thresholds, at)])
        merges.append(
            _merge(
                events,
                number,
                None if np.isnan(difference) else difference,
                alike,
                is_critical=bool(np.isin(number, critical)),
                is_telling=bool(np.isin(number, telling)),
            )
        )
    return merges


def _telling(
    change: NDArray[np.float64],
    levels: NDArray[np.float64],
    ascending: NDArray[np.float64],
    pairs: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Events that stand for the levels at which the metric changes most."""
    size = np.nan_to_num(np.abs(change))
    chosen = np.argsort(-size, kind="stable")[:_MOST_MERGES]
    chosen = chosen[size[chosen] > 0.0]
    first = len(ascending) - np.searchsorted(ascending, levels[chosen], side="right")
    stop = len(ascending) - np.searchsorted(ascending, levels[chosen], side="left")
    found = [low + int(np.argmax(pairs[low:high])) for low, high in zip(first.tolist(), stop.tolist(), strict=True)]
    return np.array(found, np.int64)


def _merge(
    events: _core.MergeEvents, number: int, change: float | None, alike: int, *, is_critical: bool, is_telling: bool
) -> ChangingMerge:
    """One event, by number."""
    threshold, _, _, num_pairs, affected = events.event(number)
    sizes = np.asarray(events.sizes(number))
    records = np.asarray(affected)
    largest = np.sort(np.argsort(-sizes.astype(np.int64), kind="stable")[:_SIDES_SHOWN])
    starts = np.cumsum(sizes) - sizes
    sides = [records[starts[i] : starts[i] + min(int(sizes[i]), _RECORDS_SHOWN)] for i in largest.tolist()]
    return ChangingMerge(
        threshold,
        num_pairs,
        sizes[largest].tolist(),
        len(sizes),
        len(records),
        sides,
        change,
        alike,
        is_critical,
        is_telling,
    )
