"""Metrics computed when they are asked for, one threshold at a time.

A sweep or `EntityFrame.analyse` measures all thresholds in one pass and is the quicker way to many of them. Where the
next threshold hangs on the last answer, as in a search or behind a slider, `LazyMetrics` steps from one to the next.
"""

from __future__ import annotations

from typing import NoReturn

from starlings import _core
from starlings._typing import Scale
from starlings.collection import Collection
from starlings.exceptions import InvalidArgumentError, shown, unpicklable
from starlings.metrics import MetricLike, find
from starlings.monitoring import ComputationStats
from starlings.partition import Partition
from starlings.thresholds import check_threshold

__all__ = ["LazyMetrics"]


class LazyMetrics:
    """Metrics of a collection against one partition, computed when asked for and then kept.

    A partition that was measured before is answered from what was kept, whichever metric is asked for. Otherwise a
    table of overlaps is stepped on through the merges between the threshold asked for last and this one, or from the
    start where this one is higher. Safe to use from several threads.

    Parameters
    ----------
    collection : Collection
        What is judged, as it is now.
    reference : Partition
        The true entities, over the same records: of a collection of the same frame, or of the collection itself.
        Records that only one of the two knows are singletons in the other.

    Raises
    ------
    InvalidArgumentError
        If the two are over different records, as those of two frames are, and those of one frame may be where it
        changed in between.

    Examples
    --------
    >>> import starlings as sl
    >>> frame = sl.EntityFrame()
    >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
    >>> frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"x", "y"}])
    >>> lazy = sl.LazyMetrics(frame["model"], frame["truth"].at(1.0))
    >>> [round(lazy.get("f1", threshold), 3) for threshold in (0.8, 0.65, 0.5)]
    [0.667, 1.0, 0.667]
    >>> lazy.get(sl.bcubed_f1, 0.65), lazy.stats.incremental, lazy.stats.cached
    (1.0, 2, 1)
    """

    def __init__(self, collection: Collection, reference: Partition) -> None:
        if not isinstance(collection, Collection):
            raise InvalidArgumentError(f"collection must be a Collection, not {shown(collection)}")
        if not isinstance(reference, Partition):
            raise InvalidArgumentError(
                f"reference must be a Partition, not {shown(reference)}; cut one with Collection.at"
            )
        state = collection._state
        if state.context != reference._context:
            raise InvalidArgumentError(
                "collection and reference are over different records: add both to one frame, and take both from it "
                "anew where it changed in between"
            )
        self._scale: Scale = state.hierarchy.scale
        self._core = _core.LazyMetrics(state.hierarchy, state.num_records, reference._core)

    def get(self, metric: MetricLike, threshold: float) -> float:
        """A metric of the partition at a threshold.

        Parameters
        ----------
        metric : metric or str
            Any metric, or its name.
        threshold : float
            As in `Collection.at`.

        Raises
        ------
        UnknownMetricError
            With the nearest name.
        InvalidThresholdError
            For a threshold that is NaN, infinite or, of probabilities, outside [0, 1].
        """
        chosen = find(metric)
        return self._core.get(chosen.name, check_threshold(threshold, scale=self._scale), chosen.parameter)

    @property
    def stats(self) -> ComputationStats:
        """Work done since this was made, and how much of it was saved."""
        return ComputationStats._of(self._core)

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "make it anew from the collection and the reference")

    def __repr__(self) -> str:
        return f"<lazy metrics, {self.stats.total:,} computed>"
