"""The code blocks of pages in Markdown, and how each language is run.

A block is run, or its fence says that it is data: `DATA`. Nothing else is let through, so that no code on a page can be
wrong without a test that fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
AT_THE_ROOT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]

#: Languages that are run, and those that hold what programs read or print.
RUN = ("python", "c", "cmake", "console", "sh", "sql")
DATA = ("text", "json", "toml", "yaml", "html")

_FENCE = re.compile(r"^(?P<fence>`{3,}|:{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=fence)[ ]*$", re.M | re.S)
_COMMAND = re.compile(r"^\$ (?P<command>.*\n(?:> .*\n)*)(?P<output>(?:(?!\$ ).*\n)*)", re.M)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its code and the line at which it begins."""

    language: str
    code: str
    line: int

    @property
    def is_directive(self) -> bool:
        """Whether it is Sphinx's and no code: a table of contents, a note."""
        return self.language.startswith("{")


def blocks_of(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page, all or those of the given languages."""
    text = page.read_text(encoding="utf-8")
    blocks = [
        Block(match["info"].strip(), match["code"], text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    ]
    return [block for block in blocks if not languages or block.language in languages]


def name_of(page: Path) -> str:
    """A page as tests are named after it."""
    return page.relative_to(ROOT).as_posix()


def without_blocks(page: Path) -> str:
    """The text of a page between its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def run(command: list[str | Path], cwd: Path, *, timeout: int = 120) -> str:
    """What a command prints; it fails the test if it fails."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_python(code: str, folder: Path) -> str:
    """Run a program in `folder`, warnings being errors."""
    program = folder / "page.py"
    program.write_text(code, encoding="utf-8")
    return run([sys.executable, "-W", "error", program], folder)


def static_library(*, beside: str = "") -> Path | None:
    """The engine as the C tests or an earlier build left it, the latest; with that file in its folder."""
    found = sorted(ROOT.glob("build/**/libstarlings.a"), key=lambda path: path.stat().st_mtime, reverse=True)
    plain = [path for path in found if "sanitize" not in str(path) and "threads" not in str(path)]
    return next((path for path in plain if (path.parent / beside).exists()), None)


def run_c(code: str, folder: Path) -> str:
    """Compile a program with warnings as errors, link it with the engine, run it: what it prints."""
    compiler, library = shutil.which("cc"), static_library()
    if compiler is None or library is None:
        pytest.skip("no C compiler, or the C library is not built here")
    (folder / "block.c").write_text(code, encoding="utf-8")
    options = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include"]
    run([compiler, *options, "block.c", library, *_libraries(library), "-o", "block"], folder)
    return run([folder / "block"], folder)


def _libraries(library: Path) -> list[str]:
    """What the static library needs beside itself: OpenSSL and, where it is the system's, BLAKE3."""
    symbols = subprocess.run(["nm", library], capture_output=True, text=True, check=False).stdout
    blake3 = [] if re.search(r" T \w*blake3_hasher_init$", symbols, flags=re.M) else ["-lblake3"]
    return [*blake3, "-lcrypto", "-lpthread", "-lm"]


def run_console(code: str, folder: Path) -> None:
    """Run the commands after `$ ` one after the other; what each prints must be what stands below it."""
    commands = list(_COMMAND.finditer(code))
    assert commands and "".join(match[0] for match in commands) == code, "a console block begins with `$ `"
    for match in commands:
        command = match["command"].replace("\n> ", "\n")
        assert run(["bash", "-euc", f"exec 2>&1\n{command}"], folder).strip() == match["output"].strip(), command


def check_data(block: Block) -> None:
    """Data that has a grammar is in it."""
    if block.language == "json":
        json.loads(block.code)
    if block.language == "toml":
        tomllib.loads(block.code)
