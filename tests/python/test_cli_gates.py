"""Gates: above, at and under the limit, several at once, at the best threshold; malformed ones are mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import starlings as sl
from cli_runs import LABELS, Run, frame_of, write_csv, write_pairs
from starlings.cli.gates import judge, parse_gates


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    """Pairs and the truth: at 0.6 precision is 0.6 and recall 1, at 0.7 both are 1, at 0.9 recall is 1/3."""
    labels = write_csv(tmp_path / "truth.csv", "key,label", LABELS)
    return ["compare", write_pairs(tmp_path, "csv"), "--truth", labels, "-q"]


def values(cut: float) -> dict[str, float]:
    frame = frame_of()
    frame.add_collection_from_labels("truth", *map(list, zip(*LABELS, strict=True)))
    row = frame.analyse(sl.col("model").at(cut), sl.col("truth").at(1.0))[0]
    return {name: value for name, value in row.items() if isinstance(value, float)}


@pytest.mark.parametrize("metric", ["precision", "recall", "f1", "nmi"])
@pytest.mark.parametrize("cut", [0.6, 0.8, 0.9])
def test_equal_passes_and_less_fails(metric: str, cut: float, cli: Run, arguments: list[object]) -> None:
    value = values(cut)[metric]
    for limit, code in ((value, 0), (np.nextafter(value, 2), 1), (value - 0.1, 0), (value + 0.1, 1)):
        done = cli(
            *arguments,
            f"model@{cut}",
            "--fail-under",
            f"{metric}={limit!r}".replace("np.float64(", "").rstrip(")"),
            "--json",
        )
        (gate,) = done.json["gates"]
        assert done.code == code and done.json["passed"] is (code == 0) and gate["passed"] is (code == 0)
        assert (gate["metric"], gate["limit"], gate["value"], gate["kind"]) == (metric, limit, value, "under")
        assert (gate["collection"], gate["threshold"]) == ("model", cut)


def test_the_message_says_where_and_by_how_much(cli: Run, arguments: list[object]) -> None:
    done = cli(*arguments, "model@0.6", "--fail-under", "precision=0.9", "--fail-under", "recall=0.9")
    assert done.code == 1
    assert done.errors == "starlings: failed: model@0.6: precision is 0.6, under 0.9 by 0.3\n"
    assert done.text.startswith("collection  threshold")


def test_all_gates_have_to_hold_at_one_threshold(cli: Run, arguments: list[object]) -> None:
    limits = ["--fail-under", "recall=1", "--fail-under", "precision=1"]
    assert cli(*arguments, "model@0.6", *limits).code == 1
    assert cli(*arguments, "model@0.9", *limits).code == 1
    assert cli(*arguments, "model@0.6", "model@0.9", *limits).code == 1
    assert cli(*arguments, *limits).code == 0
    assert cli(*arguments, "model", "model@0.6", *limits).code == 1
    assert cli(*arguments, "--best", "precision", *limits).code == 1  # the highest threshold of equally precise ones
    assert cli(*arguments, "--best", "f1", *limits).code == 0


def test_gates_of_metrics_that_are_not_shown(cli: Run, arguments: list[object]) -> None:
    done = cli(
        *arguments, "model@0.7", "-m", "f1", "--fail-under", "bcubed_f1=1", "--fail-under", "f_beta(2)=1", "--json"
    )
    assert done.code == 0 and done.json["metrics"] == ["f1", "bcubed_f1", "f_beta(2.0)"]


def test_less_is_better_for_some(cli: Run, arguments: list[object]) -> None:
    assert cli(*arguments, "model@0.7", "--fail-over", "variation_of_information=0").code == 0
    assert cli(*arguments, "model@0.6", "--fail-over", "variation_of_information=0").code == 1
    assert cli(*arguments, "model@0.7", "--fail-over", "entity_count=3").code == 1
    assert cli(*arguments, "model@0.7", "--fail-over", "entity_count=4").code == 0


@pytest.mark.parametrize(
    ("gate", "wanted"),
    [
        ("f1", "metric=value"), ("f1=", "metric=value"), ("=0.9", "metric=value"), ("f1=high", "metric=value"),
        ("f1=nan", "metric=value"), ("f1=inf", "metric=value"), ("", "metric=value"), ("f1==0.9", "metric=value"),
        ("fone=0.9", "no metric 'fone'"), ("f_beta(x)=0.5", "beta"),
    ],
)  # fmt: skip
def test_malformed_gates_are_mistakes(gate: str, wanted: str, cli: Run, arguments: list[object]) -> None:
    assert wanted in cli(*arguments, "--fail-under", gate).error


def test_a_value_that_is_none_fails() -> None:
    report = sl.Report(
        {"collection": np.array(["m", "m"]), "threshold": np.array([0.1, 0.2]), "f1": np.array([np.nan] * 2)}
    )
    (verdict,) = judge(parse_gates(["f1=0"], []), report)
    assert not verdict.passed and verdict.row["threshold"] == 0.2
