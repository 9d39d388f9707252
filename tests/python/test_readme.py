"""The code blocks of README.md and the examples, as a reader would run them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(), flags=re.M | re.S) if README.exists() else []
PYTHON = [code for language, code in BLOCKS if language in ("python", "py")]
C = [code for language, code in BLOCKS if language == "c"]
EXAMPLES = sorted((ROOT / "examples" / "python").glob("*.py"))


def run(command: list[str | Path], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def static_library() -> Path | None:
    """The engine as the C tests or an earlier build left it."""
    found = sorted(ROOT.glob("build/**/libstarlings.a"), key=lambda path: path.stat().st_mtime)
    return next((path for path in reversed(found) if "sanitize" not in str(path) and "threads" not in str(path)), None)


def test_there_are_blocks() -> None:
    assert PYTHON and C


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks(code: str, tmp_path: Path) -> None:
    program = tmp_path / "block.py"
    program.write_text(code)
    run([sys.executable, "-W", "error", program], tmp_path)


@pytest.mark.parametrize("code", C, ids=range(len(C)))
def test_c_blocks(code: str, tmp_path: Path) -> None:
    compiler, library = shutil.which("cc"), static_library()
    if compiler is None or library is None:
        pytest.skip("no C compiler, or the C library is not built here")
    (tmp_path / "block.c").write_text(code)
    options = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include"]
    run([compiler, *options, "block.c", library, "-lpthread", "-lm", "-o", "block"], tmp_path)
    assert run([tmp_path / "block"], tmp_path)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.stem for example in EXAMPLES])
def test_examples(example: Path, tmp_path: Path) -> None:
    assert run([sys.executable, "-W", "error", example, tmp_path], tmp_path)
