"""What adapters hand out: cuts and pairs of collections under the names that other packages have for records.

The arguments are checked here, once for all of them. Pairs are those within the entities of a cut: constraints keep
pairs apart that have a score above the threshold, and these are no pairs of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings.adapters.tables import plain
from starlings.collection import Collection
from starlings.edges import Edges
from starlings.exceptions import InvalidArgumentError, shown
from starlings.key import check_name
from starlings.optional import require
from starlings.partition import Partition
from starlings.record_names import record_names, source_codes

__all__ = [
    "check_collection",
    "check_partition",
    "key_texts",
    "output_table",
    "pairs_within",
    "probable_pairs",
    "record_ids",
    "sources_of",
]


def check_partition(partition: object) -> None:
    """Raise an error if it is none."""
    if not isinstance(partition, Partition):
        raise InvalidArgumentError(f"{shown(partition)} is no Partition: cut a collection with at()")


def check_collection(collection: object) -> None:
    """Raise an error if it is none."""
    if not isinstance(collection, Collection):
        raise InvalidArgumentError(f"{shown(collection)} is no Collection")


def probable_pairs(collection: Collection) -> Edges:
    """The pairs of a collection whose scores are probabilities.

    Raises
    ------
    InvalidArgumentError
        If it is no collection, has not kept its pairs, or has weights.
    """
    check_collection(collection)
    if collection.scale != "probability":
        raise InvalidArgumentError(
            'the scores of this collection are weights (scale="weight"), and have to be probabilities here; make one '
            "of probabilities"
        )
    return collection.edges


def pairs_within(
    collection: Collection, partition: Partition
) -> tuple[NDArray[np.uint32], NDArray[np.float64], NDArray[np.int64]]:
    """Both ends of each pair within an entity of a cut, their scores, and by record how many others its entity has.

    A pair of a record with itself is none.
    """
    kept = probable_pairs(collection)
    left, right = np.asarray(kept._core.left), np.asarray(kept._core.right)
    inside = (partition.labels[left] == partition.labels[right]) & (left != right)
    ends = np.concatenate([left[inside], right[inside]])
    others = partition.sizes[partition.labels].astype(np.int64) - 1
    return ends, np.tile(kept.scores[inside], 2), others


def sources_of(context: _core.Context, records: Any) -> list[str]:
    """The names of the sources that these records are of."""
    codes, names = source_codes(context, records)
    return [names[code] for code in np.unique(codes)]


def record_ids(context: _core.Context, records: Any) -> list[Any]:
    """What a package calls these records that knows no sources: by key, by (source, key) where they are of several."""
    if len(sources_of(context, records)) > 1:
        return list(record_names(context, records))
    return list(context.record_keys(records))


def output_table(columns: Iterable[tuple[Any, Any]]) -> Any:
    """Columns as a table, their names checked: callers choose some of them.

    Raises
    ------
    InvalidArgumentError
        For a name that is no str, or that two columns have.
    """
    pyarrow = require("pyarrow", "tables of clusters")
    table: dict[str, Any] = {}
    for name, column in columns:
        check_name(name, "name of a column")
        if name in table:
            raise InvalidArgumentError(f"two columns of the output would be called {name!r}; choose another name")
        table[name] = column
    return pyarrow.table(table)


def key_texts(partition: Partition, separator: str | None = None) -> Any:
    """The key of each row of a partition's table as text; behind its source and the separator if one is given.

    Raises
    ------
    InvalidArgumentError
        For keys that are bytes, or of several kinds.
    """
    pyarrow = require("pyarrow", "tables of clusters")
    import pyarrow.compute as compute  # type: ignore[import-untyped]

    table = partition.to_arrow()
    keys = plain(table["key"])
    is_bytes = pyarrow.types.is_binary(keys.type) or pyarrow.types.is_large_binary(keys.type)
    if is_bytes or pyarrow.types.is_union(keys.type):
        raise InvalidArgumentError(
            "the keys are bytes, or of several kinds, and cannot all be written as text; use keys that are all text or "
            "all integers"
        )
    texts = compute.cast(keys, pyarrow.string())
    if separator is None:
        return texts
    return compute.binary_join_element_wise(compute.cast(plain(table["source"]), pyarrow.string()), texts, separator)
