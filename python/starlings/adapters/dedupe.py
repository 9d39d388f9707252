"""dedupe: its scores, links and clusters, and collections as its clusters and scores.

dedupe scores pairs and then clusters what is above one threshold, by centroid linkage within connected components. Its
scores make a collection with every threshold at once; its clusters, which are other entities than connected components,
make one as they are. Its record ids are ints or text, and know no source: of linkage of two files, name both.

Scores are single precision there. As they are rounded to six decimals on the way in, 0.9 is 0.9 again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starlings.adapters.cuts import check_collection, pairs_within, probable_pairs, record_ids, sources_of
from starlings.adapters.tables import edge_table
from starlings.collection import Collection
from starlings.exceptions import InvalidArgumentError, shown
from starlings.key import check_name
from starlings.optional import require
from starlings.partition import Partition

__all__ = ["edges", "from_clusters", "to_clusters", "to_scores"]

_ID_LENGTH: Final = 256
_ROWS: Final = 65536  # at once: text of dedupe's arrays takes 1,024 bytes an id

_FORMS: Final = (
    "what score() gives (an array with the fields pairs and score, or several of them), links ((id, id), score), or "
    "what search() gives: (id, ((id, score), ...))"
)


# ------------------------------------------------------------------------------------------------------------------ in


def edges(scores: Any, *, left_source: str | None = None, right_source: str | None = None) -> Any:
    """Scored pairs or links of dedupe as a table of edges.

    Parameters
    ----------
    scores : array, or iterable of arrays, links or search results
        What `score`, `join`, `one_to_one`, `many_to_one`, `many_to_n` or `search` of its classes gave.
    left_source, right_source : str, optional
        Sources of the first and the second id of each pair: for `RecordLink` and `Gazetteer` the first file is on the
        left, the second or the indexed one on the right. By default all ids are of one source, which
        `Collection.from_edges` names.

    Returns
    -------
    pyarrow.Table
        ``left_source, left, right_source, right, score``, without the sources where none are given.

    Raises
    ------
    InvalidArgumentError
        For another form, with those that there are, and if only one source is given.

    Examples
    --------
    >>> import starlings as sl
    >>> links = [(("a", "b"), 0.875), (("b", "c"), 0.5)]
    >>> sl.Collection.from_edges(sl.adapters.dedupe.edges(links)).at(0.6).num_entities
    2
    >>> found = [(1, ((1, 0.75), (2, 0.25))), (2, ())]
    >>> sl.adapters.dedupe.edges(found, left_source="messy", right_source="canonical").to_pylist()[0]
    {'left_source': 'messy', 'left': 1, 'right_source': 'canonical', 'right': 1, 'score': 0.75}
    """
    if (left_source is None) != (right_source is None):
        raise InvalidArgumentError("give both left_source= and right_source=, or neither")
    left, right, score = map(_one_column, zip(*_columns(scores), strict=True))
    if left_source is None:
        return edge_table(left, right, score)
    sources = (_repeated(name, len(left)) for name in (left_source, right_source))
    return edge_table(left, right, score, *sources)


def _one_column(parts: tuple[Any, ...]) -> Any:
    """Arrays of ids or scores as one column."""
    pyarrow = require("pyarrow", "pairs of dedupe")
    if len({part.type for part in parts}) > 1:
        raise InvalidArgumentError("ids of dedupe are all ints or all text, but these arrays have ids of several kinds")
    return pyarrow.chunked_array(parts)


def _repeated(name: Any, length: int) -> Any:
    """A column of one name."""
    check_name(name)
    pyarrow = require("pyarrow", "pairs of dedupe")
    codes = pyarrow.array(np.zeros(length, dtype=np.int8))
    return pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array([name], pyarrow.string()))


def _columns(scores: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Left ids, right ids and scores of some pairs after the other, as arrays of pyarrow; at least of none once."""
    pyarrow = require("pyarrow", "pairs of dedupe")
    if _is_scored(scores):
        scores = np.atleast_1d(scores)
        blocks = [scores[first : first + _ROWS] for first in range(0, max(len(scores), 1), _ROWS)]
    elif isinstance(scores, Iterable) and not isinstance(scores, (str, bytes, dict, np.ndarray)):
        found = list(scores)
        if not (found and all(map(_is_scored, found))):
            yield _of_tuples(found)
            return
        blocks = _blocks(found)
    else:
        raise InvalidArgumentError(f"scores of dedupe are {_FORMS}; not {shown(scores)}")
    for block in blocks:
        pairs = np.asarray(block["pairs"])
        yield (
            *(pyarrow.array(np.ascontiguousarray(pairs[:, side])) for side in (0, 1)),
            pyarrow.array(np.asarray(block["score"], dtype=np.float64)),
        )


def _blocks(found: list[Any]) -> list[Any]:
    """Arrays of scored pairs, those that are empty left out; of single rows those of one type together.

    numpy has written beyond its memory where it made one array of rows whose text is of several widths.
    """
    blocks: list[Any] = []
    for (kind, is_row), parts in groupby(found, key=lambda part: (part.dtype, isinstance(part, np.void))):
        run = list(parts)
        blocks += [np.array(run, dtype=kind)] if is_row else run
    return [block for block in blocks if len(block)] or blocks[:1]


def _is_scored(block: object) -> bool:
    """Whether this is an array of dedupe, or one row of such."""
    if not isinstance(block, (np.ndarray, np.void)):
        return False
    return {"pairs", "score"} <= set(block.dtype.names or ())


def _of_tuples(found: list[Any]) -> tuple[Any, Any, Any]:
    """Links, or search results, as three columns."""
    pyarrow = require("pyarrow", "pairs of dedupe")
    try:
        if all(isinstance(first, (tuple, list, np.ndarray)) for first, _ in found):
            pairs = [(left, right, float(score)) for (left, right), score in found]
        else:
            pairs = [(left, right, float(score)) for left, matches in found for right, score in matches]
    except (TypeError, ValueError) as error:
        number = next((row for row, item in enumerate(found) if not _is_readable(item)), 0)
        raise InvalidArgumentError(
            f"scores of dedupe are {_FORMS}; number {number} is {shown(found[number])}"
        ) from error
    left, right, score = zip(*pairs, strict=True) if pairs else ((), (), ())
    try:
        return (
            pyarrow.array(left, None if left else pyarrow.string()),
            pyarrow.array(right, None if right else pyarrow.string()),
            pyarrow.array(score, pyarrow.float64()),
        )
    except pyarrow.ArrowException as error:
        raise InvalidArgumentError(f"ids of dedupe are all ints or all text: {error}") from error


def _is_readable(item: Any) -> bool:
    """Whether this is a link or a search result."""
    try:
        first, second = item
        matches = [(first[1], second)] if isinstance(first, (tuple, list, np.ndarray)) and len(first) == 2 else second
        return all(isinstance(float(score), float) for _, score in matches)
    except (TypeError, ValueError):
        return False


def from_clusters(clusters: Any, *, threshold: float = 1.0, source: str = "default") -> Collection:
    """Clusters of dedupe as a collection.

    Parameters
    ----------
    clusters : iterable of (ids, scores)
        What `partition` or `cluster` gave. The latter leaves records without a partner out. How sure dedupe is of each
        record is not kept: it belongs to these very clusters.
    threshold : float
        From where on the records of a cluster are together.
    source : str
        The source of the ids.

    Raises
    ------
    OverlapError
        For a record in two clusters.

    Examples
    --------
    >>> import starlings as sl
    >>> clusters = [((1, 2), (0.9, 0.9)), ((3,), (1.0,))]
    >>> sl.adapters.dedupe.from_clusters(clusters).at(1.0).num_entities
    2
    """
    try:
        groups = [_ids(cluster) for cluster in clusters]
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"clusters of dedupe are pairs (ids, scores), not {shown(clusters)}") from error
    labels = np.repeat(np.arange(len(groups), dtype=np.uint32), [len(ids) for ids in groups])
    return Collection.from_labels(list(chain.from_iterable(groups)), labels, threshold, source=source)


def _ids(cluster: Any) -> list[Any]:
    """The ids of a cluster; text is one id, not several of a character each."""
    ids, _ = cluster
    if isinstance(ids, (str, bytes)):
        raise TypeError("text is no sequence of ids")
    return list(ids)


# ----------------------------------------------------------------------------------------------------------------- out


def to_clusters(collection: Collection, threshold: float) -> list[tuple[tuple[Any, ...], NDArray[np.float64]]]:
    """The cut of a collection as `partition` of dedupe gives its clusters.

    Parameters
    ----------
    collection : Collection
        With its pairs: made with ``keep_edges=True``.
    threshold : float

    Returns
    -------
    list of (ids, scores)
        Each entity with how sure of each of its records one can be, as dedupe computes it: 1 minus the root mean square
        of 1 minus the scores of its pairs with the others, where a pair without a score counts as 0. Ids are (source,
        key) where there are several sources. Records without a partner score 1.0.

    Raises
    ------
    InvalidArgumentError
        If the collection has not kept its pairs, or has weights.

    Examples
    --------
    >>> import starlings as sl
    >>> pairs = [("a", "b", 0.875), ("b", "c", 0.5)]
    >>> collection = sl.Collection.from_edges(pairs, keep_edges=True)
    >>> [(ids, scores.tolist()) for ids, scores in sl.adapters.dedupe.to_clusters(collection, 0.8)]
    [(('a', 'b'), [0.875, 0.875]), (('c',), [1.0])]
    """
    check_collection(collection)
    partition = collection.at(threshold)
    confidences = _confidences(collection, partition)
    records, offsets = np.asarray(partition._core.records), np.asarray(partition._core.offsets)
    ids = record_ids(partition._context, records)
    order = _order_within(np.repeat(np.arange(partition.num_entities), partition.sizes).tolist(), ids)
    ids, scores = [ids[row] for row in order], confidences[records[order]]
    bounds = offsets.tolist()
    return [(tuple(ids[start:end]), scores[start:end]) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]


def _confidences(collection: Collection, partition: Partition) -> NDArray[np.float64]:
    """How sure of each record one can be, by record."""
    ends, scores, others = pairs_within(collection, partition)
    count = partition.num_records
    unscored = others - np.bincount(ends, minlength=count)
    total = np.bincount(ends, weights=(1.0 - scores) ** 2, minlength=count) + unscored
    confidences: NDArray[np.float64] = 1.0 - np.sqrt(total / np.maximum(others, 1))
    return confidences


def _order_within(entities: list[int], ids: list[Any]) -> list[int]:
    """The rows with those of each entity in order of their ids; ids of several kinds are sorted by kind first.

    Rows come entity by entity: what has to be sorted is never more than one.
    """
    return sorted(range(len(ids)), key=lambda row: (entities[row], type(ids[row]).__name__, ids[row]))


def to_scores(collection: Collection) -> NDArray[Any]:
    """The pairs of a collection as the array of scores that `cluster` of dedupe takes.

    Parameters
    ----------
    collection : Collection
        With its pairs: made with ``keep_edges=True``. Of one source, with keys that are all ints or all text.

    Returns
    -------
    numpy structured array
        With the fields ``pairs``, the smaller id first, and ``score``.

    Raises
    ------
    InvalidArgumentError
        If the collection has not kept its pairs, or has weights, and for keys that dedupe cannot have.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([(2, 1, 0.875)], keep_edges=True)
    >>> sl.adapters.dedupe.to_scores(collection)
    array([([1, 2], 0.875)], dtype=[('pairs', '<i8', (2,)), ('score', '<f4')])
    """
    edges = probable_pairs(collection)
    sides = [edges._core.left, edges._core.right]
    keys = [edges._context.record_keys(side) for side in sides]
    kinds = set(map(type, chain(*keys)))
    sources = sources_of(edges._context, np.concatenate(sides))
    if len(sources) > 1 or len(kinds) > 1 or kinds - {int, str}:
        raise InvalidArgumentError(
            "dedupe knows records by ids that are all ints or all text, but these are of several sources, of several "
            "kinds, or bytes"
        )
    if kinds == {str}:
        _check_lengths(map(str, chain(*keys)))
    kind: Any = (str, _ID_LENGTH) if kinds == {str} else np.int64
    scores = np.empty(len(edges), dtype=[("pairs", kind, 2), ("score", "f4")])
    try:
        scores["pairs"] = np.sort(np.array(keys, dtype=scores.dtype["pairs"].base), axis=0).T
    except OverflowError as error:
        raise InvalidArgumentError("an id is above 2**63 - 1, the largest int that dedupe's arrays hold") from error
    scores["score"] = edges.scores
    return scores


def _check_lengths(ids: Iterable[str]) -> None:
    """Raise an error for text that dedupe would cut."""
    longest = max(ids, key=len)
    if len(longest) > _ID_LENGTH:
        raise InvalidArgumentError(
            f"ids of dedupe are text of {_ID_LENGTH} characters at most, but {shown(longest)} has {len(longest):,}"
        )
