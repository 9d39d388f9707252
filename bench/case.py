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

from generate import MEAN_SIZE, Floats, Ints, Size, draw_sizes

TEN_CUTS = [round(0.5 + 0.05 * i, 2) for i in range(10)]  # 0.50, 0.55 ... 0.95
CUT = 0.8  # the one threshold of all one-cut cases: the best of the ten by F1 at 1M records and 5M edges
SAMPLED = 200  # true clusters that estimates are made from
SAMPLE_SEED = 20
HASHED = 1_000_000  # entities at most
LABEL_SEED = 21
LOW_CUT = TEN_CUTS[0]  # shows how SciPy's time depends on the cut
COLLECTIONS = 20  # of one frame, compared with the true clusters
GRID_CUTS = 100  # of each of two collections: 0.01, 0.02 ... 1.00
GRID_SAMPLE = [(0.1 * i, 1.0 - 0.07 * i) for i in range(1, 11)]  # pairs of them, for who cannot do them all
GRID_SCALE = GRID_CUTS**2 / len(GRID_SAMPLE)


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

    @cached_property
    def sample(self) -> Any:
        """Some true clusters drawn at random, as a pandas membership vector: index record, value cluster."""
        import pandas as pd

        clusters = int(self.truth.max()) + 1
        drawn = np.random.default_rng(SAMPLE_SEED).choice(clusters, min(SAMPLED, clusters // 2), replace=False)
        records = np.flatnonzero(np.isin(self.truth, drawn))
        return pd.Series(self.truth[records], index=records)

    @cached_property
    def entity_labels(self) -> Ints:
        """Entities of three records in the mean, far apart, whatever the edges: the entity of each record."""
        rng = np.random.default_rng(LABEL_SEED)
        sizes = draw_sizes(rng, round(MEAN_SIZE * min(self.size.records, HASHED)))
        return rng.permutation(np.repeat(np.arange(len(sizes)), sizes))

    def string_edges(self, kind: pa.DataType) -> pa.Table:
        """The edges with string keys: columns left and right of Arrow type `kind`, and score."""
        schema = pa.schema([("left", kind), ("right", kind), ("score", pa.float64())])
        return pq.read_table(self.size.folder / "edges.parquet").cast(schema)


class Variant(Data):
    """The data with four fifths of its edges: what one of several models might find."""

    def __init__(self, size: Size, number: int) -> None:
        super().__init__(size)
        self.number = number

    @cached_property
    def _kept(self) -> npt.NDArray[np.bool_]:
        return np.random.default_rng(self.number).random(self.size.edges) < 0.8

    def _array(self, name: str) -> npt.NDArray[Any]:
        array = super()._array(name)
        return array if name == "truth" else array[self._kept]


Facts = dict[str, float]


def no_facts(_: Any) -> Facts:
    return {}


def digest_facts(digests: bytes) -> Facts:
    """Of SHA-256 digests, one after the other: how many, and the exclusive or of their first four bytes."""
    words = np.frombuffer(digests, np.uint32)[:: 32 // 4]
    return {"digests": len(words), "digest_bits": float(np.bitwise_xor.reduce(words))}


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
