"""What all adapters promise: none needs its package, each function is documented by an example that runs."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from starlings import testing

NAMES = sl.adapters.__all__
MODULES = [importlib.import_module(f"starlings.adapters.{name}") for name in NAMES]
PACKAGES = ["splink", "er_evaluation", "dedupe", "zingg", "matchbox", "duckdb", "pyspark"]
FUNCTIONS = [(module, name) for module in MODULES for name in module.__all__]


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_they_come_with_the_package_and_bring_nothing() -> None:
    loaded = run("import sys, starlings; print(*sys.modules)").split()
    assert {f"starlings.adapters.{name}" for name in NAMES} <= set(loaded)
    assert not {*PACKAGES, "pandas", "pyarrow"} & set(loaded)


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_examples_run_without_the_packages(module: ModuleType) -> None:
    program = f"""
import sys
sys.modules.update(dict.fromkeys({PACKAGES!r}))
import doctest, importlib
result = doctest.testmod(importlib.import_module({module.__name__!r}))
print(result.failed, result.attempted > 5)
"""
    assert run(program) == "0 True\n"


@pytest.mark.parametrize(("module", "name"), FUNCTIONS, ids=[f"{m.__name__.split('.')[-1]}.{n}" for m, n in FUNCTIONS])
def test_functions_are_documented(module: ModuleType, name: str) -> None:
    text = inspect.getdoc(getattr(module, name))
    assert text and "Parameters\n---" in text
    for parameter in inspect.signature(getattr(module, name)).parameters:
        assert any(
            parameter in line.split(" : ")[0] for line in text.splitlines() if " : " in line or line == parameter
        )


@pytest.mark.parametrize(
    "call", ["dedupe.edges([])", "matchbox.edges({})", "splink.edges({})", "zingg.edges({}, key='a')"]
)
def test_without_pyarrow_the_extra_is_named(call: str) -> None:
    program = f"""
import sys
sys.modules["pyarrow"] = None
import starlings as sl
try:
    sl.adapters.{call}
except sl.MissingDependencyError as error:
    print(error)
"""
    assert "starlings[arrow]" in run(program)


def test_weights_are_no_probabilities() -> None:
    weights = sl.Collection.from_edges([(1, 2, 5.0)], keep_edges=True, scale="weight")
    adapters = sl.adapters
    for handed in (
        lambda: adapters.dedupe.to_clusters(weights, 1.0),
        lambda: adapters.dedupe.to_scores(weights),
        lambda: adapters.zingg.to_clusters(weights, 1.0),
        lambda: adapters.matchbox.to_edges(weights),
    ):
        with pytest.raises(sl.InvalidArgumentError, match=r"are weights.*have to be probabilities"):
            handed()


def test_what_wants_a_collection_takes_nothing_else() -> None:
    adapters = sl.adapters
    cut = sl.Collection.from_edges([(1, 2, 0.5)], keep_edges=True).at(0.5)
    for wrong in (cut, None, 7, sl.EntityFrame()):
        for function in (
            lambda it: adapters.dedupe.to_clusters(it, 0.5),
            adapters.dedupe.to_scores,
            lambda it: adapters.zingg.to_clusters(it, 0.5),
            adapters.matchbox.to_edges,
            lambda it: adapters.er_evaluation.to_predictions(it, [0.5]),
        ):
            with pytest.raises(sl.InvalidArgumentError, match="is no Collection"):
                function(wrong)


def named(kind: str, record: int) -> object:
    """A record by number under a name: a key, or a source and a key that other sources have as well."""
    return {"integers": record, "text": f"é{record}", "sources": ("abc"[record % 3], record // 3)}[kind]


def round_trips(collection: sl.Collection, threshold: float) -> dict[str, sl.Partition]:
    """A cut after it was each package's own clusters, of those that take such records."""
    cut, back = collection.at(threshold), {}
    adapters = sl.adapters
    back["splink"] = adapters.splink.from_clusters(adapters.splink.to_clusters(cut))
    back["er_evaluation"] = adapters.er_evaluation.from_membership(adapters.er_evaluation.to_membership(cut))
    back["dedupe"] = adapters.dedupe.from_clusters(adapters.dedupe.to_clusters(collection, threshold))
    output = adapters.zingg.to_clusters(collection, threshold, key="k")
    sources = "z_zsource" if "z_zsource" in output.column_names else None
    back["zingg"] = adapters.zingg.from_clusters(output, key="k", source_column=sources)
    return {name: brought.at(1.0) for name, brought in back.items()}


@pytest.mark.parametrize("kind", ["integers", "text", "sources"])
@given(graph=testing.graphs(), threshold=st.floats(0.0, 1.0))
def test_a_cut_comes_back_from_every_package_as_it_went(kind: str, graph: testing.Graph, threshold: float) -> None:
    edges = [(named(kind, a), named(kind, b), score) for a, b, score in graph.edges]
    records = [named(kind, record) for record in range(graph.num_records)]
    if kind == "sources" and graph.num_records == 1:
        records = [("default", 0)]
        edges = [(("default", 0), ("default", 0), score) for *_, score in edges]
    collection = sl.Collection.from_edges(edges, records=records, keep_edges=True)
    cut = collection.at(threshold)
    for name, partition in round_trips(collection, threshold).items():
        assert partition == cut, name
    resolved = sl.adapters.matchbox.from_resolved(sl.adapters.matchbox.to_resolved(cut)).at(1.0)
    assert sorted(resolved.sizes) == sorted(cut.sizes)
    if kind == "text":
        assert resolved == cut
    if kind == "integers":
        joined = sl.adapters.matchbox.from_clusters(sl.adapters.matchbox.to_clusters(cut)).at(1.0)
        assert sorted(joined.sizes) == sorted(size for size in cut.sizes if size > 1)
        edges_back = sl.Collection.from_edges(sl.adapters.matchbox.edges(sl.adapters.matchbox.to_edges(collection)))
        assert edges_back.num_merges == collection.num_merges
