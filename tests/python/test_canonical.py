"""The same edges give the same bytes, whatever their order, their batches or the number of threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from leaf_order_reference import hierarchy, labels_at, quantised, sums
from starlings import _core
from starlings.testing import Graph, graphs, labels


def arrays_of(collection: sl.Collection) -> tuple[bytes, bytes, bytes]:
    core = collection._state.hierarchy
    core.validate()
    return tuple(np.asarray(array).tobytes() for array in (core.order, core.join, core.levels))


def build(graph: Graph, edges: object = None, **options: object) -> sl.Collection:
    return sl.Collection.from_edges(
        graph.edges if edges is None else edges, records=range(graph.num_records), **options
    )


@given(graphs())
def test_leaf_order_is_the_sketch_s(graph: Graph) -> None:
    core = build(graph)._state.hierarchy
    order, join, levels = hierarchy(graph.num_records, quantised(graph.edges))
    assert np.asarray(core.order).tolist() == order
    assert np.asarray(core.join).tolist() == join
    assert np.asarray(core.levels).tolist() == levels


@given(graphs(), st.randoms(use_true_random=False))
def test_order_and_direction_of_edges_do_not_matter(graph: Graph, random: object) -> None:
    edges = [(b, a, score) if random.random() < 0.5 else (a, b, score) for a, b, score in graph.edges]
    random.shuffle(edges)
    assert arrays_of(build(graph, edges)) == arrays_of(build(graph))


@given(graphs(), st.integers(0, 60))
def test_batches_do_not_matter(graph: Graph, split: int) -> None:
    first, rest = graph.edges[:split], graph.edges[split:]
    collection = build(graph, first)
    collection.add_edges(rest)
    assert arrays_of(collection) == arrays_of(build(graph))


@given(graphs(), st.integers(1, 7))
def test_forms_of_input_do_not_matter(graph: Graph, rows: int) -> None:
    expected = arrays_of(build(graph))

    def one_by_one() -> Iterator[tuple[int, int, float]]:
        yield from graph.edges

    left, right, score = (list(column) for column in zip(*graph.edges, strict=True)) if graph.edges else ([], [], [])
    table = pa.table({"left": pa.array(left, pa.int64()), "right": pa.array(right, pa.int64()), "score": score})
    table = table.cast(pa.schema([("left", pa.int64()), ("right", pa.int64()), ("score", pa.float64())]))
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=rows), table.schema)
    arrays = (np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32), np.array(score, dtype=np.float64))
    for edges in (one_by_one(), table, chunked, arrays):
        assert arrays_of(build(graph, edges)) == expected


def test_threads_do_not_matter(threads: None) -> None:
    random = np.random.default_rng(7)
    n = 60_000
    left, right = random.integers(0, n, (2, 4 * n))
    score = np.round(random.beta(2, 3, 4 * n), 4)
    truth = random.integers(0, n // 3, n)
    names = {"left": pa.array(left).cast(pa.string()), "right": pa.array(right).cast(pa.string()), "score": score}
    results = []
    for count in (1, 2, 3, 4):
        sl.set_num_threads(count)
        frame = sl.EntityFrame()
        frame.add_collection_from_labels("truth", np.arange(n), truth)
        frame.add_collection_from_edges("model", (left, right, score))
        report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=sl.Metrics.eval)
        values = [report[name].tobytes() for name in report.metrics]
        text = sl.Collection.from_edges(pa.table(names))
        results.append((arrays_of(frame["model"]), values, arrays_of(text), text.at(0.5).to_arrow()["key"].to_pylist()))
    assert all(result == results[0] for result in results)


@given(graphs(), graphs())
def test_merging_hierarchies_is_building_from_both(one: Graph, other: Graph) -> None:
    n = max(one.num_records, other.num_records)
    both = Graph(n, one.edges + other.edges)
    parts = [build(Graph(n, graph.edges))._state.hierarchy for graph in (one, other)]
    merged = _core.merge(*parts, None, n)
    merged.validate()
    assert merged == build(both)._state.hierarchy


@given(graphs(), st.data())
def test_sums_of_the_curve_are_the_sketch_s(graph: Graph, data: st.DataObject) -> None:
    truth = data.draw(labels(graph.num_records))
    order, join, levels = hierarchy(graph.num_records, quantised(graph.edges))
    frame = sl.EntityFrame()
    frame.add_collection_from_labels("truth", range(graph.num_records), truth)
    frame.add_collection_from_edges("model", graph.edges)
    cuts = [*levels, 1.0] if 1.0 not in levels else levels
    names = ["precision", "recall", "bcubed_precision", "bcubed_recall", "cluster_precision"]
    for threshold in cuts:
        row = frame.analyse(sl.col("model").at(threshold), sl.col("truth").at(1.0), metrics=names)[0]
        applied = sum(level >= threshold for level in levels)
        expected = sums(labels_at(order, join, applied), truth)
        n = graph.num_records
        assert row["precision"] * expected["predicted"] == pytest.approx(expected["tp"])
        assert row["bcubed_precision"] * n == pytest.approx(expected["bcubed_precision"])
        assert row["bcubed_recall"] * n == pytest.approx(expected["bcubed_recall"])
        assert row["cluster_precision"] * expected["count"] == pytest.approx(expected["exact"])
