"""The demo program: the main job on FEBRL 3, on files of one's own, and what it says to bad ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import pair_confusion_matrix

EDGES = "left,right,score\na,b,.9\nb,c,.5\nc,d,.2\n"
TRUTH = "key,entity\na,1\nb,1\nc,2\nd,2\ne,3\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "starlings.demo", *arguments, "--output", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def febrl(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("febrl")
    process = run(folder)
    assert process.returncode == 0, process.stderr
    return folder / "out", process.stdout


def test_febrl_entities_have_the_figures_of_the_curve(febrl: tuple[Path, str]) -> None:
    folder, printed = febrl
    assert "5,000 records, 2,000 true entities" in printed
    curve = pq.read_table(folder / "curve.parquet").to_pandas()
    best = curve.loc[curve["f1"].idxmax()]
    assert f"{best['threshold']:.6f}" in printed and f"{best['f1']:.4f}" in printed
    entities = pq.read_table(folder / "entities.parquet").to_pandas().set_index("key")
    truth = pa_csv.read_csv(folder / "febrl3-truth.csv").to_pandas().set_index("key")
    assert len(entities) == 5000 and entities.index.is_unique
    assert entities["entity_id"].nunique() == best["entity_count"]
    labels = entities.loc[truth.index, "entity_id"]
    (_, false_positives), (false_negatives, true_positives) = pair_confusion_matrix(truth["entity"], labels)
    assert best["f1"] == pytest.approx(2 * true_positives / (2 * true_positives + false_positives + false_negatives))
    assert best["f1"] > 0.99


def test_febrl_files_are_complete(febrl: tuple[Path, str]) -> None:
    folder, _ = febrl
    as_csv = pa_csv.read_csv(folder / "entities.csv")
    assert as_csv.num_rows == 5000 and as_csv.column_names == ["source", "key", "entity_id"]
    curve = pq.read_table(folder / "curve.parquet")
    assert {"threshold", "f1", "bcubed_f1", "cluster_f1", "ari", "nmi", "entity_count"} <= set(curve.column_names)
    assert np.all(np.diff(curve["threshold"].to_numpy()) > 0)
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "curve.html").read_text(encoding="utf-8")
    assert "<script src=" not in page and "<link " not in page


def test_own_files_with_records_beyond_the_truth(tmp_path: Path) -> None:
    write(tmp_path, e=EDGES, t=TRUTH, r="key\na\nb\nc\nd\ne\nf\n")
    process = run(tmp_path, "--edges", "e.csv", "--truth", "t.csv", "--records", "r.csv", "--no-chart")
    assert process.returncode == 0, process.stderr
    assert "6 records, 4 true entities" in process.stdout
    assert "1 record is not in the truth" in process.stdout
    assert pq.read_table(tmp_path / "out" / "entities.parquet").num_rows == 6


def test_own_files_of_two_sources_in_parquet(tmp_path: Path) -> None:
    edges = {
        "unique_id_l": ["1", "2"],
        "unique_id_r": ["1", "3"],
        "match_probability": [0.9, 0.4],
        "source_dataset_l": ["crm", "crm"],
        "source_dataset_r": ["shop", "shop"],
    }
    truth = {"source": ["crm", "shop", "crm", "shop"], "key": ["1", "1", "2", "3"], "entity": ["p", "p", "q", "r"]}
    pq.write_table(pa.table(edges), tmp_path / "e.parquet")
    pq.write_table(pa.table(truth), tmp_path / "t.parquet")
    process = run(tmp_path, "--edges", "e.parquet", "--truth", "t.parquet", "--no-chart")
    assert process.returncode == 0, process.stderr
    entities = pq.read_table(tmp_path / "out" / "entities.parquet").to_pydict()
    assert sorted(zip(entities["source"], entities["key"], strict=True)) == [
        ("crm", "1"), ("crm", "2"), ("shop", "1"), ("shop", "3"),
    ]  # fmt: skip
    assert len(set(entities["entity_id"])) == 3


@pytest.mark.parametrize(
    ("files", "arguments", "code", "message"),
    [
        ({"e": EDGES, "t": TRUTH, "r": "key\na\nb\n"}, ["--records", "r.csv"], 1, "3 of its records are not in r.csv"),
        (
            {"e": EDGES, "t": "key,entity\na,1\nb,1\n", "r": "key\na\nb\n"},
            ["--records", "r.csv"],
            1,
            "2 of its records",
        ),
        ({"e": EDGES, "t": "key,source,entity\na,x,1\nb,x,1\n"}, [], 1, "none of its records is in t.csv"),
        ({"e": EDGES, "t": TRUTH + "a,9\n"}, [], 1, "rows 0 and 5 have the same key"),
        ({"e": "left,right\na,b\n", "t": TRUTH}, [], 1, "score"),
        ({"e": "left,right,score\na,b,1.5\n", "t": TRUTH}, [], 1, "1.5"),
        ({"e": "left,right,score\n", "t": TRUTH}, [], 1, "no edges"),
        ({"e": EDGES, "t": TRUTH}, ["--metric", "nonsense"], 2, "nonsense"),
        ({"e": EDGES, "t": TRUTH}, ["--records", "nowhere.csv"], 2, "nowhere.csv"),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path, files: dict[str, str], arguments: list[str], code: int, message: str
) -> None:
    write(tmp_path, **files)
    process = run(tmp_path, "--edges", "e.csv", "--truth", "t.csv", "--no-chart", *arguments)
    assert process.returncode == code, process.stderr
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "out" / "entities.parquet").exists()
