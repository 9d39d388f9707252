"""Metrics estimated where only some true entities are known: a sample of them, each with all its records.

The sample is read into two columns, record and number of the entity, by one look-up of all keys; the rest is the
engine's, one pass whatever the number of thresholds. The method is told in docs/estimates.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike
from starlings.analysis import Cuts, listed
from starlings.arguments import float_of, is_number
from starlings.dataframes import is_pandas
from starlings.entity import Entity
from starlings.exceptions import InvalidArgumentError, InvalidKeyError, KeyNotFoundError, OverlapError, shown
from starlings.metrics import Defaults, Metric, resolve
from starlings.reports import BAND, Report

__all__ = ["SampleLike", "Weights", "estimate"]

#: True entities: by name, one after the other, or a membership vector of pandas (index: key, value: entity).
SampleLike: TypeAlias = Mapping[Any, Iterable[KeyLike]] | Iterable[Iterable[KeyLike]]
#: What an entity counts: all the same, in inverse proportion to its size, or by name.
Weights: TypeAlias = Literal["uniform", "size"] | Mapping[Any, float]

_DEFAULTS: Final = ("precision", "recall", "f1")
_LEAST_ENTITIES: Final = 2


def estimate(
    state: _core.FrameState,
    expression: Any,
    sample: Any,
    weights: Any,
    metrics: Any,
    level: float,
    source: str,
    progress: _core.ProgressCallback | None,
) -> Report:
    """The report of one expression, estimated from a sample; see `EntityFrame.estimate`."""
    chosen = _estimable(metrics)
    at = _checked_level(level)
    expressions = listed((expression,))
    if len(expressions) != 1:
        raise InvalidArgumentError(f"estimates are of one expression, not of {len(expressions)}; call for each")
    cuts = Cuts.of(expressions[0], state)
    drawn = _Sample.read(sample, cuts.collection.context, cuts.collection.num_records, source)
    estimated = _core.Estimate(
        cuts.hierarchy,
        cuts.collection.num_records,
        drawn.records,
        drawn.entities,
        len(drawn.names),
        drawn.weigh(weights),
        cuts.where,
        progress,
    )
    columns = cuts.columns()
    for metric in chosen:
        names = [metric.label, *(metric.label + ending for ending in BAND)]
        values = estimated.metric(metric.name, metric.parameter, at)
        columns |= zip(names, map(np.asarray, values), strict=True)
    return Report(columns)


def _estimable(metrics: Any) -> list[Metric]:
    """The metrics asked for, each of which can be estimated."""
    default = metrics is None or isinstance(metrics, Defaults)
    chosen = resolve(_DEFAULTS if default else metrics, compared=True)
    refused = [metric.label for metric in chosen if not _core.is_estimable(metric.name)]
    if refused:
        known = ", ".join(name for name, *_ in _core.metric_names() if _core.is_estimable(name))
        raise InvalidArgumentError(
            f"{', '.join(refused)}: cannot be estimated from a sample of true entities; what can is {known}"
        )
    return chosen


def _checked_level(level: Any) -> float:
    """The level of a band as a float."""
    if not is_number(level) or not 0.0 < float_of(level) < 1.0:
        raise InvalidArgumentError(f"level must be a number between 0 and 1, such as 0.95, not {shown(level)}")
    return float(level)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Sampled entities: the records, the number of the entity of each, and what the entities are called."""

    records: NDArray[np.uint32]
    entities: NDArray[np.uint32]
    names: list[Any]

    @classmethod
    def read(cls, sample: Any, context: _core.Context, num_records: int, source: str) -> _Sample:
        """A sample as it was given.

        Raises
        ------
        KeyNotFoundError, OverlapError
            With the position of the entity.
        InvalidArgumentError
            If it is no sample: of another type, of fewer than two entities, with one that has no record.
        """
        if is_pandas(sample):
            keys, entities, names = _membership(sample)
        else:
            keys, entities, names = _members(sample)
        if len(names) < _LEAST_ENTITIES:
            raise InvalidArgumentError(f"a sample of {len(names)} entities has no standard error; give at least two")
        try:
            records = np.asarray(context.find(keys, source))
        except InvalidKeyError as error:
            raise _of_entity(error, entities, names) from None
        unknown = np.flatnonzero(records >= num_records)
        if len(unknown):
            row = int(unknown[0])
            raise KeyNotFoundError(
                f"entity {shown(names[entities[row]])} of the sample has the record {shown(keys[row])}, which the "
                f"frame does not have (source {shown(source)} where none is given)",
                row=int(entities[row]),
            )
        return cls(*_each_once(records, entities, names, keys), names)

    def weigh(self, weights: Any) -> NDArray[np.float64] | None:
        """The weight of each entity, as `weights` says."""
        if isinstance(weights, str):
            if weights == "uniform":
                return None
            if weights == "size":
                return 1.0 / np.bincount(self.entities, minlength=len(self.names))
        if is_pandas(weights) and not hasattr(weights, "columns"):
            weights = _weights_by_name(weights)
        if not isinstance(weights, Mapping):
            raise InvalidArgumentError(
                f"weights must be 'uniform', 'size' or a weight for each entity, not {shown(weights)}"
            )
        return np.array([_weight(weights, position, name) for position, name in enumerate(self.names)])


def _of_entity(error: InvalidKeyError, entities: NDArray[np.intp], names: list[Any]) -> InvalidKeyError:
    """The error about one of all keys as one about an entity of the sample."""
    if error.row is None:
        return error
    position = int(entities[error.row])
    message = str(error).removeprefix(f"row {error.row}: ")
    return InvalidKeyError(f"entity {shown(names[position])} of the sample: {message}", row=position)


def _weight(weights: Mapping[Any, Any], position: int, name: Any) -> float:
    """The weight of one entity."""
    if name not in weights:
        raise InvalidArgumentError(f"there is no weight for entity {shown(name)} of the sample", row=position)
    weight = weights[name]
    if is_number(weight) and 0.0 < float_of(weight) < inf:
        return float_of(weight)
    raise InvalidArgumentError(
        f"the weight of entity {shown(name)} is {shown(weight)}; weights are finite numbers above 0", row=position
    )


def _weights_by_name(series: Any) -> dict[Any, Any]:
    """The weights of a Series, each of which is of one entity."""
    again = np.flatnonzero(series.index.duplicated())
    if len(again):
        name = series.index[again[0]]
        raise InvalidArgumentError(f"entity {shown(name)} has two weights: give one", row=int(again[0]))
    return dict(zip(series.index.tolist(), series.tolist(), strict=True))


def _membership(series: Any) -> tuple[Any, NDArray[np.intp], list[Any]]:
    """Keys, numbers and names of the entities of a membership vector; records of no entity (NaN) are left out."""
    if hasattr(series, "columns") or not hasattr(series, "index"):
        raise InvalidArgumentError(
            f"a sample is a mapping, an iterable of entities or a pandas Series, not a {type(series).__name__}"
        )
    try:
        entities, names = series.factorize()
    except TypeError as error:
        raise InvalidArgumentError(
            f"a Series has a key in its index and an entity as its value, which cannot be told from others: {error}; "
            "give entities as an iterable of their keys"
        ) from error
    keys = series.index.to_numpy()
    kept = entities >= 0
    return (keys, entities, list(names)) if kept.all() else (keys[kept], entities[kept], list(names))


def _members(sample: Any) -> tuple[list[KeyLike], NDArray[np.intp], list[Any]]:
    """The same of entities by name or one after the other."""
    if isinstance(sample, (str, bytes)) or not isinstance(sample, Iterable):
        raise InvalidArgumentError(
            f"a sample is a mapping, an iterable of entities or a pandas Series, not a {type(sample).__name__}"
        )
    by_name = isinstance(sample, Mapping)
    entities = list(sample.values()) if by_name else _objects_of(sample)  # type: ignore[attr-defined]
    names = list(sample) if by_name else list(range(len(entities)))
    members = [_keys_of(names[position], entity) for position, entity in enumerate(entities)]
    sizes = [len(keys) for keys in members]
    if 0 in sizes:
        empty = sizes.index(0)
        raise InvalidArgumentError(f"entity {shown(names[empty])} of the sample has no record", row=empty)
    return list(chain.from_iterable(members)), np.repeat(np.arange(len(names)), sizes), names


def _keys_of(name: Any, entity: Any) -> list[KeyLike]:
    """The keys of one entity."""
    if isinstance(entity, Entity):
        return list(entity.members)
    if isinstance(entity, (str, bytes)) or not isinstance(entity, Iterable):
        raise InvalidArgumentError(
            f"entity {shown(name)} of the sample must be an iterable of keys, not {shown(entity)}; "
            "an entity has all its records"
        )
    return _objects_of(entity)


def _objects_of(values: Iterable[Any]) -> list[Any]:
    """The values as Python objects: those of arrays, whether of NumPy, Arrow or pandas, are others."""
    as_objects = getattr(values, "tolist", None)
    objects = None if as_objects is None else as_objects()
    return objects if isinstance(objects, list) else list(values)


def _each_once(
    records: NDArray[np.uint32], entities: NDArray[np.intp], names: list[Any], keys: Any
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Records and entities without repeats of a record in its entity; a record of two entities is an error."""
    numbers = entities.astype(np.uint32)
    order = np.argsort(records, kind="stable")
    again = np.flatnonzero(records[order][1:] == records[order][:-1])
    if not len(again):
        return records, numbers
    first, second = order[again], order[again + 1]
    differ = np.flatnonzero(numbers[first] != numbers[second])
    if len(differ):
        one, other = int(first[differ[0]]), int(second[differ[0]])
        raise OverlapError(
            f"the record {shown(keys[one])} is in the entities {shown(names[entities[one]])} and "
            f"{shown(names[entities[other]])} of the sample; a record is in one entity only",
            row=int(entities[other]),
            other_row=int(entities[one]),
        )
    kept = np.ones(len(records), dtype=bool)
    kept[second] = False
    return np.ascontiguousarray(records[kept]), numbers[kept]
