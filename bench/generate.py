"""The data every case of the benchmark reads: scored record pairs with known true clusters, seeded and cached.

Clusters have a mean size of 3 and a tail to 50. Half the edges join two records of one cluster and score Beta(8, 2),
half join two clusters and score Beta(2, 6), all rounded to 6 decimals. No unordered pair appears twice, as in the
output of a linkage model. Record ids, edge order and the two ends of an edge are shuffled, so that the layout says
nothing about the clusters. Generation takes about a second a million edges, once; the files are `.npy` and Parquet.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CACHE = Path(__file__).resolve().parent.parent / "build" / "bench"
FORMAT = "v1"  # part of the cache's folder name: raise it when the generated data change
SEED = 20240229
ROW_GROUP = 1 << 20

MEAN_SIZE = 3.0
LARGEST = 50
TAIL_SHARE = 0.1  # of the clusters have Zipf sizes, the others geometric ones
TAIL_EXPONENT = 1.5

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Size:
    """One generated data set."""

    name: str
    records: int
    edges: int

    @property
    def folder(self) -> Path:
        """Where its files are cached."""
        return CACHE / f"data-{FORMAT}" / self.name


SIZES = {
    size.name: size
    for size in (
        Size("quick", 6_000, 20_000),
        Size("1M-1M", 1_000_000, 1_000_000),
        Size("1M-5M", 1_000_000, 5_000_000),
        Size("10M-50M", 10_000_000, 50_000_000),
    )
}


def size_distribution() -> Floats:
    """Probability of each cluster size 1..50: Zipf for a tenth, truncated geometric for the rest, mean 3."""
    sizes = np.arange(1, LARGEST + 1)
    tail = sizes**-TAIL_EXPONENT
    tail /= tail.sum()
    low, high = 0.01, 0.99
    for _ in range(60):
        stop = (low + high) / 2
        body = (1 - stop) ** (sizes - 1)
        mixed = TAIL_SHARE * tail + (1 - TAIL_SHARE) * body / body.sum()
        low, high = (stop, high) if mixed @ sizes > MEAN_SIZE else (low, stop)
    probability: Floats = mixed / mixed.sum()
    return probability


def draw_sizes(rng: np.random.Generator, records: int) -> Ints:
    """Cluster sizes that add up to `records`; the last one is cut to fit."""
    sizes = rng.choice(np.arange(1, LARGEST + 1), size=records // 2 + LARGEST, p=size_distribution())
    ends = np.cumsum(sizes)
    kept = int(np.searchsorted(ends, records)) + 1
    sizes = sizes[:kept]
    sizes[-1] -= ends[kept - 1] - records
    return sizes.astype(np.int64)


def pairs_inside(rng: np.random.Generator, sizes: Ints, count: int) -> tuple[Ints, Ints]:
    """`count` different pairs of positions, each within one cluster, drawn evenly from all such pairs."""
    starts = np.cumsum(sizes) - sizes
    lefts, rights = [], []
    for size in range(2, LARGEST + 1):
        first, second = np.triu_indices(size, 1)
        base = starts[sizes == size][:, None]
        lefts.append((base + first).ravel())
        rights.append((base + second).ravel())
    left, right = np.concatenate(lefts), np.concatenate(rights)
    if count > len(left):
        raise ValueError(f"{count} edges inside clusters asked for, only {len(left)} pairs exist")
    chosen = rng.choice(len(left), size=count, replace=False, shuffle=False)
    return left[chosen], right[chosen]


def pairs_between(rng: np.random.Generator, cluster: Ints, count: int) -> tuple[Ints, Ints]:
    """`count` different pairs of positions, each across two clusters."""
    records = len(cluster)
    drawn = int(count * 1.02) + 1_000
    left, right = rng.integers(0, records, drawn), rng.integers(0, records, drawn)
    across = cluster[left] != cluster[right]
    left, right = left[across], right[across]
    pairs = np.unique(np.minimum(left, right) * records + np.maximum(left, right))
    pairs = rng.permutation(pairs)[:count]
    if len(pairs) < count:
        raise ValueError(f"only {len(pairs)} of {count} edges between clusters were different")
    return pairs // records, pairs % records


def draw_edges(rng: np.random.Generator, size: Size, sizes: Ints) -> tuple[Ints, Ints, Floats]:
    """Left and right positions and the score of every edge, in random order with random ends."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    inside = size.edges // 2
    between = size.edges - inside
    ends = [pairs_inside(rng, sizes, inside), pairs_between(rng, cluster, between)]
    left, right = (np.concatenate([end[side] for end in ends]) for side in (0, 1))
    score = np.round(np.concatenate([rng.beta(8, 2, inside), rng.beta(2, 6, between)]), 6)
    order = rng.permutation(size.edges)
    swap = rng.random(size.edges) < 0.5
    left, right = np.where(swap, right, left)[order], np.where(swap, left, right)[order]
    return left, right, score[order]


def string_keys(rng: np.random.Generator, sizes: Ints) -> pa.LargeStringArray:
    """One key a position, as FEBRL names them: `rec-00012345-org`, its duplicates `rec-00012345-dup-1` and so on."""
    number = rng.permutation(len(sizes))
    member = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    digits = pc.utf8_lpad(pa.array(number).cast(pa.large_string()), width=8, padding="0")
    digits = digits.take(pa.array(np.repeat(np.arange(len(sizes)), sizes)))
    endings = pa.array(["-org"] + [f"-dup-{i}" for i in range(1, LARGEST)], pa.large_string())
    prefix, nothing = (pa.scalar(text, pa.large_string()) for text in ("rec-", ""))
    return pc.binary_join_element_wise(prefix, digits, endings.take(pa.array(member)), nothing)


def write_strings(path: Path, keys: pa.LargeStringArray, left: Ints, right: Ints, score: Floats) -> None:
    """The same edges with string keys, in row groups of about a million."""
    schema = pa.schema([("left", pa.large_string()), ("right", pa.large_string()), ("score", pa.float64())])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for start in range(0, len(score), ROW_GROUP):
            rows = slice(start, start + ROW_GROUP)
            ends = [keys.take(pa.array(end[rows])) for end in (left, right)]
            writer.write_table(pa.table([*ends, pa.array(score[rows])], schema=schema))


def generate(size: Size) -> None:
    """Write the files of one size, unless they are there."""
    if (size.folder / "complete").exists():
        return
    print(f"generating {size.name}: {size.records:,} records, {size.edges:,} edges", file=sys.stderr)
    size.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([SEED, size.records, size.edges])
    sizes = draw_sizes(rng, size.records)
    left, right, score = draw_edges(rng, size, sizes)
    write_strings(size.folder / "edges.parquet", string_keys(rng, sizes), left, right, score)
    record = rng.permutation(size.records)  # record id of each position
    truth = np.empty(size.records, np.int64)
    truth[record] = np.repeat(rng.permutation(len(sizes)), sizes)
    for name, values in {"left": record[left], "right": record[right], "score": score, "truth": truth}.items():
        np.save(size.folder / f"{name}.npy", values)
    (size.folder / "complete").touch()


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        generate(SIZES[wanted])
