"""The C extension: the public C interface of the engine, as Python objects. Nothing here is part of the public API.

Rules: no per-record work in Python; the GIL is released in every call that touches more than a few thousand records;
long calls look for signals about every 20 ms, so Ctrl-C raises KeyboardInterrupt and leaves everything as it was.
Errors of the engine are raised as the classes of ``starlings.exceptions``, with ``.row`` where there is one.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, final

from starlings._typing import KeyLike

#: phase, units done, units in all (0: unknown); called about every 20 ms with the GIL held. What it raises stops the
#: call. It must not use the context of the call it reports on: InvalidArgumentError. Not a runtime name.
ProgressCallback: TypeAlias = Callable[[str, int, int], None]

@final
class Buffer:
    """Read-only memory of the engine, exported by the buffer protocol: ``numpy.asarray(buffer)`` copies nothing."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Batches:
    """Arrow batches as they came in, or some rows of them; no buffer is copied."""

    def __init__(self, data: object) -> None:
        """``data``: a table with ``__arrow_c_stream__`` or ``__arrow_c_array__``, read once.

        TypeError for Arrow data of one column and for what is no Arrow data; InvalidArgumentError if it is malformed,
        with the row of a null struct.
        """
    @property
    def num_rows(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    def rows(self, indices: object, /) -> Batches:
        """These rows (a uint64 buffer) in this order."""
    def column(self, index: int, /) -> list[Any] | None:
        """The values of a column of nulls, bools, ints, floats, text or bytes; None for one of another type."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Context:
    """Records: (source, key) to index and back. Append-only. Objects are equal if they stand for the same context."""

    def __init__(self) -> None: ...
    @property
    def num_records(self) -> int: ...
    @property
    def nbytes(self) -> int: ...  # attributes not counted
    @property
    def key_kinds(self) -> int: ...
    def sources(self) -> list[str]: ...
    def copy(self, num_records: int | None = None) -> Context: ...
    def truncate(self, num_records: int) -> None:
        """Forget the records from this index on (undoing one's own appends)."""
    def intern_records(
        self, source: str, data: object, key_column: str | None = None, progress: ProgressCallback | None = None
    ) -> Buffer:
        """Index (uint32) of the record of each row, appending those not met before. All or nothing.

        ``data``: an Arrow stream or array (struct with ``key_column``), a data frame, a dict of columns, a list of
        dicts, or, where ``key_column`` is None, anything with rows (their keys are 0..n-1). DuplicateKeyError,
        InvalidKeyError with the row; InvalidArgumentError lists the columns if there is none of that name.
        """
    def intern(self, keys: object, source: str = "default", progress: ProgressCallback | None = None) -> Buffer:
        """Index (uint32) of each key, appending new ones.

        ``keys``: an Arrow array/chunked array/stream of one column, a numpy array, or any iterable of keys,
        (source, key) tuples and starlings.Key objects.
        """
    def intern_context(
        self, other: Context, num_records: int | None = None, progress: ProgressCallback | None = None
    ) -> Buffer:
        """Index here (uint32) of each of the first ``num_records`` records of ``other`` (None: all), by (source, key).

        Those not met before are appended, in the order of ``other``. All or nothing; ``other`` may be this context.
        """
    def find(self, keys: object, source: str = "default") -> Buffer:
        """Like intern, but changes nothing: 0xFFFFFFFF for unknown keys."""
    def find_one(self, key: KeyLike, source: str | None = None, num_records: int = 4294967294) -> int | None:
        """Index of a key or (source, key) among the first ``num_records`` records. ``source`` None and a bare key: the
        only one with that key in any source; ValueError if several sources have one."""
    def attach(self, batches: Batches, records: object | None = None, first: int = 0) -> None:
        """From now on row i of ``batches`` (all rows of them) describes record ``first`` + i, or records[i] (a uint32
        buffer, 0xFFFFFFFF: none). A record that has attributes keeps them."""
    @property
    def num_attachments(self) -> int: ...
    def attachment(self, number: int, /) -> Batches | None: ...
    def find_attributes(self, records: object, /) -> tuple[Buffer, Buffer]:
        """Attachment (uint32, 0xFFFFFFFF: none) and row in it (uint64) of each of these indices (a uint32 buffer)."""
    def record(self, index: int) -> tuple[str, int | str | bytes]: ...
    def source_records(self, source: str, num_records: int, /) -> Buffer:
        """Records (uint32) of a source among the first ``num_records``, ascending."""
    def record_set(self, records: object) -> set[tuple[str, int | str | bytes]]:
        """(source, key) of each of these indices (a uint32 buffer)."""
    def record_keys(self, records: object) -> list[int | str | bytes]: ...
    def record_kinds(self, records: object) -> int:
        """Kinds of key of these indices (a uint32 buffer): bit (1 << kind) for each."""
    def record_sources(self, records: object) -> Buffer:
        """Source id (uint16, an index into ``sources()``) of each of these indices (a uint32 buffer)."""

@final
class Hierarchy:
    """Immutable: order, join, levels."""

    @property
    def num_records(self) -> int: ...
    @property
    def num_levels(self) -> int: ...
    @property
    def num_merges(self) -> int: ...
    @property
    def is_exact(self) -> bool: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def order(self) -> Buffer: ...  # uint32
    @property
    def join(self) -> Buffer: ...  # uint32
    @property
    def levels(self) -> Buffer: ...  # float64, descending
    def applied_levels(self, threshold: float) -> int: ...
    def lifetimes(self, num_records: int, parameter: float) -> tuple[float, float]:
        """Means over all thresholds of entity_stability and of threshold_sensitivity with this shift, over
        ``num_records`` records (0: the hierarchy's own)."""
    def threshold_between(self, a: int, b: int) -> float | None:
        """Highest threshold at which two different records are together; they may lie beyond the hierarchy's."""
    def validate(self) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Partition:
    """The entities at one threshold; arrays are made when first asked for. Objects for the same one are equal."""

    def __init__(self, hierarchy: Hierarchy, threshold: float, num_records: int = 0) -> None: ...
    @property
    def threshold(self) -> float: ...
    @property
    def num_records(self) -> int: ...
    @property
    def num_entities(self) -> int: ...
    @property
    def offsets(self) -> Buffer: ...  # uint32, num_entities + 1
    @property
    def sizes(self) -> Buffer: ...  # uint32
    @property
    def labels(self) -> Buffer: ...  # uint32, by record
    @property
    def records(self) -> Buffer: ...  # uint32, by entity: entity e is records[offsets[e]:offsets[e + 1]]
    def entity(self, entity_id: int) -> Buffer:
        """Record indices of one entity (uint32). IndexError beyond the last."""
    def entity_set(self, context: Context, entity_id: int) -> set[tuple[str, int | str | bytes]]: ...
    def entity_sources(self, context: Context, entity_id: int) -> list[str]:
        """Names of the sources with a record in the entity, in order of source id."""
    def to_list(self, context: Context) -> list[set[tuple[str, int | str | bytes]]]: ...

@final
class Collection:
    """A hierarchy over the first records of a context, with the ten partitions cut last. Immutable but for these."""

    def __init__(
        self,
        context: Context,
        hierarchy: Hierarchy,
        num_records: int = 0,
        decimals: int = 6,
        earlier: Collection | None = None,
    ) -> None:
        """``earlier``: the collection that this one replaces; its stats go on."""
    @property
    def context(self) -> Context: ...
    @property
    def hierarchy(self) -> Hierarchy: ...
    @property
    def num_records(self) -> int: ...
    @property
    def decimals(self) -> int: ...
    def at(self, threshold: float, /) -> Partition:
        """Kept or cut now; the partition's own threshold is that of the first cut with the same merges."""
    def clear_cache(self) -> None: ...
    def stats(self) -> tuple[int, int, int, int, float, float, float]:
        """total, incremental, cached, cuts, cut_seconds, seconds, seconds_one_by_one."""

@final
class Frame:
    """Many collections over one context."""

    def __init__(self) -> None: ...
    def copy(self) -> Frame: ...
    def now(self) -> FrameState: ...
    def begin(self) -> FrameChange:
        """Waits until no other thread is changing the frame."""
    def metrics(self) -> dict[str, Any]:
        """The fields of sl_frame_metrics, by name."""

@final
class FrameState:
    """A frame at one moment. Immutable."""

    @property
    def context(self) -> Context: ...
    @property
    def num_records(self) -> int: ...
    @property
    def num_garbage(self) -> int: ...
    @property
    def last_compaction(self) -> int: ...  # nanoseconds since 1970 UTC, 0: never
    def names(self) -> list[str]: ...
    def sources(self) -> list[str]: ...
    def collection(self, name: object, /) -> Collection | None: ...
    def given(self) -> Buffer: ...  # uint32
    def garbage(self) -> Buffer: ...  # uint32

@final
class FrameChange:
    """A change on its way, all or nothing; ended by commit or abort on the thread that began it."""

    def context(self) -> Context:
        """The context to append to; what is appended becomes part of the frame with the commit."""
    def give(self, records: object, /) -> None:
        """These records (a uint32 buffer) are given as such. DuplicateKeyError for one given before or twice."""
    def attach(self, batches: Batches, records: object | None = None, first: int = 0) -> None:
        """The rows describe these records (a uint32 buffer), or first, first + 1, ...

        Where the frame had one of them before, the context is copied: nobody who has the frame as it was sees it.
        """
    def add(self, name: str, hierarchy: Hierarchy, decimals: int = 6) -> None: ...
    def assimilate(
        self,
        name: str,
        collection: Collection,
        known_records_only: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Buffer:
        """Add a collection made elsewhere; the index in the frame (uint32) of each of its records."""
    def drop(self, name: str, /) -> None: ...
    def compact(self) -> None: ...
    def commit(self, progress: ProgressCallback | None = None) -> None:
        """On an error, an interrupt included, the frame is as it was; the change has ended in every case."""
    def abort(self) -> None: ...

@final
class Curve:
    """Sums of one hierarchy at many cuts, from which every metric is a formula."""

    def __init__(
        self,
        judged: Collection | Hierarchy,
        num_records: int = 0,
        reference: Partition | None = None,
        thresholds: object | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        """``thresholds``: a float64 buffer, any order; None: every level of the hierarchy, ascending."""
    def __len__(self) -> int: ...
    @property
    def thresholds(self) -> Buffer: ...  # float64
    def metric(self, name: str, parameter: float | None = None) -> Buffer:
        """One metric at every cut (float64). ``parameter`` None: beta 1, or the shift SENSITIVITY_SHIFT.
        UnknownMetricError; ValueError where a reference is needed and missing."""

@final
class MergeEvents:
    """The merges of a hierarchy, highest threshold first, numbered over ``num_records`` records (0: its own)."""

    def __init__(self, hierarchy: Hierarchy, num_records: int = 0) -> None: ...
    def __len__(self) -> int: ...
    @property
    def hierarchy(self) -> Hierarchy: ...
    @property
    def num_records(self) -> int: ...
    def event(self, index: int) -> tuple[float, tuple[int, ...], int, Buffer]:
        """Threshold, components, result and affected records (uint32) of one event. IndexError beyond the last."""

@final
class Table:
    """Named columns for Arrow, made once, exported as often as wanted."""

    def __init__(self, num_rows: int) -> None: ...
    def add_numbers(self, name: str, values: object) -> None:
        """A one-dimensional contiguous number buffer; copied unless it is read-only, and then kept."""
    def add_categories(self, name: str, codes: object, strings: list[str]) -> None:
        """Row i is strings[codes[i]] (codes: a uint32 buffer)."""
    def add_record_sources(self, name: str, context: Context, records: object) -> None: ...
    def add_record_keys(self, name: str, context: Context, records: object) -> None: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

def extend(
    context: Context,
    base: Hierarchy | None,
    edges: object,
    *,
    columns: tuple[str | None, str | None, str | None, str | None, str | None] | None = None,
    source: str = "default",
    decimals: int = 6,
    known_records_only: bool = False,
    progress: ProgressCallback | None = None,
) -> Hierarchy:
    """The hierarchy over all records of ``context`` of the edges, and of ``base`` where given.

    ``edges``: an object with ``__arrow_c_stream__`` or ``__arrow_c_array__`` (columns recognised by spec section 8, or
    named by ``columns``: left, right, score, left_source, right_source; three unnamed-as-expected columns are taken in
    order), a data frame or a dict of columns likewise, a tuple of three equally long columns (numpy arrays, Arrow
    arrays, Series, lists, any iterables; a tuple of three tuples is three rows), or any iterable of
    (left, right, score), consumed in batches. ``decimals`` 0: exact. New keys are interned unless
    ``known_records_only``. On an error the context is as it was.
    """

def from_entities(
    context: Context,
    entities: object,
    threshold: float = 1.0,
    *,
    source: str = "default",
    known_records_only: bool = False,
    progress: ProgressCallback | None = None,
) -> Hierarchy:
    """Each entity an iterable of keys or (source, key), or an object with ``members``.

    OverlapError names the record and both entities; ``row`` of every error is the position of the entity. New records
    are numbered in the order of the input; members of a set, and a set of entities, are put into an order first.
    """

def from_labels(
    context: Context,
    keys: object,
    labels: object,
    threshold: float = 1.0,
    *,
    source: str = "default",
    known_records_only: bool = False,
    progress: ProgressCallback | None = None,
) -> Hierarchy:
    """keys[i] belongs to the entity labels[i] (labels: any keys). OverlapError for a key with two labels."""

def from_merges(
    events: object, num_records: int, exact: bool = False, progress: ProgressCallback | None = None
) -> Hierarchy:
    """The hierarchy over 0..num_records-1 of merge events, highest threshold first.

    ``events``: an iterable of (threshold, components), (threshold, components, result), or objects or mappings with
    ``threshold``, ``merging_components`` and perhaps ``result_component``. InvalidArgumentError and
    InvalidThresholdError with the row.
    """

def merge(
    base: Hierarchy,
    other: Hierarchy,
    translation: object | None,
    num_records: int,
    progress: ProgressCallback | None = None,
) -> Hierarchy: ...
def concat_batches(parts: Sequence[Batches], /) -> Batches | None:
    """One after another, without a copy; None if there are none or their columns differ."""

def rows_to_batches(rows: Sequence[Any], convert: Callable[[str, list[object]], Any]) -> Batches | None:
    """Arrow batches of mappings: columns in order of first appearance, null where a row lacks one. None if a row is
    no mapping.

    A column of nulls, bools, ints, floats, text or bytes gets the Arrow type that takes all its values as they are.
    Any other goes to ``convert`` (name, values), which gives back an Arrow table of that column or a list of text.
    """

SENSITIVITY_SHIFT: float  # of threshold_sensitivity where none is given

def metric_names() -> list[tuple[str, bool, bool, str]]:
    """(name, needs a reference, is a count, definition) of every metric, in the engine's order."""

def set_num_threads(num_threads: int) -> None: ...
def num_threads() -> int: ...
def memory_in_use() -> int: ...
def set_exceptions(module: Any) -> None:
    """Called once by the package: the module whose classes the extension raises."""

def version() -> str: ...
