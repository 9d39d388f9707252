"""Whether two frames are the same in everything that can be asked of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import starlings as sl


def same_frames(a: sl.EntityFrame, b: sl.EntityFrame) -> None:
    """Fail unless they are."""
    assert list(a) == list(b)
    assert (a.num_records, a.sources) == (b.num_records, b.sources)
    one, other = a._core.now(), b._core.now()
    assert np.array_equal(one.given(), other.given())
    assert np.array_equal(one.garbage(), other.garbage())
    assert one.last_compaction == other.last_compaction
    for source in a.sources:
        _same_tables(a.records(source), b.records(source))
    for name in a:
        _same_collections(a[name], b[name])


def _same_tables(a: Any, b: Any) -> None:
    one, other = pa.table(a), pa.table(b)
    assert one.schema.equals(other.schema, check_metadata=True)
    assert one.equals(other) or one.to_pylist() == other.to_pylist()  # unions with nulls are equal to nothing


def _same_collections(a: sl.Collection, b: sl.Collection) -> None:
    assert (a.num_records, a.num_merges, a.scale) == (b.num_records, b.num_merges, b.scale)
    assert np.array_equal(a.thresholds, b.thresholds)
    assert a.constraints == b.constraints
    for threshold in a.thresholds[:20]:
        assert np.array_equal(a.at(threshold).labels, b.at(threshold).labels)
    first = next(iter(a.merge_events()), None)
    assert (first is None) == (next(iter(b.merge_events()), None) is None)
    _same_kept(a, b)


def _same_kept(a: sl.Collection, b: sl.Collection) -> None:
    kept = a._state.core.hierarchy.kept
    assert kept == b._state.core.hierarchy.kept
    if kept == "all":
        assert list(a.edges) == list(b.edges)
    names = [record for entity in a.at(a.thresholds[-1]).entities for record in entity.members] if a.num_merges else []
    for left, right in zip(names[:10], names[1:11], strict=False):
        assert a.threshold_between(left, right) == b.threshold_between(left, right)
        if kept != "nothing":
            assert str(a.explain(left, right)) == str(b.explain(left, right))
