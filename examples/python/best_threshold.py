"""Choose a threshold for scored pairs of one's own, with integer keys in numpy arrays.

Run it as it is: it makes up 30,000 records of 10,000 people and scores for pairs of them. For real data, replace
`scored_pairs` by three columns read from a file, or hand any Arrow table to `add_collection_from_edges`.
"""

import numpy as np

import starlings as sl

PEOPLE = 10_000


def scored_pairs(person: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs within and between people; those within score higher, though not always."""
    by_person = np.argsort(person, kind="stable")
    same = person[by_person[1:]] == person[by_person[:-1]]
    within = by_person[:-1][same], by_person[1:][same]
    between = rng.integers(len(person), size=(2, same.sum()))
    left, right = np.concatenate([within, between], axis=1)
    score = np.where(person[left] == person[right], rng.beta(8, 2, len(left)), rng.beta(2, 8, len(left)))
    return left, right, score


def main() -> None:
    """Build the hierarchy, measure every threshold, show the best cut."""
    rng = np.random.default_rng(7)
    person = rng.integers(PEOPLE, size=3 * PEOPLE)
    records = np.arange(len(person))

    frame = sl.EntityFrame()
    frame.add_collection("truth", sl.Collection.from_labels(records, person))
    frame.add_collection_from_edges("model", scored_pairs(person, rng))

    metrics = ["precision", "recall", "f1", "entity_count"]
    report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0).reference(), metrics=metrics)
    best = report.best("f1")
    print(f"{len(report):,} thresholds measured")
    print("best: " + ", ".join(f"{name} {best[name]:.4g}" for name in ["threshold", *metrics]))

    entities = frame["model"].at(best["threshold"])
    print(f"{len(entities):,} entities, the largest of {entities.sizes.max()} records")


if __name__ == "__main__":
    main()
