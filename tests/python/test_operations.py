"""Operations on entities: hashes against hashlib over a plain-Python encoding, fingerprints against true similarities,
tables, and functions of the caller's."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest

import starlings as sl

HASHES = [sl.Ops.hash.sha256, sl.Ops.hash.sha512, sl.Ops.hash.md5]
Name = tuple[str, int | str | bytes]


def encode_record(name: Name) -> bytes:
    source, key = name[0].encode(), name[1]
    start = struct.pack("<I", len(source)) + source
    if isinstance(key, int):
        return start + b"i" + struct.pack("<Q", key)
    letter, text = (b"s", key.encode()) if isinstance(key, str) else (b"b", key)
    return start + letter + struct.pack("<I", len(text)) + text


def encode(members: Iterable[Name]) -> bytes:
    return b"".join(sorted(map(encode_record, members)))


def random_name(rng: random.Random, number: int) -> Name:
    source = rng.choice(["", "crm", "shop", "shops", "ünïcode", "default"])
    key = rng.choice(
        [
            number,
            number << 31,
            2**64 - 1 - number,
            str(number),
            f"customer-{number:08}",
            b"\xff\x00%d" % number,
            f"é{number}",
        ]
    )
    return source, key


def random_entities(seed: int, num_entities: int, largest: int) -> list[list[Name]]:
    rng = random.Random(seed)
    sizes = [rng.randint(1, largest) for _ in range(num_entities)]
    numbers = iter(range(sum(sizes)))
    return [[random_name(rng, next(numbers)) for _ in range(size)] for size in sizes]


def cut(entities: Iterable[Iterable[Any]]) -> sl.Partition:
    return sl.Collection.from_entities(entities).at(1.0)


# ------------------------------------------------------------------------------------------------------------- hashes


@pytest.mark.parametrize("operation", HASHES, ids=repr)
@pytest.mark.parametrize(("seed", "num_entities", "largest"), [(1, 50, 1), (2, 40, 3), (3, 20, 40), (4, 5, 1000)])
def test_hashes_are_hashlibs_of_the_plain_encoding(operation: Any, seed: int, num_entities: int, largest: int) -> None:
    partition = cut(random_entities(seed, num_entities, largest))
    assert partition.num_entities == num_entities
    expected = {
        entity.id: hashlib.new(operation.name.rpartition(".")[2], encode(entity.members)).hexdigest()
        for entity in partition.entities
    }
    assert partition.map(operation) == expected
    assert list(expected) == list(range(num_entities))


@pytest.mark.parametrize("operation", HASHES, ids=repr)
def test_hashes_over_indices_are_hashlibs_of_ascending_uint32(operation: Any) -> None:
    edges = [(random.Random(1).randrange(100), number, 0.5 + number / 1000) for number in range(100, 140)]
    partition = sl.Collection.from_edges(edges).at(0.55)
    expected = {
        entity.id: hashlib.new(
            operation.name.rpartition(".")[2], np.sort(entity.records).astype("<u4").tobytes()
        ).hexdigest()
        for entity in partition.entities
    }
    assert partition.map(operation(over="index")) == expected


def test_a_large_entity() -> None:
    members = [("source", number * 7) for number in range(50_000)] + [("crm", f"k{number}") for number in range(50_000)]
    random.Random(1).shuffle(members)
    assert cut([members]).map(sl.Ops.hash.sha256) == {0: hashlib.sha256(encode(members)).hexdigest()}


def test_blake3_of_known_encodings() -> None:
    # The library itself is held against its test vectors in tests/c, the bytes are those that sha256sum is given below.
    partition = cut([[1], [("crm", "ann"), 5, "5"]])
    assert partition.map(sl.Ops.hash.blake3) == {
        0: "d412a0374aac57738d598beff012e3c1162b6106d41ab5f395d76d16d939ca59",
        1: "aabd0be5e30b70d288371f54d7c600757504c714d38d26f7cd98f2bceedcf7ff",
    }


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="coreutils")
def test_sha256sum_agrees() -> None:
    partition = cut([[1], [("crm", "ann"), 5, "5"]])
    for entity, text in enumerate(
        [
            r"\007\000\000\000defaulti\001\000\000\000\000\000\000\000",
            r"\003\000\000\000crms\003\000\000\000ann"
            r"\007\000\000\000defaulti\005\000\000\000\000\000\000\000"
            r"\007\000\000\000defaults\001\000\000\0005",
        ]
    ):
        done = subprocess.run(
            ["sh", "-c", f"printf '{text}' | sha256sum"], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.split()[0] == partition.map(sl.Ops.hash.sha256)[entity]


@pytest.mark.parametrize("operation", [*HASHES, sl.Ops.hash.blake3, sl.Ops.compute.fingerprint], ids=repr)
def test_frames_in_another_order_agree(operation: Any) -> None:
    entities = random_entities(7, 30, 6)
    other = [list(reversed(entity)) for entity in reversed(entities)]
    frame = sl.EntityFrame()
    frame.add_collection_from_entities("noise", [[("crm", 10**9), ("other", "x")], [("shop", 1)]])
    frame.add_collection_from_entities("model", other)
    one, two = cut(entities), frame["model"].at(1.0)
    first, second = one.map(operation), two.map(operation)
    for entity in entities:
        source, key = entity[0]
        a, b = first[one.entity_of((source, key)).id], second[two.entity_of((source, key)).id]
        assert np.array_equal(a, b)


def test_one_int_is_one_key_whatever_its_width() -> None:
    narrow, wide = cut([np.array([5], dtype=np.uint8)]), cut([np.array([5], dtype=np.uint64)])
    assert narrow.map(sl.Ops.hash.md5) == wide.map(sl.Ops.hash.md5) != cut([["5"]]).map(sl.Ops.hash.md5)


def test_the_number_of_threads_does_not_matter(threads: None) -> None:
    partition = cut(random_entities(8, 3000, 6))
    sl.set_num_threads(1)
    one = partition.map(sl.Ops.hash.blake3)
    sl.set_num_threads(4)
    assert partition.map(sl.Ops.hash.blake3) == one


def test_hashes_are_written_as_they_are_called() -> None:
    assert repr(sl.Ops.hash.sha256) == repr(sl.Ops.hash.sha256(over="identity")) == "Ops.hash.sha256"
    assert repr(sl.Ops.hash.md5(over="index")) == "Ops.hash.md5(over='index')"
    assert sl.Ops.hash.md5(over="identity") == sl.Ops.hash.md5
    for over in ("name", np.array(["index", "index"])):
        with pytest.raises(sl.InvalidArgumentError, match="identity"):
            sl.Ops.hash.md5(over=over)  # type: ignore[arg-type]


def test_a_digest_that_openssl_does_not_offer_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nalg_section = evp\n[evp]\ndefault_properties = fips=yes\n", encoding="utf-8"
    )
    program = """
import starlings as sl
partition = sl.Collection.from_entities([[1]]).at(1.0)
assert len(partition.map(sl.Ops.hash.blake3)[0]) == 64
try:
    partition.map(sl.Ops.hash.md5)
except sl.SystemCallError as error:
    assert "MD5" in str(error), error
else:
    raise SystemExit("MD5 although OpenSSL has none that FIPS approves")
"""
    environment = os.environ | {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------------------- fingerprints


def splitmix64(state: int) -> Iterable[int]:
    mask = 2**64 - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        x = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
        yield x ^ x >> 31


def test_fingerprints_are_read_only_rows_of_one_array() -> None:
    prints = cut([[1, 2], [3], [4]]).map(sl.Ops.compute.fingerprint)
    assert list(prints) == [0, 1, 2]
    assert all(row.dtype == np.uint32 and row.shape == (128,) and not row.flags.writeable for row in prints.values())
    assert prints[0].base is prints[2].base


def test_fingerprint_of_a_union_is_the_minimum() -> None:
    prints = cut([range(60)]).map(sl.Ops.compute.fingerprint)[0]
    alone = cut([[key] for key in range(60)]).map(sl.Ops.compute.fingerprint)
    assert np.array_equal(prints, np.min(list(alone.values()), axis=0))


def test_slots_are_permutations_by_the_documented_constants() -> None:
    """One identity's hash follows from its values in two slots; the other slots then follow from it."""
    random_numbers = iter(splitmix64(0x537461726C696E67))
    slots = [(next(random_numbers) | 1, next(random_numbers) >> 32 << 32) for _ in range(128)]
    values = cut([[1]]).map(sl.Ops.compute.fingerprint)[0].tolist()
    hash_ = 0x9A44653AE7889F34  # XXH3, 64 bits, of the encoding of ("default", 1)
    assert [((factor * hash_ + offset) % 2**64) >> 32 for factor, offset in slots] == values


@pytest.mark.parametrize("shared", [0, 25, 50, 75, 90, 100])
def test_similarity_estimates_that_of_the_sets(shared: int) -> None:
    jaccard = shared / (200 - shared)
    errors = []
    for start in range(0, 10_000, 200):
        one = cut([range(start, start + 100)]).map(sl.Ops.compute.fingerprint)[0]
        other = cut([range(start + 100 - shared, start + 200 - shared)]).map(sl.Ops.compute.fingerprint)[0]
        errors.append(sl.fingerprint_similarity(one, other) - jaccard)
    deviation = (jaccard * (1 - jaccard) / 128) ** 0.5
    assert abs(np.mean(errors)) <= 4 * deviation / len(errors) ** 0.5
    assert np.std(errors) <= 1.35 * deviation


@pytest.mark.parametrize("bad", [np.zeros(127, dtype=np.uint32), np.zeros(128), [0] * 128, None, "x" * 128])
def test_what_is_no_fingerprint_is_refused(bad: Any) -> None:
    good = cut([[1]]).map(sl.Ops.compute.fingerprint)[0]
    for pair in [(bad, good), (good, bad)]:
        with pytest.raises(sl.InvalidArgumentError, match="fingerprint"):
            sl.fingerprint_similarity(*pair)


# ---------------------------------------------------------------------------------------------- functions and refusals


def test_sizes() -> None:
    partition = cut([[1, 2, 3], [4], [5, 6]])
    assert partition.map(sl.Ops.compute.size) == {0: 3, 1: 1, 2: 2}


def test_functions_get_entities_and_give_anything() -> None:
    partition = cut([["a", "b"], ["c"]])
    assert partition.map(lambda entity: entity.members) == {entity.id: entity.members for entity in partition}
    assert partition.map(sl.Entity.__len__) == {0: 2, 1: 1}


def test_what_a_function_raises_names_the_entity() -> None:
    def fail(entity: sl.Entity) -> int:
        return 1 // (entity.size - 1)

    for apply in (cut([["a", "b"], ["c"]]).map, cut([["a", "b"], ["c"]]).map_arrow):
        with pytest.raises(ZeroDivisionError) as caught:
            apply(fail)
        assert "entity 1 of Partition" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("bad", ["sha256", None, 3, sl.Ops, sl.Ops.hash, sl.Ops()])
def test_what_is_no_operation_is_refused_with_the_list(bad: Any) -> None:
    partition = cut([["a"]])
    for apply in (partition.map, partition.map_arrow):
        with pytest.raises(sl.InvalidArgumentError, match=r"Ops\.hash\.sha256, .*Ops\.compute\.fingerprint"):
            apply(bad)


def test_progress_is_told_and_can_stop() -> None:
    partition = cut([range(start, start + 3) for start in range(0, 600_000, 3)])
    phases = set()
    partition.map_arrow(sl.Ops.hash.sha512, progress=lambda phase, done, total: phases.add(phase))
    partition.map_arrow(sl.Ops.compute.fingerprint, progress=lambda phase, done, total: phases.add(phase))
    partition.map_arrow(lambda entity: entity.size, progress=lambda phase, done, total: phases.add(phase))
    assert phases <= {"hashing entities", "fingerprinting entities", "calling a function"}
    assert "calling a function" in phases

    def stop(phase: str, done: int, total: int) -> None:
        raise RuntimeError(phase)

    with pytest.raises(RuntimeError, match="calling"):
        partition.map(lambda entity: entity.size, progress=stop)


# ------------------------------------------------------------------------------------------------------------- tables


def test_types_of_columns() -> None:
    partition = cut([["a", "b"], ["c"]])
    for operation, type_ in [
        (sl.Ops.hash.sha256, pa.binary(32)),
        (sl.Ops.hash.sha512, pa.binary(64)),
        (sl.Ops.hash.blake3(over="index"), pa.binary(32)),
        (sl.Ops.hash.md5, pa.binary(16)),
        (sl.Ops.compute.size, pa.uint32()),
        (lambda entity: entity.size > 1, pa.uint8()),
        (lambda entity: -entity.size, pa.int64()),
        (lambda entity: 2**63 + entity.size, pa.uint64()),
        (lambda entity: np.int32(entity.size), pa.int64()),
        (lambda entity: True if entity.size > 1 else 3, pa.int64()),
        (lambda entity: entity.size / 2 if entity.id else entity.size, pa.float64()),
        (lambda entity: np.float32(1.5), pa.float64()),
        (lambda entity: str(entity.size), pa.dictionary(pa.uint32(), pa.string())),
    ]:
        table = partition.map_arrow(operation).to_arrow()
        assert table.column_names == ["entity_id", "value"]
        assert table.schema.types == [pa.uint32(), type_]
        assert table["entity_id"].to_pylist() == [0, 1]
        table.validate(full=True)
    prints = partition.map_arrow(sl.Ops.compute.fingerprint).to_arrow()
    assert prints.schema.types[1].value_type == pa.uint32() and prints.schema.types[1].list_size == 128
    prints.validate(full=True)


def test_tables_hold_what_the_dict_holds() -> None:
    partition = cut(random_entities(9, 50, 5))
    hashes = partition.map(sl.Ops.hash.sha256)
    assert [value.hex() for value in partition.map_arrow(sl.Ops.hash.sha256).to_arrow()["value"].to_pylist()] == list(
        hashes.values()
    )
    prints = partition.map(sl.Ops.compute.fingerprint)
    table = partition.map_arrow(sl.Ops.compute.fingerprint)
    assert np.array_equal(np.array(table.to_arrow()["value"].to_pylist()), np.array(list(prints.values())))
    assert np.array_equal(np.stack(table.to_pandas()["value"]), np.array(list(prints.values())))
    assert table.to_polars().schema["value"] == polars.Array(polars.UInt32, 128)
    assert table.to_polars()["value"].to_list() == [row.tolist() for row in prints.values()]
    frame = partition.map_arrow(sl.Ops.hash.md5, name="md5").to_polars()
    assert frame.columns == ["entity_id", "md5"] and frame.schema["md5"] == polars.Binary
    assert [value.hex() for value in frame["md5"].to_list()] == list(partition.map(sl.Ops.hash.md5).values())
    pandas = partition.map_arrow(sl.Ops.hash.md5).to_pandas()
    assert [value.hex() for value in pandas["value"]] == list(partition.map(sl.Ops.hash.md5).values())
    words = partition.map_arrow(lambda entity: "many" if entity.size > 2 else "few").to_pandas()
    assert words["value"].tolist() == ["many" if size > 2 else "few" for size in partition.sizes.tolist()]


def test_densities_need_edges() -> None:
    with pytest.raises(sl.InvalidArgumentError, match="keep_edges=True"):
        cut([["a", "b"]]).map(sl.Ops.compute.density)


def test_no_entities() -> None:
    partition = sl.Collection.from_edges([]).at(0.5)
    assert partition.map(sl.Ops.hash.sha256) == partition.map(len) == {}
    for operation in (sl.Ops.hash.sha256, sl.Ops.compute.size, sl.Ops.compute.fingerprint, len):
        table = partition.map_arrow(operation)
        assert len(table) == table.to_arrow().num_rows == len(table.to_pandas()) == table.to_polars().height == 0


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda entity: entity, "entity 0"),
        (lambda entity: None if entity.id else 1, "gave None for entity 1"),
        (lambda entity: "x" if entity.id else 1, "both"),
        (lambda entity: 2**64, "64 bits"),
        (lambda entity: (-1) ** entity.id * 2**63, "64 bits"),
        (lambda entity: 10**400 if entity.id else 0.5, "64 bits"),
        (lambda entity: "a\0b" if entity.id else "b", "for entity 1, with a NUL"),
        (lambda entity: "\ud800" if entity.id else "b", "for entity 1, with what UTF-8 cannot hold"),
    ],
)
def test_values_that_are_no_column_are_refused(function: Any, why: str) -> None:
    with pytest.raises(sl.InvalidArgumentError, match=why):
        cut([["a", "b"], ["c"]]).map_arrow(function)


@pytest.mark.parametrize("name", ["entity_id", 3, b"x", "a\0b", "\ud800"])
def test_bad_names_are_refused(name: Any) -> None:
    with pytest.raises(sl.InvalidArgumentError, match="column"):
        cut([["a"]]).map_arrow(sl.Ops.compute.size, name)


def test_tables_say_what_they_are() -> None:
    table = cut([["a"]]).map_arrow(sl.Ops.compute.size, "records")
    assert repr(table) == "EntityValues(entity_id, records; 1 entities)" and table.columns == ["entity_id", "records"]
    with pytest.raises(TypeError, match="pickled"):
        table.__reduce__()
