"""The explorer: a frame or a collection as one HTML file that shows it at every threshold, without any network.

`starlings.EntityFrame.explore` and `starlings.Collection.explore` make it; docs/explorer.md tells how to read it. Here
what it shows is measured and packed; `assets` holds the page, in plain JavaScript that needs no building.
"""

from __future__ import annotations

import os
from errno import EACCES, EISDIR, ENOENT
from pathlib import Path
from typing import Any

from starlings import _core
from starlings._typing import Progress
from starlings.arguments import check_int
from starlings.exceptions import InvalidArgumentError, shown
from starlings.explorer.contents import pack_contents
from starlings.explorer.page import page_of, write_page
from starlings.explorer.stops import MOST_STOPS
from starlings.explorer.subject import Subject, Yardstick
from starlings.progress import reporting
from starlings.whole_files import checked_path, is_stream, refused

__all__ = ["explore", "explored", "yardstick_of"]


def explore(
    path: str | os.PathLike[str],
    subject: Subject,
    yardstick: Yardstick,
    title: str | None,
    max_records: int | None,
    progress: Progress,
) -> Path:
    """Write the page of a subject; see `starlings.EntityFrame.explore`."""
    target = _checked_target(path)
    write_page(target, explored(subject, yardstick, title, max_records, progress))
    return Path(target)


def explored(
    subject: Subject,
    yardstick: Yardstick,
    title: str | None,
    max_records: int | None,
    progress: Progress = False,
    *,
    most_stops: int = MOST_STOPS,
) -> str:
    """The page itself, with about `most_stops` thresholds."""
    if title is not None and not isinstance(title, str):
        raise InvalidArgumentError(f"title must be a str, not {shown(title)}")
    most = None if max_records is None else check_int(max_records, "max_records", least=0)
    named = (title or "Starlings explorer").encode("utf-8", "replace").decode("utf-8")
    with reporting(progress) as callback:
        packed = pack_contents(subject, yardstick, named, most, most_stops, callback)
    return page_of(packed, named)


def yardstick_of(
    state: _core.FrameState, reference: Any, sample: Any, weights: Any, metrics: Any, level: float, source: str
) -> Yardstick:
    """What collections are measured by, from the arguments of `starlings.EntityFrame.explore`."""
    if reference is not None and sample is not None:
        raise InvalidArgumentError("give a reference or a sample of true entities, not both")
    if reference is not None:
        return Yardstick.against(state, reference, metrics)
    if sample is not None:
        return Yardstick.sampled(state, sample, weights, metrics, level, source)
    return Yardstick.none(metrics)


def _checked_target(path: Any) -> str:
    """Where to write: in a folder that exists. Said before anything is measured."""
    target = checked_path(path)
    if os.path.isdir(target):
        raise refused(IsADirectoryError(EISDIR, "it is a folder; name a file, such as 'report.html'"), target)
    if is_stream(target):
        return target
    folder = os.path.dirname(os.path.realpath(target))
    if not os.path.isdir(folder):
        raise refused(FileNotFoundError(ENOENT, f"there is no folder {folder}"), target)
    if not os.access(folder, os.W_OK):
        raise refused(PermissionError(EACCES, f"nothing may be written in {folder}"), target)
    return target
