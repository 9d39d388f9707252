"""The package as a whole: quick to import, typed, and what it exports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import Phase, find, settings

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


SHAPES = {
    "self-loops": lambda graph: any(a == b for a, b, _ in graph.edges),
    "duplicates": lambda graph: len({frozenset(edge[:2]) for edge in graph.edges}) < len(graph.edges),
    "ties": lambda graph: len({score for *_, score in graph.edges}) < len(graph.edges),
    "isolated records": lambda graph: len({record for edge in graph.edges for record in edge[:2]}) < graph.num_records,
    "one component": lambda graph: connected(graph) and graph.num_records > 5,
    "nothing": lambda graph: not graph.edges,
}


def connected(graph: testing.Graph) -> bool:
    return sl.Collection.from_edges(graph.edges, records=range(graph.num_records)).at(0.0).num_entities == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_strategies_reach_every_shape(shape: str) -> None:
    quick = settings(max_examples=1000, database=None, phases=[Phase.generate])
    assert SHAPES[shape](find(testing.graphs(), SHAPES[shape], settings=quick))


def test_strategies_are_exported() -> None:
    assert set(testing.__all__) <= set(vars(testing))
