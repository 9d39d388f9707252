"""Scored pairs by definition: each once, strongest first; Kruskal's algorithm by relabelling; the way between two.

Slow, and simple enough to be obviously right.

Records are anything hashable; `order` holds the index of each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Record = TypeVar("Record", bound=Hashable)


def first_seen(pairs: Iterable[tuple[Record, Record, float]]) -> dict[Record, int]:
    """Index of each record, as they are numbered in order of appearance."""
    return {record: index for index, record in enumerate(dict.fromkeys(end for pair in pairs for end in pair[:2]))}


def distinct(
    pairs: Iterable[tuple[Record, Record, float]], order: Mapping[Record, int]
) -> list[tuple[Record, Record, float]]:
    """Each pair of different records once with its highest score, in the order of an edge list."""
    best: dict[tuple[Record, Record], float] = {}
    for a, b, score in pairs:
        left, right = sorted((a, b), key=order.__getitem__)
        if left != right:
            best[left, right] = max(best.get((left, right), 0.0), round(score, 6))
    return sorted(
        ((left, right, score) for (left, right), score in best.items()),
        key=lambda pair: (-pair[2], order[pair[0]], order[pair[1]]),
    )


def forest_of(edges: Iterable[tuple[Record, Record, float]]) -> list[tuple[Record, Record, float]]:
    """The edges that Kruskal's algorithm takes, of distinct ones."""
    edges = list(edges)
    component = {record: record for edge in edges for record in edge[:2]}
    taken = []
    for a, b, score in edges:
        mine, theirs = component[a], component[b]
        if mine != theirs:
            taken.append((a, b, score))
            component = {record: mine if value == theirs else value for record, value in component.items()}
    return taken


def path(forest: Iterable[tuple[Record, Record, float]], a: Record, b: Record) -> list[Record] | None:
    """The records on the way from a to b."""
    neighbours: dict[Record, list[Record]] = {}
    for x, y, _ in forest:
        neighbours.setdefault(x, []).append(y)
        neighbours.setdefault(y, []).append(x)
    came_from = {a: a}
    queue = deque([a])
    while queue:
        at = queue.popleft()
        for to in neighbours.get(at, []):
            if to not in came_from:
                came_from[to] = at
                queue.append(to)
    if b not in came_from:
        return None
    way = [b]
    while way[-1] != a:
        way.append(came_from[way[-1]])
    return way[::-1]
