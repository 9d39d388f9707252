"""One cut of a hierarchy: every record of the data in exactly one entity.

A partition keeps what it was cut from alive and never changes. Its arrays belong to the engine and are made when first
asked for: counting costs nothing more, labels and sizes one pass over the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike, Progress, RecordName
from starlings.diff import PartitionDiff
from starlings.entity import Entities, Entity
from starlings.exceptions import InvalidArgumentError, shown
from starlings.operations import EntityValues, OperationLike, Value, apply, tabulate
from starlings.optional import require
from starlings.record_names import find_record, source_codes
from starlings.record_table import RecordColumn, RecordTable

__all__ = ["Partition"]


class Partition(RecordTable):
    """The entities of a collection at one threshold; made by `Collection.at`. Immutable.

    Entities are numbered from 0 in a canonical order that the order of the edges and the number of threads do not
    change. Two partitions are equal if they group the same records in the same way. As a table a partition has one row
    a record, entity by entity, with the columns ``source, key, entity_id``.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)]).at(0.8)
    >>> partition
    Partition(threshold=0.8, num_entities=2, num_records=3)
    >>> partition.labels.tolist(), partition.sizes.tolist()
    ([0, 0, 1], [2, 1])
    >>> partition.to_list() == [{("default", "a"), ("default", "b")}, {("default", "c")}]
    True
    """

    _instead: ClassVar = "hand over its labels or its to_arrow()"

    def __init__(self, context: _core.Context, core: _core.Partition, threshold: float) -> None:
        self._context = context
        self._core = core
        self._threshold = threshold

    @property
    def threshold(self) -> float:
        """Where the hierarchy was cut, as compared: rounded to six decimals unless scores were kept exact."""
        return self._threshold

    @property
    def num_entities(self) -> int:
        """The number of entities."""
        return self._core.num_entities

    @property
    def num_records(self) -> int:
        """The number of records, over all entities."""
        return self._core.num_records

    @property
    def entities(self) -> Entities:
        """The entities, each made when it is asked for."""
        return Entities(self, range(self.num_entities))

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """Records in each entity, by entity id. Read-only."""
        return np.asarray(self._core.sizes)

    @property
    def labels(self) -> NDArray[np.uint32]:
        """Entity id of each record, by record index. Read-only."""
        return np.asarray(self._core.labels)

    def entity_of(self, key: KeyLike) -> Entity:
        """The entity that holds a record.

        Parameters
        ----------
        key : key or (source, key)
            A bare key is looked for in all sources.

        Raises
        ------
        KeyNotFoundError
            If there is no such record.
        InvalidArgumentError
            If several sources have the bare key.

        Examples
        --------
        >>> import starlings as sl
        >>> sl.Collection.from_edges([("a", "b", 0.9)]).at(0.5).entity_of("b").size
        2
        """
        record = find_record(self._context, key, self.num_records)
        return Entity._of(self, int(self.labels[record]))

    def diff(self, other: Partition) -> PartitionDiff:
        """What changed from this partition to another: what stayed, split, merged or was rearranged.

        Records are matched by source and key, and those that only one of the two has are set aside. So it compares two
        cuts of a collection, cuts of two collections of a frame, and of two frames.

        Parameters
        ----------
        other : Partition
            The partition after; this one is the one before.

        Raises
        ------
        InvalidArgumentError
            If `other` is no partition.

        Examples
        --------
        >>> import starlings as sl
        >>> old = sl.Collection.from_entities([{"a", "b", "c"}, {"x", "y"}]).at(1.0)
        >>> new = sl.Collection.from_entities([{"a", "b"}, {"c", "z"}, {"x", "y"}]).at(1.0)
        >>> diff = old.diff(new)
        >>> diff, diff.records_added
        (PartitionDiff(unchanged=1, split=1, merged=0, rearranged=0), {('default', 'z')})
        >>> [sorted(key for _, key in entity) for entity in diff.split[0].after]
        [['a', 'b'], ['c', 'z']]
        """
        if not isinstance(other, Partition):
            raise InvalidArgumentError(
                f"a partition is compared with a Partition, not with {shown(other)}: cut with at()"
            )
        return PartitionDiff(self, other)

    def to_list(self) -> list[set[RecordName]]:
        """All entities as sets of (source, key), by entity id."""
        return self._core.to_list(self._context)

    def map(self, operation: OperationLike[Value], *, progress: Progress = None) -> dict[int, Value]:
        """One value for each entity.

        Parameters
        ----------
        operation : operation of `Ops`, or function of an `Entity`
            Operations of `Ops` run in the engine, on several threads. A function is called for one entity after the
            other.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        dict of int to value
            By entity id, ascending. Hashes are hexadecimal strings, sizes ints, densities floats, fingerprints
            read-only arrays of 128 uint32: parts of one array, which lives as long as any of them.

        Raises
        ------
        InvalidArgumentError
            If it is neither.

        Notes
        -----
        What a function raises comes out as it is, with a note that names the entity.

        Examples
        --------
        >>> import starlings as sl
        >>> partition = sl.Collection.from_entities([{1, 2}, {3}]).at(1.0)
        >>> partition.map(sl.Ops.hash.md5)
        {0: '22cbb8ec845d6acf6e98fb28891cd3c6', 1: 'dae11f2296e08083311533103cf18e0b'}
        >>> partition.map(lambda entity: max(key for _, key in entity.members))
        {0: 2, 1: 3}
        """
        return apply(self, operation, progress)

    def map_arrow(
        self, operation: OperationLike[Any], name: str | None = None, *, progress: Progress = None
    ) -> EntityValues:
        """One value for each entity, as a table with the columns entity_id and value.

        Parameters
        ----------
        operation : operation of `Ops`, or function of an `Entity`
            As for `map`. A function gives only numbers, or only text: bools become 0 and 1, ints with floats among
            them floats.
        name : str, optional
            What to call the second column instead of value.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        EntityValues
            Any reader of the Arrow PyCapsule interface takes it; `to_arrow`, `to_pandas` and `to_polars` hand it on.
            Hashes are fixed-size binary, fingerprints fixed-size lists of 128 uint32, text is dictionary-encoded.

        Raises
        ------
        InvalidArgumentError
            If it is neither; if values of a function are of no such kind, ints beyond 64 bits, or text with a
            NUL character.

        Examples
        --------
        >>> import starlings as sl
        >>> partition = sl.Collection.from_entities([{1, 2}, {3}]).at(1.0)
        >>> partition.map_arrow(sl.Ops.compute.size, "records").to_arrow().to_pydict()
        {'entity_id': [0, 1], 'records': [2, 1]}
        """
        return tabulate(self, operation, name, progress)

    def _record_columns(self) -> list[RecordColumn]:
        return [RecordColumn("source", "key", self._core.records)]

    def _number_columns(self) -> dict[str, NDArray[np.uint32]]:
        return {"entity_id": np.repeat(np.arange(self.num_entities, dtype=np.uint32), self.sizes)}

    def to_membership(self) -> Any:
        """A pandas Series from key to entity id, in the order of the records: a membership vector.

        With more than one source the index has two levels, source and key.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        pandas = require("pandas", "to_membership()")
        records = np.arange(self.num_records, dtype=np.uint32)
        index = pandas.Index(self._context.record_keys(records), name="key")
        codes, names = source_codes(self._context, records)
        if np.any(codes != codes[:1]):
            sources = pandas.Categorical.from_codes(codes, categories=names)
            index = pandas.MultiIndex.from_arrays([sources, index], names=["source", "key"])
        return pandas.Series(self.labels, index=index, name="entity_id")

    def __len__(self) -> int:
        return self.num_entities

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.entities)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Partition):
            return NotImplemented
        if (self.num_records, self.num_entities) != (other.num_records, other.num_entities):
            return False
        if self._core == other._core and self._context == other._context:
            return True
        labels = self.labels if self._context == other._context else self._labels_for(other)
        return labels is not None and _correspond(labels, other.labels, self.num_entities)

    __hash__ = None  # type: ignore[assignment]

    def _labels_for(self, other: Partition) -> NDArray[np.uint32] | None:
        """Entity id here of each record of a partition over another context; None if it has other records."""
        translation, num_records = self._indices_of(other)
        return self.labels[translation] if num_records == self.num_records else None

    def _indices_of(self, other: Partition) -> tuple[NDArray[np.uint32], int]:
        """Index here of each record of a partition over another context, and how many records both have together.

        Those that are not known here are numbered on after all that are.
        """
        both = self._context.copy(self.num_records)
        return np.asarray(both.intern_context(other._context, other.num_records)), both.num_records

    def __repr__(self) -> str:
        return (
            f"Partition(threshold={self.threshold}, num_entities={self.num_entities}, num_records={self.num_records})"
        )

    def _repr_html_(self) -> str:
        from starlings.explorer.notebook import sizes_drawing

        rows = "".join(
            f"<tr><td>{entity.id!r}</td><td>{entity.size}</td><td>{escape(repr(entity))}</td></tr>"
            for entity in self.entities[:10]
        )
        head = "<tr><th>entity</th><th>size</th><th>records</th></tr>"
        return f"<p>{escape(repr(self))}</p>{sizes_drawing(self)}<table>{head}{rows}</table>"


def _correspond(a: NDArray[np.uint32], b: NDArray[np.uint32], num_entities: int) -> bool:
    """Whether two labellings of the same records with as many entities each group them alike.

    They do if each entity of one has records of but one entity of the other: as both have equally many and none is
    empty, the entities then correspond one to one.
    """
    if np.array_equal(a, b):
        return True
    counterparts = np.zeros(num_entities, dtype=np.uint32)
    counterparts[a] = b
    return bool(np.array_equal(counterparts[a], b))
