"""The pairs that a collection kept, as a table, and what they say about two records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike, RecordName
from starlings.record_names import find_record, record_names
from starlings.record_table import RecordColumn, RecordTable

__all__ = ["Edges", "Explanation"]

_LINKS_SHOWN = 10


class Edges(RecordTable):
    """The pairs that a collection kept: each once, with its highest score, strongest first. Immutable.

    From `Collection.edges`. A table with the columns ``left_source, left, right_source, right, score``, which
    `Collection.from_edges` and anything else that reads Arrow takes as it is; scores are rounded as the collection
    compares them, and pairs of a record with itself are left out.

    Examples
    --------
    >>> import starlings as sl
    >>> edges = sl.Collection.from_edges([("b", "a", 0.5), ("b", "c", 0.75), ("a", "b", 0.25)], keep_edges=True).edges
    >>> edges
    Edges(2 edges between 3 records)
    >>> list(edges)
    [(('default', 'b'), ('default', 'c'), 0.75), (('default', 'b'), ('default', 'a'), 0.5)]
    >>> edges.neighbours("b")
    [(('default', 'c'), 0.75), (('default', 'a'), 0.5)]
    """

    def __init__(self, context: _core.Context, core: _core.EdgeList, num_records: int) -> None:
        self._context = context
        self._core = core
        self._num_records = num_records

    @property
    def left(self) -> list[RecordName]:
        """One record of each pair, as (source, key): the one that the collection met first."""
        return record_names(self._context, self._core.left)

    @property
    def right(self) -> list[RecordName]:
        """The other record of each pair, as (source, key)."""
        return record_names(self._context, self._core.right)

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of each pair, highest first. Read-only."""
        return np.asarray(self._core.scores)

    @property
    def nbytes(self) -> int:
        """Bytes held, those of `neighbours` included once it was asked."""
        return self._core.nbytes

    def neighbours(self, key: KeyLike) -> list[tuple[RecordName, float]]:
        """The records that a pair joins with one, as ((source, key), score), strongest first.

        Parameters
        ----------
        key : key or (source, key)
            A bare key is looked for in all sources.

        Raises
        ------
        KeyNotFoundError
            If there is no such record.
        InvalidArgumentError
            If several sources have the bare key.
        """
        record = find_record(self._context, key, self._num_records)
        if record >= self._core.num_records:
            return []
        records, edges = self._core.neighbours(record)
        return list(zip(record_names(self._context, records), self.scores[np.asarray(edges)].tolist(), strict=True))

    def _record_columns(self) -> list[RecordColumn]:
        return [
            RecordColumn("left_source", "left", self._core.left),
            RecordColumn("right_source", "right", self._core.right),
        ]

    def _number_columns(self) -> dict[str, NDArray[np.float64]]:
        return {"score": self.scores}

    def __len__(self) -> int:
        return len(self._core)

    def __iter__(self) -> Iterator[tuple[RecordName, RecordName, float]]:
        return zip(self.left, self.right, self.scores.tolist(), strict=True)

    def __repr__(self) -> str:
        edges = "1 edge" if len(self) == 1 else f"{len(self):,} edges"
        return f"Edges({edges} between {self._num_records:,} records)"


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why two records are together: the chain of pairs that joins them; from `Collection.explain`.

    It is the one path between them in the maximum spanning forest of the collection's pairs: no other chain has a
    stronger weakest link.

    Attributes
    ----------
    threshold : float
        Where the two come together: the score of the weakest link.
    records : list of (source, key)
        The chain, from the one to the other.
    scores : list of float
        Of each link.

    Examples
    --------
    >>> import starlings as sl
    >>> pairs = [("a", "b", 0.75), ("b", "c", 0.5), ("a", "c", 0.25)]
    >>> explanation = sl.Collection.from_edges(pairs, keep_edges="forest").explain("a", "c")
    >>> explanation
    Explanation(threshold=0.5): ('default', 'a') -[0.75]- ('default', 'b') -[0.5]- ('default', 'c')
    >>> len(explanation), explanation.edges[1]
    (2, (('default', 'b'), ('default', 'c'), 0.5))
    """

    threshold: float
    records: list[RecordName]
    scores: list[float]

    @property
    def edges(self) -> list[tuple[RecordName, RecordName, float]]:
        """The links as (record, next record, score)."""
        return [(*ends, score) for ends, score in zip(pairwise(self.records), self.scores, strict=True)]

    def __len__(self) -> int:
        return len(self.scores)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        links = "".join(f" -[{score}]- {record}" for _, record, score in self.edges[:_LINKS_SHOWN])
        more = f" ... {self.records[-1]}" if len(self) > _LINKS_SHOWN else ""
        return f"Explanation(threshold={self.threshold}): {self.records[0]}{links}{more}"

    def _repr_html_(self) -> str:
        cells = ((repr(left), repr(right), str(score)) for left, right, score in self.edges[:_LINKS_SHOWN])
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        head = "<tr><th>record</th><th>record</th><th>score</th></tr>"
        more = f"<p>{len(self):,} links in all</p>" if len(self) > _LINKS_SHOWN else ""
        title = f"{self.records[0]} and {self.records[-1]} are together from {self.threshold} down"
        return f"<p>{escape(title)}</p><table><thead>{head}</thead><tbody>{rows}</tbody></table>{more}"
