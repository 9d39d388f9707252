"""Measures one case in this process and prints the result as one line of JSON: `python bench/measure.py CASE SIZE`.

Everything before the step (imports, loading, conversion) is outside the timer. Memory is the resident set: its
high-water mark is reset just before the step where the system allows (Linux), so that the peak is the step's own. To
profile a case, run this file under the profiler.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import ours
import peers
from case import Case, Data
from generate import SIZES, Size
from memory import give_back, resident

CASES = {case.name: case for case in [*ours.CASES, *peers.CASES]}
RESET = Path("/proc/self/clear_refs")
TOUCHED_PER_EDGE = 100  # bytes


def reset_peak() -> None:
    """Free what can be freed, then start the high-water mark anew."""
    give_back()
    with contextlib.suppress(OSError):
        RESET.write_text("5")


def touch_free_memory(size: Size) -> None:
    """Use and give back about as much memory as a step needs.

    A virtual machine's host takes unused memory away and hands it back page by page on the next use, which costs many
    times a plain page fault and falls on whichever case comes next. This way it falls on none. The step still pays for
    its own page faults.
    """
    available = os.sysconf("SC_AVPHYS_PAGES") * mmap.PAGESIZE
    wanted = min(TOUCHED_PER_EDGE * (size.edges + size.records), available // 2)
    with mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        with contextlib.suppress(OSError, AttributeError):
            memory.madvise(mmap.MADV_HUGEPAGE)
        for page in range(0, wanted, mmap.PAGESIZE):
            memory[page] = 1


def measure(case: Case, data: Data) -> dict[str, Any]:
    """Time, memory and facts of one case."""
    step = case.prepare(data)
    touch_free_memory(data.size)
    reset_peak()
    before = resident("VmRSS")
    worked = time.process_time()
    times: list[float] = []
    result: Any = None
    for call in step.calls:
        result = None
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    worked = time.process_time() - worked
    peak, held = resident("VmHWM"), resident("VmRSS")
    return {
        "seconds": median(times),
        "first_seconds": times[0],
        "cpu_seconds": worked / len(times),
        "calls": len(times),
        "peak_bytes": peak,
        "step_peak_bytes": max(peak - before, 0),
        "held_bytes": max(held - before, 0),
        "facts": step.facts(result),
        "figures": step.figures(result),
    }


def main(case: str, size: str) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        measured = measure(CASES[case], Data(SIZES[size]))
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
