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
from numpy.typing import NDArray

import starlings as sl
from starlings.demo.errors import DemoError
from starlings.demo.inputs import DEFAULT_SOURCE, InputFiles, Inputs
from starlings.demo.metrics import BEST_BY, DEFAULT_THRESHOLDS, METRICS
from starlings.demo.steps import Steps
from starlings.exceptions import shown

__all__ = ["JobResult", "Row", "row_at", "run_job"]

Row = Mapping[str, Any]

#: The share of the edges' records that the truth must know; below it the files hardly are about the same records.
_FEWEST_KNOWN = 0.1


@dataclass(frozen=True)
class JobResult:
    """What the job found.

    Attributes
    ----------
    records, edges, true_entities : int
        Sizes of the input.
    unlabelled : int
        Records without a row in the truth; each counts as a true entity of its own.
    unlabelled_example : str
        One of them, for people; empty if there is none.
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
    unlabelled_example: str
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
        If there are no edges or no truth, a key or a score is not acceptable, or the files are about different records;
        the message names the file, and the row or a record.
    """
    files = inputs.files
    if not inputs.edges.num_rows:
        raise DemoError(f"{files.edges}: no edges, so every record is an entity of its own at any threshold")
    if inputs.truth.num_rows < 2:
        raise DemoError(
            f"{files.truth}: the truth must label two records at the least, it labels {inputs.truth.num_rows}"
        )
    with steps.step("Collect the records", spinner=False):
        frame = _frame_of(inputs.records, files.records or files.truth)
        if files.records is not None:
            _frame_of(inputs.truth, files.truth)  # for its complaint about records that appear twice
    with steps.step("Take the truth as a hierarchy", spinner=False), _naming(files.truth):
        given = frame.num_records
        frame.add_collection_from_edges("truth", _truth_edges(inputs.truth))
        _check_nothing_new(frame, given, files.truth, files)
    with steps.step("Build the hierarchy of all thresholds", spinner=False), _naming(files.edges):
        frame.add_collection_from_edges("edges", inputs.edges)
        _check_nothing_new(frame, given, files.edges, files)
        _check_overlap(frame, files)
    with steps.step("Every metric at every threshold", spinner=False):
        truth = sl.col("truth").at(1.0).reference()
        curve = frame.analyse(sl.col("edges").sweep(), truth, metrics=list(METRICS))
    with steps.step(f"Cut at the best {metric}"):
        best: dict[str, Row] = {name: curve.best(name) for name in dict.fromkeys((metric, *BEST_BY))}
        entities = frame["edges"].at(best[metric]["threshold"]).to_arrow()
    table = curve.to_arrow()
    unlabelled = np.flatnonzero(~_named_by(frame, "truth"))
    return JobResult(
        records=frame["edges"].num_records,
        edges=inputs.edges.num_rows,
        true_entities=frame["truth"].at(1.0).num_entities,
        unlabelled=len(unlabelled),
        unlabelled_example=_name_of(frame, unlabelled[0]) if len(unlabelled) else "",
        curve=table.select(["threshold", *METRICS]),
        best=best,
        defaults={at: row for at in DEFAULT_THRESHOLDS if (row := row_at(table, at)) is not None},
        metric=metric,
        entities=entities,
    )


def _named_by(frame: sl.EntityFrame, collection: str) -> NDArray[np.bool_]:
    """Which records of the frame the pairs of a collection join to any other."""
    everything = frame[collection].at(0.0)
    joined: NDArray[np.bool_] = everything.sizes[everything.labels] > 1
    return joined


def _check_nothing_new(frame: sl.EntityFrame, given: int, path: Path, files: InputFiles) -> None:
    """A file names no record beyond those of the records file, if there is one."""
    added = frame.num_records - given
    if added and files.records is not None:
        raise DemoError(
            f"{path}: {added:,} of its records {_is(added)} not in {files.records}, such as {_name_of(frame, given)};"
            " --records must name all records: add them to it, or leave the option out"
        )


def _check_overlap(frame: sl.EntityFrame, files: InputFiles) -> None:
    """Edges and truth are about the same records; if not, keys or source columns differ and every figure would be 0."""
    joined, labelled = _named_by(frame, "edges"), _named_by(frame, "truth")
    total, known = int(joined.sum()), int((joined & labelled).sum())
    if not total:
        raise DemoError(f"{files.edges}: every edge joins a record to itself, so there are no entities to find")
    if known and known >= _FEWEST_KNOWN * total:
        return
    found = f"only {known:,} of the {total:,} records" if known else f"none of the {total:,} records"
    alone = labelled & ~joined
    ours, theirs = np.argmax(joined & ~labelled), np.argmax(alone if alone.any() else labelled)
    raise DemoError(
        f"{files.edges}: {found} that its edges join {_is(max(known, 1))} in {files.truth}; the edges have, for"
        f" example, {_name_of(frame, ours)}, the truth has {_name_of(frame, theirs)}. Keys and source columns of all"
        f" files must agree (without source columns every record is of source {DEFAULT_SOURCE!r}); if the truth is"
        " about a part of the records, give only the edges between these"
    )


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _name_of(frame: sl.EntityFrame, record: int | np.intp) -> str:
    """A record as messages show it."""
    if "alone" not in frame:
        frame.add_collection_from_edges("alone", [])
    alone = frame["alone"].at(1.0)
    ((source, key),) = alone.entities[int(alone.labels[record])].members
    return f"{shown(key)} of source {shown(source)}"


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
    """The true entities as edges: each record with the one before it, at 1.0 within an entity and at 0.0 across.

    Sorted by entity, neighbouring rows are edges: columns, no lists of members. The cut at 1.0 has the true entities,
    the cut at 0.0 all labelled records in one, which tells them from those that the truth does not name.
    """
    codes = pc.dictionary_encode(truth["entity"].combine_chunks()).indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    left, right = truth.take(order[:-1]), truth.take(order[1:])
    columns = {
        "left_source": left["source"],
        "left": left["key"],
        "right_source": right["source"],
        "right": right["key"],
        "score": pa.array((codes[order][1:] == codes[order][:-1]).astype(np.float64)),
    }
    return pa.table(columns)
