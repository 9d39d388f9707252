"""The public C header as hawkmoth can read it: its sections as titles, a comment for every declaration.

The header is written for people who open it, in plain text. A copy is made beside the doctrees in which section banners
are titles and comments stand before what they are about, in reStructuredText: what is code is marked as code, names of
the interface are links. Declarations without a comment of their own have an empty one, so that none is missing.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx import addnodes

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

DOCS = Path(__file__).resolve().parents[1]
HEADER = DOCS.parent / "include" / "starlings.h"

_OPENING = re.compile(r"\A/\* (?P<text>starlings\.h: .*?)\*/", re.S)
_BANNER = re.compile(r"^/\* -{20,}\n(?P<text>(?: \* (?!-).*\n)+) \* -{20,} \*/$", re.M)
_BEHIND = re.compile(r"^(?P<indent> *)(?P<code>[^ \n][^\n]*?) +/\*\*< (?P<text>.*?) \*/$", re.M | re.S)
_COMMENT = re.compile(r"^(?P<indent> *)/\*\* (?P<text>.*?) ?\*/$", re.M | re.S)
_ENUM_IN_A_LINE = re.compile(r"^(typedef enum \w+ {) (.*) (} \w+;)$", re.M)
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`|\bdocs/(?P<page>\w+)\.md|\b(?P<name>sl_\w+|SL_\w+)(?:\(\))?")
_DECLARED = re.compile(r"^(?:SL_API .*?|typedef \w+ |    |#define |} )\*?\b(sl_\w+|SL_\w+)\b", re.M)

_INCLUDES = ["#include <stdbool.h>", "#include <stddef.h>", "#include <stdint.h>"]
_ARROW = re.compile(r"^#ifndef ARROW_C_DATA_INTERFACE\n.*^#endif\n(?=\n)", re.M | re.S)  # Arrow's own, described there
_SHORT_TITLE = 45
_REFERENCES = {
    "_retain": "One more reference to the same object.",
    "_release": "Gives a reference back; NULL is nothing to give back.",
}


def functions(header: str) -> list[str]:
    """Names of all public functions, in order."""
    return re.findall(r"^SL_API [^(]*?\b(sl_\w+)\(", header, flags=re.M)


def section_titles(header: str) -> list[str]:
    """Titles of the header's sections, in order."""
    return [_title_and_text(match["text"])[0] for match in _BANNER.finditer(header)]


def prepared(header: str) -> str:
    """The header with titles and a comment for everything, without what is there for compilers alone."""
    names = set(_DECLARED.findall(header)) | set(functions(header))
    opening = _OPENING.match(header)
    if opening is None:
        raise ValueError(f"{HEADER.name} does not open with a comment that begins with its name")
    body = header[header.index("#define SL_VERSION_MAJOR") : header.rindex("#ifdef __cplusplus")]
    arrow = _ARROW.findall(body)
    body = re.sub(r"^struct Arrow\w+;\n", "", _ARROW.sub("", body), flags=re.M)
    text = _BANNER.sub(lambda match: _section(match["text"], names), body)
    text = _ENUM_IN_A_LINE.sub(lambda match: _over_lines(*match.groups()), text)
    text = _BEHIND.sub(lambda match: f"{match['indent']}/** {match['text']} */\n{match['indent']}{match['code']}", text)
    text = _COMMENT.sub(lambda match: _comment(_as_rst(match["text"], names), match["indent"]), text)
    start = [*_INCLUDES, *arrow, _comment(_as_rst(opening["text"], names)), ""]
    return "\n".join([*start, *_none_bare(text.split("\n"))])


def _section(banner: str, names: set[str]) -> str:
    title, text = _title_and_text(banner)
    return _comment([title, "=" * len(title), "", *_as_rst(text, names)]) + "\n"


def _title_and_text(banner: str) -> tuple[str, str]:
    """A short banner is the title; of a longer one what stands before the colon."""
    whole = " ".join(line.removeprefix(" * ").strip() for line in banner.splitlines())
    title, colon, text = whole.partition(": ")
    if not colon or len(whole) <= _SHORT_TITLE:
        return whole, ""
    return title, text[:1].upper() + text[1:] + ("" if text.endswith((".", ")")) else ".")


def _over_lines(opening: str, members: str, end: str) -> str:
    return "\n".join([opening, *(f"    {member}," for member in members.split(", ")), end])


def _comment(lines: list[str], indent: str = "") -> str:
    if not any(lines):
        return f"{indent}/** */"
    return "\n".join([f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"])


def _as_rst(text: str, names: set[str]) -> list[str]:
    """The words of a comment: a line for each paragraph and list item; indented blocks are literal."""
    first, *rest = text.split("\n")
    body = textwrap.dedent("\n".join(re.sub(r"^ *\* ?", "", line) for line in rest))
    lines: list[str] = []
    for block in re.split(r"\n(?: *\n)+", f"{first.strip()}\n{body}".strip("\n")):
        if block.startswith("    "):
            lines += [".. code-block:: text", "", *("    " + line for line in textwrap.dedent(block).split("\n")), ""]
        else:
            lines += [line for part in _items(block) for line in (_marked(part, names), "")]
    return lines[:-1]


def _items(block: str) -> Iterator[str]:
    """A paragraph in one line; the items of a list in one each."""
    for part in re.split(r"\n(?= *- )", block):
        yield " ".join(part.split())


def _marked(paragraph: str, names: set[str]) -> str:
    """Code as code, names as links; what reStructuredText would take for markup is escaped."""
    bullet, text = ("- ", paragraph[2:]) if paragraph.startswith("- ") else ("", paragraph)
    parts, end = [], 0
    for match in _INLINE.finditer(text):
        parts += [_escaped(text[end : match.start()]), _code(match, names)]
        end = match.end()
    # a blank that is no blank lets markup begin and end anywhere
    return bullet + "".join([*parts, _escaped(text[end:])]).removeprefix("\\ ")


def _code(match: re.Match[str], names: set[str]) -> str:
    if match["code"]:
        return rf"\ ``{match['code']}``\ "
    if match["page"]:
        known = (DOCS / f"{match['page']}.md").exists()
        return rf"\ :doc:`/{match['page']}`\ " if known else rf"\ ``{match[0]}``\ "
    return rf"\ :c:expr:`{match['name']}`\ " if match["name"] in names else rf"\ ``{match[0]}``\ "


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_|`])", r"\\\1", text)


def _none_bare(lines: list[str]) -> Iterator[str]:
    """Every declaration, member and constant with a comment before it."""
    inside = False  # of a struct or an enum
    for before, line in zip(["", *lines], lines, strict=False):
        function = re.match(r"SL_API [^(]*?\bsl_\w+?(_retain|_release)?\(", line)
        constant = re.match(r"#define SL_(?!API|MUST_USE)\w+ (?P<value>\S.*)$", line)
        kind = re.match(r"typedef (?:enum|struct) \w+ (?:(?P<body>{)|\w+;)$", line)
        member = inside and re.match(r"    [A-Za-z][^{}]*[,;]?$", line)
        described = before.endswith("*/") and not before.strip().startswith("/* ")
        if (function or constant or kind or member) and not described:
            what = f"``{constant['value']}``" if constant else _REFERENCES.get((function and function[1]) or "", "")
            yield from _comment([what], "    " if member else "").split("\n")
        inside = bool(kind and kind["body"]) or (inside and not line.startswith("}"))
        yield line


def _prepare(app: Sphinx, config: Config) -> None:
    copy = Path(app.doctreedir) / HEADER.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    text = prepared(HEADER.read_text(encoding="utf-8"))
    if not copy.exists() or copy.read_text(encoding="utf-8") != text:
        copy.write_text(text, encoding="utf-8")
    config.hawkmoth_root = str(copy.parent)


def _shorten_contents(app: Sphinx, doctree: nodes.document) -> None:
    """Members and constants are not listed among the contents of their page."""
    for signature in doctree.findall(addnodes.desc_signature):
        if signature.parent["domain"] == "c" and signature.parent["objtype"] in ("member", "enumerator"):
            signature["_toc_name"] = ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", _prepare)
    app.connect("doctree-read", _shorten_contents, priority=400)  # before the contents are collected
    return {"parallel_read_safe": True}
