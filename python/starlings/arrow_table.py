"""Results that are tables: handed on through Arrow, to any reader of the PyCapsule interface."""

from __future__ import annotations

from typing import Any

from starlings import _core
from starlings.cached import cached_property
from starlings.optional import require

__all__ = ["ArrowTable"]


class ArrowTable:
    """What has columns for Arrow."""

    @cached_property
    def _table(self) -> _core.Table:
        """The columns for Arrow; every such result has its own."""
        raise NotImplementedError

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow stream; names and other text are dictionary-encoded."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow Table.

        Raises
        ------
        MissingDependencyError
            Without pyarrow. Any other reader of the Arrow PyCapsule interface takes the table as it is.
        """
        return require("pyarrow", "to_arrow()").table(self._table)

    def to_polars(self) -> Any:
        """A polars DataFrame.

        Raises
        ------
        MissingDependencyError
            Without polars.
        """
        return require("polars", "to_polars()").DataFrame(self._table)
