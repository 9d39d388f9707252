"""Runs of the command line for its tests: in this process, which is quick, and as a process of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import starlings as sl
from starlings.cli import main

PAIRS: list[tuple[Any, Any, float]] = [("a", "b", 0.9), ("b", "c", 0.6), ("x", "y", 0.7), ("é ü", "漢字", 0.8)]
LABELS = [("a", 1), ("b", 1), ("c", 2), ("x", 3), ("y", 3), ("é ü", 4), ("漢字", 4)]


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        return self.output.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.output, parse_constant=_refuse)

    @property
    def error(self) -> str:
        """The one line of a mistake."""
        assert self.code == 2, (self.code, self.errors)
        (line,) = self.errors.splitlines()
        assert line.startswith("starlings: error: ") and self.output == b"", (self.errors, self.output)
        return line.removeprefix("starlings: error: ")

    def ok(self) -> Done:
        assert self.code == 0, self.errors
        return self


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


#: Runs the command line in this process.
Run = Callable[..., Done]


def runner(capture: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """What runs the command line in this process."""

    def run(*arguments: object, stdin: bytes | IO[bytes] = b"") -> Done:
        capture.readouterr()
        stream = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        code = main(list(map(str, arguments)))
        output, errors = capture.readouterr()
        return Done(code, output, errors.decode())

    return run


def process(*arguments: object, stdin: bytes | None = None, **options: Any) -> Done:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "starlings", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False, **options)
    return Done(done.returncode, done.stdout, done.stderr.decode())


def write_csv(path: Path, header: str, rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", "utf-8")
    return path


def pairs_table(pairs: Sequence[tuple[Any, Any, float]] = PAIRS) -> pa.Table:
    left, right, score = zip(*pairs, strict=True) if pairs else ((), (), ())
    return pa.table({"left": list(left), "right": list(right), "score": list(score)})


def write_pairs(folder: Path, form: str, pairs: Sequence[tuple[Any, Any, float]] = PAIRS) -> Path:
    """Pairs as a file of one of the formats."""
    path = folder / f"pairs.{form}"
    if form in ("csv", "tsv"):
        write_csv(path, "left,right,score", pairs)
        if form == "tsv":
            path.write_text(path.read_text("utf-8").replace(",", "\t"), "utf-8")
    elif form == "parquet":
        pq.write_table(pairs_table(pairs), path)
    elif form in ("arrow", "arrows"):
        table = pairs_table(pairs)
        new = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    else:
        frame_of(pairs).save(path)
    return path


def frame_of(pairs: Sequence[tuple[Any, Any, float]] = PAIRS) -> sl.EntityFrame:
    """What the files hold, made in Python."""
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", list(pairs), keep_edges="forest")
    return frame


FORMS = ["csv", "tsv", "parquet", "arrow", "arrows", "starlings"]
