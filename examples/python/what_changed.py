"""Review a change before it goes live: what a lower threshold merges, what a new model splits, and where to look first.

A shop's customers are matched by a model. The threshold is to fall from 0.9 to 0.7, and a new version of the model is
to replace the old one. Run it as it is, with a folder for the table of changes; for real data replace `pairs`.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import starlings as sl

CUSTOMERS = 2_000
RECORDS = np.arange(3 * CUSTOMERS)  # three records of each


def pairs(version: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs within and between customers; later versions tell them apart better."""
    rng = np.random.default_rng(version)
    within = RECORDS[RECORDS % 3 < 2]
    between = rng.integers(len(RECORDS), size=(2, CUSTOMERS // 4))
    left, right = np.concatenate([np.stack([within, within + 1]), between], axis=1)
    good, bad = rng.beta(9, 1, len(within)), rng.beta(1 + 4 / version, 3, between.shape[1])
    return left, right, np.concatenate([good, bad])


def show(title: str, diff: sl.PartitionDiff) -> None:
    """The number of changes of each kind, and the first of them."""
    print(f"{title}: " + ", ".join(f"{count:,} {kind}" for kind, count in diff.counts.items()))
    for change in diff[:2]:
        before, after = (
            [sorted(key for _, key in entity) for entity in side] for side in (change.before, change.after)
        )
        print(f"  {change.kind}: {before} -> {after}")


def main(folder: Path) -> None:
    """Compare two cuts, then two models; look into the merges that weigh most, and into one record of the worst."""
    frame = sl.EntityFrame()
    for name, version in (("old", 1), ("new", 4)):
        frame.add_collection_from_edges(name, pairs(version))
    old, new = frame["old"], frame["new"]

    show("from 0.9 to 0.7", old.at(0.9).diff(old.at(0.7)))
    models = old.at(0.7).diff(new.at(0.7))
    show("old to new model", models)
    pq.write_table(pa.table(models), folder / "changes.parquet")

    print("merges of most pairs:")
    merges = old.critical_merges(3)
    for merge in merges:
        print(f"  at {merge.threshold:.3f} {merge.num_pairs:,} pairs, from entities of {merge.sizes.tolist()} records")

    _, suspect = min(merges[0].sides[-1])
    print(f"how the entity of record {suspect} grows:")
    for step in old.lineage(suspect)[1:]:
        print(f"  at {step.threshold:.3f} by {step.num_joined} to {step.size} records")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
