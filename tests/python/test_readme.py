"""The code blocks of README.md and the examples, as a reader would run them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from page_blocks import DATA, ROOT, Block, blocks_of, run, run_c, run_console, run_python

README = ROOT / "README.md"
PYTHON = blocks_of(README, "python") if README.exists() else []
C = blocks_of(README, "c") if README.exists() else []
CONSOLE = blocks_of(README, "console") if README.exists() else []
EXAMPLES = sorted((ROOT / "examples" / "python").glob("*.py"))

#: The edges and the truth of the page's first program, as files.
PAIRS = "left,right,score\nann,anne,0.97\nanne,a. smith,0.81\nbob,robert,0.74\nrobert,roberta,0.42\n"
TRUTH = "key,label\nann,1\nanne,1\na. smith,1\nbob,2\nrobert,2\nroberta,3\n"


def test_there_are_blocks() -> None:
    assert PYTHON and C and CONSOLE
    assert {block.language for block in blocks_of(README)} <= {"python", "c", "console", *DATA}


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks(block: Block, tmp_path: Path) -> None:
    run_python(block.code, tmp_path)


@pytest.mark.parametrize("block", C, ids=range(len(C)))
def test_c_blocks(block: Block, tmp_path: Path) -> None:
    assert run_c(block.code, tmp_path)


def test_console_blocks(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "truth.csv").write_text(TRUTH, encoding="utf-8")
    for block in CONSOLE:
        run_console(block.code, tmp_path)
    assert (tmp_path / "model.html").stat().st_size > 50_000


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.stem for example in EXAMPLES])
def test_examples(example: Path, tmp_path: Path) -> None:
    assert run([sys.executable, "-W", "error", example, tmp_path], tmp_path)
