"""The main job: from scored pairs and a truth to every metric at every threshold, the best cuts and their entities.

The five calls of :func:`run_job` are the whole use of the library; what surrounds them reads rows off the curve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

import starlings as sl
from starlings.demo.errors import DemoError
from starlings.demo.inputs import InputFiles, Inputs
from starlings.demo.metrics import BEST_BY, DEFAULT_THRESHOLDS, METRICS
from starlings.demo.steps import Steps

__all__ = ["JobResult", "Row", "row_at", "run_job"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class JobResult:
    """What the job found.

    Attributes
    ----------
    records, edges, true_entities : int
        Sizes of the input.
    unlabelled : int
        Records without a row in the truth; each counts as a true entity of its own.
    curve : pyarrow.Table
        ``threshold`` and one column per metric, one row per threshold at which entities change, in order of threshold.
    best : dict of str to row
        Per metric of `BEST_BY`, and for `metric`, the row of the curve where it is highest.
    defaults : dict of float to row
        The rows that the customary thresholds would have given; a threshold above all scores has none.
    metric : str
        The metric whose best cut the entities are.
    entities : pyarrow.Table
        ``source, key, entity_id`` at the best cut.
    """

    records: int
    edges: int
    true_entities: int
    unlabelled: int
    curve: pa.Table
    best: dict[str, Row]
    defaults: dict[float, Row]
    metric: str
    entities: pa.Table


def run_job(inputs: Inputs, steps: Steps, *, metric: str = "f1") -> JobResult:
    """Run the main job.

    Parameters
    ----------
    inputs : Inputs
        Edges, truth and records; see :mod:`starlings.demo.inputs`.
    steps : Steps
        Where progress goes.
    metric : str
        The metric that decides at which threshold the entities are cut; one of ``metrics.CHOICES``.

    Raises
    ------
    DemoError
        If there are no edges, or a key or a score is not acceptable; the message names the file and the row.
    """
    files = inputs.files
    if not inputs.edges.num_rows:
        raise DemoError(f"{files.edges}: no edges, so every record is an entity of its own at any threshold")
    with steps.step("Collect the records", spinner=False):
        frame = _frame_of(inputs.records, files.records or files.truth)
        if files.records is not None:
            _frame_of(inputs.truth, files.truth)  # for its complaint about records that appear twice
            _check_truth(inputs)
    with steps.step("Build the hierarchy of all thresholds", spinner=False), _naming(files.edges):
        known = frame.num_records
        frame.add_collection_from_edges("edges", inputs.edges)
        _check_edges(frame, known, files)
    with steps.step("Take the truth as a hierarchy of one level", spinner=False), _naming(files.truth):
        frame.add_collection_from_edges("truth", _truth_edges(inputs.truth))
    with steps.step("Every metric at every threshold", spinner=False):
        truth = sl.col("truth").at(1.0).reference()
        curve = frame.analyse(sl.col("edges").sweep(), truth, metrics=list(METRICS))
    with steps.step(f"Cut at the best {metric}"):
        best: dict[str, Row] = {name: curve.best(name) for name in dict.fromkeys((metric, *BEST_BY))}
        entities = frame["edges"].at(best[metric]["threshold"]).to_arrow()
    table = curve.to_arrow()
    return JobResult(
        records=frame["edges"].num_records,
        edges=inputs.edges.num_rows,
        true_entities=frame["truth"].at(1.0).num_entities,
        unlabelled=frame["edges"].num_records - inputs.truth.num_rows,
        curve=table.select(["threshold", *METRICS]),
        best=best,
        defaults={at: row for at in DEFAULT_THRESHOLDS if (row := row_at(table, at)) is not None},
        metric=metric,
        entities=entities,
    )


def _check_truth(inputs: Inputs) -> None:
    """Every record of the truth is one of the records, where these are given: else it would be left out unseen."""
    keys = ["source", "key"]
    missing = inputs.truth.select(keys).join(inputs.records.select(keys), keys, join_type="left anti")
    if missing.num_rows:
        example = missing.slice(0, 1).to_pylist()[0]
        raise DemoError(
            f"{inputs.files.truth}: {missing.num_rows:,} of its records are not in {inputs.files.records}, such as "
            f"{example['key']!r} of source {example['source']!r}; --records must name all records"
        )


def _check_edges(frame: sl.EntityFrame, known: int, files: InputFiles) -> None:
    """Edges add no records to given ones, and some of their records are known: else keys or sources do not agree."""
    added = frame.num_records - known
    if not added:
        return
    apart = frame["edges"].at(1.0)
    source, key = min(apart.entities[int(apart.labels[known])].members, key=str)
    if files.records is not None:
        raise DemoError(
            f"{files.edges}: {added:,} of its records are not in {files.records}, such as {key!r} of source {source!r}"
            "; --records must name all records"
        )
    if not np.any(frame["edges"].at(0.0).sizes[np.unique(frame["edges"].at(0.0).labels[:known])] > 1):
        first_source, first_key = min(apart.entities[int(apart.labels[0])].members, key=str)
        raise DemoError(
            f"{files.edges}: none of its records is in {files.truth}; it has, for example, {key!r} of source {source!r}"
            f", the truth {first_key!r} of source {first_source!r}: keys and source columns of the files must agree"
        )


def row_at(curve: pa.Table, threshold: float) -> Row | None:
    """The row of a curve that holds at any `threshold`: that of the lowest score not below it.

    Returns
    -------
    row or None
        None above the highest score, where every record is an entity of its own.
    """
    reached = curve.filter(pc.greater_equal(curve["threshold"], threshold))
    if not reached.num_rows:
        return None
    row: Row = reached.slice(pc.index(reached["threshold"], pc.min(reached["threshold"])).as_py(), 1).to_pylist()[0]
    return row


@contextmanager
def _naming(path: Path, place: str = "") -> Iterator[None]:
    """Put the file, and where in it, before what the engine has to say about its rows."""
    try:
        yield
    except sl.StarlingsError as error:
        raise DemoError(f"{path}: {place}{error}") from error


def _frame_of(records: pa.Table, path: Path) -> sl.EntityFrame:
    """A frame over the records of a file, source by source."""
    frame = sl.EntityFrame()
    for source, rows in _by_source(records):
        with _naming(path, "" if rows.num_rows == records.num_rows else f"among the rows of source {source!r}: "):
            frame.add_records(source, rows, key_column="key")
    return frame


def _by_source(records: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each source with its rows, the sources in order of first appearance."""
    sources = pc.unique(records["source"]).to_pylist()
    for source in sources:
        rows = records if len(sources) == 1 else records.filter(pc.equal(records["source"], source))
        yield source, rows.drop_columns(["source"])


def _truth_edges(truth: pa.Table) -> pa.Table:
    """The true entities as edges of score 1.0: each record with the one before it in its entity.

    Sorted by entity, two neighbouring rows of one entity are an edge: columns, no lists of members.
    """
    codes = pc.dictionary_encode(truth["entity"].combine_chunks()).indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    joined = np.flatnonzero(codes[order][1:] == codes[order][:-1])
    left, right = truth.take(order[joined]), truth.take(order[joined + 1])
    columns = {
        "left_source": left["source"],
        "left": left["key"],
        "right_source": right["source"],
        "right": right["key"],
        "score": pa.repeat(1.0, len(joined)),
    }
    return pa.table(columns)
