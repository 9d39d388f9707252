"""Matchbox: its edges, clusters and resolved keys, by the columns of the Arrow tables that it exchanges.

A model of Matchbox gives edges between clusters of earlier steps, which it knows by number; a resolver turns edges into
clusters of clusters, and a query resolves these to keys of sources. The numbers are keys here, the sources sources:
edges and clusters make collections over numbers, resolved keys make collections over the records themselves.

Scores are single precision from 0.10 on, and were whole percentages, in a column ``probability``, before; both go in.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from starlings.adapters.clusters import collection_of_clusters
from starlings.adapters.cuts import check_partition, key_texts, probable_pairs, sources_of
from starlings.adapters.tables import Wanted, arrow_table, edge_table, find_column, find_columns, has_column
from starlings.collection import Collection
from starlings.exceptions import InvalidArgumentError
from starlings.optional import require
from starlings.partition import Partition

__all__ = ["edges", "from_clusters", "from_resolved", "to_clusters", "to_edges", "to_resolved"]

_PERCENT: Final = 100.0


# ------------------------------------------------------------------------------------------------------------------ in


def edges(model_edges: Any) -> Any:
    """Edges of a model as a table of edges.

    Parameters
    ----------
    model_edges : table
        With the columns ``left_id, right_id`` and ``score`` or, in percent, ``probability``: the results of a model.

    Returns
    -------
    pyarrow.Table
        ``left, right, score``.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.

    Examples
    --------
    >>> import starlings as sl
    >>> old = {"left_id": [4, 5], "right_id": [7, 8], "probability": [95, 60]}
    >>> sl.Collection.from_edges(sl.adapters.matchbox.edges(old)).thresholds.tolist()
    [0.95, 0.6]
    """
    what = "the edges of a model"
    table = arrow_table(model_edges, what)
    left, right = find_columns(
        table, what, *(Wanted(f"{side}_id", f"the {side} clusters of the edges") for side in ("left", "right"))
    )
    if not has_column(table, "score") and has_column(table, "probability"):
        return edge_table(left, right, _of_percent(find_column(table, what, Wanted("probability", "percentages"))))
    return edge_table(left, right, find_column(table, what, Wanted("score", "scores")))


def _of_percent(percentages: Any) -> Any:
    """Whole percentages as probabilities."""
    pyarrow = require("pyarrow", "edges of Matchbox")
    import pyarrow.compute as compute  # type: ignore[import-untyped]

    is_whole = pyarrow.types.is_integer(percentages.type) or pyarrow.types.is_decimal(percentages.type)
    if len(percentages) and not is_whole:
        raise InvalidArgumentError(
            f"the column 'probability' should hold percentages, as before Matchbox 0.10, not {percentages.type}; "
            "call it 'score' if it holds numbers from 0 to 1"
        )
    return compute.divide(compute.cast(percentages, pyarrow.float64()), _PERCENT)


def from_clusters(clusters: Any, *, threshold: float = 1.0, source: str = "default") -> Collection:
    """Clusters of a resolver as a collection over the clusters that it joined.

    Parameters
    ----------
    clusters : table
        With the columns ``parent_id, child_id``: the results of a resolver. Children without a partner may be missing.
    threshold : float
        From where on the children of a parent are together.
    source : str
        The source of the children.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.
    OverlapError
        For a child of two parents.

    Examples
    --------
    >>> import starlings as sl
    >>> clusters = {"parent_id": [1, 1, 2], "child_id": [10, 11, 12]}
    >>> sl.adapters.matchbox.from_clusters(clusters).at(1.0).num_entities
    2
    """
    return collection_of_clusters(
        clusters,
        "the clusters of a resolver",
        Wanted("child_id", "what is in the clusters"),
        Wanted("parent_id", "the clusters"),
        None,
        threshold=threshold,
        default=source,
    )


def from_resolved(resolved: Any, *, threshold: float = 1.0, source: str = "default") -> Collection:
    """Resolved keys as a collection over the records of the sources.

    Parameters
    ----------
    resolved : table
        With the columns ``id, key`` and, of several sources, ``source``: ``ResolverMatches.as_dump()``, or the result
        of a query for one source. Samples for evaluation, with ``root`` for ``id``, go in too.
    threshold : float
        From where on records of the same id are together.
    source : str
        The source of the keys where no column has it.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.
    OverlapError
        For a record with two ids.

    Examples
    --------
    >>> import starlings as sl
    >>> dump = {"id": [1, 1, 2], "leaf_id": [10, 11, 12], "key": ["a", "a", "b"], "source": ["crm", "shop", "crm"]}
    >>> sl.adapters.matchbox.from_resolved(dump).at(1.0).to_list() == [{("crm", "a"), ("shop", "a")}, {("crm", "b")}]
    True
    """
    what = "the resolved keys"
    table = arrow_table(resolved, what)
    of_sample = not has_column(table, "id") and has_column(table, "root")
    return collection_of_clusters(
        table,
        what,
        Wanted("key", "the keys of the records"),
        Wanted("root" if of_sample else "id", "the cluster of each record"),
        Wanted("source", "sources") if has_column(table, "source") else None,
        threshold=threshold,
        default=source,
    )


# ----------------------------------------------------------------------------------------------------------------- out


def to_edges(collection: Collection) -> Any:
    """The pairs of a collection as edges of a model.

    Parameters
    ----------
    collection : Collection
        Over Matchbox's numbers, with its pairs: made with ``keep_edges=True``.

    Returns
    -------
    pyarrow.Table
        ``left_id, right_id`` (uint64) and ``score`` (float32).

    Raises
    ------
    InvalidArgumentError
        If the collection has not kept its pairs, or has weights, and if records are named by anything but one source of
        numbers.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([(10, 11, 0.5)], keep_edges=True)
    >>> sl.adapters.matchbox.to_edges(collection).to_pylist()
    [{'left_id': 10, 'right_id': 11, 'score': 0.5}]
    """
    pyarrow = require("pyarrow", "edges of Matchbox")
    kept = probable_pairs(collection)
    _check_one_source(kept, np.concatenate([kept._core.left, kept._core.right]))
    table = kept.to_arrow()
    return pyarrow.table(
        {
            "left_id": _numbers(table["left"]),
            "right_id": _numbers(table["right"]),
            "score": table["score"].cast(pyarrow.float32()),
        }
    )


def to_clusters(partition: Partition) -> Any:
    """A partition as clusters of a resolver.

    Parameters
    ----------
    partition : Partition
        Over Matchbox's numbers.

    Returns
    -------
    pyarrow.Table
        ``parent_id, child_id`` (uint64). As its resolver ``Components`` has it, parents are numbered from 1, and what
        has no partner is not there.

    Raises
    ------
    InvalidArgumentError
        If records are named by anything but one source of numbers.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_edges([(10, 11, 0.9), (11, 12, 0.4)]).at(0.5)
    >>> sl.adapters.matchbox.to_clusters(partition).to_pydict()
    {'parent_id': [1, 1], 'child_id': [10, 11]}
    """
    pyarrow = require("pyarrow", "clusters of Matchbox")
    check_partition(partition)
    _check_one_source(partition, np.arange(partition.num_records, dtype=np.uint32))
    joined = partition.sizes > 1
    parents = np.repeat(np.cumsum(joined, dtype=np.uint64), partition.sizes)
    children = _numbers(partition.to_arrow()["key"])
    table = pyarrow.table({"parent_id": parents, "child_id": children})
    return table.filter(pyarrow.array(np.repeat(joined, partition.sizes)))


def to_resolved(partition: Partition) -> Any:
    """A partition over the records of sources as resolved keys.

    Parameters
    ----------
    partition : Partition

    Returns
    -------
    pyarrow.Table
        ``id`` (int64), ``key`` (large_string), ``leaf_id`` (int64) and ``source``, as in ``ResolverMatches.as_dump()``;
        ids are entity ids, leaf ids numbers of records, and neither is known to a server.

    Raises
    ------
    InvalidArgumentError
        For keys that are bytes, or of several kinds.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_entities([[("crm", 7), ("shop", 7)]]).at(1.0)
    >>> sl.adapters.matchbox.to_resolved(partition).to_pylist()[1]
    {'id': 0, 'key': '7', 'leaf_id': 1, 'source': 'shop'}
    """
    pyarrow = require("pyarrow", "resolved keys of Matchbox")
    check_partition(partition)
    table = partition.to_arrow()
    return pyarrow.table(
        {
            "id": table["entity_id"].cast(pyarrow.int64()),
            "key": key_texts(partition).cast(pyarrow.large_string()),
            "leaf_id": np.asarray(partition._core.records).astype(np.int64),
            "source": table["source"].cast(pyarrow.large_string()),
        }
    )


def _check_one_source(of: Any, records: Any) -> None:
    """Raise an error if these records have several sources: Matchbox's numbers have none."""
    names = sources_of(of._context, records)
    if len(names) > 1:
        raise InvalidArgumentError(
            f"Matchbox knows clusters by number alone, but these records are of {', '.join(map(repr, names))}; hand "
            "over records of several sources with to_resolved()"
        )


def _numbers(keys: Any) -> Any:
    """Keys that are numbers."""
    pyarrow = require("pyarrow", "tables of Matchbox")
    if not pyarrow.types.is_integer(keys.type) and len(keys):
        raise InvalidArgumentError(
            "Matchbox knows clusters by number, but these keys are text, bytes or of several kinds"
        )
    return keys.cast(pyarrow.uint64()) if len(keys) else pyarrow.array([], pyarrow.uint64())
