"""Large jobs on a frame: edges that are read batch by batch, and many cuts compared with each other.

A `BatchProcessor` keeps nothing but the frame and the size of a batch. What it adds is added by the frame, all or
nothing, and what it compares is compared in parallel by the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Unpack

from starlings import _core, analysis
from starlings._typing import EdgesLike, Progress
from starlings.arguments import check_int
from starlings.comparison_matrix import ComparisonMatrix
from starlings.edge_options import EdgeOptions
from starlings.exceptions import InvalidArgumentError, shown
from starlings.expressions import Points, col
from starlings.frame import EntityFrame, NewRecords
from starlings.metrics import Defaults, MetricLike
from starlings.reports import Report

__all__ = ["BatchProcessor"]

_MOST_ROWS: Final = 2**32 - 1


class BatchProcessor:
    """Adds edges to a frame batch by batch, and compares many cuts of its collections.

    Parameters
    ----------
    frame : EntityFrame
        The frame to work on.
    batch_size : int
        How many edges are held at once. Each batch costs a pass over the records met so far, so a size well above their
        number is quickest.

    Raises
    ------
    InvalidArgumentError
        If `frame` is no EntityFrame, or `batch_size` not an int of 1 or more.

    Examples
    --------
    >>> import starlings as sl
    >>> frame = sl.EntityFrame()
    >>> processor = sl.BatchProcessor(frame, batch_size=2)
    >>> processor.process_large_dataset("model", ((n, n + 1, 0.9 - n / 10) for n in range(5)))
    >>> processor.process_large_dataset("rules", [(0, 1, 1.0), (2, 3, 1.0)])
    >>> frame
    EntityFrame(num_records=6, collections=['model', 'rules'])
    >>> processor.parallel_batch_comparison(["model", "rules"], [0.6, 0.9], metrics=["f1"]).matrix("f1").round(3)
    array([[1.   , 0.182, 0.333, 0.333],
           [0.182, 1.   , 0.667, 0.667],
           [0.333, 0.667, 1.   , 1.   ],
           [0.333, 0.667, 1.   , 1.   ]])
    """

    def __init__(self, frame: EntityFrame, batch_size: int = 1_000_000) -> None:
        if not isinstance(frame, EntityFrame):
            raise InvalidArgumentError(f"frame must be an EntityFrame, not {shown(frame)}")
        self._frame = frame
        self._batch_size = check_int(batch_size, "batch_size", 1, _MOST_ROWS)

    @property
    def frame(self) -> EntityFrame:
        """The frame."""
        return self._frame

    @property
    def batch_size(self) -> int:
        """How many edges are held at once."""
        return self._batch_size

    def process_large_dataset(
        self,
        name: str,
        edges: EdgesLike | Iterable[EdgesLike],
        *,
        new_records: NewRecords = "append",
        progress: Progress = None,
        **options: Unpack[EdgeOptions],
    ) -> None:
        """Add the collection of edges that are too many to be held at once.

        The collection is the one that `EntityFrame.add_collection` makes of all of them. Memory is that of the records
        and of one batch, whatever the number of edges; all of them are held where they are to be kept, or to meet
        constraints. All or nothing: after an error, which may come from what `edges` reads, the frame is as it was.

        Parameters
        ----------
        name : str
            What the collection is called in the frame.
        edges : iterable of rows or of tables, or a table
            Tuples (left, right, score), or tables, data frames or record batches of them, as a generator, pandas'
            ``read_csv(chunksize=...)`` or ``pyarrow.dataset.Scanner.to_batches()`` gives them; and all that
            `EntityFrame.add_collection` takes. Small tables are gathered, and large ones divided, into batches.
        new_records : {"append", "error"}
            As in `EntityFrame.add_collection`.
        progress : bool, callable or None
            As in `Collection.from_edges`.
        **options
            `EdgeOptions`, as in `Collection.from_edges`.

        Raises
        ------
        DuplicateCollectionError
            If the frame has a collection of that name.
        InvalidScoreError, InvalidKeyError
            With the row, counted over all batches.
        KeyNotFoundError
            With ``new_records="error"``, for a record that the frame does not have.

        Examples
        --------
        >>> import io
        >>> import pandas as pd
        >>> import starlings as sl
        >>> chunks = pd.read_csv(io.StringIO("left,right,score\\n1,2,0.9\\n2,3,0.8\\n3,4,0.4"), chunksize=2)
        >>> frame = sl.EntityFrame()
        >>> sl.BatchProcessor(frame).process_large_dataset("model", chunks, source="crm", quantise=2)
        >>> frame["model"].at(0.5).num_entities, frame.sources
        (2, ['crm'])
        """
        self._frame._add_edges(name, edges, options, new_records, progress, self._batch_size)

    def parallel_batch_comparison(
        self,
        collections: Iterable[str],
        thresholds: float | Iterable[float],
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        *,
        progress: Progress = None,
    ) -> ComparisonMatrix:
        """Compare cuts of collections with each other, each with each.

        Parameters
        ----------
        collections : iterable of str
            Names of collections of the frame.
        thresholds : float or iterable of floats
            Where each of them is cut.
        metrics : metrics or names, optional
            By default ``report.comparison``.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        ComparisonMatrix
            Of the cuts by collection, then threshold, in the order in which they were given. One pass for each
            collection and each different partition, on all threads.

        Raises
        ------
        CollectionNotFoundError, UnknownMetricError
            With the nearest name.
        InvalidThresholdError
            For a threshold that a collection cannot have: of probabilities, one outside [0, 1].
        """
        if isinstance(collections, (str, bytes)) or not isinstance(collections, Iterable):
            raise InvalidArgumentError(f"collections must be names of collections, not {shown(collections)}")
        points = Points.of("", thresholds).points
        expressions = [Points(col(name).name, points=points) for name in collections]

        def compare(state: _core.FrameState, callback: _core.ProgressCallback | None) -> Report:
            return analysis.compare_each(state, expressions, metrics, callback)

        return ComparisonMatrix(self._frame._measured(progress, compare))

    def __repr__(self) -> str:
        return f"BatchProcessor({self._frame!r}, batch_size={self._batch_size})"
