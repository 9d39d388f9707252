"""The pages in docs/ say what the package does: the metrics are all there, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from starlings import _core

ROOT = Path(__file__).parents[2]
AT_THE_ROOT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in AT_THE_ROOT)]


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
