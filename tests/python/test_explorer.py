"""The explorer's page, moved and read in a browser: what it shows is what the library says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import starlings as sl
from explorer_page import ExplorerPage, chromium, opened, people
from starlings.explorer.size_classes import SIZE_CLASSES

DASH = "\N{EN DASH}"
HOSTILE = '</script><script>window.broken=1</script><img src=x onerror="window.broken=2"><!-- "\'&amp; \u202e\u2028'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def frame() -> sl.EntityFrame:
    return people(600)


@pytest.fixture(scope="module")
def report(frame: sl.EntityFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "report.html"
    assert frame.explore(path, reference="truth", title="People") == path
    return path


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[ExplorerPage]:
    with opened(browser, report) as page:
        yield page


def expected_sizes(partition: sl.Partition) -> dict[int, tuple[int, int]]:
    sizes = partition.sizes.astype(np.int64)
    found = {low: sizes[(sizes >= low) & (sizes <= high)] for low, high in SIZE_CLASSES}
    return {low: (len(some), int(some.sum())) for low, some in found.items() if len(some)}


def expected_changes(before: sl.Partition, after: sl.Partition) -> dict[str, tuple[int, ...]]:
    return {row["kind"]: tuple(row.values())[1:] for row in before.diff(after).summary}


def nearly(value: Any) -> Any:
    """Sums of floats end in other digits where other thresholds are measured beside."""
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def keys_of(entity: sl.Entity) -> set[str]:
    return {f"0x{key.hex()}" if isinstance(key, bytes) else str(key) for _, key in entity.members}


# ---------------------------------------------------------------------------------------------- figures at the slider


def test_every_metric_is_that_of_analyse_at_every_threshold_tried(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    for name in ("rules", "model"):
        page.focus(name)
        for wanted in (*np.linspace(0.0, 1.0, 12).round(2).tolist(), 0.123456, 0.70001):
            at = page.go_to(wanted)
            shown = page.metrics()
            row = frame.analyse(sl.col(name).at(at), sl.col("truth").at(1.0), metrics=list(shown))
            assert shown == nearly({metric: row[0][metric] for metric in shown})
            assert {"f1", "precision", "bcubed_f1", "entity_count", "pair_count"} <= set(shown)


def test_table_has_the_chosen_metric_of_every_collection(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    page.page.select_option("#metric", label="bcubed_recall")
    at = page.go_to(0.5)
    for name in ("model", "rules", "truth"):
        cells = page.row(name).locator("td.number")
        row = frame.analyse(sl.col(name).at(at), sl.col("truth").at(1.0), metrics=["bcubed_recall", "entity_count"])[0]
        assert float(cells.nth(0).get_attribute("data-value")) == nearly(row["bcubed_recall"])
        assert cells.nth(1).text_content() == f"{row['entity_count']:,}"


@pytest.mark.parametrize("metric", ["f1", "cluster_f1", "variation_of_information"])
def test_best_cuts_are_those_of_the_full_sweep(frame: sl.EntityFrame, page: ExplorerPage, metric: str) -> None:
    page.page.select_option("#metric", label=metric)
    for name in ("model", "rules"):
        report = frame.analyse(sl.col(name).sweep(), sl.col("truth").at(1.0), metrics=[metric])
        cell = page.row(name).locator("td").last
        best = report[metric].min() if metric == "variation_of_information" else report[metric].max()
        assert float(cell.get_attribute("data-value")) == nearly(best)
        cell.locator("button").click()
        assert frame.analyse(sl.col(name).at(page.threshold), sl.col("truth").at(1.0), metrics=[metric])[0][
            metric
        ] == nearly(best)


def test_page_opens_at_the_best_cut(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    best = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0)).best("f1")
    assert page.threshold == best["threshold"]
    page.go_to(0.2)
    page.page.get_by_role("button", name="Best cut", exact=True).click()
    assert page.threshold == best["threshold"]


def test_sizes_are_those_of_the_partition(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    for name in ("truth", "model"):
        page.focus(name)
        for wanted in (0.0, 0.3, 0.45, 0.6, 0.8, 1.0):
            at = page.go_to(wanted)
            assert page.sizes() == expected_sizes(frame[name].at(at))


def test_parts_of_a_mean_are_lines_with_their_names(page: ExplorerPage) -> None:
    parts = page.page.locator("#chart path.part")
    names = page.page.locator("#chart path.part + text")
    assert parts.count() == 2 and names.all_text_contents() == ["precision", "recall"]
    assert page.page.locator("#chart path.band").count() == 0
    assert "Thin lines: precision and recall of model" in page.page.text_content("#band")
    left, right = (names.nth(i).bounding_box()["x"] for i in (1, 0))
    assert left < 300 < right  # recall is high at low thresholds, precision at high ones
    page.page.get_by_label("Show model in the chart").uncheck()
    assert parts.count() == 0 and "Thin lines" not in page.page.text_content("#band")
    page.page.select_option("#metric", label="recall")
    page.page.get_by_label("Show model in the chart").check()
    assert parts.count() == 0


def test_sizes_end_at_the_largest_entity(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    page.go_to(0.0)
    rows = page.page.locator("#sizes tbody tr")
    assert rows.last.is_visible()
    page.go_to(1.0)
    sizes = frame["model"].at(1.0).sizes
    shown = [int(row.get_attribute("data-low")) for row in rows.all() if row.is_visible()]
    assert shown == [low for low, _ in SIZE_CLASSES if low <= sizes.max()] and len(shown) < rows.count()


# -------------------------------------------------------------------------------------------------------- the slider


@pytest.mark.parametrize("width", [1100, 600, 320])
def test_the_thumb_is_under_the_line(browser: Any, report: Path, width: int) -> None:
    with opened(browser, report, viewport={"width": width, "height": 800}) as page:
        for wanted in (0.0, 0.3, 1.0):
            page.go_to(wanted)
            thumb, line = page.page.evaluate(
                """() => {
                    const slider = document.getElementById("threshold");
                    const box = slider.getBoundingClientRect();
                    const line = document.querySelector(".cursor").getBoundingClientRect();
                    return [box.left + 8 + (slider.value / slider.max) * (box.width - 16), line.left + line.width / 2];
                }"""
            )
            assert thumb == pytest.approx(line, abs=0.6)


def test_the_slider_takes_one_line_beside_its_buttons_on_a_phone(browser: Any, report: Path) -> None:
    with opened(browser, report, viewport={"width": 320, "height": 700}) as page:
        tops = {page.page.locator(f"#{each}").bounding_box()["y"] for each in ("number", "earlier", "later", "to-best")}
        assert max(tops) - min(tops) < 3
        number = "e => e.scrollWidth <= e.clientWidth"
        page.go_to(0.1234)
        assert page.page.eval_on_selector("#number", number)


def test_dragging_ends_where_the_mouse_is(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    box = page.page.locator("#threshold").bounding_box()
    page.page.mouse.move(box["x"] + 30, box["y"] + 12)
    page.page.mouse.down()
    for step in range(80):
        page.page.mouse.move(box["x"] + 30 + (step * 137) % (box["width"] - 60), box["y"] + 12)
    page.page.mouse.up()
    page.settle()
    at = page.threshold
    assert at == pytest.approx((30 + (79 * 137) % (box["width"] - 60) - 8) / (box["width"] - 16), abs=0.006)
    assert page.sizes() == expected_sizes(frame["model"].at(at))


def test_a_page_begins_anew_after_reload_and_back(page: ExplorerPage) -> None:
    start = page.threshold
    for again in (page.page.reload, page.page.go_back):
        page.page.select_option("#metric", label="recall")
        page.go_to(0.2)
        page.find("p00")
        if again == page.page.go_back:
            page.page.goto("about:blank")
        again()
        page.page.wait_for_selector("body[data-ready=true]")
        shown = [page.page.text_content("#value-head"), page.page.input_value("#search"), page.threshold]
        assert shown in (["f1", "", start], ["recall", "p00", 0.2])  # the second if the browser kept the page itself
        assert shown[0] == page.page.eval_on_selector("#metric", "e => e.selectedOptions[0].textContent")


#: Whether the chart of a window of that width comes to be drawn in the pixels that it takes, within 600 frames.
DRAWN_AS_WIDE_AS_SHOWN = """(width) => new Promise((done) => {
    const look = (frames) => {
        const chart = document.querySelector("#chart svg");
        const drawn = chart.viewBox.baseVal.width === chart.getBoundingClientRect().width;
        if (drawn && innerWidth === width) done(true);
        else if (frames === 0) done(false);
        else requestAnimationFrame(() => look(frames - 1));
    };
    look(600);
})"""


def test_resizing_draws_the_chart_anew(page: ExplorerPage) -> None:
    for width in (500, 1000):
        page.page.set_viewport_size({"width": width, "height": 700})
        assert page.page.evaluate(DRAWN_AS_WIDE_AS_SHOWN, width), f"not drawn anew at {width} pixels"


def test_slider_is_moved_by_keys(page: ExplorerPage) -> None:
    slider = page.page.locator("#threshold")
    start = page.go_to(0.5)
    slider.press("ArrowRight")
    up = page.threshold
    slider.press("ArrowLeft")
    assert page.threshold == start < up
    slider.press("PageUp")
    assert page.threshold == pytest.approx(0.55, abs=0.01)
    slider.press("PageDown")
    slider.press("PageDown")
    assert page.threshold == pytest.approx(0.45, abs=0.01)
    slider.press("End")
    assert page.threshold == 1.0
    slider.press("ArrowUp")
    assert page.threshold == 1.0 and page.page.locator("#later").is_disabled()
    slider.press("Home")
    assert page.threshold == 0.0
    assert slider.get_attribute("aria-valuetext") == "0"


def test_slider_and_chart_are_moved_by_the_mouse(page: ExplorerPage) -> None:
    box = page.page.locator("#threshold").bounding_box()
    mouse = page.page.mouse
    mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2, steps=10)
    mouse.up()
    assert page.threshold == pytest.approx(0.25, abs=0.02)
    chart = page.page.locator("#chart svg").first.bounding_box()
    mouse.click(chart["x"] + 52 + (chart["width"] - 70) * 0.75, chart["y"] + 50)
    assert page.threshold == pytest.approx(0.75, abs=0.01)
    line = float(page.page.locator(".cursor").get_attribute("x1"))
    assert line == pytest.approx(52 + (chart["width"] - 70) * 0.75, abs=8)


def test_a_threshold_between_two_measured_ones_says_so(page: ExplorerPage) -> None:
    at = page.go_to(0.5000049)
    assert at != 0.5000049 and "0.5000049" in page.page.text_content("#snapped")
    page.go_to(0.6)
    assert page.page.text_content("#snapped") == ""
    page.page.fill("#number", "")
    page.page.press("#number", "Enter")
    assert page.threshold == 0.6


def test_collections_can_be_taken_out_of_the_chart(page: ExplorerPage) -> None:
    curves = page.page.locator("#chart path.curve")
    assert curves.count() == 2
    page.page.get_by_label("Show rules in the chart").uncheck()
    assert curves.count() == 1
    page.page.get_by_label("Show truth in the chart").check()
    assert curves.count() == 2


# ------------------------------------------------------------------------------------------------------- the entities


def test_differences_are_those_of_diff(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    cuts = [
        ("model", 0.5),
        ("rules", 0.5),
        ("truth", 1.0),
        ("model", 0.8),
        ("model", 1.0),
        ("rules", 0.0),
        ("model", 0.613),
    ]
    for before, after in [
        (cuts[i], cuts[j]) for i, j in ((0, 2), (2, 0), (0, 3), (3, 0), (0, 1), (1, 6), (5, 4), (2, 2))
    ]:
        shown = page.compare(before, after)
        assert shown == expected_changes(frame[before[0]].at(before[1]), frame[after[0]].at(after[1]))


def test_differences_follow_the_slider(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    page.page.locator("#diff").scroll_into_view_if_needed()
    at = page.go_to(0.6)
    page.settle()
    rows = page.page.eval_on_selector_all(
        "#diff-counts tbody tr", "rows => rows.map(({dataset: d}) => [d.kind, +d.changes])"
    )
    assert dict(rows) == frame["model"].at(at).diff(frame["truth"].at(1.0)).counts
    page.page.select_option("#after-collection", label="model")
    page.page.select_option("#after-mode", "below")
    below = float(page.page.input_value("#after-threshold"))
    levels = frame["model"].thresholds
    assert below == levels[levels < at].max()


def test_changes_show_their_records(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    page.compare(("model", 0.55), ("truth", 1.0))
    diff = frame["model"].at(0.55).diff(frame["truth"].at(1.0))
    first = page.page.locator("#changes li").first
    largest = max(diff, key=lambda change: change.num_records)
    assert f"{largest.num_records} records" in first.locator("p").first.text_content()
    page.page.select_option("#diff-kind", "split")
    tags = page.page.locator("#changes .tag").all_text_contents()
    assert set(tags) == {"split"}
    keys = set(page.page.locator("#changes li").first.locator("tbody th bdi").all_text_contents())
    assert any(keys == {key for entity in change.before for key in keys_of(entity)} for change in diff.split)
    assert "name" in page.page.locator("#changes thead").first.text_content()


def test_search_shows_the_entity_at_the_cut(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    at = page.go_to(0.55)
    assert page.find("p00123") == ["p00123"]
    assert set(page.choose()) == keys_of(frame["model"].at(at).entity_of("p00123"))
    assert len(page.find("P0012")) == 10
    assert page.find("no such key") == [] and "0 records" in page.page.text_content("#found")
    page.page.fill("#search", "p00044")
    page.page.press("#search", "Enter")
    page.go_to(1.0)
    page.settle()
    assert page.page.get_attribute("#record", "data-size") == str(frame["model"].at(1.0).entity_of("p00044").size)


def test_lineage_is_that_of_the_collection(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    for key in ("p00000", "p00321"):
        page.find(key)
        page.choose()
        rows = page.page.locator("#lineage tbody tr")
        steps = frame["model"].lineage(key)[1:41]
        shown = [
            (float(row.locator("button").text_content()), int(row.locator(".number").text_content()))
            for row in rows.all()
        ]
        assert shown == [(step.threshold, step.size) for step in steps]
    rows.nth(0).locator("button").focus()
    page.page.keyboard.press("Enter")
    assert page.threshold == pytest.approx(steps[0].threshold, abs=0.001) and page.threshold <= steps[0].threshold
    page.settle()
    assert page.page.get_attribute("#record", "data-size") == str(steps[0].size)
    assert page.page.evaluate("document.activeElement.id") == "step-0"


def test_merges_are_the_critical_ones_and_lead_there(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    merges = sorted(frame["model"].critical_merges(25), key=lambda merge: -merge.num_pairs)
    page.page.click("#more-merges")
    items = page.page.locator("#merges li")
    assert items.count() == len(merges)
    for number in (0, 7, 24):
        assert f"{merges[number].num_pairs:,} pairs" in items.nth(number).text_content()
    items.nth(2).locator("button.go").click()
    assert page.threshold == merges[2].threshold
    items.nth(2).locator("summary").click()
    items.nth(2).locator("table").wait_for()
    shown = set(items.nth(2).locator("tbody th bdi").all_text_contents())
    assert shown and shown <= {key for side in merges[2].sides for _, key in side}


def test_merges_by_change_of_the_metric(frame: sl.EntityFrame, page: ExplorerPage) -> None:
    values = frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0), metrics=["f1"])
    change = values["f1"] - np.append(values["f1"][1:], 0.0)
    page.page.select_option("#merge-order", "telling")
    first = page.page.locator("#merges li").first
    largest = int(np.argmax(np.abs(change)))
    assert float(first.locator("button").text_content()) == values["threshold"][largest]
    assert f"{abs(change[largest]):.4f}" in first.text_content()


# ----------------------------------------------------------------------------------------------- all kinds of subjects


def test_the_highest_threshold_counts_as_a_change_too(browser: Any, tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("rules", [("a", "b", 1.0), ("c", "d", 1.0), ("b", "c", 0.5)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c", "d"}])
    with opened(browser, frame.explore(tmp_path / "rules.html", reference="truth")) as page:
        page.page.select_option("#merge-order", "telling")
        first = page.page.locator("#merges li").first.text_content()
        assert "f1 +1 by all 2 merges at this threshold" in first
        assert "f1 \N{MINUS SIGN}0.5000" in page.page.locator("#merges li").nth(1).text_content()


def test_a_step_of_the_slider_leaves_the_curves_alone(page: ExplorerPage) -> None:
    page.page.evaluate(
        """() => {
            window.changed = {all: 0, curves: 0};
            new MutationObserver((records) => {
                window.changed.all += records.length;
                const curves = document.querySelector("#chart svg");
                window.changed.curves += records.filter(({target}) => curves.contains(target)).length;
            }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
        }"""
    )
    page.page.locator("#threshold").press("ArrowRight")
    changed = page.page.evaluate("({...window.changed})")
    assert changed["curves"] == 0 < changed["all"] < 300


def test_keys_of_every_kind_and_source(browser: Any, tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    long = "k" * 5000
    edges = [(5, "5", 0.9), ("5", b"\x05\xff", 0.8), (2**64 - 1, "ключ", 0.7), ("مفتاح", long, 0.6)]
    frame.add_collection_from_edges("mixed", edges)
    frame.add_collection_from_edges("other", [(("crm", "5"), ("crm", "x"), 0.5), (("crm", "5"), ("default", 5), 0.5)])
    with opened(browser, frame.explore(tmp_path / "keys.html")) as page:
        at = page.go_to(0.6)
        for text, key in (
            ("0x05ff", b"\x05\xff"),
            (str(2**64 - 1), 2**64 - 1),
            ("ключ", "ключ"),
            ("КЛЮЧ", "ключ"),
            ("مفتاح", "مفتاح"),
        ):
            found = page.find(text)
            assert found[0] == (f"0x{key.hex()}" if isinstance(key, bytes) else str(key))
            members = page.choose()
            entity = frame["mixed"].at(at).entity_of(("default", key))
            assert len(members) == entity.size
        assert page.find("5")[:3] == ["5", "5", "5"]
        abouts = page.page.locator("#results button small").all_text_contents()[:3]
        assert sorted(abouts) == ["crm, text", "default, int", "default, text"]
        page.find("kkkk")
        page.choose()
        page.page.locator("#record .more").first.click()
        assert long in page.page.text_content("#record")


def test_hostile_text_stays_text(browser: Any, tmp_path: Path) -> None:
    rows = [{"id": HOSTILE, HOSTILE: HOSTILE}, {"id": "b", HOSTILE: "%%data%%"}]
    frame = sl.EntityFrame.from_records(HOSTILE, rows, key_column="id")
    frame.add_collection_from_edges(HOSTILE, [(HOSTILE, "b", 0.9)], source=HOSTILE)
    frame.add_collection_from_edges("%%script%%", [(HOSTILE, "b", 0.4)], source=HOSTILE)
    path = frame.explore(tmp_path / "hostile.html", title=HOSTILE, reference=sl.col(HOSTILE).at(0.5))
    assert path.read_text("utf-8").count("</script>") == 2
    with opened(browser, path) as page:
        assert page.page.text_content("h1") == HOSTILE
        page.go_to(0.3)
        page.find("script")
        assert set(page.choose()) <= {HOSTILE, HOSTILE[:60], "b"}
        page.compare((HOSTILE, 0.95), (HOSTILE, 0.5))
        page.page.locator("#merges summary").first.click()
        assert page.page.evaluate("window.broken") is None
        assert page.page.locator("img").count() == 0
        assert HOSTILE[:60] in page.page.text_content("#record")


def test_keys_are_cut_between_characters_and_found_however_accents_are_written(browser: Any, tmp_path: Path) -> None:
    odd, accented = "x" * 59 + "\N{MONKEY}" * 10, "Jose\N{COMBINING ACUTE ACCENT}"
    collection = sl.Collection.from_edges([(odd, accented, 0.9)])
    with opened(browser, collection.explore(tmp_path / "odd.html")) as page:
        assert page.find("xxx") == ["x" * 59 + "\N{HORIZONTAL ELLIPSIS}"]
        page.choose()
        assert page.find("JOS\N{LATIN CAPITAL LETTER E WITH ACUTE}") == [accented]
        page.choose()
        text = page.page.evaluate("document.body.innerText")
        assert "\N{REPLACEMENT CHARACTER}" not in text and page.page.evaluate("document.body.innerText.isWellFormed()")


def test_attributes_of_every_type(browser: Any, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(
        {
            "id": ["a", "b"],
            "when": [date(2024, 2, 29), None],
            "some": [[1, None, 3], []],
            "struct": [{"x": 1.5, "y": date(2020, 1, 2)}, None],
            "real": [float("nan"), 1e300],
            "big": pyarrow.array([2**63 - 1, None]),
            "raw": [b"\x00\xff", None],
            "flag": [True, None],
            "long": ["x" * 3000, ""],
        }
    )
    frame = sl.EntityFrame.from_records("crm", table, key_column="id")
    frame.add_collection_from_edges("model", [("a", "b", 0.9)], source="crm")
    with opened(browser, frame.explore(tmp_path / "attributes.html")) as page:
        page.go_to(0.5)
        page.find("a")
        assert page.choose() == ["a", "b"]
        cells = page.page.locator("#record table.records tbody tr").first.locator("td").all_text_contents()
        expected = [
            "2024-02-29",
            "[1, null, 3]",
            '{"x": 1.5, "y": "2020-01-02"}',
            "NaN",
            str(2**63 - 1),
            "0x00ff",
            "true",
        ]
        assert cells[:7] == expected and cells[7].startswith("x" * 60)
        second = page.page.locator("#record table.records tbody tr").nth(1).locator("td").all_text_contents()
        assert second == [DASH, "[]", DASH, "1e+300", DASH, DASH, DASH, ""]
        more = page.page.locator("#record .more")
        more.click()
        assert more.get_attribute("aria-expanded") == "true"
        assert "x" * 1000 + "…" in page.page.text_content("#record")


def test_records_without_attributes_and_tables_of_several_sources(browser: Any, tmp_path: Path) -> None:
    frame = sl.EntityFrame.from_records("crm", [{"id": "a", "name": "Ann"}], key_column="id")
    frame.add_records("web", [{"id": "a", "mail": "a@x"}], key_column="id")
    frame.add_collection_from_edges("model", [(("crm", "a"), ("web", "a"), 0.9), (("crm", "a"), ("log", "z"), 0.9)])
    with opened(browser, frame.explore(tmp_path / "sources.html")) as page:
        page.go_to(0.5)
        page.find("z")
        page.choose()
        text = page.page.text_content("#record table.records")
        assert all(word in text for word in ("crm", "web", "log", "Ann", "a@x", "name", "mail"))


@pytest.mark.parametrize("edges", [[], [("a", "a", 0.5)], [("a", "b", 0.5)], [("a", "b", 1.0)]], ids=len)
def test_hardly_any_records(browser: Any, tmp_path: Path, edges: list[Any]) -> None:
    frame = sl.EntityFrame()
    frame.add_collection_from_edges("model", edges)
    frame.add_collection("truth", sl.Collection.from_entities([{"a", "b"}] if len(edges) else []))
    for reference in (None, "truth"):
        with opened(browser, frame.explore(tmp_path / "few.html", reference=reference)) as page:
            for at in (0.0, 0.5, 0.75, 1.0):
                assert page.go_to(at) == at
                assert page.sizes() == expected_sizes(frame["model"].at(at))
                shown = page.metrics()
                assert shown["entity_count"] == frame["model"].at(at).num_entities
            assert page.compare(("model", 1.0), ("model", 0.1)) == expected_changes(
                frame["model"].at(1.0), frame["model"].at(0.1)
            )
            page.find("a")


def test_a_frame_without_collections_says_so(browser: Any, tmp_path: Path) -> None:
    frame = sl.from_records("crm", [{"id": 1}], "id")
    with opened(browser, frame.explore(tmp_path / "none.html")) as page:
        assert "no collection" in page.page.text_content("#loading")


def test_one_collection_by_itself(browser: Any, tmp_path: Path) -> None:
    collection = people(60)["model"].copy()
    path = collection.explore(tmp_path / "one.html", metrics=["threshold_sensitivity"])
    with opened(browser, path) as page:
        at = page.go_to(0.5)
        shown = page.metrics()
        row = collection.sweep(at, at, 0.1)[0]
        assert shown == nearly({name: row[name] for name in shown}) and "threshold_sensitivity" in shown
        assert page.page.locator("#to-best").is_hidden()


def test_weights_have_an_axis_of_their_own(browser: Any, tmp_path: Path) -> None:
    frame = sl.EntityFrame()
    edges = [("a", "b", 12.25), ("b", "c", -3.5), ("c", "d", 7.125), ("x", "y", -20.0)]
    frame.add_collection_from_edges("weights", edges, scale="weight")
    frame.add_collection_from_edges("model", [("a", "b", 0.75), ("c", "d", 0.25)])
    frame.add_collection_from_entities("truth", [{"a", "b"}, {"c", "d"}])
    with opened(browser, frame.explore(tmp_path / "weights.html", reference="truth")) as page:
        for at in (-25.0, -20.0, -3.5, 0.0, 12.25, 13.0):
            reached = page.go_to(at)
            row = frame.analyse(sl.col("weights").at(reached), sl.col("truth").at(1.0), metrics=["f1"])[0]
            assert page.metrics()["f1"] == nearly(row["f1"])
            assert page.sizes() == expected_sizes(frame["weights"].at(reached))
        page.page.select_option("#axis", label="probability")
        assert page.page.locator("#values tbody tr").count() == 2
        page.go_to(0.25)
        assert page.metrics()["f1"] == nearly(1.0)
        expected = expected_changes(frame["weights"].at(0.0), frame["model"].at(0.5))
        assert page.compare(("weights", 0.0), ("model", 0.5)) == expected


def test_weights_of_any_size_can_be_walked_through(browser: Any, tmp_path: Path) -> None:
    for low, high in ((-1e308, 1e308), (1e15, 1e15 + 0.25)):
        weights = sl.Collection.from_edges([("a", "b", high), ("b", "c", low)], scale="weight", quantise=None)
        with opened(browser, weights.explore(tmp_path / "wide.html")) as page:
            slider = page.page.locator("#threshold")
            slider.press("Home")
            counts = [page.metrics()["entity_count"]]
            while page.page.locator("#later").is_enabled() and len(counts) < 300:
                slider.press("ArrowRight")
                counts.append(page.metrics()["entity_count"])
            assert sorted(set(counts)) == [1, 2, 3] and counts == sorted(counts)


def test_exact_scores_are_compared_as_they_are(browser: Any, tmp_path: Path) -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1.0))
    collection = sl.Collection.from_edges([("a", "b", high), ("b", "c", low)], quantise=None)
    with opened(browser, collection.explore(tmp_path / "exact.html")) as page:
        assert page.go_to(high) == high
        assert page.metrics()["entity_count"] == 2
        page.find("a")
        assert len(page.choose()) == 2
        page.go_to(low)
        page.settle()
        assert page.metrics()["entity_count"] == 1 and page.page.get_attribute("#record", "data-size") == "3"


def test_twenty_collections(browser: Any, tmp_path: Path) -> None:
    frame = people(90)
    for number in range(18):
        frame.add_collection(f"copy {number}", frame["model"].copy())
    with opened(browser, frame.explore(tmp_path / "many.html", reference="truth")) as page:
        assert page.page.locator("#chart path.curve").count() == 20
        strokes = page.page.eval_on_selector_all(
            "#chart path.curve", "paths => paths.map(p => p.getAttribute('class').replace(' focus', ''))"
        )
        assert len(set(strokes)) == 20
        page.focus("copy 17")
        at = page.go_to(0.6)
        assert page.metrics()["f1"] == nearly(frame.analyse(sl.col("model").at(at), sl.col("truth").at(1.0))[0]["f1"])
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 1100


def test_bands_of_a_sample_are_those_of_estimate(browser: Any, tmp_path: Path) -> None:
    frame = people(300)
    sample = [{("crm", f"p{j:05d}") for j in range(i, i + 3)} for i in range(0, 150, 3)]
    path = frame.explore(tmp_path / "sample.html", sample=iter(sample), weights="size", level=0.9)
    with opened(browser, path) as page:
        at = page.go_to(0.6)
        row = frame.estimate(sl.col("model").at(at), sample, "size", level=0.9)[0]
        shown = page.metrics()
        assert [shown[name] for name in row if name in shown] == nearly([row[name] for name in row if name in shown])
        assert {"f1", "precision", "recall"} <= set(shown)
        text = page.row("model").locator("td.number").first.text_content()
        assert text == f"{row['f1']:.4f} ({row['f1_low']:.4f} {DASH} {row['f1_high']:.4f})"
        assert page.page.locator("#chart path.band").count() == 3
        assert "90 % confidence band" in page.page.text_content("#band")


def test_a_page_of_some_records_says_so_and_keeps_its_figures(browser: Any, tmp_path: Path) -> None:
    frame = people(3000)
    path = frame.explore(tmp_path / "some.html", reference="truth", max_records=500)
    with opened(browser, path) as page:
        note = page.page.text_content("#choice")
        assert "of the 3,000 records" in note and "“model”" in note
        for wanted in (0.4, 0.6, 0.75):
            at = page.go_to(wanted)
            row = frame.analyse(sl.col("model").at(at), sl.col("truth").at(1.0))[0]
            assert page.metrics()["f1"] == nearly(row["f1"])
            assert page.sizes() == expected_sizes(frame["model"].at(at))
        page.compare(("model", 0.5), ("truth", 1.0))
        assert "that this page holds" in page.page.text_content("#diff-note")
        best = page.go_to(frame.analyse(sl.col("model").sweep(), sl.col("truth").at(1.0)).best("f1")["threshold"])
        found = page.find("p0")
        members = set(page.choose())
        assert members <= keys_of(frame["model"].at(best).entity_of(found[0]))


def test_a_page_without_records_has_figures_and_no_key(browser: Any, tmp_path: Path) -> None:
    frame = people(300)
    with opened(browser, frame.explore(tmp_path / "figures.html", reference="truth", max_records=0)) as page:
        at = page.go_to(0.6)
        assert page.metrics()["f1"] == nearly(frame.analyse(sl.col("model").at(at), sl.col("truth").at(1.0))[0]["f1"])
        assert page.page.locator("#merges li").count() == 5 and page.page.locator("#merges summary").count() == 0
        assert page.page.locator("#find").is_hidden() and page.page.locator("#diff").is_hidden()
        assert "figures alone" in page.page.text_content("#choice")
        assert "p00" not in page.page.evaluate("document.documentElement.outerHTML.replace(/value=.p0./g, '')")


# ---------------------------------------------------------------------------------------------------- for every reader


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_contrast(browser: Any, report: Path, scheme: str) -> None:
    with opened(browser, report, color_scheme=scheme) as page:
        pairs = page.page.evaluate(
            """() => {
                const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
                const of = (selector, property) => rgb(getComputedStyle(document.querySelector(selector))[property]);
                const card = of("section", "backgroundColor");
                const texts = ["h2", ".note", "#values tbody th", "button.go", "dt", "label"];
                const curves = [...document.querySelectorAll("#chart path.curve")];
                return [...texts.map((each) => [of(each, "color"), card, 4.5]),
                    ...curves.map((each) => [rgb(getComputedStyle(each).stroke), card, 3])];
            }"""
        )

        def luminance(colour: list[float]) -> float:
            parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

        for one, other, least in pairs:
            bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= least
        is_dark = luminance(pairs[0][1]) < 0.2
        assert is_dark == (scheme == "dark")


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_shows_all_without_sideways_scrolling(browser: Any, report: Path, width: int) -> None:
    with opened(browser, report, viewport={"width": width, "height": 740}, has_touch=True) as page:
        page.find("p00123")
        page.choose()
        page.page.locator("#merges summary").first.click()
        page.compare(("model", 0.5), ("truth", 1.0))
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.page.eval_on_selector_all(
            "button, select, input",
            "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height && r.height < 18).length",
        )
        assert small == 0


def test_everything_can_be_reached_and_is_named_without_a_mouse(page: ExplorerPage) -> None:
    nameless = page.page.eval_on_selector_all(
        "main button, main input, main select",
        """all => all.filter(e => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim()))
            .map(e => e.outerHTML)""",
    )
    assert nameless == []
    reached = set()
    page.page.keyboard.press("Tab")
    for _ in range(80):
        reached.add(page.page.evaluate("document.activeElement.id"))
        outline = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.page.evaluate("document.activeElement === document.body")
        page.page.keyboard.press("Tab")
    assert {
        "metric",
        "threshold",
        "number",
        "focus-1",
        "merge-order",
        "before-collection",
        "after-threshold",
        "diff-kind",
    } <= reached
    page.page.focus("#search")
    page.page.keyboard.type("p0012")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    assert page.page.locator("#record h3").first.text_content() == "Entity of p00121"


def test_reader_without_motion_sees_none(browser: Any, report: Path) -> None:
    with opened(browser, report, reduced_motion="reduce") as page:
        moving = page.page.evaluate(
            """[...document.querySelectorAll('*')]
                .filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"""
        )
        assert moving == 0


def test_what_changes_with_the_slider_is_said_in_a_sentence(page: ExplorerPage) -> None:
    page.find("p00123")
    page.choose()
    live = page.page.eval_on_selector_all("[aria-live], [role=status], output", "all => all.map(e => e.tagName)")
    assert set(live) <= {"P", "OUTPUT"}
    assert "it has" in page.page.locator("#record").get_by_role("status").text_content()
    regions = page.page.eval_on_selector_all(
        "[role=region], section",
        """all => all.map(e => e.getAttribute("aria-label")
            || document.getElementById(e.getAttribute("aria-labelledby")).textContent)""",
    )
    named = [name for name in regions if name != "Records of this change"]
    assert len(set(named)) == len(named)


def test_it_prints(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="dark") as page:
        page.page.emulate_media(media="print", color_scheme="dark")
        assert page.page.eval_on_selector("h1", "e => getComputedStyle(e).color") == "rgb(28, 32, 36)"
    with opened(browser, report) as page:
        page.page.emulate_media(media="print")
        assert page.page.locator("#threshold").is_hidden() and page.page.locator("#chart svg").first.is_visible()


def test_the_view_in_notebooks_works_closed_off(browser: Any, tmp_path: Path) -> None:
    frame = people(90)
    html = frame._repr_mimebundle_()["text/html"]
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'><body data-ready='true'>{html}", "utf-8")
    with opened(browser, path) as outer:
        outer.page.click("summary")
        inner = outer.page.frame_locator("iframe")
        inner.locator("body[data-ready=true]").wait_for()
        inner.locator("#number").fill("0.5")
        inner.locator("#number").press("Enter")
        assert inner.locator('dd[data-metric="entity_count"]').get_attribute("data-value")
        assert outer.page.evaluate("document.querySelector('iframe').contentDocument") is None
