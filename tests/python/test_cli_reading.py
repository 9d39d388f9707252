"""What the command line reads: formats, patterns, standard input, kinds of key; and what it says of bad input."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import starlings as sl
from cli_runs import FORMS, LABELS, PAIRS, Run, frame_of, pairs_table, write_csv, write_pairs
from starlings.cli.input_paths import opened_paths
from starlings.cli.mistakes import Mistake


def entities(text: str) -> set[frozenset[str]]:
    """The entities of ``starlings at``."""
    found: dict[str, set[str]] = {}
    head, *rows = text.splitlines()
    assert head == "source,key,entity_id"
    for row in rows:
        _, key, entity = row.split(",")
        found.setdefault(entity, set()).add(key)
    return set(map(frozenset, found.values()))


EXPECTED = {frozenset(str(key) for _, key in members) for members in frame_of()["model"].at(0.7).to_list()}


# -------------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("form", FORMS)
def test_every_format_is_told_by_its_content(form: str, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form)
    nameless = tmp_path / "nameless"
    nameless.write_bytes(path.read_bytes())
    assert entities(cli("at", path, "0.7").ok().text) == EXPECTED
    if form != "tsv":
        assert entities(cli("at", nameless, "model@0.7").ok().text) == EXPECTED


@pytest.mark.parametrize("form", FORMS)
def test_every_format_comes_through_standard_input(form: str, cli: Run, tmp_path: Path) -> None:
    data = write_pairs(tmp_path, form).read_bytes()
    more = ["--delimiter", "\t"] if form == "tsv" else []
    assert entities(cli("at", "-", "0.7", *more, stdin=data).ok().text) == EXPECTED


@pytest.mark.parametrize("form", ["csv", "starlings"])
def test_standard_input_may_be_a_pipe_or_a_file(form: str, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form)
    with open(path, "rb") as file:
        assert entities(cli("at", "-", "0.7", stdin=file).ok().text) == EXPECTED
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as running:
        assert entities(cli("at", "-", "0.7", stdin=running.stdout).ok().text) == EXPECTED


def test_standard_input_that_cannot_be_read(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_pairs(tmp_path, "csv").read_bytes()
    for command in (
        ["at", "-", "0.5", "--truth", "-"],
        ["diff", "-", "0.5", "--after", "-"],
        ["build", "-", "-o", "x"],
    ):
        more = ["-"] if command[0] == "build" else []
        assert "only once" in cli(*command, *more, stdin=data).error
    path = write_pairs(tmp_path, "csv")
    with open(path, "rb") as file:  # which could be opened twice, but means one thing
        assert "only once" in cli("info", "-", "--truth", "-", stdin=file).error
    main, side = pty.openpty()
    with os.fdopen(main, "wb"), os.fdopen(side, "rb") as terminal:
        assert "is a terminal" in cli("info", "-", stdin=terminal).error
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Mistake, match="is closed"):
        opened_paths("-")


def test_pipes_with_a_name_are_read_once(cli: Run, tmp_path: Path) -> None:
    """As those that <(...) makes in a shell."""
    for form in ("csv", "parquet", "starlings"):
        data = write_pairs(tmp_path, form)
        with subprocess.Popen(["cat", data], stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            path = f"/dev/fd/{running.stdout.fileno()}"
            assert entities(cli("at", path, "0.7").ok().text) == EXPECTED


def test_names_of_files_may_be_anything(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for form in FORMS:
        data = write_pairs(tmp_path, form).read_bytes()
        more = ["--delimiter", "\t"] if form == "tsv" else []
        for name in ("with space", "br[1]", "\u00fcn\u00ef \u6f22", "-dash", "a@0.5", "c:d=e", "\udcff"):
            Path(name).write_bytes(data)
            options = ["--", name] if name.startswith("-") else [name]
            assert entities(cli("at", *more, *options, "0.7").ok().text) == EXPECTED, (form, name)
    cli("at", "\udcff", "0.7", "-o", "\udcfe.csv").ok()
    assert entities(Path("\udcfe.csv").read_text("utf-8")) == EXPECTED


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lambda data: pa.compress(data, "zstd", asbytes=True)])
def test_compressed_text_is_read(pack: object, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    packed = tmp_path / "packed"
    packed.write_bytes(pack(path.read_bytes()))  # type: ignore[operator]
    assert entities(cli("at", packed, "0.7").ok().text) == EXPECTED


def test_a_format_that_was_said_is_believed(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    assert "Parquet" in cli("at", path, "0.7", "--format", "parquet").error
    assert entities(cli("at", path, "0.7", "--format", "csv").ok().text) == EXPECTED


def test_patterns_and_several_files_are_one_collection(cli: Run, tmp_path: Path) -> None:
    for number, pair in enumerate(PAIRS):
        write_csv(tmp_path / f"part{number}.csv", "left,right,score", [pair])
    assert entities(cli("at", tmp_path / "part*.csv", "0.7").ok().text) == EXPECTED
    target = tmp_path / "model.starlings"
    cli("build", tmp_path / "part0.csv", tmp_path / "part[123].csv", "-o", target).ok()
    assert entities(cli("at", target, "0.7").ok().text) == EXPECTED
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write_pairs(tmp_path / "deep" / "er", "parquet")
    assert entities(cli("at", tmp_path / "deep" / "**" / "*.parquet", "0.7").ok().text) == EXPECTED


def test_files_of_several_formats_go_together(cli: Run, tmp_path: Path) -> None:
    parts = [
        write_pairs(tmp_path, form, [pair]) for form, pair in zip(["csv", "parquet", "arrow"], PAIRS, strict=False)
    ]
    target = tmp_path / "model.starlings"
    cli("build", *parts, "-o", target).ok()
    assert sl.load(target)["model"].num_merges == 3


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "arrows", "starlings"])
@pytest.mark.parametrize("pairs", [[], PAIRS[:1]])
def test_no_pair_and_one_pair(form: str, pairs: list[tuple[str, str, float]], cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, form, pairs)
    answer = cli("at", path, "0.5", "--json").ok().json
    assert (answer["num_records"], answer["num_entities"]) == ((2, 1) if pairs else (0, 0))
    assert len(answer["rows"]) == answer["num_records"]
    for command in (["info"], ["sweep"], ["sweep", "--all"]):
        cli(command[0], path, *command[1:], "--json").ok()


# -------------------------------------------------------------------------------------------------------------- columns


def test_columns_are_recognised_and_named(cli: Run, tmp_path: Path) -> None:
    splink = write_csv(
        tmp_path / "splink.csv",
        "match_weight,match_probability,source_dataset_l,unique_id_l,source_dataset_r,unique_id_r",
        [(3.5, 0.9, "crm", 1, "shop", 1), (-1, 0.4, "crm", 2, "shop", 1)],
    )
    assert [source["name"] for source in cli("info", splink, "--json").ok().json["sources"]] == ["crm", "shop"]
    weights = cli("info", splink, "--scale", "weight", "--json").ok().json["collections"][0]
    assert (weights["scale"], weights["lowest_threshold"], weights["highest_threshold"]) == ("weight", -1.0, 3.5)
    own = write_csv(tmp_path / "own.csv", "p,who,whom,extra", [(0.9, "a", "b", 0)])
    named = ["--left", "who", "--right", "whom", "--score", "p"]
    assert cli("explain", own, "a", "b", *named, "--json").ok().json["threshold"] == 0.9
    message = cli("at", own, "0.5").error
    assert "own.csv: no column 'left', 'right', 'score'" in message and "--left" in message and "'whom'" in message
    assert "named twice" in cli("at", own, "0.5", *named[:4], "--score", "who").error


def test_options_of_pairs_reach_the_collection(cli: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "pairs.csv", "left,right,score", [("a", "b", 0.8765), ("b", "c", 0.5)])
    target = tmp_path / "model.starlings"

    def built(*options: str) -> sl.Collection:
        cli("build", path, "-o", target, *options).ok()
        (name,) = sl.load(target)
        return sl.load(target)[name]

    assert built("--quantise", "2").thresholds.tolist() == [0.88, 0.5]
    assert built("--quantize", "1").thresholds.tolist() == [0.9, 0.5]
    assert built("--exact").thresholds.tolist() == [0.8765, 0.5]
    assert built("--max-entity-size", "2").at(0.0).sizes.tolist() == [2, 1]
    assert len(built("--keep-edges").edges) == 2
    assert built("--source", "crm", "--unique-source", "crm").num_merges == 0
    assert "exclude" in cli("build", path, "-o", target, "--exact", "--quantise", "2").error


# ----------------------------------------------------------------------------------------------------------------- keys


def test_keys_in_csv_are_ints_only_if_all_look_like_ints(cli: Run, tmp_path: Path) -> None:
    def kinds(rows: list[tuple[object, object, float]], *options: object) -> list[str]:
        path = write_csv(tmp_path / "pairs.csv", "left,right,score", rows)
        kinds: list[str] = cli("info", path, "--json", *options).ok().json["sources"][0]["key_kinds"]
        return kinds

    assert kinds([(1, 2, 0.5)]) == ["u32"]
    assert kinds([(1, 2**64 - 1, 0.5)]) == ["u32", "u64"]
    assert kinds([("01", 2, 0.5)]) == ["string"]
    assert kinds([("1.0", 2, 0.5)]) == ["string"]
    assert kinds([("-1", 2, 0.5)]) == ["string"]
    assert kinds([(1, "b", 0.5)]) == ["string"]
    assert kinds([(1, 2, 0.5)], "--key-type", "str") == ["string"]
    labels = write_csv(tmp_path / "labels.csv", "key,label", [("x1", 1), (2, 1)])
    assert kinds([(1, 2, 0.5)], "--truth", labels) == ["string"]


def test_a_key_that_is_no_int_among_ints_is_named(cli: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "pairs.csv", "left,right,score", [(1, 2, 0.5), (3, "x7", 0.5)])
    message = cli("info", path, "--key-type", "int").error
    assert "'right'" in message and "'x7'" in message and "--key-type str" in message
    big = write_csv(tmp_path / "big.csv", "left,right,score", [(1, 2**64, 0.5)])
    assert str(2**64) in cli("info", big, "--key-type", "int").error
    late = tmp_path / "late.csv"
    late.write_text("left,right,score\n" + "1,2,0.5\n" * 600_000 + "1,007,0.5\n")
    message = cli("info", late).error
    assert "late.csv" in message and "'007'" in message and "--key-type str" in message


def test_csv_beside_a_file_takes_the_kind_of_its_keys(cli: Run, tmp_path: Path) -> None:
    labels = write_csv(tmp_path / "labels.csv", "key,label", [(1, 1), (2, 1)])
    for key, kind in ((int, "u32"), (str, "string")):
        path = tmp_path / "model.starlings"
        frame_of([(key(1), key(2), 0.5)]).save(path)
        info = cli("info", path, "--truth", labels, "--json").ok()
        assert info.errors == "" and info.json["sources"][0]["key_kinds"] == [kind]
        assert info.json["num_records"] == 2


def test_keys_of_both_kinds_are_warned_of(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "parquet", [(1, 2, 0.5)])
    labels = write_csv(tmp_path / "labels.csv", "key,label", [("1", 1), ("b", 1)])
    done = cli("info", path, "--truth", labels, "--json").ok()
    assert "no record of it is among" in done.errors and "5 is not '5'" in done.errors
    assert [line.startswith("starlings: warning: ") for line in done.errors.splitlines()] == [True, True]
    assert done.json["num_records"] == 4
    assert cli("info", path, "--truth", labels, "--quiet").ok().errors == ""


# ----------------------------------------------------------------------------------------------- records, truth, others


def test_records_bring_attributes(cli: Run, tmp_path: Path) -> None:
    pairs = write_csv(tmp_path / "pairs.csv", "left,right,score", [(1, 2, 0.5)])
    for number in (1, 2, 3):
        write_csv(tmp_path / f"people{number}.csv", "id,name", [(number, f"N{number}")])
    target = tmp_path / "model.starlings"
    cli("build", pairs, "--records", f"crm={tmp_path}/people*.csv", "--source", "crm", "-o", target).ok()
    frame = sl.load(target)
    assert frame.records("crm").to_dicts() == [{"id": n, "name": f"N{n}"} for n in (1, 2, 3)]
    assert frame["model"].at(0.5).num_entities == 2
    message = cli("build", pairs, "--records", tmp_path / "people1.csv", "--new-records", "error", "-o", target).error
    assert "pairs.csv" in message
    assert "--key" in cli("info", pairs, "--records", tmp_path / "people1.csv", "--key", "nr").error
    changing = tmp_path / "changing.csv"
    changing.write_text(
        "name,id,zip\n" + "".join(f"{'N' * 200},{number},{number}\n" for number in range(25_000)) + "N,25000,N/A\n"
    )
    done = cli("build", "--records", changing, "-o", target).ok()
    assert "'zip' is read as text" in done.errors and "'name'" not in done.errors
    records = sl.load(target).records("default")
    assert records.columns == ["name", "id", "zip"] and records.to_arrow().column("zip")[-1].as_py() == "N/A"
    double = write_csv(tmp_path / "double.csv", "id,name", [(1, "A"), (1, "B")])
    assert "double.csv" in cli("info", pairs, "--records", double).error


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_labels_are_a_collection(form: str, cli: Run, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv")
    labels = tmp_path / f"labels.{form}"
    if form == "csv":
        write_csv(labels, "key,label", LABELS)
    else:
        pq.write_table(pa.table({"key": [key for key, _ in LABELS], "label": [label for _, label in LABELS]}), labels)
    target = tmp_path / "model.starlings"
    cli("build", pairs, "--truth", labels, "--labels", f"other={labels}", "-o", target).ok()
    frame = sl.load(target)
    assert frame.collection_names() == ["model", "truth", "other"]
    keys, names = zip(*LABELS, strict=True)
    expected = sl.Collection.from_labels(keys, names).at(1.0)
    assert frame["truth"].at(1.0) == expected and frame["other"].at(1.0) == expected


def test_labels_with_sources_and_lists_of_keys(cli: Run, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv", [(1, 2, 0.5)])
    sourced = write_csv(
        tmp_path / "labels.csv",
        "source,key,entity_id",
        [("crm", 1, "x"), ("shop", 1, "x"), ("crm", 2, "y"), ("shop", 3, "x"), ("shop", 4, "z")],
    )
    target = tmp_path / "model.starlings"
    cli("build", pairs, "--truth", sourced, "-o", target).ok()
    members = {frozenset(entity) for entity in sl.load(target)["truth"].at(1.0).to_list() if len(entity) > 1}
    assert members == {frozenset({("crm", 1), ("shop", 1), ("shop", 3)})}
    for number, sets in enumerate(([[1, 2], [3], [4, 5, 6]], [[7, 8, 9, 10]])):
        pq.write_table(pa.table({"members": sets}), tmp_path / f"lists{number}.parquet")
    cli("build", "--labels", f"sets={tmp_path}/lists*.parquet", "-o", target).ok()
    assert sorted(sl.load(target)["sets"].at(1.0).sizes.tolist()) == [1, 2, 3, 4]
    for number, rows in enumerate(([(1, "x"), (2, "y")], [(3, "x"), (1, "y")])):
        write_csv(tmp_path / f"part{number}.csv", "key,label", rows)
    message = cli("info", pairs, "--truth", tmp_path / "part*.csv").error
    assert f"{tmp_path}/part1.csv: row 1 of this file, 3 of all" in message
    twice = write_csv(tmp_path / "twice.csv", "source,key,label", [("crm", 1, "x"), ("crm", 1, "y")])
    message = cli("info", pairs, "--truth", twice).error
    assert str(twice) in message and "row 1" in message and "overlap" in message
    none = write_csv(tmp_path / "none.csv", "source,key,label", [("crm", 1, "x"), ("crm", 2, "")])
    assert "row 1 has nothing in the column 'label'" in cli("info", pairs, "--truth", none).error
    alone = write_csv(tmp_path / "alone.csv", "key", [(1,)])
    assert "alone.csv" in cli("info", pairs, "--truth", alone).error


def test_what_at_wrote_is_read_as_labels(cli: Run, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv")
    for form in ("csv", "parquet", "arrow"):
        cli("at", pairs, "0.7", "-o", tmp_path / f"cut.{form}").ok()
        rows = cli("compare", pairs, "model@0.7", "--truth", tmp_path / f"cut.{form}", "--json").ok().json["rows"]
        assert [row["f1"] for row in rows] == [1.0]


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x03", "--format"),
        (b"PAR1", "Parquet"),
        (b"ARROW1\0\0 and nothing", "bad"),
        (b"\xff\xff\xff\xff\x00", "bad"),
        (b"left,right,score\na,b\n", "Expected 3 columns"),
        (b"left,right,score\na,b,0.5\nc,d,high\n", "high"),
        (b"left,right,score\na,b,0.5\nc,d,7\n", "row 1"),
        (b"left,right,score\na,b,0.5\nc,d,nan\n", "row 1"),
        (b"left,right,score\na,b,0.5\nc,d,\n", "row 1"),
        (b"left,right,score\na,b,0.5\nc,,0.5\n", "row 1"),
        (b"left,right,score\na,\xff,0.5\n", "save the file as UTF-8"),
        (b"\n\n", "nothing but empty lines"),
        (b"left;right;score\na;b;0.5\n", "--delimiter"),
        (b"left,right,score\na,b,3.5\n", "(--scale weight)"),
        (b"source,key,entity_id\ndefault,a,0\n", "is a table of entities"),
        (b"left,left,score\na,b,0.5\n", "called 'left'"),
        (b"one,two\na,b\n", "no column"),
        (b"\x89STARL\r\n and nothing more", "bad"),
    ],
)
def test_bad_content_is_one_line_that_names_the_file(content: bytes, wanted: str, cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    for command in (["info", path], ["at", path, "0.5"], ["build", path, "-o", tmp_path / "out.starlings"]):
        message = cli(*command).error
        assert str(path) in message and wanted in message
    assert os.listdir(tmp_path) == ["bad"]


def test_errors_name_the_file_and_its_row(cli: Run, tmp_path: Path) -> None:
    for number in range(3):
        rows = [("a", "b", 0.5)] * 10
        rows[4] = ("a", "b", 0.5 if number != 1 else 1.5)
        write_csv(tmp_path / f"part{number}.csv", "left,right,score", rows)
    message = cli("info", tmp_path / "part*.csv").error
    assert f"{tmp_path}/part1.csv: row 4 of this file, 14 of all" in message and "1.5" in message
    done = cli("info", tmp_path / "part*.csv", "--json")
    error = json.loads(done.errors)["error"]
    assert (done.code, done.output) == (2, b"")
    assert (error["kind"], error["file"], error["row"]) == ("InvalidScoreError", f"{tmp_path}/part1.csv", 4)
    assert set(error) == {"kind", "message", "file", "row"}


def test_a_text_row_that_cannot_be_parsed_is_told_by_number(cli: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "pairs.csv", "left,right,score", [("a", "b", 0.5)] * 5 + [("a", "b", "x")])
    assert "Row #7" in cli("info", path).error


def test_files_that_are_not_there(cli: Run, tmp_path: Path) -> None:
    assert "no such file" in cli("info", tmp_path / "none.csv").error
    assert "no file matches" in cli("info", tmp_path / "*.csv").error
    assert "is a folder" in cli("info", tmp_path).error
    path = write_pairs(tmp_path, "csv")
    assert "no such file" in cli("info", path, "--truth", tmp_path / "none.csv").error
    assert "name of a file is empty" in cli("info", "").error


def test_options_that_cannot_be(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    assert "NAME=FILE" in cli("info", path, "--labels", "x").error
    assert "SOURCE=FILE" in cli("info", path, "--records", "=x").error
    assert "--delimiter" in cli("info", path, "--delimiter", "ab").error
    native = write_pairs(tmp_path, "starlings")
    assert "--into" in cli("build", native, "-o", tmp_path / "y.starlings").error
    assert "file of Starlings" in cli("info", path, "--truth", native).error


def test_unreadable_files(cli: Run, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = write_pairs(tmp_path, "csv")
    path.chmod(0)
    assert "Permission denied" in cli("info", path).error


def test_pairs_are_streamed(cli: Run, tmp_path: Path) -> None:
    """More batches than are held at once, of files whose batches end anywhere."""
    table = pairs_table([(number, number + 1, 0.5) for number in range(1000)])
    for number in range(5):
        pq.write_table(table.slice(number * 200, 200), tmp_path / f"{number}.parquet", row_group_size=33)
    answer = cli("at", tmp_path / "*.parquet", "0.5", "--summary", "--json").ok().json
    assert (answer["num_records"], answer["num_entities"]) == (1001, 1)
