"""Zingg: its match output, link output and labelled pairs, and collections as its match output.

Match output has one row a record: the fields that the model was told of, ``z_cluster``, and ``z_minScore`` and
``z_maxScore``, the lowest and highest score of the record's pairs in its cluster, where a pair that Zingg did not match
counts as 0. The scores of the pairs themselves are not in it: its clusters make a collection of one threshold. Link
output does have them: each of its clusters is one record of the first dataset with those that it was matched with.

Neither has a key of its own. Give the records one, and make it a field with the match type ``DONT_USE``, or Zingg
leaves it out. Columns are found in upper case too, as Snowflake has them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings.adapters.clusters import collection_of_clusters, entity_codes
from starlings.adapters.cuts import check_collection, output_table, pairs_within
from starlings.adapters.tables import Wanted, arrow_table, edge_table, find_columns
from starlings.collection import Collection
from starlings.exceptions import InvalidArgumentError, shown
from starlings.optional import require
from starlings.partition import Partition

__all__ = ["edges", "from_clusters", "labelled_edges", "to_clusters"]

_CLUSTER: Final = "z_cluster"
_SOURCE: Final = "z_zsource"
_MATCH, _NO_MATCH = 1, 0
_LABELS: Final = (_MATCH, _NO_MATCH, 2, -1)  # 2: unsure, -1: not labelled yet


def _keys(key: str) -> Wanted:
    return Wanted(key, "the keys of the records", "key")


# ------------------------------------------------------------------------------------------------------------------ in


def edges(
    links: Any,
    *,
    key: str,
    first: str | None = None,
    cluster: str = _CLUSTER,
    score: str = "z_score",
    source: str = _SOURCE,
) -> Any:
    """The link output as a table of edges.

    Parameters
    ----------
    links : table
        What the phase ``link`` wrote.
    key : str
        The column with the keys of the records.
    first : str, optional
        The first dataset, that which the others were linked with. By default the one with one record in each cluster.
    cluster, score, source : str
        Columns of Zingg, should they be called otherwise.

    Returns
    -------
    pyarrow.Table
        ``left_source, left, right_source, right, score``; a record of the first dataset on the left.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are, if a row has no cluster or dataset, and if no dataset has one
        record in each cluster: the output of another phase. If several have, and it matters which is the first.

    Examples
    --------
    >>> import starlings as sl
    >>> links = {"z_cluster": ["1:0"] * 3, "z_score": [0.9, 0.9, 0.6], "id": [5, 7, 8], "z_zsource": ["a", "b", "b"]}
    >>> table = sl.adapters.zingg.edges(links, key="id")
    >>> table.select(["left", "right", "score"]).to_pydict()
    {'left': [5, 5], 'right': [7, 8], 'score': [0.9, 0.6]}
    """
    what = "the link output"
    keys, clusters, scores, sources = find_columns(
        arrow_table(links, what),
        what,
        _keys(key),
        Wanted(cluster, "the cluster of each record", "cluster"),
        Wanted(score, "the score of each link", "score"),
        Wanted(source, "the dataset of each record", "source"),
    )
    codes = _codes_of_all(clusters, what, cluster)
    first_rows = _of_first_dataset(codes, sources, _codes_of_all(sources, what, source), first)
    head = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
    head[codes[first_rows]] = np.flatnonzero(first_rows)
    others = np.flatnonzero(~first_rows)
    heads = head[codes[others]]
    scores = _as_numbers(scores, score)
    return edge_table(
        keys.take(heads), keys.take(others), scores.take(others), sources.take(heads), sources.take(others)
    )


def _as_numbers(column: Any, name: str) -> Any:
    """Scores; from a CSV file that was read without a schema they come as text."""
    pyarrow = require("pyarrow", "tables of Zingg")
    try:
        return column.cast(pyarrow.float64())
    except pyarrow.ArrowException as error:
        raise InvalidArgumentError(f"the column {name!r} should hold numbers: {error}") from error


def _codes_of_all(column: Any, what: str, name: str) -> NDArray[np.uint32]:
    """A number for each value of a column that has one in every row: its clusters, its datasets."""
    codes = entity_codes(column, what)
    missing = np.flatnonzero(column.is_null(nan_is_null=True).to_numpy())
    if len(missing):
        raise InvalidArgumentError(
            f"{what}: row {missing[0]} has nothing in the column {name!r}; fill it in or drop it"
        )
    return codes


def _of_first_dataset(
    clusters: NDArray[np.uint32], sources: Any, datasets: NDArray[np.uint32], first: str | None
) -> NDArray[np.bool_]:
    """Which rows are of the dataset that the others were linked with: the one with one record in each cluster.

    Of two such it does not matter which, where each cluster is a pair.
    """
    num_clusters = len(np.unique(clusters))
    found: dict[Any, NDArray[np.bool_]] = {}
    for code in np.unique(datasets):
        rows = datasets == code
        if np.count_nonzero(rows) == num_clusters == len(np.unique(clusters[rows])):
            found[sources[int(np.argmax(rows))].as_py()] = rows
    if first is not None and len(clusters):
        found = {name: rows for name, rows in found.items() if name == first}
    elif len(found) > 1 and len(clusters) > 2 * num_clusters:
        raise InvalidArgumentError(
            f"the datasets {', '.join(map(shown, found))} all have one record in each cluster; say with first= which "
            "one the others were linked with"
        )
    if len(clusters) and not found:
        which = "no dataset" if first is None else f"the dataset {shown(first)} has not"
        raise InvalidArgumentError(
            f"{which}{' has' if first is None else ''} just one record in each cluster, as the first one has in link "
            "output; is this the output of another phase? Clusters of match output go in with from_clusters()"
        )
    return next(iter(found.values()), np.zeros(0, dtype=np.bool_))


def from_clusters(
    output: Any,
    *,
    key: str,
    cluster: str = _CLUSTER,
    source_column: str | None = None,
    threshold: float = 1.0,
    source: str = "default",
) -> Collection:
    """The match output as a collection.

    Parameters
    ----------
    output : table
        What the phase ``match`` wrote.
    key : str
        The column with the keys of the records.
    cluster : str
        The column of the clusters; ``"ZINGG_ID"`` in the Enterprise edition.
    source_column : str, optional
        The column with the source of each record, if there is one.
    threshold : float
        From where on the records of a cluster are together.
    source : str
        The source of all records, if no column has it.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are.
    OverlapError
        For a record in two clusters, as they are in link output, for which there is `edges`.

    Examples
    --------
    >>> import starlings as sl
    >>> output = {"z_minScore": [0.9, 0.9, None], "z_cluster": [0, 0, 2], "id": [5, 7, 8]}
    >>> sl.adapters.zingg.from_clusters(output, key="id").at(1.0).num_entities
    2
    """
    return collection_of_clusters(
        output,
        "the match output",
        _keys(key),
        Wanted(cluster, "the cluster of each record", "cluster"),
        None if source_column is None else Wanted(source_column, "the source of each record", "source_column"),
        threshold=threshold,
        default=source,
    )


def labelled_edges(pairs: Any, *, key: str, cluster: str = _CLUSTER, is_match: str = "z_isMatch") -> Any:
    """Labelled pairs as a table of edges: score 1.0 for matches, 0.0 for what is no match.

    Parameters
    ----------
    pairs : table
        Training data: of each ``z_cluster`` two records or more, all of which match, or do not. Unsure ones (2)
        and those without a label (-1, missing) are left out.
    key : str
        The column with the keys of the records.
    cluster, is_match : str
        Columns of Zingg, should they be called otherwise.

    Returns
    -------
    pyarrow.Table
        ``left, right, score``: each record with the first of its cluster. The collection that it makes has the matches
        as its entities at 1.0.

    Raises
    ------
    InvalidArgumentError
        If a column is missing, with those that there are, for other labels, and for a cluster with two of them or a row
        without one.

    Examples
    --------
    >>> import starlings as sl
    >>> pairs = {"z_cluster": ["p", "p", "q", "q"], "z_isMatch": [1, 1, 0, 0], "id": [5, 7, 7, 8]}
    >>> sl.Collection.from_edges(sl.adapters.zingg.labelled_edges(pairs, key="id")).at(1.0).num_entities
    2
    """
    what = "the labelled pairs"
    keys, clusters, labels = find_columns(
        arrow_table(pairs, what),
        what,
        _keys(key),
        Wanted(cluster, "the pair of each record", "cluster"),
        Wanted(is_match, "1 for a match, 0 for none, 2 for unsure", "is_match"),
    )
    labelled = _as_numbers(labels, is_match).fill_null(-1.0).to_numpy()
    firsts = _first_rows(_codes_of_all(clusters, what, cluster))
    _check_labels(labelled, firsts, is_match)
    rows = np.flatnonzero((labelled == _MATCH) | (labelled == _NO_MATCH))
    return edge_table(keys.take(firsts[rows]), keys.take(rows), labelled[rows])


def _first_rows(codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    """For each row the first one of its cluster."""
    _, firsts, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return firsts[inverse]


def _check_labels(labelled: NDArray[np.float64], firsts: NDArray[np.intp], name: str) -> None:
    """Raise an error for what is no label, and for a row labelled otherwise than the first one of its cluster."""
    unknown = np.flatnonzero(~np.isin(labelled, _LABELS))
    if len(unknown):
        raise InvalidArgumentError(
            f"the column {name!r} should hold 1 for a match, 0 for none, 2 for unsure, but row {unknown[0]} has "
            f"{labelled[unknown[0]]:g}"
        )
    different = np.flatnonzero(labelled != labelled[firsts])
    if len(different):
        row = different[0]
        raise InvalidArgumentError(
            f"the rows {firsts[row]} and {row} are of one cluster, but {name!r} is {labelled[firsts[row]]:g} and "
            f"{labelled[row]:g}; are these several files, each with clusters of its own? Hand them over one by one"
        )


# ----------------------------------------------------------------------------------------------------------------- out


def to_clusters(collection: Collection, threshold: float, *, key: str = "id") -> Any:
    """The cut of a collection as match output.

    Parameters
    ----------
    collection : Collection
        With its pairs: made with ``keep_edges=True``.
    threshold : float
    key : str
        What to call the column of the keys.

    Returns
    -------
    pyarrow.Table
        ``z_minScore, z_maxScore, z_cluster``, the key and, where the records are of several sources, ``z_zsource``.
        Scores are the lowest and highest of the record's pairs in its entity; a pair that has no score, or one below
        the threshold, counts as 0. Records without a partner have none.

    Raises
    ------
    InvalidArgumentError
        If the collection has not kept its pairs, or has weights.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.7), ("c", "d", 0.1)], keep_edges=True)
    >>> sl.adapters.zingg.to_clusters(collection, 0.5).select([0, 1, 3]).to_pylist()[1:]
    [{'z_minScore': 0.7, 'z_maxScore': 0.9, 'id': 'b'}, {'z_minScore': 0.0, 'z_maxScore': 0.7, 'id': 'c'}, \
{'z_minScore': None, 'z_maxScore': None, 'id': 'd'}]
    """
    pyarrow = require("pyarrow", "match output of Zingg")
    check_collection(collection)
    partition = collection.at(threshold)
    lowest, highest = _scores(collection, partition)
    rows = np.asarray(partition._core.records)
    table = partition.to_arrow()
    alone = partition.sizes[partition.labels][rows] == 1
    columns = [
        ("z_minScore", pyarrow.array(lowest[rows], mask=alone)),
        ("z_maxScore", pyarrow.array(highest[rows], mask=alone)),
        (_CLUSTER, table["entity_id"].cast(pyarrow.int64())),
        (key, table["key"]),
    ]
    sources = table["source"].cast(pyarrow.string())
    return output_table([*columns, (_SOURCE, sources)] if len(sources.unique()) > 1 else columns)


def _scores(collection: Collection, partition: Partition) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and the highest score of each record's pairs in its entity, by record."""
    ends, scores, others = pairs_within(collection, partition)
    matched = scores >= partition.threshold
    ends, scores, count = ends[matched], scores[matched], partition.num_records
    lowest, highest = np.full(count, np.inf), np.zeros(count)
    np.minimum.at(lowest, ends, scores)
    np.maximum.at(highest, ends, scores)
    lowest[np.bincount(ends, minlength=count) < others] = 0.0
    return lowest, highest
