"""docs/command_line.md: every command of its console blocks is run, in order, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from cli_runs import Run

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
#: Figures that are not the same on every machine.
VARYING = re.compile(r"(?m)^memory in bytes  [\d,]+$")


class Step(NamedTuple):
    """A command and what the page shows below it."""

    command: str
    shown: str


def steps() -> list[Step]:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.M | re.S)
    found = []
    for part in re.split(r"(?m)^\$ ", "".join(blocks)):
        command, _, shown = part.partition("\n")
        found.append(Step(command, shown))
    return found[1:]


def test_every_command_prints_what_the_page_shows(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = 0
    for command, shown in steps():
        program, *arguments = shlex.split(command)
        if program == "cat":
            (tmp_path / arguments[0]).write_text(shown, "utf-8")
        elif program == "echo":
            assert (arguments, f"{code}\n") == (["$?"], shown)
        else:
            assert program == "starlings", command
            done = cli(*arguments)
            code = done.code
            assert VARYING.sub("", done.text + done.errors) == VARYING.sub("", shown), command


def test_the_page_shows_every_command() -> None:
    shown = {words[1] for words in (step.command.split() for step in steps()) if words[0] == "starlings"}
    assert shown == {"build", "info", "at", "sweep", "compare", "explain", "diff", "explore"}
