"""Other projects' packages that cannot be in .venv itself: tools/neighbours.sh puts them beside it."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

if sys.version_info >= (3, 14):
    pytest.skip("Matchbox and dedupe are not for this Python yet", allow_module_level=True)

PLACE = Path(sys.prefix) / "neighbours"


def neighbour(name: str) -> ModuleType:
    """A module of such a package. They come last in the search, so none hides a package of .venv."""
    assert (PLACE / ".requirements").exists(), "run tools/neighbours.sh, or make setup"
    if str(PLACE) not in sys.path:
        sys.path.append(str(PLACE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = import_module(name)
    assert Path(str(module.__file__)).is_relative_to(PLACE)
    return module
