"""Every example in the package's documentation runs, and every public name has documentation."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import starlings as sl

MODULES = [
    module.name
    for module in pkgutil.walk_packages(sl.__path__, "starlings.")
    if not module.name.endswith(("._core", ".__main__"))
]
PUBLIC = [name for name in sl.__all__ if inspect.isclass(getattr(sl, name)) or inspect.isfunction(getattr(sl, name))]
WITH_EXAMPLES = [
    "Collection",
    "EntityFrame",
    "Partition",
    "PerformanceProfile",
    "Report",
    "Entity",
    "Key",
    "Metric",
    "col",
    "f_beta",
]


@pytest.mark.parametrize("name", ["starlings", *MODULES])
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_documentation(name: str) -> None:
    thing = getattr(sl, name)
    assert thing.__doc__
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property | classmethod)):
                assert inspect.getdoc(value), f"{name}.{member}"


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_main_classes_show_how(name: str) -> None:
    assert ">>> " in getattr(sl, name).__doc__
