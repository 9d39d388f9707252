"""The two ways in which the demo gives up, both reported in one line and with exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["DemoError", "MissingExtraError", "needs_extra"]


class DemoError(Exception):
    """The input cannot be used; the message says which file, what was wrong and what to do."""


class MissingExtraError(DemoError):
    """A library is absent that an optional extra of the package brings."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Turn an ImportError inside the block into an error that names the extra.

    Parameters
    ----------
    extra : str
        Name of the extra, without the package's own name.

    Raises
    ------
    MissingExtraError
        If a library that the block imports is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("starlings"):
            raise
        raise MissingExtraError(
            f"{error.name.partition('.')[0]} is not installed; it comes with an extra: pip install 'starlings[{extra}]'"
        ) from error
