"""The native file, read and written: the one place that knows how."""

from __future__ import annotations

import starlings
from starlings._typing import Progress
from starlings.cli.mistakes import blaming
from starlings.cli.table_files import InputFile
from starlings.frame import EntityFrame

__all__ = ["load_frame", "save_frame"]


def load_frame(file: InputFile, progress: Progress, *, memory_map: bool = True) -> EntityFrame:
    """The frame of a file, mapped or read whole."""
    with blaming(file.name):
        return starlings.load(file.path, memory_map=memory_map, progress=progress)


def save_frame(frame: EntityFrame, path: str, progress: Progress) -> None:
    """Write a frame, in place of what is there only once all is written."""
    with blaming(path):
        frame.save(path, progress=progress)
