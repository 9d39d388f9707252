"""The benchmark: Starlings beside its peers on the same data, every repetition in a fresh process.

    make bench                 1M records with 1M and 5M edges
    BENCH=large make bench     also 10M records with 50M edges
    python bench/run.py --quick                          a smoke test of a few seconds
    python bench/run.py --only ours-ints --size 1M-5M    one case

Prints a table for each size and writes build/bench/results.json. README.md beside this file explains the method. The
exit status is 1 if a case failed or two cases disagree about a result, never because something is slow or a peer is
not installed. A whole run ends by storing this machine's constants for `starlings.PerformanceProfile`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import ours
import report
from case import Case
from generate import CACHE, SIZES, Size
from measure import CASES
from peers import DIGESTS_LIBRARY, REFERENCE_LIBRARY

HERE = Path(__file__).resolve().parent
PACKAGES = ["starlings", "numpy", "scipy", "scikit-learn", "polars", "pyarrow", "duckdb", "splink"]
OURS = {case.name for case in ours.CASES}
NOT_INSTALLED = "not installed"


def compile_references() -> None:
    """Compile the plain C references with the system's compiler."""
    CACHE.mkdir(parents=True, exist_ok=True)
    flags = ["-std=c17", "-O3", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", REFERENCE_LIBRARY, HERE / "reference.c"], check=True)
    subprocess.run(["cc", *flags, "-o", DIGESTS_LIBRARY, HERE / "digests.c", "-lcrypto"], check=True)


def run_case(case: str, size: Size) -> report.Run | str:
    """One repetition in a fresh process: what it measured, or why it could not."""
    command = [sys.executable, str(HERE / "measure.py"), case, size.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        measured: report.Run = json.loads(done.stdout)
        return measured
    reason = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
    return f"{NOT_INSTALLED}: {reason}" if reason.startswith("ModuleNotFoundError") else f"failed: {reason}"


def run_rounds(cases: list[Case], size: Size, rounds: int) -> tuple[report.Runs, dict[str, str]]:
    """Every case once a round, in turn; a case that fails is not tried again."""
    runs: report.Runs = {case.name: [] for case in cases}
    failures: dict[str, str] = {}
    for number in range(rounds):
        for case in cases:
            if case.name in failures or (case.slow and number and size.records > 1_000_000):
                continue
            start = time.perf_counter()
            outcome = run_case(case.name, size)
            if isinstance(outcome, str):
                failures[case.name] = outcome
            else:
                runs[case.name].append(outcome)
            told = outcome if isinstance(outcome, str) else report.time_text(outcome["seconds"])
            took = time.perf_counter() - start
            print(f"{size.name} round {number + 1}/{rounds} {case.name}: {told} ({took:.1f} s)", file=sys.stderr)
    return runs, failures


def first_line(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def field_of(path: str, key: str) -> str:
    """The first `key : value` of a file in /proc."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "unknown")


def huge_pages() -> str:
    try:
        return Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text().strip()
    except OSError:
        return "unknown"


def machine() -> dict[str, Any]:
    """What the figures depend on besides the program."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": field_of("/proc/cpuinfo", "model name"),
        "cores": cores,
        "memory": field_of("/proc/meminfo", "MemTotal"),
        "transparent_hugepage": huge_pages(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "compiler": first_line(["cc", "--version"]),
        "load_before": os.getloadavg(),
    }


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return NOT_INSTALLED


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: package_version(name) for name in PACKAGES}}


def run_size(size: Size, cases: list[Case], rounds: int) -> dict[str, Any]:
    """Generate, run and print one size."""
    generated = subprocess.run([sys.executable, str(HERE / "generate.py"), size.name], check=False)
    if generated.returncode:
        raise SystemExit(f"the data for {size.name} could not be generated")
    runs, failures = run_rounds(cases, size, rounds)
    result = report.summary(runs, failures, size.name)
    heading = f"\n{size.name}: {size.records:,} records, {size.edges:,} edges, {rounds} round(s)"
    print(report.table(heading, {case.name: case.title for case in cases}, result), flush=True)
    return {"records": size.records, "edges": size.edges, "rounds": rounds, **result}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny size, one round: does everything run?")
    parser.add_argument("--only", action="append", choices=list(CASES), metavar="CASE", help="this case (repeatable)")
    parser.add_argument("--size", action="append", choices=list(SIZES), help="this size (repeatable)")
    parser.add_argument("--rounds", type=int, help="repetitions of each case (default 5, at the large size 3)")
    parser.add_argument("--output", type=Path, default=CACHE / "results.json", help="where the JSON goes")
    return parser.parse_args()


def chosen_sizes(arguments: argparse.Namespace) -> list[Size]:
    large = ["10M-50M"] if os.environ.get("BENCH") == "large" else []
    names = ["quick"] if arguments.quick else arguments.size or ["1M-1M", "1M-5M", *large]
    return [SIZES[name] for name in names]


def rounds_of(arguments: argparse.Namespace, size: Size) -> int:
    return arguments.rounds or (1 if arguments.quick else 3 if size.records > 1_000_000 else 5)


def is_broken(result: dict[str, Any]) -> bool:
    """Whether results disagree or a case failed; a peer that is not installed is only left out."""
    failed = (case in OURS or not why.startswith(NOT_INSTALLED) for case, why in result["failures"].items())
    return bool(result["disagreements"]) or any(failed)


def store_constants(arguments: argparse.Namespace) -> None:
    """Measure what `starlings.PerformanceProfile` estimates from, after a whole run for this user's later estimates."""
    import starlings as sl

    if arguments.only:
        return
    if arguments.quick:
        sl.PerformanceProfile.measure(arguments.output.with_name("performance.json"), largest=4_000)
        return
    print("\nmeasuring the constants of PerformanceProfile", flush=True)
    sl.PerformanceProfile.measure()
    print(sl.PerformanceProfile.estimate(1_000_000, 5_000_000))


def main() -> int:
    arguments = parse_arguments()
    cases = [CASES[name] for name in arguments.only or CASES]
    compile_references()
    results: dict[str, Any] = {"machine": machine(), "versions": versions(), "sizes": {}}
    for part in ("machine", "versions"):
        print(", ".join(f"{name}: {value}" for name, value in results[part].items()))
    for size in chosen_sizes(arguments):
        results["sizes"][size.name] = run_size(size, cases, rounds_of(arguments, size))
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    if any(is_broken(size) for size in results["sizes"].values()):
        return 1
    store_constants(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
