"""Keep a frame in a file, look into it with a browser, hand it to other programs.

The first half builds a frame and saves it, as a nightly job would. The second loads it, writes the explorer's page for
people who do not program, and puts the frame into a database and into Parquet files for programs in other languages.
Run it with a folder for the results.
"""

import sys
from pathlib import Path

import duckdb
import pandas as pd

import starlings as sl

PEOPLE = pd.DataFrame(
    {
        "id": range(1, 7),
        "name": ["Ann Lee", "Anne Lee", "A. Lee", "Bob Ray", "Rob Ray", "Eve Orr"],
        "person": list("aaabbc"),
    }
)
PAIRS = pd.DataFrame({"left": [1, 2, 4, 5], "right": [2, 3, 5, 6], "score": [0.97, 0.81, 0.74, 0.42]})


def build(path: Path) -> None:
    """The nightly job: records with their attributes, a model, a truth; all in one file."""
    frame = sl.EntityFrame.from_records("people", PEOPLE[["id", "name"]], key_column="id")
    frame.add_collection_from_edges("model", PAIRS, source="people", keep_edges="forest", new_records="error")
    frame.add_collection_from_labels("truth", PEOPLE["id"], PEOPLE["person"], source="people")
    frame.save(path)


def hand_over(path: Path, folder: Path) -> None:
    """Whoever uses the result: the file is mapped, and goes wherever it is wanted."""
    frame = sl.load(path)
    print(frame)
    print("written:", frame.explore(folder / "people.html", reference="truth", title="People").name)

    frame.write_parquet(folder / "people", if_exists="replace")
    with duckdb.connect(folder / "people.duckdb") as database:
        frame.to_sql(database, if_exists="replace")
        query = "SELECT threshold, num_records FROM starlings_merge_events WHERE collection_id = 0 ORDER BY event"
        for threshold, size in database.execute(query).fetchall():
            print(f"at {threshold} an entity of {size} records comes about")

    report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0).reference())
    best = report.best("f1")["threshold"]
    clusters = sl.adapters.splink.to_clusters(frame["model"].at(best)).to_pandas()  # as Splink has them
    print(f"{clusters['cluster_id'].nunique()} clusters at {best}")


def main(folder: Path) -> None:
    """Build and save, then load and hand over."""
    path = folder / "people.starlings"
    build(path)
    hand_over(path, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
