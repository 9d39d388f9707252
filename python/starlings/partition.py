"""One cut of a hierarchy: every record of the data in exactly one entity.

A partition keeps what it was cut from alive and never changes. Its arrays belong to the engine and are made when first
asked for: counting costs nothing more, labels and sizes one pass over the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from html import escape
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike, RecordName
from starlings.entity import Entities, Entity
from starlings.exceptions import KeyNotFoundError, shown, unpicklable
from starlings.optional import require

__all__ = ["Partition", "find_record"]

_SOURCES_SHOWN = 10


class Partition:
    """The entities of a collection at one threshold; made by `Collection.at`. Immutable.

    Entities are numbered from 0 in a canonical order that the order of the edges and the number of threads do not
    change. Two partitions are equal if they group the same records in the same way.

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

    def to_list(self) -> list[set[RecordName]]:
        """All entities as sets of (source, key), by entity id."""
        return self._core.to_list(self._context)

    @cached_property
    def _table(self) -> _core.Table:
        """One row a record, entity by entity: source, key, entity_id."""
        records = self._core.records
        table = _core.Table(self.num_records)
        table.add_record_sources("source", self._context, records)
        table.add_record_keys("key", self._context, records)
        table.add_numbers("entity_id", self._entity_ids())
        return table

    def _entity_ids(self) -> NDArray[np.uint32]:
        """Entity id of each record, entity by entity."""
        return np.repeat(np.arange(self.num_entities, dtype=np.uint32), self.sizes)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The columns source, key and entity_id as an Arrow stream, one row a record, entity by entity."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow Table with the columns source, key and entity_id; one row a record, entity by entity.

        Raises
        ------
        MissingDependencyError
            Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the partition as it is.
        """
        return require("pyarrow", "to_arrow()").table(self)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the columns source, key and entity_id; one row a record, entity by entity.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        pandas = require("pandas", "to_pandas()")
        records = self._core.records
        codes, names = self._sources(records)
        columns = {
            "source": pandas.Categorical.from_codes(codes, categories=names),
            "key": pandas.Series(self._context.record_keys(records)),
            "entity_id": self._entity_ids(),
        }
        return pandas.DataFrame(columns)

    def to_polars(self) -> Any:
        """A polars DataFrame with the columns source, key and entity_id; one row a record, entity by entity.

        Raises
        ------
        MissingDependencyError
            Without polars.
        """
        polars = require("polars", "to_polars()")
        records = self._core.records
        if _is_one_kind(self._context.record_kinds(records)):  # polars has no union of types
            return polars.DataFrame(self._table)
        codes, names = self._sources(records)
        columns = {
            "source": polars.Series(names, dtype=polars.String).gather(codes),
            "key": polars.Series(self._context.record_keys(records), dtype=polars.Object),
            "entity_id": self._entity_ids(),
        }
        return polars.DataFrame(columns)

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
        codes, names = self._sources(records)
        if np.any(codes != codes[:1]):
            sources = pandas.Categorical.from_codes(codes, categories=names)
            index = pandas.MultiIndex.from_arrays([sources, index], names=["source", "key"])
        return pandas.Series(self.labels, index=index, name="entity_id")

    def _sources(self, records: object) -> tuple[NDArray[np.uint32], list[str]]:
        """For each of these records the number of its source, and the names by number."""
        codes = np.asarray(self._context.record_sources(records)).astype(np.uint32)
        return codes, self._context.sources()[: int(codes.max(initial=0)) + 1]

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

    def __copy__(self) -> Partition:
        return self

    def __deepcopy__(self, memo: object) -> Partition:
        return self

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "hand over its labels or its to_arrow()")

    def _labels_for(self, other: Partition) -> NDArray[np.uint32] | None:
        """Entity id here of each record of a partition over another context; None if it has other records."""
        both = self._context.copy(self.num_records)
        translation = np.asarray(both.intern_context(other._context, other.num_records))
        return self.labels[translation] if both.num_records == self.num_records else None

    def __repr__(self) -> str:
        return (
            f"Partition(threshold={self.threshold}, num_entities={self.num_entities}, num_records={self.num_records})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{entity.id!r}</td><td>{entity.size}</td><td>{escape(repr(entity))}</td></tr>"
            for entity in self.entities[:10]
        )
        head = "<tr><th>entity</th><th>size</th><th>records</th></tr>"
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>"


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


def find_record(context: _core.Context, key: KeyLike, num_records: int) -> int:
    """Index of a key or (source, key) among the first records of a context.

    Raises
    ------
    KeyNotFoundError
        If it is not one of them.
    """
    record = context.find_one(key, num_records=num_records)
    if record is None:
        sources = context.sources()
        known = ", ".join(map(repr, sources[:_SOURCES_SHOWN])) + (", ..." if len(sources) > _SOURCES_SHOWN else "")
        remedy = f"; check the key's source and type: the sources are {known}" if sources else ""
        raise KeyNotFoundError(f"no record {shown(key)} among these {num_records:,}{remedy}")
    return record


def _is_one_kind(kinds: int) -> bool:
    """Whether keys are all ints, all text or all bytes; `kinds` has a bit for each of u32, u64, string, bytes."""
    return kinds in (0, 0b0001, 0b0010, 0b0011, 0b0100, 0b1000)
