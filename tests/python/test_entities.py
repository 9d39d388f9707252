"""Partitions and their entities: sequences, arrays, lookups, exports, equality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given

import starlings as sl
from starlings.testing import edge_lists

MIXED = [("a", ("web", 7), 0.9), (b"\xff", 2**40, 0.8), ("a", ("web", "ü"), 0.5)]


@pytest.fixture
def partition() -> sl.Partition:
    edges = [("a", "b", 0.9), ("b", "c", 0.8), ("d", "e", 0.7), ("f", "f", 0.1)]
    return sl.Collection.from_edges(edges, records=list("abcdef")).at(0.7)


# ----------------------------------------------------------------------------------------------------------- partitions


def test_what_it_tells(partition: sl.Partition) -> None:
    assert (len(partition), partition.num_entities, partition.num_records, partition.threshold) == (3, 3, 6, 0.7)
    assert partition.sizes.tolist() == [3, 2, 1] and partition.labels.tolist() == [0, 0, 0, 1, 1, 2]
    assert repr(partition) == "Partition(threshold=0.7, num_entities=3, num_records=6)"
    assert "<td>3</td>" in partition._repr_html_()
    assert [entity.id for entity in partition] == [0, 1, 2]


def test_arrays_are_read_only_and_outlive_everything() -> None:
    labels = sl.Collection.from_edges([(1, 2, 0.5)]).at(0.5).labels
    sizes = sl.Collection.from_edges([(1, 2, 0.5)]).at(0.5).sizes
    records = sl.Collection.from_edges([(1, 2, 0.5)]).at(0.5).entities[0].records
    for array, expected in ((labels, [0, 0]), (sizes, [2]), (records, [0, 1])):
        assert array.tolist() == expected and array.dtype == np.uint32
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7


def test_entities_are_a_lazy_sequence(partition: sl.Partition) -> None:
    entities = partition.entities
    assert isinstance(entities, Sequence) and len(entities) == 3
    assert entities[0] == entities[-3] and entities[2].id == entities[-1].id == 2
    assert [entity.id for entity in entities[::-1]] == [2, 1, 0]
    assert [entity.id for entity in entities[1:]] == [1, 2] and entities[1:][-1].id == 2
    assert list(entities) == list(iter(entities)) and len(entities[5:]) == 0
    assert entities[1] in entities and entities[1] not in entities[2:] and 5 not in entities
    assert entities.index(entities[1]) == 1
    assert repr(entities) == "<3 entities at 0.7>"
    for index in (3, -4):
        with pytest.raises(IndexError, match="of 3"):
            entities[index]
    with pytest.raises(sl.InvalidArgumentError):
        entities["a"]


def test_many_entities_cost_nothing() -> None:
    n = 500_000
    entities = sl.Collection.from_edges([], records=np.arange(n)).at(1.0).entities
    assert len(entities) == n and entities[-1].members == {("default", n - 1)}


def test_an_entity(partition: sl.Partition) -> None:
    entity = partition.entities[0]
    assert entity.id == 0 and entity.size == len(entity) == 3 and entity.sources == ["default"]
    assert entity.members == {("default", key) for key in "abc"} == set(entity)
    assert entity.records.tolist() == [0, 1, 2]
    assert ("default", "a") in entity and "a" in entity and "d" not in entity and ("web", "a") not in entity
    assert repr(entity) == "Entity(id=0, size=3, keys=['a', 'b', 'c'])"
    assert hash(entity) == hash(partition.entities[0])
    assert entity != partition.entities[1] and entity != 5


def test_entity_of(partition: sl.Partition) -> None:
    assert partition.entity_of("e") == partition.entities[1] == partition.entity_of(("default", "d"))
    assert partition.entity_of(sl.Key("f")).size == 1
    for key in ("z", 5, ("web", "a"), b"a"):
        with pytest.raises(sl.KeyNotFoundError, match="no record"):
            partition.entity_of(key)
    for key in (None, 1.5, True, ("a",)):
        with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)):
            partition.entity_of(key)


def test_entity_of_a_key_of_two_sources() -> None:
    partition = sl.Collection.from_edges([(("crm", 1), ("web", 1), 0.9), (("crm", 2), ("web", 3), 0.4)]).at(0.5)
    assert partition.entity_of(2).sources == ["crm"]
    assert partition.entity_of(("crm", 1)).sources == ["crm", "web"]
    with pytest.raises(sl.StarlingsError, match="source") as caught:
        partition.entity_of(1)
    assert isinstance(caught.value, ValueError)


def test_entities_by_hand() -> None:
    entity = sl.Entity(["b", ("crm", 5), "b", sl.Key("c")], id=sl.Key(2**40), source="web")
    assert entity.id == 2**40 and entity.size == 3 and entity.sources == ["web", "crm"]
    assert entity.members == {("web", "b"), ("crm", 5), ("web", "c")}
    assert entity == sl.Entity([("web", "c"), ("crm", 5), ("web", "b")], id=2**40)
    assert entity != sl.Entity(entity.members) and sl.Entity([]).size == 0
    for members in ([None], [1.5], 5):
        with pytest.raises((sl.InvalidKeyError, sl.InvalidArgumentError)):
            sl.Entity(members)
    for bad in (1.5, True, -1):
        with pytest.raises(sl.InvalidKeyError):
            sl.Entity(["a"], id=bad)


# ------------------------------------------------------------------------------------------------------------- equality


def test_equal_partitions_group_alike() -> None:
    one = sl.Collection.from_edges([("a", "b", 0.9), ("c", "d", 0.8)]).at(0.5)
    other = sl.Collection.from_edges([("d", "c", 0.3), ("b", "a", 0.2)]).at(0.1)
    assert one == other
    assert one != sl.Collection.from_edges([("a", "c", 0.9), ("b", "d", 0.8)]).at(0.5)
    assert one != sl.Collection.from_edges([("a", "b", 0.9), ("c", "x", 0.8)]).at(0.5)
    assert one != sl.Collection.from_edges([("a", "b", 0.9), ("c", "d", 0.8)], source="web").at(0.5)
    assert one != sl.Collection.from_edges([("a", "b", 0.9)], records=["a", "b", "c", "d"]).at(0.5)
    assert one != 5
    with pytest.raises(TypeError):
        hash(one)


def test_equal_though_numbered_differently() -> None:
    plain = sl.Collection.from_edges([], records=range(3)).at(0.5)
    later = sl.Collection.from_edges([(0, 2, 0.1)], records=range(3)).at(0.5)
    assert plain.labels.tolist() != later.labels.tolist(), "ids follow the leaf order"
    assert plain == later
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("later", [(0, 2, 0.1), (1, 1, 0.1)])
    frame.add_collection_from_edges("plain", [])
    assert frame["later"].at(0.5) == frame["plain"].at(0.5) != frame["later"].at(0.1)


# -------------------------------------------------------------------------------------------------------------- exports


def rows_of(partition: sl.Partition) -> set[tuple[str, object, int]]:
    return {(*name, entity.id) for entity in partition.entities for name in entity.members}


def test_arrow(partition: sl.Partition) -> None:
    table = partition.to_arrow()
    table.validate(full=True)
    assert table.column_names == ["source", "key", "entity_id"]
    assert {tuple(row.values()) for row in table.to_pylist()} == rows_of(partition)
    assert pa.table(partition).equals(table) and pl.DataFrame(partition._table).height == 6
    assert table["entity_id"].to_pylist() == sorted(table["entity_id"].to_pylist()), "entity by entity"


def test_pandas(partition: sl.Partition) -> None:
    frame = partition.to_pandas()
    assert set(frame.itertuples(index=False, name=None)) == rows_of(partition)


def test_polars(partition: sl.Partition) -> None:
    assert set(partition.to_polars().rows()) == rows_of(partition)


def test_membership(partition: sl.Partition) -> None:
    series = partition.to_membership()
    assert series.to_dict() == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "f": 2}
    assert sl.Collection.from_labels(series.index, series).at(1.0) == partition


def test_exports_of_keys_of_all_kinds_and_sources() -> None:
    partition = sl.Collection.from_edges(MIXED).at(0.8)
    expected = rows_of(partition)
    assert {tuple(row.values()) for row in partition.to_arrow().to_pylist()} == expected
    assert set(partition.to_pandas().itertuples(index=False, name=None)) == expected
    assert set(partition.to_polars().rows()) == expected
    membership = partition.to_membership()
    assert {(*name, entity) for name, entity in membership.items()} == expected
    assert membership.index.names == ["source", "key"]


@pytest.mark.parametrize("keys", [[0, 5], [5, 2**40], ["", "ü€"], [b"", b"\xff\0"]])
def test_exports_of_one_kind(keys: list[object]) -> None:
    partition = sl.Collection.from_edges([(*keys, 0.5)]).at(0.5)
    assert partition.to_arrow()["key"].to_pylist() == keys
    assert partition.to_pandas()["key"].tolist() == keys
    assert partition.to_polars()["key"].to_list() == keys
    assert partition.to_membership().index.tolist() == keys


@given(edge_lists(max_records=8))
def test_exports_agree(edges: list[tuple[object, object, float]]) -> None:
    partition = sl.Collection.from_edges(edges).at(0.5)
    expected = rows_of(partition)
    assert {tuple(row.values()) for row in partition.to_arrow().to_pylist()} == expected
    assert set(partition.to_pandas().itertuples(index=False, name=None)) == expected
    assert partition.to_list() == [set(entity.members) for entity in partition.entities]


def test_nothing() -> None:
    partition = sl.Collection.from_edges([]).at(0.5)
    assert len(partition) == 0 and list(partition.entities) == [] and partition.to_list() == []
    assert partition.labels.tolist() == partition.sizes.tolist() == []
    assert partition.to_arrow().num_rows == len(partition.to_pandas()) == len(partition.to_polars()) == 0
    assert isinstance(partition.to_membership(), pd.Series) and partition == sl.Collection.from_edges([]).at(0.1)


# ----------------------------------------------------------------------------------------------------------------- keys


def test_keys() -> None:
    assert [sl.Key(value).kind for value in (0, 2**32 - 1, 2**32, 2**64 - 1, "", b"")] == [
        "u32",
        "u32",
        "u64",
        "u64",
        "string",
        "bytes",
    ]
    assert sl.Key(5) == 5 == sl.Key(sl.Key(5)) and sl.Key("5") != 5 and sl.Key(np.uint8(5)).value == 5
    assert type(sl.Key(np.int64(5)).value) is int and type(sl.Key(np.str_("a")).value) is str
    assert {sl.Key("a"), "a", sl.Key(b"a")} == {"a", b"a"}
    assert repr(sl.Key("a")) == "Key('a')"
    for bad in (None, True, np.True_, -1, 2**64, 1.0, np.float64(1), [], ("a", "b")):
        with pytest.raises(sl.InvalidKeyError, match="is no key"):
            sl.Key(bad)
