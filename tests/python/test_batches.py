"""BatchProcessor: edges read in batches make the same collection; cuts compared each with each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import altair
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import starlings as sl
from starlings.testing import edge_lists

Rows = list[tuple[Any, Any, float]]
ROWS: Rows = [(1, 2, 0.9), (2, 3, 0.8), (5, 4, 0.7), (3, 4, 0.25), (7, 7, 1.0), (1, 2, 0.1), (9, 8, 0.55)]
TEXT: Rows = [(f"é{a}", f"é{b}", score) for a, b, score in ROWS]


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    return dict(zip(("left", "right", "score"), map(list, zip(*rows, strict=True)), strict=True))


def parts(rows: Rows, size: int = 3) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def chunks_of_csv(rows: Rows) -> Any:
    text = pd.DataFrame(columns_of(rows)).to_csv(index=False)
    return pd.read_csv(io.StringIO(text), chunksize=3)


#: Every form in which edges may come.
FORMS: dict[str, Callable[[Rows], Any]] = {
    "list": list,
    "generator": lambda rows: (row for row in rows),
    "lists": lambda rows: [list(row) for row in rows],
    "three columns": lambda rows: tuple(columns_of(rows).values()),
    "table": lambda rows: pa.table(columns_of(rows)),
    "chunked table": lambda rows: pa.concat_tables(pa.table(columns_of(part)) for part in parts(rows)),
    "stream": lambda rows: pa.table(columns_of(rows)).to_reader(max_chunksize=2),
    "polars": lambda rows: pl.DataFrame(columns_of(rows)),
    "pandas": lambda rows: pd.DataFrame(columns_of(rows)),
    "list of tables": lambda rows: [pa.table(columns_of(part)) for part in parts(rows)],
    "three tables": lambda rows: tuple(pa.table(columns_of(part)) for part in parts(rows)),
    "generator of record batches": lambda rows: (pa.record_batch(columns_of(part)) for part in parts(rows)),
    "generator of polars": lambda rows: (pl.DataFrame(columns_of(part)) for part in parts(rows, 1)),
    "generator of pandas": lambda rows: (pd.DataFrame(columns_of(part)) for part in parts(rows)),
    "generator of streams": lambda rows: (pa.table(columns_of(part)).to_reader() for part in parts(rows)),
    "structs": lambda rows: [pa.array([dict(zip(("left", "right", "score"), row, strict=True)) for row in rows])],
    "mixed tables": lambda rows: iter(
        [pl.DataFrame(columns_of(rows[:2])), pd.DataFrame(columns_of(rows[2:5])), pa.table(columns_of(rows[5:]))]
    ),
    "pandas chunks": chunks_of_csv,
    "scanner": lambda rows: ds.dataset(pa.table(columns_of(rows))).scanner(batch_size=2).to_batches(),
}


def added(rows: Any, **options: Any) -> sl.EntityFrame:
    """A frame to which the edges were added at once."""
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", rows, **options)
    return frame


def processed(edges: Any, batch_size: int, **options: Any) -> sl.EntityFrame:
    """A frame to which they were added in batches."""
    frame = sl.EntityFrame()
    sl.BatchProcessor(frame, batch_size).process_large_dataset("model", edges, **options)
    return frame


def assert_same(one: sl.EntityFrame, other: sl.EntityFrame) -> None:
    """The same records in the same order, and the same bytes."""
    a, b = one["model"]._state, other["model"]._state
    assert one.num_records == other.num_records and one.sources == other.sources
    records = [[state.context.record(index) for index in range(state.num_records)] for state in (a, b)]
    assert records[0] == records[1] and a.decimals == b.decimals
    assert a.hierarchy == b.hierarchy
    a.hierarchy.validate()
    for part in ("order", "join", "levels"):
        assert bytes(memoryview(getattr(a.hierarchy, part))) == bytes(memoryview(getattr(b.hierarchy, part)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [ROWS, TEXT], ids=["ints", "text"])
@pytest.mark.parametrize("batch_size", [1, 2, 1_000_000])
def test_every_form_in_every_size_of_batch(form: str, rows: Rows, batch_size: int) -> None:
    assert_same(processed(FORMS[form](rows), batch_size), added(rows))


@given(edge_lists(), st.integers(1, 20), st.booleans(), st.sampled_from([6, 2, None]))
def test_any_edges(rows: Rows, batch_size: int, in_tables: bool, quantise: int | None) -> None:
    given_edges = (tuple(zip(*part, strict=True)) for part in ()) if not rows and in_tables else iter(rows)
    assert_same(processed(given_edges, batch_size, quantise=quantise), added(rows, quantise=quantise))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 100)), max_size=60), st.data())
@settings(max_examples=30)
def test_any_division_into_tables(rows: list[tuple[int, int, int]], data: st.DataObject) -> None:
    edges = [(a, b, score / 100) for a, b, score in rows]
    ends = sorted(data.draw(st.lists(st.integers(0, len(edges)), max_size=5)))
    tables = [
        pa.table(
            {"left": [r[0] for r in part], "right": [r[1] for r in part], "score": [r[2] for r in part]},
            schema=pa.schema([("left", pa.int64()), ("right", pa.int64()), ("score", pa.float64())]),
        )
        for part in (edges[a:b] for a, b in zip([0, *ends], [*ends, len(edges)], strict=True))
    ]
    assert_same(processed(iter(tables), data.draw(st.integers(1, 70))), added(edges))


def test_nothing_at_all() -> None:
    for nothing in ([], iter([]), pa.table(columns_of(ROWS)).slice(0, 0), [pa.table(columns_of(ROWS)).slice(0, 0)]):
        frame = processed(nothing, 5)
        assert frame.num_records == 0 and len(frame["model"].thresholds) == 0


def test_options_are_those_of_add_collection() -> None:
    named = {"left": "a", "right": "b", "score": "s", "left_source": "of", "right_source": "and"}
    tables = [
        pa.table({"a": [n], "b": [n + 1], "s": [0.123456 * n], "of": ["crm"], "and": ["web"]}) for n in range(1, 6)
    ]
    assert_same(processed(iter(tables), 2, quantise=2, **named), added(pa.concat_tables(tables), quantise=2, **named))
    frames = (table.to_pandas() for table in tables)
    assert_same(processed(frames, 2, **named), added(pa.concat_tables(tables), **named))
    assert processed(ROWS, 2, source="crm").sources == ["crm"]
    frame = sl.EntityFrame.from_records("crm", [{"id": n} for n in range(1, 6)], key_column="id")
    processor = sl.BatchProcessor(frame, 2)
    with pytest.raises(sl.KeyNotFoundError):
        processor.process_large_dataset("model", ROWS, source="crm", new_records="error")
    processor.process_large_dataset("model", ROWS[:4], source="crm", new_records="error")
    assert frame.num_records == 5
    with pytest.raises(TypeError):
        processor.process_large_dataset("other", ROWS, sauce="crm")


class Broken(Exception):
    pass


def breaking(rows: Rows) -> Iterator[Any]:
    """Rows, and then an error."""
    yield from rows
    raise Broken


@pytest.mark.parametrize(
    ("edges", "error", "row"),
    [
        ([*ROWS, (1, 2, 1.5)], sl.InvalidScoreError, 7),
        ([*ROWS, (1, None, 0.5)], sl.InvalidKeyError, 7),
        ([*ROWS, (1, 2)], sl.InvalidArgumentError, 7),
        ([pa.table(columns_of(ROWS)), pa.table(columns_of([*ROWS, (1, 2, 1.5)]))], sl.InvalidScoreError, 14),
        ([pa.table(columns_of(ROWS)), pa.table(columns_of([(1, 2, 0.5), (1, None, 0.5)]))], sl.InvalidKeyError, 8),
        ([pd.DataFrame(columns_of(ROWS)), pd.DataFrame(columns_of([(-1, 2, 0.5)]))], sl.InvalidKeyError, 7),
        ([pl.DataFrame(columns_of(ROWS)), pl.DataFrame(columns_of([(1, 2, None)]))], sl.InvalidScoreError, 7),
        ([pa.table(columns_of(ROWS)), (1, 2, 0.5)], sl.InvalidArgumentError, None),
        ([pa.table(columns_of(ROWS)), pa.table({"a": [1], "b": [2]})], sl.InvalidArgumentError, None),
        ([*ROWS, pa.table(columns_of(ROWS))], sl.InvalidKeyError, 7),
        ([pa.table(columns_of(ROWS)), None], sl.InvalidArgumentError, None),
        (lambda: iter([None, *ROWS]), sl.InvalidArgumentError, 0),
        (lambda: breaking(ROWS), Broken, None),
        (lambda: breaking([pa.table(columns_of(ROWS))]), Broken, None),
        (5, sl.InvalidArgumentError, None),
        (None, sl.InvalidArgumentError, None),
        ("text", sl.InvalidArgumentError, None),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_errors_name_rows_of_all_batches_and_change_nothing(
    edges: Any, error: type[Exception], row: int | None, batch_size: int
) -> None:
    frame = added([("a", "b", 0.5)])
    before = frame["model"]
    with pytest.raises(error) as raised:
        sl.BatchProcessor(frame, batch_size).process_large_dataset("new", edges() if callable(edges) else edges)
    if row is not None:
        assert raised.value.row == row and f"row {row}" in str(raised.value)
    assert frame.collection_names() == ["model"] and frame.num_records == 2
    assert frame["model"].at(0.5) == before.at(0.5) and frame.sources == ["default"]


def test_nothing_at_all_is_a_collection_without_edges() -> None:
    """A scanner over no files gives no table whose columns could be looked at."""
    tables: list[pa.Table] = []
    frame = processed((table for table in tables), 3, left="a", right="b", score="s", keep_edges=True)
    assert frame["model"].num_records == 0 and len(frame["model"].edges) == 0


@pytest.mark.parametrize("options", [{"keep_edges": True}, {"max_entity_size": 2}])
def test_edges_that_are_all_needed_are_read_in_one_go(options: dict[str, Any]) -> None:
    """A round costs all edges so far. In one round a bad score is reported before a bad key of an earlier row."""
    tables = [pa.table(columns_of(rows)) for rows in (ROWS[:3], [(1, None, 0.5)], [(1, 2, 1.5)])]
    frame = sl.EntityFrame()
    with pytest.raises(sl.InvalidScoreError):
        sl.BatchProcessor(frame, 1).process_large_dataset("model", iter(tables), **options)


def test_a_name_is_given_once_and_checked_first() -> None:
    frame = added(ROWS)
    edges = iter(ROWS)
    with pytest.raises(sl.DuplicateCollectionError):
        sl.BatchProcessor(frame).process_large_dataset("model", edges)
    assert next(edges) == ROWS[0]


def test_interrupts_leave_the_frame_as_it_was() -> None:
    frame = added([("a", "b", 0.5)])
    rows = ((n, n + 1, 0.5) for n in range(10**9))

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sl.BatchProcessor(frame, 50_000).process_large_dataset("new", rows, progress=stop)
    assert frame.collection_names() == ["model"] and frame.num_records == 2


def test_memory_is_that_of_a_batch() -> None:
    """Every table is given back before many more are read."""
    alive: list[int] = []

    class Counted:
        def __init__(self, number: int) -> None:
            self._table = pa.table({"left": [number] * 100, "right": [number + 1] * 100, "score": [0.5] * 100})
            self.columns = self._table.columns
            alive.append(number)

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return self._table.__arrow_c_stream__(requested_schema)

        def __del__(self) -> None:
            alive.remove(number_of(self))

    def number_of(counted: Any) -> int:
        number: int = counted._table["left"][0].as_py()
        return number

    most = []

    def tables() -> Iterator[Any]:
        for number in range(50):
            yield Counted(number)
            most.append(len(alive))

    allocated = pa.total_allocated_bytes()
    frame = processed(tables(), 200)
    assert max(most) <= 2 and frame.num_records == 51
    assert pa.total_allocated_bytes() == allocated


@pytest.mark.parametrize("batch_size", [0, -1, 2**32, 1.5, "5", None, True])
def test_no_size_of_a_batch(batch_size: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="batch_size"):
        sl.BatchProcessor(sl.EntityFrame(), batch_size)


def test_what_a_processor_is() -> None:
    frame = added(ROWS)
    processor = sl.BatchProcessor(frame, np.int64(5))
    assert processor.frame is frame and processor.batch_size == 5
    assert repr(processor) == "BatchProcessor(EntityFrame(num_records=8, collections=['model']), batch_size=5)"
    with pytest.raises(sl.InvalidArgumentError, match="EntityFrame"):
        sl.BatchProcessor(frame["model"])


# ------------------------------------------------------------------------------------------------- comparison matrices

THRESHOLDS = [0.75, 0.1, 1.0]
ALL_METRICS = [*sl.Metrics.eval, *sl.Metrics.stats, sl.f_beta(0.5)]


@pytest.fixture
def frame() -> sl.EntityFrame:
    frame = added(ROWS)
    frame.add_collection_from_edges("rules", [(1, 2, 0.5), (3, 4, 0.8)], quantise=None)
    frame.add_collection_from_entities("truth", [{1, 2, 3}, {4, 5}])
    return frame


def test_each_with_each_is_one_by_one(frame: sl.EntityFrame, threads: None) -> None:
    names = ["truth", "model", "rules"]
    cuts = list(product(names, THRESHOLDS))
    for count in (1, 4):
        sl.set_num_threads(count)
        matrix = sl.BatchProcessor(frame).parallel_batch_comparison(names, THRESHOLDS, ALL_METRICS)
        assert matrix.cuts == cuts and len(matrix) == 9
        assert matrix.metrics == [str(metric) for metric in ALL_METRICS]
        for i, j in product(range(9), range(9)):
            (name, at), (against, where) = cuts[i], cuts[j]
            row = frame.analyse(sl.col(name).at(at), sl.col(against).at(where), metrics=ALL_METRICS)[0]
            for metric in ALL_METRICS:
                assert matrix.matrix(metric)[i, j] == pytest.approx(row[str(metric)], rel=1e-12, abs=1e-12)


def test_a_matrix_is_a_table_of_reports(frame: sl.EntityFrame) -> None:
    processor = sl.BatchProcessor(frame)
    matrix = processor.parallel_batch_comparison(["model", "truth"], [0.5, 0.9])
    report = matrix.report
    assert report.columns[:4] == ["collection", "threshold", "reference", "reference_threshold"]
    assert matrix.metrics == ["f1", "precision", "recall", "ari", "nmi"]
    assert matrix.matrix("f1").tolist() == report["f1"].reshape(4, 4).tolist()
    assert pa.table(matrix) == matrix.to_arrow() and matrix.to_arrow().column_names == report.columns
    assert matrix.to_pandas().shape == matrix.to_polars().shape == (16, 9)
    assert matrix.matrix(sl.f1).shape == (4, 4) and np.allclose(np.diag(matrix.matrix("f1")), 1.0)
    assert np.array_equal(matrix.matrix("precision"), matrix.matrix("recall").T)
    assert matrix == processor.parallel_batch_comparison(["model", "truth"], [0.5, 0.9]) != 5
    assert not matrix.matrix("f1").flags.writeable
    with pytest.raises(sl.UnknownMetricError, match="did you mean 'f1'"):
        matrix.matrix("f11")


def drawn(chart: Any) -> list[Any]:
    """The data of a chart."""
    (rows,) = chart.to_dict()["datasets"].values()
    return list(rows)


def test_how_a_matrix_is_shown(frame: sl.EntityFrame) -> None:
    matrix = sl.BatchProcessor(frame).parallel_batch_comparison(["model", "truth"], 0.5, "f1")
    assert repr(matrix) == "ComparisonMatrix of 2 cuts: f1"
    html = matrix._repr_html_()
    assert html.count("<td>") == 4 and "model at 0.5" in html
    chart = matrix.plot().to_dict()
    assert chart["mark"] == {"type": "rect"} and len(drawn(matrix.plot())) == 4
    assert chart["encoding"]["x"]["sort"] == ["model at 0.5", "truth at 0.5"]
    assert isinstance(matrix.plot("f1"), altair.Chart) and matrix.plot(sl.f1).to_dict() == chart
    with pytest.raises(sl.UnknownMetricError):
        matrix.plot("recall")
    frame.add_collection_from_edges("<b>", [(1, 2, 0.5)])
    assert "<b>" not in sl.BatchProcessor(frame).parallel_batch_comparison(["<b>"], 0.5)._repr_html_()


def test_cuts_of_a_matrix_are_told_apart(frame: sl.EntityFrame) -> None:
    frame.add_collection_from_edges("bits", [(1, 2, 12.345678), (2, 3, 12.345681)], scale="weight")
    matrix = sl.BatchProcessor(frame).parallel_batch_comparison(["bits"], [12.345678, 12.345681], "f1")
    assert {row["judged"] for row in drawn(matrix.plot())} == {"bits at 12.345678", "bits at 12.345681"}


def test_large_matrices_are_drawn_in_part(frame: sl.EntityFrame) -> None:
    grid = [n / 200 for n in range(201)]
    matrix = sl.BatchProcessor(frame).parallel_batch_comparison(["model"], grid, "f1")
    assert len(matrix) == 201 and len(drawn(matrix.plot())) == 100 * 100
    assert matrix._repr_html_().count("<td>") == 12 * 12


def test_matrices_of_nothing(frame: sl.EntityFrame) -> None:
    for names, thresholds in (([], 0.5), (["model"], []), ([], [])):
        matrix = sl.BatchProcessor(frame).parallel_batch_comparison(names, thresholds, ["f1", "entity_count"])
        assert len(matrix) == 0 and matrix.cuts == [] and matrix.matrix("f1").shape == (0, 0)
        assert matrix.to_arrow().num_rows == 0 and matrix.plot() is not None and "0 cuts" in matrix._repr_html_()


def test_matrices_that_cannot_be(frame: sl.EntityFrame) -> None:
    compare = sl.BatchProcessor(frame).parallel_batch_comparison
    with pytest.raises(sl.CollectionNotFoundError, match="did you mean 'model'"):
        compare(["modle"], 0.5)
    for name in (5, None, sl.col("model")):
        with pytest.raises(sl.InvalidArgumentError, match="name is a str, not"):
            compare([name], 0.5)
    for names in ("model", 5, None):
        with pytest.raises(sl.InvalidArgumentError, match="names"):
            compare(names, 0.5)
    for thresholds in (None, 2, [0.5, "x"], "0.5"):
        with pytest.raises(sl.InvalidThresholdError):
            compare(["model"], thresholds)
