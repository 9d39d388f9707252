"""The pages in docs/ say what the package does: their code runs, the metrics are all there, links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from starlings import _core

ROOT = Path(__file__).parents[2]
AT_THE_ROOT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in AT_THE_ROOT)]
PROGRAMS = {
    page.name: re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), flags=re.M | re.S) for page in DOCS
}


def test_every_metric_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert sorted(documented) == sorted(name for name, *_ in _core.metric_names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_source_files_that_the_design_names_exist() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(\w+\.c)`", page))
    present = {path.name for path in (ROOT / "engine").rglob("*.c")}
    assert names and names <= present


def test_there_are_pages_with_code() -> None:
    assert PROGRAMS["frames.md"]


@pytest.mark.parametrize("name", [name for name, blocks in PROGRAMS.items() if blocks])
def test_the_blocks_of_a_page_are_one_program(name: str, tmp_path: Path) -> None:
    program = tmp_path / "page.py"
    program.write_text("\n".join(PROGRAMS[name]), encoding="utf-8")
    command = [sys.executable, "-W", "error", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
