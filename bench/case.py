"""What a case of the benchmark is: a step to time, the data it is given, and facts about its result.

A case builds its `Step` outside the timer (loading, imports, conversions into the form its library wants). The facts
say what was computed; `run.py` compares those of the same name between cases, so that a fast wrong answer is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from generate import Floats, Ints, Size

TEN_CUTS = [round(0.5 + 0.05 * i, 2) for i in range(10)]  # 0.50, 0.55 ... 0.95
CUT = 0.8  # the one threshold of all one-cut cases: the best of the ten by F1 at 1M records and 5M edges
LOW_CUT = TEN_CUTS[0]  # shows how SciPy's time depends on the cut


class Data:
    """One generated data set, each part loaded into memory when first asked for."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def _array(self, name: str) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = np.load(self.size.folder / f"{name}.npy")
        return array

    @cached_property
    def left(self) -> Ints:
        """One end of each edge, as a record index."""
        return self._array("left")

    @cached_property
    def right(self) -> Ints:
        """The other end."""
        return self._array("right")

    @cached_property
    def score(self) -> Floats:
        """Score of each edge."""
        return self._array("score")

    @cached_property
    def truth(self) -> Ints:
        """True cluster of each record: 0..clusters-1."""
        return self._array("truth")

    def string_edges(self, kind: pa.DataType) -> pa.Table:
        """The edges with string keys: columns left and right of Arrow type `kind`, and score."""
        schema = pa.schema([("left", kind), ("right", kind), ("score", pa.float64())])
        return pq.read_table(self.size.folder / "edges.parquet").cast(schema)


Facts = dict[str, float]


def no_facts(_: Any) -> Facts:
    return {}


@dataclass(frozen=True)
class Step:
    """What is timed: each call once, in order; the figure is the median over the calls (nearly always just one)."""

    calls: Sequence[Callable[[], Any]]
    facts: Callable[[Any], Facts] = no_facts
    """Of the last call's result, outside the timer."""
    figures: Callable[[Any], Facts] = no_facts
    """More that was measured: may have targets, differs between runs, is not compared with other cases."""


@dataclass(frozen=True)
class Case:
    """A step under a name; `title` is what the table calls it."""

    name: str
    title: str
    prepare: Callable[[Data], Step]
    slow: bool = False
    """Run in the first round only at the large sizes."""
