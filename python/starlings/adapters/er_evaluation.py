"""ER-Evaluation: membership vectors both ways.

A membership vector is a Series of pandas with one row a record: the index names the record, the value the entity. ER-
Evaluation takes them one by one (a prediction, a reference, a sample) or by name in a dict (predictions, references).

A record of a collection has a source as well. Where all are of one, the index holds bare keys; where they are not, it
holds tuples (source, key), in one level: ER-Evaluation cannot work with an index of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from starlings.adapters.cuts import check_collection, check_partition, record_ids, sources_of
from starlings.arguments import is_number
from starlings.collection import Collection
from starlings.dataframes import is_pandas
from starlings.exceptions import InvalidArgumentError, OverlapError, StarlingsError, shown
from starlings.frame import EntityFrame
from starlings.optional import require
from starlings.partition import Partition

__all__ = ["frame", "from_membership", "to_membership", "to_predictions"]


def from_membership(membership: Any, *, threshold: float = 1.0, source: str = "default") -> Collection:
    """A membership vector as a collection.

    Parameters
    ----------
    membership : pandas.Series
        Index: key, or (source, key) as a tuple or in two levels. Values: entities, whatever they are called. Records
        without one (None, NaN) are left out, as ER-Evaluation leaves them out.
    threshold : float
        From where on the records of an entity are together.
    source : str
        The source of bare keys.

    Raises
    ------
    InvalidArgumentError
        If it is no Series.
    InvalidKeyError
        If the index holds what is no key, with the row.
    OverlapError
        For a record with two entities.

    Examples
    --------
    >>> import pandas as pd
    >>> import starlings as sl
    >>> membership = pd.Series(["c1", "c1", "c2", None], index=[1, 2, 3, 4])
    >>> sl.adapters.er_evaluation.from_membership(membership).at(1.0).to_list() == [
    ...     {("default", 1), ("default", 2)}, {("default", 3)}
    ... ]
    True
    """
    pandas = require("pandas", "membership vectors")
    if not is_pandas(membership) or not hasattr(membership, "index") or hasattr(membership, "columns"):
        raise InvalidArgumentError(
            f"a membership vector is a Series of pandas (index: keys, values: entities), not {shown(membership)}"
        )
    known = membership[membership.notna().to_numpy()]
    try:
        codes, _ = pandas.factorize(known.to_numpy())
    except TypeError as error:
        raise InvalidArgumentError(f"the entities of a membership vector have to be comparable: {error}") from error
    index = known.index
    keys = index.to_list() if index.nlevels > 1 or index.dtype == object else index.to_numpy()
    try:
        return Collection.from_labels(keys, codes.astype(np.uint32), threshold, source=source)
    except OverlapError as error:
        raise OverlapError(
            f"the record {shown(index[[error.row]].to_list()[0])} is in the index twice, with the entities "
            f"{' and '.join(map(shown, known.iloc[[error.other_row, error.row]].to_list()))}; a record is in one "
            "entity only",
            row=error.row,
            other_row=error.other_row,
        ) from None


def to_membership(partition: Partition) -> Any:
    """A partition as a membership vector that ER-Evaluation takes.

    Parameters
    ----------
    partition : Partition

    Returns
    -------
    pandas.Series
        Index: the keys, or (source, key) where the records are of several sources. Values: entity ids.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_edges([(("crm", 7), ("shop", 7), 0.9), (("shop", 7), ("shop", 8), 0.5)]).at(0.8)
    >>> sl.adapters.er_evaluation.to_membership(partition).to_dict()
    {('crm', 7): 0, ('shop', 7): 0, ('shop', 8): 1}
    """
    pandas = require("pandas", "membership vectors")
    check_partition(partition)
    records = np.arange(partition.num_records, dtype=np.uint32)
    name = "key" if len(sources_of(partition._context, records)) <= 1 else None
    index = pandas.Index(record_ids(partition._context, records), name=name, tupleize_cols=False)
    return pandas.Series(partition.labels.astype(np.int64), index=index, name="entity_id")


def to_predictions(collection: Collection, thresholds: Iterable[float]) -> dict[str, Any]:
    """Cuts of a collection as the dict of predictions that ER-Evaluation compares and plots.

    Parameters
    ----------
    collection : Collection
    thresholds : iterable of float

    Returns
    -------
    dict of str to pandas.Series
        By threshold as text, in the order given.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
    >>> predictions = sl.adapters.er_evaluation.to_predictions(collection, [0.9, 0.6])
    >>> {name: membership.nunique() for name, membership in predictions.items()}
    {'0.9': 2, '0.6': 1}
    """
    if is_number(thresholds):
        raise InvalidArgumentError(f"thresholds are several, as a list: [{thresholds!r}]")
    check_collection(collection)
    cuts = [collection.at(threshold) for threshold in thresholds]
    return {repr(cut.threshold): to_membership(cut) for cut in cuts}


def frame(memberships: Mapping[str, Any], *, source: str = "default") -> EntityFrame:
    """Membership vectors by name as the collections of a frame, all over the records of all of them.

    Parameters
    ----------
    memberships : mapping of str to pandas.Series
        Predictions, references or both. Their entities are together from threshold 1.0 on.
    source : str
        The source of bare keys.

    Raises
    ------
    InvalidArgumentError
        For what is no mapping of Series, with the name.

    Examples
    --------
    >>> import pandas as pd
    >>> import starlings as sl
    >>> prediction, truth = (pd.Series(values, index=[1, 2, 3]) for values in ([1, 1, 2], [1, 1, 1]))
    >>> frame = sl.adapters.er_evaluation.frame({"prediction": prediction, "truth": truth})
    >>> frame.analyse(sl.col("prediction").at(1.0), sl.col("truth").at(1.0), metrics=["recall"])[0]["recall"]
    0.3333333333333333
    """
    if not isinstance(memberships, Mapping):
        raise InvalidArgumentError(f"membership vectors are given by name, as a dict, not {shown(memberships)}")
    result = EntityFrame()
    for name, membership in memberships.items():
        try:
            result.add_collection(name, from_membership(membership, source=source))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{shown(name)}: {error}") from error
        except StarlingsError as error:
            error.add_note(f"in the membership vector {shown(name)}")
            raise
    return result
