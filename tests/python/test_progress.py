"""Progress: who is told, when a bar appears, and that it never disturbs the work."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import starlings as sl
from starlings import progress
from starlings.progress import reporting

N = 300_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(Terminal):
    def write(self, text: str) -> int:
        raise OSError("gone")


@pytest.fixture
def edges() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(1)
    return (*random.integers(0, N, (2, N)), random.random(N))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "is_installed", lambda library: False)


def test_a_function_is_told(edges: tuple[np.ndarray, ...]) -> None:
    calls: list[tuple[str, int, int]] = []
    sl.Collection.from_edges(
        zip(*(column.tolist() for column in edges), strict=True), progress=lambda *c: calls.append(c)
    )
    assert calls and all(isinstance(p, str) and done >= 0 and total >= 0 for p, done, total in calls)


def test_what_a_function_raises_stops_the_work(edges: tuple[np.ndarray, ...]) -> None:
    class Enough(Exception):
        pass

    def stop(phase: str, done: int, total: int) -> None:
        raise Enough

    collection = sl.Collection.from_edges([(0, 1, 0.5)])
    frame = sl.EntityFrame()
    rows = list(zip(*(column.tolist() for column in edges), strict=True))
    with pytest.raises(Enough):
        collection.add_edges(rows, progress=stop)
    with pytest.raises(Enough):
        frame.add_collection_from_edges("model", rows, progress=stop)
    assert collection.num_records == 2 and frame.num_records == 0 and list(frame) == []


def test_nothing_is_shown_by_default_where_nobody_looks(capfd: pytest.CaptureFixture[str]) -> None:
    with reporting(None) as callback:
        assert callback is None
    with reporting(False) as callback:
        assert callback is None
    sl.Collection.from_edges([(1, 2, 0.5)])
    assert capfd.readouterr() == ("", "")


def test_a_bar_waits_a_second(monkeypatch: pytest.MonkeyPatch, plain: None) -> None:
    terminal, now = Terminal(), [100.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    with reporting(None) as callback:
        callback("reading edges", 1, 10)
        now[0] += 0.9
        callback("reading edges", 2, 10)
        assert terminal.getvalue() == ""
        now[0] += 0.2
        callback("reading edges", 5, 10)
        assert "reading edges [###############..............." in terminal.getvalue() and " 50%" in terminal.getvalue()
        drawn = terminal.getvalue()
        now[0] += 0.01
        callback("reading edges", 6, 10)
        assert terminal.getvalue() == drawn, "ten times a second at most"
    assert terminal.getvalue().endswith("\r\x1b[2K"), "gone at the end"


@pytest.mark.parametrize("installed", [False, True])
def test_a_bar_at_once(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "is_installed", lambda library: installed)
    with reporting(True) as callback:
        callback("merging", 0, 0)
        callback("merging", 1, 2)
    assert "merging" in terminal.getvalue()


@pytest.mark.parametrize("stream", [Broken(), None])
@pytest.mark.parametrize("installed", [False, True])
def test_a_broken_terminal_does_not_matter(monkeypatch: pytest.MonkeyPatch, stream: object, installed: bool) -> None:
    monkeypatch.setattr(progress, "is_installed", lambda library: installed)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with reporting(True) as callback:
            callback("merging", 1, 2)
            callback("merging", 2, 2)
        with reporting(None) as callback:
            assert callback is None or stream is not None


@pytest.mark.parametrize("value", ["yes", 5, []])
def test_no_progress(value: object) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="progress"):
        sl.Collection.from_edges([], progress=value)


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import starlings as sl

random = np.random.default_rng(1)
n = 3_000_000
left, right, score = *random.integers(0, n, (2, 3 * n)), random.random(3 * n)
frame = sl.EntityFrame.from_records("default", [{}, {}])
seen = []

def interrupt():
    time.sleep(float(sys.argv[1]))
    seen.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    while True:
        frame.add_collection_from_edges("model", (left, right, score))
        frame.drop("model")
except KeyboardInterrupt:
    delay = time.monotonic() - seen[0]
    print(frame.num_records, len(frame), round(delay, 3), flush=True)
    raise
"""


@pytest.mark.parametrize("after", ["0.3", "0.6"])
def test_ctrl_c(tmp_path: Path, after: str) -> None:
    """A long build ends with KeyboardInterrupt. The bound is there for the sake of the suite, not of speed."""
    program = tmp_path / "interrupted.py"
    program.write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, str(program), after], capture_output=True, text=True, timeout=120, check=False
    )
    assert "KeyboardInterrupt" in done.stderr and done.returncode != 0
    records, collections, delay = done.stdout.split()
    assert int(collections) in (0, 1) and float(delay) < 30
    assert int(records) in (2, 3_000_000) or int(records) > 2_000_000
