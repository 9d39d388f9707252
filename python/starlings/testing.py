"""Hypothesis strategies for data that entity resolution finds hard, to test code that uses Starlings.

Graphs come in the shapes in which implementations break: many equal scores, self-loops, duplicate edges with other
scores, records without edges, chains, one giant component, separate clusters, nothing at all.

>>> from hypothesis import given, settings
>>> import starlings as sl
>>> from starlings.testing import graphs
>>> @settings(max_examples=5, deadline=None)
... @given(graphs())
... def lower_thresholds_only_merge(graph):
...     collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
...     assert collection.at(0.2).num_entities <= collection.at(0.8).num_entities
>>> lower_thresholds_only_merge()
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlings._typing import KeyValue
from starlings.exceptions import MissingDependencyError

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:  # pragma: no cover
    raise MissingDependencyError("starlings.testing needs hypothesis: pip install hypothesis") from missing

__all__ = ["SHAPES", "Graph", "edge_lists", "graphs", "key_lists", "keys", "labels", "scores"]

#: The shapes of `graphs`.
SHAPES: Final = ("random", "chain", "giant", "clusters", "empty")


class Graph(NamedTuple):
    """Scored pairs over the records 0 to ``num_records - 1``."""

    num_records: int
    edges: list[tuple[int, int, float]]


def scores(decimals: int | None = 6) -> st.SearchStrategy[float]:
    """Scores in [0, 1] with so many decimals, or any double there (None)."""
    if decimals is None:
        return st.floats(0.0, 1.0)
    unit = 10**decimals
    return st.integers(0, unit).map(lambda units: units / unit)


def keys() -> st.SearchStrategy[KeyValue]:
    """Keys of all kinds: small and large ints, text, bytes."""
    return st.one_of(
        st.integers(0, 50), st.integers(2**32 - 2, 2**32 + 1), st.integers(0, 2**64 - 1), st.text(), st.binary()
    )


@st.composite
def key_lists(draw: st.DrawFn, size: int) -> list[KeyValue]:
    """So many different keys, of one kind or mixed."""
    kinds = [st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.text(), st.binary(), keys()]
    return draw(st.lists(draw(st.sampled_from(kinds)), min_size=size, max_size=size, unique=True))


def labels(num_records: int) -> st.SearchStrategy[list[int]]:
    """A true entity for each record: all alike, all different, or anything between."""
    return st.integers(1, max(1, num_records)).flatmap(
        lambda most: st.lists(st.integers(0, most - 1), min_size=num_records, max_size=num_records)
    )


@st.composite
def graphs(
    draw: st.DrawFn,
    *,
    max_records: int = 24,
    decimals: int | None = 6,
    shapes: tuple[str, ...] = SHAPES,
) -> Graph:
    """Graphs over integer records.

    Parameters
    ----------
    max_records : int
        Records with edges at most; up to six more have none.
    decimals : int or None
        Of the scores; None: any double.
    shapes : tuple of str
        Some of `SHAPES`.
    """
    size = draw(st.integers(1, max_records))
    num_records = size + draw(st.integers(0, 6))
    order = draw(st.permutations(range(num_records)))
    pairs = [(order[a], order[b]) for a, b in draw(_pairs(draw(st.sampled_from(shapes)), size))]
    pool = draw(_few(scores(decimals))) if draw(st.booleans()) else scores(decimals)
    edges = [(a, b, draw(pool)) for a, b in pairs]
    if draw(st.booleans()) and pairs:
        edges += [(b, a, draw(pool)) for a, b in draw(st.lists(st.sampled_from(pairs), max_size=5))]
    if draw(st.booleans()):
        loops = draw(st.lists(st.integers(0, num_records - 1), max_size=3))
        edges += [(record, record, draw(pool)) for record in loops]
    return Graph(num_records, draw(st.permutations(edges)))


@st.composite
def edge_lists(draw: st.DrawFn, *, max_records: int = 24) -> list[tuple[KeyValue, KeyValue, float]]:
    """Edges of `graphs` between keys of any kind."""
    graph = draw(graphs(max_records=max_records))
    names = draw(key_lists(graph.num_records))
    return [(names[a], names[b], score) for a, b, score in graph.edges]


def _few(values: st.SearchStrategy[float]) -> st.SearchStrategy[st.SearchStrategy[float]]:
    """Scores among one to four, so that many are equal."""
    return st.lists(values, min_size=1, max_size=4).map(st.sampled_from)


def _pairs(shape: str, size: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Pairs of the numbers below `size`."""
    number = st.integers(0, size - 1)
    if shape == "chain":
        return st.just([(i, i + 1) for i in range(size - 1)])
    if shape == "giant":
        return st.tuples(*(st.integers(0, i) for i in range(size - 1))).map(
            lambda parents: [(parent, i + 1) for i, parent in enumerate(parents)]
        )
    if shape == "clusters":
        return st.lists(st.tuples(number, number), max_size=2 * size).map(_within_clusters)
    if shape == "empty":
        return st.just([])
    return st.lists(st.tuples(number, number), max_size=3 * size)


def _within_clusters(pairs: list[Any]) -> list[tuple[int, int]]:
    """Only the pairs whose ends lie in one run of four numbers."""
    return [(a, b) for a, b in pairs if a // 4 == b // 4]
