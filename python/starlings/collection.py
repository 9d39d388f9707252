"""Collections: one attempt at resolution, as the hierarchy of all its partitions over a data context.

A collection is two references, to a context and to an immutable hierarchy, kept in one `State` that is swapped as a
whole. So reading needs no lock, copies and views cost nothing, and whatever fails before the swap changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from math import inf
from pathlib import Path
from types import EllipsisType
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import ArrowArray, ArrowStream, EdgesLike, KeyLike, KeysLike, Progress, Scale
from starlings.arrow_exchange import arrow_data, expanded_limit, pyarrow_table
from starlings.building import (
    build_from_edges,
    build_from_entities,
    build_from_labels,
    build_from_merge_events,
    build_on_entities,
    entities_or_keys,
    intern_once,
)
from starlings.constraints import Constraints
from starlings.dataframes import readable_keys
from starlings.edge_options import CheckedOptions, EdgeOptions, Keep, check_options
from starlings.edges import Edges, Explanation
from starlings.entity import Entity
from starlings.exceptions import InvalidArgumentError, unpicklable
from starlings.explorer import explore
from starlings.explorer.notebook import bundle, counts_drawing
from starlings.explorer.subject import Subject, Yardstick
from starlings.key import check_name
from starlings.lineage import Lineage
from starlings.merge_events import CriticalMerges, MergeEventLike, MergeEvents
from starlings.metrics import MetricLike, Metrics
from starlings.monitoring import ComputationStats
from starlings.partition import Partition
from starlings.progress import reporting
from starlings.record_names import find_record, record_names
from starlings.reports import Report, statistics
from starlings.state import Exclusive, State, appending
from starlings.thresholds import as_compared, check_threshold, sweep_points

__all__ = ["Collection"]


class Collection:
    """A hierarchy of entities over records: every partition that scored pairs imply, at every threshold.

    Made by `from_edges`, `from_entities`, `from_labels` or `from_merge_events`, or taken from a frame as a view:
    ``frame["name"]``. Safe to use from several threads.

    Examples
    --------
    >>> import starlings as sl
    >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.6)])
    >>> collection
    Collection(num_records=5, num_merges=3, num_thresholds=2)
    >>> [collection.at(t).num_entities for t in (1.0, 0.9, 0.6)]
    [5, 4, 2]
    """

    _state: State
    _lock: Exclusive

    def __init__(self) -> None:
        raise InvalidArgumentError(
            "a collection is made by Collection.from_edges, from_entities, from_labels or from_merge_events"
        )

    @classmethod
    def _with_state(cls, state: State) -> Collection:
        """A collection of that state."""
        collection = cls.__new__(cls)
        collection._state = state
        collection._lock = Exclusive("collection")
        return collection

    # ---------------------------------------------------------------------------------------------------- making one

    @classmethod
    def from_edges(
        cls,
        edges: EdgesLike,
        *,
        records: KeysLike | Iterable[Entity] | None = None,
        quantise: int | None | EllipsisType = ...,
        quantize: int | None | EllipsisType = ...,
        source: str = "default",
        left: str | None = None,
        right: str | None = None,
        score: str | None = None,
        left_source: str | None = None,
        right_source: str | None = None,
        keep_edges: bool | Literal["forest"] = False,
        scale: Scale = "probability",
        unique_sources: Iterable[str] = (),
        max_entity_size: int | None = None,
        ties: Literal["order", "drop"] = "order",
        progress: Progress = None,
    ) -> Collection:
        """The hierarchy of scored pairs.

        Parameters
        ----------
        edges : table, tuple of three columns, or iterable of (left, right, score)
            A table is anything with the Arrow PyCapsule stream (pyarrow, polars, pandas, DuckDB), or a SplinkDataFrame;
            its columns are ``left, right, score``, or those of Splink's predictions, or named by the options below. A
            key may be a (source, key) tuple. Iterables are consumed in batches. Self-loops are allowed; of duplicates
            the highest score counts.
        records : keys, or iterable of Entity, optional
            All the records there are, each once; those without an edge become singletons, and an edge with another key
            is an error, here and in `add_edges`. By default the records are those of the edges, in order of
            appearance. With entities, the edges name entity ids and the members of each entity are together from
            threshold 1.0 on; the records are the members.
        quantise, quantize : int or None
            Decimals to which scores are rounded, half to even: 1 to 6, by default 6. None compares them as they are.
        source : str
            The source of bare keys.
        left, right, score, left_source, right_source : str, optional
            Names of the columns of a table.
        keep_edges : bool or "forest"
            True keeps the pairs, for `edges`, `explain` and densities of entities: 16 bytes a pair and 8 a record.
            "forest" keeps only those that joined something, 8 bytes a record, which `explain` needs.
        scale : {"probability", "weight"}
            What scores are: numbers in [0, 1], or any finite ones, such as match weights, which Splink's predictions
            have in a column of their own. Thresholds are on the same scale.
        unique_sources : iterable of str
            Sources of which an entity has at most one record each; a pair that would bring two together is left out.
        max_entity_size : int, optional
            Records in an entity at most; a pair that would make a larger one is left out.
        ties : {"order", "drop"}
            Which of several pairs of one score count where not all can: those that come first, or none.
        progress : bool, callable or None
            True: a bar on standard error at once; False: none; None: one on terminals once the work has lasted a
            second. Or a function that is called about every 20 ms with phase, units done and units in all, and stops
            the work by raising.

        Raises
        ------
        InvalidScoreError
            For a score that is null, NaN, infinite or, of probabilities, outside [0, 1], with its row.
        InvalidKeyError
            For a null key or a value that is no key, with its row.
        KeyNotFoundError
            For a key that is not among `records`, with its row.
        DuplicateKeyError
            For a key twice in `records`, with its rows.
        InvalidArgumentError
            For columns that are missing or of unusable types, and for unusable options.

        Examples
        --------
        >>> import numpy as np
        >>> import starlings as sl
        >>> left, right = np.array([1, 2, 7]), np.array([2, 3, 8])
        >>> collection = sl.Collection.from_edges((left, right, np.array([0.9, 0.45, 0.7])), records=range(1, 10))
        >>> collection.num_records, collection.at(0.7).num_entities
        (9, 7)
        """
        options = check_options(
            EdgeOptions(
                quantise=quantise,
                quantize=quantize,
                source=source,
                left=left,
                right=right,
                score=score,
                left_source=left_source,
                right_source=right_source,
                keep_edges=keep_edges,
                scale=scale,
                unique_sources=unique_sources,
                max_entity_size=max_entity_size,
                ties=ties,
            )
        )
        context = _core.Context()
        with reporting(progress) as callback:
            entities, keys = entities_or_keys(records)
            if entities is not None:
                hierarchy = build_on_entities(context, entities, edges, options, callback)
            else:
                if keys is not None:
                    intern_once(context, keys, source, progress=callback)
                hierarchy = build_from_edges(context, None, edges, options, keys is not None, callback)
        return cls._with_state(State.standalone(context, hierarchy, options.decimals, is_closed=records is not None))

    @classmethod
    def from_entities(
        cls,
        entities: Iterable[Iterable[KeyLike]],
        threshold: float = 1.0,
        *,
        records: KeysLike | None = None,
        source: str = "default",
        progress: Progress = None,
    ) -> Collection:
        """The hierarchy in which the members of each entity are together from one threshold on.

        Parameters
        ----------
        entities : iterable of entities
            Each an `Entity` or an iterable of keys or (source, key).
        threshold : float
            Where they come together.
        records : keys, optional
            All the records there are, each once; by default those of the entities.
        source : str
            The source of bare keys.
        progress : bool, callable or None
            As in `from_edges`.

        Raises
        ------
        OverlapError
            For a record in two entities.
        InvalidKeyError
            For what is no key.

        Examples
        --------
        >>> import starlings as sl
        >>> sl.Collection.from_entities([{"a", "b"}, {"c"}]).at(1.0).num_entities
        2
        """
        check_name(source)
        at = check_threshold(threshold)
        context = _core.Context()
        with reporting(progress) as callback:
            if records is not None:
                intern_once(context, readable_keys(records, "records"), source, progress=callback)
            hierarchy = build_from_entities(context, entities, at, source, records is not None, callback)
        return cls._with_state(State.standalone(context, hierarchy, 6, is_closed=records is not None))

    @classmethod
    def from_labels(
        cls,
        keys: KeysLike,
        labels: KeysLike | None = None,
        threshold: float = 1.0,
        *,
        records: KeysLike | None = None,
        source: str = "default",
        progress: Progress = None,
    ) -> Collection:
        """The hierarchy of a membership vector: records with the same label are together from one threshold on.

        Parameters
        ----------
        keys : column of keys, or table
            The records. Without `labels` a table of them and their entities, such as a partition or what its
            `to_arrow` or `to_pandas` gave: the columns ``source`` (or one for all), ``key`` and ``entity_id``.
        labels : column of keys, optional
            Which entity each belongs to; any keys.
        threshold : float
            Where they come together.
        records : keys, optional
            All the records there are, each once; by default `keys`.
        source : str
            The source of bare keys.
        progress : bool, callable or None
            As in `from_edges`.

        Raises
        ------
        OverlapError
            For a key with two labels.
        InvalidKeyError
            For what is no key or no label.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_labels(["a", "b", "c"], [7, 7, 8])
        >>> collection.at(1.0).labels.tolist()
        [0, 0, 1]
        >>> sl.Collection.from_labels(collection.at(1.0).to_arrow()).at(1.0) == collection.at(1.0)
        True
        """
        check_name(source)
        at = check_threshold(threshold)
        context = _core.Context()
        with reporting(progress) as callback:
            if records is not None:
                intern_once(context, readable_keys(records, "records"), source, progress=callback)
            hierarchy = build_from_labels(context, keys, labels, at, source, records is not None, callback)
        return cls._with_state(State.standalone(context, hierarchy, 6, is_closed=records is not None))

    @classmethod
    def from_merge_events(
        cls,
        events: Iterable[MergeEventLike],
        num_records: int | None = None,
        *,
        records: KeysLike | None = None,
        exact: bool = False,
        scale: Scale = "probability",
        source: str = "default",
        progress: Progress = None,
    ) -> Collection:
        """The hierarchy of merges, highest threshold first: those of `merge_events`, or of another clustering.

        Parameters
        ----------
        events : MergeEvents, or iterable of merge events
            Each (threshold, components) or (threshold, components, result), or an object or mapping with ``threshold``,
            ``merging_components`` and perhaps ``result_component``. Components are numbered as in SciPy's linkage:
            below `num_records` a record, from there on the result of an earlier event. Merges that meet at one
            threshold become one event. What `merge_events` gave counts as a whole, however far it was iterated. Merges
            know neither pairs nor constraints: what the collection kept of these does not come along.
        num_records : int, optional
            The number of records; left out with `records`, or with what `merge_events` gave.
        records : keys, optional
            All the records there are, each once, in the order in which components number them. By default their keys
            are 0, 1, ...
        exact : bool
            Keep thresholds as they are instead of rounding them to six decimals. What `merge_events` gave stays as
            exact as its collection.
        scale : {"probability", "weight"}
            What thresholds are: numbers in [0, 1], or any finite numbers, such as match weights. What `merge_events`
            gave has the scale of its collection.
        source : str
            The source of bare keys.
        progress : bool, callable or None
            As in `from_edges`.

        Raises
        ------
        InvalidArgumentError
            For an event of fewer than two components, of one that is not there yet or was merged before, with a
            threshold above the one before or a wrong result, with its row.
        InvalidThresholdError
            For a threshold that is NaN, infinite or, of probabilities, outside [0, 1], with its row.
        DuplicateKeyError
            For a key twice in `records`, with its rows.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_merge_events([(0.9, (0, 1)), (0.6, (4, 2))], records=["a", "b", "c", "d"])
        >>> collection.threshold_between("b", "c"), collection.at(0.7).num_entities
        (0.6, 3)
        >>> again = sl.Collection.from_merge_events(collection.merge_events(), records=["a", "b", "c", "d"])
        >>> again.at(0.7) == collection.at(0.7)
        True
        """
        check_name(source)
        context = _core.Context()
        with reporting(progress) as callback:
            hierarchy = build_from_merge_events(context, events, num_records, records, exact, scale, source, callback)
        decimals = 0 if hierarchy.is_exact else 6
        return cls._with_state(State.standalone(context, hierarchy, decimals, is_closed=records is not None))

    @classmethod
    def from_arrow(cls, data: ArrowStream | ArrowArray, *, progress: Progress = None) -> Collection:
        """The collection that `to_arrow` made a table of: its records, and a hierarchy equal to the last bit.

        Parameters
        ----------
        data : table
            Anything with the Arrow PyCapsule interface. Without ``key_kind`` among the records, keys are text.
        progress : bool, callable or None
            As in `from_edges`.

        Raises
        ------
        InvalidArgumentError
            Where the table is no collection, with the place and the reason.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> sl.Collection.from_arrow(collection.to_arrow()).at(0.9) == collection.at(0.9)
        True
        """
        with reporting(progress) as callback:
            core = _core.import_collection(arrow_data(data, "a collection"), callback)
        return cls._with_state(State(core, True, False))

    # ------------------------------------------------------------------------------------------------------- reading

    @property
    def num_records(self) -> int:
        """The number of records; `len` of the collection."""
        return self._state.num_records

    @property
    def num_merges(self) -> int:
        """The number of merge events: at one threshold, two or more components becoming one."""
        return self._state.hierarchy.num_merges

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """The thresholds at which something merges, highest first. Read-only."""
        return np.asarray(self._state.hierarchy.levels)

    @property
    def scale(self) -> Scale:
        """What scores and thresholds are: ``"probability"``, numbers in [0, 1], or ``"weight"``, any finite numbers.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_merge_events([(17.5, (0, 1)), (-3.0, (3, 2))], 3, scale="weight")
        >>> collection.scale, collection.at(10).num_entities
        ('weight', 2)
        """
        return self._state.hierarchy.scale

    @property
    def nbytes(self) -> int:
        """Bytes held by the hierarchy, without the records."""
        return self._state.hierarchy.nbytes

    @property
    def is_view(self) -> bool:
        """Whether this is a frame's collection, not one of its own."""
        return self._state.is_view

    @property
    def constraints(self) -> Constraints | None:
        """What no entity may be, and how many pairs were left out for it; None if it was made without constraints."""
        return Constraints._of(self._state.hierarchy)

    def at(self, threshold: float) -> Partition:
        """The entities at a threshold: what is connected by edges of that score or more.

        The ten partitions used last are kept, and thresholds between which nothing merges share one.

        Raises
        ------
        InvalidThresholdError
            For a threshold that is NaN, infinite or, of probabilities, outside [0, 1].

        Examples
        --------
        >>> import starlings as sl
        >>> sl.Collection.from_edges([("a", "b", 0.85)]).at(0.1 + 0.75).num_entities
        1
        """
        state = self._state
        at = check_threshold(threshold, scale=state.hierarchy.scale)
        return Partition(state.context, state.core.at(at), as_compared(at, exact=state.hierarchy.is_exact))

    def clear_cache(self) -> None:
        """Forget the partitions kept by `at`."""
        self._state.core.clear_cache()

    def sweep(
        self,
        start: float | None = None,
        stop: float | None = None,
        step: float | None = None,
        *,
        progress: Progress = None,
    ) -> Report:
        """Statistics of the partitions at equally spaced thresholds.

        Parameters
        ----------
        start, stop : float, optional
            First and last threshold, both included; by default 0.0 and 1.0, of weights the lowest threshold at which
            something merges, rounded down to a whole number, and the highest, rounded up.
        step : float, optional
            From one to the next, on a grid of millionths; by default 0.01, of weights the smallest of 1, 2 or 5 times a
            power of ten with which there are at most 101 rows.
        progress : bool, callable or None
            As in `from_edges`.

        Returns
        -------
        Report
            One row a threshold, ascending: `threshold` and every metric of ``Metrics.stats``.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> [(row["threshold"], row["entity_count"]) for row in collection.sweep(0.5, 1.0, 0.25)]
        [(0.5, 1), (0.75, 2), (1.0, 3)]
        """
        state = self._state
        points = sweep_points(start, stop, step, state.hierarchy)
        with reporting(progress) as callback:
            curve = _core.Curve(state.core, 0, None, points, callback)
        return Report({"threshold": np.asarray(curve.thresholds)} | statistics(curve, Metrics.stats))

    def threshold_between(self, a: KeyLike, b: KeyLike) -> float | None:
        """The highest threshold at which two records are together.

        Parameters
        ----------
        a, b : key or (source, key)
            The records; a bare key is looked for in all sources.

        Returns
        -------
        float or None
            None if they are together at no threshold. For a record and itself 1.0, of weights infinity.

        Raises
        ------
        KeyNotFoundError
            If there is no such record.
        InvalidArgumentError
            If several sources have a bare key.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
        >>> collection.threshold_between("a", "c"), collection.threshold_between("a", "x")
        (0.6, None)
        """
        state = self._state
        first, second = (find_record(state.context, key, state.num_records) for key in (a, b))
        if first == second:
            return _always(state.hierarchy)
        return state.hierarchy.threshold_between(first, second)

    @property
    def edges(self) -> Edges:
        """The pairs, each once with its highest score, strongest first, those that constraints left out included.

        Where the collection was made of edges between entities, neighbours in an entity count as pairs of score 1.

        Raises
        ------
        InvalidArgumentError
            Unless the collection was made with ``keep_edges=True``.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)], keep_edges=True)
        >>> collection.edges.neighbours("c")
        [(('default', 'b'), 0.6)]
        """
        state = self._state
        core = state.hierarchy.edges
        if core is None:
            raise InvalidArgumentError("the collection did not keep its edges: make it with keep_edges=True")
        return Edges(state.context, core, state.num_records)

    def explain(self, a: KeyLike, b: KeyLike) -> Explanation | None:
        """Why two records are together: the chain of pairs that joins them at the highest threshold.

        Parameters
        ----------
        a, b : key or (source, key)
            The records; a bare key is looked for in all sources.

        Returns
        -------
        Explanation or None
            None if they are together at no threshold. Of a record and itself one without links, from threshold 1.0 on,
            of weights infinity.

        Raises
        ------
        KeyNotFoundError
            If there is no such record.
        InvalidArgumentError
            Unless the collection was made with ``keep_edges=True`` or ``keep_edges="forest"``, and if several sources
            have a bare key.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([(1, 2, 0.9), (2, 3, 0.6), (1, 3, 0.4)], keep_edges=True)
        >>> collection.explain(1, 3)
        Explanation(threshold=0.6): ('default', 1) -[0.9]- ('default', 2) -[0.6]- ('default', 3)
        """
        state = self._state
        if state.hierarchy.kept == "nothing":
            raise InvalidArgumentError(
                'the collection kept no edges that could explain anything: make it with keep_edges=True or "forest"'
            )
        first, second = (find_record(state.context, key, state.num_records) for key in (a, b))
        if first == second:
            return Explanation(_always(state.hierarchy), record_names(state.context, np.array([first], np.uint32)), [])
        chain = state.hierarchy.explain(first, second)
        if chain is None:
            return None
        threshold, records, scores = chain
        return Explanation(threshold, record_names(state.context, records), np.asarray(scores).tolist())

    def merge_events(self) -> MergeEvents:
        """The merges, highest threshold first, those of one threshold by their smallest record.

        Returns
        -------
        MergeEvents
            An iterator of `MergeEvent`, each made when it is asked for, with a length and indices. It stays as it is
            when edges are added.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("c", "d", 0.6)])
        >>> for event in collection.merge_events():
        ...     print(event.threshold, event.merging_components, event.result_component)
        0.9 (0, 1) 4
        0.6 (4, 2, 3) 5
        """
        state = self._state
        return MergeEvents(state.context, _core.MergeEvents(state.hierarchy, state.num_records))

    def critical_merges(self, n: int = 10) -> CriticalMerges:
        """The merges that bring most pairs of records together, weakest first: those to look at before all others.

        Parameters
        ----------
        n : int
            How many; all where there are fewer. Of merges with as many pairs those of lower threshold are taken, then
            those of smaller records.

        Returns
        -------
        CriticalMerges
            A sequence of `MergeEvent`, lowest threshold first: `MergeEvent.num_pairs` says how many pairs a merge
            brings together, `MergeEvent.sides` which records. It stays as it is when edges are added.

        Raises
        ------
        InvalidArgumentError
            If `n` is no int of 0 or more.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("c", "d", 0.8), ("b", "c", 0.3)])
        >>> (merge,) = collection.critical_merges(1)
        >>> merge.threshold, merge.num_pairs, [len(side) for side in merge.sides]
        (0.3, 4, [2, 2])
        """
        state = self._state
        return CriticalMerges(state.context, state.hierarchy, state.num_records, n)

    def lineage(self, key: KeyLike) -> Lineage:
        """How one record's entity grows as the threshold falls.

        Parameters
        ----------
        key : key or (source, key)
            A bare key is looked for in all sources.

        Returns
        -------
        Lineage
            A sequence of steps, highest threshold first: the record alone, then a step for each threshold at which
            others join. It stays as it is when edges are added.

        Raises
        ------
        KeyNotFoundError
            If there is no such record.
        InvalidArgumentError
            If several sources have the bare key.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
        >>> for step in collection.lineage("c"):
        ...     print(step.threshold, step.size, sorted(step.joined))
        None 1 [('default', 'c')]
        0.6 3 [('default', 'a'), ('default', 'b')]
        """
        state = self._state
        return Lineage(state.context, state.hierarchy, find_record(state.context, key, state.num_records))

    def copy(self) -> Collection:
        """An independent collection, never a view. Shares memory until one of them changes."""
        state = self._state
        core = _core.Collection(state.context, state.hierarchy, state.num_records, state.decimals)
        return Collection._with_state(replace(state, core=core, owns_context=False, is_view=False))

    def __copy__(self) -> Collection:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Collection:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        raise unpicklable(
            self, "save() a frame that has it to a file and load() that in the worker, or hand over its edges"
        )

    @property
    def computation_stats(self) -> ComputationStats:
        """Work done for the collection since it was made, by all views of it, and how much of it was saved.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> partitions = [collection.at(0.7), collection.at(0.8)]
        >>> stats = collection.computation_stats
        >>> stats.total, stats.cached
        (2, 1)
        """
        return ComputationStats._of(self._state.core)

    def explore(
        self,
        path: str | os.PathLike[str],
        *,
        metrics: Iterable[MetricLike] | MetricLike | None = None,
        title: str | None = None,
        max_records: int | None = None,
        progress: Progress = None,
    ) -> Path:
        """Write the collection as one HTML file to look into, at every threshold and without a network.

        Parameters
        ----------
        path, title, max_records, progress
            As in `EntityFrame.explore`, which compares collections too.
        metrics : metrics or names, optional
            What to show beside the usual ones of ``Metrics.stats``, the first of them first.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidArgumentError
            For a metric that needs a reference.
        PathNotFoundError, PathIsFolderError, PathPermissionError, SystemCallError
            If the file cannot be written; what was there still is.
        """
        return explore(path, self._subject(), Yardstick.none(metrics), title, max_records, progress)

    # ------------------------------------------------------------------------------------------------------ changing

    def add_edges(
        self,
        edges: EdgesLike,
        *,
        source: str = "default",
        left: str | None = None,
        right: str | None = None,
        score: str | None = None,
        left_source: str | None = None,
        right_source: str | None = None,
        progress: Progress = None,
    ) -> None:
        """Extend the hierarchy by scored pairs, as if they had been among the first.

        Keys are keys of records, also where the collection was made of edges between entities. New keys become new
        records, unless the records were given as ``records=``: these stay all there are. A view is detached first: the
        frame does not change, and `is_view` is False from then on. Partitions taken before stay as they are.

        Parameters
        ----------
        edges : table, tuple of three columns, or iterable of (left, right, score)
            As in `from_edges`; scores are read on the scale of the collection and rounded as its own.
        source, left, right, score, left_source, right_source, progress
            As in `from_edges`.

        Raises
        ------
        KeyNotFoundError
            For a key that is not among the ``records=`` of the collection, with its row.
        InvalidArgumentError
            Under constraints, unless all edges were kept: constraints are applied anew to all of them.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9)])
        >>> collection.add_edges([("b", "c", 0.8)])
        >>> collection.at(0.8).num_entities, collection.num_records
        (1, 3)
        """
        names = (left, right, score, left_source, right_source)
        check_name(source)
        with self._lock, reporting(progress) as callback:
            state = self._state
            kept = _check_extensible(state.hierarchy)
            options = CheckedOptions(names, source, state.decimals, kept, state.hierarchy.scale)
            context = state.context if state.owns_context else state.context.copy(state.num_records)
            with appending(context, state.num_records):
                hierarchy = build_from_edges(context, state.hierarchy, edges, options, state.is_closed, callback)
                self._state = State.standalone(
                    context, hierarchy, state.decimals, is_closed=state.is_closed, earlier=state.core
                )

    # ------------------------------------------------------------------------------------------------- handing it on

    def to_arrow(
        self, collection_id: str = "collection", *, max_expanded: int | None = None, progress: Progress = None
    ) -> Any:
        """The collection as a pyarrow Table of one row: its records, its merge events, and what they range over.

        Components are numbered as in SciPy's linkage. Every merge event names all the records that it affects, which
        grows with the square of the records where they merge one after the other: what there would be is counted first.
        Kept edges and constraints are not part of the table. docs/arrow.md lists the columns.

        Parameters
        ----------
        collection_id : str
            What the column of that name says.
        max_expanded : int, optional
            At most so many affected records, over all merge events; by default 2^27, which take half a gigabyte.
        progress : bool, callable or None
            As in `from_edges`.

        Raises
        ------
        CapacityError
            For more than `max_expanded` allows, and for more than 2^31-1 records or bytes of keys.
        MissingDependencyError
            Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the collection as it is.

        Examples
        --------
        >>> import starlings as sl
        >>> collection = sl.Collection.from_edges([("a", "b", 0.9), ("b", "c", 0.6)])
        >>> row = collection.to_arrow("model").to_pylist()[0]
        >>> row["records"][1]
        {'source': 'default', 'key': 'b', 'record_index': 1, 'key_kind': 'string'}
        >>> row["merge_events"][1]["merging_components"], row["merge_events"][1]["affected_records"]
        ([3, 2], [0, 1, 2])
        """
        check_name(collection_id, "collection_id")
        return pyarrow_table(self._exported(collection_id, expanded_limit(max_expanded), progress))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` with its defaults, as an Arrow stream."""
        return self._exported("collection", 0, False)

    def _exported(self, collection_id: str, max_expanded: int, progress: Progress) -> object:
        """A capsule with the stream of the collection as it is now."""
        with reporting(progress) as callback:
            return self._state.core.export(collection_id, max_expanded, callback)

    # ------------------------------------------------------------------------------------------------------- showing

    def __len__(self) -> int:
        return self.num_records

    def __repr__(self) -> str:
        view = ", is_view=True" if self.is_view else ""
        counts = f"num_records={self.num_records}, num_merges={self.num_merges}"
        return f"Collection({counts}, num_thresholds={self._state.hierarchy.num_levels}{view})"

    def _repr_html_(self) -> str:
        thresholds = self.thresholds
        some = np.unique(np.linspace(0, max(0, len(thresholds) - 1), 10).astype(np.intp))
        curve = _core.Curve(self._state.hierarchy, self.num_records, None, thresholds[some[: len(thresholds)]])
        chosen = [Metrics.stats.entity_count, Metrics.stats.largest_entity, Metrics.stats.singletons]
        table = Report({"threshold": np.asarray(curve.thresholds)} | statistics(curve, chosen))
        return f"<p>{escape(repr(self))}</p>{counts_drawing(self._subject())}{table._table_html()}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return bundle(repr(self), self._repr_html_(), self._subject())

    def _subject(self) -> Subject:
        """The collection as it is now, for the explorer."""
        return Subject.of_collection("collection", self._state.core)


def _always(hierarchy: _core.Hierarchy) -> float:
    """The highest threshold there is, at which a record is together with itself."""
    return inf if hierarchy.scale == "weight" else 1.0


def _check_extensible(hierarchy: _core.Hierarchy) -> Keep:
    """What a hierarchy kept and its extension keeps, too; an error if it cannot be extended."""
    if hierarchy.constraints is not None and hierarchy.kept != "all":
        raise InvalidArgumentError(
            "edges cannot be added to a collection with constraints, which are applied anew to all edges, unless it "
            "kept them: make it with keep_edges=True"
        )
    return hierarchy.kept
