"""Frames and collections as Arrow tables: what goes with handing them over and taking them back.

The engine writes and reads the tables (docs/arrow.md says what they hold); here arguments are checked, and a stream is
wrapped for whoever takes objects with the Arrow PyCapsule interface.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlings.arguments import check_int
from starlings.dataframes import is_pandas
from starlings.exceptions import InvalidArgumentError, shown
from starlings.optional import require

__all__ = ["Stream", "arrow_data", "expanded_limit", "milliseconds", "pyarrow_table"]

_EPOCH: Final = datetime(1970, 1, 1)  # what is without a zone is compared with it


class Stream:
    """An Arrow stream, to be taken once."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream; a wish for another schema is left to whoever reads."""
        return self._capsule


def pyarrow_table(capsule: object) -> Any:
    """A stream as a pyarrow Table.

    Raises
    ------
    MissingDependencyError
        Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the object itself.
    """
    return require("pyarrow", "to_arrow()").table(Stream(capsule))


def expanded_limit(max_expanded: int | None) -> int:
    """`max_expanded` as the engine takes it: 0 stands for the default."""
    return 0 if max_expanded is None else check_int(max_expanded, "max_expanded", least=1)


def milliseconds(created_at: datetime | None) -> int:
    """A moment as the engine takes it: milliseconds since 1970 UTC, 0 for now."""
    if created_at is None:
        return 0
    if not isinstance(created_at, datetime):
        raise InvalidArgumentError(f"created_at must be a datetime or None, not {shown(created_at)}")
    moment = created_at if created_at.tzinfo is None else created_at.astimezone(UTC).replace(tzinfo=None)
    number = (moment - _EPOCH) // timedelta(milliseconds=1)
    if number == 0:
        raise InvalidArgumentError("created_at must differ from 1970-01-01 00:00:00 UTC, which stands for now")
    return number


def arrow_data(data: Any, what: str) -> Any:
    """`data`, if it is a table with the Arrow interface.

    Raises
    ------
    InvalidArgumentError
        If it is not.
    """
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return data
    if is_pandas(data):
        raise InvalidArgumentError(
            f"{what} cannot be read from pandas {type(data).__name__}: it has no Arrow interface"
        )
    raise InvalidArgumentError(
        f"{what} must be a table with the Arrow PyCapsule interface (pyarrow, polars, DuckDB), not {shown(data)}"
    )
