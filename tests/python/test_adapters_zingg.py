"""Zingg's formats: tables made as its program writes them (zingg_tables.py), and the names in its jar."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import starlings as sl
from neighbours import PLACE
from starlings.adapters import zingg as adapter
from zingg_tables import link_output, match_output, training_data

FORMS: list[Callable[[pd.DataFrame], Any]] = [
    lambda frame: frame,
    pl.from_pandas,
    lambda frame: pa.Table.from_pandas(frame),
    lambda frame: duckdb.from_df(frame),
    lambda frame: frame.rename(columns=str.upper),
    lambda frame: frame.to_dict("list"),
    lambda frame: frame.astype(str),
    lambda frame: type("SparkDataFrame", (), {"toPandas": lambda self: frame})(),
]


@pytest.fixture
def match() -> pd.DataFrame:
    return match_output()


@pytest.fixture
def link() -> pd.DataFrame:
    return link_output()


def test_columns_are_called_as_in_the_jar(match: pd.DataFrame, link: pd.DataFrame) -> None:
    (jar,) = [path for path in (PLACE / "zingg" / "jars").glob("zingg-*.jar") if "tests" not in path.name]
    with zipfile.ZipFile(jar) as classes:
        names = classes.read("zingg/common/client/util/ColName.class")
    ours = sl.Collection.from_edges([(("a", 1), ("b", 2), 0.5)], keep_edges=True)
    written = {*adapter.to_clusters(ours, 0.5, key="id").column_names, *match.columns, *link.columns, "z_isMatch"}
    chosen = {name for name in written if name.startswith("z_")}
    assert chosen == {"z_minScore", "z_maxScore", "z_cluster", "z_zsource", "z_score", "z_isMatch"}
    for name in chosen:
        assert len(name).to_bytes(2, "big") + name.encode() in names, name


@pytest.mark.parametrize("form", FORMS)
def test_match_output_makes_a_collection(match: pd.DataFrame, form: Callable[[pd.DataFrame], Any]) -> None:
    collection = adapter.from_clusters(form(match), key="id")
    expected = {frozenset(rows["id"]) for _, rows in match.groupby("z_cluster")}
    assert {frozenset(key for _, key in members) for members in collection.at(1.0).to_list()} == expected
    assert collection.num_records == len(match) and 20 < len(expected) < len(match)


@pytest.mark.parametrize("form", FORMS)
def test_link_output_is_edges(link: pd.DataFrame, form: Callable[[pd.DataFrame], Any]) -> None:
    table = adapter.edges(form(link), key="id")
    rows = {(row["left"], row["right"]): row["score"] for row in table.to_pylist()}
    expected = {}
    for _, cluster in link.groupby("z_cluster"):
        (first,) = cluster[cluster["z_zsource"] == "crm"]["id"]
        for found in cluster[cluster["z_zsource"] == "shop"].itertuples():
            expected[first, found.id] = found.z_score
    assert rows == pytest.approx(expected) and len(rows) == table.num_rows > 60
    assert set(table["left_source"].to_pylist()) == {"crm"} and set(table["right_source"].to_pylist()) == {"shop"}
    collection = sl.Collection.from_edges(table)
    assert collection.at(0.9).num_entities > collection.at(0.2).num_entities


def test_link_output_is_no_partition(link: pd.DataFrame, match: pd.DataFrame) -> None:
    with pytest.raises(sl.OverlapError):
        adapter.from_clusters(link, key="id")
    with pytest.raises(sl.OverlapError, match="in two clusters"):
        adapter.from_clusters(link, key="id", source_column="z_zsource")
    with pytest.raises(sl.InvalidArgumentError, match="output of another phase"):
        adapter.edges(match.assign(z_score=1.0, z_zsource="people"), key="id")


def test_labelled_pairs_are_a_truth() -> None:
    pairs = training_data()
    edges = adapter.labelled_edges(pairs, key="id")
    matches = sl.Collection.from_edges(edges).at(1.0)
    for _, group in pairs.groupby("z_cluster"):
        together = {matches.entity_of(key).id for key in group["id"]}
        assert len(together) == (1 if group["z_isMatch"].iloc[0] == 1 else len(group))
    unsure = pairs.assign(z_isMatch=2)
    assert adapter.labelled_edges(unsure, key="id").num_rows == 0
    assert adapter.labelled_edges(pairs.astype({"z_isMatch": "int64"}), key="id").equals(edges)


def definition(edges: list[tuple[Any, Any, float]], members: set[Any], key: Any, threshold: float) -> list[float]:
    """The scores of a record's pairs in its cluster, as Zingg counts them."""
    scores = {frozenset((a, b)): score for a, b, score in edges if score >= threshold}
    return [scores.get(frozenset((key, other)), 0.0) for other in members if other != key]


def test_cuts_come_out_as_match_output() -> None:
    random = np.random.default_rng(3)
    pairs = {frozenset(pair) for pair in random.integers(0, 60, (80, 2)).tolist() if pair[0] != pair[1]}
    edges = [(*sorted(pair), round(random.random(), 2)) for pair in sorted(pairs, key=sorted)]
    collection = sl.Collection.from_edges(edges, keep_edges=True, records=range(60))
    for threshold in (0.3, 0.6, 0.9):
        output = adapter.to_clusters(collection, threshold, key="row").to_pandas().set_index("row")
        assert list(output.columns) == ["z_minScore", "z_maxScore", "z_cluster"]
        partition = collection.at(threshold)
        assert adapter.from_clusters(output.reset_index(), key="row").at(1.0) == partition
        for entity in partition.entities:
            members = {key for _, key in entity.members}
            for key in members:
                lowest, highest = output.loc[key, ["z_minScore", "z_maxScore"]]
                scores = definition(edges, members, key, threshold)
                if scores:
                    assert (lowest, highest) == (min(scores), max(scores))
                else:
                    assert np.isnan(lowest) and np.isnan(highest)


def test_scores_are_of_pairs_in_the_entity_alone() -> None:
    pairs = [(("x", 1), ("y", 1), 0.9), (("x", 2), ("y", 1), 0.8), (("x", 1), ("x", 1), 0.95)]
    collection = sl.Collection.from_edges(pairs, keep_edges=True, unique_sources=["x"])
    rows = adapter.to_clusters(collection, 0.5).select(["z_minScore", "z_maxScore"]).to_pylist()
    assert rows == [{"z_minScore": 0.9, "z_maxScore": 0.9}] * 2 + [{"z_minScore": None, "z_maxScore": None}]


def test_few_records() -> None:
    nothing = adapter.to_clusters(sl.Collection.from_edges([], keep_edges=True), 0.5)
    assert nothing.num_rows == 0 and nothing.column_names == ["z_minScore", "z_maxScore", "z_cluster", "id"]
    one = adapter.to_clusters(sl.Collection.from_edges([("é", "é", 0.5)], keep_edges=True), 0.5)
    assert one.to_pylist() == [{"z_minScore": None, "z_maxScore": None, "z_cluster": 0, "id": "é"}]
    two = adapter.to_clusters(sl.Collection.from_edges([(("a", 1), ("b", 1), 0.5)], keep_edges=True), 0.5)
    assert two["z_zsource"].to_pylist() == ["a", "b"] and two["z_minScore"].to_pylist() == [0.5, 0.5]
    assert adapter.from_clusters(two, key="id", source_column="z_zsource").num_records == 2
    types = {"z_cluster": "str", "z_score": "float64", "id": "str", "z_zsource": "str"}
    empty = pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in types.items()})
    assert sl.Collection.from_edges(adapter.edges(empty, key="id")).num_records == 0


def test_the_first_of_several_datasets_has_to_be_known(link: pd.DataFrame) -> None:
    triple = {"z_cluster": ["p"] * 3, "z_score": [0.9, 0.9, 0.6], "id": [7, 5, 8], "z_zsource": ["b", "a", "c"]}
    with pytest.raises(sl.InvalidArgumentError, match=r"datasets 'b', 'a', 'c' all have one record.*first="):
        adapter.edges(triple, key="id")
    pairs = adapter.edges(triple, key="id", first="a").select(["left", "right", "score"])
    assert pairs.to_pydict() == {"left": [5, 5], "right": [7, 8], "score": [0.9, 0.6]}
    couple = pd.DataFrame(triple).head(2)
    both = [sl.Collection.from_edges(adapter.edges(couple, key="id", first=first)) for first in (None, "a", "b")]
    assert [one.threshold_between(("a", 5), ("b", 7)) for one in both] == [0.9] * 3
    assert adapter.edges(link, key="id", first="crm").equals(adapter.edges(link, key="id"))
    with pytest.raises(sl.InvalidArgumentError, match="the dataset 'shop' has not just one record in each cluster"):
        adapter.edges(link, key="id", first="shop")


def test_rows_that_say_nothing_of_their_cluster_or_dataset_are_refused(link: pd.DataFrame) -> None:
    for column in ("z_cluster", "z_zsource"):
        gap = link.copy()
        gap.loc[4, column] = None
        with pytest.raises(sl.InvalidArgumentError, match=f"row 4 has nothing in the column '{column}'"):
            adapter.edges(gap, key="id")


def test_labels_are_known_ones_and_one_a_cluster() -> None:
    pairs = training_data()
    assert adapter.labelled_edges(pairs.assign(z_isMatch=-1), key="id").num_rows == 0
    assert adapter.labelled_edges(pairs.assign(z_isMatch=np.nan), key="id").num_rows == 0
    with pytest.raises(sl.InvalidArgumentError, match="but row 0 has 7"):
        adapter.labelled_edges(pairs.assign(z_isMatch=7), key="id")
    two_files = {"z_cluster": [0, 0, 0, 0], "z_isMatch": [1, 1, 0, 0], "id": [1, 2, 3, 4]}
    with pytest.raises(sl.InvalidArgumentError, match=r"rows 0 and 2 are of one cluster.*one by one"):
        adapter.labelled_edges(two_files, key="id")
    with pytest.raises(sl.InvalidArgumentError, match="row 1 has nothing in the column 'z_cluster'"):
        adapter.labelled_edges(two_files | {"z_cluster": [0, None, 1, 1]}, key="id")


def test_what_is_wrong_is_named(match: pd.DataFrame, link: pd.DataFrame) -> None:
    with pytest.raises(sl.InvalidArgumentError, match=r"column 'key', with the keys.*'z_minScore'.*key="):
        adapter.from_clusters(match, key="key")
    with pytest.raises(sl.InvalidArgumentError, match=r"'z_score'.*'z_maxScore'.*score="):
        adapter.edges(match, key="id")
    with pytest.raises(sl.InvalidArgumentError, match=r"'z_isMatch', with 1 for a match.*is_match="):
        adapter.labelled_edges(match, key="id")
    with pytest.raises(sl.InvalidArgumentError, match=r"'ZINGG_ID'.*cluster="):
        adapter.from_clusters(match, key="id", cluster="ZINGG_ID")
    with pytest.raises(sl.InvalidArgumentError, match="'z_score' should hold numbers"):
        adapter.edges(link.assign(z_score="high"), key="id")
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges"):
        adapter.to_clusters(sl.Collection.from_edges([(1, 2, 0.5)]), 0.5)
    mixed = match.astype({"id": object})
    mixed.loc[3, "id"] = 7
    with pytest.raises(sl.InvalidArgumentError, match="the column 'id' has values of several kinds"):
        adapter.from_clusters(mixed, key="id")
    with pytest.raises(sl.InvalidArgumentError, match="the match output must be a table"):
        adapter.from_clusters("output.csv", key="id")
    collection = sl.Collection.from_edges([(1, 2, 0.5)], keep_edges=True)
    for key, message in (("z_cluster", "two columns.*'z_cluster'"), (None, "must be a str, not None")):
        with pytest.raises(sl.InvalidArgumentError, match=message):
            adapter.to_clusters(collection, 0.5, key=key)  # type: ignore[arg-type]
