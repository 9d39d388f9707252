"""Constraints: hierarchies without the merges that must not be, against a plain definition; what they remember."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pytest

import starlings as sl
from plain_edges import distinct
from starlings import _core
from starlings.constraints import Limits, check_constraints, constrained

Record = tuple[str, int]
Pair = tuple[Record, Record, float]
Entity = frozenset[Record]

# ------------------------------------------------------------------------------------------------------ the definition


class Plain(NamedTuple):
    """Entities at every score, from the highest, and the pairs left out."""

    partitions: dict[float, set[Entity]]
    num_skipped: int
    num_tied: int


class Rules(NamedTuple):
    """What an entity may be."""

    unique: frozenset[str]
    largest: int | None

    def allow(self, entity: Iterable[Record]) -> bool:
        members = set(entity)
        sources = [source for source, _ in members if source in self.unique]
        return len(sources) == len(set(sources)) and (self.largest is None or len(members) <= self.largest)


def resolve(records: list[Record], pairs: list[Pair], rules: Rules, ties: str) -> Plain:
    entities = {record: frozenset([record]) for record in records}
    partitions: dict[float, set[Entity]] = {}
    skipped = tied = 0

    def unite(group: Entity) -> None:
        entities.update(dict.fromkeys(group, group))

    position = {record: i for i, record in enumerate(records)}
    for score, alike in groupby(distinct(pairs, position), key=lambda pair: pair[2]):
        ends = [(a, b) for a, b, _ in alike]
        if ties == "order":
            for a, b in ends:
                if entities[a] == entities[b]:
                    continue
                if rules.allow(entities[a] | entities[b]):
                    unite(entities[a] | entities[b])
                else:
                    skipped += 1
        else:
            apart = [(entities[a], entities[b]) for a, b in ends if entities[a] != entities[b]]
            candidates = [(a, b) for a, b in apart if rules.allow(a | b)]
            skipped += len(apart) - len(candidates)
            for group in connected(candidates):
                if rules.allow(group):
                    unite(group)
                else:
                    tied += sum(a <= group for a, _ in candidates)
        partitions[score] = set(entities.values())
    return Plain(partitions, skipped, tied)


def connected(links: list[tuple[Entity, Entity]]) -> list[Entity]:
    """What the links make of the entities that they name."""
    groups: list[Entity] = []
    for a, b in links:
        touched = [group for group in groups if a <= group or b <= group]
        groups = [group for group in groups if group not in touched]
        groups.append(frozenset(a | b).union(*touched))
    return groups


# ------------------------------------------------------------------------------------------------------------- cases


class Case(NamedTuple):
    records: list[Record]
    pairs: list[Pair]
    unique: list[str]
    largest: int | None
    ties: str

    @property
    def plain(self) -> Plain:
        return resolve(self.records, self.pairs, Rules(frozenset(self.unique), self.largest), self.ties)

    @property
    def limits(self) -> Limits | None:
        return check_constraints(self.unique, self.largest, self.ties)


def case(seed: int) -> Case:
    rng = random.Random(seed)
    num_sources = rng.choice([1, 2, 3, 8, 64, 65, 70])
    num_records = seed % 3 if seed < 12 else rng.randrange(2, 40)
    records = [(f"s{rng.randrange(num_sources)}", key) for key in range(num_records)]
    steps = rng.choice([1, 3, 20, 1000])
    pairs = [
        (rng.choice(records), rng.choice(records), rng.randrange(steps + 1) / steps)
        for _ in range(rng.randrange(3 * num_records + 1))
    ]
    unique = [f"s{number}" for number in range(rng.randrange(num_sources + 1))]
    return Case(records, pairs, unique, rng.choice([None, None, 1, 2, 3, 7]), rng.choice(["order", "drop"]))


def built(records: list[Record], pairs: list[Pair]) -> tuple[_core.Context, _core.Hierarchy]:
    """The hierarchy of pairs, which keeps them all."""
    context = _core.Context()
    context.intern(records)
    return context, _core.extend(context, None, pairs, keep="all")


def entities_at(context: _core.Context, hierarchy: _core.Hierarchy, threshold: float) -> set[Entity]:
    return {frozenset(entity) for entity in _core.Partition(hierarchy, threshold).to_list(context)}  # type: ignore[arg-type]


def counts(hierarchy: _core.Hierarchy) -> tuple[int, int]:
    return hierarchy.num_skipped, hierarchy.num_tied


# -------------------------------------------------------------------------------------------------- by the definition


@pytest.mark.parametrize("seed", range(250))
def test_every_threshold_follows_the_definition(seed: int) -> None:
    subject = case(seed)
    context, free = built(subject.records, subject.pairs)
    hierarchy = constrained(context, free, subject.limits, "nothing", None)
    hierarchy.validate()
    plain = subject.plain
    assert counts(hierarchy) == (plain.num_skipped, plain.num_tied)
    for score, entities in plain.partitions.items():
        assert entities_at(context, hierarchy, score) == entities
    assert {*np.asarray(hierarchy.levels).round(6)} <= {*np.round([*plain.partitions], 6)}


@pytest.mark.parametrize("ties", ["order", "drop"])
def test_the_order_of_the_pairs_does_not_matter(ties: str) -> None:
    for seed in range(40):
        subject = case(seed)
        limits = (tuple(subject.unique), subject.largest or 0, ties == "drop")
        made = []
        for shuffle in range(3):
            pairs = [*subject.pairs]
            random.Random(shuffle).shuffle(pairs)
            context, free = built(subject.records, [(b, a, score) for a, b, score in pairs])
            made.append(constrained(context, free, limits, "nothing", None))
        assert made[0] == made[1] == made[2]
        assert counts(made[0]) == counts(made[1]) == counts(made[2])


def test_with_ties_dropped_the_order_of_the_records_does_not_matter_either() -> None:
    for seed in range(40):
        subject = case(seed)
        limits = (tuple(subject.unique), subject.largest or 0, True)
        context, free = built(subject.records, subject.pairs)
        other_context, other_free = built(subject.records[::-1], subject.pairs)
        made = constrained(context, free, limits, "nothing", None)
        other = constrained(other_context, other_free, limits, "nothing", None)
        assert counts(made) == counts(other)
        for _, _, score in subject.pairs:
            assert entities_at(context, made, score) == entities_at(other_context, other, score)


def test_constraints_that_forbid_nothing_change_nothing() -> None:
    for seed in range(40):
        subject = case(seed)
        context, free = built(subject.records, subject.pairs)
        made = _core.constrain(context, free, ["nobody"], 0, True, "all")
        assert made == free and counts(made) == (0, 0)
        again = constrained(context, made, subject.limits, "all", None)
        assert again == constrained(context, free, subject.limits, "all", None)
        assert _core.constrain(context, again, [], 0, False, "all") == free


# ------------------------------------------------------------------------------------------------- what is remembered


def test_what_is_remembered() -> None:
    context, free = built([("a", 1), ("a", 2), ("b", 3)], [(("a", 1), ("b", 3), 0.9), (("a", 2), ("b", 3), 0.9)])
    assert free.constraints is None and counts(free) == (0, 0)
    made = _core.constrain(context, free, ["a", "é"], 7, True, "nothing")
    assert made.constraints == (("a", "é"), 7, True) and counts(made) == (0, 2)
    ordered = _core.constrain(context, free, ["a"], 0, False, "nothing")
    assert ordered.constraints == (("a",), 0, False) and counts(ordered) == (1, 0)


def test_the_public_form() -> None:
    context, free = built([("a", 1), ("a", 2)], [(("a", 1), ("a", 2), 0.9)])
    made = _core.constrain(context, free, ["a"], 0, False, "nothing")
    assert sl.Constraints._of(free) is None
    assert sl.Constraints._of(made) == sl.Constraints(("a",), None, "order", 1, 0)


def test_options_are_checked() -> None:
    assert check_constraints(None, None, "drop") is None
    assert check_constraints([], None, "order") is None
    assert check_constraints(iter(["b", "a", "b"]), np.int64(3), "order") == (("b", "a"), 3, False)
    assert check_constraints(None, 2**40, "drop") == ((), 2**32 - 1, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("crm", None, "order"), "unique_sources must be a list of names of sources, not 'crm'"),
        ((b"crm", None, "order"), "unique_sources must be a list"),
        ((5, None, "order"), "unique_sources must be a list"),
        ((["a", 5], None, "order"), "the unique source must be a str, not 5"),
        (([["a"]], None, "order"), "the unique source must be a str"),
        ((["\ud800"], None, "order"), "lone surrogate"),
        ((None, 0, "order"), "max_entity_size must be an int of 1 or more"),
        ((None, True, "order"), "max_entity_size must be an int of 1 or more"),
        ((None, 2.0, "order"), "max_entity_size must be an int of 1 or more"),
        ((None, None, "first"), "ties must be 'order' or 'drop', not 'first'"),
        ((None, None, None), "ties must be"),
    ],
)
def test_unusable_options_say_why(options: tuple[Any, Any, Any], message: str) -> None:
    with pytest.raises(sl.InvalidArgumentError, match=message):
        check_constraints(*options)


# --------------------------------------------------------------------------------------------------- by the extension


def test_requests_that_cannot_be_met_say_why() -> None:
    context, free = built([("a", 1), ("a", 2)], [(("a", 1), ("a", 2), 0.9)])
    bare = _core.constrain(context, free, [], 0, False, "forest")
    with pytest.raises(sl.InvalidArgumentError, match="did not keep them"):
        _core.constrain(context, bare, ["a"], 0, False, "nothing")
    with pytest.raises(sl.InvalidArgumentError, match="another context"):
        _core.constrain(_core.Context(), free, ["a"], 0, False, "nothing")
    with pytest.raises(sl.InvalidArgumentError, match='keep must be "nothing", "forest" or "all", not "some"'):
        _core.constrain(context, free, ["a"], 0, False, "some")
    with pytest.raises(sl.InvalidArgumentError, match="NUL"):
        _core.constrain(context, free, ["a\0b"], 0, False, "nothing")
    with pytest.raises(TypeError):
        _core.constrain(context, free, [5], 0, False, "nothing")  # type: ignore[list-item]
    with pytest.raises(TypeError):
        _core.constrain(context, free, 5, 0, False, "nothing")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a number from 0"):
        _core.constrain(context, free, [], -1, False, "nothing")


def test_progress_is_told_and_may_stop() -> None:
    rng = np.random.default_rng(5)
    left, right = rng.integers(0, 400_000, (2, 1_500_000))
    context = _core.Context()
    free = _core.extend(context, None, (left, right, rng.integers(0, 50, len(left)) / 50), keep="all")
    calls: list[tuple[str, int, int]] = []
    for _ in range(100):  # one call may be over before progress is due
        made = _core.constrain(context, free, ["default"], 3, True, "nothing", lambda *call: calls.append(call))
        if calls:
            break
    assert made.num_levels == 0 and made.num_skipped > 1_000_000
    assert calls and all(0 <= done <= total for _, done, total in calls)

    def stop(phase: str, done: int, total: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        _core.constrain(context, free, [], 3, True, "nothing", stop)

    def enter(phase: str, done: int, total: int) -> None:
        _core.constrain(context, free, [], 3, True, "nothing")

    assert _core.constrain(context, free, ["default"], 3, True, "nothing", enter) == made


# -------------------------------------------------------------------------------------------------------- collections


def collection_of(subject: Case, pairs: list[Pair], **options: Any) -> sl.Collection:
    return sl.Collection.from_edges(
        pairs,
        records=subject.records,
        unique_sources=subject.unique,
        max_entity_size=subject.largest,
        ties=subject.ties,  # type: ignore[arg-type]
        **options,
    )


def assert_as_defined(collection: sl.Collection, subject: Case) -> None:
    plain = subject.plain
    for score, entities in plain.partitions.items():
        assert {frozenset(entity) for entity in collection.at(score).to_list()} == entities
    if subject.limits is None:
        assert collection.constraints is None
        return
    left_out = (plain.num_skipped, plain.num_tied)
    unique = tuple(subject.unique)
    assert collection.constraints == sl.Constraints(unique, subject.largest, subject.ties, *left_out)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(60))
def test_collections_follow_the_definition_and_so_do_those_extended(seed: int) -> None:
    subject = case(seed)
    assert_as_defined(collection_of(subject, subject.pairs), subject)
    half = len(subject.pairs) // 2
    extended = collection_of(subject, subject.pairs[:half], keep_edges=True)
    extended.add_edges(subject.pairs[half:])
    assert_as_defined(extended, subject)


def test_scores_may_be_weights_or_exact() -> None:
    pairs = [(("a", 1), ("b", 1), 12.5), (("a", 2), ("b", 1), -3.25)]
    collection = sl.Collection.from_edges(pairs, scale="weight", unique_sources=["a"])
    assert collection.at(-10.0).num_entities == 2 and collection.thresholds.tolist() == [12.5]
    third = 1 / 3
    exact = sl.Collection.from_edges(
        [(1, 2, np.nextafter(third, 1)), (2, 3, third)], quantise=None, max_entity_size=2, ties="drop"
    )
    assert exact.thresholds.tolist() == [np.nextafter(third, 1)]
    rounded = sl.Collection.from_edges([(1, 2, np.nextafter(third, 1)), (2, 3, third)], max_entity_size=2, ties="drop")
    assert rounded.constraints == sl.Constraints((), 2, "drop", 0, 2)


def test_frames_keep_them() -> None:
    frame = sl.EntityFrame.from_records("a", [{"id": key} for key in range(4)], key_column="id")
    pairs = [(("a", 0), ("b", 9), 0.9), (("a", 1), ("b", 9), 0.8), (("a", 1), ("c", 9), 0.8)]
    frame.add_collection_from_edges("linked", pairs, unique_sources=["a"])
    expected = sl.Constraints(("a",), None, "order", 1, 0)
    assert frame["linked"].constraints == expected
    elsewhere = sl.Collection.from_edges(pairs[::-1], unique_sources=["a"])
    frame.add_collection("elsewhere", elsewhere)
    assert frame["elsewhere"].constraints == expected and frame["elsewhere"].at(0.5) == frame["linked"].at(0.5)
    frame.add_collection_from_edges("waste", [(("d", key), ("d", key + 1), 0.9) for key in range(30)])
    before = frame["linked"].at(0.8).to_list()
    frame.drop("waste")
    assert frame.collect_metrics().last_compaction is not None
    assert frame["linked"].constraints == expected
    assert {frozenset(e) for e in frame["linked"].at(0.8).to_list()} == {
        frozenset(e) for e in before if not any(source == "d" for source, _ in e)
    }


def test_records_whose_pairs_were_all_left_out_are_in_use() -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("linked", [(("a", 1), ("a", 2), 0.9)], unique_sources=["a"])
    frame.compact()
    assert frame.num_records == 2


def test_collections_that_did_not_keep_their_pairs_take_no_more() -> None:
    collection = sl.Collection.from_edges([("a", "b", 0.9)], max_entity_size=2)
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
        collection.add_edges([("b", "c", 0.9)])
    assert collection.num_records == 2


def test_unusable_options_are_refused_before_anything_is_read() -> None:
    def never() -> Any:
        raise AssertionError("read")
        yield

    for options in ({"unique_sources": "crm"}, {"max_entity_size": 0}, {"ties": "any"}):
        with pytest.raises(sl.InvalidArgumentError):
            sl.Collection.from_edges(never(), **options)
