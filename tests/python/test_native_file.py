"""Frames saved and loaded: what comes back, what is refused, what survives a kill at any moment."""

from __future__ import annotations

import os
import random
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import starlings as sl
from golden_frames import FRAMES, golden_path
from same_frames import same_frames
from starlings.testing import graphs, key_lists


def save_and_load(frame: sl.EntityFrame, folder: Path, *, memory_map: bool = True) -> sl.EntityFrame:
    path = folder / "frame.starlings"
    frame.save(path)
    return sl.load(path, memory_map=memory_map)


# ---------------------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("memory_map", [True, False])
@pytest.mark.parametrize("name", list(FRAMES))
def test_every_feature_comes_back(name: str, memory_map: bool, tmp_path: Path) -> None:
    frame = FRAMES[name]()
    same_frames(frame, save_and_load(frame, tmp_path, memory_map=memory_map))


@pytest.mark.parametrize("name", list(FRAMES))
def test_golden_files_are_opened_for_ever(name: str) -> None:
    golden, frame = sl.load(golden_path(name)), FRAMES[name]()
    if name == "compacted":  # whose file says when that was
        assert golden._core.now().last_compaction > 0
        golden, frame = (remade(each) for each in (golden, frame))
    same_frames(golden, frame)


def remade(frame: sl.EntityFrame) -> sl.EntityFrame:
    """The same records and collections, never compacted."""
    made = sl.EntityFrame()
    for source in frame.sources:
        made.add_records(source, frame.records(source), key_column="id")
    for name in frame:
        made.add_collection(name, frame[name])
    return made


@pytest.mark.parametrize("name", sorted(set(FRAMES) - {"compacted"}))
def test_the_same_frame_gives_the_same_bytes_as_ever(name: str, tmp_path: Path) -> None:
    FRAMES[name]().save(tmp_path / "a")
    sl.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == golden_path(name).read_bytes()
    assert (tmp_path / "b").read_bytes() == golden_path(name).read_bytes()


@st.composite
def frames(draw: st.DrawFn) -> sl.EntityFrame:
    """A frame over the records of a graph, with some of them given, collections of every kind, one of them dropped."""
    graph = draw(graphs(max_records=12))
    names = draw(key_lists(graph.num_records))
    sources = draw(st.lists(st.sampled_from(["crm", "web", "", "é"]), min_size=len(names), max_size=len(names)))
    records = list(zip(sources, names, strict=True))
    edges = [(records[a], records[b], score) for a, b, score in graph.edges]
    frame = sl.EntityFrame()
    given = [key for source, key in records if source == "crm" and draw(st.booleans())]
    if given:
        frame.add_records("crm", [{"id": key, "n": i} for i, key in enumerate(given)] if same_kind(given) else [])
    options = st.fixed_dictionaries(
        {"keep_edges": st.sampled_from([False, "forest", True]), "quantise": st.sampled_from([6, 2, None])}
    )
    for name in draw(st.lists(st.text(max_size=3), unique=True, max_size=4)):
        chosen = draw(options)
        if chosen["keep_edges"] is True and draw(st.booleans()):
            chosen |= {"max_entity_size": draw(st.integers(1, 4))}
        frame.add_collection_from_edges(name, edges[: draw(st.integers(0, len(edges)))], **chosen)
    for name in list(frame)[:1]:
        if draw(st.booleans()):
            frame.drop(name)
    return frame


def same_kind(keys: list[object]) -> bool:
    return len({type(key) for key in keys}) == 1


@given(frames(), st.booleans())
def test_frames_of_any_kind_come_back(frame: sl.EntityFrame, memory_map: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        again = save_and_load(frame, Path(folder), memory_map=memory_map)
        same_frames(frame, again)
        again.save(Path(folder) / "again")
        assert (Path(folder) / "again").read_bytes() == (Path(folder) / "frame.starlings").read_bytes()


def test_a_loaded_frame_goes_on(tmp_path: Path) -> None:
    frame = FRAMES["kept-edges"]()
    again = save_and_load(frame, tmp_path)
    for each in (frame, again):
        each.add_records("web", [{"id": 1}], key_column="id")
        each.add_collection_from_edges("more", [("a", "zz", 0.5)])
        each.drop("none")
    same_frames(frame, again)
    collections = [each["all"].copy() for each in (frame, again)]
    for collection in collections:
        collection.add_edges([("x", "a", 0.7), ("new", "b", 0.2)])
    assert list(collections[0].edges) == list(collections[1].edges)
    assert collections[0].at(0.2).to_list() == collections[1].at(0.2).to_list()


def test_a_constrained_collection_is_extended_under_its_constraints(tmp_path: Path) -> None:
    again = save_and_load(FRAMES["constraints"](), tmp_path)["small"].copy()
    again.add_edges([(("web", 3), ("web", 4), 0.55), (("crm", 1), ("web", 3), 0.5)])
    assert max(again.at(0.0).sizes) <= 2


def test_analyses_are_the_same(tmp_path: Path) -> None:
    frame = FRAMES["merges"]()
    again = save_and_load(frame, tmp_path)
    cuts = (sl.col("chain").sweep(), sl.col("truth").at(1.0))
    assert list(frame.analyse(*cuts)) == list(again.analyse(*cuts))
    assert frame.collect_metrics().garbage_ratio == again.collect_metrics().garbage_ratio


def test_what_was_taken_from_a_frame_outlives_frame_and_file(tmp_path: Path) -> None:
    again = save_and_load(FRAMES["attributes"](), tmp_path)
    view = save_and_load(FRAMES["kept-edges"](), tmp_path)["all"]
    (tmp_path / "frame.starlings").unlink()
    records = pa.table(again.records("crm"))
    del again
    assert records.column("text").to_pylist()[2] == "naïve"
    assert view.at(0.8).num_entities == 2 and len(view.edges) == 5


def test_a_frame_may_be_saved_over_the_file_it_was_loaded_from(tmp_path: Path) -> None:
    frame = FRAMES["merges"]()
    again = save_and_load(frame, tmp_path)
    again.add_collection_from_edges("more", [(0, 5, 0.5)])
    again.save(tmp_path / "frame.starlings")
    assert again["chain"].num_merges == 9
    same_frames(again, sl.load(tmp_path / "frame.starlings"))


# ----------------------------------------------------------------------------------------------- paths and their errors


def test_paths_are_str_or_path_like(tmp_path: Path) -> None:
    frame = FRAMES["one-record"]()
    frame.save(str(tmp_path / "ä b"))
    assert sl.load(tmp_path / "ä b").num_records == 1
    for nonsense in (None, 3, b"bytes", "", "a\0b"):
        with pytest.raises(sl.InvalidArgumentError, match="is no path"):
            frame.save(nonsense)  # type: ignore[arg-type]
        with pytest.raises(sl.InvalidArgumentError, match="is no path"):
            sl.load(nonsense)  # type: ignore[arg-type]


def test_errors_of_the_system_are_the_built_in_ones_too(tmp_path: Path) -> None:
    frame, missing = FRAMES["one-record"](), tmp_path / "no" / "where"
    for call in (lambda: sl.load(missing), lambda: frame.save(missing)):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert isinstance(caught.value, sl.PathNotFoundError)
        assert (caught.value.errno, caught.value.filename) == (2, str(missing))
        assert caught.value.strerror == os.strerror(2)
        assert str(missing) in str(caught.value)
    for call in (lambda: sl.load(tmp_path), lambda: frame.save(tmp_path)):
        with pytest.raises(IsADirectoryError) as folder:
            call()
        assert isinstance(folder.value, sl.PathIsFolderError)
    with pytest.raises(sl.SystemCallError, match="Not a directory"):
        frame.save("/dev/null/x")
    with pytest.raises(sl.InvalidArgumentError, match="no file but a device"):
        frame.save("/dev/null")


def test_pipes_are_refused_by_the_path_that_was_given(tmp_path: Path) -> None:
    frame = FRAMES["one-record"]()
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    read, write = os.pipe()
    try:
        for path in (fifo, link, Path(f"/dev/fd/{write}"), Path(f"/dev/fd/{read}")):
            for call in (frame.save, sl.load):
                with pytest.raises(sl.InvalidArgumentError, match=f"{path} is no file but a device, pipe or socket"):
                    call(path)
    finally:
        os.close(read), os.close(write)
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link"]


def test_files_are_not_kept_open(tmp_path: Path) -> None:
    path = tmp_path / "a"
    FRAMES["keys"]().save(path)
    open_before = os.listdir("/proc/self/fd")
    frames = [sl.load(path, memory_map=number % 2 == 0) for number in range(50)]
    frames[0].save(path)
    for refused in (tmp_path, Path(os.devnull), Path(__file__)):
        with pytest.raises(sl.StarlingsError):
            sl.load(refused)
        if refused != Path(__file__):
            with pytest.raises(sl.StarlingsError):
                frames[0].save(refused)
    assert len(os.listdir("/proc/self/fd")) == len(open_before)


AS_NOBODY = """
import os, sys
import starlings as sl
folder = sys.argv[1]
frame = sl.EntityFrame()
os.setgid(65534), os.setuid(65534)
for call in (
    lambda: sl.load(f"{folder}/unreadable"),
    lambda: frame.save(f"{folder}/readonly"),
    lambda: frame.save(f"{folder}/closed/new"),
):
    try:
        call()
    except sl.PathPermissionError as error:
        assert isinstance(error, PermissionError) and error.errno == 13, error
    else:
        raise SystemExit("that was allowed")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_missing_rights_are_permission_errors() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        for file, mode in (("unreadable", 0o600), ("readonly", 0o444)):
            (folder / file).write_bytes(b"")
            (folder / file).chmod(mode)
        (folder / "closed").mkdir(mode=0o755)
        subprocess.run([sys.executable, "-c", AS_NOBODY, name], check=True, timeout=60)
        assert sorted(os.listdir(folder)) == ["closed", "readonly", "unreadable"]


def test_a_new_file_heeds_the_umask_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    frame, path = FRAMES["one-record"](), tmp_path / "a"
    before = os.umask(0o027)
    try:
        frame.save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        frame.save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/file")
    FRAMES["one-record"]().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sl.load(tmp_path / "real" / "file").num_records == 1
    assert os.listdir(tmp_path / "real") == ["file"]


# --------------------------------------------------------------------------------------------------------- broken files


def test_what_is_no_file_of_ours_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"", b"\x89STARL\r\n", b"PAR1" * 100, os.urandom(1000)):
        path.write_bytes(content)
        with pytest.raises(sl.CorruptFileError, match=str(path)):
            sl.load(path)


@pytest.mark.parametrize("name", ["keys", "attributes", "constraints"])
def test_every_flipped_byte_and_truncation_is_refused(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / "a", golden_path(name).read_bytes()
    for at in range(0, len(data), 23):  # all of them are tried in C
        for broken in (data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :], data[:at]):
            path.write_bytes(broken)
            with pytest.raises(sl.CorruptFileError):
                sl.load(path)


def test_columns_that_cannot_be_stored_are_named(tmp_path: Path) -> None:
    for column, message in (
        (pa.array([[1], [2]], pa.list_view(pa.int64())), 'column "odd".*cannot be stored'),
        (pa.array([b"", b""], pa.binary(0)), 'column "odd".*cannot be stored'),
        (pa.RunEndEncodedArray.from_arrays([2], ["x"]), 'column "odd".*cannot be stored'),
        (pa.array([b"\xff", b"x"]).view(pa.string()), 'column "odd".*UTF-8'),
    ):
        frame = sl.EntityFrame.from_records("crm", pa.table({"id": [1, 2], "odd": column}), key_column="id")
        with pytest.raises(sl.InvalidArgumentError, match=message):
            frame.save(tmp_path / "a")
        assert os.listdir(tmp_path) == []


# -------------------------------------------------------------------------------------------- stopping and being killed


SAVE_OFTEN = """
import sys
import starlings as sl
frame = sl.EntityFrame.from_records("crm", [{"id": i} for i in range(int(sys.argv[2]))], key_column="id")
for _ in range(20):
    frame.save(sys.argv[1])
"""


def test_two_processes_may_save_to_one_path_while_a_third_loads(tmp_path: Path) -> None:
    path, sizes = tmp_path / "a", (1000, 2000)
    FRAMES["one-record"]().save(path)
    writers = [subprocess.Popen([sys.executable, "-c", SAVE_OFTEN, path, str(size)]) for size in sizes]
    while any(writer.poll() is None for writer in writers):
        assert sl.load(path).num_records in (1, *sizes)
    assert [writer.wait() for writer in writers] == [0, 0]
    assert sl.load(path).num_records in sizes
    assert os.listdir(tmp_path) == ["a"]


class Stop(Exception):
    pass


def stopping_after(ticks: int) -> Callable[[str, int, int], None]:
    left = ticks

    def tick(phase: str, done: int, total: int) -> None:
        nonlocal left
        left -= 1
        assert phase and done <= total
        if left < 0:
            raise Stop

    return tick


@pytest.fixture(scope="module")
def large() -> sl.EntityFrame:
    """Large enough that saving and loading report."""
    frame = sl.EntityFrame()
    rng = random.Random(7)
    size = 300_000
    edges = pa.table(
        {
            "left": pa.array(rng.randrange(size) for _ in range(size)),
            "right": pa.array(rng.randrange(size) for _ in range(size)),
            "score": pa.array(rng.random() for _ in range(size)),
        }
    )
    for number in range(3):
        frame.add_collection_from_edges(f"model {number}", edges, keep_edges=True)
    return frame


def test_an_interrupted_call_leaves_everything_as_it_was(large: sl.EntityFrame, tmp_path: Path) -> None:
    path = tmp_path / "a"
    FRAMES["one-record"]().save(path)
    old = path.read_bytes()
    with pytest.raises(Stop):
        large.save(path, progress=stopping_after(0))
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["a"]
    large.save(path)
    with pytest.raises(Stop):
        sl.load(path, progress=stopping_after(0))


def test_a_save_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "at work" / "people.starlings"
    path.parent.mkdir()
    frames = []
    for number in range(2):
        frame = sl.EntityFrame()
        frame.add_collection_from_edges("model", [(i, i + 1, i % 97 / 97) for i in range(20_000 + 5_000 * number)])
        frame.save(tmp_path / str(number))
        frames.append((tmp_path / str(number)).read_bytes())
    rng = random.Random(11)
    seen = set()
    for _ in range(200):
        writer = kept_writer(tmp_path, path)
        time.sleep(rng.random() * 0.02)
        writer.kill()
        if path.exists():
            content = path.read_bytes()
            assert content in frames
            seen.add(frames.index(content))
            assert sl.load(path).num_records in (20_001, 25_001)
        # At most what this one left, and nothing of those before.
        assert len(os.listdir(path.parent)) <= 2
    assert seen == {0, 1}


class Child:
    """A process that saves until it is killed, forked off one that has loaded the frames once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def kept_writer(folder: Path, path: Path) -> Child:
    """Start saving the two frames to `path` in turn, in a child process."""
    pid = os.fork()
    if pid == 0:
        try:
            frames = [sl.load(folder / name, memory_map=False) for name in ("0", "1")]
            while True:
                for frame in frames:
                    frame.save(path)
        finally:
            os._exit(1)
    return Child(pid)


# --------------------------------------------------------------------------------------------------- the page by itself


def test_a_reader_made_from_the_page_alone_finds_everything() -> None:
    """docs/format.md, followed with `struct`: sections, keys, hierarchies, sets, and the buffers of attributes."""
    data = golden_path("merges").read_bytes()
    sections = read_sections(data)
    num_records, num_sources, num_collections, num_tables, _ = struct.unpack("<IIIIq", sections[1, 0])
    frame = FRAMES["merges"]()
    assert (num_records, num_sources, num_tables) == (frame.num_records, len(frame.sources), 0)
    assert read_texts(sections[2, 0], num_sources) == frame.sources
    keys = struct.unpack(f"<{num_records}I", sections[5, 0])
    assert set(sections[4, 0]) == {0}
    for number in range(num_collections):
        n, k, decimals, flags, merges, zero, edges = struct.unpack_from("<6IQ", sections[16, number])
        name = sections[16, number][32:].decode()
        collection = frame[name]
        assert (n <= num_records, zero, edges, merges) == (True, 0, 0, collection.num_merges)
        assert bool(flags & 2) == (name == "exact") == (decimals == 0)
        order = struct.unpack(f"<{n}I", sections[17, number])
        join = struct.unpack(f"<{n}I", sections[18, number])
        levels = struct.unpack(f"<{k}d", sections[19, number])
        assert list(levels) == list(collection.thresholds)
        for level, threshold in enumerate(levels):
            entities = [{("default", keys[order[0]])}]
            for position in range(1, n):
                if join[position - 1] > level:
                    entities.append(set())
                entities[-1].add(("default", keys[order[position]]))
            entities += [{("default", keys[record])} for record in range(n, num_records)]
            assert sorted(map(sorted, entities)) == sorted(map(sorted, collection.at(threshold).to_list()))
        used = read_set(sections[20, number])
        assert used <= set(range(num_records))
    assert read_set(sections[7, 0]) == set()


def test_attributes_are_found_by_the_page_alone() -> None:
    sections = read_sections(golden_path("sliced-attributes").read_bytes())
    spans = list(struct.iter_unpack("<III", sections[8, 0]))
    assert spans[0][1] == 0 and spans[-1][1] == 2**32 - 1
    table, buffers = sections[32, 1], sections[33, 1]
    num_batches, num_buffers = struct.unpack_from("<QQ", table)
    lengths = struct.unpack_from(f"<{num_buffers}Q", table, 16)
    starts = [sum(-(-length // 64) * 64 for length in lengths[:i]) for i in range(num_buffers)]
    assert num_batches == 1
    assert starts[-1] + -(-lengths[-1] // 64) * 64 == len(buffers)
    at = 16 + 8 * num_buffers
    formats: list[str] = []

    def read_schema() -> None:
        nonlocal at
        _, children, dictionary, *sizes = struct.unpack_from("<Q5I", table, at)
        at += 28
        texts = []
        for size in sizes:
            size = 0 if size == 2**32 - 1 else size
            texts.append(table[at : at + size])
            at += size
        formats.append(texts[0].decode())
        for _ in range(children + dictionary):
            read_schema()

    read_schema()
    assert formats[0] == "+s" and len(formats) == 3
    length, offset = struct.unpack_from("<qq", table, at)
    assert (length, offset) == (3, 0)
    at += 16
    length, nulls, offset, count = struct.unpack_from("<qqqQ", table, at)
    numbers = struct.unpack_from(f"<{count}Q", table, at + 32)
    assert (length, nulls, offset, count) == (3, 0, 0, 2)
    start = starts[numbers[1]]
    assert struct.unpack_from("<3q", buffers, start) == (0, 1, 2)


def read_sections(data: bytes) -> dict[tuple[int, int], bytes]:
    magic, version, count, size = struct.unpack_from("<8sIIQ", data)
    assert (magic, version, size) == (b"\x89STARL\r\n", 1, len(data))
    assert not any(data[32:56])
    sections, end = {}, 64
    for i in range(count):
        kind, owner, begin, length, _ = struct.unpack_from("<IIQQQ", data, size - 32 * (count - i))
        assert begin == end
        end = -(-(begin + length) // 64) * 64
        assert not any(data[begin + length : end])
        sections[kind, owner] = data[begin : begin + length]
    assert end == size - 32 * count
    return sections


def read_texts(section: bytes, count: int) -> list[str]:
    at, texts = 4 * count, []
    for length in struct.unpack_from(f"<{count}I", section):
        texts.append(section[at : at + length].decode())
        at += length
    assert at == len(section)
    return texts


def read_set(section: bytes) -> set[int]:
    """A Roaring bitmap in its portable format."""
    cookie = struct.unpack_from("<I", section)[0]
    if cookie & 0xFFFF == 12347:
        count, has_runs, at = (cookie >> 16) + 1, True, 4
        runs = section[at : at + (count + 7) // 8]
        at += len(runs)
    else:
        assert cookie == 12346
        count, has_runs, at, runs = struct.unpack_from("<I", section, 4)[0], False, 8, b""
    heads = [struct.unpack_from("<HH", section, at + 4 * i) for i in range(count)]
    at += 4 * count
    if not has_runs or count >= 4:
        at += 4 * count
    records: set[int] = set()
    for i, (high, less_one) in enumerate(heads):
        if has_runs and runs[i // 8] >> i % 8 & 1:
            num_runs = struct.unpack_from("<H", section, at)[0]
            for run in range(num_runs):
                first, more = struct.unpack_from("<HH", section, at + 2 + 4 * run)
                records |= {high << 16 | low for low in range(first, first + more + 1)}
            at += 2 + 4 * num_runs
        elif less_one < 4096:
            records |= {high << 16 | low for low in struct.unpack_from(f"<{less_one + 1}H", section, at)}
            at += 2 * (less_one + 1)
        else:
            bits = int.from_bytes(section[at : at + 8192], "little")
            records |= {high << 16 | low for low in range(65536) if bits >> low & 1}
            at += 8192
    assert at == len(section)
    return records
