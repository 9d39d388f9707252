"""What the tests of the C extension share: edges, and how to look at what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from starlings import _core

UNKNOWN = 0xFFFFFFFF

INT_ROWS = [(1, 2, 0.9), (2, 3, 0.8), (5, 4, 0.7), (3, 4, 0.25), (7, 7, 1.0), (1, 2, 0.1)]
TEXT_ROWS = [(f"é{a}", f"é{b}", score) for a, b, score in INT_ROWS]


def numbers(buffer: Any) -> list[Any]:
    return memoryview(buffer).tolist()


def built(edges: Any, **options: Any) -> tuple[_core.Context, _core.Hierarchy]:
    context = _core.Context()
    hierarchy = _core.extend(context, None, edges, **options)
    hierarchy.validate()
    return context, hierarchy


def records_of(context: _core.Context) -> list[tuple[str, Any]]:
    return [context.record(index) for index in range(context.num_records)]


def assert_same(edges: Any, rows: list[tuple[Any, Any, float]], **options: Any) -> None:
    context, hierarchy = built(edges, **options)
    expected_context, expected = built(rows)
    assert records_of(context) == records_of(expected_context)
    assert hierarchy == expected
    assert hash(hierarchy) == hash(expected)


def columns(rows: list[tuple[Any, Any, float]]) -> tuple[list[Any], list[Any], list[float]]:
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def table(rows: list[tuple[Any, Any, float]], names: tuple[str, ...] = ("left", "right", "score")) -> pa.Table:
    return pa.table(dict(zip(names, columns(rows), strict=True)))


class OneBatch:
    """An object with __arrow_c_array__ only."""

    def __init__(self, batch: pa.RecordBatch | pa.Array) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._batch.__arrow_c_array__(requested_schema)


class OldFrame:
    """A data frame of before the PyCapsule interface."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.columns = list(data)

    def __getitem__(self, name: str) -> Any:
        return pd.Series(self._data[name])

    def to_numpy(self) -> None:
        raise AssertionError("not asked for")


def attempt(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:
        error.__traceback__ = None
