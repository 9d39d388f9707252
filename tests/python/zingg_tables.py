"""Tables as Zingg writes them, of people that are drawn with a seed.

The formats are those of Zingg 0.7.0: the jar in its wheel, run on Spark 3.5 and Java 17 over a key and four fields of
people, the key a field of match type DONT_USE, in the phases trainMatch and link. What it wrote had

match output
    `z_minScore` and `z_maxScore` (double, missing for records without a partner), `z_cluster` (int64, not in order of
    appearance), then the fields in the order of the configuration. Clusters had 1 to 8 records, scores were in [0.41,
    1), most of them above 0.9.
link output
    `z_cluster` (text: the time in milliseconds, a colon, a number), `z_score`, the fields, `z_zsource` last. Of each
    cluster one row is of the first dataset, in any place, and bears the score of one of its links; 1 to 4 are of the
    second, whose records may be in several clusters.
training data
    `z_cluster` and `z_isMatch` (1, 0) before the fields. Clusters that do not match have two records, others 2 to 6.

Fields that Spark reads from CSV with a type come back with gaps: a date as yyyymmdd is a double then.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

PEOPLE = 60
MILLISECONDS = 1_700_000_000_000
GIVEN, SURNAMES, CITIES = (
    ["Ana", "Björn", "Chloé", "Dmitri", "Eve", "Fatima", "李", "Hugo"],
    ["Abe", "Berg", "Costa", "Dubois", "O'Neil", "Фомин", "Ng", "Hall"],
    ["Bern", "Łódź", "Porto", "Zürich"],
)


def customers(*, seed: int = 19) -> pd.DataFrame:
    """Records of 60 people, 1 to 5 each: in the column `person` who it is, which no output has."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(PEOPLE), random.choice([1, 2, 3, 5], PEOPLE, p=[0.2, 0.4, 0.3, 0.1]))
    number = pd.Series(person).groupby(person).cumcount().to_numpy()
    born = random.integers(1940, 2000, PEOPLE) * 10_000 + 101.0
    table = pd.DataFrame(
        {
            "person": person,
            "id": [f"c-{who}-{which}" for who, which in zip(person, number, strict=True)],
            "given_name": random.choice(GIVEN, PEOPLE)[person],
            "surname": random.choice(SURNAMES, PEOPLE)[person],
            "city": random.choice(CITIES, PEOPLE)[person],
            "born": np.where(random.random(len(person)) < 0.1, np.nan, born[person]),
        }
    )
    table.loc[random.random(len(table)) < 0.05, "surname"] = None
    return table


def scored(table: pd.DataFrame, *, seed: int = 23) -> pd.DataFrame:
    """Each pair of records of one person, by number of row, and its score."""
    random = np.random.default_rng(seed)
    rows = table.reset_index(names="row")[["row", "person"]]
    pairs = rows.merge(rows, on="person", suffixes=("_l", "_r")).query("row_l < row_r")
    return pairs.assign(score=1.0 - 0.59 * random.random(len(pairs)) ** 4)


def match_output() -> pd.DataFrame:
    table = customers()
    pairs = scored(table)
    ends = pd.concat([pairs["score"].set_axis(pairs[side]) for side in ("row_l", "row_r")]).groupby(level=0)
    scores = pd.DataFrame({"z_minScore": ends.min(), "z_maxScore": ends.max()}).reindex(table.index)
    clusters = np.random.default_rng(29).permutation(2 * PEOPLE)[table["person"]]
    output = scores.assign(z_cluster=clusters).join(table.drop(columns="person"))
    return output.sort_values("z_cluster", ignore_index=True)


def link_output() -> pd.DataFrame:
    """The records with even numbers, dataset crm, are linked with the others, dataset shop."""
    table = customers().assign(
        z_zsource=lambda frame: np.where(frame["id"].str[-1].isin(["0", "2", "4"]), "crm", "shop")
    )
    pairs = scored(table)
    of_left, of_right = (table["z_zsource"].to_numpy()[pairs[side]] for side in ("row_l", "row_r"))
    pairs = pairs[of_left != of_right]
    swapped = table["z_zsource"].to_numpy()[pairs["row_l"]] == "shop"
    heads = np.where(swapped, pairs["row_r"], pairs["row_l"])
    others = np.where(swapped, pairs["row_l"], pairs["row_r"])
    links = pd.DataFrame({"head": heads, "row": others, "z_score": pairs["score"]})
    rows = pd.concat([links.drop_duplicates("head").assign(row=lambda frame: frame["head"]), links])
    rows = rows.sample(frac=1.0, random_state=31).sort_values("head", kind="stable")
    rows["z_cluster"] = [f"{MILLISECONDS}:{2 * head}" for head in rows["head"]]
    fields = table.loc[rows["row"], ["id", "given_name", "surname", "city", "born", "z_zsource"]]
    return pd.concat([rows[["z_cluster", "z_score"]].reset_index(drop=True), fields.reset_index(drop=True)], axis=1)


def training_data() -> pd.DataFrame:
    """People with several records match; the first records of one person and the next do not."""
    table = customers()
    several = table[table["person"].map(table["person"].value_counts()) > 1]
    matches = several.assign(z_cluster=several["person"], z_isMatch=1)
    firsts = table.drop_duplicates("person").head(PEOPLE // 2)
    others = firsts.assign(z_cluster=PEOPLE + np.arange(len(firsts)) // 2, z_isMatch=0)
    rows = pd.concat([matches, others], ignore_index=True).drop(columns="person")
    return rows[["z_cluster", "z_isMatch", *rows.columns.drop(["z_cluster", "z_isMatch"])]]
