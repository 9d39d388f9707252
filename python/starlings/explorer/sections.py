"""The data of a page as one text: arrays and texts one after the other, compressed, in base64.

Before compression: the length of a JSON text (8 bytes, little-endian), the text, then the sections that it refers to by
number, each aligned to 8 bytes. Base64 holds neither ``<`` nor ``&``, so whatever names, keys and attributes contain,
nothing of it can become part of the page.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sections"]

_ALIGNMENT: Final = 8
_TYPES: Final = {"|u1": "u8", "<u2": "u16", "<u4": "u32", "<f8": "f64"}
_COMPRESSION: Final = 6
_PIECE: Final = 2**20


class Sections:
    """Sections as they are added, each known by its number."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._table: list[tuple[str, int, int]] = []
        self._end = 0

    def add(self, array: NDArray[Any], dtype: str) -> int:
        """An array, as one of the types ``u1, u2, u4, f8``."""
        little = np.dtype(dtype).newbyteorder("<")
        return self._append(_TYPES[little.str], np.ascontiguousarray(array, dtype=little).tobytes())

    def add_json(self, value: Any) -> int:
        """Anything that JSON has."""
        return self._append("json", _json(value))

    def _append(self, kind: str, data: bytes) -> int:
        padded = data + bytes(-len(data) % _ALIGNMENT)
        self._table.append((kind, self._end, len(data)))
        self._parts.append(padded)
        self._end += len(padded)
        return len(self._table) - 1

    def pack(self, described: dict[str, Any]) -> str:
        """All of them and what describes them."""
        head = _json({**described, "sections": self._table})
        start = len(head).to_bytes(_ALIGNMENT, "little") + head + bytes(-len(head) % _ALIGNMENT)
        packing = zlib.compressobj(_COMPRESSION)
        packed = [packing.compress(piece) for part in (start, *self._parts) for piece in _pieces(part)]
        return b64encode(b"".join([*packed, packing.flush()])).decode("ascii")


def _pieces(data: bytes) -> Iterator[memoryview]:
    """Data in pieces between which an interrupt is heard."""
    return (memoryview(data)[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def _json(value: Any) -> bytes:
    """JSON as bytes; what is no number in JSON must not come here."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
