"""Entity frames: many collections over one shared set of records.

A frame is one immutable state of the engine (records, collections by name) that every change replaces as a whole.
Readers take the state that is there; views carry their own number of records and never see later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, Literal, NoReturn, Self, TypeAlias, Unpack, overload

from starlings import _core, analysis, estimation
from starlings._typing import EdgesLike, KeyLike, KeysLike, Progress, RecordsLike
from starlings.attributes import attributes_of
from starlings.building import build_from_edges, build_from_entities, build_from_labels
from starlings.collection import Collection
from starlings.edge_options import EdgeOptions, check_no_options, check_options
from starlings.estimation import SampleLike, Weights
from starlings.exceptions import (
    InvalidArgumentError,
    OutOfMemoryError,
    shown,
    unpicklable,
)
from starlings.explorer.notebook import bundle, counts_drawing
from starlings.explorer.subject import Subject
from starlings.expressions import Expression, Points, col
from starlings.frame_change import Assimilation, FrameChange, not_found
from starlings.frame_interchange import FrameInterchange
from starlings.key import check_name
from starlings.metrics import Defaults, MetricLike
from starlings.monitoring import FrameMetrics
from starlings.progress import reporting
from starlings.records import Records, records_of_source
from starlings.reports import Report
from starlings.state import Exclusive, State
from starlings.thresholds import check_threshold

__all__ = ["Assimilation", "EntityFrame"]

#: Where to cut a collection.
Thresholds: TypeAlias = float | Iterable[float]
#: What becomes of records that the frame does not have: they are added to it, or an error.
NewRecords: TypeAlias = Literal["append", "error"]


class EntityFrame(FrameInterchange):
    """Collections over one set of records, to be compared with each other.

    Every collection of a frame is over all its records: those that its edges never name are entities of their own. A
    change that fails leaves the frame as it was. Safe to use from several threads.

    Examples
    --------
    >>> import starlings as sl
    >>> people = [{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}]
    >>> frame = sl.EntityFrame.from_records("crm", people, key_column="id")
    >>> frame.add_collection("model", edges=[("a", "b", 0.9), ("b", "c", 0.6)], source="crm")
    >>> frame.add_collection_from_entities("truth", [{"a", "b"}, {"c", "d"}], source="crm")
    >>> frame
    EntityFrame(num_records=4, collections=['model', 'truth'])
    >>> frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0)).best("f1")["threshold"]
    0.9
    """

    def __init__(self) -> None:
        self._core = _core.Frame()
        self._lock = Exclusive("frame")

    @classmethod
    def _with_core(cls, core: _core.Frame) -> Self:
        """The frame around a frame of the engine that nobody else changes."""
        frame = cls.__new__(cls)
        frame._core = core
        frame._lock = Exclusive("frame")
        return frame

    # ------------------------------------------------------------------------------------------------------- records

    @classmethod
    def from_records(
        cls, source: str, data: RecordsLike, key_column: str | None = None, *, progress: Progress = None
    ) -> EntityFrame:
        """A frame over the records of one source.

        Parameters
        ----------
        source : str
            Its name.
        data : table, or list of dicts
            Anything with the Arrow PyCapsule stream (pyarrow, polars, pandas, DuckDB), or a list of dicts. All its
            columns are kept for `records`; a column of values that have no Arrow type in common is kept as text, with
            a warning. Memory of Arrow data is shared, not copied: an array of numpy that pyarrow wraps must stay as it
            is.
        key_column : str, optional
            The column with the keys, which must be unique; by default keys are 0, 1, ...
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Raises
        ------
        DuplicateKeyError
            With the rows of the key.
        InvalidKeyError
            For a null or a value that is no key, with its row.
        InvalidArgumentError
            If there is no such column, and for rows that are no dicts: bare keys, or one column of them.
        """
        frame = cls()
        frame.add_records(source, data, key_column, progress=progress)
        return frame

    def add_records(
        self, source: str, data: RecordsLike, key_column: str | None = None, *, progress: Progress = None
    ) -> None:
        """Add records of one more source, or more of a known one.

        Parameters and errors are those of `from_records`. The collections that are there take the new records in as
        entities of their own; views handed out before do not change. Records that only edges named so far get the
        attributes given here, in this frame alone: that copies its table of keys. So do records that came with a
        collection: the rows given here win over what it brought.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_records("shop", [{"id": 7}, {"id": 8}], key_column="id")
        >>> frame.num_records, frame.sources
        (2, ['shop'])
        """
        check_name(source)
        readable, attributes = attributes_of(data, key_column)
        with FrameChange(self, progress) as change:
            change.give(source, readable, key_column, attributes)

    def records(self, source: str) -> Records:
        """The records of a source, with the attributes that they were given with.

        Records that only edges named have none: where some of the source's records have attributes they are left out,
        else the table is their keys.

        Raises
        ------
        KeyNotFoundError
            If no record is from that source, with the nearest name.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("crm", [{"id": 7, "name": "Ann"}], key_column="id")
        >>> frame.records("crm").to_dicts()
        [{'id': 7, 'name': 'Ann'}]
        """
        state = self._core.now()
        return records_of_source(state.context, source, state.num_records, state.sources())

    @property
    def num_records(self) -> int:
        """The number of records."""
        return self._core.now().num_records

    @property
    def sources(self) -> list[str]:
        """Names of the sources that records are from, in order of first use."""
        return self._core.now().sources()

    # --------------------------------------------------------------------------------------------- adding collections

    @overload
    def add_collection(
        self,
        name: str,
        collection: Collection,
        *,
        new_records: NewRecords = "append",
        progress: Progress = None,
    ) -> Assimilation: ...
    @overload
    def add_collection(
        self,
        name: str,
        collection: None = None,
        *,
        edges: EdgesLike,
        new_records: NewRecords = "append",
        progress: Progress = None,
        **options: Unpack[EdgeOptions],
    ) -> None: ...
    def add_collection(
        self,
        name: str,
        collection: Collection | None = None,
        *,
        edges: EdgesLike | None = None,
        new_records: NewRecords = "append",
        progress: Progress = None,
        **options: Unpack[EdgeOptions],
    ) -> Assimilation | None:
        """Add a collection: one that exists, or the one of some edges.

        Records are matched by source and key: a key of another source is another record. Those that the frame does not
        have yet are added to it, unless ``new_records="error"``. The collection that was given stays as it is,
        independent of the frame.

        Parameters
        ----------
        name : str
            What it is called in the frame.
        collection : Collection, optional
            One made elsewhere.
        edges : table, tuple of three columns, or iterable of (left, right, score), optional
            Instead of a collection, as in `Collection.from_edges`.
        new_records : {"append", "error"}
            What to do about records that the frame does not have: make them records of it, or raise an error.
        progress : bool, callable or None
            As in `Collection.from_edges`.
        **options
            `EdgeOptions`, as in `Collection.from_edges`: how edges are read and what is kept of them. With edges only.

        Returns
        -------
        Assimilation or None
            Of a collection made elsewhere, where its records are in the frame.

        Raises
        ------
        DuplicateCollectionError
            If the frame has a collection of that name.
        InvalidArgumentError
            If both or neither of `collection` and `edges` are given, and for options of edges with a collection.
        KeyNotFoundError
            With ``new_records="error"``, for a record that the frame does not have.
        """
        if (collection is None) == (edges is None):
            raise InvalidArgumentError("give either a collection or edges=")
        if edges is not None:
            self._add_edges(name, edges, options, new_records, progress)
            return None
        check_name(name, "name of a collection")
        known_only = _only_known(new_records)
        if not isinstance(collection, Collection):
            raise InvalidArgumentError(f"{shown(collection)} is no Collection; scored pairs are given as edges=")
        check_no_options(options)
        with FrameChange(self, progress, adds=name) as change:
            return change.assimilate(collection._state, known_only)

    def _add_edges(
        self,
        name: str,
        edges: Any,
        options: EdgeOptions,
        new_records: NewRecords,
        progress: Progress,
        batch_rows: int = 0,
    ) -> None:
        """Add the collection of edges; with `batch_rows` of tables of them too, so many rows being held at once."""
        check_name(name, "name of a collection")
        known_only = _only_known(new_records)
        checked = check_options(options)
        with FrameChange(self, progress, adds=name) as change:
            hierarchy = build_from_edges(change.context, None, edges, checked, known_only, change.progress, batch_rows)
            change.add(hierarchy, checked.decimals)

    def add_collection_from_edges(
        self,
        name: str,
        edges: EdgesLike,
        *,
        new_records: NewRecords = "append",
        progress: Progress = None,
        **options: Unpack[EdgeOptions],
    ) -> None:
        """Add the collection of scored pairs; parameters, options and errors as in `add_collection`.

        Keys that the frame does not have yet become records of it. A record is its source and its key: a key of another
        source is another record, so name the frame's source with ``source=``; ``new_records="error"`` finds mistakes.

        Raises
        ------
        DuplicateCollectionError
            If the frame has a collection of that name.
        KeyNotFoundError
            With ``new_records="error"``, for a record that the frame does not have.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("default", [{"id": 1}, {"id": 2}, {"id": 3}], key_column="id")
        >>> frame.add_collection_from_edges("model", [(1, 2, 0.9)])
        >>> frame["model"].at(0.9).num_entities
        2
        """
        if edges is None:
            raise InvalidArgumentError("edges must be a table, arrays or an iterable, not None")
        self.add_collection(name, edges=edges, new_records=new_records, progress=progress, **options)

    def add_collection_from_entities(
        self,
        name: str,
        entities: Iterable[Iterable[KeyLike]],
        threshold: float = 1.0,
        *,
        source: str = "default",
        new_records: NewRecords = "append",
        progress: Progress = None,
    ) -> None:
        """Add the collection of given entities; parameters and errors as in `Collection.from_entities`.

        Keys that the frame does not have yet become records of it. A record is its source and its key: a key of another
        source is another record, so name the frame's source with ``source=``; ``new_records="error"`` finds mistakes.

        Raises
        ------
        DuplicateCollectionError
            If the frame has a collection of that name.
        KeyNotFoundError
            With ``new_records="error"``, for a record that the frame does not have.
        """
        check_name(name, "name of a collection")
        check_name(source)
        known_only = _only_known(new_records)
        at = check_threshold(threshold)
        with FrameChange(self, progress, adds=name) as change:
            change.add(build_from_entities(change.context, entities, at, source, known_only, change.progress))

    def add_collection_from_labels(
        self,
        name: str,
        keys: KeysLike,
        labels: KeysLike | None = None,
        threshold: float = 1.0,
        *,
        source: str = "default",
        new_records: NewRecords = "append",
        progress: Progress = None,
    ) -> None:
        """Add the collection of a membership vector; parameters and errors as in `Collection.from_labels`.

        Keys that the frame does not have yet become records of it. A record is its source and its key: a key of another
        source is another record, so name the frame's source with ``source=``; ``new_records="error"`` finds mistakes.

        Raises
        ------
        DuplicateCollectionError
            If the frame has a collection of that name.
        KeyNotFoundError
            With ``new_records="error"``, for a record that the frame does not have.
        """
        check_name(name, "name of a collection")
        check_name(source)
        known_only = _only_known(new_records)
        at = check_threshold(threshold)
        with FrameChange(self, progress, adds=name) as change:
            change.add(build_from_labels(change.context, keys, labels, at, source, known_only, change.progress))

    # ------------------------------------------------------------------------------------------------ the collections

    def collection_names(self) -> list[str]:
        """Names of the collections, in the order in which they were added."""
        return self._core.now().names()

    def __getitem__(self, name: str) -> Collection:
        """A view of a collection over all records that the frame has now.

        Raises
        ------
        CollectionNotFoundError
            With the nearest name.
        """
        state = self._core.now()
        core = state.collection(name)
        if core is None:
            raise not_found(name, state.names())
        return Collection._with_state(State(core, False, True))

    def __len__(self) -> int:
        return len(self.collection_names())

    def __contains__(self, name: object) -> bool:
        return self._core.now().collection(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.collection_names())

    def drop(self, *names: str, progress: Progress = None) -> None:
        """Take collections out of the frame; views of them stay valid.

        Records that no other collection uses and that were not given by `from_records` or `add_records` become garbage.
        While they are up to half of all records they stay where they are, entities of their own in every collection;
        above that the frame is compacted, as by `compact`.

        Parameters
        ----------
        *names : str
            Names of collections.
        progress : bool, callable or None
            Of a compaction, as in `Collection.from_edges`.

        Raises
        ------
        CollectionNotFoundError
            If the frame does not have one of them; then none is dropped.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame.from_records("default", [{"id": "a"}, {"id": "b"}], key_column="id")
        >>> frame.add_collection_from_edges("first", [("a", "b", 0.9), ("x", "y", 0.8), ("y", "z", 0.8)])
        >>> frame.drop("first")
        >>> frame
        EntityFrame(num_records=2, collections=[])
        """
        with FrameChange(self, progress) as change:
            change.drop(names)

    def compact(self, *, progress: Progress = None) -> int:
        """Clear garbage away: records that no collection uses and that were not given as records.

        So are the names of sources that only failed additions used, of which a frame has room for 65,535 in all.
        The others keep their order, but not their indices. Views, partitions and entities taken before stay as they
        are. `drop` does this by itself once more than half of the records are garbage. Interrupted, it leaves the frame
        as it was.

        Parameters
        ----------
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        int
            How many records were cleared away.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("first", [("a", "b", 0.9), ("b", "c", 0.8)])
        >>> frame.add_collection_from_edges("second", [("a", "b", 0.9)])
        >>> frame.drop("first")
        >>> frame.num_records, frame.compact(), frame.num_records
        (3, 1, 2)
        """
        with FrameChange(self, progress) as change:
            num_garbage = change.before.num_garbage
            change.core.compact()
        return num_garbage

    def copy(self) -> EntityFrame:
        """An independent frame with the same records and collections. Shares memory until one of them changes."""
        return EntityFrame._with_core(self._core.copy())

    def __copy__(self) -> EntityFrame:
        return self.copy()

    def __deepcopy__(self, memo: object) -> EntityFrame:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "save() it to a file and load() that in the worker")

    # ----------------------------------------------------------------------------------------------------- measuring

    def analyse(
        self,
        *expressions: Expression | Iterable[Expression],
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        progress: Progress = None,
    ) -> Report:
        """Describe one collection, or compare collections with a reference.

        Parameters
        ----------
        *expressions : expressions, or one list of them
            ``col(name).at(threshold)`` or ``col(name).sweep(...)``. One alone is described; of several, the one marked
            with ``.reference()``, else the last, is what the others are compared with.
        metrics : metrics or names, optional
            By default ``report.statistics`` for one expression and ``report.comparison`` for several.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        Report
            One row for each threshold of each collection and, where there is a reference, each of its thresholds, which
            vary fastest. Columns: ``collection, threshold``, with a reference ``reference, reference_threshold``, then
            the metrics.

        Raises
        ------
        CollectionNotFoundError, UnknownMetricError
            With the nearest name.
        InvalidThresholdError
            For a threshold that its collection cannot have: of probabilities, one outside [0, 1].
        InvalidArgumentError
            For two references, no expression, or a metric that needs a reference where there is none.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
        >>> frame.add_collection_from_entities("truth", [{"a", "b", "c"}])
        >>> frame.analyse(sl.col("model").sweep())
        Report of 2 rows
        collection  threshold  entity_count   entropy
             model        0.6             1         0
             model        0.9             2  0.636514
        >>> report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["precision", "recall"])
        >>> report[1]["precision"], round(report[1]["recall"], 3)
        (1.0, 0.333)
        """
        chosen = analysis.listed(expressions)
        return self._measured(progress, lambda state, callback: analysis.analyse(state, chosen, metrics, callback))

    def analyze(
        self,
        *expressions: Expression | Iterable[Expression],
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        progress: Progress = None,
    ) -> Report:
        """`analyse`."""
        return self.analyse(*expressions, metrics=metrics, progress=progress)

    def compare_all(
        self,
        reference: Expression | str,
        thresholds: Thresholds | Mapping[str, Thresholds | None] | None = None,
        *,
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        progress: Progress = None,
    ) -> Report:
        """Compare all other collections of the frame with one, in parallel.

        Parameters
        ----------
        reference : expression or str
            ``col(name).at(threshold)`` or ``col(name).sweep(...)``; a name alone stands for its cut at 1.0.
        thresholds : float, iterable of floats, mapping or None
            Where to cut every other collection; by default at every threshold at which its partition changes. A mapping
            names the collections to compare, each with its own threshold or thresholds (or None); the reference among
            them is passed over.
        metrics : metrics or names, optional
            By default ``report.comparison``.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        Report
            As that of `analyse`: collections in the order of the frame, or of the mapping; no rows where the reference
            is the only collection.

        Raises
        ------
        CollectionNotFoundError, UnknownMetricError
            With the nearest name.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("rules", [("a", "b", 1.0)])
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
        >>> frame.add_collection_from_entities("truth", [{"a", "b", "c"}])
        >>> report = frame.compare_all("truth", metrics=["precision", "recall"])
        >>> report.best("recall")["collection"], len(report)
        ('model', 3)
        >>> frame.compare_all("truth", {"model": 0.7, "rules": [0.5, 1.0]})["collection"].tolist()
        ['model', 'rules', 'rules']
        """
        against = reference if isinstance(reference, Expression) else col(reference).at(1.0)

        def compare(state: _core.FrameState, callback: _core.ProgressCallback | None) -> Report:
            judged = _others(state.names(), against.name, thresholds)
            return analysis.compare(state, judged, against, metrics, callback)

        return self._measured(progress, compare)

    def _measured(
        self,
        progress: Progress,
        measure: Callable[[_core.FrameState, _core.ProgressCallback | None], Report],
    ) -> Report:
        """A report on the frame as it is now."""
        state = self._core.now()
        with reporting(progress) as callback:
            try:
                return measure(state, callback)
            except OutOfMemoryError:
                raise
            except MemoryError as error:
                message = f"the report is too large for memory: {error}; sweep with a larger step"
                raise OutOfMemoryError(message) from error

    def estimate(
        self,
        expression: Expression,
        sample: SampleLike,
        weights: Weights = "uniform",
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        *,
        level: float = 0.95,
        source: str = "default",
        progress: Progress = None,
    ) -> Report:
        """Estimate metrics of a collection where only a sample of the true entities is known.

        The sample is drawn at random from all true entities, and each comes with all its records. All thresholds come
        out of one pass. The method, and what to watch for: docs/estimates.md.

        Parameters
        ----------
        expression : expression
            ``col(name).at(threshold)`` or ``col(name).sweep(...)``.
        sample : mapping, iterable or pandas.Series
            The true entities: keys or (source, key) by name of the entity; or one entity after the other, as iterables
            of keys or as `Entity`, which are called 0, 1, ...; or a membership vector, index key and value entity.
        weights : "uniform", "size" or mapping
            "uniform" where every true entity was drawn with the same probability; "size" where records were drawn, and
            their entities with them; or by name of the entity, in proportion to 1 / the probability of drawing it.
        metrics : metrics or names, optional
            By default precision, recall and f1. Besides f_beta, jaccard, fowlkes_mallows, and those of bcubed and
            cluster.
        level : float
            Of the confidence band.
        source : str
            The source of bare keys.
        progress : bool, callable or None
            As in `Collection.from_edges`.

        Returns
        -------
        Report
            One row for each threshold. Columns: ``collection, threshold``, then for each metric m ``m, m_se, m_low,
            m_high``: estimate, standard error, and the confidence band, which never leaves [0, 1].

        Raises
        ------
        CollectionNotFoundError, UnknownMetricError
            With the nearest name.
        InvalidArgumentError
            For a metric that cannot be estimated, fewer than two entities, and weights that are not positive or lack
            an entity.
        KeyNotFoundError
            For a record that the frame does not have; ``row`` is the position of its entity.
        OverlapError
            For a record in two entities.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7)])
        >>> report = frame.estimate(sl.col("model").at(0.6), {"ann": ["a", "b"], "bob": ["c"], "eve": ["x", "y"]})
        >>> report.metrics
        ['precision', 'recall', 'f1']
        >>> report[0]["precision"], round(report[0]["precision_se"], 3), report[0]["recall"]
        (0.5, 0.217, 1.0)
        """
        check_name(source)
        with reporting(progress) as callback:
            return estimation.estimate(self._core.now(), expression, sample, weights, metrics, level, source, callback)

    def collect_metrics(self) -> FrameMetrics:
        """What there is to watch of the frame in service: counts, memory, use of caches, stability, garbage.

        Costs next to nothing, but for the stability of collections not measured before: one pass over each. Waits while
        a change of the frame reads its input.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_collection_from_edges("model", [("a", "b", 0.75), ("b", "c", 0.5)])
        >>> partitions = [frame["model"].at(0.8), frame["model"].at(0.9)]
        >>> frame.collect_metrics().cache_hit_rate
        0.5
        """
        return FrameMetrics._of(self._core)

    # ------------------------------------------------------------------------------------------------------- showing

    def __repr__(self) -> str:
        return f"EntityFrame(num_records={self.num_records}, collections={self.collection_names()})"

    def _repr_html_(self) -> str:
        rows = ""
        for name in self:
            collection = self[name]
            cells = (name, f"{collection.num_merges:,}", f"{len(collection.thresholds):,}", f"{collection.nbytes:,}")
            rows += f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        head = "".join(f"<th>{title}</th>" for title in ("collection", "merges", "thresholds", "bytes"))
        sources = ", ".join(self.sources) or "no source"
        title = f"EntityFrame of {self.num_records:,} records from {sources}"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{escape(title)}</p>{table}{counts_drawing(self._subject())}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return bundle(repr(self), self._repr_html_(), self._subject())

    def _subject(self) -> Subject:
        """The frame as it is now, for the explorer."""
        return Subject.of_state(self._core.now())


def _only_known(new_records: object) -> bool:
    """Whether an option says that there may be no new records."""
    if new_records not in ("append", "error"):
        raise InvalidArgumentError(f"new_records must be 'append' or 'error', not {shown(new_records)}")
    return new_records == "error"


def _others(names: list[str], reference: str, thresholds: Any) -> list[Expression]:
    """What `EntityFrame.compare_all` compares with a reference."""
    if not isinstance(thresholds, Mapping):
        points = tuple(thresholds) if isinstance(thresholds, Iterator) else thresholds
        thresholds = dict.fromkeys(names, points)
    return [
        col(name).sweep() if points is None else Points.of(name, points)
        for name, points in thresholds.items()
        if name != reference
    ]
