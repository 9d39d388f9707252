"""What changed between two partitions: what following shared entities from record to record finds."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from graph_cases import built
from starlings import _core
from starlings.testing import Graph, graphs, labels

Grouping = dict[Any, int]
KINDS = ["unchanged", "split", "merged", "rearranged"]


def partition(grouping: Grouping) -> sl.Partition:
    return sl.Collection.from_labels(list(grouping), list(grouping.values())).at(1.0)


def grouping_of(partition: sl.Partition) -> Grouping:
    return {record: number for number, records in enumerate(partition.to_list()) for record in records}


# -------------------------------------------------------------------------------------------------------- definition


def plain_changes(before: Grouping, after: Grouping) -> list[tuple[str, list[int], list[int], int]]:
    """Kind, entities before, entities after and records of every change."""
    left = set(before) & set(after)
    changes = []
    while left:
        reached = {next(iter(left))}
        while True:
            old, new = {before[record] for record in reached}, {after[record] for record in reached}
            more = {record for record in left if before[record] in old or after[record] in new}
            if more == reached:
                break
            reached = more
        kind = KINDS[2 * (len(old) > 1) + (len(new) > 1)]
        changes.append((kind, sorted(old), sorted(new), len(reached)))
        left -= reached
    return sorted(changes, key=lambda change: (KINDS.index(change[0]), change[1]))


def plain_cells(before: Grouping, after: Grouping) -> list[dict[str, Any]]:
    """The table: change, kind, entity before and after, records in both."""
    shared = Counter((before[record], after[record]) for record in set(before) & set(after))
    changed = [change for change in plain_changes(before, after) if change[0] != "unchanged"]
    return [
        {"change": i, "kind": kind, "entity_before": old, "entity_after": new, "num_records": shared[old, new]}
        for i, (kind, olds, news, _) in enumerate(changed)
        for old in olds
        for new in news
        if (old, new) in shared
    ]


def told(change: sl.Change) -> tuple[str, list[int], list[int], int]:
    before, after = ([int(str(entity.id)) for entity in side] for side in (change.before, change.after))
    return change.kind, before, after, change.num_records


def check(first: sl.Partition, second: sl.Partition) -> sl.PartitionDiff:
    """The diff of two partitions, compared with the definition in all it tells."""
    before, after = grouping_of(first), grouping_of(second)
    diff, expected = first.diff(second), plain_changes(before, after)
    found = [*map(told, diff.unchanged), *map(told, diff.split), *map(told, diff.merged), *map(told, diff.rearranged)]
    assert found == expected
    assert list(map(told, diff)) == [change for change in expected if change[0] != "unchanged"]
    assert len(diff) == len(list(diff)) and bool(diff) == (len(diff) > 0)
    assert diff.counts == {kind: sum(change[0] == kind for change in expected) for kind in KINDS}
    for row, kind in zip(diff.summary, KINDS, strict=True):
        some = [change for change in expected if change[0] == kind]
        sums = [len(some), *(sum(map(len, (change[i] for change in some))) for i in (1, 2))]  # type: ignore[arg-type]
        assert list(row.values()) == [kind, *sums, sum(change[3] for change in some)]
    assert pa.table(diff).to_pylist() == plain_cells(before, after)
    assert diff.records_added == set(after) - set(before) and diff.records_removed == set(before) - set(after)
    counts = (diff.num_records, diff.num_records_added, diff.num_records_removed)
    assert counts == tuple(map(len, (set(before) & set(after), set(after) - set(before), set(before) - set(after))))
    assert diff.before is first and diff.after is second
    return diff


@given(graphs(), st.booleans(), st.data())
def test_cuts_of_a_collection(graph: Graph, exact: bool, data: st.DataObject) -> None:
    collection = built(graph, exact)
    cuts = st.sampled_from([0.0, 1.0, *collection.thresholds.tolist()])
    first, second = (collection.at(data.draw(cuts)) for _ in range(2))
    diff = check(first, second)
    assert not diff.rearranged and not (diff.split and diff.merged)
    assert (not diff) == (first == second)


@given(st.integers(0, 14).flatmap(lambda n: st.tuples(labels(n), labels(n))))
def test_two_collections_of_a_frame(both: tuple[list[int], list[int]]) -> None:
    frame = sl.EntityFrame.from_records("default", [{"id": i} for i in range(len(both[0]))], "id")
    for name, numbers in zip("ab", both, strict=True):
        groups = [[i for i, label in enumerate(numbers) if label == own] for own in set(numbers)]
        frame.add_collection_from_entities(name, groups)
    check(frame["a"].at(1.0), frame["b"].at(1.0))


@given(st.dictionaries(st.integers(0, 12), st.integers(0, 5)), st.dictionaries(st.integers(0, 12), st.integers(0, 5)))
def test_different_records(before: Grouping, after: Grouping) -> None:
    check(partition(before), partition(after))


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_no_one_and_two_records(first: int, second: int) -> None:
    diff = check(partition(dict.fromkeys(range(first), 0)), partition(dict.fromkeys(range(1, second + 1), 0)))
    assert len(diff) == 0 and not diff


# ----------------------------------------------------------------------------------------------- where records are from


def test_cuts_of_two_frames() -> None:
    frames = []
    for keys in (["a", "b", "c", "d"], ["d", "c", "x", "b"]):
        frame = sl.EntityFrame()
        frame.add_collection_from_edges("model", [(keys[0], keys[1], 0.9), (keys[2], keys[3], 0.7)], source="crm")
        frames.append(frame)
    diff = check(frames[0]["model"].at(0.8), frames[1]["model"].at(0.8))
    assert diff.records_added == {("crm", "x")} and diff.records_removed == {("crm", "a")}
    assert diff.counts == {"unchanged": 1, "split": 0, "merged": 1, "rearranged": 0}
    assert diff.unchanged[0].before[0].size == 2, "entities are shown with all their records"
    assert diff.unchanged[0].num_records == 1


def test_a_view_and_the_same_collection_with_later_records() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("early", [("a", "b", 0.9), ("b", "c", 0.6)])
    early = frame["early"].at(0.5)
    frame.add_collection_from_edges("late", [("a", "p", 0.8), ("p", "b", 0.7), ("q", "r", 0.9)])
    diff = check(early, frame["early"].at(0.5))
    assert not diff and diff.num_records_added == 3 and diff.num_records_removed == 0
    diff = check(frame["late"].at(0.5), early)
    assert diff.records_removed == {("default", key) for key in "pqr"} and diff.records_added == set()
    assert diff.counts["merged"] == 1
    check(frame["early"].at(0.5), frame["late"].at(0.5))


def test_a_frame_that_was_compacted() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9), ("b", "c", 0.6)])
    frame.add_collection_from_edges("other", [(i, i + 1, 0.9) for i in range(10)])
    before = frame["model"].at(0.9)
    frame.drop("other")
    diff = check(before, frame["model"].at(0.6))
    assert diff.counts["merged"] == 1 and diff.num_records_removed == 11


def test_sources_tell_records_apart() -> None:
    first = sl.Collection.from_entities([[("a", 1), ("b", 1)]]).at(1.0)
    second = sl.Collection.from_entities([[("b", 1), ("c", 1)]]).at(1.0)
    diff = check(first, second)
    assert diff.records_added == {("c", 1)} and diff.records_removed == {("a", 1)} and diff.counts["unchanged"] == 1


# ------------------------------------------------------------------------------------------------------ reading them


def example() -> sl.PartitionDiff:
    """One change of each kind, and one entity more that is unchanged."""
    before = {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3, "f": 4, "g": 4, "h": 5, "i": 5, "j": 6}
    after = {"a": 0, "b": 1, "c": 2, "d": 3, "e": 3, "f": 4, "g": 5, "h": 5, "i": 6, "j": 7}
    return check(partition(before), partition(after))


def test_what_it_shows() -> None:
    diff = example()
    assert repr(diff) == "PartitionDiff(unchanged=2, split=1, merged=1, rearranged=1)"
    assert [repr(change) for change in diff][1] == "Change('merged', before=[2, 3], after=[3], num_records=2)"
    assert repr(diff.unchanged) == "<2 changes>"
    html = diff._repr_html_()
    assert html.startswith("<p>PartitionDiff(unchanged=2") and html.count("<tr>") == 4
    assert html.count("Entity(") == 3 + 3 + 5
    same = diff.before.diff(diff.before)
    assert same._repr_html_() == "<p>PartitionDiff(unchanged=7, split=0, merged=0, rearranged=0)</p>"
    many = sl.Collection.from_entities([range(9)])
    change = many.at(1.0).diff(sl.Collection.from_edges([], records=range(9)).at(1.0))[0]
    assert repr(change) == "Change('split', before=[0], after=[0, 1, 2, 3, 4, 5, ...], num_records=9)"


def test_html_is_escaped_and_cut() -> None:
    keys = [f"<{i}>" for i in range(60)]
    collection = sl.Collection.from_edges([(a, b, 0.5) for a, b in zip(keys[::2], keys[1::2], strict=True)])
    html = collection.at(1.0).diff(collection.at(0.5))._repr_html_()
    assert "<0>" not in html and "&lt;0&gt;" in html and "20 more changes" in html and html.count("<tr>") == 11
    star = sl.Collection.from_entities([range(9)])
    assert "... 3 more" in star.at(1.0).diff(sl.Collection.from_edges([], records=range(9)).at(0.0))._repr_html_()


def test_sequences() -> None:
    diff = example()
    assert [change.kind for change in diff[::-1]] == ["rearranged", "merged", "split"]
    assert diff[-1] == diff[2] == diff.rearranged[0] and diff[0] != diff[1] and diff[0] != "split"
    assert diff.merged[0] in diff and len({*diff, *diff}) == 3 and diff.index(diff.merged[0]) == 1
    assert example()[0] == diff[0] and hash(example()[0]) == hash(diff[0])
    assert diff[0].before[0].members == {("default", "b"), ("default", "c")}
    assert [entity.size for entity in diff.rearranged[0].after] == [1, 2, 1]
    assert len(diff.unchanged[:1]) == 1 and diff.unchanged[1:][0] == diff.unchanged[1]
    for index in (3, -4, 2**70):
        with pytest.raises(IndexError, match="of 3"):
            diff[index]
    with pytest.raises(IndexError, match="of 1"):
        diff.split[1]
    with pytest.raises(sl.InvalidArgumentError, match="numbered"):
        diff["0"]  # type: ignore[call-overload]


def test_it_stays_as_it_is() -> None:
    diff = example()
    assert copy.copy(diff) is diff and copy.deepcopy(diff) is diff
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(diff)
    for name in ("kind", "before", "num_records"):
        with pytest.raises(AttributeError):
            setattr(diff[0], name, 1)


def test_tables() -> None:
    diff = example()
    expected = plain_cells(grouping_of(diff.before), grouping_of(diff.after))
    assert diff.to_arrow().to_pylist() == diff.to_pandas().to_dict("records") == diff.to_polars().to_dicts() == expected
    names = ["change", "kind", "entity_before", "entity_after", "num_records"]
    assert diff.to_arrow().column_names == names and len(diff.before.diff(diff.before).to_pandas()) == 0
    assert pd.api.types.is_unsigned_integer_dtype(diff.to_pandas()["num_records"])
    for row in diff.to_arrow().to_pylist():
        change = diff[row["change"]]
        assert change.kind == row["kind"]
        assert diff.before.entities[row["entity_before"]] in change.before


# ---------------------------------------------------------------------------------------------------- bad and large


@pytest.mark.parametrize("other", [None, 0.5, "b", sl.Collection.from_edges([("a", "b", 0.5)])])
def test_what_is_no_partition(other: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="at\\(\\)"):
        partition({"a": 0}).diff(other)


def test_a_hundred_thousand_records() -> None:
    random = np.random.default_rng(3)
    left, right = random.integers(0, 100_000, (2, 80_000))
    collection = sl.Collection.from_edges((left, right, random.random(80_000)), records=range(100_000))
    high, low = collection.at(0.7), collection.at(0.5)
    diff = high.diff(low)
    assert diff.counts["merged"] == len(diff) and diff.counts["merged"] + diff.counts["unchanged"] == low.num_entities
    assert diff.summary["entities_before"].sum() == high.num_entities
    assert diff.summary["num_records"].sum() == diff.num_records == 100_000
    back = low.diff(high)
    assert back.counts["split"] == len(diff) and back.counts["unchanged"] == diff.counts["unchanged"]
    cells = diff.to_arrow()
    assert cells.num_rows == diff.summary["entities_before"][2]
    assert sum(cells["num_records"].to_pylist()) == diff.summary["num_records"][2]
    shuffled = random.permutation(100_000)
    names = [int(name) for name in shuffled]
    again = sl.Collection.from_labels(names, low.labels[shuffled].tolist()).at(1.0)
    assert high.diff(again).counts == diff.counts and not low.diff(again)


def test_diffs_in_the_extension() -> None:
    before, after = np.array([0, 0, 1], np.uint32), np.array([0, 1, 2], np.uint32)
    diff = _core.Diff(before, 2, after, 3)
    assert diff.counts == (1, 1, 0, 0)
    assert [np.asarray(column).tolist() for column in (diff.before, diff.after)] == [[1, 0], [2, 0, 1]]
    columns = (diff.num_before, diff.num_after, diff.num_records)
    assert [np.asarray(column).tolist() for column in columns] == [[1, 1], [1, 2], [1, 2]]
    with pytest.raises(sl.InvalidArgumentError, match="before, of 1") as caught:
        _core.Diff(before, 1, after, 3)
    assert caught.value.row == 2
    with pytest.raises(sl.InvalidArgumentError, match="3 labels before and 2 after"):
        _core.Diff(before, 2, after[:2], 3)
    for bad in ([0, 0, 1], before.astype(np.int64), None):
        with pytest.raises(sl.InvalidArgumentError, match="uint32"):
            _core.Diff(bad, 2, after, 3)
        with pytest.raises(sl.InvalidArgumentError, match="uint32"):
            _core.Diff(before, 2, bad, 3)
    with pytest.raises(ValueError, match="2\\^32"):
        _core.Diff(before, -1, after, 3)
