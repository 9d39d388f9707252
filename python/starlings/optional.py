"""Libraries that only some results need, imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from starlings.exceptions import MissingDependencyError

__all__ = ["is_installed", "require"]

_EXTRAS = {
    "altair": "plot",
    "hypothesis": "testing",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "arrow",
    "typer": "cli",
}


def require(library: str, purpose: str) -> Any:
    """The module, imported.

    Raises
    ------
    MissingDependencyError
        Naming the extra of the package that brings it.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingDependencyError(
            f'{purpose} needs {library}, which is not installed: pip install "starlings[{_EXTRAS[library]}]"'
        ) from error


def is_installed(library: str) -> bool:
    """Whether the module could be imported, without importing it."""
    return find_spec(library) is not None
