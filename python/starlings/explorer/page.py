"""The page as one HTML text, and as a file: styles, scripts and data in one, nothing fetched from anywhere.

Its Content-Security-Policy forbids every connection and every script and style but its own, which it names by their
hashes. Equal input makes equal bytes.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from starlings.whole_files import refused, replacing

__all__ = ["page_of", "write_page"]

#: In this order one program.
_SCRIPTS: Final = (
    *("reading.js", "hierarchy.js", "text.js", "chart.js"),
    *("sizes.js", "merges.js", "differences.js", "search.js", "main.js"),
)


def page_of(packed: str, title: str) -> str:
    """The page of packed contents. Of texts only the title is outside of them, escaped."""
    template, style, script = _assets()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    filled = {"policy": policy, "title": escape(title), "style": style, "script": script, "data": packed}
    parts = template.split("%%")
    return "".join(filled[part] if number % 2 else part for number, part in enumerate(parts))


@cache
def _assets() -> tuple[str, str, str]:
    """Template, style and script."""
    folder = files(__package__).joinpath("assets")
    read = {name: folder.joinpath(name).read_text("utf-8") for name in ("page.html", "explorer.css", *_SCRIPTS)}
    script = "\n".join(read[name] for name in _SCRIPTS)
    return read["page.html"], read["explorer.css"], f'"use strict";\n(() => {{\n{script}\n}})();\n'


def _hash(text: str) -> str:
    """What a policy calls an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def write_page(path: str, page: str) -> None:
    """Write a page as a whole: a reader sees what was there before or all of it."""
    try:
        with replacing(path) as file:
            file.write(page.encode("utf-8"))
    except OSError as error:
        raise refused(error, path) from error
