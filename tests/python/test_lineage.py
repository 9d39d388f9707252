"""How a record's entity grows: what cuts tell, one threshold after the other."""

from __future__ import annotations

import copy
import gc
import pickle
from math import isnan

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from graph_cases import built
from starlings.testing import Graph, graphs

EDGES = [("a", "b", 0.9), ("c", "d", 0.8), ("b", "c", 0.6), ("d", "e", 0.6), ("x", "y", 0.7)]


def collection() -> sl.Collection:
    return sl.Collection.from_edges(EDGES)


def rows(lineage: sl.Lineage) -> list[tuple[float | None, int, set[sl.RecordName]]]:
    return [(step.threshold, step.size, step.joined) for step in lineage]


def named(*keys: object) -> set[tuple[str, object]]:
    return {("default", key) for key in keys}


def plain_lineage(subject: sl.Collection, key: sl.KeyLike) -> list[tuple[float | None, int, set[sl.RecordName]]]:
    """Steps by cutting at every threshold."""
    members = {("default", key)}
    steps: list[tuple[float | None, int, set[sl.RecordName]]] = [(None, 1, set(members))]  # type: ignore[list-item]
    for threshold in subject.thresholds.tolist():
        now = set(subject.at(threshold).entity_of(key).members)
        if now != members:
            steps.append((threshold, len(now), now - members))
        members = now
    return steps


@given(graphs(max_records=16), st.booleans())
def test_steps_are_those_of_cuts(graph: Graph, exact: bool) -> None:
    subject = built(graph, exact)
    for record in range(graph.num_records):
        lineage = subject.lineage(record)
        expected = plain_lineage(subject, record)
        assert rows(lineage) == expected and len(lineage) == len(expected)
        assert lineage.sizes.tolist() == [size for _, size, _ in expected]
        assert isnan(lineage.thresholds[0]) and lineage.thresholds[1:].tolist() == [row[0] for row in expected[1:]]
        table = pa.table(lineage)
        assert table.column_names == ["threshold", "size", "joined"]
        assert table["joined"].to_pylist() == [len(joined) for *_, joined in expected]


def test_what_it_tells() -> None:
    lineage = collection().lineage("a")
    assert rows(lineage) == [(None, 1, named("a")), (0.9, 2, named("b")), (0.6, 5, named("c", "d", "e"))]
    assert repr(lineage) == "Lineage(record=('default', 'a'), thresholds=[nan, 0.9, 0.6], sizes=[1, 2, 5])"
    assert repr(lineage[1]) == "LineageStep(threshold=0.9, size=2, num_joined=1)"
    assert lineage.record == ("default", "a") and [step.num_joined for step in lineage] == [1, 1, 3]
    assert not lineage.thresholds.flags.writeable and lineage.sizes.dtype == np.uint32
    html = lineage._repr_html_()
    assert html.startswith("<p>Lineage of (&#x27;default&#x27;") and html.count("<tr>") == 4
    long = sl.Collection.from_edges([(i, i + 1, 1 - i / 10) for i in range(9)]).lineage(0)
    assert repr(long).endswith("sizes=[1, 2, 3, 4, 5, 6, ...])") and "0.6, ...]" in repr(long)


def test_sequence() -> None:
    lineage = collection().lineage("a")
    assert lineage[-1] == lineage[2] and lineage[0] != lineage[1] and lineage[0] != 1
    assert lineage[1:] == [lineage[1], lineage[2]] and len({*lineage, *lineage}) == 3
    assert lineage[2] == collection().lineage("b")[-1], "a step is what joined, whoever asked"
    assert lineage[2] != collection().lineage("c")[-1]
    for index in (3, -4, 2**70):
        with pytest.raises(IndexError, match="of 3"):
            lineage[index]
    with pytest.raises(sl.InvalidArgumentError, match="numbered"):
        lineage["0"]  # type: ignore[call-overload]
    assert copy.copy(lineage) is lineage and copy.deepcopy(lineage) is lineage
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(lineage)


def test_one_and_two_records() -> None:
    alone = sl.Collection.from_edges([], records=["a"]).lineage("a")
    assert rows(alone) == [(None, 1, named("a"))]
    pair = sl.Collection.from_edges([("a", "b", 0.0)])
    assert rows(pair.lineage("b")) == [(None, 1, named("b")), (0.0, 2, named("a"))]
    assert alone.to_pandas().to_dict("list")["size"] == [1] and alone.plot() is not None


def test_later_records_of_a_view() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("early", [("a", "b", 0.9)])
    frame.add_collection_from_edges("late", [(("crm", 1), "b", 0.8), ("a", "b", 0.5)])
    assert rows(frame["early"].lineage(("crm", 1))) == [(None, 1, {("crm", 1)})]
    assert rows(frame["late"].lineage(1)) == [(None, 1, {("crm", 1)}), (0.8, 2, named("b")), (0.5, 3, named("a"))]


def test_it_stays_as_it_is_when_edges_are_added() -> None:
    subject = collection()
    lineage = subject.lineage("e")
    before = rows(lineage)
    subject.add_edges([("e", "x", 0.95)])
    assert rows(lineage) == before and rows(subject.lineage("e"))[1] == (0.95, 2, named("x"))
    del subject
    gc.collect()
    assert rows(lineage) == before


def test_unknown_records() -> None:
    with pytest.raises(sl.KeyNotFoundError, match="'z'"):
        collection().lineage("z")
    both = sl.Collection.from_edges([(("a", 1), ("b", 1), 0.5)])
    with pytest.raises(sl.InvalidArgumentError, match="source"):
        both.lineage(1)
    assert both.lineage(("b", 1))[1].joined == {("a", 1)}


def points(lineage: sl.Lineage) -> list[tuple[float, float]]:
    return [(row["threshold"], row["size"]) for row in lineage.plot().data.values]


def test_plot() -> None:
    expected = [(0.0, 5.0), (0.6, 5.0), (0.9, 2.0), (1.0, 1.0)]
    chart = collection().lineage("a").plot()
    assert points(collection().lineage("a")) == expected, "size at a threshold is that of the next point"
    assert chart.to_dict()["mark"]["interpolate"] == "step-before"
    lone = sl.Collection.from_edges([], records=["a"]).lineage("a")
    assert points(lone) == [(0.0, 1.0), (1.0, 1.0)]


def test_plots_of_weights_are_where_the_weights_are() -> None:
    def drawn(*weights: float) -> list[tuple[float, int]]:
        edges = [(0, record, weight) for record, weight in enumerate(weights, 1)]
        return points(sl.Collection.from_edges(edges, records=range(len(weights) + 1), scale="weight").lineage(0))

    assert drawn(60.0, 50.0) == [(49.5, 3), (50.0, 3), (60.0, 2), (60.5, 1)]
    assert drawn(-7.0) == [(-8.0, 2), (-7.0, 2), (-6.0, 1)]
    assert drawn() == [(0.0, 1), (1.0, 1)]
    assert all(np.isfinite(drawn(1.7e308, -1.7e308)).ravel())


def test_a_hundred_thousand_steps() -> None:
    count = 100_000
    ids = np.arange(count)
    subject = sl.Collection.from_edges((ids, ids + 1, 1 - ids / count), quantise=None)
    lineage = subject.lineage(0)
    assert len(lineage) == count + 1 and lineage.sizes.tolist() == list(range(1, count + 2))
    assert lineage[-1].joined == named(count) and lineage.to_arrow().num_rows == count + 1
    assert 300 < len(points(lineage)) <= 402
    middle = subject.lineage(count // 2)
    assert middle.sizes[1] == count // 2 + 1 and middle[1].num_joined == count // 2


def test_lineages_in_the_extension() -> None:
    hierarchy = collection()._state.hierarchy
    thresholds, first, size = map(np.asarray, hierarchy.lineage(99))
    assert isnan(thresholds[0]) and (first.tolist(), size.tolist()) == ([0xFFFFFFFF], [1])
    with pytest.raises(ValueError, match="2\\^32"):
        hierarchy.lineage(-1)
    with pytest.raises(TypeError):
        hierarchy.lineage("a")  # type: ignore[arg-type]
