"""What the commands answer, compared with the package; JSON has the fields that the documentation names."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import starlings as sl
from cli_runs import FORMS, LABELS, PAIRS, Run, frame_of, write_csv, write_pairs

MIXED: list[tuple[Any, Any, float]] = [("a", 5, 0.9), (b"\x00\xff", "5", 0.5), ('q,"x', "ü\n", 0.5), (2**63, "", 0.5)]


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A native file of a model, rules and the truth."""
    frame = frame_of()
    frame.add_collection_from_edges("rules", [("a", "b", 1.0), ("c", "x", 0.5)])
    frame.add_collection_from_labels("truth", *map(list, zip(*LABELS, strict=True)))
    path = tmp_path / "judged.starlings"
    frame.save(path)
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "truth.csv", "key,label", LABELS)


# ---------------------------------------------------------------------------------------------------------------- build


def test_build_makes_what_the_package_makes(cli: Run, tmp_path: Path) -> None:
    target = tmp_path / "model.starlings"
    for form in FORMS[:-1]:
        done = cli("build", write_pairs(tmp_path, form), "-o", target, *(["--name", "m2"] if form == "tsv" else []))
        assert done.ok().output == b"" and done.errors == (
            f"wrote {target}: 7 records, collections {'m2' if form == 'tsv' else 'model'}\n"
        )
        (name,) = frame = sl.load(target)
        assert frame[name].thresholds.tolist() == [0.9, 0.8, 0.7, 0.6]
        assert frame[name].at(0.7) == frame_of()["model"].at(0.7)


def test_build_answers_in_json_and_keeps_quiet(cli: Run, tmp_path: Path, truth: Path) -> None:
    pairs, target = write_pairs(tmp_path, "csv"), tmp_path / "model.starlings"
    assert cli("build", pairs, "--truth", truth, "-o", target, "--json").ok().json == {
        "command": "build",
        "file": str(target),
        "num_records": 7,
        "sources": ["default"],
        "collections": ["model", "truth"],
    }
    assert cli("build", pairs, "-o", target, "--quiet").ok().errors == ""


def test_build_adds_to_a_file(cli: Run, tmp_path: Path, judged: Path) -> None:
    pairs = write_pairs(tmp_path, "csv", [("a", "x", 0.4)])
    before = judged.read_bytes()
    assert "'model' is there already" in cli("build", pairs, "--into", judged).error
    assert (
        "'truth' is there already"
        in cli("build", "--truth", pairs, "--into", judged, "--key", "left", "--label", "right").error
    )
    assert judged.read_bytes() == before
    other = tmp_path / "other.starlings"
    cli("build", pairs, "--name", "new", "--into", judged, "-o", other).ok()
    assert judged.read_bytes() == before
    assert sl.load(other).collection_names() == ["model", "rules", "truth", "new"]
    cli("build", pairs, "--name", "new", "--into", judged).ok()
    assert sl.load(judged).collection_names() == ["model", "rules", "truth", "new"]
    assert "no such file" in cli("build", pairs, "--into", tmp_path / "none.starlings").error


def test_build_says_what_it_lacks(cli: Run, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv")
    assert "--output" in cli("build", pairs).error
    assert "nothing to read" in cli("build", "-o", tmp_path / "x.starlings").error
    assert "standard output" in cli("build", pairs, "-o", "-").error


# ----------------------------------------------------------------------------------------------------------------- info


def test_info_says_what_the_package_says(cli: Run, judged: Path) -> None:
    frame = sl.load(judged, memory_map=False)
    told = cli("info", judged, "--json").ok().json
    assert list(told) == [
        "command", "file", "num_records", "garbage_ratio", "memory_bytes", "sources", "collections",
    ]  # fmt: skip
    assert told["num_records"] == frame.num_records and told["memory_bytes"] > 0
    assert told["sources"] == [
        {"name": "default", "num_records": 7, "key_kinds": ["string"], "attributes": []},
    ]
    assert [one["name"] for one in told["collections"]] == frame.collection_names()
    model = told["collections"][0]
    assert model == {
        "name": "model",
        "scale": "probability",
        "decimals": 6,
        "num_merges": 4,
        "num_thresholds": 4,
        "lowest_threshold": 0.6,
        "highest_threshold": 0.9,
        "num_entities": 3,
        "largest_entity": 3,
        "kept_edges": "forest",
        "unique_sources": [],
        "max_entity_size": None,
        "bytes": frame["model"].nbytes,
    }
    shown = cli("info", judged).ok().text
    assert "records          7\n" in shown and "\nmodel       probability       4" in shown


def test_info_of_sources_and_attributes(cli: Run, tmp_path: Path) -> None:
    frame = sl.EntityFrame.from_records("crm", [{"id": 1, "name": "Ann"}], "id")
    frame.add_records("shop", [{"no": "x"}], "no")
    path = tmp_path / "records.starlings"
    frame.save(path)
    sources = cli("info", path, "--json").ok().json["sources"]
    assert [source["attributes"] for source in sources] == [["id", "name"], ["no"]]
    assert [source["key_kinds"] for source in sources] == [["u32"], ["string"]]


# ------------------------------------------------------------------------------------------------------------------- at


def plain_rows(partition: sl.Partition) -> list[tuple[str, Any, int]]:
    return [
        (source, key, entity.id) for entity in partition for source, key in entity.members if isinstance(entity.id, int)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_at_writes_the_partition(form: str, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form)
    expected = sorted(plain_rows(frame_of()["model"].at(0.7)))
    rows = list(csv.reader(io.StringIO(cli("at", path, "0.7").ok().text)))
    assert rows[0] == ["source", "key", "entity_id"]
    assert sorted((source, key, int(entity)) for source, key, entity in rows[1:]) == expected
    told = cli("at", path, "model@0.7", "--json").ok().json
    assert sorted(tuple(row.values()) for row in told.pop("rows")) == expected
    assert told == {
        "command": "at",
        "file": str(path),
        "collection": "model",
        "threshold": 0.7,
        "num_records": 7,
        "num_entities": 4,
        "largest_entity": 2,
        "singletons": 1,
    }
    assert cli("at", path, "0.7", "--summary", "--json").ok().json == told
    assert "num_entities    4\n" in cli("at", path, "0.7", "--summary").ok().text


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a written table, whatever its format."""
    if path.suffix == ".csv":
        with open(path, encoding="utf-8", newline="") as file:
            return [row | {"entity_id": int(row["entity_id"])} for row in csv.DictReader(file)]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    table = pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_stream(path.read_bytes()).read_all()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "arrow"])
def test_every_kind_of_key_is_written(form: str, cli: Run, tmp_path: Path) -> None:
    path, target = tmp_path / "mixed.starlings", tmp_path / f"out.{form}"
    frame_of(MIXED).save(path)
    partition = frame_of(MIXED)["model"].at(0.9)
    done = cli("at", path, "0.9", "-o", target).ok()
    assert (done.output, done.errors) == (b"", f"wrote {target}\n")
    rows = read(target)
    if form == "arrow":
        assert {(row["key"], row["entity_id"]) for row in rows} == {(key, id) for _, key, id in plain_rows(partition)}
        return
    assert list(rows[0]) == ["source", "key", "key_kind", "entity_id"]
    expected = {
        (key.hex() if isinstance(key, bytes) else str(key), sl.Key(key).kind, id)
        for _, key, id in plain_rows(partition)
    }
    assert {(row["key"], row["key_kind"], row["entity_id"]) for row in rows} == expected


@pytest.mark.parametrize("keys", [["a", "b"], [1, 2], [1, 2**40]])
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_keys_of_one_kind_keep_their_type(keys: list[Any], form: str, cli: Run, tmp_path: Path) -> None:
    path, target = write_pairs(tmp_path, "arrow", [(*keys, 0.5)]), tmp_path / f"out.{form}"
    cli("at", path, "0.5", "-o", target).ok()
    assert [row["key"] for row in read(target)] == keys
    assert [row["key"] for row in cli("at", path, "0.5", "--json").ok().json["rows"]] == keys


def test_unicode_and_hostile_keys_come_through(cli: Run, tmp_path: Path) -> None:
    keys = [
        "",
        " ",
        '"',
        "'",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\x00",
        "\x1f\x7f",
        "\u2028",
        "\U0001d50a",
        "=1+1",
        ",",
        "null",
        "NaN",
    ]
    path = write_pairs(tmp_path, "arrow", [(keys[0], key, 0.5) for key in keys])
    for form in ("jsonl", "parquet", "csv"):
        cli("at", path, "0.5", "-o", tmp_path / f"out.{form}").ok()
        assert [row["key"] for row in read(tmp_path / f"out.{form}")] == keys
    assert [row["key"] for row in cli("at", path, "0.5", "--json").ok().json["rows"]] == keys


def test_data_goes_to_standard_output_as_well(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    assert pq.read_table(pa.BufferReader(cli("at", path, "0.7", "--as", "parquet").ok().output)).num_rows == 7
    assert pa.ipc.open_stream(cli("at", path, "0.7", "--as", "arrow").ok().output).read_all().num_rows == 7
    assert len(cli("at", path, "0.7", "--as", "jsonl", "-o", "-").ok().text.splitlines()) == 7
    told = cli("at", path, "0.7", "-o", tmp_path / "out.csv", "--json").ok().json
    assert told["num_entities"] == 4 and "rows" not in told
    for arguments in (["at", path, "0.7"], ["sweep", path], ["compare", path, "model", "-r", "model"]):
        told = cli(*arguments, "-o", tmp_path / "out.csv", "--json").ok().json
        assert told["command"] == arguments[0] and (tmp_path / "out.csv").stat().st_size > 0
        assert "cannot both" in cli(*arguments, "--as", "csv", "--json").errors


def test_what_is_no_cut_is_told(cli: Run, judged: Path, tmp_path: Path) -> None:
    assert "did you mean 'model'" in cli("at", judged, "modle@0.5").error
    assert "'high' is no number" in cli("at", judged, "model@high").error
    assert "'model', 'rules', 'truth'" in cli("at", judged, "0.5").error
    assert "model@0.8" in cli("at", judged, "model").error
    assert "[0, 1]" in cli("at", judged, "model@1.5").error
    assert "no number" in cli("at", judged, "model@").error
    assert ".txt" in cli("at", judged, "model@1", "-o", tmp_path / "x.txt").error
    assert "--summary" in cli("at", judged, "model@1", "--summary", "-o", tmp_path / "x.csv").error
    assert "Missing argument 'CUT'" in cli("at", judged).error


def test_names_with_an_at_sign(cli: Run, tmp_path: Path) -> None:
    frame = frame_of()
    frame.add_collection_from_edges("a@0.5", PAIRS)
    frame.add_collection_from_edges("mit @ ü", PAIRS[:1])
    path = tmp_path / "x.starlings"
    frame.save(path)
    told = cli("at", path, "mit @ ü@0.9", "--summary", "--json").ok().json
    assert (told["collection"], told["num_entities"]) == ("mit @ ü", 6)
    assert cli("at", path, "a@0.5@0.9", "--summary", "--json").ok().json["collection"] == "a@0.5"
    assert "names no threshold" in cli("at", path, "a@0.5").error


# ---------------------------------------------------------------------------------------------------------------- sweep


def test_sweep_measures_as_the_package_does(cli: Run, judged: Path) -> None:
    frame = sl.load(judged)
    told = cli("sweep", judged, "model", "--json").ok().json
    assert len(told["rows"]) == 101 and told["metrics"][0] == "entity_count"
    expected = frame.analyse(sl.col("model").sweep(0.0, 1.0, 0.01), metrics=told["metrics"])
    assert told["rows"] == expected
    told = cli("sweep", judged, "model", "rules", "--start", 0.5, "--stop", 1, "--step", 0.25, "--json").ok().json
    assert [(row["collection"], row["threshold"]) for row in told["rows"]] == [
        (name, at) for name in ("model", "rules") for at in (0.5, 0.75, 1.0)
    ]
    told = cli("sweep", judged, "--all", "-r", "truth", "-m", "f1,recall", "-m", "f_beta(2)", "--json").ok().json
    expected = frame.analyse(
        sl.col("model").sweep(), sl.col("rules").sweep(), sl.col("truth").at(1.0), metrics=["f1", "recall", "f_beta(2)"]
    )
    assert told["rows"] == expected and told["metrics"] == ["f1", "recall", "f_beta(2.0)"]
    weights = cli("sweep", judged, "model", "--all", "-r", "rules@0.5", "-m", "nmi", "--json").ok().json["rows"]
    assert weights == frame.analyse(sl.col("model").sweep(), sl.col("rules").at(0.5), metrics=["nmi"])


@pytest.mark.parametrize("form", FORMS)
def test_sweep_reads_every_format(form: str, cli: Run, tmp_path: Path) -> None:
    rows = cli("sweep", write_pairs(tmp_path, form), "--all", "--json").ok().json["rows"]
    assert [(row["threshold"], row["entity_count"]) for row in rows] == [(0.6, 3), (0.7, 4), (0.8, 5), (0.9, 6)]


def test_sweep_of_weights(cli: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "weights.csv", "left,right,score", [("a", "b", 12.5), ("b", "c", -3.2)])
    rows = cli("sweep", path, "--scale", "weight", "--json").ok().json["rows"]
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 12.5), ("b", "c", -3.2)], scale="weight")
    assert [row["threshold"] for row in rows] == frame["model"].sweep()["threshold"].tolist()


def test_sweep_shows_and_writes(cli: Run, judged: Path, tmp_path: Path) -> None:
    shown = cli("sweep", judged, "model", "--step", 0.5, "-m", "entity_count").ok().text
    assert shown == (
        "collection  threshold  entity_count\n"
        "model               0             3\n"
        "model             0.5             3\n"
        "model               1             7\n"
    )
    target = tmp_path / "sweep.parquet"
    cli("sweep", judged, "model", "--step", 0.5, "-o", target).ok()
    assert pq.read_table(target).column("entity_count").to_pylist() == [3, 3, 7]


def test_sweep_says_what_cannot_be(cli: Run, judged: Path, tmp_path: Path) -> None:
    assert "--all" in cli("sweep", judged, "--all", "--step", "0.1").error
    assert "did you mean 'rules'" in cli("sweep", judged, "ruls").error
    assert "--reference" in cli("sweep", judged, "-m", "f1").error
    assert "did you mean 'recall'" in cli("sweep", judged, "-m", "recal").error
    assert "at least 0.000001" in cli("sweep", judged, "--step", "0").error
    assert "goes up" in cli("sweep", judged, "--start", "0.9", "--stop", "0.1").error
    assert "'--step'" in cli("sweep", judged, "--step", "much").error
    nothing = tmp_path / "nothing.starlings"
    sl.EntityFrame().save(nothing)
    assert "no collection" in cli("sweep", nothing).error


def test_weights_are_swept_and_compared(cli: Run, tmp_path: Path) -> None:
    weights = [("a", "b", 12.5), ("b", "c", -3.2), ("x", "y", 4.0)]
    path = write_csv(tmp_path / "weights.csv", "left,right,match_weight", weights)
    truth = write_csv(tmp_path / "truth.csv", "key,label", LABELS[:5])
    target = tmp_path / "weights.starlings"
    cli("build", path, "--scale", "weight", "--truth", truth, "-o", target).ok()
    frame = sl.load(target)
    told = cli("sweep", target, "model", "--all", "-r", "truth", "-m", "f1", "--json").ok().json["rows"]
    assert told == frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["f1"])
    assert [row["threshold"] for row in told] == [-3.2, 4.0, 12.5]
    told = cli("sweep", target, "model", "--start", -5, "--stop", 15, "--step", 5, "--json").ok().json["rows"]
    assert [(row["threshold"], row["entity_count"]) for row in told] == [(-5, 2), (0, 3), (5, 4), (10, 4), (15, 5)]
    told = cli("compare", target, "--best", "f1", "--fail-under", "f1=1", "--json").ok().json
    assert [(row["threshold"], row["f1"]) for row in told["rows"]] == [(4.0, 1.0)]
    told = cli("compare", target, "model@12.5", "model@-4", "-m", "recall,precision", "--json").ok().json["rows"]
    assert [(row["threshold"], row["recall"], row["precision"]) for row in told] == [(12.5, 0.5, 1.0), (-4, 1.0, 0.5)]
    told = cli("compare", target, "truth", "-r", "model@4", "-m", "f1", "--json").ok().json["rows"]
    assert [(row["threshold"], row["reference_threshold"], row["f1"]) for row in told] == [(1.0, 4.0, 1.0)]
    assert cli("compare", target, "model@12.5", "--fail-under", "f1=0.9").errors == (
        "starlings: failed: model@12.5: f1 is 0.666667, under 0.9 by 0.233333\n"
    )
    assert "model@10" in cli("compare", target, "truth", "-r", "model").error


# -------------------------------------------------------------------------------------------------------------- compare


def test_compare_measures_as_the_package_does(cli: Run, judged: Path) -> None:
    frame = sl.load(judged)
    told = cli("compare", judged, "--json").ok().json
    assert list(told) == ["command", "file", "metrics", "rows", "gates", "passed"]
    assert told["rows"] == frame.compare_all("truth") and told["metrics"] == ["f1", "precision", "recall", "ari", "nmi"]
    assert (told["gates"], told["passed"]) == ([], True)
    told = cli("compare", judged, "rules@0.5", "model@0.7", "model", "-r", "truth@1", "-m", "f1", "--json").ok().json
    assert [(row["collection"], row["threshold"]) for row in told["rows"]] == [
        ("rules", 0.5), ("model", 0.7), ("model", 0.6), ("model", 0.7), ("model", 0.8), ("model", 0.9),
    ]  # fmt: skip
    assert told["rows"][1]["f1"] == 1.0


@pytest.mark.parametrize("form", FORMS)
def test_compare_reads_every_format(form: str, cli: Run, tmp_path: Path, truth: Path) -> None:
    told = cli("compare", write_pairs(tmp_path, form), "--truth", truth, "--best", "f1", "--json").ok().json
    assert [(row["threshold"], row["f1"]) for row in told["rows"]] == [(0.7, 1.0)]


def test_best_is_the_best_of_each_collection(cli: Run, judged: Path) -> None:
    frame = sl.load(judged)
    for metric in ("f1", "recall", "precision"):
        rows = cli("compare", judged, "--best", metric, "--json").ok().json["rows"]
        expected = [
            frame.analyse(sl.col(name).sweep(), sl.col("truth").at(1.0)).best(metric) for name in ("model", "rules")
        ]
        assert rows == expected


def test_compare_says_what_cannot_be(cli: Run, judged: Path, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv")
    assert "--truth" in cli("compare", pairs).error
    assert "is a file" in cli("compare", pairs, pairs, "-r", "model").error
    assert "no collection but the reference" in cli("compare", pairs, "-r", "model").error
    assert "did you mean 'truth'" in cli("compare", judged, "-r", "thruth").error
    assert "no metric 'best'" in cli("compare", judged, "--best", "best").error
    weights = write_csv(tmp_path / "weights.csv", "left,right,score", [("a", "b", 12.5), ("b", "c", -3.2)])
    assert "model@10" in cli("compare", weights, "model@1", "-r", "model", "--scale", "weight").error


# -------------------------------------------------------------------------------------------------------------- explain


@pytest.mark.parametrize("form", FORMS)
def test_explain_shows_the_chain(form: str, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form)
    told = cli("explain", path, "a", "default:c", "--json").ok().json
    a, b, c = ({"source": "default", "key": key, "key_kind": "string"} for key in "abc")
    assert told == {
        "command": "explain",
        "file": str(path),
        "collection": "model",
        "left": a,
        "right": c,
        "together": True,
        "threshold": 0.6,
        "links": [{"left": a, "right": b, "score": 0.9}, {"left": b, "right": c, "score": 0.6}],
    }
    assert cli("explain", path, "é ü", "漢字").ok().text == (
        "default:é ü and default:漢字 are together in model from 0.8 down\n"
        "record       next        score\n"
        "default:é ü  default:漢字    0.8\n"
    )
    assert "at no threshold" in cli("explain", path, "a", "x").ok().text
    apart = cli("explain", path, "a", "x", "--json").ok().json
    assert (apart["together"], apart["threshold"], apart["links"]) == (False, None, [])
    assert cli("explain", path, "a", "a").ok().text == "default:a and default:a are together in model from 1 down\n"


def test_keys_of_several_kinds_and_sources(cli: Run, tmp_path: Path) -> None:
    pairs: list[tuple[Any, Any, float]] = [
        (("crm", 5), ("crm", "5"), 0.9), (("crm", 5), ("shop", 5), 0.8), (("crm", 5), ("a:b", "c"), 0.7),
        (("crm", 5), ("crm", "a:b:d"), 0.6), (("crm", 5), ("crm", b"\xff"), 0.5), (("crm", 5), ("crm", "int:5"), 0.4),
        (("crm", 5), ("crm", 7), 0.3),
    ]  # fmt: skip
    path = tmp_path / "x.starlings"
    frame_of(pairs).save(path)

    def found(text: str, *options: str) -> tuple[str, object, str]:
        told = cli("explain", path, text, "crm:7", "--json", *options).ok().json["left"]
        return told["source"], told["key"], told["key_kind"]

    assert found("7") == ("crm", 7, "u32")
    assert found("crm:int:5") == ("crm", 5, "u32")
    assert found("crm:str:5") == ("crm", "5", "string")
    assert found("shop:5") == ("shop", 5, "u32")
    assert found("a:b:c") == ("a:b", "c", "string")
    assert found("a:b:d") == ("crm", "a:b:d", "string")
    assert found("crm:bytes:ff") == ("crm", "ff", "bytes")
    assert found("str:int:5") == ("crm", "int:5", "string")
    assert found("str:5") == ("crm", "5", "string")
    message = cli("explain", path, "5", "7").error
    assert "3 records" in message and all(f"'{way}'" in message for way in ("crm:int:5", "crm:str:5", "shop:int:5"))
    assert "2 records" in cli("explain", path, "crm:5", "crm:7").error
    assert "2 records" in cli("explain", path, "5", "7", "--in", "crm").error
    assert "no record '8'" in cli("explain", path, "8", "7").error
    assert "no source 'crn'" in cli("explain", path, "5", "7", "--in", "crn").error


def test_explain_says_what_cannot_be(cli: Run, judged: Path, tmp_path: Path) -> None:
    message = cli("explain", judged, "a", "b").error
    assert "'model', 'rules'" in message and message.endswith("; --collection names one")
    assert "kept no pairs" in cli("explain", judged, "a", "b", "-c", "truth").error
    assert "did you mean 'model'" in cli("explain", judged, "a", "b", "-c", "modell").error


def test_control_characters_of_keys_do_not_reach_the_terminal(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "arrow", [("\x1b[31mred", "b\n", 0.5)])
    shown = cli("explain", path, "\x1b[31mred", "b\n").ok().text
    assert "\x1b" not in shown and "\\x1b[31mred" in shown and "default:b\\n" in shown
    assert "\x1b" not in cli("explain", path, "\x1b[32m", "b\n").error


# ----------------------------------------------------------------------------------------------------------------- diff


@pytest.mark.parametrize("form", FORMS)
def test_diff_counts_and_shows(form: str, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form)
    expected = frame_of()["model"].at(0.9).diff(frame_of()["model"].at(0.6))
    told = cli("diff", path, "model@0.9", "model@0.6", "--json", "-n", 1).ok().json
    assert list(told) == [
        "command", "before", "after", "records_added", "records_removed", "differs", "summary", "examples",
    ]  # fmt: skip
    assert told["summary"] == expected.summary and told["differs"] is True
    assert told["before"] == {
        "file": str(path), "collection": "model", "threshold": 0.9, "num_records": 7, "num_entities": 6,
    }  # fmt: skip
    (example,) = told["examples"]
    assert (example["kind"], example["num_records"]) == ("merged", 3)
    assert [[record["key"] for record in entity] for entity in example["before"]] == [["a", "b"], ["c"]]
    shown = cli("diff", path, "0.9", "0.6").ok().text
    assert "from model@0.9: 6 entities\nto   model@0.6: 3 entities\n" in shown
    assert (
        "\nmerged, 3 records\n  - default:a, default:b\n  - default:c\n  + default:a, default:b, default:c\n" in shown
    )


def test_diff_of_two_files_and_its_exit_code(cli: Run, tmp_path: Path) -> None:
    old, new = (
        tmp_path / "old.starlings",
        write_csv(tmp_path / "new.csv", "left,right,score", [*PAIRS, ("new", "a", 0.9)]),
    )
    frame_of().save(old)
    told = cli("diff", old, "model@0.7", "--after", new, "--json", "--exit-code")
    assert told.code == 1 and (told.json["records_added"], told.json["records_removed"]) == (1, 0)
    assert cli("diff", old, "0.7", "--after", old, "--exit-code").code == 0
    assert cli("diff", old, "0.7", "0.9", "--exit-code").code == 1
    assert cli("diff", old, "0.7", "0.9").code == 0
    assert "records: 1 added, 0 removed\n" in cli("diff", old, "0.7", "--after", new).ok().text
    target = tmp_path / "changes.csv"
    cli("diff", old, "0.9", "0.6", "-o", target).ok()
    assert target.read_text().splitlines()[0] == "change,kind,entity_before,entity_after,num_records"
    assert "second cut" in cli("diff", old, "0.7").error


def test_long_changes_are_cut(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "parquet", [(0, number, 0.5) for number in range(1, 20)])
    shown = cli("diff", path, "1", "0.5").ok().text
    assert "  - ... 14 more entities\n" in shown and ", ... 14 more\n" in shown
    assert (
        "more changes" not in shown
        and "more changes" in cli("diff", write_pairs(tmp_path, "csv"), "1", "0", "-n", "1").text
    )


# -------------------------------------------------------------------------------------------------------------- explore


def test_explore_writes_a_page(cli: Run, judged: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = cli("explore", judged, "-o", page, "--title", "Our <customers>", "-m", "f1,precision").ok()
    assert done.errors == f"wrote {page}: open it in a browser\n"
    assert "Our &lt;customers&gt;" in page.read_text("utf-8")
    told = cli("explore", write_pairs(tmp_path, "csv"), "-o", page, "--json").ok().json
    assert told["bytes"] == page.stat().st_size and told["output"] == str(page)
    assert "standard output" in cli("explore", judged, "-o", "-").error
    assert "did you mean 'truth'" in cli("explore", judged, "-o", page, "-r", "trut").error
    assert "nowhere" in cli("explore", judged, "-o", tmp_path / "nowhere" / "x.html").error


def test_explore_estimates_from_a_sample(cli: Run, judged: Path, tmp_path: Path, truth: Path) -> None:
    page, expected = tmp_path / "report.html", tmp_path / "expected.html"
    frame = sl.load(judged)
    sample = {"1": ["a", "b"], "2": ["c"], "3": ["x", "y"], "4": ["é ü", "漢字"]}
    for weights in ("uniform", "size"):
        cli("explore", judged, "-o", page, "--sample", truth, "--sample-weights", weights, "--title", "T").ok()
        frame.explore(expected, sample=sample, weights=weights, title="T")  # type: ignore[arg-type]
        assert page.read_bytes() == expected.read_bytes()
    page.unlink()
    assert "exclude each other" in cli("explore", judged, "-o", page, "--sample", truth, "-r", "truth").error
    unknown = write_csv(tmp_path / "unknown.csv", "key,label", [("a", 1), ("nobody", 2)])
    error = json.loads(cli("explore", judged, "-o", page, "--sample", unknown, "--json").errors)["error"]
    assert (error["kind"], error["file"], error["row"]) == ("KeyNotFoundError", str(unknown), None)
    assert "nobody" in error["message"] and not page.exists()
    assert cli("explore", judged, "-o", page, "-m", "nix").error.startswith("no metric 'nix'")


def test_explore_holds_as_many_records_as_asked(cli: Run, judged: Path, tmp_path: Path) -> None:
    page, expected = tmp_path / "report.html", tmp_path / "expected.html"
    cli("explore", judged, "-o", page, "-r", "truth", "--max-records", 2, "--title", "T").ok()
    sl.load(judged).explore(expected, reference="truth", max_records=2, title="T")
    assert page.read_bytes() == expected.read_bytes()
    assert "--max-records" in cli("explore", judged, "-o", page, "--max-records", 0).error
