"""A frame in service: sources with attributes, a new version of the model every round, figures to watch.

Customers are known to a CRM by number, to a shop by a code and to a newsletter by the digest of their address. Every
round a new version of the model scores pairs of them, and hints at who the visitors of a web site were, whom no table
has; it replaces the version before. In the end the customers are joined to households, on top of the entities found.
Run it as it is, with a folder for the figures; for real data replace the functions that make data up.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

import starlings as sl

PEOPLE = 200
ROUNDS = 4
VISITS = 500  # a round
THRESHOLD = 0.7

numbers = np.arange(1, PEOPLE + 1)
codes = [f"C-{number:04}" for number in numbers]
digests = [hashlib.sha256(code.encode()).digest()[:8] for code in codes]


def new_frame() -> sl.EntityFrame:
    """The records of all sources, each table as its system gives it: all columns are kept."""
    crm = pd.DataFrame({"number": numbers, "name": [f"Customer {number}" for number in numbers]})
    shop = pl.DataFrame({"code": codes, "orders": numbers % 7})
    newsletter = [
        {"digest": digest, "opened": number % 2 == 0} for number, digest in zip(numbers, digests, strict=True)
    ]

    frame = sl.EntityFrame.from_records("crm", crm, key_column="number")
    frame.add_records("shop", shop, key_column="code")
    frame.add_records("newsletter", newsletter, key_column="digest")
    return frame


def truth() -> list[set[tuple[str, object]]]:
    """What clerks found: a record is its source and its key."""
    return [
        {("crm", int(number)), ("shop", code), ("newsletter", digest)}
        for number, code, digest in zip(numbers, codes, digests, strict=True)
    ]


def model(version: int) -> sl.Collection:
    """What a version of the model says. Later versions know better."""
    rng = np.random.default_rng(version)
    right = np.where(rng.random(PEOPLE) < 0.3 / version, np.roll(np.arange(PEOPLE), 1), np.arange(PEOPLE))
    certain = right == np.arange(PEOPLE)
    scores = np.where(certain, rng.beta(9, 2, PEOPLE), rng.beta(4, 5, PEOPLE))

    # columns of one kind of key each, with the sources of both sides in columns of their own
    shop_pairs = pl.DataFrame({"left": numbers, "right": [codes[i] for i in right], "score": scores})
    shop_pairs = shop_pairs.with_columns(left_source=pl.lit("crm"), right_source=pl.lit("shop"))
    collection = sl.Collection.from_edges(shop_pairs, left_source="left_source", right_source="right_source")

    # pairs of other sources, by any iterable; here each key names its source
    newsletter = zip(codes, digests, scores, strict=True)
    collection.add_edges((("shop", code), ("newsletter", digest), score) for code, digest, score in newsletter)
    customers = numbers[rng.integers(PEOPLE, size=VISITS)].tolist()
    hints = (0.6 * rng.random(VISITS)).tolist()
    visits = range(VISITS * version, VISITS * (version + 1))
    collection.add_edges(
        (("crm", customer), ("web", visit), hint)
        for customer, visit, hint in zip(customers, visits, hints, strict=True)
    )
    return collection


def replace_model(frame: sl.EntityFrame, version: int) -> None:
    """The new version goes in before the old one goes out: readers always find one."""
    assimilation = frame.add_collection(f"model-{version}", model(version))
    print(f"model-{version}: {assimilation.num_known} records known, {assimilation.num_new} new", end="; ")
    if f"model-{version - 1}" in frame:
        frame.drop(f"model-{version - 1}")

    cut = sl.col(f"model-{version}").at(THRESHOLD)
    row = frame.analyse(cut, sl.col("truth").at(1.0).reference(), metrics=["precision", "recall"])[0]
    print(f"precision {row['precision']:.3f}, recall {row['recall']:.3f}")


def watch(frame: sl.EntityFrame, folder: Path) -> None:
    """Leave the figures where Prometheus' node exporter collects them, and say what an operator would look at."""
    metrics = frame.collect_metrics()
    text = metrics.to_prometheus({"frame": "customers"})
    (folder / "starlings.prom").write_text(text, encoding="utf-8")
    print(
        f"  {metrics.num_records} records, {metrics.garbage_ratio:.0%} garbage, {metrics.total_memory_mb:.2f} MB, "
        f"stability {metrics.avg_entity_stability:.3f}, {'has' if metrics.last_compaction else 'not'} compacted"
    )


def households(frame: sl.EntityFrame, name: str) -> None:
    """The next stage: entities become the records of it, and neighbours are joined."""
    people = frame[name].at(THRESHOLD)
    customers = [sl.Entity(entity.members, id=f"customer-{entity.id}") for entity in people.entities if entity.size > 1]
    neighbours = [(first.id, second.id, 0.9) for first, second in zip(customers[::2], customers[1::2], strict=False)]
    joined = sl.Collection.from_edges(neighbours, records=customers)
    print(f"households: {frame.add_collection('households', joined)}")
    print(f"  {joined.at(1.0).num_entities} customers are {joined.at(0.9).num_entities} households")


def main(folder: Path) -> None:
    """Some rounds of a service, the households, and one customer with all that is known."""
    frame = new_frame()
    frame.add_collection_from_entities("truth", truth(), new_records="error")
    for version in range(1, ROUNDS + 1):
        replace_model(frame, version)
        watch(frame, folder)
    households(frame, f"model-{ROUNDS}")

    entities = frame[f"model-{ROUNDS}"].at(THRESHOLD).entities
    known = next(entity for entity in entities if len(entity.sources) == 3)
    print(f"a customer of {', '.join(known.sources)}:")
    print(known.to_pandas().drop(columns=["key", "digest"]).to_string(index=False))
    print(f"of the shop: {known.tables()['shop'].to_dicts()}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
