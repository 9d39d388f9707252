"""What memory this process holds: the resident set, after what is free has been given back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def resident(field: str) -> int:
    """Bytes of VmRSS (now) or VmHWM (highest so far); elsewhere than on Linux the highest so far for both."""
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def give_back() -> None:
    """Free what can be freed. The C library keeps some of what was freed for the next allocations, otherwise."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def held() -> int:
    """Bytes in use, without those that are only kept for later."""
    give_back()
    return resident("VmRSS")
