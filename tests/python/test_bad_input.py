"""Every bad input of the specification: the error's type, row and message, and that nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import starlings as sl
from starlings import exceptions

NAN, INF = float("nan"), float("inf")


def frame() -> sl.EntityFrame:
    frame = sl.EntityFrame.from_records("default", [{"id": key} for key in "abcd"], key_column="id")
    frame.add_collection_from_edges("model", [("a", "b", 0.9)])
    return frame


def picture(frame: sl.EntityFrame) -> tuple[Any, ...]:
    return (
        frame.num_records,
        frame.collection_names(),
        [frame[name].at(t).to_list() for name in frame for t in (0.0, 0.5, 0.9, 1.0)],
        [frame[name]._state.hierarchy for name in frame],
        frame._core.now().context.num_records,
        np.asarray(frame._core.now().given()).tolist(),
        np.asarray(frame._core.now().garbage()).tolist(),
        frame.sources,
    )


# ---------------------------------------------------------------------------------------------------------------- edges

BAD_SCORES = [NAN, INF, -INF, 1.1, -0.1, 1 + 2e-9, -2e-9, None]


def as_rows(edges: list[Any]) -> Any:
    return edges


def as_arrow(edges: list[Any]) -> Any:
    columns = [pa.array(column, from_pandas=False) for column in zip(*edges, strict=True)]
    return pa.Table.from_arrays(columns, ["left", "right", "score"])


def as_chunks(edges: list[Any]) -> Any:
    return pa.Table.from_batches(as_arrow(edges).to_batches(max_chunksize=2))


def as_numpy(edges: list[Any]) -> Any:
    left, right, score = zip(*edges, strict=True)
    return np.array(left), np.array(right), np.array(score, dtype=float)


@pytest.mark.parametrize("form", [as_rows, as_arrow, as_chunks, as_numpy])
@pytest.mark.parametrize("score", BAD_SCORES)
def test_scores(form: Callable[[list[Any]], Any], score: float | None) -> None:
    given = [("a", "b", 0.5), ("b", "c", 0.5), ("x", "y", 0.5), ("c", "d", score), ("y", "z", 0.5)]
    before = frame()
    subject = frame()
    collection = sl.Collection.from_edges([("a", "b", 0.9)])
    for attempt in (
        lambda: sl.Collection.from_edges(form(given)),
        lambda: subject.add_collection_from_edges("bad", form(given)),
        lambda: collection.add_edges(form(given)),
    ):
        with pytest.raises(sl.InvalidScoreError, match=r"row 3\b") as caught:
            attempt()
        assert caught.value.row == 3
        assert isinstance(caught.value, ValueError)
    assert picture(subject) == picture(before)
    assert collection.num_records == 2 and collection.thresholds.tolist() == [0.9]


@pytest.mark.parametrize(("score", "counts_as"), [(1 + 5e-10, 1.0), (-5e-10, 0.0)])
def test_scores_a_hair_outside_are_taken(score: float, counts_as: float) -> None:
    assert sl.Collection.from_edges([(1, 2, score)]).thresholds.tolist() == [counts_as]


@pytest.mark.parametrize(
    "key", [None, True, False, -1, 2**64, 1.5, 1.0, NAN, (), ("a",), ("a", "b", "c"), ["a"], object(), np.float32(1)]
)
@pytest.mark.parametrize("side", [0, 1])
def test_keys_in_rows(key: Any, side: int) -> None:
    edge: list[Any] = ["a", "b", 0.5]
    edge[side] = key
    before, subject = frame(), frame()
    with pytest.raises(sl.InvalidKeyError, match=r"row 2\b") as caught:
        subject.add_collection_from_edges("bad", [("a", "n", 0.5), ("n", "m", 0.5), tuple(edge)])
    assert caught.value.row == 2
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)
    assert picture(subject) == picture(before)


@pytest.mark.parametrize(
    "left",
    [
        pa.array(["a", "b", None]),
        pa.array([1, 2, None]),
        pa.array([1, 2, -3]),
        pa.array(["a", "b", None]).dictionary_encode(),
        pa.chunked_array([["a", "b"], [None]]),
    ],
)
def test_keys_in_arrow(left: Any) -> None:
    table = pa.table({"left": left, "right": pa.array([7, 8, 9]), "score": [0.5, 0.5, 0.5]})
    before, subject = frame(), frame()
    with pytest.raises(sl.InvalidKeyError, match=r"row 2\b") as caught:
        subject.add_collection_from_edges("bad", table)
    assert caught.value.row == 2
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("rows", [1, 2, 200_000])  # more than are read at a time
@pytest.mark.parametrize("make", [list, pd.DataFrame])
def test_records_of_another_source(rows: int, make: Callable[[Any], Any]) -> None:
    before, subject = frame(), frame()
    keys: list[Any] = [("default", number) if number % 2 else number for number in range(rows)]
    subject.add_records("default", make([{"id": key} for key in keys]), "id")
    assert subject.num_records == before.num_records + rows and subject.sources == before.sources
    subject, keys[-1] = frame(), ("shop", 5)
    with pytest.raises(sl.InvalidKeyError, match=r"row \d+: the key \('shop', 5\) is of source 'shop'") as caught:
        subject.add_records("default", make([{"id": key} for key in keys]), "id")
    assert caught.value.row == rows - 1 and "these are records of 'default'; give bare keys" in str(caught.value)
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("left", [pa.array([1.0, 2.0]), pa.array([True, False]), pa.array([None, None])])
def test_columns_that_hold_no_keys(left: Any) -> None:
    table = pa.table({"left": left, "right": pa.array([7, 8]), "score": [0.5, 0.5]})
    with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError), match=r"left|row 0"):
        sl.Collection.from_edges(table)


def test_negative_numpy_keys() -> None:
    with pytest.raises(sl.InvalidKeyError, match=r"row 1\b") as caught:
        sl.Collection.from_edges((np.array([1, -2]), np.array([3, 4]), np.array([0.5, 0.5])))
    assert caught.value.row == 1


def test_lone_surrogates() -> None:
    for key in ("\ud800", ("\ud800", 1)):
        with pytest.raises(sl.InvalidKeyError, match=r"row 0\b"):
            sl.Collection.from_edges([(key, "b", 0.5)])
    with pytest.raises(sl.InvalidKeyError):
        sl.Key("\ud800")


@pytest.mark.parametrize(
    "edges",
    [
        [("a", "b")],
        [("a", "b", 0.5, 1)],
        [5],
        [None],
        ["abc"],
        [("a", "b", "0.5")],
        (np.array([1, 2]), np.array([1]), np.array([0.5, 0.5])),
        (np.array([1]), np.array([1]), np.array(["x"])),
        pa.table({"left": ["a"], "right": ["b"]}),
        pa.table({"a": ["a"], "b": ["b"], "c": [0.5], "d": [1]}),
        pa.table({"left": ["a"], "right": ["b"], "score": ["0.5"]}),
        pd.DataFrame({"a": ["a"], "b": ["b"], "c": [0.5], "d": [1]}),
        "edges",
        b"edges",
        5,
        {"left": [1]},
    ],
    ids=repr,
)
def test_edges_that_are_none(edges: Any) -> None:
    before, subject = frame(), frame()
    with pytest.raises((sl.InvalidArgumentError, sl.InvalidScoreError, sl.InvalidKeyError)):
        subject.add_collection_from_edges("bad", edges)
    assert picture(subject) == picture(before)


def test_missing_columns_are_named() -> None:
    table = pa.table({"left": ["a"], "other": ["b"], "score": [0.5], "x": [1]})
    for edges in (table, table.to_pandas()):
        with pytest.raises(sl.InvalidArgumentError, match="right"):
            sl.Collection.from_edges(edges)
        with pytest.raises(sl.InvalidArgumentError, match="nowhere"):
            sl.Collection.from_edges(edges, right="nowhere")


def test_an_iterator_that_fails() -> None:
    def edges() -> Iterator[tuple[str, str, float]]:
        for number in range(5000):
            yield (f"new{number}", "a", 0.5)
        raise RuntimeError("the database went away")

    before, subject = frame(), frame()
    with pytest.raises(RuntimeError, match="went away"):
        subject.add_collection_from_edges("bad", edges())
    assert picture(subject) == picture(before)


def test_an_iterator_that_changes_what_it_is_read_for() -> None:
    subject = frame()

    def edges() -> Iterator[tuple[str, str, float]]:
        yield ("a", "b", 0.5)
        subject.add_collection_from_edges("inner", [("x", "y", 0.5)])

    with pytest.raises(sl.InvalidArgumentError, match="being changed"):
        subject.add_collection_from_edges("outer", edges())
    assert picture(subject) == picture(frame())


def test_unknown_records() -> None:
    with pytest.raises(sl.KeyNotFoundError, match=r"row 1\b") as caught:
        sl.Collection.from_edges([("a", "b", 0.5), ("a", "q", 0.5)], records=["a", "b"])
    assert caught.value.row == 1 and isinstance(caught.value, KeyError)


def test_an_iterator_of_records_that_begins_with_nothing() -> None:
    with pytest.raises(sl.InvalidKeyError):
        sl.Collection.from_edges([], records=iter([None, "a"]))


@pytest.mark.parametrize("records", [["a", None], ["a", 1.5], pa.array(["a", None]), 5, "ab", {"a": 1}])
def test_bad_record_spaces(records: Any) -> None:
    with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)):
        sl.Collection.from_edges([], records=records)


@pytest.mark.parametrize("value", [0, 7, -1, True, 2.0, "6"])
def test_decimals(value: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="quantise"):
        sl.Collection.from_edges([], quantise=value)
    with pytest.raises(sl.InvalidArgumentError, match="quantise"):
        sl.Collection.from_edges([], quantize=value)


def test_both_spellings() -> None:
    assert sl.Collection.from_edges([(1, 2, 0.123)], quantise=1, quantize=1).thresholds.tolist() == [0.1]
    assert sl.Collection.from_edges([(1, 2, 0.123)], quantize=2).thresholds.tolist() == [0.12]
    for pair in ((1, 2), (6, None), (None, 6)):
        with pytest.raises(sl.InvalidArgumentError, match="one option"):
            sl.Collection.from_edges([], quantise=pair[0], quantize=pair[1])


# -------------------------------------------------------------------------------------------------- entities and labels


def test_overlapping_entities() -> None:
    before, subject = frame(), frame()
    with pytest.raises(sl.OverlapError, match=r"\ba\b") as caught:
        subject.add_collection_from_entities("bad", [{"n"}, {"a", "m"}, {"c"}, {"a", "d"}])
    assert isinstance(caught.value, ValueError)
    assert picture(subject) == picture(before)


def test_overlapping_labels() -> None:
    before, subject = frame(), frame()
    with pytest.raises(sl.OverlapError) as caught:
        subject.add_collection_from_labels("bad", ["a", "n", "a"], [1, 2, 3])
    assert caught.value.row == 2 and caught.value.other_row == 0
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("entities", [[{"a", None}], [{1.5}], [5], [None], 5, None, "ab", [[("x", 1, 2)]]])
def test_entities_that_are_none(entities: Any) -> None:
    before, subject = frame(), frame()
    with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)):
        subject.add_collection_from_entities("bad", entities)
    assert picture(subject) == picture(before)


@pytest.mark.parametrize(
    ("keys", "labels"), [(["a", "b"], [1]), (["a", None], [1, 2]), (["a", "b"], [1, None]), (["a"], [1.5]), (5, [1])]
)
def test_labels_that_are_none(keys: Any, labels: Any) -> None:
    before, subject = frame(), frame()
    with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)):
        subject.add_collection_from_labels("bad", keys, labels)
    assert picture(subject) == picture(before)


# ----------------------------------------------------------------------------------------------------------- thresholds


@pytest.mark.parametrize("threshold", [NAN, -0.1, 1.1, INF, "0.5", None, True, 1 + 2e-9])
def test_thresholds(threshold: Any) -> None:
    collection = sl.Collection.from_edges([("a", "b", 0.5)])
    subject, before = frame(), frame()
    for attempt in (
        lambda: collection.at(threshold),
        lambda: collection.sweep("none" if threshold is None else threshold),
        lambda: collection.sweep(0.0, "none" if threshold is None else threshold),
        lambda: subject.analyse(sl.col("model").at(threshold)),
        lambda: sl.Collection.from_entities([{"a"}], threshold),
        lambda: sl.Collection.from_labels(["a"], [1], threshold),
        lambda: subject.add_collection_from_entities("bad", [{"a"}], threshold),
        lambda: subject.add_collection_from_labels("bad", ["a"], [1], threshold),
    ):
        with pytest.raises(sl.InvalidThresholdError) as caught:
            attempt()
        assert isinstance(caught.value, ValueError)
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("threshold", [NAN, INF, "0.5", None, True])
def test_thresholds_of_expressions_on_any_scale(threshold: Any) -> None:
    with pytest.raises(sl.InvalidThresholdError, match="finite number"):
        sl.col("model").at(threshold)
    if threshold is not None:
        for bounds in ((threshold,), (0.0, threshold), (None, threshold)):
            with pytest.raises(sl.InvalidThresholdError, match="finite number"):
                sl.col("model").sweep(*bounds)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, 1 + 2e-9, 17])
def test_thresholds_that_probabilities_have_not(threshold: float) -> None:
    subject = frame()
    for expression, what in (
        (sl.col("model").at(threshold), "threshold of collection 'model'"),
        (sl.col("model").at(threshold).reference(), "threshold of collection 'model'"),
        (sl.col("model").sweep(threshold, max(threshold, 1)), "of a sweep of collection 'model'"),
        (sl.col("model").sweep(min(threshold, 0), threshold), "of a sweep of collection 'model'"),
        (sl.col("model").sweep(min(threshold, 0), stop=max(threshold, 1)), "of a sweep of collection 'model'"),
    ):
        with pytest.raises(sl.InvalidThresholdError, match=rf"{what} must lie in \[0, 1\]"):
            subject.analyse(expression, sl.col("model").sweep())


@pytest.mark.parametrize("step", [0.0, -0.1, NAN, 1e-7, "0.1", True, INF])
def test_steps(step: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="step"):
        sl.Collection.from_edges([]).sweep(step=step)
    with pytest.raises(sl.InvalidArgumentError, match="step"):
        sl.col("model").sweep(step=step)


def test_sweeps_go_up() -> None:
    for sweep in (sl.col("model").sweep, sl.Collection.from_edges([]).sweep):
        with pytest.raises(sl.InvalidThresholdError, match="goes up"):
            sweep(0.9, 0.1)


# -------------------------------------------------------------------------------------------------------------- records


@pytest.mark.parametrize("keys", [["x", "y", "x"], [1, 2, 1]])
@pytest.mark.parametrize(
    "make", [lambda k: [{"id": v} for v in k], lambda k: pa.table({"id": k}), lambda k: pd.DataFrame({"id": k})]
)
def test_duplicate_keys(keys: list[Any], make: Callable[[list[Any]], Any]) -> None:
    before, subject = frame(), frame()
    with pytest.raises(sl.DuplicateKeyError, match=r"rows 0 and 2\b") as caught:
        subject.add_records("other", make(keys), "id")
    assert caught.value.row == 2 and caught.value.other_row == 0
    assert str(keys[0]) in str(caught.value)
    assert picture(subject) == picture(before)


def test_keys_that_are_there_already() -> None:
    before, subject = frame(), frame()
    with pytest.raises(sl.DuplicateKeyError) as caught:
        subject.add_records("default", [{"id": "new"}, {"id": "a"}], "id")
    assert caught.value.row == 1
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("key", [None, True, -1, 1.5])
@pytest.mark.parametrize("as_table", [False, True])
def test_bad_keys_of_records(key: Any, as_table: bool) -> None:
    data: Any = [{"id": 0}, {"id": key}]
    before, subject = frame(), frame()
    with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)) as caught:
        subject.add_records("other", pd.DataFrame(data) if as_table else data, "id")
    if not as_table:
        assert isinstance(caught.value, sl.InvalidKeyError) and caught.value.row == 1
    assert picture(subject) == picture(before)


@pytest.mark.parametrize(
    "data", [[{"id": 1}], pa.table({"id": [1]}), pd.DataFrame({"id": [1]})], ids=["dicts", "pyarrow", "pandas"]
)
def test_missing_key_column(data: Any) -> None:
    with pytest.raises(sl.StarlingsError, match="key"):
        sl.from_records("x", data, "key")


def test_a_column_whose_name_cannot_be_hashed() -> None:
    with pytest.raises(sl.InvalidArgumentError, match=r"no column \['left'\]"):
        sl.Collection.from_edges(pd.DataFrame({"left": [1], "b": [2], "c": [0.5]}), left=["left"])  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [pd.DataFrame(), pd.DataFrame(index=[1, 2])])
def test_tables_without_columns(data: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match=r"There are no columns at all\.$"):
        sl.from_records("x", data, "key")
    with pytest.raises(sl.InvalidArgumentError, match=r"There are no columns at all\.$"):
        sl.Collection.from_edges(data, left="a", right="b", score="c")


def test_a_few_names_are_enough() -> None:
    subject = sl.EntityFrame()
    for number in range(11):
        with pytest.raises(sl.CollectionNotFoundError) as caught:
            subject["?"]
        assert str(caught.value).count(f"'c{number - 1}'") == (number > 0)
        subject.add_collection(f"c{number}", edges=[])
    with pytest.raises(sl.CollectionNotFoundError, match=r"there are 'c0', .*'c9', \.\.\.$"):
        subject["?"]


@pytest.mark.parametrize("data", [5, None, "abc", {"id": [1]}])
def test_data_that_is_none(data: Any) -> None:
    before, subject = frame(), frame()
    with pytest.raises(sl.InvalidArgumentError):
        subject.add_records("x", data, "id")
    assert picture(subject) == picture(before)


@pytest.mark.parametrize("source", [5, None, b"x"])
def test_sources_are_text(source: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="source"):
        sl.from_records(source, [{"id": 1}], "id")


# ---------------------------------------------------------------------------------------------------------- collections


def test_unknown_collections() -> None:
    subject, before = frame(), frame()
    subject.add_collection_from_edges("truth", [])
    before.add_collection_from_edges("truth", [])
    for attempt in (
        lambda: subject["modle"],
        lambda: subject.drop("truth", "modle"),
        lambda: subject.analyse(sl.col("modle").sweep()),
    ):
        with pytest.raises(sl.CollectionNotFoundError, match="did you mean 'model'") as caught:
            attempt()
        assert isinstance(caught.value, KeyError)
    assert picture(subject) == picture(before)


def test_names_that_are_taken() -> None:
    before, subject = frame(), frame()
    other = sl.Collection.from_edges([("x", "y", 0.5)])
    for attempt in (
        lambda: subject.add_collection("model", other),
        lambda: subject.add_collection("model", edges=[("x", "y", 0.5)]),
        lambda: subject.add_collection_from_edges("model", [("x", "y", 0.5)]),
        lambda: subject.add_collection_from_entities("model", [{"x"}]),
        lambda: subject.add_collection_from_labels("model", ["x"], [1]),
    ):
        with pytest.raises(sl.DuplicateCollectionError, match="'model'"):
            attempt()
    assert picture(subject) == picture(before)


def test_collections_that_are_none() -> None:
    before, subject = frame(), frame()
    for arguments in (
        {},
        {"collection": sl.Collection.from_edges([]), "edges": []},
        {"collection": [("a", "b", 0.5)]},
    ):
        with pytest.raises(sl.InvalidArgumentError):
            subject.add_collection("bad", **arguments)
    with pytest.raises(sl.InvalidArgumentError):
        subject.add_collection(5, edges=[])
    with pytest.raises(sl.InvalidArgumentError):
        subject.add_collection_from_edges("bad", None)
    with pytest.raises(sl.InvalidArgumentError, match="from_edges"):
        sl.Collection()
    assert picture(subject) == picture(before)


# ---------------------------------------------------------------------------------------------------------- the classes


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("InvalidArgumentError", (ValueError,)),
        ("InvalidKeyError", (TypeError, ValueError)),
        ("DuplicateKeyError", (ValueError,)),
        ("KeyNotFoundError", (KeyError,)),
        ("InvalidScoreError", (ValueError,)),
        ("InvalidThresholdError", (ValueError,)),
        ("OverlapError", (ValueError,)),
        ("CapacityError", (OverflowError, ValueError)),
        ("CollectionNotFoundError", (KeyError,)),
        ("ColumnNotFoundError", (KeyError,)),
        ("DuplicateCollectionError", (ValueError,)),
        ("UnknownMetricError", (ValueError,)),
        ("CorruptFileError", (ValueError,)),
        ("OutOfMemoryError", (MemoryError,)),
        ("SystemCallError", (OSError,)),
        ("MissingDependencyError", (ImportError,)),
    ],
)
def test_errors_are_built_in_ones_too(name: str, bases: tuple[type[Exception], ...]) -> None:
    kind = getattr(sl, name)
    assert issubclass(kind, sl.StarlingsError) and all(issubclass(kind, base) for base in bases)
    error = kind("what and where", row=3, other_row=1)
    assert (str(error), error.row, error.other_row) == ("what and where", 3, 1)
    assert kind("x").row is None and kind("x").other_row is None


def test_every_class_is_tested_and_exported() -> None:
    assert set(exceptions.__all__) <= set(sl.__all__)
