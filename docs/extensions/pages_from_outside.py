"""README.md and other files outside this folder as pages of the site, and links that lead somewhere in both places.

Pages are written for people who read them on a code host: links are relative to the file. Some pages of this folder are
a line each there (`PAGES`); on the site they are the files that they point to. Where a link leads out of the folder, it
is turned to the page that shows the target on the site; other files of the repository are offered as they are.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent

#: What a page of the site shows instead of its own text.
PAGES = {
    "overview": ROOT / "README.md",
    "changelog": ROOT / "CHANGELOG.md",
    "contributing": ROOT / "CONTRIBUTING.md",
    "benchmark": ROOT / "bench" / "README.md",
    "examples_in_c": ROOT / "examples" / "c" / "README.md",
}
#: Where the site shows a file of the repository.
SHOWN = {path: DOCS / f"{page}.md" for page, path in PAGES.items()} | {
    ROOT / "include" / "starlings.h": DOCS / "reference" / "c.rst",
}

_FENCED = re.compile(r"(^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)`*$)", re.M | re.S)
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def relinked(text: str, written_in: Path, shown_in: Path) -> str:
    """The text of `written_in` with links that lead to the same places from `shown_in`; code is left as it is."""

    def turned(link: re.Match[str]) -> str:
        target = (written_in.parent / link["path"]).resolve()
        place = SHOWN.get(target, target)
        return os.path.relpath(place, shown_in.parent) + (link["anchor"] or "")

    parts = _FENCED.split(text)  # text, a fenced block, its fence, text, ...
    blocks = iter(parts[1::3])
    return "".join(_LINK.sub(turned, part) + next(blocks, "") for part in parts[::3])


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    origin = PAGES.get(docname, page)
    if origin != page:
        app.env.note_dependency(str(origin))
        source[0] = origin.read_text(encoding="utf-8")
    source[0] = relinked(source[0], origin, page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
