"""The relational form: a frame as five tables, for databases, files and everyone who speaks SQL.

The engine makes the tables and reads them (docs/databases.md says what is in them); here they get the Arrow interface.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlings import _core
from starlings._typing import Progress
from starlings.arguments import check_int
from starlings.arrow_table import ArrowTable
from starlings.dataframes import is_pandas
from starlings.exceptions import InvalidArgumentError, StarlingsError
from starlings.immutable import Immutable
from starlings.optional import require
from starlings.progress import reporting

if TYPE_CHECKING:
    from starlings._core import ProgressCallback

__all__ = ["EXPANDED", "READ", "RELATIONS", "Relation", "batches_of", "frame_of_tables", "reader_of", "tables_of_state"]

#: The tables that tell a frame.
READ: Final = ("records", "collections", "merge_events", "merge_groups")
#: The one that only queries need.
EXPANDED: Final = "merge_group_records"
#: All of them.
RELATIONS: Final = (*READ, EXPANDED)

_LARGEST: Final = 2**64 - 1


class Relation(Immutable, ArrowTable):
    """One table of a frame in the relational form.

    It holds the frame as it was, and makes its rows anew, some 130,000 at a time, whenever they are read.

    Examples
    --------
    >>> import starlings as sl
    >>> frame = sl.EntityFrame()
    >>> frame.add_collection("model", edges=[("a", "b", 0.9), ("b", 7, 0.6)])
    >>> frame.to_tables()["merge_events"].to_polars()["threshold"].to_list()
    [0.9, 0.6]
    """

    def __init__(self, state: _core.FrameState, name: str, max_expanded: int) -> None:
        self._state = state
        self._name = name
        self._max_expanded = max_expanded

    @property
    def name(self) -> str:
        """What it is called, such as ``"merge_events"``."""
        return self._name

    def __repr__(self) -> str:
        return f"Relation({self._name!r})"

    @property
    def _table(self) -> Any:
        return self

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow stream of batches, made as they are read; sources and kinds are dictionary-encoded."""
        return self._state.relation(self._name, self._max_expanded)

    def to_pandas(self) -> Any:
        """A pandas DataFrame; sources and kinds of keys are categories.

        Raises
        ------
        MissingDependencyError
            Without pandas or pyarrow.
        """
        require("pandas", "to_pandas()")
        return self.to_arrow().to_pandas()


def tables_of_state(
    state: _core.FrameState, expand: bool, max_expanded: int | None, progress: Progress
) -> dict[str, Relation]:
    """The tables of a frame as it is in that state.

    Raises
    ------
    CapacityError
        If the expanded table would have more than `max_expanded` rows.
    InvalidArgumentError
        For a limit that is no int of 1 or more.
    """
    most = 0 if max_expanded is None else check_int(max_expanded, "max_expanded", least=1, most=_LARGEST)
    tables = {name: Relation(state, name, most) for name in (RELATIONS if expand else READ)}
    with reporting(progress) as callback:
        if expand:
            state.relation(EXPANDED, most, callback)  # says by itself if that is too much, before a row is made
    return tables


def reader_of(table: Relation) -> Any:
    """A pyarrow RecordBatchReader of the table."""
    return require("pyarrow", "a table of a frame").RecordBatchReader.from_stream(table)


def batches_of(table: Relation, progress: ProgressCallback | None) -> Iterator[Any]:
    """The rows as pyarrow record batches, made one by one; how many there are nobody knows beforehand."""
    done = 0
    for batch in reader_of(table):
        yield batch
        done += batch.num_rows
        if progress is not None:
            progress(f"writing {table.name}", done, 0)


def frame_of_tables(tables: Mapping[str, Any], progress: Progress) -> _core.Frame:
    """The frame that tables tell, which are read once each.

    Raises
    ------
    InvalidArgumentError
        If one is missing or no table, or with table, row and reason where they do not tell a frame.
    """
    if not isinstance(tables, Mapping):
        raise InvalidArgumentError(f"tables must be a dict of tables by name, not {type(tables).__name__}")
    missing = [name for name in READ if name not in tables]
    if missing:
        raise InvalidArgumentError(f"the tables {', '.join(missing)} are missing: a frame is told by {', '.join(READ)}")
    batches = {name: _batches(name, tables[name]) for name in READ}
    with reporting(progress) as callback:
        return _core.frame_from_relations(progress=callback, **batches)


def _batches(name: str, table: Any) -> _core.Batches:
    """The table as the engine takes it."""
    readable = require("pyarrow", f"the pandas table {name}").Table.from_pandas(table) if is_pandas(table) else table
    try:
        return _core.Batches(readable)
    except StarlingsError as error:
        raise InvalidArgumentError(f"table {name}: {error}", row=error.row) from error
    except TypeError as error:
        raise InvalidArgumentError(
            f"table {name} must be a table with the Arrow PyCapsule interface or a DataFrame, not "
            f"{type(table).__name__}"
        ) from error
