"""The C extension's objects: hierarchies, partitions, curves, read-only arrays and tables."""

from __future__ import annotations

import array
import gc
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from core_cases import (
    INT_ROWS,
    built,
    numbers,
)
from starlings import _core
from starlings.exceptions import (
    InvalidArgumentError,
    InvalidThresholdError,
    UnknownMetricError,
)

# ------------------------------------------------------------------------------- hierarchies, partitions and curves


def test_hierarchies() -> None:
    hierarchy = built(INT_ROWS)[1]
    assert (hierarchy.num_records, hierarchy.num_levels, hierarchy.num_merges) == (6, 4, 4)
    assert numbers(hierarchy.levels) == [0.9, 0.8, 0.7, 0.25]
    assert hierarchy.applied_levels(0.8) == 2
    with pytest.raises(InvalidThresholdError):
        hierarchy.applied_levels(float("nan"))
    assert hierarchy.nbytes > 0 and not hierarchy.is_exact
    assert hierarchy != built(INT_ROWS[:-3])[1]
    assert hierarchy != 5
    other = _core.extend(_core.Context(), None, [("p", "q", 0.95)])
    merged = _core.merge(hierarchy, other, np.array([0, 5], "u4"), 6)
    assert merged == built([*INT_ROWS, (1, 7, 0.95)])[1]
    assert _core.merge(hierarchy, hierarchy, None, 6) == hierarchy
    with pytest.raises(InvalidArgumentError):
        _core.merge(hierarchy, other, np.array([0, 6], "u4"), 6)
    with pytest.raises(InvalidArgumentError, match="2 records"):
        _core.merge(hierarchy, other, np.array([0], "u4"), 6)
    with pytest.raises(TypeError):
        _core.Hierarchy()  # type: ignore[call-arg]


def test_partitions() -> None:
    context, hierarchy = built([(("crm", 1), ("web", 2), 0.9), (("web", 2), 3, 0.8), (5, 4, 0.7)])
    partition = _core.Partition(hierarchy, 0.75)
    assert (partition.num_entities, partition.num_records, partition.threshold) == (3, 5, 0.75)
    assert numbers(partition.sizes) == [3, 1, 1]
    assert numbers(partition.offsets) == [0, 3, 4, 5]
    assert numbers(partition.labels) == [0, 0, 0, 1, 2]
    assert numbers(partition.records) == [0, 1, 2, 3, 4]
    assert numbers(partition.entity(0)) == [0, 1, 2]
    assert partition.entity_set(context, 0) == {("crm", 1), ("web", 2), ("default", 3)}
    assert partition.entity_sources(context, 0) == ["crm", "web", "default"]
    assert partition.entity_sources(context, 1) == ["default"]
    for entity in (3, -1, 2**65):
        with pytest.raises((IndexError, OverflowError)):
            partition.entity(entity)
    with pytest.raises(IndexError):
        partition.entity_set(context, 3)
    with pytest.raises(InvalidArgumentError):
        partition.entity_set(_core.Context(), 0)
    with pytest.raises(TypeError):
        partition.to_list(5)  # type: ignore[arg-type]
    context.intern(["later"])
    longer = _core.Partition(hierarchy, 0.75, 6)
    assert longer.to_list(context)[-1] == {("default", "later")}
    with pytest.raises(InvalidThresholdError):
        _core.Partition(hierarchy, -0.1)
    empty = _core.Partition(_core.extend(_core.Context(), None, []), 0.5)
    assert numbers(empty.labels) == [] and numbers(empty.sizes) == [] and empty.to_list(_core.Context()) == []


def test_lifetimes() -> None:
    _, hierarchy = built([(1, 2, 0.8), (2, 3, 0.5), (4, 4, 0.1)])
    assert hierarchy.lifetimes(0, _core.SENSITIVITY_SHIFT) == (0.565, 0.125)  # docs/metrics.md
    assert hierarchy.lifetimes(num_records=4, parameter=0.05) == (0.565, 0.125)
    stability, sensitivity = hierarchy.lifetimes(8, 0.05)
    assert stability == pytest.approx((4 * 0.565 + 4) / 8) and sensitivity == pytest.approx(0.125 / 2)
    assert _core.extend(_core.Context(), None, []).lifetimes(0, 1.0) == (1.0, 0.0)
    for arguments in [(0, 0.0), (0, 1.5), (0, float("nan")), (3, 0.05)]:
        with pytest.raises(InvalidArgumentError):
            hierarchy.lifetimes(*arguments)
    for wrong in [(), (0,), ("4", 0.05), (-1, 0.05)]:
        with pytest.raises((TypeError, ValueError, OverflowError)):
            hierarchy.lifetimes(*wrong)


def test_curves() -> None:
    context, hierarchy = built(INT_ROWS)
    truth = _core.Partition(_core.from_labels(context, [1, 2, 3, 4, 5, 7], [0, 0, 0, 1, 1, 2]), 1.0)
    curve = _core.Curve(hierarchy, 0, truth)
    assert len(curve) == 4
    assert numbers(curve.thresholds) == [0.25, 0.7, 0.8, 0.9]
    assert numbers(curve.metric("entity_count")) == [2, 3, 4, 5]
    assert numbers(curve.metric("f1"))[1] == 1.0
    assert numbers(curve.metric("f_beta", 2.0))[1] == 1.0
    points = _core.Curve(hierarchy, 0, truth, np.array([0.7, 0.1]))
    assert numbers(points.metric("recall")) == [1.0, 1.0]
    with pytest.raises(UnknownMetricError, match="f1"):
        curve.metric("f11")
    alone = _core.Curve(hierarchy, 9)
    assert numbers(alone.metric("entity_count")) == [5, 6, 7, 8]
    with pytest.raises(ValueError, match="reference"):
        alone.metric("f1")
    with pytest.raises(ValueError, match=r"beta|parameter"):
        curve.metric("f_beta", 0.0)
    assert numbers(curve.metric("f_beta")) == numbers(curve.metric("f_beta", None)) == numbers(curve.metric("f1"))
    shift = _core.SENSITIVITY_SHIFT
    assert numbers(curve.metric("threshold_sensitivity")) == numbers(curve.metric("threshold_sensitivity", shift))
    with pytest.raises(ValueError, match="shift"):
        curve.metric("threshold_sensitivity", -1.0)
    with pytest.raises(TypeError):
        curve.metric("threshold_sensitivity", "0.1")
    with pytest.raises(InvalidArgumentError, match=r"6 records.*9"):
        _core.Curve(hierarchy, 9, truth)
    with pytest.raises(InvalidArgumentError, match="float64"):
        _core.Curve(hierarchy, 0, None, [0.5])
    with pytest.raises(InvalidThresholdError):
        _core.Curve(hierarchy, 0, None, np.array([0.5, 2.0]))
    assert len(_core.Curve(hierarchy, 0, None, np.array([]))) == 0
    names = [name for name, *_ in _core.metric_names()]
    assert "f1" in names and all(definition for *_, definition in _core.metric_names())


# ------------------------------------------------------------------------------------------------ buffers and tables


def test_buffers_are_read_only_views_that_keep_their_owner() -> None:
    hierarchy = built(INT_ROWS)[1]
    order = np.asarray(hierarchy.order)
    assert order.dtype == np.uint32 and not order.flags.writeable
    assert np.asarray(hierarchy.levels).dtype == np.float64
    again = np.asarray(hierarchy.order)
    assert np.shares_memory(order, again)
    expected = order.tolist()
    buffer = hierarchy.order
    assert len(buffer) == 6
    view = memoryview(buffer)
    assert (view.format, view.itemsize, view.ndim, view.shape, view.strides, view.readonly) == (
        "I",
        4,
        1,
        (6,),
        (4,),
        True,
    )
    assert bytes(buffer) == order.tobytes()
    with pytest.raises(TypeError):
        view[0] = 1
    del hierarchy, buffer
    gc.collect()
    assert order.tolist() == expected == view.tolist()
    with pytest.raises(TypeError):
        _core.Buffer()
    with pytest.raises(BufferError):
        array.array("I").frombytes(b"") or _writable(again.base)


def _writable(buffer: Any) -> None:
    base = buffer.obj if isinstance(buffer, memoryview) else buffer
    import ctypes

    try:
        (ctypes.c_char * 1).from_buffer(base)
    except TypeError as error:
        raise BufferError(str(error)) from error


def test_tables() -> None:
    context = _core.Context()
    indices = context.intern(["a", ("crm", "b"), "c"])
    made = _core.Table(3)
    values = np.array([1.5, 2.5, 3.5])
    made.add_numbers("v", values)
    values[:] = 0
    for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4"):
        made.add_numbers(kind, np.array([1, 2, 3], kind))
    made.add_categories("c", np.array([1, 0, 1], "u4"), ["x", "é"])
    made.add_record_sources("source", context, indices)
    made.add_record_keys("key", context, indices)
    del indices, context, values
    for _ in range(2):
        read = pa.table(made)
        assert read["v"].to_pylist() == [1.5, 2.5, 3.5]
        assert read["i1"].type == pa.int8() and read["u8"].type == pa.uint64()
        assert read["c"].to_pylist() == ["é", "x", "é"]
        assert read["source"].to_pylist() == ["default", "crm", "default"]
        assert read["key"].to_pylist() == ["a", "b", "c"]
    assert made.__arrow_c_stream__() is not None  # a stream that nobody reads
    assert pl.DataFrame(made).height == 3
    with pytest.raises(InvalidArgumentError, match=r"2 values.*3 rows"):
        made.add_numbers("short", np.zeros(2))
    with pytest.raises(InvalidArgumentError, match="NUL"):
        made.add_categories("n", np.zeros(3, "u4"), ["a\0b"])
    for bad in (np.zeros((3, 1)), np.zeros(3, complex), np.zeros(3, ">i4")):
        with pytest.raises(InvalidArgumentError):
            made.add_numbers("bad", bad)
    with pytest.raises(TypeError):
        made.add_categories("n", np.zeros(3, "u4"), [1])
    made.add_categories("beyond", np.array([0, 0, 2], "u4"), ["a", "b"])
    with pytest.raises(InvalidArgumentError):
        made.__arrow_c_stream__()
    with pytest.raises(InvalidArgumentError):
        _core.Table(-1)
