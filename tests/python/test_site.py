"""The documentation site: it builds without a warning, nothing is out of reach or missing, nothing is fetched."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

import starlings as sl
from page_blocks import ROOT
from starlings import testing

DOCS = ROOT / "docs"
HEADER = (ROOT / "include" / "starlings.h").read_text(encoding="utf-8")
#: Pages that Sphinx makes, which no text links to.
MADE = ("search.html", "genindex.html", "py-modindex.html", "_modules/index.html")


@dataclass
class Page(HTMLParser):
    """What a page links to, loads and can be linked at."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif "href" in values or "src" in values:
            self.loads.append(values.get("src", values.get("href", "")))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once; any warning fails every test here."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-W", "--keep-going", "-d"]
    command += [str(folder / "doctrees"), str(DOCS), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site by its path."""
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def inner_links(page: Page) -> Iterator[tuple[Path, str]]:
    """Files and anchors of the site that a page links to."""
    for link in page.links:
        if not re.match(r"[a-z]+:", link):
            target, anchor = urldefrag(link)
            yield (page.path.parent / unquote(target)).resolve() if target else page.path, unquote(anchor)


def test_every_source_is_a_page(site: Path) -> None:
    sources = [path for pattern in ("*.md", "*.rst") for path in DOCS.rglob(pattern)]
    missing = [path for path in sources if not (site / path.relative_to(DOCS).with_suffix(".html")).exists()]
    assert sources and missing == []


def test_every_page_is_within_reach_of_the_index(site: Path, pages: dict[Path, Page]) -> None:
    reached, left = set(), [site / "index.html"]
    while left:
        path = left.pop()
        if path in pages and path not in reached:
            reached.add(path)
            left += [target for target, _ in inner_links(pages[path])]
    assert [name for path in pages if path not in reached and (name := str(path.relative_to(site))) not in MADE] == []


def test_every_inner_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    wrong = [
        (page.path.name, target.name, anchor)
        for page in pages.values()
        for target, anchor in inner_links(page)
        if not (target.exists() and (not anchor or target not in pages or anchor in pages[target].anchors))
    ]
    assert wrong == []


def test_nothing_is_fetched(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [(page.path.name, source) for page in pages.values() for source in page.loads]
    assert loaded and [load for load in loaded if re.match(r"(?:[a-z]+:)?//", load[1])] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles and not any(re.search(r"@import|url\(['\"]?(?:https?:)?//", style) for style in styles)


def test_what_pages_load_is_there(pages: dict[Path, Page]) -> None:
    missing = [
        (page.path.name, source)
        for page in pages.values()
        for source in page.loads
        if not source.startswith(("data:", "#")) and not (page.path.parent / unquote(source).split("?")[0]).exists()
    ]
    assert missing == []


def test_every_figure_is_on_the_site(site: Path) -> None:
    drawn = {path.name for path in (DOCS / "figures").glob("*.svg")}
    assert drawn and drawn == {path.name for path in (site / "_images").glob("*.svg")}


def test_one_can_search(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert "tutorial" in index and "sl_hierarchy_build" in index


def test_every_public_name_of_the_package_has_an_entry(pages: dict[Path, Page]) -> None:
    entries = {anchor for page in pages.values() if "reference/python" in str(page.path) for anchor in page.anchors}
    described = {entry.removeprefix("module-starlings.").removeprefix("starlings.") for entry in entries}
    assert [name for name in sl.__all__ if name not in described] == []


def test_every_function_of_the_adapters_and_strategies_has_an_entry(pages: dict[Path, Page]) -> None:
    described = {anchor for page in pages.values() for anchor in page.anchors}
    modules = [testing, *(getattr(sl.adapters, name) for name in sl.adapters.__all__)]
    names = [
        f"{module.__name__}.{name}"
        for module in modules
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]
    assert len(names) > 10 and [name for name in names if name not in described] == []


def test_public_members_have_entries(pages: dict[Path, Page]) -> None:
    described = {anchor for page in pages.values() for anchor in page.anchors}
    for owner in (sl.EntityFrame, sl.Collection, sl.Partition, sl.Report):
        members = {
            name for kind in owner.__mro__[:-1] if kind.__module__.startswith("starlings") for name in vars(kind)
        }
        public = [name for name in sorted(members) if not name.startswith("_")]
        missing = [name for name in public if f"starlings.{owner.__name__}.{name}" not in described]
        assert public and missing == []


def test_every_function_and_type_of_the_header_has_an_entry(site: Path) -> None:
    page = Page(site / "reference" / "c.html")
    functions = re.findall(r"^SL_API [^(]*?\b(sl_\w+)\(", HEADER, flags=re.M)
    types = re.findall(r"^(?:typedef (?:struct|enum) (sl_\w+)(?: \{|;| sl_\w+;))|^\} (sl_\w+);", HEADER, flags=re.M)
    constants = re.findall(r"^ +(SL_\w+)(?: = .*)?,", HEADER, flags=re.M)
    names = {*functions, *(name for pair in types for name in pair if name), *constants}
    assert len(functions) > 200 and len(constants) > 80
    described = {anchor.rpartition(".")[2] for anchor in page.anchors}  # c.sl_version, c.sl_status.SL_OK
    assert sorted(names - described) == []


def test_the_reference_has_the_sections_of_the_header(site: Path) -> None:
    text = (site / "reference" / "c.html").read_text(encoding="utf-8")
    banners = re.findall(r"^/\* -{20,}\n \* ([\w ,]+)", HEADER, flags=re.M)
    titles = re.findall(r"<h2>([^<]+)<", text)
    assert [any(title.startswith(banner) for title in titles) for banner in banners] == [True] * len(banners) != []


def test_pages_from_outside_show_the_files_that_they_name(site: Path) -> None:
    assert "How fast" in (site / "overview.html").read_text(encoding="utf-8")
    assert "Keep a Changelog" in (site / "changelog.html").read_text(encoding="utf-8")
    assert "House style" in (site / "contributing.html").read_text(encoding="utf-8")
