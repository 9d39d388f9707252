"""Link two sources, starting from Arrow tables as a linkage model writes them, and write the entities as Parquet.

The edges carry Splink's column names, so that the predictions of a Splink model fit as they are. A record is known by
its source and its key together: customer 2 and supplier 2 are two records. Run it with a folder for the result.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import starlings as sl

CUSTOMERS = pa.table({"id": [1, 2, 3], "name": ["Ada Lovelace", "Alan Turing", "Grace Hopper"]})
SUPPLIERS = pa.table({"id": [1, 2], "name": ["A. Turing", "A. Lovelace"]})
PREDICTIONS = pa.table(
    {
        "source_dataset_l": ["customers", "customers", "customers"],
        "unique_id_l": [1, 2, 3],
        "source_dataset_r": ["suppliers", "suppliers", "suppliers"],
        "unique_id_r": [2, 1, 1],
        "match_probability": [0.93, 0.88, 0.12],
    }
)


def main(folder: Path) -> None:
    """Collect the records of both sources, add the predictions, cut at two thresholds."""
    frame = sl.EntityFrame.from_records("customers", CUSTOMERS, key_column="id")
    frame.add_records("suppliers", SUPPLIERS, key_column="id")
    frame.add_collection_from_edges("splink", PREDICTIONS)

    for threshold in (0.9, 0.5):
        entities = frame["splink"].at(threshold)
        print(f"at {threshold}: {len(entities)} entities")
        for entity in entities.entities:
            print(f"  {entity.id}: {sorted(entity.members)}")

    joined = frame["splink"].threshold_between(("customers", 2), ("suppliers", 1))
    print(f"customer 2 and supplier 1 are one entity up to threshold {joined}")
    pq.write_table(pa.table(frame["splink"].at(0.5).to_arrow()), folder / "entities.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
