"""Operations: one value for each entity of a partition, computed by the engine or by a function of the caller's.

The engine's results stay columns until somebody asks for objects: a table hands their memory on, a dict is made at
the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import Progress
from starlings.arrow_table import ArrowTable
from starlings.entity import Entity
from starlings.exceptions import InvalidArgumentError, shown
from starlings.immutable import Immutable
from starlings.key import check_name
from starlings.optional import require
from starlings.progress import reporting

if TYPE_CHECKING:
    from starlings.partition import Partition

__all__ = ["EntityValues", "Operation", "OperationLike", "Ops", "Value", "apply", "fingerprint_similarity", "tabulate"]

Value = TypeVar("Value")

_FINGERPRINT_LENGTH: Final = 128
_BETWEEN_REPORTS: Final = 0.02

# ------------------------------------------------------------------------------------------------------------ columns


class _Column(Protocol):
    """The values of all entities, by entity id."""

    def by_entity(self) -> dict[int, Any]:
        """As Python objects, by entity id."""

    def add_to(self, table: _core.Table, name: str) -> None:
        """As a column for Arrow."""

    def for_pandas(self) -> Any:
        """As what a pandas DataFrame takes for a column."""


@dataclass(frozen=True, eq=False)
class _Digests:
    """Hashes of `size` bytes, one after the other."""

    digests: _core.Buffer
    size: int

    def by_entity(self) -> dict[int, str]:
        return _core.hex_dict(self.digests, self.size)

    def add_to(self, table: _core.Table, name: str) -> None:
        table.add_binary(name, self.digests, self.size)

    def for_pandas(self) -> list[bytes]:
        digests: list[bytes] = np.asarray(self.digests).view(f"V{self.size}").tolist()
        return digests


@dataclass(frozen=True, eq=False)
class _Fingerprints:
    values: NDArray[np.uint32]

    def by_entity(self) -> dict[int, NDArray[np.uint32]]:
        return dict(enumerate(self.for_pandas()))

    def add_to(self, table: _core.Table, name: str) -> None:
        table.add_lists(name, self.values, _FINGERPRINT_LENGTH)

    def for_pandas(self) -> list[NDArray[np.uint32]]:
        return list(self.values.reshape(-1, _FINGERPRINT_LENGTH))


@dataclass(frozen=True, eq=False)
class _Numbers:
    values: NDArray[Any]

    def by_entity(self) -> dict[int, int | float]:
        return dict(enumerate(self.values.tolist()))

    def add_to(self, table: _core.Table, name: str) -> None:
        table.add_numbers(name, self.values)

    def for_pandas(self) -> NDArray[Any]:
        return self.values


@dataclass(frozen=True, eq=False)
class _Texts:
    """Strings, of which many may be equal: entity i has strings[codes[i]]."""

    codes: NDArray[np.uint32]
    strings: list[str]

    def by_entity(self) -> dict[int, str]:
        return dict(enumerate(self.for_pandas()))

    def add_to(self, table: _core.Table, name: str) -> None:
        table.add_categories(name, self.codes, self.strings)

    def for_pandas(self) -> list[str]:
        return [self.strings[code] for code in self.codes.tolist()]


# --------------------------------------------------------------------------------------------------------- operations


@dataclass(frozen=True)
class Operation(Generic[Value]):
    """Something that the engine computes for each entity; one of `Ops`."""

    name: str

    def _column(self, partition: Partition, progress: Progress) -> _Column:
        """The values of all entities."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"Ops.{self.name}"


@dataclass(frozen=True)
class Hash(Operation[str]):
    """A hash of each entity; call it to choose what of the entity is hashed."""

    size: int
    over: Literal["identity", "index"] = "identity"

    def __call__(self, *, over: Literal["identity", "index"] = "identity") -> Hash:
        """The same hash over the identities or the indices of the records.

        Raises
        ------
        InvalidArgumentError
            If it is neither "identity" nor "index".
        """
        if not isinstance(over, str) or over not in ("identity", "index"):
            raise InvalidArgumentError(f"over must be 'identity' or 'index', not {shown(over)}")
        return Hash(self.name, self.size, over)

    def _column(self, partition: Partition, progress: Progress) -> _Column:
        digest = self.name.rpartition(".")[2]
        with reporting(progress) as callback:
            digests = partition._core.digests(partition._context, digest, self.over == "index", callback)
        return _Digests(digests, self.size)

    def __repr__(self) -> str:
        return f"Ops.{self.name}" + (f"(over={self.over!r})" if self.over != "identity" else "")


class _Size(Operation[int]):
    def _column(self, partition: Partition, progress: Progress) -> _Column:
        return _Numbers(partition.sizes)


class _Density(Operation[float]):
    def _column(self, partition: Partition, progress: Progress) -> _Column:
        try:
            return _Numbers(np.asarray(partition._core.densities(partition.threshold)))
        except InvalidArgumentError:
            message = "densities count edges, and the collection did not keep them: make it with keep_edges=True"
            raise InvalidArgumentError(message) from None


class _Fingerprint(Operation[NDArray[np.uint32]]):
    def _column(self, partition: Partition, progress: Progress) -> _Column:
        with reporting(progress) as callback:
            return _Fingerprints(np.asarray(partition._core.fingerprints(partition._context, callback)))


class _Hashes:
    """Hashes of entities: `sha256`, `sha512`, `blake3` and `md5`."""

    sha256: ClassVar = Hash("hash.sha256", 32)
    sha512: ClassVar = Hash("hash.sha512", 64)
    blake3: ClassVar = Hash("hash.blake3", 32)
    md5: ClassVar = Hash("hash.md5", 16)


class _Computations:
    """Figures of entities: `size`, `density` and `fingerprint`."""

    size: ClassVar = _Size("compute.size")
    density: ClassVar = _Density("compute.density")
    fingerprint: ClassVar = _Fingerprint("compute.fingerprint")


class Ops:
    """The operations of the engine, for `Partition.map` and `Partition.map_arrow`.

    Attributes
    ----------
    hash.sha256, hash.sha512, hash.blake3, hash.md5 : operation
        Hash of the entity's records in their canonical encoding (source and key of each): the same entity has the
        same hash in any frame, on any machine. ``hash.sha256(over="index")`` hashes record indices instead, which is
        faster and holds within one frame only.
    compute.size : operation
        Number of records.
    compute.density : operation
        Share of the entity's pairs of records that an edge of at least the partition's threshold joins; 1 for one
        record. Needs a collection that kept its edges.
    compute.fingerprint : operation
        MinHash signature, 128 values of 32 bits, for `fingerprint_similarity`.

    Examples
    --------
    >>> import starlings as sl
    >>> partition = sl.Collection.from_entities([{1, 2}, {3}]).at(1.0)
    >>> partition.map(sl.Ops.compute.size)
    {0: 2, 1: 1}
    >>> sl.Ops.hash.sha256(over="index")
    Ops.hash.sha256(over='index')
    """

    hash: ClassVar = _Hashes
    compute: ClassVar = _Computations


#: What is done for each entity.
OperationLike: TypeAlias = Operation[Value] | Callable[[Entity], Value]


def fingerprint_similarity(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """Share of equal values of two fingerprints: an estimate of the Jaccard similarity J of two entities.

    Its standard error is sqrt(J (1 - J) / 128), 0.044 at most.

    Parameters
    ----------
    a, b : array of 128 uint32
        From `Ops.compute.fingerprint`, of the same or of different frames.

    Raises
    ------
    InvalidArgumentError
        If one is no such array.

    Examples
    --------
    >>> import starlings as sl
    >>> one = sl.Collection.from_entities([range(100)]).at(1.0).map(sl.Ops.compute.fingerprint)[0]
    >>> other = sl.Collection.from_entities([range(20, 100)]).at(1.0).map(sl.Ops.compute.fingerprint)[0]
    >>> abs(sl.fingerprint_similarity(one, other) - 0.8) < 0.1
    True
    """
    return _core.fingerprint_similarity(a, b)


# ------------------------------------------------------------------------------------------------------------ applying


def apply(partition: Partition, operation: OperationLike[Value], progress: Progress) -> dict[int, Value]:
    """The value of each entity, by id."""
    if isinstance(operation, Operation):
        return operation._column(partition, progress).by_entity()
    return dict(enumerate(_call_for_each(partition, _checked(operation), progress)))


def tabulate(partition: Partition, operation: OperationLike[Any], name: str | None, progress: Progress) -> EntityValues:
    """The value of each entity, as a table."""
    name = "value" if name is None else name
    if name == "entity_id":
        raise InvalidArgumentError("a column of values is called other than 'entity_id', as the other column is")
    check_name(name, "name of a column")
    if "\0" in name:
        raise InvalidArgumentError(f"the name of a column is without NUL characters, not {shown(name)}")
    if isinstance(operation, Operation):
        return EntityValues(name, operation._column(partition, progress), partition.num_entities)
    values = _call_for_each(partition, _checked(operation), progress)
    return EntityValues(name, _column_of(values), partition.num_entities)


def _checked(operation: Callable[[Entity], Value]) -> Callable[[Entity], Value]:
    """What is called for each entity, if it can be."""
    groups: tuple[type, ...] = (Ops.hash, Ops.compute)
    if callable(operation) and not any(operation is group for group in (Ops, *groups)):
        return operation
    known = [repr(known) for group in groups for known in vars(group).values() if isinstance(known, Operation)]
    raise InvalidArgumentError(
        f"no operation {shown(operation)}: take one of {', '.join(known)}, or a function of an Entity"
    )


def _call_for_each(partition: Partition, function: Callable[[Entity], Value], progress: Progress) -> list[Value]:
    """What a function gives for each entity."""
    values = []
    total = partition.num_entities
    with reporting(progress) as callback:
        due = monotonic() + _BETWEEN_REPORTS
        for entity_id in range(total):
            entity = Entity._of(partition, entity_id)
            try:
                values.append(function(entity))
            except Exception as error:
                error.add_note(f"raised for entity {entity_id} of {partition!r}")
                raise
            if callback is not None and monotonic() >= due:
                callback("calling a function", entity_id + 1, total)
                due = monotonic() + _BETWEEN_REPORTS
    return values


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "text": (str,),
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "float": (float, np.floating),
}


def _column_of(values: list[Any]) -> _Column:
    """A column of what a function gave.

    Raises
    ------
    InvalidArgumentError
        If they are not all numbers or all text.
    """
    kinds = {_kind(type_, values) for type_ in set(map(type, values))}
    if kinds == {"text"}:
        strings: dict[str, int] = {}
        codes = [strings.setdefault(value, len(strings)) for value in values]
        _check_texts(strings, codes)
        return _Texts(np.array(codes, dtype=np.uint32), list(strings))
    if "text" in kinds:
        raise InvalidArgumentError("a column holds numbers or text, and the function gave both")
    if kinds == {"bool"}:
        return _Numbers(np.array(values, dtype=np.uint8))
    try:
        if "float" in kinds or not values:
            return _Numbers(np.array(values, dtype=np.float64))
        return _Numbers(np.array(values, dtype=np.uint64 if min(values) >= 0 and max(values) >= 2**63 else np.int64))
    except OverflowError:
        raise InvalidArgumentError(
            "the function gave ints that no one column of 64 bits holds: from -2^63 to 2^63-1, from 0 to 2^64-1 or,"
            " among floats, up to the largest float; give them as text"
        ) from None


def _check_texts(strings: Iterable[str], codes: list[int]) -> None:
    """Raise an error unless a column can hold the texts; `codes` by entity, for the message."""
    for code, text in enumerate(strings):
        try:
            if b"\0" not in text.encode():
                continue
            problem = "a NUL character"
        except UnicodeEncodeError:
            problem = "what UTF-8 cannot hold"
        entity_id = codes.index(code)
        raise InvalidArgumentError(
            f"the function gave {shown(text)} for entity {entity_id}, with {problem}: a column does not take it, map() "
            "takes any value",
            row=entity_id,
        )


def _kind(type_: type, values: list[Any]) -> str:
    """The kind of value of a type; `values` for the message."""
    for kind, types in _KINDS.items():
        if issubclass(type_, types):
            return kind
    entity_id = next(number for number, value in enumerate(values) if type(value) is type_)
    raise InvalidArgumentError(
        f"the function gave {shown(values[entity_id])} for entity {entity_id}: a column holds numbers or text; "
        "map() takes any value",
        row=entity_id,
    )


class EntityValues(Immutable, ArrowTable):
    """One value for each entity, as a table; made by `Partition.map_arrow`. Immutable."""

    def __init__(self, name: str, column: _Column, num_entities: int) -> None:
        self._name = name
        self._column = column
        self._ids = np.arange(num_entities, dtype=np.uint32)
        self._table = _core.Table(num_entities)  # made at once: it refuses what Arrow cannot hold
        self._table.add_numbers("entity_id", self._ids)
        column.add_to(self._table, name)

    @property
    def columns(self) -> list[str]:
        """Names of the two columns."""
        return ["entity_id", self._name]

    def to_pandas(self) -> Any:
        """A pandas DataFrame; hashes are bytes objects, fingerprints numpy arrays.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        values = self._column.for_pandas()
        return require("pandas", "to_pandas()").DataFrame({"entity_id": self._ids, self._name: values})

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"EntityValues({', '.join(self.columns)}; {len(self):,} entities)"
