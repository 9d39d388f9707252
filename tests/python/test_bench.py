"""The benchmark runs: every case works at a tiny size and all agree about the results. Nothing here is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from starlings import costs

RUN = Path(__file__).resolve().parents[2] / "bench" / "run.py"
PEERS = {
    *("reference", "scipy-cut", "scipy-low-cut", "scipy-tree", "splink-cut", "splink-ten"),
    *("polars-encode", "sklearn-ari", "sklearn-many", "sklearn-grid", "scipy-metrics"),
    *("hashlib-loop", "digests", "er-estimate", "file-copy", "file-read"),
}
OURS = {
    *("ours-ints", "ours-records", "ours-strings", "ours-large-strings", "ours-curve", "ours-curve-default"),
    *("ours-many", "ours-grid", "ours-estimate", "ours-count", "ours-labels", "ours-sizes"),
    *("ours-hash", "ours-hash-table", "ours-memory", "ours-memory-scattered"),
    *("ours-save", "ours-load", "ours-load-read"),
}

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not RUN.exists(), reason="the benchmark is not part of this tree")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("bench") / "results.json"
    command = [sys.executable, str(RUN), "--quick", "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parsed: dict[str, Any] = json.loads(output.read_text())
    return parsed


def test_every_case_runs(results: dict[str, Any]) -> None:
    quick = results["sizes"]["quick"]
    assert not quick["failures"]
    assert set(quick["cases"]) == PEERS | OURS


def test_cases_agree_about_their_results(results: dict[str, Any]) -> None:
    quick = results["sizes"]["quick"]
    assert quick["disagreements"] == []
    facts = {case: entry["runs"][0]["facts"] for case, entry in quick["cases"].items()}
    with_entities = {case for case, known in facts.items() if "entities" in known}
    assert {
        "reference",
        "scipy-cut",
        "scipy-tree",
        "splink-cut",
        "splink-ten",
        "ours-ints",
        "ours-strings",
    } <= with_entities
    hashes = {"ours-hash", "ours-hash-table", "hashlib-loop", "digests"}
    assert hashes == {case for case, known in facts.items() if "digest_bits" in known}
    assert {"ari", "nmi", "f1"} <= facts["ours-curve"].keys() & facts["scipy-metrics"].keys()


def test_results_hold_what_figures_depend_on(results: dict[str, Any]) -> None:
    assert {"processor", "cores", "memory", "compiler"} <= results["machine"].keys()
    assert {"python", "starlings", "scipy", "polars", "splink"} <= results["versions"].keys()


def test_constants_of_estimates_are_stored(results: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    stored = next(tmp_path_factory.getbasetemp().glob("bench*/performance.json"))
    assert costs.load(stored).measured_on is not None


def test_targets_are_reported_as_ratios_and_limits(results: dict[str, Any]) -> None:
    quick = results["sizes"]["quick"]
    pairs = {(entry["ours"], entry["peer"]) for entry in quick["ratios"].values()}
    targets = {("ours-ints", "scipy-cut"), ("ours-strings", "polars-encode"), ("ours-curve", "sklearn-ari")}
    assert targets <= pairs
    limited = {"ours-count", "ours-labels", "ours-memory", "ours-memory-scattered"}
    assert {entry["ours"] for entry in quick["limits"].values()} >= limited
    assert all(entry["value"] > 0 for part in ("ratios", "limits") for entry in quick[part].values())


def test_every_repetition_is_kept(results: dict[str, Any]) -> None:
    for entry in results["sizes"]["quick"]["cases"].values():
        assert len(entry["runs"]) == 1
        assert {
            "seconds",
            "first_seconds",
            "cpu_seconds",
            "peak_bytes",
            "step_peak_bytes",
            "held_bytes",
            "figures",
        } <= entry["runs"][0].keys()
