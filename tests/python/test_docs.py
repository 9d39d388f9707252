"""The pages say what the package does: all their code runs, the metrics are all there, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from page_blocks import (
    AT_THE_ROOT,
    DATA,
    DOCS,
    ROOT,
    RUN,
    blocks_of,
    check_data,
    name_of,
    run,
    run_c,
    run_console,
    run_python,
    static_library,
    without_blocks,
)
from starlings import _core

PAGES = [*DOCS, *AT_THE_ROOT]
#: Pages whose console blocks have a test of their own, which prepares what they need.
OWN_CONSOLE = ("docs/command_line.md",)
FIGURES = ROOT / "docs" / "figures"


def pages_with(*languages: str) -> list[Path]:
    return [page for page in DOCS if blocks_of(page, *languages)]


def test_every_metric_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert sorted(documented) == sorted(name for name, *_ in _core.metric_names())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", without_blocks(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_source_files_that_the_design_names_exist() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(\w+\.c)`", page))
    present = {path.name for path in (ROOT / "engine").rglob("*.c")}
    assert names and names <= present


def test_there_are_pages_with_code() -> None:
    names = [page.name for page in pages_with("python")]
    assert "frames.md" in names and "tutorial.md" in names and pages_with("c")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_run_or_is_data(page: Path) -> None:
    refused = [(block.line, block.language) for block in blocks_of(page) if not known(block.language)]
    assert refused == [], f"lines and languages of blocks that nothing runs: name one of {RUN} or, of data, {DATA}"
    for block in blocks_of(page, *DATA):
        check_data(block)


def known(language: str) -> bool:
    return language in RUN or language in DATA or language.startswith("{")


@pytest.mark.parametrize("page", DOCS, ids=name_of)
def test_code_stands_in_fences(page: Path) -> None:
    indented = re.findall(r"(?:\A|\n\n)(    .*\n)", without_blocks(page))
    assert indented == [], "an indented block has no language: nothing could run it"


@pytest.mark.parametrize("page", pages_with("python", "sql"), ids=name_of)
def test_the_blocks_of_a_page_are_one_program(page: Path, tmp_path: Path) -> None:
    run_python("\n".join(block.code for block in blocks_of(page, "python")), tmp_path)
    run_sql("\n".join(block.code for block in blocks_of(page, "sql")), tmp_path)


def run_sql(code: str, folder: Path) -> None:
    """Run statements on the DuckDB database that the page's Python left, or on an empty one."""
    databases = sorted(folder.glob("*.duckdb"))
    assert len(databases) < 2
    with duckdb.connect(databases[0] if databases else ":memory:") as connection:
        connection.execute(code)


@pytest.mark.parametrize("page", pages_with("c"), ids=name_of)
def test_c_blocks_compile_without_warnings_and_run(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks_of(page, "c")):
        folder = tmp_path / str(number)
        folder.mkdir()
        run_c(block.code, folder)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C library as `make install` leaves it."""
    library = static_library(beside="starlings.pc")  # the Python package's own build installs no library
    if library is None:
        pytest.skip("the C library is not built here")
    prefix = tmp_path_factory.mktemp("installed")
    run(["cmake", "--install", library.parent, "--prefix", prefix], prefix)
    return prefix


@pytest.mark.parametrize("page", pages_with("cmake"), ids=name_of)
def test_cmake_blocks_build_the_first_program_of_their_page(page: Path, installed: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks_of(page, "cmake")):
        project = tmp_path / str(number)
        project.mkdir()
        (project / "CMakeLists.txt").write_text(block.code, encoding="utf-8")
        (project / "first.c").write_text(blocks_of(page, "c")[0].code, encoding="utf-8")
        run(["cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed}"], project)
        run(["cmake", "--build", "build"], project)
        assert run([project / "build" / "first"], project)


@pytest.mark.parametrize("page", pages_with("sh", "console"), ids=name_of)
def test_shell_blocks_do_what_the_page_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name_of(page) in OWN_CONSOLE:
        pytest.skip("has a test of its own")
    if programs := blocks_of(page, "c"):  # commands about the first of them and the installed library
        (tmp_path / "first.c").write_text(programs[0].code, encoding="utf-8")
        library = next(request.getfixturevalue("installed").rglob("pkgconfig")).parent
        monkeypatch.setenv("PKG_CONFIG_PATH", str(library / "pkgconfig"))
        monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
    for block in blocks_of(page, "sh", "console"):
        if block.language == "sh":
            run(["bash", "-euc", block.code], tmp_path)
        else:
            run_console(block.code, tmp_path)


def test_figures_are_as_the_script_draws_them(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FIGURES / "draw.py", tmp_path], check=True, timeout=120)
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    assert drawn == {path.name: path.read_bytes() for path in FIGURES.glob("*.svg")}
    assert drawn


def test_every_figure_is_shown_on_a_page() -> None:
    shown = {match for page in DOCS for match in re.findall(r"figures/([\w-]+\.svg)", page.read_text("utf-8"))}
    assert {path.name for path in FIGURES.glob("*.svg")} == shown
