"""How many entities of which size there are at every stop of the slider, in one walk down the hierarchy.

Each position between two records is put to the stop at which it closes. Then the stops are taken from the highest down;
at each the entities that meet there are counted out of their classes, and what they become is counted in. The work is
one sort of the positions and a few array operations a stop, however many entities do not change.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.explorer.stops import compared_with

__all__ = ["SIZE_CLASSES", "num_classes", "sizes_at_stops"]

#: Smallest and largest entity of each class: 1, 2, 3, 4, then doubling.
SIZE_CLASSES: Final = ((1, 1), (2, 2), (3, 3), (4, 4), *((2**i + 1, 2 ** (i + 1)) for i in range(2, 32)))
_FIRSTS: Final = np.array([low for low, _ in SIZE_CLASSES], np.int64)
_NEVER: Final = 0xFFFFFFFF


def num_classes(num_records: int) -> int:
    """How many classes entities of so many records can be in."""
    return int(np.searchsorted(_FIRSTS, num_records, side="right"))


def sizes_at_stops(
    hierarchy: _core.Hierarchy, num_records: int, stops: NDArray[np.float64]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Entities, and records in them, of each class (columns) at each stop (rows, ascending)."""
    counts = np.zeros((2, len(_FIRSTS)), np.int64)
    counts[:, 0] = num_records
    result = np.zeros((2, len(stops), len(_FIRSTS)), np.uint32)
    extents = _Extents(hierarchy.num_records)
    closing, bounds = _closing_positions(hierarchy, stops)
    for stop in range(len(stops) - 1, -1, -1):
        positions = closing[bounds[stop] : bounds[stop + 1]]
        if len(positions):
            gone, come = extents.close(positions)
            counts += _by_class(come) - _by_class(gone)
        result[:, stop] = counts
    return result[0], result[1]


def _closing_positions(
    hierarchy: _core.Hierarchy, stops: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions by the stop at which they close, and where those of each stop begin."""
    join, levels = np.asarray(hierarchy.join), np.asarray(hierarchy.levels)
    stop_of_level = np.searchsorted(compared_with(stops, hierarchy), levels, side="right") - 1
    stop_of = np.where(join == _NEVER, -1, np.append(stop_of_level, -1)[np.minimum(join, len(levels))])
    closing = np.argsort(stop_of, kind="stable")
    return closing, np.searchsorted(stop_of[closing], np.arange(len(stops) + 1))


def _by_class(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Entities, and records in them, of each class."""
    classes = np.searchsorted(_FIRSTS, sizes, side="right") - 1
    records = np.bincount(classes, weights=sizes, minlength=len(_FIRSTS))
    return np.stack([np.bincount(classes, minlength=len(_FIRSTS)), np.rint(records).astype(np.int64)])


class _Extents:
    """The slices that entities are at present: known at either end."""

    def __init__(self, num_records: int) -> None:
        self._first_of_last = np.arange(num_records)
        self._last_of_first = np.arange(num_records)

    def close(self, positions: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Join the entities on both sides of each position (ascending): sizes of those gone, and of those made."""
        ends = self._last_of_first[positions + 1]
        is_head = np.append(True, ends[:-1] != positions[1:])
        firsts = self._first_of_last[positions[is_head]]
        lasts = ends[np.append(is_head[1:], True)]
        gone = np.concatenate([positions[is_head] - firsts + 1, ends - positions])
        self._first_of_last[lasts] = firsts
        self._last_of_first[firsts] = lasts
        return gone, lasts - firsts + 1
