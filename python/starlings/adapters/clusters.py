"""Other packages' tables of clusters as collections: one row a record, with the label of its cluster.

Columns stay columns throughout. Clusters whose records are of several sources become pairs, each record with the first
one of its cluster: pairs know sources by column, membership vectors one source for all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starlings.adapters.tables import Wanted, arrow_table, edge_table, find_columns
from starlings.collection import Collection
from starlings.exceptions import InvalidArgumentError, OverlapError, shown
from starlings.optional import require
from starlings.thresholds import check_threshold

__all__ = ["collection_of_clusters", "collection_of_labels", "entity_codes"]


def collection_of_clusters(
    clusters: Any, what: str, key: Wanted, label: Wanted, source: Wanted | None, *, threshold: float, default: str
) -> Collection:
    """A table of clusters as a collection; records are of the source `default` where no column has theirs."""
    table = arrow_table(clusters, what)
    keys, labels, *sources = find_columns(table, what, key, label, *([] if source is None else [source]))
    return collection_of_labels(
        keys, labels, sources[0] if sources else None, threshold=threshold, source=default, what=what
    )


def collection_of_labels(
    keys: Any, labels: Any, sources: Any, *, threshold: float, source: str, what: str
) -> Collection:
    """The collection in which records with the same label are together from a threshold on.

    Parameters
    ----------
    keys, labels : pyarrow columns
        A row without a label is an entity of its own.
    sources : pyarrow column or None
        None: all are of `source`.

    Raises
    ------
    OverlapError
        For a record with two labels.
    """
    at = check_threshold(threshold)
    if sources is None:
        return Collection.from_labels(keys, _as_labels(labels, what), at, source=source)
    codes = entity_codes(labels, what)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    heads = first[inverse]
    score = np.full(len(codes), at)
    collection = Collection.from_edges(edge_table(keys, keys.take(heads), score, sources, sources.take(heads)))
    if collection.num_records != len(codes):
        _check_disjoint(sources, keys, codes, what)
    return collection


def entity_codes(labels: Any, what: str) -> NDArray[np.uint32]:
    """A number for each label of a column, equal for equal ones; rows without a label get a number each.

    Raises
    ------
    InvalidArgumentError
        For labels that cannot be compared, such as lists.
    """
    pyarrow = require("pyarrow", "labels")
    import pyarrow.compute as compute  # type: ignore[import-untyped]

    if pyarrow.types.is_floating(labels.type):
        labels = compute.if_else(compute.is_nan(labels), None, labels)
    try:
        encoded = pyarrow.chunked_array(labels.chunks, labels.type).combine_chunks().dictionary_encode()
    except pyarrow.ArrowNotImplementedError as error:
        raise InvalidArgumentError(
            f"{what}: labels of the type {labels.type} cannot be compared; make them text or numbers"
        ) from error
    codes: NDArray[np.int64] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    alone = codes < 0
    codes[alone] = len(encoded.dictionary) + np.arange(np.count_nonzero(alone))
    return codes.astype(np.uint32)


def _as_labels(labels: Any, what: str) -> Any:
    """Labels as the engine takes them: text as it is, anything else as numbers."""
    pyarrow = require("pyarrow", "labels")
    is_text = pyarrow.types.is_string(labels.type) or pyarrow.types.is_large_string(labels.type)
    return labels if is_text and not labels.null_count else entity_codes(labels, what)


def _check_disjoint(sources: Any, keys: Any, codes: NDArray[np.uint32], what: str) -> None:
    """Raise an error for a record that has two labels; the same one twice is none."""
    pyarrow = require("pyarrow", "labels")
    rows = pyarrow.table({"source": sources, "key": keys, "code": codes}).group_by(["source", "key"], use_threads=False)
    counted = rows.aggregate([("code", "count_distinct")])
    twice = np.flatnonzero(counted["code_count_distinct"].to_numpy() > 1)
    if len(twice):
        record = tuple(counted[name][int(twice[0])].as_py() for name in ("source", "key"))
        raise OverlapError(f"{what}: the record {shown(record)} is in two clusters; a record is in one only")
