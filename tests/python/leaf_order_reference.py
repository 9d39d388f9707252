"""The leaf order and the curve's sums in plain lists, to compare the engine with step by step.

Written after the design's executable sketch: a tree of merges is built level by level and written out depth first, with
children in the order of their smallest record. Slow and without any of the engine's tricks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

import numpy as np

NEVER = 2**32 - 1

Edge = tuple[int, int, float]


class Tree:
    """A component: its smallest record, the level at which its parts came together, the parts."""

    def __init__(self, smallest: int, level: int = -1, parts: Sequence[Tree] = ()) -> None:
        self.smallest = smallest
        self.level = level
        self.parts = parts

    def records(self) -> list[int]:
        if not self.parts:
            return [self.smallest]
        return [record for part in self.parts for record in part.records()]

    def joins(self) -> list[int]:
        """The levels between its records: one fewer than there are records."""
        joins: list[int] = []
        for number, part in enumerate(self.parts):
            joins += [self.level] * (number > 0) + part.joins()
        return joins


def hierarchy(num_records: int, edges: Iterable[Edge]) -> tuple[list[int], list[int], list[float]]:
    """Order, join and levels, in canonical form."""
    edges = list(edges)
    component = {record: Tree(record) for record in range(num_records)}
    levels: list[float] = []
    for score in sorted({score for _, _, score in edges}, reverse=True):
        groups = merged_groups(component, [(a, b) for a, b, other in edges if other == score])
        for parts in groups:
            parts.sort(key=lambda part: part.smallest)
            tree = Tree(parts[0].smallest, len(levels), parts)
            component.update(dict.fromkeys(tree.records(), tree))
        if groups:
            levels.append(score)
    order: list[int] = []
    join: list[int] = []
    for tree in sorted(set(component.values()), key=lambda tree: tree.smallest):
        order += tree.records()
        join += [*tree.joins(), NEVER]
    return order, join, levels


def merged_groups(component: dict[int, Tree], pairs: list[tuple[int, int]]) -> list[list[Tree]]:
    """The sets of two or more components that these pairs connect."""
    group = {tree: [tree] for tree in component.values()}
    for a, b in pairs:
        first, second = group[component[a]], group[component[b]]
        if first is not second:
            first += second
            group.update(dict.fromkeys(second, first))
    return [parts for parts in {id(parts): parts for parts in group.values()}.values() if len(parts) > 1]


def labels_at(order: Sequence[int], join: Sequence[int], applied: int) -> list[int]:
    """Entity of each record with so many levels applied."""
    labels, entity = [0] * len(order), 0
    for record, level in zip(order, join, strict=True):
        labels[record] = entity
        entity += level >= applied
    return labels


def sums(labels: Sequence[int], truth: Sequence[int]) -> dict[str, float]:
    """The sums from which every metric of the curve is a formula."""
    cells, judged, true = Counter(zip(labels, truth, strict=True)), Counter(labels), Counter(truth)

    def pairs(counts: Counter) -> int:
        return sum(count * (count - 1) // 2 for count in counts.values())

    def x_log_x(counts: Counter) -> float:
        return sum(count * log(count) for count in counts.values())

    return {
        "tp": pairs(cells),
        "predicted": pairs(judged),
        "joint": x_log_x(cells),
        "judged": x_log_x(judged),
        "bcubed_precision": sum(count**2 / judged[a] for (a, _), count in cells.items()),
        "bcubed_recall": sum(count**2 / true[b] for (_, b), count in cells.items()),
        "count": len(judged),
        "exact": sum(count == judged[a] == true[b] for (a, b), count in cells.items()),
    }


def quantised(edges: Iterable[Edge], decimals: int = 6) -> list[Edge]:
    """The edges with scores rounded half-even."""
    unit = 10**decimals
    return [(a, b, float(np.rint(score * unit) / unit)) for a, b, score in edges]
