"""Records as they are written on the command line, and as they are shown.

``[source:][kind:]key`` where kind is ``int``, ``str`` or ``bytes`` (in hexadecimal). A part before a colon is a source
if there is one of that name, then a kind if it is one of the three. Without them all sources and kinds are looked
through; where several records answer, the error says how to write each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from starlings._typing import KeyValue, RecordName
from starlings.cli.mistakes import Mistake
from starlings.frame import EntityFrame
from starlings.key import Key

__all__ = ["find_named", "record_as_json", "record_as_text", "safe_text"]

_KINDS: Final = ("int", "str", "bytes")
_LARGEST: Final = 2**64 - 1


def find_named(frame: EntityFrame, text: str, source: str | None = None) -> RecordName:
    """The record of a frame that a text names; `source` says where to look.

    Raises
    ------
    Mistake
        If there is none, or more than one.
    """
    state = frame._core.now()
    sources = state.sources()
    if source is not None and source not in sources:
        raise Mistake(
            f"no source {source!r}; there are {', '.join(map(repr, sources)) or 'none'}", kind="KeyNotFoundError"
        )
    for names in _readings(text, [source] if source is not None else sources, source is None):
        found = [name for name in names if state.context.find_one(name, num_records=state.num_records) is not None]
        if len(found) == 1:
            return found[0]
        if found:
            ways = " or ".join(repr(_written(name)) for name in found)
            raise Mistake(f"{text!r} is the key of {len(found)} records; write {ways}", kind="InvalidArgumentError")
    there = ", ".join(map(repr, sources[:10])) or "none"
    raise Mistake(
        f"no record {text!r} among {state.num_records:,}; the sources are {there}, and source:key names one of them",
        kind="KeyNotFoundError",
    )


def _readings(text: str, sources: list[str], may_name_source: bool) -> Iterator[list[RecordName]]:
    """What a text may mean, the more particular reading first."""
    if may_name_source:
        prefixes = [source for source in sources if text.startswith(f"{source}:")]
        for source in sorted(prefixes, key=len, reverse=True):
            yield from _readings(text[len(source) + 1 :], [source], False)
    kind, colon, rest = text.partition(":")
    if colon and kind in _KINDS:
        yield [(source, key) for key in _keys(rest, (kind,)) for source in sources]
    yield [(source, key) for source in sources for key in _keys(text, ("int", "str"))]


def _keys(text: str, kinds: tuple[str, ...]) -> list[KeyValue]:
    """The keys of these kinds that are written like that."""
    keys: list[KeyValue] = []
    if "int" in kinds and re.fullmatch("0|[1-9][0-9]{0,19}", text) and int(text) <= _LARGEST:
        keys.append(int(text))
    if "str" in kinds and _is_unicode(text):
        keys.append(text)
    if "bytes" in kinds and re.fullmatch("([0-9a-fA-F]{2})*", text):
        keys.append(bytes.fromhex(text))
    return keys


def _is_unicode(text: str) -> bool:
    """Whether an argument was valid UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _kind_of(key: KeyValue) -> str:
    if isinstance(key, int):
        return "int"
    return "str" if isinstance(key, str) else "bytes"


def _plain(key: KeyValue) -> str:
    """A key as text."""
    return key.hex() if isinstance(key, bytes) else str(key)


def _written(name: RecordName) -> str:
    """How to write a record so that no other is meant."""
    source, key = name
    return f"{source}:{_kind_of(key)}:{_plain(key)}"


def record_as_text(name: RecordName) -> str:
    """A record as people read it: ``source:key``."""
    source, key = name
    prefix = "bytes:" if isinstance(key, bytes) else ""
    return safe_text(f"{source}:{prefix}{_plain(key)}")


def record_as_json(name: RecordName) -> dict[str, Any]:
    """A record as programs read it; bytes are hexadecimal."""
    source, key = name
    return {"source": source, "key": key if not isinstance(key, bytes) else key.hex(), "key_kind": Key(key).kind}


def safe_text(text: str) -> str:
    """Text of the data without characters that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
