"""Mistakes that are easily made: each is refused, and the message says what to do instead."""

from __future__ import annotations

import copy
import datetime
import decimal
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl

HUGE = 10**400
FLOATS = [1.0, 2.0, None]


def people() -> sl.EntityFrame:
    return sl.from_records("crm", [{"id": key} for key in "abc"], key_column="id")


# -------------------------------------------------------------------------------------------------------------- records


@pytest.mark.parametrize(
    "data", [[10, 20], (10, 20), ["a"], [(1, 2)], np.array([1, 2]), np.ones((2, 2)), {1, 2}, range(3)]
)
def test_rows_that_are_no_dicts(data: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="row 0 is no dict") as caught:
        sl.from_records("s", data)
    assert caught.value.row == 0
    frame = people()
    with pytest.raises(sl.InvalidArgumentError, match="row 0 is no dict"):
        frame.add_records("new", data)
    assert frame.num_records == 3 and frame.sources == ["crm"]


def test_a_later_row_that_is_no_dict() -> None:
    with pytest.raises(sl.InvalidArgumentError, match=r"row 1 is no dict \(NoneType\)") as caught:
        sl.from_records("s", [{"id": 1}, None])
    assert caught.value.row == 1


@pytest.mark.parametrize("data", [pd.Series([1, 2]), pd.Index([1, 2]), pa.array([1, 2]), pl.Series([1, 2])])
def test_one_column_is_no_table(data: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="one column"):
        sl.from_records("s", data)


@pytest.mark.parametrize("key_column", [None, "id"])
@pytest.mark.parametrize(
    "data",
    [
        [{"id": 0}, {"id": 1}],
        iter([{"id": 0}, {"id": 1}]),
        pa.table({"id": [0, 1]}),
        pa.RecordBatch.from_pydict({"id": [0, 1]}),
        pa.array([{"id": 0}, {"id": 1}]),
        pd.DataFrame({"id": [0, 1]}),
        pl.DataFrame({"id": [0, 1]}),
    ],
    ids=lambda data: type(data).__name__,
)
def test_everything_with_rows(data: Any, key_column: str | None) -> None:
    if not hasattr(data, "__len__"):
        data = iter([{"id": 0}, {"id": 1}])
    frame = sl.from_records("s", data, key_column)
    frame.add_collection_from_edges("all", [(0, 1, 0.5)], source="s", new_records="error")
    assert frame["all"].at(0.5).num_entities == 1


def test_counted_keys_that_collide() -> None:
    frame = sl.from_records("s", [{"id": 7}])
    with pytest.raises(sl.DuplicateKeyError, match="key_column=") as caught:
        frame.add_records("s", [{"id": 8}])
    assert caught.value.row == 0


# --------------------------------------------------------------------------------------------------- columns of no keys


def floats_in(form: str) -> Any:
    frame = pd.DataFrame({"left": FLOATS, "right": [4, 5, 6], "score": [0.5, 0.5, 0.5]})
    if form == "pandas":
        return frame
    if form == "numpy":
        return tuple(frame[name].to_numpy() for name in frame)
    return pl.from_pandas(frame) if form == "polars" else pa.table({**frame, "left": FLOATS})


@pytest.mark.parametrize("form", ["pandas", "numpy", "polars", "pyarrow"])
def test_ints_that_a_missing_value_made_floats(form: str) -> None:
    with pytest.raises(sl.InvalidKeyError, match=r"row 2: the left key is missing.*astype\('Int64'\)") as caught:
        sl.Collection.from_edges(floats_in(form))
    assert caught.value.row == 2


def test_the_row_of_a_float_counts_from_the_start() -> None:
    columns = pa.chunked_array([pa.array([], pa.float64()), [1.0, 2.0]])
    for attempt in (
        lambda: sl.from_records("s", pa.table({"id": columns}), "id"),
        lambda: sl.Collection.from_labels(columns, [1, 2]),
        lambda: sl.Collection.from_labels([1, 2], columns),
        lambda: sl.Collection.from_edges([], records=columns),
        lambda: sl.Collection.from_edges((np.arange(2), columns, np.ones(2))),
    ):
        with pytest.raises(sl.InvalidKeyError, match=r"row 0: .* is a float; .*cast") as caught:
            attempt()
        assert caught.value.row == 0
    with pytest.raises(sl.InvalidKeyError, match="row 1: "):
        sl.Collection.from_labels(pa.array([9.0, 1.0, None]).slice(1), [1, 2])


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([True, False], "a bool"),
        ([datetime.date(2020, 1, 1)] * 2, "a date"),
        ([datetime.datetime(2020, 1, 1)] * 2, "a timestamp"),
        ([datetime.time(1)] * 2, "a time"),
        ([decimal.Decimal(1)] * 2, "a decimal"),
        ([[1], [2]], "a list"),
        (pa.array([0.5, 0.5]).dictionary_encode(), "a float"),
        (pa.array([decimal.Decimal(1)] * 2).dictionary_encode(), "a decimal"),
    ],
)
def test_arrow_columns_of_other_types(values: Any, name: str) -> None:
    table = pa.table({"left": values, "right": [1, 2], "score": [0.5, 0.5]})
    given = [table, pl.from_arrow(table)] if isinstance(values, list) else [table]
    for edges in given:
        for attempt in (lambda e=edges: sl.Collection.from_edges(e), lambda e=edges: sl.from_records("s", e, "left")):
            with pytest.raises(sl.InvalidKeyError, match=f"row 0: .*key is {name}.*cast") as caught:
                attempt()
            assert caught.value.row == 0
            assert "to ints or strings" in str(caught.value)


def test_no_rows_of_any_type() -> None:
    nothing = np.array([], dtype=float)
    assert sl.Collection.from_edges((nothing, nothing, nothing)).num_records == 0
    assert sl.Collection.from_edges(pd.DataFrame({"left": [], "right": [], "score": []})).num_records == 0


# -------------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize("source", [5, None, b"x"])
def test_sources_are_text(source: Any) -> None:
    frame, collection = people(), sl.Collection.from_edges([])
    attempts: list[Callable[[], object]] = [
        lambda: sl.Collection.from_edges([(1, 2, 0.5)], source=source),
        lambda: sl.Collection.from_edges([(1, 2, 0.5)], records=[1, 2], source=source),
        lambda: sl.Collection.from_entities([{1}], source=source),
        lambda: sl.Collection.from_labels([1], [1], source=source),
        lambda: collection.add_edges([(1, 2, 0.5)], source=source),
        lambda: frame.add_collection("new", edges=[(1, 2, 0.5)], source=source),
        lambda: frame.add_collection_from_edges("new", [(1, 2, 0.5)], source=source),
        lambda: frame.add_collection_from_entities("new", [{1}], source=source),
        lambda: frame.add_collection_from_labels("new", [1], [1], source=source),
        lambda: sl.Entity([1], source=source),
    ]
    for attempt in attempts:
        with pytest.raises(sl.InvalidArgumentError, match="the source must be a str, not"):
            attempt()
    assert frame.num_records == 3 and not frame.collection_names()


@pytest.mark.parametrize("huge", [HUGE, -HUGE, 10**5000], ids=["above", "below", "beyond printing"])
def test_numbers_beyond_all_floats(huge: int) -> None:
    collection = sl.Collection.from_edges([])
    for attempt in (
        lambda: collection.at(huge),
        lambda: collection.sweep(huge),
        lambda: collection.sweep(0.0, huge),
        lambda: sl.col("a").at(huge),
        lambda: sl.col("a").sweep(stop=huge),
    ):
        with pytest.raises(sl.InvalidThresholdError) as caught:
            attempt()
        assert len(str(caught.value)) < 200
    for attempt in (
        lambda: collection.sweep(step=huge),
        lambda: sl.f_beta(huge),
        lambda: sl.Collection.from_edges([(1, 2, huge)]),
        lambda: sl.Collection.from_edges([(1, huge, 0.5)]),
        lambda: sl.Key(huge),
    ):
        with pytest.raises(sl.StarlingsError) as caught_other:
            attempt()
        assert len(str(caught_other.value)) < 200


@pytest.mark.parametrize(
    "option", [{"quantise": 99}, {"quantize": 2}, {"source": "s"}, {"left": "nope"}, {"right_source": ""}]
)
def test_a_collection_has_no_options_of_edges(option: dict[str, Any]) -> None:
    frame = people()
    with pytest.raises(sl.InvalidArgumentError, match="edges="):
        frame.add_collection("z", sl.Collection.from_edges([("a", "b", 0.5)]), **option)
    assert "z" not in frame


@pytest.mark.parametrize(
    "edges",
    [
        [(1, 2, 0.5)],
        (np.array([1]), np.array([2]), np.array([0.5])),
        (pd.Series([1]), pd.Series([2]), pd.Series([0.5])),
        iter([(1, 2, 0.5)]),
    ],
    ids=lambda edges: type(edges).__name__,
)
@pytest.mark.parametrize("name", ["nope", ""])
def test_names_of_columns_that_have_none(edges: Any, name: str) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="no named columns"):
        sl.Collection.from_edges(edges, left=name)


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, pl.DataFrame])
def test_one_column_named_twice(make: Callable[[Any], Any]) -> None:
    table = make({"a": [1], "b": [2], "s": [0.5]})
    for names in ({"left": "a", "right": "a", "score": "s"}, {"left": "a", "right": "b", "score": "a"}):
        with pytest.raises(sl.InvalidArgumentError, match="'a' is named twice"):
            sl.Collection.from_edges(table, **names)


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, pl.DataFrame])
def test_one_column_of_sources_for_both_sides(make: Callable[[Any], Any]) -> None:
    table = make({"left": [1], "right": [2], "score": [0.5], "from": ["crm"]})
    subject = sl.Collection.from_edges(table, left_source="from", right_source="from")
    assert subject.at(0.5).to_list() == [{("crm", 1), ("crm", 2)}]


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, pl.DataFrame])
def test_a_source_where_a_column_of_sources_is_wanted(make: Callable[[Any], Any]) -> None:
    table = make({"left": [1], "right": [2], "score": [0.5]})
    for name in ("left_source", "right_source"):
        with pytest.raises(sl.InvalidArgumentError, match=r"'crm'.*for one source of all rows use source="):
            sl.Collection.from_edges(table, **{name: "crm"})


def test_a_frame_with_a_column_twice() -> None:
    frame = pd.DataFrame([[1, 2, 3, 0.5]], columns=["left", "left", "right", "score"])
    with pytest.raises(sl.InvalidArgumentError, match="2 columns called 'left'"):
        sl.Collection.from_edges(frame)


def test_lazy_frames() -> None:
    lazy = pl.DataFrame({"left": [1], "right": [2], "score": [0.5]}).lazy()
    for attempt in (lambda: sl.Collection.from_edges(lazy), lambda: sl.from_records("s", lazy, "left")):
        with pytest.raises(sl.InvalidArgumentError, match=r"\.collect\(\) first"):
            attempt()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([{"id": 1}, {"no": 2, "x": 3}], r"row 1 has no 'id' to read the key from; it has \['no', 'x'\]"),
        ([{"id": 1}, (2, "x")], "row 1 is a tuple, not a dict with 'id'"),
        ([{"id": 1}, 2], "row 1 is a int, not a dict with 'id'"),
    ],
)
def test_rows_without_the_key_column(data: list[Any], words: str) -> None:
    with pytest.raises(sl.InvalidKeyError, match=words) as caught:
        sl.from_records("crm", data, key_column="id")
    assert caught.value.row == 1


# ------------------------------------------------------------------------------------------------------------- messages


def test_types_are_named_as_such() -> None:
    for edges, words in (([(1, 2)], "not a tuple of length 2"), ([5], "not a int"), (([1], 5, [1]), "from a int;")):
        with pytest.raises(sl.InvalidArgumentError, match=words):
            sl.Collection.from_edges(edges)
    with pytest.raises(sl.InvalidArgumentError, match="not a float"):
        sl.Collection.from_entities([1.5])  # type: ignore[list-item]


def test_long_keys_are_cut() -> None:
    long = "é" * 10**6
    collection = sl.Collection.from_edges([("a", "b", 0.5)], records=["a", "b"])
    for attempt in (
        lambda: collection.at(0.5).entity_of(long),
        lambda: collection.threshold_between("a", long),
        lambda: collection.add_edges([("a", long, 0.5)]),
        lambda: sl.Collection.from_entities([{long}], records=["a"]),
        lambda: sl.from_records("s", [{"id": long}, {"id": long}], "id"),
        lambda: sl.Collection.from_edges([], records=[long, long]),
    ):
        with pytest.raises(sl.StarlingsError) as caught:
            attempt()
        assert len(str(caught.value)) < 600


def test_unknown_keys_say_what_to_check() -> None:
    partition = sl.Collection.from_edges([(("crm", "a"), ("web", 5), 0.5)]).at(0.5)
    for key in ("5", ("shop", "a"), 6):
        with pytest.raises(sl.KeyNotFoundError, match="check the key's source and type: the sources are 'crm', 'web'"):
            partition.entity_of(key)


# -------------------------------------------------------------------------------------------------------- known records


def test_duplicates_among_all_records() -> None:
    for attempt in (
        lambda: sl.Collection.from_edges([], records=[1, 2, 1]),
        lambda: sl.Collection.from_edges([], records=np.array([1, 2, 1])),
        lambda: sl.Collection.from_entities([], records=[1, 2, 1]),
        lambda: sl.Collection.from_labels([], [], records=[1, 2, 1]),
    ):
        with pytest.raises(sl.DuplicateKeyError, match="rows 0 and 2 have the same key 1") as caught:
            attempt()
        assert (caught.value.row, caught.value.other_row) == (2, 0)


def test_records_given_stay_all_there_are() -> None:
    entities = [sl.Entity(["a", "b"], id=0), sl.Entity(["c"], id=1)]
    for collection in (
        sl.Collection.from_edges([(0, 1, 0.5)], records=entities),
        sl.Collection.from_edges([("a", "b", 0.5)], records=["a", "b", "c"]),
        sl.Collection.from_entities([{"a", "b"}], records=["a", "b", "c"]),
        sl.Collection.from_labels(["a", "b"], [1, 1], records=["a", "b", "c"]).copy(),
    ):
        before = collection.at(0.0).to_list()
        for again in (False, True):
            with pytest.raises(sl.KeyNotFoundError, match=r"row 0\b.*the key 0\b"):
                collection.add_edges([(0, 1, 0.5)])
            assert collection.num_records == 3
            if not again:
                assert collection.at(0.0).to_list() == before
            collection.add_edges([("b", "c", 0.25)])
        assert collection.at(0.25).num_entities == 1


def test_new_records_can_be_refused() -> None:
    frame = people()
    other = sl.Collection.from_edges([("a", "b", 0.5)])
    attempts: list[Callable[[], object]] = [
        lambda: frame.add_collection("x", other, new_records="error"),
        lambda: frame.add_collection("x", edges=[("a", "b", 0.5)], new_records="error"),
        lambda: frame.add_collection_from_edges("x", [("a", "b", 0.5)], new_records="error"),
        lambda: frame.add_collection_from_entities("x", [{"a"}], new_records="error"),
        lambda: frame.add_collection_from_entities("x", other.at(0.5), new_records="error"),
        lambda: frame.add_collection_from_labels("x", ["a"], [1], new_records="error"),
        lambda: sl.EntityFrame().add_collection("x", other, new_records="error"),
    ]
    for attempt in attempts:
        with pytest.raises(sl.KeyNotFoundError):
            attempt()
        assert frame.num_records == 3 and frame.sources == ["crm"] and "x" not in frame
    known = sl.Collection.from_edges([("a", "b", 0.5)], source="crm")
    frame.add_collection("1", known, new_records="error")
    frame.add_collection_from_edges("2", [("a", "b", 0.5)], source="crm", new_records="error")
    frame.add_collection_from_entities("3", [{"a", "b"}], 0.5, source="crm", new_records="error")
    frame.add_collection_from_labels("4", ["a", "b"], [1, 1], 0.5, source="crm", new_records="error")
    assert [frame[name].at(0.5).num_entities for name in frame] == [2] * 4
    frame.add_collection("5", other, new_records="append")
    assert frame.num_records == 5
    with pytest.raises(sl.InvalidArgumentError, match="new_records must be"):
        frame.add_collection("6", other, new_records="ignore")  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------- copies and pickles


def test_copies_without_pickles() -> None:
    frame = people()
    frame.add_collection_from_edges("model", [("a", "b", 0.5)], source="crm")
    collection = frame["model"]
    partition = collection.at(0.5)
    for value in (frame, collection, partition, partition.entities, partition.entities[0]):
        with pytest.raises(TypeError, match=f"{type(value).__name__} cannot be pickled: .*rebuild"):
            pickle.dumps(value)
    for duplicate in (copy.copy, copy.deepcopy):
        assert duplicate(partition) == partition
        assert duplicate(partition.entities[0]) == partition.entities[0]
        assert duplicate(partition.entities)[:] == partition.entities or len(duplicate(partition.entities)) == 2
        assert not duplicate(collection).is_view
        assert duplicate(collection).at(0.5) == partition
        another = duplicate(frame)
        another.drop("model")
        assert "model" in frame


# ------------------------------------------------------------------------------------------------------------- equality


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_equal_partitions_group_alike(pairs: list[tuple[int, int]]) -> None:
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    keys = range(len(pairs))
    one, other = (sl.Collection.from_labels(keys, labels).at(1.0) for labels in (first, second))
    alike = {frozenset(entity) for entity in one.to_list()} == {frozenset(entity) for entity in other.to_list()}
    assert (one == other) is alike
    backwards = sl.Collection.from_labels(keys[::-1], first[::-1]).at(1.0)
    assert one == backwards


# ---------------------------------------------------------------------------------------------------------- full sweeps


@pytest.mark.parametrize("quantise", [None, 3])
def test_a_full_sweep_is_its_cuts_one_by_one(quantise: int | None) -> None:
    scores = np.random.default_rng(7).random(40)
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("a", (np.arange(40), np.arange(40) // 2, scores), quantise=quantise)
    frame.add_collection_from_edges("b", (np.arange(40), np.arange(40) // 3, scores[::-1].copy()), quantise=quantise)
    frame.add_collection_from_labels("truth", np.arange(40), np.arange(40) // 4)
    metrics = ["f1", "entity_count", "nmi"]
    report = frame.analyse(sl.col("a").sweep(), sl.col("b").sweep(), sl.col("truth").at(1.0), metrics=metrics)
    assert len(report) == len(frame["a"].thresholds) + len(frame["b"].thresholds)
    for row in report:
        cut = sl.col(row["collection"]).at(row["threshold"])
        alone = frame.analyse(cut, sl.col("truth").at(1.0), metrics=metrics)[0]
        assert alone.pop("nmi") == pytest.approx(row.pop("nmi"), abs=1e-12)
        assert alone == row
    described = frame.analyse(sl.col("a").sweep())
    assert described["threshold"].tolist() == frame["a"].thresholds[::-1].tolist()
    assert described["entity_count"].tolist() == [frame["a"].at(t).num_entities for t in described["threshold"]]
