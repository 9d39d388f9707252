"""The package as a whole: quick to import, typed, and what it exports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version
from importlib.resources import files
from pathlib import Path

import pytest

import starlings as sl
from starlings import testing

HEAVY = ["pandas", "pyarrow", "polars", "altair", "rich", "scipy", "hypothesis", "duckdb"]


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_brings_numpy_alone() -> None:
    loaded = run("import sys, starlings; print(*sys.modules)").split()
    assert "numpy" in loaded and not set(HEAVY) & set(loaded)


def test_the_main_job_needs_numpy_alone() -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))\n"
    job = """
import starlings as sl
frame = sl.EntityFrame.from_records("default", [{"id": 1}, {"id": 2}, {"id": 3}], "id")
frame.add_collection_from_edges("model", [(1, 2, 0.9), (2, 3, 0.4)], progress=True)
frame.add_collection_from_entities("truth", [{1, 2}])
report = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0))
print(report.best("f1")["threshold"], repr(report)[:6], report.tidy().columns[0], frame["model"].at(0.9).to_list())
"""
    assert run(blocked + job).startswith("0.9 Report collection [{")


def test_it_is_typed() -> None:
    package = Path(str(files("starlings")))
    assert (package / "py.typed").exists() and (package / "_core.pyi").exists()


def test_versions_agree() -> None:
    assert sl.__version__ == version("starlings")
    assert [name for name in requires("starlings") or [] if "extra" not in name] == ["numpy>=1.26"]


def test_names() -> None:
    assert len(set(sl.__all__)) == len(sl.__all__)
    assert all(hasattr(sl, name) for name in sl.__all__)
    assert sl.from_records == sl.EntityFrame.from_records


def test_threads(threads: None) -> None:
    default = sl.num_threads()
    assert default >= 1
    sl.set_num_threads(3)
    assert sl.num_threads() == 3
    sl.set_num_threads(0)
    assert sl.num_threads() == default
    for bad in (-1, 1.5, "2", None, True, 2**32):
        with pytest.raises(sl.InvalidArgumentError, match="threads"):
            sl.set_num_threads(bad)


def test_strategies_reach_every_shape() -> None:
    assert set(testing.__all__) <= set(vars(testing))
    from hypothesis import find, settings

    quick = settings(max_examples=2000, database=None)
    loops = find(testing.graphs(), lambda graph: any(a == b for a, b, _ in graph.edges), settings=quick)
    assert loops.num_records == 1
    doubles = find(
        testing.graphs(),
        lambda graph: len({frozenset(edge[:2]) for edge in graph.edges}) < len(graph.edges),
        settings=quick,
    )
    assert len(doubles.edges) == 2
    ties = find(
        testing.graphs(shapes=("chain",)),
        lambda graph: len({score for *_, score in graph.edges}) == 1 < len(graph.edges) - 1,
        settings=quick,
    )
    assert len(ties.edges) == 3
    alone = find(
        testing.graphs(shapes=("giant",)), lambda graph: graph.num_records > len(graph.edges) + 1, settings=quick
    )
    assert alone.edges == []
