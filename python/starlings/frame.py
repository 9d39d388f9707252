"""Entity frames: many collections over one shared set of records.

A frame is one immutable state (context, number of records, collections by name) that every change replaces as a whole,
under a lock. Readers take the state that is there; views carry their own number of records and never see later ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from types import EllipsisType
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starlings import _core, analysis
from starlings._typing import EdgesLike, KeyLike, KeysLike, Progress, RecordsLike
from starlings.building import build_from_edges, build_from_entities, build_from_labels, decimals_of
from starlings.collection import Collection
from starlings.dataframes import readable_records
from starlings.exceptions import (
    CollectionNotFoundError,
    DuplicateCollectionError,
    DuplicateKeyError,
    InvalidArgumentError,
    KeyNotFoundError,
    OutOfMemoryError,
    shown,
    unpicklable,
)
from starlings.expressions import Expression
from starlings.key import check_name
from starlings.metrics import Defaults, MetricLike, nearest
from starlings.progress import reporting
from starlings.reports import Report
from starlings.state import Exclusive, PartitionCache, State, appending
from starlings.thresholds import check_threshold

__all__ = ["EntityFrame"]

#: What becomes of records that the frame does not have: they are added to it, or an error.
NewRecords: TypeAlias = Literal["append", "error"]


@dataclass(frozen=True)
class _Entry:
    """One collection of a frame."""

    hierarchy: _core.Hierarchy
    decimals: int
    cache: PartitionCache


@dataclass(frozen=True)
class _FrameState:
    """What a frame is at one moment."""

    context: _core.Context
    num_records: int
    sources: tuple[str, ...]
    entries: Mapping[str, _Entry]
    owns_context: bool

    def grown(
        self, context: _core.Context, num_records: int, entries: Mapping[str, _Entry], *, owns_context: bool
    ) -> _FrameState:
        """The state with more records. Unlike the context, it knows no sources of records that failed to be added."""
        added = np.arange(self.num_records, num_records, dtype=np.uint32)
        names = context.sources()
        present = [names[number] for number in np.unique(np.asarray(context.record_sources(added))).tolist()]
        sources = tuple(dict.fromkeys((*self.sources, *present)))
        return _FrameState(context, num_records, sources, entries, owns_context)

    def writable(self) -> _core.Context:
        """A context to which this frame may append."""
        return self.context if self.owns_context else self.context.copy(self.num_records)


class EntityFrame:
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
        self._state = _FrameState(_core.Context(), 0, (), {}, True)
        self._lock = Exclusive("frame")

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
            Anything with the Arrow PyCapsule stream (pyarrow, polars, pandas, DuckDB), or a list of dicts.
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
        entities of their own; views handed out before do not change.

        Examples
        --------
        >>> import starlings as sl
        >>> frame = sl.EntityFrame()
        >>> frame.add_records("shop", [{"id": 7}, {"id": 8}], key_column="id")
        >>> frame.num_records, frame.sources
        (2, ['shop'])
        """
        check_name(source)
        readable = readable_records(data, key_column)
        with self._lock, reporting(progress) as callback:
            state = self._state
            context = state.writable()
            with appending(context, state.num_records):
                _append_records(context, source, readable, key_column, callback)
                self._state = state.grown(context, context.num_records, state.entries, owns_context=True)

    @property
    def num_records(self) -> int:
        """The number of records."""
        return self._state.num_records

    @property
    def sources(self) -> list[str]:
        """Names of the sources that records are from, in order of first use."""
        return list(self._state.sources)

    # --------------------------------------------------------------------------------------------- adding collections

    def add_collection(
        self,
        name: str,
        collection: Collection | None = None,
        *,
        edges: EdgesLike | None = None,
        quantise: int | None | EllipsisType = ...,
        quantize: int | None | EllipsisType = ...,
        source: str = "default",
        left: str | None = None,
        right: str | None = None,
        score: str | None = None,
        left_source: str | None = None,
        right_source: str | None = None,
        new_records: NewRecords = "append",
        progress: Progress = None,
    ) -> None:
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
            Instead of a collection; this and the other parameters as in `Collection.from_edges`.
        quantise, quantize, source, left, right, score, left_source, right_source
            As in `Collection.from_edges`; with edges only.
        new_records : "append" or "error"
            What to do about records that the frame does not have: make them records of it, or raise an error.
        progress : bool, callable or None
            As in `Collection.from_edges`.

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
        check_name(source)
        known_only = _only_known(new_records)
        names = (left, right, score, left_source, right_source)
        if edges is None:
            if not isinstance(collection, Collection):
                raise InvalidArgumentError(f"{shown(collection)} is no Collection; scored pairs are given as edges=")
            if (quantise, quantize, source, *names) != (..., ..., "default", *(None,) * len(names)):
                raise InvalidArgumentError(
                    "quantise=, source= and names of columns are for edges=; a collection has its scores and sources"
                )
            self._assimilate(name, collection._state, known_only, progress)
            return
        decimals = decimals_of(quantise, quantize)
        with self._adding(name, progress) as change:
            hierarchy = build_from_edges(
                change.context, None, edges, names, source, decimals, known_only, change.progress
            )
            change.finish(hierarchy, decimals)

    def add_collection_from_edges(
        self,
        name: str,
        edges: EdgesLike,
        *,
        quantise: int | None | EllipsisType = ...,
        quantize: int | None | EllipsisType = ...,
        source: str = "default",
        left: str | None = None,
        right: str | None = None,
        score: str | None = None,
        left_source: str | None = None,
        right_source: str | None = None,
        new_records: NewRecords = "append",
        progress: Progress = None,
    ) -> None:
        """Add the collection of scored pairs; parameters and errors as in `Collection.from_edges` and `add_collection`.

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
        self.add_collection(
            name,
            edges=edges,
            quantise=quantise,
            quantize=quantize,
            source=source,
            left=left,
            right=right,
            score=score,
            left_source=left_source,
            right_source=right_source,
            new_records=new_records,
            progress=progress,
        )

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
        check_name(source)
        known_only = _only_known(new_records)
        at = check_threshold(threshold)
        with self._adding(name, progress) as change:
            change.finish(build_from_entities(change.context, entities, at, source, known_only, change.progress), 6)

    def add_collection_from_labels(
        self,
        name: str,
        keys: KeysLike,
        labels: KeysLike,
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
        check_name(source)
        known_only = _only_known(new_records)
        at = check_threshold(threshold)
        with self._adding(name, progress) as change:
            change.finish(build_from_labels(change.context, keys, labels, at, source, known_only, change.progress), 6)

    def _adding(self, name: str, progress: Progress) -> _Addition:
        """A block in which a collection is made over the frame's context, all or nothing."""
        return _Addition(self, name, progress)

    def _assimilate(self, name: str, given: State, known_only: bool, progress: Progress) -> None:
        """Add a collection of another context, its records translated by source and key."""
        with self._adding(name, progress) as change:
            if change.state.num_records == 0 and not known_only:  # nothing to translate to
                entries = change.entries(given.hierarchy, given.decimals)
                self._state = change.state.grown(given.context, given.num_records, entries, owns_context=False)
            elif given.context is change.state.context and given.num_records <= change.state.num_records:
                change.finish(given.hierarchy, given.decimals)
            else:
                translation = change.context.intern_context(given.context, given.num_records, change.progress)
                if known_only:
                    change.check_nothing_new(np.asarray(translation))
                nothing = _core.extend(change.context, None, [], decimals=given.decimals)
                # The hierarchy may cover fewer records than the collection has; the others are singletons anyway.
                covered = np.asarray(translation)[: given.hierarchy.num_records]
                hierarchy = _core.merge(nothing, given.hierarchy, covered, change.context.num_records, change.progress)
                change.finish(hierarchy, given.decimals)

    # ------------------------------------------------------------------------------------------------ the collections

    def collection_names(self) -> list[str]:
        """Names of the collections, in the order in which they were added."""
        return list(self._state.entries)

    def __getitem__(self, name: str) -> Collection:
        """A view of a collection over all records that the frame has now.

        Raises
        ------
        CollectionNotFoundError
            With the nearest name.
        """
        state = self._state
        entry = state.entries.get(name)
        if entry is None:
            raise _not_found(name, state.entries)
        return Collection._with_state(
            State(state.context, entry.hierarchy, state.num_records, entry.decimals, False, True, entry.cache)
        )

    def __len__(self) -> int:
        return len(self._state.entries)

    def __contains__(self, name: object) -> bool:
        return name in self._state.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.collection_names())

    def drop(self, *names: str) -> None:
        """Take collections out of the frame; views of them stay valid.

        Raises
        ------
        CollectionNotFoundError
            If the frame does not have one of them; then none is dropped.
        """
        with self._lock:
            entries = dict(self._state.entries)
            for name in dict.fromkeys(names):
                if name not in entries:
                    raise _not_found(name, self._state.entries)
                del entries[name]
            self._state = replace(self._state, entries=entries)

    def copy(self) -> EntityFrame:
        """An independent frame with the same records and collections. Shares memory until one of them changes."""
        frame = EntityFrame()
        state = self._state
        entries = {name: replace(entry, cache=PartitionCache()) for name, entry in state.entries.items()}
        frame._state = replace(state, entries=entries, owns_context=False)
        return frame

    def __copy__(self) -> EntityFrame:
        return self.copy()

    def __deepcopy__(self, memo: object) -> EntityFrame:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        raise unpicklable(self, "hand over its records and edges")

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
        state = self._state
        hierarchies = {name: entry.hierarchy for name, entry in state.entries.items()}
        with reporting(progress) as callback:
            try:
                return analysis.analyse(hierarchies, state.num_records, chosen, metrics, callback)
            except OutOfMemoryError:
                raise
            except MemoryError as error:
                message = f"the report is too large for memory: {error}; sweep with a larger step"
                raise OutOfMemoryError(message) from error

    def analyze(
        self,
        *expressions: Expression | Iterable[Expression],
        metrics: Iterable[MetricLike] | MetricLike | Defaults | None = None,
        progress: Progress = None,
    ) -> Report:
        """`analyse`."""
        return self.analyse(*expressions, metrics=metrics, progress=progress)

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
        return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _append_records(
    context: _core.Context, source: str, data: Any, key_column: str | None, progress: _core.ProgressCallback | None
) -> None:
    """Append records to a context; an error about counted keys says that they were counted."""
    try:
        context.add_records(source, data, key_column, progress)
    except DuplicateKeyError as error:
        if key_column is not None:
            raise
        raise DuplicateKeyError(
            f"{error}. Without key_column= keys are 0, 1, ... in every call: name the column that holds the keys",
            row=error.row,
            other_row=error.other_row,
        ) from None


class _Addition:
    """One collection on its way into a frame: holds the frame's lock, and undoes appended records on errors."""

    def __init__(self, frame: EntityFrame, name: str, progress: Progress) -> None:
        self._frame = frame
        self._name = name
        self._reporting = reporting(progress)

    def __enter__(self) -> _Addition:
        self._frame._lock.__enter__()
        try:
            self.state = self._frame._state
            check_name(self._name, "name of a collection")
            if self._name in self.state.entries:
                raise DuplicateCollectionError(
                    f"the frame has a collection {self._name!r} already; drop it first or choose another name"
                )
            self._context: _core.Context | None = None
            self.progress = self._reporting.__enter__()
        except BaseException:
            self._frame._lock.__exit__()
            raise
        return self

    @property
    def context(self) -> _core.Context:
        """The context to append to, copied first where others use it."""
        if self._context is None:
            self._context = self.state.writable()
        return self._context

    def check_nothing_new(self, records: NDArray[np.uint32]) -> None:
        """Raise an error unless these records were in the frame before."""
        new = records >= self.state.num_records
        if np.any(new):
            source, key = self.context.record(int(records[np.argmax(new)]))
            raise KeyNotFoundError(
                f"{np.count_nonzero(new):,} records of the collection are not in the frame, the first is "
                f"({shown(source)}, {shown(key)}); check the source, or leave out new_records='error'"
            )

    def entries(self, hierarchy: _core.Hierarchy, decimals: int) -> dict[str, _Entry]:
        """The frame's collections with the new one."""
        return {**self.state.entries, self._name: _Entry(hierarchy, decimals, PartitionCache())}

    def finish(self, hierarchy: _core.Hierarchy, decimals: int) -> None:
        """Put the collection and its new records into the frame."""
        entries = self.entries(hierarchy, decimals)
        if self._context is None:
            self._frame._state = replace(self.state, entries=entries)
        else:
            num_records = self._context.num_records
            self._frame._state = self.state.grown(self._context, num_records, entries, owns_context=True)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self._reporting.__exit__(None, None, None)
            failed = kind is not None and self._frame._state is self.state
            if failed and self._context is not None and self._context.num_records > self.state.num_records:
                self._context.truncate(self.state.num_records)
        finally:
            self._frame._lock.__exit__()


def _only_known(new_records: object) -> bool:
    """Whether an option says that there may be no new records."""
    if new_records not in ("append", "error"):
        raise InvalidArgumentError(f"new_records must be 'append' or 'error', not {shown(new_records)}")
    return new_records == "error"


def _not_found(name: object, entries: Mapping[str, _Entry]) -> CollectionNotFoundError:
    """The error for an unknown name."""
    return CollectionNotFoundError(f"no collection {name!r}{nearest(str(name), entries)}")
