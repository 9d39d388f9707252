"""Random histories of frames and collections beside a plain model: what is there, what it is called, what is garbage.

After each step the frame at work is compared with the model in full. Whatever was handed out on the way (views,
partitions, entities) is described when it is taken and must read the same for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

import starlings as sl
from plain_frame import Edge, Name, PlainCollection, PlainCut, PlainFrame, append_new, names_of
from plain_metrics import metric

THRESHOLDS = (0.0, 0.3, 0.75, 1.0)
SOURCES = ("crm", "web", "default")
KEYS = (*range(6), 2**32, "0", "5", "a", "ä", "", b"5", b"a")
COLLECTIONS = ("model", "truth", "other", "", "mödel")

sources = st.sampled_from(SOURCES)
names = st.tuples(sources, st.sampled_from(KEYS))
scores = st.integers(0, 10).map(lambda tenths: tenths / 10)
collection_names = st.sampled_from(COLLECTIONS)
thresholds = st.integers(0, 20).map(lambda twentieths: twentieths / 20)
quantise = st.sampled_from((6, 6, 2, None))


def edge_lists(keys: tuple[Any, ...] = KEYS, only: str | None = None) -> st.SearchStrategy[list[Edge]]:
    """Edges between records; with ties, self-loops, repeats."""
    end = st.tuples(st.just(only) if only else sources, st.sampled_from(keys))
    loop = st.tuples(end, scores).map(lambda made: (made[0], made[0], made[1]))
    return st.lists(st.one_of(st.tuples(end, end, scores), st.tuples(end, end, scores), loop), max_size=8)


@dataclass(frozen=True)
class GivenEdges:
    """Edges, and them in a form that `from_edges` reads, with its options."""

    edges: list[Edge]
    readable: Callable[[], Any]
    options: dict[str, Any]


def as_tuples(edges: list[Edge]) -> GivenEdges:
    return GivenEdges(edges, lambda: list(edges), {})


def as_iterator(edges: list[Edge]) -> GivenEdges:
    return GivenEdges(edges, lambda: iter(edges), {})


def as_arrays(edges: list[Edge]) -> GivenEdges:
    left, right, score = ([edge[part] for edge in edges] for part in range(3))
    ends = [np.array([key for _, key in side], dtype=np.uint64) for side in (left, right)]
    return GivenEdges(edges, lambda: (*ends, np.array(score, dtype=np.float64)), {"source": "crm"})


def as_table(edges: list[Edge]) -> GivenEdges:
    columns: dict[str, Any] = {"score": pa.array([score for _, _, score in edges], pa.float64())}
    for part, side in enumerate(("left", "right")):
        columns[side] = pa.array([edge[part][1] for edge in edges], pa.string())
        columns[f"{side}_source"] = pa.array([edge[part][0] for edge in edges], pa.string()).dictionary_encode()
    options = {"left_source": "left_source", "right_source": "right_source"}
    return GivenEdges(edges, lambda: pa.table(columns), options | {"left": "left", "right": "right", "score": "score"})


given_edges = st.one_of(
    edge_lists().map(as_tuples),
    edge_lists().map(as_iterator),
    edge_lists(tuple(key for key in KEYS if isinstance(key, int)), "crm").map(as_arrays),
    edge_lists(tuple(key for key in KEYS if isinstance(key, str))).map(as_table),
)


@st.composite
def entity_lists(draw: st.DrawFn) -> list[list[Name]]:
    """Entities that share no record; some of one record, some empty."""
    members = draw(st.lists(names, max_size=10, unique=True))
    entities: list[list[Name]] = [[]]
    for name in members:
        if draw(st.booleans()):
            entities.append([])
        entities[-1].append(name)
    return entities if draw(st.booleans()) else [entity for entity in entities if entity]


def joined(entities: list[list[Name]], threshold: float) -> list[Edge]:
    """The edges that make these entities; of a record alone one with itself."""
    return [(entity[0], name, threshold) for entity in entities for name in entity]


@dataclass
class FramePair:
    real: sl.EntityFrame
    plain: PlainFrame

    def __repr__(self) -> str:
        return repr(self.real)


@dataclass
class CollectionPair:
    real: sl.Collection
    plain: PlainCollection

    def __repr__(self) -> str:
        return repr(self.real)


@dataclass
class HandedOut:
    """Something that never changes, and how it reads."""

    subject: Any
    describe: Callable[[Any], Any]
    read: Any


def read_partition(partition: sl.Partition) -> tuple[Any, ...]:
    arrays = (partition.labels.tolist(), partition.sizes.tolist())
    found = [look_for(partition, key) for key in (*KEYS, ("crm", 5), ("web", "5"))]
    return partition.num_records, partition.num_entities, partition.threshold, *arrays, partition.to_list(), found


def look_for(partition: sl.Partition, key: Any) -> Any:
    """The entity of a key by its number, or the kind of error."""
    try:
        return partition.entity_of(key).id
    except sl.StarlingsError as error:
        return type(error)


def read_view(view: sl.Collection) -> tuple[Any, ...]:
    partitions = [view.at(threshold).labels.tolist() for threshold in THRESHOLDS]
    return view.num_records, view.num_merges, view.thresholds.tolist(), partitions, view.is_view


def read_entity(entity: sl.Entity) -> tuple[Any, ...]:
    tables = {source: table.to_dicts() for source, table in entity.tables().items()}
    return entity.id, entity.members, entity.size, entity.sources, entity.records.tolist(), list(entity), tables


def expect_collection(real: sl.Collection, plain: PlainCollection, some: tuple[float, ...] = THRESHOLDS) -> None:
    """The collection is what the model says, to the last entity id."""
    cut = PlainCut.of(plain.records, plain.edges)
    assert real.num_records == len(real) == len(plain.records)
    assert real.is_view == plain.is_view
    assert real.thresholds.tolist() == cut.levels
    assert real.num_merges == cut.num_merges()
    real._state.hierarchy.validate()
    for threshold in some:
        labels = cut.labels(threshold)
        partition = real.at(threshold)
        entities: list[set[Name]] = [set() for _ in range(max(labels, default=-1) + 1)]
        for name, label in zip(plain.records, labels, strict=True):
            entities[label].add(name)
        assert partition.num_entities == len(entities)
        assert partition.labels.tolist() == labels
        assert partition.to_list() == entities
        assert partition.sizes.tolist() == list(map(len, entities))


def expect_frame(pair: FramePair) -> None:
    """The frame is what the model says."""
    real, plain, now = pair.real, pair.plain, pair.real._core.now()
    assert real.num_records == len(plain.records)
    assert real.sources == plain.sources()
    assert real.collection_names() == list(real) == list(plain.collections)
    assert np.asarray(now.garbage()).tolist() == plain.garbage()
    assert {plain.records[record] for record in np.asarray(now.given())} == plain.given
    everyone = np.arange(len(plain.records), dtype=np.uint32)
    source_names = now.context.sources()
    found = [source_names[number] for number in np.asarray(now.context.record_sources(everyone)).tolist()]
    assert list(zip(found, now.context.record_keys(everyone), strict=True)) == plain.records
    for name in plain.collections:
        expect_collection(real[name], plain.view(name))
    for source in plain.sources():
        expect_attributes(real.records(source), [name for name in plain.records if name[0] == source], plain.attributes)


def expect_attributes(real: sl.Records, records: list[Name], attributes: dict[Name, int]) -> None:
    """The rows of the records that have any, else the keys of all."""
    described = [attributes[name] for name in records if name in attributes]
    if described:
        assert [row["number"] for row in real.to_dicts()] == described
    else:
        assert real.to_dicts() == [{"key": key} for _, key in records]


class Histories(RuleBasedStateMachine):
    """Frames and collections, changed in every way that there is."""

    frames: Bundle[FramePair] = Bundle("frames")
    collections: Bundle[CollectionPair] = Bundle("collections")

    def __init__(self) -> None:
        super().__init__()
        self.all_frames: list[FramePair] = []
        self.all_collections: list[CollectionPair] = []
        self.handed_out: list[HandedOut] = []
        self.touched: FramePair | None = None
        self.num_rows = 0

    def rows_of(self, records: list[Name]) -> tuple[list[dict[str, Any]], dict[Name, int]]:
        """A row for each record, as `add_records` takes them, and the number in it that no other row has."""
        numbers = range(self.num_rows, self.num_rows + len(records))
        self.num_rows += len(records)
        rows = [{"id": key, "number": number} for (_, key), number in zip(records, numbers, strict=True)]
        return rows, dict(zip(records, numbers, strict=True))

    # ---- what is kept ------------------------------------------------------------------------------------------------

    def keep_frame(self, real: sl.EntityFrame, plain: PlainFrame) -> FramePair:
        self.touched = FramePair(real, plain)
        self.all_frames.append(self.touched)
        return self.touched

    def keep_collection(self, real: sl.Collection, plain: PlainCollection) -> CollectionPair:
        expect_collection(real, plain)
        self.all_collections.append(CollectionPair(real, plain))
        return self.all_collections[-1]

    def hand_out(self, subject: Any, describe: Callable[[Any], Any]) -> None:
        self.handed_out.append(HandedOut(subject, describe, describe(subject)))

    @contextmanager
    def failing(self, pair: FramePair | CollectionPair, kind: type[Exception]) -> Iterator[None]:
        """The block fails, and leaves no trace."""
        self.touched = pair if isinstance(pair, FramePair) else self.touched
        state = pair.real._core.now() if isinstance(pair, FramePair) else pair.real._state
        held = state.context.num_records
        with pytest.raises(kind):
            yield
        after = pair.real._core.now() if isinstance(pair, FramePair) else pair.real._state
        assert after.context == state.context and after.context.num_records == held
        if isinstance(pair, CollectionPair):
            assert after is state
            expect_collection(pair.real, pair.plain)

    # ---- making frames and collections -------------------------------------------------------------------------------

    @initialize(target=frames)
    def an_empty_frame(self) -> FramePair:
        return self.keep_frame(sl.EntityFrame(), PlainFrame())

    @rule(target=frames, source=sources, keys=st.lists(st.sampled_from(KEYS), max_size=8, unique=True))
    def from_records(self, source: str, keys: list[Any]) -> Any:
        if len(self.all_frames) >= 5:
            return multiple()
        rows, numbers = self.rows_of([(source, key) for key in keys])
        plain = PlainFrame()
        plain.give(numbers)
        return self.keep_frame(sl.EntityFrame.from_records(source, rows, "id"), plain)

    @rule(target=frames, pair=frames)
    def copy_frame(self, pair: FramePair) -> Any:
        if len(self.all_frames) >= 5:
            return multiple()
        return self.keep_frame(pair.real.copy(), pair.plain.copy())

    @rule(target=collections, given=given_edges, quantise=quantise, records=st.none() | st.lists(names, unique=True))
    def collection_from_edges(
        self, given: GivenEdges, quantise: int | None, records: list[Name] | None
    ) -> CollectionPair:
        if records is not None:
            append_new(records, names_of(given.edges))
        real = sl.Collection.from_edges(given.readable(), quantise=quantise, records=records, **given.options)
        known = list(records or [])
        append_new(known, names_of(given.edges))
        plain = PlainCollection(known, list(given.edges), set(known), quantise or 0, records is not None)
        return self.keep_collection(real, plain)

    @rule(target=collections, entities=entity_lists(), threshold=scores)
    def collection_from_entities(self, entities: list[list[Name]], threshold: float) -> CollectionPair:
        records = [name for entity in entities for name in entity]
        real = sl.Collection.from_entities(entities, threshold)
        return self.keep_collection(real, PlainCollection(records, joined(entities, threshold), set(records)))

    @rule(target=collections, pair=collections)
    def copy_collection(self, pair: CollectionPair) -> CollectionPair:
        return self.keep_collection(pair.real.copy(), pair.plain.copy())

    @rule(target=collections, pair=frames, name=collection_names)
    def view(self, pair: FramePair, name: str) -> Any:
        if name not in pair.plain.collections:
            assert name not in pair.real
            with self.failing(pair, sl.CollectionNotFoundError):
                pair.real[name]
            return multiple()
        self.hand_out(pair.real[name], read_view)
        return self.keep_collection(pair.real[name], pair.plain.view(name))

    # ---- adding records ----------------------------------------------------------------------------------------------

    @rule(pair=frames, source=sources, keys=st.lists(st.sampled_from(KEYS), max_size=5))
    def add_records(self, pair: FramePair, source: str, keys: list[Any]) -> None:
        added: list[Name] = [(source, key) for key in keys]
        rows, numbers = self.rows_of(added)
        if len(set(added)) < len(added) or not pair.plain.given.isdisjoint(added):
            with self.failing(pair, sl.DuplicateKeyError):
                pair.real.add_records(source, rows, "id")
            return
        pair.real.add_records(source, rows, key_column="id")
        pair.plain.give(numbers)
        self.touched = pair

    @rule(pair=frames, source=sources, count=st.integers(0, 3))
    def add_counted_records(self, pair: FramePair, source: str, count: int) -> None:
        added: list[Name] = [(source, number) for number in range(count)]
        rows, numbers = self.rows_of(added)
        table = pa.table({"number": pa.array([row["number"] for row in rows], pa.int64())})
        if not pair.plain.given.isdisjoint(added):
            with self.failing(pair, sl.DuplicateKeyError):
                pair.real.add_records(source, table)
            return
        pair.real.add_records(source, table)
        pair.plain.give(numbers)
        self.touched = pair

    # ---- adding collections ------------------------------------------------------------------------------------------

    def add(
        self, pair: FramePair, name: str, edges: list[Edge], decimals: int, adding: Callable[..., Any], known: bool
    ) -> None:
        """Add the edges to both, or see it refused: the name is taken, or records are not known."""
        named = list(names_of(edges))
        self.touched = pair
        if name in pair.plain.collections:
            with self.failing(pair, sl.DuplicateCollectionError):
                adding()
        elif known and not set(named) <= set(pair.plain.records):
            with self.failing(pair, sl.KeyNotFoundError):
                adding(new_records="error")
        else:
            assert adding(new_records="error" if known else "append") is None
            pair.plain.intern(named)
            pair.plain.collections[name] = PlainCollection([], edges, set(named), decimals)

    @rule(pair=frames, name=collection_names, given=given_edges, quantise=quantise, known=st.booleans())
    def add_edges(self, pair: FramePair, name: str, given: GivenEdges, quantise: int | None, known: bool) -> None:
        def adding(**options: Any) -> None:
            pair.real.add_collection_from_edges(name, given.readable(), quantise=quantise, **given.options, **options)

        self.add(pair, name, given.edges, quantise or 0, adding, known)

    @rule(pair=frames, name=collection_names, entities=entity_lists(), threshold=scores, known=st.booleans())
    def add_entities(
        self, pair: FramePair, name: str, entities: list[list[Name]], threshold: float, known: bool
    ) -> None:
        def adding(**options: Any) -> None:
            pair.real.add_collection_from_entities(name, entities, threshold, **options)

        self.add(pair, name, joined(entities, threshold), 6, adding, known)

    @rule(pair=frames, name=collection_names, source=sources, labels=st.lists(st.integers(0, 3), max_size=7))
    def add_labels(self, pair: FramePair, name: str, source: str, labels: list[int]) -> None:
        keys = KEYS[: len(labels)]
        entities = [[(source, key) for key, at in zip(keys, labels, strict=True) if at == label] for label in labels]

        def adding(**options: Any) -> None:
            pair.real.add_collection_from_labels(name, keys, labels, 0.5, source=source, **options)

        edges = [((source, key), (source, key), 0.5) for key in keys]
        self.add(pair, name, edges + [edge for entity in entities for edge in joined([entity], 0.5)], 6, adding, False)

    @rule(pair=frames, name=collection_names, given=collections, threshold=thresholds)
    def add_partition(self, pair: FramePair, name: str, given: CollectionPair, threshold: float) -> None:
        partition = given.real.at(threshold)
        together = PlainCut.of(given.plain.records, given.plain.edges).together(threshold)
        records = given.plain.records
        edges = [(records[record], records[other], 0.5) for record, other in enumerate(together)]
        edges = [(name, name, 0.5) for name in records] + edges
        known = set(pair.plain.records)

        def adding(**options: Any) -> None:
            pair.real.add_collection_from_entities(name, partition, 0.5, **options)

        is_new = name not in pair.plain.collections
        self.add(pair, name, edges, 6, adding, False)
        brought = {record: number for record, number in given.plain.attributes.items() if record not in known}
        pair.plain.attributes |= brought if is_new else {}

    @rule(pair=frames, name=collection_names, given=collections, known=st.booleans())
    def assimilate(self, pair: FramePair, name: str, given: CollectionPair, known: bool) -> None:
        self.touched = pair
        before = list(pair.plain.records)
        new = [record for record in given.plain.records if record not in set(before)]
        if name in pair.plain.collections or (known and new):
            refusal = sl.DuplicateCollectionError if name in pair.plain.collections else sl.KeyNotFoundError
            with self.failing(pair, refusal):
                pair.real.add_collection(name, given.real, new_records="error" if known else "append")
            return
        used = given.plain.records  # a collection comes with all its records
        made = pair.real.add_collection(name, given.real, new_records="error" if known else "append")
        pair.plain.bring(given.plain)
        pair.plain.collections[name] = PlainCollection([], list(given.plain.edges), set(used), given.plain.decimals)
        assert made.translation.tolist() == [pair.plain.records.index(record) for record in given.plain.records]
        assert (made.num_known, made.num_new) == (len(given.plain.records) - len(new), len(new))
        expect_collection(given.real, given.plain)

    @rule(pair=frames, name=collection_names, data=st.data())
    def assimilate_own_view(self, pair: FramePair, name: str, data: st.DataObject) -> None:
        if not pair.plain.collections:
            return
        viewed = data.draw(st.sampled_from(list(pair.plain.collections)))
        self.assimilate(pair, name, CollectionPair(pair.real[viewed], pair.plain.view(viewed)), False)

    # ---- taking away -------------------------------------------------------------------------------------------------

    @rule(pair=frames, dropped=st.lists(collection_names, max_size=3), data=st.data())
    def drop(self, pair: FramePair, dropped: list[str], data: st.DataObject) -> None:
        self.touched = pair
        if pair.plain.collections and data.draw(st.booleans()):
            dropped = data.draw(st.lists(st.sampled_from(list(pair.plain.collections)), min_size=1))
        if not set(dropped) <= set(pair.plain.collections):
            with self.failing(pair, sl.CollectionNotFoundError):
                pair.real.drop(*dropped)
            return
        pair.real.drop(*dropped)
        pair.plain.drop(dropped)

    @rule(pair=frames)
    def compact(self, pair: FramePair) -> None:
        self.touched = pair
        assert pair.real.compact() == pair.plain.compact()

    # ---- changing collections ----------------------------------------------------------------------------------------

    @rule(pair=collections, given=given_edges)
    def grow(self, pair: CollectionPair, given: GivenEdges) -> None:
        named = list(names_of(given.edges))
        if pair.plain.is_closed and not set(named) <= set(pair.plain.records):
            with self.failing(pair, sl.KeyNotFoundError):
                pair.real.add_edges(given.readable(), **given.options)
            return
        self.hand_out(pair.real.at(0.4), read_partition)
        pair.real.add_edges(given.readable(), **given.options)
        append_new(pair.plain.records, named)
        pair.plain.edges.extend(given.edges)
        pair.plain.used, pair.plain.is_view = set(pair.plain.records), False
        expect_collection(pair.real, pair.plain)

    @rule(pair=collections)
    def merge_events(self, pair: CollectionPair) -> None:
        events = pair.real.merge_events()
        assert len(events) == pair.real.num_merges
        made = sl.Collection.from_merge_events(events, records=pair.plain.records)
        again = sl.Collection.from_merge_events(list(events), len(made), exact=made._state.hierarchy.is_exact)
        assert all(again.at(t).labels.tolist() == pair.real.at(t).labels.tolist() for t in THRESHOLDS)
        expect_collection(made, PlainCollection(pair.plain.records, pair.plain.edges, set()))

    @rule(pair=consumes(collections))
    def forget(self, pair: CollectionPair) -> None:
        self.all_collections.remove(pair)

    # ---- failures ----------------------------------------------------------------------------------------------------

    @rule(pair=frames, edges=edge_lists(), bad=st.sampled_from(("score", "nan", "key", "raise")), name=st.just("bad"))
    def fail_to_add_edges(self, pair: FramePair, edges: list[Edge], bad: str, name: str) -> None:
        with self.failing(pair, _BAD[bad][1]):
            pair.real.add_collection_from_edges(name, _spoilt(edges, bad))

    @rule(pair=collections, edges=edge_lists(), bad=st.sampled_from(("score", "nan", "key", "raise")))
    def fail_to_grow(self, pair: CollectionPair, edges: list[Edge], bad: str) -> None:
        if pair.plain.is_closed:
            edges = []
        with self.failing(pair, _BAD[bad][1]):
            pair.real.add_edges(_spoilt(edges, bad, pair.plain.records[:1]))

    @rule(pair=frames, entities=entity_lists())
    def fail_to_add_entities(self, pair: FramePair, entities: list[list[Name]]) -> None:
        with self.failing(pair, sl.InvalidThresholdError):
            pair.real.add_collection_from_entities("bad", entities, nan)
        with self.failing(pair, sl.InvalidKeyError):
            pair.real.add_collection_from_entities("bad", [*entities, [("crm", None)]])
        with self.failing(pair, sl.OverlapError):
            pair.real.add_collection_from_entities("bad", [*entities, [("new", 1)], [("new", 1)]])

    @rule(pair=frames, source=sources)
    def fail_to_add_records(self, pair: FramePair, source: str) -> None:
        with self.failing(pair, sl.InvalidKeyError):
            pair.real.add_records(source, [{"id": "new"}, {"id": None}], "id")
        with self.failing(pair, sl.DuplicateKeyError):
            pair.real.add_records("new", [{"id": "new"}, {"id": "newer"}, {"id": "new"}], "id")

    # ---- reading -----------------------------------------------------------------------------------------------------

    @rule(pair=collections, threshold=thresholds, data=st.data())
    def read_partitions(self, pair: CollectionPair, threshold: float, data: st.DataObject) -> None:
        partition = pair.real.at(threshold)
        self.hand_out(partition, read_partition)
        with pytest.raises(sl.InvalidThresholdError):
            pair.real.at(nan)
        if not pair.plain.records:
            return
        record = data.draw(st.integers(0, len(pair.plain.records) - 1))
        together = PlainCut.of(pair.plain.records, pair.plain.edges).together(threshold)
        entity = partition.entity_of(pair.plain.records[record])
        members = [number for number, label in enumerate(together) if label == together[record]]
        assert entity.members == {pair.plain.records[number] for number in members}
        assert sorted(entity.records.tolist()) == members
        assert entity == partition.entities[int(partition.labels[record])]
        self.hand_out(entity, read_entity)

    @rule(pair=collections, name=names, other=names)
    def look_up(self, pair: CollectionPair, name: Name, other: Name) -> None:
        known = pair.plain.records
        partition = pair.real.at(0.5)
        holders = [record for record in known if record[1] == name[1]]
        for looked_for, found in ((name, [name] if name in known else []), (name[1], holders)):
            if len(found) == 1:
                assert found[0] in partition.entity_of(looked_for)
            else:
                with pytest.raises(sl.InvalidArgumentError if found else sl.KeyNotFoundError):
                    partition.entity_of(looked_for)
        if name in known and other in known:
            between = PlainCut.of(known, pair.plain.edges).threshold_between(known.index(name), known.index(other))
            assert pair.real.threshold_between(name, other) == between
        else:
            with pytest.raises(sl.KeyNotFoundError):
                pair.real.threshold_between(name, other)

    @rule(pair=collections)
    def sweep(self, pair: CollectionPair) -> None:
        cut = PlainCut.of(pair.plain.records, pair.plain.edges)
        for row in pair.real.sweep(0.0, 1.0, 0.25):
            labels = cut.together(row["threshold"])
            for measured in ("entity_count", "largest_entity", "singletons", "pair_count"):
                assert row[measured] == metric(measured, labels, None), (measured, row)

    @rule(pair=frames, data=st.data(), at=thresholds)
    def analyse(self, pair: FramePair, data: st.DataObject, at: float) -> None:
        if not pair.plain.collections:
            return
        judged, truth = (data.draw(st.sampled_from(list(pair.plain.collections))) for _ in range(2))
        cuts = [PlainCut.of(pair.plain.records, pair.plain.collections[name].edges) for name in (judged, truth)]
        chosen = ["f1", "precision", "recall", "ari", "bcubed_f1", "cluster_f1", "variation_of_information"]
        report = pair.real.analyse(sl.col(judged).sweep(), sl.col(truth).at(at), metrics=chosen)
        assert report["threshold"].tolist() == (cuts[0].levels[::-1] or [1.0])
        for row in report:
            labels, reference = cuts[0].together(row["threshold"]), cuts[1].together(at)
            for name in chosen:
                assert row[name] == pytest.approx(metric(name, labels, reference), abs=1e-9), (name, row)

    @rule(pair=frames)
    def collect_metrics(self, pair: FramePair) -> None:
        metrics = pair.real.collect_metrics()
        num_records, garbage = len(pair.plain.records), pair.plain.garbage()
        assert metrics.num_collections == len(pair.plain.collections)
        assert (metrics.num_records, metrics.num_sources) == (num_records, len(pair.plain.sources()))
        assert metrics.garbage_ratio == (len(garbage) / num_records if num_records else 0.0)
        # names of sources that failed changes left are compacted away, too, and not modelled
        assert metrics.last_compaction is not None or not pair.plain.has_compacted

    # ---- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def the_frame_at_work_is_as_modelled(self) -> None:
        if self.touched:
            expect_frame(self.touched)
        self.touched = None
        for handed_out in self.handed_out[-2:] + self.handed_out[:1]:
            assert handed_out.describe(handed_out.subject) == handed_out.read

    def teardown(self) -> None:
        for pair in self.all_frames:
            expect_frame(pair)
        for kept in self.all_collections:
            expect_collection(kept.real, kept.plain)
        for handed_out in self.handed_out:
            assert handed_out.describe(handed_out.subject) == handed_out.read


class StopReadingError(Exception):
    """What an iterator of edges may raise."""


#: By kind of spoilt edge: its row, and the error.
_BAD: dict[str, tuple[tuple[Any, ...], type[Exception]]] = {
    "score": ((("crm", 1), ("crm", 2), 1.5), sl.InvalidScoreError),
    "nan": ((("crm", 1), ("crm", 2), nan), sl.InvalidScoreError),
    "key": ((("crm", 1), None, 0.5), sl.InvalidKeyError),
    "raise": ((), StopReadingError),
}


def _spoilt(edges: list[Edge], bad: str, known: list[Name] | None = None) -> Iterator[Any]:
    """The edges, a row that is none in the middle; `known`: records that its good end may be of."""
    half = len(edges) // 2
    yield from edges[:half]
    if bad == "raise":
        raise StopReadingError
    left, right, score = _BAD[bad][0]
    ends = (left, right) if known is None else (known[0] if known else left, known[0] if known and right else right)
    yield (*ends, score)
    yield from edges[half:]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=120, stateful_step_count=40, derandomize=True, deadline=None)


@pytest.mark.slow
class TestLongHistories(Histories.TestCase):
    """Many more steps, never the same."""

    settings = settings(max_examples=300, stateful_step_count=80, deadline=None)
