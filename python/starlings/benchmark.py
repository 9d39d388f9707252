"""The small benchmark behind `PerformanceProfile.measure`: seeded random edges of several sizes, timed and fitted.

Each kind of work is timed at every size, the median of a few runs. The constants are those with the least relative
error over the sizes, none of them negative, so that an estimate never falls when there is more to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from math import exp, log
from statistics import fmean, median
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings.collection import Collection
from starlings.costs import FAR, SHIPPED, Constants, Cost
from starlings.expressions import col
from starlings.frame import EntityFrame
from starlings.metrics import Metrics
from starlings.optional import is_installed, require

__all__ = ["LARGEST", "run"]

#: Records of the largest data set, unless another number is asked for.
LARGEST: Final = 4_000_000

_SEED: Final = 20240229
_RUNS: Final = 3
_CUTS: Final = (0.9, 0.7, 0.5, 0.3, 0.1)
_CACHED_CALLS: Final = 200
_FIRST_KEY: Final = 10**15  # string keys are 16 digits


@dataclass(frozen=True)
class _Point:
    """One time: so many seconds for so much."""

    num_records: int
    num_items: int
    seconds: float


@dataclass(frozen=True)
class _Data:
    """Random edges over integer keys 0, 1, ..."""

    num_records: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    score: NDArray[np.float64]

    @classmethod
    def drawn(cls, num_records: int, num_edges: int) -> _Data:
        rng = np.random.default_rng([_SEED, num_records, num_edges])
        left, right = (rng.integers(0, num_records, num_edges) for _ in range(2))
        return cls(num_records, left, right, rng.random(num_edges))

    def point(self, seconds: float, num_items: int | None = None) -> _Point:
        return _Point(self.num_records, len(self.score) if num_items is None else num_items, seconds)


def run(largest: int = LARGEST) -> Constants:
    """Measure this machine, with data sets of up to `largest` records."""
    times: dict[str, list[_Point]] = {"build": [], "build_strings": [], "cut": [], "curve": []}
    cached = 0.0
    for num_records, edges_a_record in _sizes(largest):
        data = _Data.drawn(num_records, num_records * edges_a_record)
        collection = Collection.from_edges((data.left, data.right, data.score), records=np.arange(num_records))
        times["build"].append(data.point(_time_build((data.left, data.right, data.score))))
        if len(data.score) <= largest // 4 and is_installed("pyarrow"):
            times["build_strings"].append(data.point(_time_build(_string_edges(data))))
        times["cut"].append(data.point(_time_cut(collection), 0))
        times["curve"].append(data.point(_time_curve(collection), len(collection.thresholds)))
        cached = _time_cached(collection)
    build = _fitted(times["build"], SHIPPED.build)
    strings = times["build_strings"]
    return Constants(
        build=build,
        build_strings=_fitted(strings, SHIPPED.build_strings) if strings else _as_fast(times["build"]),
        cut=_fitted(times["cut"], SHIPPED.cut),
        curve=_fitted(times["curve"], SHIPPED.curve),
        cached=cached,
        measured_on=date.today(),
    )


def _sizes(largest: int) -> list[tuple[int, int]]:
    """Records, and edges a record, of each data set: the small tell what a call costs, the large what memory does."""
    shares = [(4000, 1), (40, 1), (40, 5), (4, 1), (4, 5), (1, 1)]
    return [(max(2, largest // part), edges_a_record) for part, edges_a_record in shares]


# ------------------------------------------------------------------------------------------------------------ timing


def _median_seconds(call: Callable[[], object]) -> float:
    """Median time of a few runs."""
    times = []
    for _ in range(_RUNS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def _time_build(edges: Any) -> float:
    return _median_seconds(lambda: Collection.from_edges(edges))


def _string_edges(data: _Data) -> Any:
    """The same edges as an Arrow table with string keys."""
    arrow = require("pyarrow", "timing string keys")
    keys = arrow.array(np.arange(_FIRST_KEY, _FIRST_KEY + data.num_records)).cast(arrow.string())
    left, right = (keys.take(arrow.array(end)) for end in (data.left, data.right))
    return arrow.table({"left": left, "right": right, "score": data.score})


def _time_cut(collection: Collection) -> float:
    """Median over several thresholds, none of which is kept."""
    collection.clear_cache()
    times = []
    for threshold in _CUTS:
        start = perf_counter()
        _ = collection.at(threshold).labels
        times.append(perf_counter() - start)
    return median(times)


def _time_cached(collection: Collection) -> float:
    def ask() -> None:
        for _ in range(_CACHED_CALLS):
            collection.at(_CUTS[-1])

    return _median_seconds(ask) / _CACHED_CALLS


def _time_curve(collection: Collection) -> float:
    """Every metric that compares, at every threshold, against random labels of three records each."""
    num_records = collection.num_records
    labels = np.random.default_rng([_SEED, num_records]).integers(0, num_records // 3 + 1, num_records)
    frame = EntityFrame()
    frame.add_collection("edges", collection)
    frame.add_collection_from_labels("truth", np.arange(num_records), labels)
    expressions = [col("edges").sweep(), col("truth").at(1.0).reference()]
    return _median_seconds(lambda: frame.analyse(*expressions, metrics=list(Metrics.eval)))


# ----------------------------------------------------------------------------------------------------------- fitting


def _speed(points: Sequence[_Point], shipped: Cost) -> float:
    """Times here over those that the shipped constants give: their geometric mean."""
    return exp(fmean(log(point.seconds / shipped.seconds(point.num_records, point.num_items)) for point in points))


def _as_fast(builds: Sequence[_Point]) -> Cost:
    """The cost of string keys where it cannot be measured: this machine's speed with integer keys, applied to it."""
    speed = _speed(builds, SHIPPED.build)
    shipped = SHIPPED.build_strings
    return Cost(
        shipped.fixed * speed, shipped.per_item * speed, shipped.per_record * speed, shipped.per_far_record * speed
    )


def _fitted(points: Sequence[_Point], shipped: Cost) -> Cost:
    """The cost that explains the times best. What no size told of is the shipped constant at this machine's speed."""
    amounts = np.array([(1, point.num_items, point.num_records, max(0, point.num_records - FAR)) for point in points])
    seconds = np.array([point.seconds for point in points])
    fixed, per_item, per_record, per_far_record = _least_relative(amounts / seconds[:, None])
    if not amounts[:, 3].any():
        per_far_record = shipped.per_far_record * _speed(points, shipped)
    return Cost(fixed, per_item, per_record, per_far_record)


def _least_relative(weighted: NDArray[np.float64]) -> list[float]:
    """Factors of the columns, none negative, that bring every row's sum as near to 1 as can be.

    With four columns every set of them that may be other than 0 is tried: no iteration that could fail to converge.
    """
    columns = [column for column in range(weighted.shape[1]) if weighted[:, column].any()]
    best, least = np.zeros(weighted.shape[1]), np.inf
    for count in range(1, len(columns) + 1):
        for chosen in map(list, combinations(columns, count)):
            factors = np.linalg.lstsq(weighted[:, chosen], np.ones(len(weighted)), rcond=None)[0]
            error = float(np.square(weighted[:, chosen] @ factors - 1).sum())
            if (factors >= 0).all() and error < least:
                best, least = np.zeros(weighted.shape[1]), error
                best[chosen] = factors
    return [float(factor) for factor in best]
