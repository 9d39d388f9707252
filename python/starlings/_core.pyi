"""The C extension: the public C interface of the engine, as Python objects. Nothing here is part of the public API.

Rules: no per-record work in Python; the GIL is released in every call that touches more than a few thousand records;
long calls look for signals about every 20 ms, so Ctrl-C raises KeyboardInterrupt and leaves everything as it was.
Errors of the engine are raised as the classes of ``starlings.exceptions``, with ``.row`` where there is one.
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, final

from starlings._typing import KeyLike, Scale

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
    def numbers(self, index: int, /) -> tuple[Buffer, str] | None:
        """The bytes of a column of numbers and the name of their type; null floats are NaN, null ints an error."""
    def texts(self, index: int, /) -> tuple[Buffer, list[str]] | None:
        """Codes (uint32) of a column of text and the strings that they stand for, by first appearance."""
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
class EdgeList:
    """The edges that a hierarchy kept: each pair once, strongest first, equal scores by left and right record."""

    @property
    def num_records(self) -> int: ...
    @property
    def left(self) -> Buffer: ...  # uint32, less than right
    @property
    def right(self) -> Buffer: ...  # uint32
    @property
    def scores(self) -> Buffer: ...  # float64
    @property
    def nbytes(self) -> int: ...
    def neighbours(self, record: int) -> tuple[Buffer, Buffer]:
        """Neighbours of a record, strongest first, and the numbers of the edges to them (uint32)."""
    def __len__(self) -> int: ...

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
    def scale(self) -> Scale: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def order(self) -> Buffer: ...  # uint32
    @property
    def join(self) -> Buffer: ...  # uint32
    @property
    def levels(self) -> Buffer: ...  # float64, descending
    @property
    def kept(self) -> Literal["nothing", "forest", "all"]:
        """What it kept of its edges: "nothing", "forest" or "all"."""
    @property
    def edges(self) -> EdgeList | None: ...
    @property
    def constraints(self) -> tuple[tuple[str, ...], int, bool] | None:
        """Unique sources, largest size (0: any), whether ties are dropped; None: it was made without constraints."""
    @property
    def num_skipped(self) -> int: ...
    @property
    def num_tied(self) -> int: ...
    def applied_levels(self, threshold: float) -> int: ...
    def lifetimes(self, num_records: int, parameter: float) -> tuple[float, float]:
        """Means over all thresholds of entity_stability and of threshold_sensitivity with this shift, over
        ``num_records`` records (0: the hierarchy's own)."""
    def lineage(self, record: int, /) -> tuple[Buffer, Buffer, Buffer]:
        """Of the entities of one record, smallest first: threshold (float64, NaN: the record alone), position in the
        order (uint32, 0xFFFFFFFF: beyond the hierarchy) and size (uint32)."""
    def threshold_between(self, a: int, b: int) -> float | None:
        """Highest threshold at which two different records are together; they may lie beyond the hierarchy's."""
    def explain(self, a: int, b: int) -> tuple[float, Buffer, Buffer] | None:
        """Where two different records meet, the records from a to b (uint32) and the scores between them (float64).

        None where they never do. InvalidArgumentError unless it kept edges.
        """
    def strip(self) -> Hierarchy:
        """The merges alone, without kept edges and constraints."""
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
    def densities(self, threshold: float) -> Buffer:
        """Share of the pairs of each entity that an edge of at least the threshold joins (float64).

        InvalidArgumentError unless all edges were kept.
        """
    def to_list(self, context: Context) -> list[set[tuple[str, int | str | bytes]]]: ...
    def digests(
        self, context: Context, digest: str, of_indices: bool = False, progress: ProgressCallback | None = None
    ) -> Buffer:
        """Hashes (uint8), as many bytes for each entity as the digest has: sha256, sha512, blake3 or md5."""
    def fingerprints(self, context: Context, progress: ProgressCallback | None = None) -> Buffer:
        """128 values (uint32) for each entity."""

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
    def export(self, id: str, max_expanded: int = 0, progress: ProgressCallback | None = None) -> object:
        """A capsule with an Arrow stream in the collection schema; 0: the default limit."""
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
    def export(self, max_expanded: int = 0, created_at_ms: int = 0, progress: ProgressCallback | None = None) -> object:
        """A capsule with an Arrow stream in the frame schema; 0: the default limit, now."""
    def names(self) -> list[str]: ...
    def sources(self) -> list[str]: ...
    def collection(self, name: object, /) -> Collection | None: ...
    def relation(self, name: str, max_expanded: int = 0, progress: ProgressCallback | None = None) -> object:
        """A table of the relational form as an Arrow stream, in a capsule; ``max_expanded`` 0: the default.

        InvalidArgumentError for a name that none has; CapacityError where the expanded table would be larger.
        """
    def given(self) -> Buffer: ...  # uint32
    def garbage(self) -> Buffer: ...  # uint32
    def save(
        self, path: str | bytes | PathLike[str] | PathLike[bytes], progress: ProgressCallback | None = None
    ) -> None:
        """Write the frame to a file, which takes the place of what is there at the very end."""

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
class LazyMetrics:
    """Metrics of one hierarchy against one partition, computed when asked for and then kept."""

    def __init__(self, judged: Hierarchy, num_records: int, reference: Partition) -> None:
        """Over ``num_records`` records, at least those of both; those beyond either are singletons in it."""
    def get(self, name: str, threshold: float, parameter: float | None = None) -> float:
        """``parameter`` as in Curve.metric."""
    def stats(self) -> tuple[int, int, int, int, float, float, float]:
        """As Collection.stats."""

class Estimate:
    """Sums over a sample of true entities at many cuts, from which metrics are estimated."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        num_records: int,
        records: object,
        entities: object,
        num_entities: int,
        weights: object | None = None,
        thresholds: object | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        """``records``, ``entities``: uint32 buffers, row by row of the sample; ``weights``: a float64 buffer by entity;
        ``thresholds`` as in Curve."""
    def __len__(self) -> int: ...
    @property
    def thresholds(self) -> Buffer: ...  # float64
    def metric(
        self, name: str, parameter: float | None = None, level: float = 0.95
    ) -> tuple[Buffer, Buffer, Buffer, Buffer]:
        """Estimate, standard error, lower and upper bound at every cut (float64). ``parameter`` None: beta 1.
        UnknownMetricError; ValueError for a metric that cannot be estimated."""

@final
class MergeEvents:
    """The merges of a hierarchy, highest threshold first, numbered over ``num_records`` records (0: its own)."""

    def __init__(self, hierarchy: Hierarchy, num_records: int = 0) -> None: ...
    def __len__(self) -> int: ...
    @property
    def hierarchy(self) -> Hierarchy: ...
    @property
    def num_records(self) -> int: ...
    def event(self, index: int, /) -> tuple[float, tuple[int, ...], int, int, Buffer]:
        """Threshold, components, result, pairs and affected records (uint32). IndexError beyond the last."""
    def sizes(self, index: int, /) -> Buffer:
        """Records of each component of one event (uint32)."""
    def critical(self, count: int, /) -> Buffer:
        """Numbers (uint32) of the events that bring most pairs together, by ascending threshold and then number."""
    def columns(self, numbers: object, /) -> tuple[Buffer, Buffer, Buffer, Buffer]:
        """Threshold (float64), pairs (uint64), affected records and components (uint32) of events, by number."""

@final
class Diff:
    """What changed between two labellings (uint32 buffers; 0xFFFFFFFF: the record is left out) of the same records.

    Changes are numbered by kind: unchanged, split, merged, rearranged. Those of each kind by smallest entity before.
    """

    def __init__(self, before: object, num_before: int, after: object, num_after: int) -> None: ...
    @property
    def counts(self) -> tuple[int, int, int, int]: ...  # by kind
    @property
    def before(self) -> Buffer: ...  # uint32, entities change by change
    @property
    def after(self) -> Buffer: ...
    @property
    def num_before(self) -> Buffer: ...  # uint32, by change
    @property
    def num_after(self) -> Buffer: ...
    @property
    def num_records(self) -> Buffer: ...

@final
class Table:
    """Named columns for Arrow, made once, exported as often as wanted."""

    def __init__(self, num_rows: int) -> None: ...
    def add_numbers(self, name: str, values: object) -> None:
        """A one-dimensional contiguous number buffer; copied unless it is read-only, and then kept."""
    def add_binary(self, name: str, values: object, width: int, /) -> None:
        """Row i is values[i * width:(i + 1) * width] (a uint8 buffer, kept or copied as numbers are)."""
    def add_lists(self, name: str, values: object, width: int, /) -> None:
        """The same of a uint32 buffer, as lists."""
    def add_categories(self, name: str, codes: object, strings: list[str]) -> None:
        """Row i is strings[codes[i]] (codes: a uint32 buffer)."""
    def add_record_sources(self, name: str, context: Context, records: object) -> None: ...
    def add_record_keys(self, name: str, context: Context, records: object) -> None: ...
    def add_record_key_texts(self, name: str, context: Context, records: object) -> None:
        """Two columns: the keys as text, and ``<name>_kind``: u32 and u64 in decimal, string as it is, bytes in hex."""
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
    batch_rows: int = 0,
    tables: bool = False,
    scale: str = "probability",
    keep: str = "nothing",
) -> Hierarchy:
    """The hierarchy over all records of ``context`` of the edges, and of ``base`` where given.

    ``edges``: an object with ``__arrow_c_stream__`` or ``__arrow_c_array__`` (columns recognised by spec section 8, or
    named by ``columns``: left, right, score, left_source, right_source; three unnamed-as-expected columns are taken in
    order), a data frame or a dict of columns likewise, a tuple of three equally long columns (numpy arrays, Arrow
    arrays, Series, lists, any iterables; a tuple of three tuples is three rows), or any iterable of
    (left, right, score), consumed in batches. ``decimals`` 0: exact. ``scale``: "probability" or "weight", that of
    ``base``, else InvalidArgumentError. ``keep``: "nothing", "forest" or "all" of the edges. New keys are interned
    unless ``known_records_only``. On an error the context is as it was. ``batch_rows``: how many rows are held at once,
    unless all edges are kept; 0: as many as make the work quick. ``tables``: ``edges`` is an iterable of
    (edges, columns), read one after the other.
    """

def constrain(
    context: Context,
    hierarchy: Hierarchy,
    unique_sources: Sequence[str],
    max_entity_size: int,
    drop_ties: bool,
    keep: str,
    progress: ProgressCallback | None = None,
) -> Hierarchy:
    """The hierarchy of all edges that ``hierarchy`` kept, without the merges that must not be.

    ``max_entity_size`` 0: any. ``keep``: "nothing", "forest" or "all" of the edges. InvalidArgumentError unless
    ``hierarchy`` kept all its edges. The context is only read.
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

def from_membership(
    context: Context,
    data: object,
    threshold: float = 1.0,
    *,
    source: str = "default",
    known_records_only: bool = False,
    progress: ProgressCallback | None = None,
) -> Hierarchy:
    """Of an Arrow table with the columns source (optional), key and entity_id. OverlapError with both rows."""

def import_frame(data: object, progress: ProgressCallback | None = None) -> Frame:
    """Of an Arrow table in the frame schema."""

def import_collection(data: object, progress: ProgressCallback | None = None) -> Collection:
    """Of an Arrow table in the collection schema, with a context of its own."""

def from_merges(
    events: object,
    num_records: int,
    exact: bool = False,
    progress: ProgressCallback | None = None,
    scale: str = "probability",
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
def curves(
    comparisons: Sequence[tuple[Collection, object | None, Collection | None, float]],
    progress: ProgressCallback | None = None,
) -> list[Curve]:
    """A curve for each comparison, in parallel: (judged, thresholds, reference, where the reference is cut).

    ``thresholds`` as in Curve. Judged and reference are over as many records: else InvalidArgumentError with the
    comparison as row. Noted in the stats of the judged collections.
    """

def load(
    path: str | bytes | PathLike[str] | PathLike[bytes],
    memory_map: bool = True,
    progress: ProgressCallback | None = None,
) -> Frame:
    """The frame of a file that `FrameState.save` wrote."""

def concat_batches(parts: Sequence[Batches], /) -> Batches | None:
    """One after another, without a copy; None if there are none or their columns differ."""

def frame_from_relations(
    records: Batches,
    collections: Batches,
    merge_events: Batches,
    merge_groups: Batches,
    progress: ProgressCallback | None = None,
) -> Frame:
    """The frame of its tables. InvalidArgumentError with table, row and reason where they do not tell one."""

def rows_to_batches(rows: Sequence[Any], convert: Callable[[str, list[object]], Any]) -> Batches | None:
    """Arrow batches of mappings: columns in order of first appearance, null where a row lacks one. None if a row is
    no mapping.

    A column of nulls, bools, ints, floats, text or bytes gets the Arrow type that takes all its values as they are.
    Any other goes to ``convert`` (name, values), which gives back an Arrow table of that column or a list of text.
    """

SENSITIVITY_SHIFT: float  # of threshold_sensitivity where none is given

def fingerprint_similarity(a: object, b: object, /) -> float:
    """Of two fingerprints (uint32 buffers of 128)."""

def hex_dict(digests: object, size: int, /) -> dict[int, str]:
    """Digests of ``size`` bytes (a uint8 buffer) as text, by number."""

def is_estimable(name: str, /) -> bool:
    """Whether a metric can be estimated from a sample of true entities."""

def metric_names() -> list[tuple[str, bool, bool, str]]:
    """(name, needs a reference, is a count, definition) of every metric, in the engine's order."""

def set_num_threads(num_threads: int) -> None: ...
def num_threads() -> int: ...
def memory_in_use() -> int: ...
def set_exceptions(module: Any) -> None:
    """Called once by the package: the module whose classes the extension raises."""

def version() -> str: ...
