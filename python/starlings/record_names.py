"""Records by name: from (source, key), as users call them, to their index in a context, and back for many at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from starlings import _core
from starlings._typing import KeyLike, RecordName
from starlings.exceptions import KeyNotFoundError, shown

__all__ = ["find_record", "record_names", "source_codes"]

_SOURCES_SHOWN: Final = 10


def find_record(context: _core.Context, key: KeyLike, num_records: int) -> int:
    """Index of a key or (source, key) among the first records of a context.

    Raises
    ------
    KeyNotFoundError
        If it is not one of them.
    """
    record = context.find_one(key, num_records=num_records)
    if record is None:
        sources = context.sources()
        known = ", ".join(map(repr, sources[:_SOURCES_SHOWN])) + (", ..." if len(sources) > _SOURCES_SHOWN else "")
        remedy = f"; check the key's source and type: the sources are {known}" if sources else ""
        raise KeyNotFoundError(f"no record {shown(key)} among these {num_records:,}{remedy}")
    return record


def source_codes(context: _core.Context, records: object) -> tuple[NDArray[np.uint32], list[str]]:
    """For each of these records the number of its source, and the names by number."""
    codes = np.asarray(context.record_sources(records)).astype(np.uint32)
    return codes, context.sources()[: int(codes.max(initial=0)) + 1]


def record_names(context: _core.Context, records: object) -> list[RecordName]:
    """Each of these records as (source, key)."""
    codes, names = source_codes(context, records)
    return list(zip(map(names.__getitem__, codes.tolist()), context.record_keys(records), strict=True))
