"""The C extension: the public C interface of the engine, as Python objects. Nothing here is part of the public API.

Rules: no per-record work in Python; the GIL is released in every call that touches more than a few thousand records;
long calls look for signals about every 20 ms, so Ctrl-C raises KeyboardInterrupt and leaves everything as it was.
Errors of the engine are raised as the classes of ``starlings.exceptions``, with ``.row`` where there is one.
"""

from collections.abc import Callable
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
class Context:
    """Records: (source, key) to index and back. Append-only."""

    def __init__(self) -> None: ...
    @property
    def num_records(self) -> int: ...
    @property
    def key_kinds(self) -> int: ...
    def sources(self) -> list[str]: ...
    def copy(self, num_records: int | None = None) -> Context: ...
    def truncate(self, num_records: int) -> None:
        """Forget the records from this index on (undoing one's own appends)."""
    def add_records(
        self, source: str, data: object, key_column: str | None = None, progress: ProgressCallback | None = None
    ) -> tuple[int, int]:
        """Append records with new keys; (first index, how many). All or nothing.

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
    def find_one(self, key: KeyLike, source: str | None = None) -> int | None:
        """Index of a key or (source, key). ``source`` None and a bare key: the only record with that key in any source;
        ValueError if several sources have one."""
    def record(self, index: int) -> tuple[str, int | str | bytes]: ...
    def record_set(self, records: object) -> set[tuple[str, int | str | bytes]]:
        """(source, key) of each of these indices (a uint32 buffer)."""
    def record_keys(self, records: object) -> list[int | str | bytes]: ...
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
    def validate(self) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Partition:
    """The entities at one threshold; arrays are made when first asked for."""

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
class Curve:
    """Sums of one hierarchy at many cuts, from which every metric is a formula."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        num_records: int = 0,
        reference: Partition | None = None,
        thresholds: object | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        """``thresholds``: a float64 buffer, any order; None: every level of the hierarchy, ascending."""
    def __len__(self) -> int: ...
    @property
    def thresholds(self) -> Buffer: ...  # float64
    def metric(self, name: str, parameter: float = 1.0) -> Buffer:
        """One metric at every cut (float64). UnknownMetricError; ValueError where a reference is needed and missing."""

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

def merge(
    base: Hierarchy,
    other: Hierarchy,
    translation: object | None,
    num_records: int,
    progress: ProgressCallback | None = None,
) -> Hierarchy: ...
def metric_names() -> list[tuple[str, bool, bool, str]]:
    """(name, needs a reference, is a count, definition) of every metric, in the engine's order."""

def set_num_threads(num_threads: int) -> None: ...
def num_threads() -> int: ...
def memory_in_use() -> int: ...
def set_exceptions(module: Any) -> None:
    """Called once by the package: the module whose classes the extension raises."""

def version() -> str: ...
