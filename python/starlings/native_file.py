"""The native file: a frame on disk, with everything it has; docs/format.md says what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlings import _core
from starlings._typing import PathLike, Progress
from starlings.exceptions import SystemCallError
from starlings.progress import reporting
from starlings.whole_files import checked_path

if TYPE_CHECKING:
    from starlings.frame import EntityFrame

__all__ = ["load", "save_state"]


def load(path: PathLike, *, memory_map: bool = True, progress: Progress = None) -> EntityFrame:
    """The frame of a file that `EntityFrame.save` wrote.

    It has all that was saved: records with their attributes, collections with the edges they keep and their
    constraints, which records were given and which are garbage. The whole file is checked before any of it is used.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    memory_map : bool
        Use the large arrays where the file is mapped into memory, for as long as the frame or anything taken from it
        lives; the file may be replaced or deleted meanwhile. It must not be written to or cut short in place, which
        would end the process or change the frame: with ``memory_map=False`` the file is read into memory instead.
    progress : bool, callable or None
        As in `Collection.from_edges`.

    Raises
    ------
    PathNotFoundError, PathIsFolderError, PathPermissionError, SystemCallError
        If the file cannot be read; also the built-in errors of these kinds.
    CorruptFileError
        If it is no file of starlings, cut short or altered, or of a newer version of the format.

    Examples
    --------
    >>> import os, tempfile
    >>> import starlings as sl
    >>> frame = sl.EntityFrame.from_records("crm", [{"id": "a"}, {"id": "b"}], key_column="id")
    >>> frame.add_collection_from_edges("model", [("a", "b", 0.9)], source="crm")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "people.starlings")
    ...     frame.save(path)
    ...     again = sl.load(path)
    >>> again
    EntityFrame(num_records=2, collections=['model'])
    """
    from starlings.frame import EntityFrame

    checked = checked_path(path)
    with _naming(checked), reporting(progress) as callback:
        return EntityFrame._with_core(_core.load(checked, memory_map, callback))


def save_state(state: _core.FrameState, path: PathLike, progress: Progress) -> None:
    """Write a frame as it is at one moment to a file."""
    checked = checked_path(path)
    with _naming(checked), reporting(progress) as callback:
        state.save(checked, callback)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Let errors of the system say which file they are about."""
    try:
        yield
    except SystemCallError as error:
        if error.errno is not None:
            error.filename = path
            error.strerror = os.strerror(error.errno)
        raise
