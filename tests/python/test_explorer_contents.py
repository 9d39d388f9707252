"""What the explorer measures, chooses and writes, before any browser sees it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import starlings as sl
from explorer_page import people
from starlings import testing
from starlings.explorer import embedded
from starlings.explorer.size_classes import SIZE_CLASSES, sizes_at_stops

TYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "f64": "<f8"}
NEVER = 0xFFFFFFFF


class Contents:
    """What a page holds, read as its format says."""

    def __init__(self, path: Path) -> None:
        text = re.search(r'<script id="data" type="text/plain">([^<]*)</script>', path.read_text("utf-8"))
        assert text is not None
        data = zlib.decompress(b64decode(text[1]))
        length = int.from_bytes(data[:8], "little")
        self.described: dict[str, Any] = json.loads(data[8 : 8 + length])
        self._rest = data[8 + length + -length % 8 :]

    def section(self, number: int) -> Any:
        kind, start, length = self.described["sections"][number]
        part = self._rest[start : start + length]
        return json.loads(part) if kind == "json" else np.frombuffer(part, TYPES[kind])

    @property
    def keys(self) -> list[str]:
        keys: list[str] = self.section(self.described["records"]["keys"])
        return keys

    def stops(self, axis: int = 0) -> Any:
        return self.section(self.described["axes"][axis]["stops"])

    def collection(self, name: str) -> dict[str, Any]:
        return next(each for each in self.described["collections"] if each["name"] == name)

    def labels(self, name: str, threshold: float) -> Any:
        """The entity of each record of the page, by the embedded merges."""
        order, join, levels = (self.section(self.collection(name)[part]) for part in ("order", "join", "levels"))
        applied = int(np.sum(levels >= threshold))
        labels = np.empty(len(order), np.int64)
        labels[order] = np.concatenate([[0], np.cumsum(join[:-1] >= applied)])[: len(order)]
        return labels


def same_grouping(a: Any, b: Any) -> bool:
    """Whether two labellings group alike."""
    pairs = {(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)}
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


# --------------------------------------------------------------------------------------------------------- what it is


@settings(max_examples=60, deadline=None)
@given(testing.graphs(), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_sizes_at_stops_are_those_of_the_partitions(graph: testing.Graph, points: list[float]) -> None:
    collection = sl.Collection.from_edges(graph.edges, records=range(graph.num_records))
    stops = np.unique(np.array([0.0, *(round(point, 6) for point in points)]))
    entities, records = sizes_at_stops(collection._state.hierarchy, graph.num_records + 2, stops)
    for stop, threshold in enumerate(stops.tolist()):
        sizes = np.append(collection.at(threshold).sizes.astype(np.int64), [1, 1])
        for number, (low, high) in enumerate(SIZE_CLASSES):
            some = sizes[(sizes >= low) & (sizes <= high)]
            assert (entities[stop, number], records[stop, number]) == (len(some), some.sum())


@pytest.mark.parametrize("most", [0, 1, 2, 40, 299, 300])
def test_merges_among_chosen_records_are_those_of_all(tmp_path: Path, most: int) -> None:
    frame = people(300)
    contents = Contents(frame.explore(tmp_path / "page.html", reference="truth", max_records=most))
    keys = contents.keys
    assert len(keys) <= most and len(set(keys)) == len(keys)
    assert len(keys) == most or most == 299
    where = {key: record for record, key in enumerate(f"p{i:05d}" for i in range(300))}
    records = [where[key] for key in keys]
    for name in ("model", "rules", "truth"):
        for threshold in (0.0, 0.3, 0.5, 0.61, 0.75, 1.0):
            assert same_grouping(contents.labels(name, threshold), frame[name].at(threshold).labels[records])


def test_entities_are_chosen_whole_as_far_as_they_fit(tmp_path: Path) -> None:
    frame = people(3000)
    contents = Contents(frame.explore(tmp_path / "page.html", reference="truth", max_records=900))
    best = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0)).best("f1")["threshold"]
    labels = frame["model"].at(best).labels
    records = np.array([int(key[1:]) for key in contents.keys])
    sizes = frame["model"].at(best).sizes
    inside = np.bincount(labels[records], minlength=len(sizes))
    whole = np.count_nonzero(inside == sizes)
    assert whole > 0.8 * np.count_nonzero(inside)
    assert inside[np.argmax(sizes)] == sizes.max()


def test_records_that_came_after_a_collection_are_alone_in_it(tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9)])
    frame.add_records("default", [{"id": "c"}, {"id": "d"}], "id")
    contents = Contents(frame.explore(tmp_path / "page.html"))
    assert contents.keys == ["a", "b", "c", "d"]
    assert len(set(contents.labels("model", 0.5).tolist())) == 3


# -------------------------------------------------------------------------------------------------------- thresholds


def test_few_levels_are_all_measured(tmp_path: Path) -> None:
    frame = people(120)
    contents = Contents(frame.explore(tmp_path / "page.html", reference="truth"))
    levels = np.concatenate([frame[name].thresholds for name in frame])
    assert contents.described["axes"][0]["complete"] and np.isin(levels, contents.stops()).all()
    assert np.isin(np.linspace(0, 1, 101).round(6), contents.stops()).all()


def test_many_levels_are_thinned_without_losing_peaks_or_best_cuts(tmp_path: Path) -> None:
    frame = people(6000)
    contents = Contents(frame.explore(tmp_path / "page.html", reference="truth", max_records=10))
    stops = contents.stops()
    assert 1500 < len(stops) < 3000 < len(frame["model"].thresholds) and not contents.described["axes"][0]["complete"]
    for name in ("model", "rules"):
        for metric in ("f1", "precision", "ari", "entropy", "pair_count"):
            full = frame.analyse(sl.col(name).sweep(), sl.col("truth").at(1.0), metrics=[metric])[metric]
            values = contents.section(contents.collection(name)["values"][metric])
            assert values.max() == pytest.approx(full.max()) and values.min() <= full.min() * (1 + 1e-9)
        best = contents.collection(name)["best"]["f1"]
        row = frame.analyse(sl.col(name).sweep(), sl.col("truth").at(1.0)).best("f1")
        assert best == [row["threshold"], row["f1"]] and row["threshold"] in stops


def test_best_cut_is_the_highest_of_equal_ones(tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", [("a", "b", 0.9), ("c", "d", 0.5)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c"}, {"d"}])
    contents = Contents(frame.explore(tmp_path / "page.html", reference="truth", metrics=["f1", "recall"]))
    assert contents.collection("model")["best"]["f1"] == [0.9, 1.0]
    assert contents.collection("model")["best"]["recall"] == [0.9, 1.0]
    assert contents.collection("truth")["best"] == {}


# ------------------------------------------------------------------------------------------------------- the file


def test_equal_frames_make_equal_bytes(tmp_path: Path) -> None:
    pages = [people(200).explore(tmp_path / f"{i}.html", reference="truth", max_records=90) for i in range(2)]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_threads_do_not_change_the_page(tmp_path: Path, threads: None) -> None:
    pages = []
    for count in (1, 3):
        sl.set_num_threads(count)
        pages.append(people(400).explore(tmp_path / f"{count}.html", reference="truth").read_bytes())
    assert pages[0] == pages[1]


def test_threads_write_whole_pages_at_once(tmp_path: Path) -> None:
    frame = people(200)
    expected = frame.explore(tmp_path / "one.html", reference="truth").read_bytes()

    def write(number: int) -> list[bytes]:
        paths = (tmp_path / "one.html", tmp_path / f"{number}.html")
        return [frame.explore(path, reference="truth").read_bytes() for path in paths]

    with ThreadPoolExecutor(4) as pool:
        assert all(page == expected for pages in pool.map(write, range(8)) for page in pages)
    assert len(list(tmp_path.iterdir())) == 9


def test_a_loaded_frame_makes_the_same_page_and_a_view_outlives_its_collection(tmp_path: Path) -> None:
    frame = people(90)
    frame.save(tmp_path / "people.starlings")
    loaded = sl.load(tmp_path / "people.starlings")
    pages = [each.explore(tmp_path / "page.html", reference="truth").read_bytes() for each in (frame, loaded)]
    assert pages[0] == pages[1]
    view = frame["model"]
    before = view.explore(tmp_path / "page.html").read_bytes()
    frame.drop("model")
    assert view.explore(tmp_path / "page.html").read_bytes() == before and "<svg" in view._repr_html_()


def test_the_page_names_no_address_and_allows_none(tmp_path: Path) -> None:
    text = people(30).explore(tmp_path / "page.html").read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\beval\(|innerHTML|insertAdjacentHTML|document\.write|@import|url\(|fetch\(|XMLHttp", text)


def test_long_values_are_cut_and_columns_left_out_where_all_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": f"p{i}", "short": "abc", "long": "x" * 5000, "other": "y" * 400} for i in range(10)]
    frame = sl.EntityFrame.from_records("default", rows, key_column="id")
    frame.add_collection_from_edges("model", [("p0", "p1", 0.5)])

    def values() -> tuple[dict[str, int], list[str]]:
        contents = Contents(frame.explore(tmp_path / "page.html"))
        (table,) = contents.described["records"]["tables"]
        columns = [contents.section(column)[3] for column in table["columns"]]
        return dict(zip(table["names"], map(len, columns), strict=True)), contents.described["records"]["omitted"]

    assert values() == ({"id": 2, "short": 3, "long": 1001, "other": 400}, [])
    monkeypatch.setattr(embedded, "_ATTRIBUTE_CHARACTERS", 3000)
    assert values() == ({"id": 2, "short": 3, "long": 121, "other": 121}, [])
    monkeypatch.setattr(embedded, "_ATTRIBUTE_CHARACTERS", 1500)
    assert values() == ({"id": 2, "short": 3, "long": 121}, ["other"])


def test_a_page_is_bounded(tmp_path: Path) -> None:
    frame = people(3000)
    small, whole = (frame.explore(tmp_path / "page.html", max_records=most).stat().st_size for most in (100, 3000))
    assert small < whole < 2_000_000


def test_records_in_many_tables_keep_their_attributes(tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    for number in range(60):
        frame.add_records("crm", [{"id": number, "a": f"value {number}"}, {"id": 1000 + number, "b": number}], "id")
    frame.add_collection_from_edges("model", [(0, 1, 0.5), (7, 99999, 0.5)], source="crm")
    contents = Contents(frame.explore(tmp_path / "page.html"))
    found = {}
    for table in contents.described["records"]["tables"]:
        columns = [contents.section(column) for column in table["columns"]]
        for row, place in enumerate(contents.section(table["places"]).tolist()):
            found[contents.keys[place]] = {
                name: column[row]
                for name, column in zip(table["names"], columns, strict=True)
                if column[row] is not None
            }
    assert len(found) == 120 and "99999" not in found
    assert found["17"] == {"id": "17", "a": "value 17"} and found["1059"] == {"id": "1059", "b": "59"}


def test_attributes_that_python_has_no_objects_for_are_text(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    far = pyarrow.array([2**58, None], pyarrow.timestamp("us"))
    table = pyarrow.table(
        {
            "id": ["a", "b"],
            "far": pyarrow.array([2**55, None], pyarrow.timestamp("ms")),
            "zone": pyarrow.array([2**58, 0], pyarrow.timestamp("us", "UTC")),
            "nested": pyarrow.ListArray.from_arrays([0, 1, 2], far),
        }
    )
    frame = sl.EntityFrame.from_records("crm", table, key_column="id")
    frame.add_collection_from_edges("model", [("a", "b", 0.9)], source="crm")
    contents = Contents(frame.explore(tmp_path / "page.html"))
    (shown,) = contents.described["records"]["tables"]
    values = dict(zip(shown["names"], map(contents.section, shown["columns"]), strict=True))
    assert "36028797018963968" in values["far"][0] and values["far"][1] is None
    assert values["zone"] == ["11103-08-29 17:22:31.711744Z", "1970-01-01 00:00:00.000000Z"]
    assert values["nested"] == ["<list<item: timestamp[us]>>", "[null]"]


def test_plain_attributes_need_no_other_library(tmp_path: Path) -> None:
    program = f"""
import sys; sys.modules.update(dict.fromkeys(["pyarrow", "pandas", "polars", "altair"]))
import starlings as sl
frame = sl.EntityFrame.from_records("crm", [{{"id": 1, "x": "a"}}, {{"id": 2, "x": None}}], "id")
frame.add_collection_from_edges("model", [(1, 2, 0.5)], source="crm")
frame.explore({str(tmp_path / "page.html")!r})
assert "iframe" in frame._repr_mimebundle_()["text/html"]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert Contents(tmp_path / "page.html").keys == ["1", "2"]


def test_an_error_or_an_interrupt_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    frame = people(3000)
    path = tmp_path / "page.html"
    path.write_text("before")

    def stop(phase: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    big = sl.EntityFrame()
    numbers = np.arange(300_000, dtype=np.uint64)
    big.add_collection_from_edges("model", (numbers[:-1], numbers[1:], np.linspace(0, 1, len(numbers) - 1)))
    with pytest.raises(KeyboardInterrupt):
        big.explore(path, progress=stop)
    with pytest.raises(sl.UnknownMetricError, match="f1"):
        frame.explore(path, reference="truth", metrics=["f11"])
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_mode_and_a_link_is_followed(tmp_path: Path) -> None:
    frame = people(30)
    path, link = tmp_path / "page.html", tmp_path / "link.html"
    path.touch(0o600)
    path.chmod(0o600)
    link.symlink_to(path)
    assert frame.explore(link) == link and link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_text("utf-8").startswith("<!DOCTYPE html>")
    long = tmp_path / f"{'n' * 250}.html"
    assert frame.explore(long).stat().st_size > 0


def test_paths_that_are_refused_are_told_as_elsewhere(tmp_path: Path) -> None:
    frame = people(30)
    refusals = {
        tmp_path / "none" / "page.html": (sl.PathNotFoundError, "there is no folder"),
        tmp_path: (sl.PathIsFolderError, "is a folder; name a file"),
        tmp_path / ("n" * 300): (sl.SystemCallError, "cannot write"),
        "/proc/page.html": (sl.SystemCallError, "cannot write /proc/page.html: "),
    }
    for path, (kind, match) in refusals.items():
        with pytest.raises(kind, match=match) as caught:
            frame.explore(path)
        assert caught.value.filename == str(path) and caught.value.errno
    for path in (5, "", "a\0b"):
        with pytest.raises(sl.InvalidArgumentError, match="is no path"):
            frame.explore(path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(sl.PathPermissionError, match="nothing may be written in"):
        people(30).explore(tmp_path / "page.html")


def test_bad_arguments_are_told(tmp_path: Path) -> None:
    frame = people(30)
    path = tmp_path / "page.html"
    sample = [{"p00000"}, {"p00001"}]
    with pytest.raises(sl.InvalidArgumentError, match="not both"):
        frame.explore(path, reference="truth", sample=sample)
    with pytest.raises(sl.InvalidArgumentError, match="one cut"):
        frame.explore(path, reference=sl.col("truth").sweep(0.5, 1.0, 0.1))
    with pytest.raises(sl.InvalidArgumentError, match="no reference"):
        frame.explore(path, reference=3.0)  # type: ignore[arg-type]
    with pytest.raises(sl.CollectionNotFoundError, match="truth"):
        frame.explore(path, reference="thruth")
    with pytest.raises(sl.InvalidArgumentError, match="has none"):
        frame.explore(path, metrics=["f1"])
    with pytest.raises(sl.InvalidArgumentError, match="max_records"):
        frame.explore(path, max_records=-1)
    with pytest.raises(sl.InvalidArgumentError, match="title"):
        frame.explore(path, title=b"x")  # type: ignore[arg-type]
    with pytest.raises(sl.InvalidArgumentError, match="estimated"):
        frame.explore(path, sample=sample, source="crm", metrics=["ari"])
    assert not path.exists()


# ------------------------------------------------------------------------------------------------------- notebooks


def test_static_views_draw_without_scripts() -> None:
    frame = people(90)
    frame.add_collection("<b>&", frame["model"].copy())
    compared = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0))
    both = frame.compare_all("truth", [0.2, 0.5, 0.7])
    for shown in (frame, frame["model"], compared, both, frame["model"].at(0.5)):
        html = shown._repr_html_()
        assert "<svg" in html and "<table" in html and "<script" not in html and "<b>&" not in html
        assert len(html) < 60_000
    assert "rules" in both._repr_html_() and "precision" in compared._repr_html_()


@pytest.mark.parametrize("edges", [[], [("a", "a", 0.5)], [("a", "b", 0.5)]], ids=len)
def test_static_views_of_hardly_anything(edges: list[Any]) -> None:
    frame = sl.EntityFrame()
    assert "<svg" not in frame._repr_html_() and "iframe" not in frame._repr_mimebundle_()["text/html"]
    frame.add_collection_from_edges("model", edges)
    for shown in (frame, frame["model"], frame["model"].at(0.5), frame.analyse(sl.col("model").sweep())):
        assert "<table" in shown._repr_html_()
    assert frame._repr_mimebundle_()["text/plain"] == repr(frame)
    assert frame["model"]._repr_mimebundle_()["text/plain"] == repr(frame["model"])


def test_views_of_weights_reach_over_their_range() -> None:
    weights = sl.Collection.from_edges([("a", "b", 1e308), ("b", "c", -1e308)], scale="weight")
    assert "nan" not in weights._repr_html_().lower().replace("nanmax", "")
    assert "<svg" in weights._repr_html_()


def test_large_frames_are_shown_without_the_page() -> None:
    numbers = np.arange(200_000, dtype=np.uint64)
    collection = sl.Collection.from_edges((numbers[:-1], numbers[1:], np.linspace(0, 1, len(numbers) - 1)))
    html = collection._repr_mimebundle_()["text/html"]
    assert "iframe" not in html and "explore(" in html and "<svg" in html and len(html) < 30_000
    small = people(3000)._repr_mimebundle_()["text/html"]
    assert "iframe" in small and len(small) < 400_000
