"""Entities: one by itself, and all of a partition as a lazy sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike, KeyValue, RecordName
from starlings.immutable import Immutable
from starlings.key import Key, check_name
from starlings.numbered import chosen
from starlings.records import MixedRecords, Records, tables_of

if TYPE_CHECKING:
    from starlings.partition import Partition

__all__ = ["Entities", "Entity"]


class Entity(Immutable):
    """A set of records taken to be the same thing. Immutable.

    Those of a partition come from `Partition.entities`; one made by hand goes into `Collection.from_entities` or,
    with an id, into the ``records`` of `Collection.from_edges`.

    Parameters
    ----------
    members : iterable of keys or (source, key)
        The records.
    id : key, optional
        What the entity is called; in a partition its number.
    source : str
        The source of bare keys.

    Examples
    --------
    >>> import starlings as sl
    >>> entity = sl.Entity([1, 2, ("crm", "x")], id="ann")
    >>> entity.id, entity.size, entity.sources
    ('ann', 3, ['default', 'crm'])
    >>> sorted(entity.members, key=str)
    [('crm', 'x'), ('default', 1), ('default', 2)]
    >>> ("crm", "x") in entity
    True
    """

    __slots__ = ("_context", "_id", "_members", "_records")

    _instead: ClassVar = "hand over its id and members"
    _context: _core.Context
    _id: KeyValue | None
    _records: Any
    _members: frozenset[RecordName] | None

    def __init__(
        self, members: Iterable[KeyLike], *, id: KeyValue | Key | None = None, source: str = "default"
    ) -> None:
        check_name(source)
        context = _core.Context()
        context.intern(members, source)
        self._context = context
        self._records = np.arange(context.num_records, dtype=np.uint32)
        self._records.setflags(write=False)
        self._id = None if id is None else Key(id).value
        self._members = None

    @classmethod
    def _of(cls, partition: Partition, entity_id: int) -> Entity:
        """One entity of a partition, by number."""
        entity = cls.__new__(cls)
        entity._context = partition._context
        entity._records = partition._core.entity(entity_id)
        entity._id = entity_id
        entity._members = None
        return entity

    @property
    def id(self) -> KeyValue | None:
        """What the entity is called: in a partition its number, from 0 in canonical order."""
        return self._id

    @property
    def members(self) -> frozenset[RecordName]:
        """The records, as (source, key)."""
        if self._members is None:
            self._members = frozenset(self._context.record_set(self._records))
        return self._members

    @property
    def size(self) -> int:
        """The number of records."""
        return len(self._records)

    @property
    def sources(self) -> list[str]:
        """The sources with a record in the entity, in the order in which the data met them."""
        names = self._context.sources()
        present = np.unique(np.asarray(self._context.record_sources(self._records)))
        return [names[number] for number in present.tolist()]

    @property
    def records(self) -> NDArray[np.uint32]:
        """Indices of the records in their data context; of an entity made by hand 0, 1, ..."""
        return np.asarray(self._records)

    def tables(self) -> dict[str, Records]:
        """The records of each source with the attributes that they were given with.

        Of a source none of whose records in the entity has attributes, the table is their keys.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("crm", [{"id": 1, "name": "Ann"}], key_column="id")
        >>> frame.add_records("shop", [{"no": "x", "city": "York"}], key_column="no")
        >>> frame.add_collection_from_entities("model", [[("crm", 1), ("shop", "x")]])
        >>> tables = frame["model"].at(1.0).entities[0].tables()
        >>> {source: records.to_dicts() for source, records in tables.items()}
        {'crm': [{'id': 1, 'name': 'Ann'}], 'shop': [{'no': 'x', 'city': 'York'}]}
        """
        return tables_of(self._context, np.sort(self.records))

    def to_arrow(self) -> Any:
        """A pyarrow Table of all records: source, key, then the attributes of all sources, united by name.

        One row a record, in record order, with nulls where a source lacks a column. An attribute called source or key
        becomes attribute_source or attribute_key; columns of one name whose types do not unite become text.

        Raises
        ------
        MissingDependencyError
            Without pyarrow.
        """
        return MixedRecords(self._context, np.sort(self.records)).to_arrow()

    def to_pandas(self) -> Any:
        """A pandas DataFrame of all records, as `to_arrow`.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        return MixedRecords(self._context, np.sort(self.records)).to_pandas()

    def to_polars(self) -> Any:
        """A polars DataFrame of all records, as `to_arrow`.

        Raises
        ------
        MissingDependencyError
            Without polars.
        """
        return MixedRecords(self._context, np.sort(self.records)).to_polars()

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[RecordName]:
        return iter(self.members)

    def __contains__(self, key: object) -> bool:
        return (key if isinstance(key, tuple) else ("default", key)) in self.members

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entity):
            return NotImplemented
        return self._id == other._id and self.members == other.members

    def __hash__(self) -> int:
        return hash((self._id, self.members))

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self._context.record_keys(self.records[:4])))
        more = ", ..." if self.size > 4 else ""
        return f"Entity(id={self._id!r}, size={self.size}, keys=[{shown}{more}])"


class Entities(Immutable, Sequence[Entity]):
    """Entities of a partition, each made when it is asked for. A slice is such a sequence too.

    Examples
    --------
    >>> import starlings as sl
    >>> entities = sl.Collection.from_edges([("a", "b", 0.9), ("c", "d", 0.7)]).at(0.5).entities
    >>> len(entities), entities[-1].size, [entity.id for entity in entities[:1]]
    (2, 2, [0])
    """

    __slots__ = ("_ids", "_partition")

    _instead: ClassVar = "hand over the to_arrow() of the partition"

    def __init__(self, partition: Partition, ids: Sequence[int]) -> None:
        self._partition = partition
        self._ids = ids

    @property
    def whole_partition(self) -> Partition | None:
        """The partition, if these are all its entities in order."""
        return self._partition if self._ids == range(self._partition.num_entities) else None

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> Entity: ...
    @overload
    def __getitem__(self, index: slice) -> Entities: ...
    def __getitem__(self, index: int | slice) -> Entity | Entities:
        found = chosen(self._ids, index, "entity")
        return Entity._of(self._partition, found) if isinstance(found, int) else Entities(self._partition, found)

    def __iter__(self) -> Iterator[Entity]:
        return (Entity._of(self._partition, entity_id) for entity_id in self._ids)

    def __contains__(self, entity: object) -> bool:
        if not isinstance(entity, Entity) or not isinstance(entity.id, int) or entity.id not in self._ids:
            return False
        return Entity._of(self._partition, entity.id) == entity

    def __repr__(self) -> str:
        return f"<{len(self)} entities at {self._partition.threshold}>"
