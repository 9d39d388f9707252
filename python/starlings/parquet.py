"""Frames as folders of Parquet files: the tables of the relational form, a file each.

A folder is written beside its target under a name that begins with a dot, synced, and renamed: at the target there is
a whole folder, or none. Where another one is replaced it is first renamed aside, and back if the new one cannot take
its place; it is deleted last. pyarrow does the writing and reading.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from starlings._typing import PathLike, Progress
from starlings.exceptions import CorruptFileError, InvalidArgumentError, shown
from starlings.optional import require
from starlings.progress import reporting
from starlings.relations import READ, RELATIONS, Relation, batches_of, reader_of
from starlings.whole_files import refused

if TYPE_CHECKING:
    from starlings._core import ProgressCallback

__all__ = ["IfExists", "check_if_exists", "read_folder", "write_folder"]

_LONGEST_NAME = 255  # bytes that file systems give to a name

#: What to do where something is in the way: leave it and raise an error, or put the new in its place.
IfExists: TypeAlias = Literal["fail", "replace"]


def check_if_exists(if_exists: object) -> None:
    """Raise an error for what is neither of the two."""
    if if_exists not in ("fail", "replace"):
        raise InvalidArgumentError(f'if_exists must be "fail" or "replace", not {shown(if_exists)}')


def write_folder(folder: PathLike, tables: Mapping[str, Relation], if_exists: IfExists, progress: Progress) -> None:
    """Write each table to a file of its name in the folder.

    Raises
    ------
    InvalidArgumentError
        If there is something at `folder` already, but an empty folder; with ``"replace"`` only if it is no folder of
        such files.
    PathNotFoundError, PathPermissionError, SystemCallError
        If the system refuses; then what was at `folder` still is.
    """
    require("pyarrow", "write_parquet()")
    check_if_exists(if_exists)
    target = _place(folder)
    _check_target(target, if_exists)
    made = _beside(target, "new")
    try:
        made.mkdir()
        with reporting(progress) as callback:
            for name, table in tables.items():
                _write_file(made / _file_name(name), table, callback)
        _sync(made)
        _put_in_place(made, target, if_exists)
    except OSError as error:
        raise refused(error, error.filename or str(target), f"{target} could not be written") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_folder(folder: PathLike) -> dict[str, Any]:
    """The tables of a folder that tell a frame.

    Raises
    ------
    PathNotFoundError
        If the folder or a file is missing.
    PathPermissionError, SystemCallError
        If the system refuses to read one.
    CorruptFileError
        If one is no Parquet file.
    """
    require("pyarrow", "read_parquet()")
    place = _place(folder)
    with ExitStack() as opened:
        files = _open_files(place, opened)
        return {name: _read_file(place / _file_name(name), file) for name, file in files.items()}


def _open_files(folder: Path, opened: ExitStack) -> dict[str, BinaryIO]:
    """All files of one folder, even where another one takes its name meanwhile."""
    files: dict[str, BinaryIO] = {}
    path = folder
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, descriptor)
        for name in READ:
            path = folder / _file_name(name)
            file = os.open(_file_name(name), os.O_RDONLY, dir_fd=descriptor)
            files[name] = opened.enter_context(os.fdopen(file, "rb"))
    except OSError as error:
        raise refused(error, error.filename or str(path), f"{path} cannot be read") from error
    return files


def _read_file(path: Path, file: BinaryIO) -> Any:
    """The table in it, a row group at a time: Ctrl-C waits for no more than one."""
    pyarrow = import_module("pyarrow")
    try:
        parquet = import_module("pyarrow.parquet").ParquetFile(file)
        groups = [parquet.read_row_group(group) for group in range(parquet.num_row_groups)]
        return pyarrow.concat_tables(groups) if groups else parquet.read()
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise refused(error, error.filename or str(path), f"{path} cannot be read") from error
        raise CorruptFileError(f"{path} cannot be read: {error}") from error


def _place(folder: object) -> Path:
    """The folder as a path that the system can take."""
    if not isinstance(folder, (str, os.PathLike)) or "\0" in os.fsdecode(folder):
        raise InvalidArgumentError(f"{shown(folder)} is no path of a folder: give a str or an os.PathLike")
    return Path(os.fsdecode(folder))


def _file_name(table: str) -> str:
    return f"{table}.parquet"


def _beside(target: Path, what: str) -> Path:
    """A name in the same folder that nothing has."""
    most = _LONGEST_NAME - len(f"..{token_hex(8)}.{what}")
    start = os.fsdecode(os.fsencode(target.name)[:most])
    return target.absolute().parent / f".{start}.{token_hex(8)}.{what}"


def _check_target(target: Path, if_exists: IfExists) -> None:
    """Raise an error if something is in the way that is not to be replaced."""
    if not os.path.lexists(target) or _is_empty(target):
        return
    if if_exists == "fail":
        raise InvalidArgumentError(f'{target} is there already: give another name, or if_exists="replace"')
    if not _is_folder(target):
        raise InvalidArgumentError(f"{target} is no folder, and is not replaced by one")
    ours = {_file_name(name) for name in RELATIONS}
    others = sorted(entry.name for entry in target.iterdir() if entry.name not in ours or _is_folder(entry))
    if others:
        raise InvalidArgumentError(
            f"{target} is not replaced: {others[0]!r} in it is no file of a frame's tables; give another name"
        )


def _is_folder(path: Path) -> bool:
    """Whether this is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def _is_empty(path: Path) -> bool:
    return _is_folder(path) and not any(path.iterdir())


def _write_file(path: Path, table: Relation, progress: ProgressCallback | None) -> None:
    """One file, a row group a batch; on the disk when this returns."""
    with path.open("xb") as file:
        with import_module("pyarrow.parquet").ParquetWriter(file, reader_of(table).schema) as writer:
            for batch in batches_of(table, progress):
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Have the folder's entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(made: Path, target: Path, if_exists: IfExists) -> None:
    """Rename the new folder to its name, and what was there aside until that is done."""
    _check_target(target, if_exists)  # again: writing takes time
    if not target.exists() or _is_empty(target):
        made.rename(target)
    else:
        aside = _beside(target, "old")
        target.rename(aside)
        try:
            made.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    _sync(target.absolute().parent)
