"""The demo program: the main job on FEBRL 3, on files of one's own, and what it says to bad ones.

FEBRL 3 is scored once; what the program printed and wrote is compared with SciPy's components at the same cuts and with
scikit-learn's metrics of them, neither of which knows anything of hierarchies.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn import metrics as sk
from sklearn.metrics.cluster import contingency_matrix, pair_confusion_matrix

from starlings.demo.__main__ import main
from starlings.demo.metrics import METRICS

EDGES = "left,right,score\na,b,.9\nb,c,.5\nc,d,.2\n"
TRUTH = "key,entity\na,1\nb,1\nc,2\nd,2\ne,3\n"
TITLES = {"f1": "best F1", "bcubed_f1": "best B-cubed F1", "cluster_f1": "best exact entities F1"}
CUSTOMARY = {"at 0.95": 0.95, "at 0.5": 0.5}


@dataclass(frozen=True)
class Febrl:
    """One run on FEBRL 3: what was printed, the curve, and the input in a form that SciPy takes."""

    folder: Path
    printed: str
    curve: pd.DataFrame
    keys: pd.Index
    truth: np.ndarray
    left: np.ndarray
    right: np.ndarray
    score: np.ndarray

    def labels(self, threshold: float) -> np.ndarray:
        """SciPy's components of the pairs that score at least `threshold`, to six decimals."""
        kept = self.score >= round(threshold, 6)
        graph = coo_array((kept[kept], (self.left[kept], self.right[kept])), shape=(len(self.keys),) * 2)
        return connected_components(graph, directed=False)[1]


@pytest.fixture(scope="session")
def febrl(tmp_path_factory: pytest.TempPathFactory) -> Febrl:
    folder = tmp_path_factory.mktemp("febrl") / "out"
    command = [sys.executable, "-m", "starlings.demo", "--no-chart", "--output", folder]
    process = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stderr
    truth = pd.read_csv(folder / "febrl3-truth.csv")
    edges = pd.read_parquet(folder / "febrl3-edges.parquet")
    keys = pd.Index(truth["key"])
    return Febrl(
        folder=folder,
        printed=process.stdout,
        curve=pd.read_parquet(folder / "curve.parquet"),
        keys=keys,
        truth=truth["entity"].to_numpy(),
        left=keys.get_indexer(edges["unique_id_l"]),
        right=keys.get_indexer(edges["unique_id_r"]),
        score=edges["match_probability"].to_numpy().round(6),
    )


def expected_metrics(truth: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Every metric of the curve, by scikit-learn where it has it, else by its definition on the contingency table."""
    (_, fp), (fn, tp) = pair_confusion_matrix(truth, labels) // 2
    table = contingency_matrix(truth, labels).astype(np.float64)
    true_sizes, sizes, n = table.sum(axis=1), table.sum(axis=0), len(labels)
    share_of_mine, share_of_true = (table**2 / sizes).sum() / n, ((table.T**2) / true_sizes).sum() / n
    exact = int(np.sum((table > 0) & (table == sizes) & (true_sizes == table.T).T))
    homogeneity, completeness, v_measure = sk.homogeneity_completeness_v_measure(truth, labels)
    entropy, true_entropy = (-np.sum(part / n * np.log(part / n)) for part in (sizes, true_sizes))
    mutual_information = sk.mutual_info_score(truth, labels)
    return {
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "rand": sk.rand_score(truth, labels),
        "ari": sk.adjusted_rand_score(truth, labels),
        "fowlkes_mallows": sk.fowlkes_mallows_score(truth, labels),
        "jaccard": tp / (tp + fp + fn),
        "mutual_information": mutual_information,
        "nmi": sk.normalized_mutual_info_score(truth, labels),
        "homogeneity": homogeneity,
        "completeness": completeness,
        "v_measure": v_measure,
        "variation_of_information": entropy + true_entropy - 2 * mutual_information,
        "bcubed_precision": share_of_mine,
        "bcubed_recall": share_of_true,
        "bcubed_f1": 2 * share_of_mine * share_of_true / (share_of_mine + share_of_true),
        "cluster_precision": exact / len(sizes),
        "cluster_recall": exact / len(true_sizes),
        "cluster_f1": 2 * exact / (len(sizes) + len(true_sizes)),
        "entity_count": len(sizes),
        "entropy": entropy,
        "largest_entity": sizes.max(),
        "mean_size": n / len(sizes),
        "singletons": np.sum(sizes == 1),
        "pair_count": tp + fp,
    }


def merging_scores(left: np.ndarray, right: np.ndarray, score: np.ndarray, records: int) -> list[float]:
    """The scores at which two components become one, ascending, by walking down the pairs."""
    parent = list(range(records))

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    found = set()
    for pair in np.argsort(-score, kind="stable").tolist():
        a, b = root(int(left[pair])), root(int(right[pair]))
        if a != b:
            parent[a] = b
            found.add(float(score[pair]))
    return sorted(found)


def printed_cut(printed: str, title: str) -> tuple[bool, list[float]]:
    """Whether a line of the table of cuts is the marked one, and its figures."""
    found = re.search(rf"^ *(->)? *{re.escape(title)}  +([-0-9., ]+)$", printed, flags=re.M)
    assert found, printed
    return found[1] is not None, [float(figure.replace(",", "")) for figure in found[2].split()]


def same_partition(a: Any, b: Any) -> bool:
    """Whether two labellings of the same records differ in the labels' names at the most."""
    pairs = len(pd.DataFrame({"a": a, "b": b}).drop_duplicates())
    return pairs == len(set(a)) == len(set(b))


def test_febrl_curve_has_a_row_for_each_threshold_at_which_entities_change(febrl: Febrl) -> None:
    assert list(febrl.curve.columns) == ["threshold", *METRICS]
    assert febrl.curve["threshold"].tolist() == merging_scores(febrl.left, febrl.right, febrl.score, 5000)
    assert not febrl.curve.isna().any(axis=None)
    assert "5,000 records, 2,000 true entities" in febrl.printed
    assert f"{len(febrl.score):,} scored pairs, {len(febrl.curve)} thresholds" in febrl.printed


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.9, 1.0, *TITLES])
def test_febrl_curve_is_that_of_scipy_and_scikit_learn(febrl: Febrl, place: float | str) -> None:
    curve = febrl.curve
    row = curve.loc[curve[place].idxmax() if isinstance(place, str) else round(place * (len(curve) - 1))]
    expected = expected_metrics(febrl.truth, febrl.labels(row["threshold"]))
    assert row.drop("threshold").to_dict() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("title", [*TITLES.values(), *CUSTOMARY])
def test_febrl_printed_cuts_are_those_of_scipy_and_scikit_learn(febrl: Febrl, title: str) -> None:
    marked, (threshold, *figures, exact) = printed_cut(febrl.printed, title)
    assert marked == (title == "best F1")
    metrics = expected_metrics(febrl.truth, febrl.labels(threshold))
    names = ["precision", "recall", "f1", "bcubed_f1", "cluster_f1"]
    assert figures == [*(float(f"{metrics[name]:.4f}") for name in names), metrics["entity_count"]]
    assert exact == round(metrics["cluster_recall"] * 2000)
    if title in CUSTOMARY:
        assert threshold == CUSTOMARY[title]
    else:
        metric = next(name for name, words in TITLES.items() if words == title)
        assert metrics[metric] == pytest.approx(febrl.curve[metric].max(), rel=1e-12)


def test_febrl_entities_are_the_partition_at_the_best_cut(febrl: Febrl) -> None:
    entities = pq.read_table(febrl.folder / "entities.parquet").to_pandas()
    assert list(entities.columns) == ["source", "key", "entity_id"]
    assert set(entities["source"]) == {"febrl3"} and sorted(entities["key"]) == sorted(febrl.keys)
    ids = entities.set_index("key").loc[febrl.keys, "entity_id"]
    assert set(ids) == set(range(ids.max() + 1))
    assert same_partition(ids, febrl.labels(printed_cut(febrl.printed, "best F1")[1][0]))
    as_csv = pd.read_csv(febrl.folder / "entities.csv")
    assert as_csv.to_numpy().tolist() == entities.astype({"source": str}).to_numpy().tolist()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def write_parquet(folder: Path, **tables: dict[str, Any]) -> None:
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def demo(arguments: str, options: str = "--no-chart --quiet") -> int:
    """The program's exit code; the results are in out/."""
    return main([*arguments.split(), *options.split(), "--output", "out"])


def entities_in(folder: Path) -> dict[tuple[str, Any], int]:
    table = pq.read_table(folder / "entities.parquet").to_pydict()
    names = list(zip(table["source"], table["key"], strict=True))
    assert len(set(names)) == len(names)
    return dict(zip(names, table["entity_id"], strict=True))


def test_own_files_with_records_beyond_the_truth(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, e=EDGES, t=TRUTH, r="key,name\na,Ann\nb,Bob\nc,Cy\nd,Di\ne,Eve\nf,Flo\n")
    assert demo("--edges e.csv --truth t.csv --records r.csv", "--no-chart") == 0
    out, err = capsys.readouterr()
    assert "6 records, 4 true entities" in out
    assert "1 record is not in the truth, such as 'f' of source 'default'; each counts as an entity of its own" in out
    assert "Every metric at every threshold" in err and "Total" in err
    assert entities_in(here / "out") == {
        ("default", key): i for key, i in zip("abcdef", (0, 0, 1, 2, 3, 4), strict=True)
    }
    curve = pq.read_table(here / "out" / "curve.parquet")
    assert curve["threshold"].to_pylist() == [0.2, 0.5, 0.9] and curve.column_names == ["threshold", *METRICS]
    assert curve["f1"].to_pylist() == pytest.approx([4 / 8, 2 / 5, 2 / 3])


def test_own_files_without_records_have_those_of_truth_and_edges(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, e=EDGES + "d,x,.1\nd,y,.1\n", t=TRUTH)
    assert demo("--edges e.csv --truth t.csv") == 0
    out, err = capsys.readouterr()
    assert "7 records, 5 true entities" in out and not err
    assert "2 records are not in the truth, such as 'x' of source 'default'" in out
    assert {key for _, key in entities_in(here / "out")} == set("abcdexy")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_own_files_of_two_sources(here: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    tables: dict[str, dict[str, Any]] = {
        "e": {
            "unique_id_l": ["1", "2", "7"],
            "unique_id_r": ["1", "3", "2"],
            "match_probability": [0.9, 0.4, 0.3],
            "source_dataset_l": ["crm"] * 3,
            "source_dataset_r": ["shop", "shop", "crm"],
        },
        "t": {"source": ["crm", "shop", "crm", "shop"], "key": ["1", "1", "2", "3"], "entity": ["p", "p", "q", "q"]},
        "r": {"source": ["crm", "crm", "crm", "shop", "shop", "shop"], "key": ["7", "2", "1", "1", "3", "9"]},
    }
    for name, columns in tables.items():
        if kind == "csv":
            pa_csv.write_csv(pa.table(columns), f"{name}.csv")
    if kind == "parquet":
        write_parquet(here, **tables)
    assert demo(f"--edges e.{kind} --truth t.{kind} --records r.{kind}") == 0
    out = capsys.readouterr().out
    assert "6 records, 4 true entities" in out
    assert "2 records are not in the truth, such as '7' of source 'crm'" in out
    assert "best F1                  0.400000     1.0000  1.0000" in out
    entities = entities_in(here / "out")
    assert set(entities) == set(zip(tables["r"]["source"], tables["r"]["key"], strict=True))
    truth = zip(tables["t"]["source"], tables["t"]["key"], strict=True)
    assert [entities[name] for name in truth] == [entities["crm", "1"]] * 2 + [entities["crm", "2"]] * 2
    assert len(set(entities.values())) == 4


def test_integer_keys_of_any_width_meet_and_text_follows_them(here: Path) -> None:
    left, right = pa.array([1, 2], pa.int32()), pa.array([2, 2**40], pa.int64())
    write_parquet(
        here,
        e={"left": left, "right": right, "score": pa.array([0.9, 0.5], pa.float32())},
        t={"key": pa.array([1, 2, 3], pa.uint16()), "entity": pa.array(["a", "a", "b"]).dictionary_encode()},
        r={"key": pa.array([2**40, 3, 2, 1], pa.uint64())},
    )
    write(here, r="key\n3\n2\n1\n1099511627776\n")
    for records in ("r.parquet", "r.csv"):
        assert demo(f"--edges e.parquet --truth t.parquet --records {records}") == 0
        assert {key for _, key in entities_in(here / "out")} == {1, 2, 3, 2**40}


def test_another_metric_decides_on_the_cut(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, e=EDGES, t="key,entity\na,1\nb,1\nc,1\nd,2\n")
    assert demo("--edges e.csv --truth t.csv --metric ari") == 0
    assert printed_cut(capsys.readouterr().out, "best ari")[0]
    assert len(set(entities_in(here / "out").values())) == 2


def test_chart_needs_no_network(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, e=EDGES, t=TRUTH)
    assert demo("--edges e.csv --truth t.csv", "--quiet") == 0
    listed = re.findall(r"^  (out/\S+)$", capsys.readouterr().out, flags=re.M)
    assert sorted(listed) == sorted(str(path.relative_to(here)) for path in (here / "out").iterdir())
    assert (here / "out" / "curve.png").read_bytes().startswith(b"\x89PNG")
    page = (here / "out" / "curve.html").read_text(encoding="utf-8")
    tags = re.findall(r"<(?:script|link|img|iframe|style)\b[^>]*>", page)
    assert tags and not [tag for tag in tags if re.search(r"\b(src|href)\s*=\s*[\"']?\s*(https?:)?//", tag)]
    assert not re.search(r"@import|url\(\s*[\"']?https?:", page)


def edges_of(count: int) -> str:
    return "left,right,score\n" + "".join(f"{i},{i + 1},.9\n" for i in range(count))


BAD_FILES = {
    "records that lack some of the truth": (
        {"t": TRUTH, "r": "key\na\nb\n"},
        "t.csv: 3 of its records are not in r.csv, such as 'c' of source 'default'; --records must name all records",
    ),
    "records that lack some of the edges": (
        {"t": "key,entity\na,1\nb,1\n", "r": "key\na\nb\nd\n"},
        "e.csv: 1 of its records is not in r.csv, such as 'c' of source 'default'; --records must name all records",
    ),
    "a record of the edges that scores 1.0": (
        {"e": "left,right,score\nb,a,1\nb,zz,1\n", "t": "key,entity\na,1\nb,1\n", "r": "key\na\nb\n"},
        "e.csv: 1 of its records is not in r.csv, such as 'zz' of source 'default'",
    ),
    "sources in the truth only": (
        {"t": "source,key,entity\nx,a,1\nx,b,1\n"},
        "e.csv: none of the 4 records that its edges join is in t.csv; the edges have, for example, 'a' of source"
        " 'default', the truth has 'a' of source 'x'. Keys and source columns of all files must agree",
    ),
    "sources in the truth only, with records": (
        {"t": "source,key,entity\nx,a,1\nx,b,1\n", "r": "source,key\nx,a\nx,b\n,a\n,b\n,c\n,d\n"},
        "none of the 4 records that its edges join is in t.csv",
    ),
    "sources in the edges only": (
        {"e": "left_source,left,right_source,right,score\nx,a,x,b,.5\n"},
        "the edges have, for example, 'a' of source 'x', the truth has 'a' of source 'default'. Keys and source",
    ),
    "a truth of other records": ({"t": "key,entity\nA,1\nB,1\n"}, "the truth has 'A' of source 'default'"),
    "a truth of hardly any": (
        {"e": edges_of(40), "t": "key,entity\nx,1\ny,1\n1,2\n"},
        "e.csv: only 1 of the 41 records that its edges join is in t.csv; the edges have, for example, '0' of source"
        " 'default', the truth has 'x' of source 'default'",
    ),
    "an empty truth": ({"t": "key,entity\n"}, "t.csv: the truth must label two records at the least, it labels 0"),
    "a file without a header": ({"t": ""}, "t.csv: cannot be read"),
    "no edges": ({"e": "left,right,score\n"}, "e.csv: no edges"),
    "self-loops only": ({"e": "left,right,score\na,a,.9\n"}, "e.csv: every edge joins a record to itself"),
    "no score column": (
        {"e": "left,right\na,b\n"},
        "e.csv: no column score; edges need left, right, score or Splink's",
    ),
    "no key column": ({"t": "id,entity\na,1\n"}, "t.csv: no column key; need source, key, entity"),
    "no key column in the records": ({"r": "id\na\n"}, "r.csv: no column key"),
    "one source column of two": (
        {"e": "left,right,score,left_source\na,b,.9,x\n"},
        "e.csv: column 'left_source' without 'right_source'",
    ),
    "a record twice in the truth": ({"t": TRUTH + "a,9\n"}, 't.csv: rows 0 and 5 have the same key "a"'),
    "a record twice in the records": (
        {"r": "key\na\nb\nc\nd\ne\na\n"},
        'r.csv: rows 0 and 5 have the same key "a"',
    ),
    "a record twice in the truth beside records": (
        {"t": TRUTH + "a,9\n", "r": "key\na\nb\nc\nd\ne\n"},
        't.csv: rows 0 and 5 have the same key "a"',
    ),
    "a score above 1": ({"e": "left,right,score\na,b,.5\nb,c,1.5\n"}, "e.csv: score 1.5 in row 1"),
    "a score that is not a number": ({"e": "left,right,score\na,b,.5\nb,c,nan\n"}, "e.csv: score nan in row 1"),
    "a score that is text": ({"e": "left,right,score\na,b,high\n"}, "e.csv: cannot be read"),
    "an empty score": ({"e": "left,right,score\na,b,\n"}, "e.csv: column 'score' is empty in row 0"),
    "an empty key": ({"e": "left,right,score\na,b,.9\nb,,.9\n"}, "e.csv: column 'right' is empty in row 1"),
    "an empty entity": ({"t": "key,entity\na,1\nb,\n"}, "t.csv: column 'entity' is empty in row 1"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_named(here: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    files, message = BAD_FILES[case]
    write(here, **{"e": EDGES, "t": TRUTH, **files})
    assert demo("--edges e.csv --truth t.csv" + (" --records r.csv" if "r" in files else "")) == 1
    out, err = capsys.readouterr()
    assert message in err and err.startswith("error: ") and err.count("\n") == 1
    assert not out and not list((here / "out").iterdir())


GOOD_TABLES: dict[str, dict[str, Any]] = {
    "e": {"left": [1, 2], "right": [2, 3], "score": [0.9, 0.4]},
    "t": {"key": [1, 2, 3], "entity": [0, 0, 1]},
}
BAD_TABLES = {
    "keys of two kinds": (
        {"t": {"key": ["1", "2", "3"], "entity": [0, 0, 1]}},
        "keys of different types never meet (e.parquet column 'right': integer; t.parquet column 'key': string)",
    ),
    "keys of two kinds in one file": ({"e": {"left": [1], "right": ["2"], "score": [0.9]}}, "never meet"),
    "keys that are no keys": (
        {"e": {"left": [1.5], "right": [2.5], "score": [0.9]}},
        "keys in column 'left' are double",
    ),
    "a negative key": (
        {"e": {"left": [1, -1], "right": [2, 2], "score": [0.9, 0.4]}},
        "row 1, column left: the key -1",
    ),
    "scores that are text": ({"e": {"left": [1], "right": [2], "score": ["x"]}}, "e.parquet: the score column"),
    "entities that are lists": ({"t": {"key": [1, 2], "entity": [[1], [2]]}}, "t.parquet: column 'entity' is list"),
    "sources that are lists": (
        {"t": {"source": [["x"], ["x"]], "key": [1, 2], "entity": [1, 2]}},
        "t.parquet: column 'source' must hold the names of sources",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_named(here: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    tables, message = BAD_TABLES[case]
    write_parquet(here, **{**GOOD_TABLES, **tables})
    assert demo("--edges e.parquet --truth t.parquet") == 1
    out, err = capsys.readouterr()
    assert message in err and err.startswith("error: ") and err.count("\n") == 1
    assert not out and not list((here / "out").iterdir())


def test_text_keys_that_are_not_the_integers_of_the_other_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet(here, **GOOD_TABLES)
    write(here, t=TRUTH)
    (here / "e.txt").write_text(EDGES, encoding="utf-8")
    (here / "broken.parquet").write_text("no parquet", encoding="utf-8")
    for edges, message in (
        ("e.parquet", "t.csv: column 'key' must hold integers as the other files do"),
        ("e.txt", "e.txt: unknown kind of file; use one of .parquet"),
        ("broken.parquet", "broken.parquet: cannot be read"),
    ):
        assert demo(f"--edges {edges} --truth t.csv") == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--edges e.csv", "--edges and --truth go together"),
        ("--truth t.csv", "--edges and --truth go together"),
        ("--records t.csv", "--records goes with --edges and --truth"),
        ("--edges nowhere.csv --truth t.csv", "no such file: nowhere.csv"),
        ("--edges e.csv --truth t.csv --output e.csv", "not a folder: e.csv"),
        ("--metric nonsense", "nonsense"),
        ("--threads 0", "not a positive whole number: 0"),
        ("--thresholds 3", "unrecognized arguments"),
    ],
)
def test_usage_errors(here: Path, capsys: pytest.CaptureFixture[str], arguments: str, message: str) -> None:
    write(here, e=EDGES, t=TRUTH)
    with pytest.raises(SystemExit) as stopped:
        main(arguments.split())
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_help_says_which_records_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "all records there are (default: the records of the truth and of the edges)" in words
    assert "Without this file: the records of the truth and of the edges" in words


def test_exit_code_of_the_program(here: Path) -> None:
    write(here, e=EDGES, t="key,entity\nA,1\nB,1\n")
    command = [sys.executable, "-m", "starlings.demo", "--edges", "e.csv", "--truth", "t.csv", "--no-chart"]
    process = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 1
    assert "error: e.csv: none of the 4 records" in process.stderr and "Traceback" not in process.stderr
