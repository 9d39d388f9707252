"""Types that several modules name in their signatures."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, Union

if TYPE_CHECKING:
    from starlings.key import Key

#: A key value: an int 0..2**64-1, a str or bytes.
KeyValue: TypeAlias = int | str | bytes
#: What names one record: a key, a Key, or (source, key).
KeyLike: TypeAlias = Union[KeyValue, "Key", tuple[str, "KeyValue | Key"]]
#: What a record is called in results: (source, key).
RecordName: TypeAlias = tuple[str, KeyValue]
#: Where a file or folder is.
PathLike: TypeAlias = Union[str, "os.PathLike[str]"]
#: What scores and thresholds are: numbers in [0, 1], or any finite numbers.
Scale: TypeAlias = Literal["probability", "weight"]


class ArrowStream(Protocol):
    """Anything with the Arrow PyCapsule stream: tables of pyarrow, polars, pandas, DuckDB and many others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ArrowArray(Protocol):
    """Anything with the Arrow PyCapsule array: arrays and record batches."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any: ...


class SplinkTable(Protocol):
    """A SplinkDataFrame, of any of Splink's databases."""

    physical_name: str

    def as_pyarrow_table(self, limit: Any = None) -> Any: ...


#: Scored pairs: a table, a tuple of three columns, or any iterable of (left, right, score).
EdgesLike: TypeAlias = ArrowStream | ArrowArray | SplinkTable | Iterable[Any]
#: One column of keys: an Arrow, numpy or pandas column, or any iterable of keys.
KeysLike: TypeAlias = ArrowStream | ArrowArray | Iterable[Any]
#: Records with attributes: a table, or a list of dicts.
RecordsLike: TypeAlias = ArrowStream | ArrowArray | Iterable[Any]
#: True: a bar at once; False: none; None: a bar on a terminal once work lasts over a second; or a function that is
#: called about every 20 ms with phase, units done, units in all, and stops the work by raising.
Progress: TypeAlias = bool | Callable[[str, int, int], object] | None
