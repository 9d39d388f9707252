"""The command line as a process: exit codes, pipes, interrupts, terminals, what it loads and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import starlings as sl
from cli_runs import LABELS, PAIRS, Done, Run, frame_of, process, write_csv, write_pairs

COMMANDS = ["build", "info", "at", "sweep", "compare", "explain", "diff", "explore"]
HEAVY = ["pandas", "polars", "altair", "pyarrow", "duckdb", "hypothesis"]


CLOSED = "standard input is closed; name a file instead of -"


def write_numbers(path: Path, count: int) -> Path:
    """Pairs of all numbers up to a count, as Parquet."""
    numbers = np.arange(count, dtype=np.uint32)
    pq.write_table(pa.table({"left": numbers, "right": numbers[::-1], "score": numbers / count}), path)
    return path


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A native file of one entity of 200,001 records."""
    numbers = np.arange(200_000, dtype=np.uint32)
    frame = sl.EntityFrame()
    edges = pa.table({"left": numbers, "right": numbers + 1, "score": np.full(len(numbers), 0.5)})
    frame.add_collection_from_edges("model", edges)
    path = tmp_path_factory.mktemp("many") / "many.starlings"
    frame.save(path)
    return path


def python(program: str, **options: object) -> Done:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False, **options)  # type: ignore[call-overload]
    return Done(done.returncode, done.stdout, done.stderr.decode())


# ---------------------------------------------------------------------------------------------------- starting and help


def test_the_installed_command_runs() -> None:
    command = Path(sysconfig.get_path("scripts")) / "starlings"
    if not command.exists():
        pytest.skip("installed without scripts")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"starlings {sl.__version__}\n"


def test_help_names_every_command_and_loads_no_heavy_library() -> None:
    program = "import sys; from starlings.cli import main; code = main(sys.argv[1:] or ['--help']); print(*sys.modules)"
    done = python(program).ok()
    assert all(f" {name} " in done.text for name in COMMANDS)
    assert not set(HEAVY) & set(done.text.split("\n")[-2].split())


def test_native_files_are_read_without_heavy_libraries(tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings")
    commands = [["info", str(path)], ["sweep", str(path), "--json"], ["explain", str(path), "a", "c"]]
    blocked = f"import sys; sys.modules.update(dict.fromkeys({[*HEAVY]!r}))"
    python(f"{blocked}; from starlings.cli import main; sys.exit(max(map(main, {commands!r})))").ok()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, cli: Run) -> None:
    for option in ("--help", "-h"):
        done = cli(command, option).ok()
        assert f"starlings {command}" in done.text and "--json" in done.text and done.errors == ""


def test_without_a_command_help_is_a_mistake(cli: Run) -> None:
    done = cli()
    assert done.code == 2 and "Usage: starlings" in done.text


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_without_typer_the_extra_is_named(more: list[str], cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)
    for module in [name for name in sys.modules if name.startswith("starlings.cli.")]:
        if module != "starlings.cli.mistakes":
            monkeypatch.delitem(sys.modules, module)
    done = cli("info", "x", *more)
    message = json.loads(done.errors)["error"]["message"] if more else done.error
    assert done.code == 2 and 'needs typer, which is not installed: pip install "starlings[cli]"' in message


def test_without_pyarrow_tables_name_the_extra(tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    program = "import sys; sys.modules['pyarrow'] = None; from starlings.cli import main; "
    assert 'pip install "starlings[arrow]"' in python(f"{program}sys.exit(main(['info', {str(path)!r}]))").error


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--nothing"], "No such option: --nothing"),
        (["bild"], "bild"),
        (["at", "x", "y", "z"], "unexpected extra argument"),
        (["info"], "Missing argument 'FILE'"),
        (["sweep", "x", "--step"], "--step"),
        (["build", "x", "--quantise", "7"], "quantise"),
        (["at", "x", "y", "--as", "xml"], "xml"),
        (["info", "x", "--format", "xml"], "xml"),
    ],
)
def test_mistakes_in_arguments_are_one_line(arguments: list[str], wanted: str, cli: Run) -> None:
    assert wanted in cli(*arguments).error and "--help" in cli(*arguments).error
    told = json.loads(cli(*arguments, "--json").errors)["error"]
    assert wanted in told["message"] and told["kind"] == "UsageError"


# ------------------------------------------------------------------------------------------------- pipes and interrupts


@contextmanager
def running(*commands: Sequence[object], **options: Any) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes side by side, most of whose time goes into starting."""
    programs = [[sys.executable, "-m", "starlings", *map(str, command)] for command in commands]
    with ExitStack() as stack:
        yield [stack.enter_context(subprocess.Popen(program, **options)) for program in programs]


def test_a_reader_that_leaves_early_is_no_error(many: Path) -> None:
    commands = [["at", many, "0.5", *options] for options in ([], ["--json"], ["--as", "arrow"])]
    with running(*commands, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as processes:
        for process in processes:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) == 141


def test_a_full_disk_is_a_mistake(tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings")
    commands = [["info", path], ["at", path, "0.5"], ["at", path, "0.5", "--json"]]
    with open("/dev/full", "wb") as full, running(*commands, stdout=full, stderr=subprocess.PIPE) as processes:
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 2 and len(errors.splitlines()) == 1
            assert b"No space left on device" in errors


def test_closed_standard_streams(tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings")
    lines = [f"{sys.executable} -m starlings info {path} {closing}" for closing in (">&-", "2>&-", "<&- >&- 2>&-")]
    lines.append(f"{sys.executable} -m starlings info - <&-")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen(["sh", "-c", line], text=True, **pipes) for line in lines]  # type: ignore[call-overload]
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 2]
    assert [errors for _, errors in ended] == ["", "", "", f"starlings: error: {CLOSED}\n"]


def test_text_that_standard_output_has_no_characters_for(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, "csv")
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = process("diff", pairs, "1", "0.8", env=environment).ok()
    assert "\\u6f22" in done.text and done.text.isascii() and done.errors == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_ended_while_reading_nothing_is_left(number: signal.Signals, code: int, tmp_path: Path) -> None:
    target = tmp_path / "model.starlings"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = ["build", "-", "-o", target]
    before = signal.signal(number, signal.SIG_DFL)  # of tests in the background, some are ignored, and would be here
    with (
        ExitStack() as restored,
        running(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as (process,),
    ):
        restored.callback(signal.signal, number, before)
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(b"left,right,score\n" + b"1,2,0.5\n" * 50_000)  # more than a pipe holds: it is being read
        process.stdin.flush()
        process.send_signal(number)
        assert process.wait(60) == code
        assert process.stderr.read() == b""
    assert os.listdir(tmp_path) == []


def test_ended_while_writing_the_old_file_stays(
    many: Path, cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def ended(*_: object) -> None:
        assert len(os.listdir(tmp_path)) == 2  # the new one is written, and not in its place yet
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(os, "replace", ended)
    before = signal.getsignal(signal.SIGTERM)
    done = cli("at", many, "0.5", "-o", target)
    assert (done.code, done.output, done.errors) == (143, b"", "")
    assert os.listdir(tmp_path) == ["out.csv"] and target.read_text() == "old"
    assert signal.getsignal(signal.SIGTERM) is before


def test_signals_that_somebody_handles_are_left_to_them(cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        cli("info", path).ok()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    with ThreadPoolExecutor(1) as other:  # where signals cannot be handled
        other.submit(cli, "info", path).result().ok()


def test_interrupted_while_working_the_old_file_stays(tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "pairs.parquet", 300_000)
    target = tmp_path / "out.csv"
    target.write_text("old")
    program = f"""
import signal, sys, threading
from starlings import batches
from starlings.cli import main
original = batches.BatchProcessor.process_large_dataset
def slow(self, name, edges, **options):
    def interrupted():
        for batch in edges:
            yield batch
            signal.raise_signal(signal.SIGINT)
    original(self, name, interrupted(), **options)
batches.BatchProcessor.process_large_dataset = slow
sys.exit(main(["at", {str(path)!r}, "0.5", "-o", {str(target)!r}]))
"""
    done = python(program)
    assert (done.code, done.output, done.errors) == (130, b"", "")
    assert target.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["out.csv", "pairs.parquet"]


# -------------------------------------------------------------------------------------------------------------- writing


def test_a_written_file_takes_the_place_of_another_and_keeps_its_mode(cli: Run, tmp_path: Path) -> None:
    path, target = write_pairs(tmp_path, "csv"), tmp_path / "out.csv"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    cli("at", path, "0.7", "-o", link).ok()
    assert link.is_symlink() and target.read_text().startswith("source,key,entity_id\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        cli("at", path, "0.7", "-o", tmp_path / "new.csv").ok()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize("command", [["at", "0.7"], ["sweep"], ["diff", "0.7", "0.9"], ["build"], ["explore"]])
def test_places_that_cannot_be_written(command: list[str], cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "csv")
    (tmp_path / "folder.csv").mkdir()
    before = sorted(os.listdir(tmp_path))
    for target in (tmp_path / "none" / "out.csv", tmp_path / "folder.csv"):
        assert str(target) in cli(command[0], path, *command[1:], "-o", target).error
    assert sorted(os.listdir(tmp_path)) == before
    for target in (path, tmp_path / "." / path.name):
        assert "would be lost" in cli(command[0], path, *command[1:], "-o", target).error
    assert "is empty" in cli(command[0], path, *command[1:], "-o", "").error
    assert sorted(os.listdir(tmp_path)) == before and path.read_text("utf-8").startswith("left,right,score")
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        assert "ermission denied" in cli(command[0], path, *command[1:], "-o", tmp_path / "out.csv").error
        tmp_path.chmod(0o700)


def test_a_failed_write_leaves_the_old_file(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = write_pairs(tmp_path, "csv"), tmp_path / "out.csv"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert "No space left" in cli("at", path, "0.7", "-o", target).error
    assert target.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["out.csv", "pairs.csv"]


def test_a_device_is_written_into(cli: Run, tmp_path: Path) -> None:
    cli("at", write_pairs(tmp_path, "csv"), "0.7", "-o", "/dev/null", "--as", "csv").ok()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


# ------------------------------------------------------------------------------------------------------------- terminal


def on_terminal(*commands: Sequence[object], columns: int = 100, **environment: str) -> list[str]:
    """What is seen of each command, one after the other, on a terminal."""
    main, side = pty.openpty()
    texts = [[str(part) for part in command] for command in commands]
    program = (
        "import sys; from starlings.cli import main\n"
        f"for command in {texts!r}:\n    assert main(command) == 0; print('\\x1e', end='', flush=True)"
    )
    variables = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"} | environment
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), side)
    with subprocess.Popen([sys.executable, "-c", program], env=kept | variables, **streams) as process:  # type: ignore[call-overload]
        os.close(side)
        seen = b""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            ready, _, _ = select.select([main], [], [], 1)
            try:
                data = os.read(main, 65536) if ready else b""
            except OSError:
                break
            seen += data
            if ready and not data:
                break
        os.close(main)
        assert process.wait(60) == 0, seen.decode()
    return seen.decode().split("\x1e")[:-1]


def test_tables_on_a_terminal_are_drawn(many: Path, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings")
    few, first, long = on_terminal(["at", path, "0.7"], ["at", many, "0.5"], ["sweep", path, "--step", "0.004"])
    assert "\u2500" in few and "\x1b[1m" in few and "\u6f22\u5b57" in few
    assert "7 records in 4 entities at model@0.7" in few
    assert "the first 40 of 200,001 records in 1 entities at model@0.5; --output writes all" in first
    assert "... 51 more rows" in long
    (plain,) = on_terminal(["at", path, "0.7"], NO_COLOR="1")
    assert "\u6f22\u5b57" in plain and not re.search(r"\x1b\[3\d", plain)


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_nothing_is_cut_on_a_narrow_terminal(columns: int, cli: Run, tmp_path: Path) -> None:
    path = write_pairs(tmp_path, "starlings", [*PAIRS, ("long " * 20, "b", 0.6543)])
    metrics = ["-m", "f1,precision,recall,bcubed_f1,bcubed_precision,nmi,variation_of_information"]
    commands = [["info", path], ["compare", path, "model", "-r", "model@0.65", *metrics], ["sweep", path, "--all"]]
    for command, seen in zip(commands, on_terminal(*commands, columns=columns), strict=True):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
        wanted = set(cli(*command).ok().text.split()) - {"reference", "reference_threshold"}
        assert wanted <= set(plain.replace("@", " ").split())
        assert all(len(line.rstrip()) <= columns for line in plain.splitlines() if not line.startswith("file"))


def test_progress_is_shown_on_request_and_never_in_a_pipe(cli: Run, tmp_path: Path) -> None:
    path = write_numbers(tmp_path / "pairs.parquet", 1_000_000)
    assert cli("info", path).ok().errors == ""
    asked, quiet = on_terminal(["info", path, "--progress"], ["info", path, "--no-progress"])
    assert "\x1b[2K" in asked and "\x1b[2K" not in quiet


# ----------------------------------------------------------------------------------------------------------- completion


def test_completion_scripts_are_printed() -> None:
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    commands = [["--show-completion", shell] for shell in ("bash", "zsh", "fish")]
    with running(*commands, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as processes:
        for process in processes:
            output, errors = process.communicate(timeout=60)
            assert b"starlings" in output and b"_STARLINGS_COMPLETE" in output
            assert (process.returncode, errors) == (0, b"")


@pytest.fixture
def completed(cli: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What fish is told to complete a line with."""

    def complete(line: str) -> list[str]:
        monkeypatch.setenv("_STARLINGS_COMPLETE", "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        done = cli()
        assert done.errors == ""
        return [entry.split("\t")[0] for entry in done.text.split("\n") if entry]

    return complete


def test_collections_cuts_and_metrics_are_completed(completed: Callable[[str], list[str]], tmp_path: Path) -> None:
    frame = frame_of()
    frame.add_collection_from_edges("modest", PAIRS)
    frame.add_collection_from_labels("truth", *map(list, zip(*LABELS, strict=True)))
    path = tmp_path / "x.starlings"
    frame.save(path)
    assert set(COMMANDS) <= set(completed("starlings "))
    assert completed(f"starlings at {path} mod") == ["model", "model@", "modest", "modest@"]
    assert completed(f"starlings at {path} model@0.") == [f"model@0.{number}" for number in range(1, 10)]
    assert completed(f"starlings sweep {path} t") == ["truth"]
    assert completed(f"starlings compare {path} --reference t") == ["truth", "truth@"]
    assert completed(f"starlings compare {path} --fail-under bcubed_f") == ["bcubed_f1="]
    assert completed(f"starlings sweep {path} --metric f1,rec") == ["f1,recall"]
    assert completed(f"starlings at {tmp_path}/none.starlings m") == []
    assert completed(f"starlings at {write_csv(tmp_path / 'x.csv', 'left,right,score', PAIRS)} m") == []
