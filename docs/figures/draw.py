"""Draws the figures of the documentation: `python docs/figures/draw.py [folder]`.

What they show is asked of the library, so a figure cannot say other than the program does; the tests draw them again
and compare them byte for byte.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from svg import Drawing

import starlings as sl
from starlings.demo.febrl import load_records, score

#: Eight records: the example of `hierarchy` and `one_pass`.
EDGES = [(0, 3, 0.95), (3, 1, 0.7), (2, 5, 0.9), (5, 6, 0.8), (1, 2, 0.4), (4, 7, 0.6)]
TRUTH = [{0, 3, 1, 6}, {2, 5}, {4, 7}]
NUM_RECORDS = 8


def example() -> tuple[list[int], list[float | None]]:
    """The records in leaf order, and the threshold at which each comes together with the next one: None for never."""
    collection = sl.Collection.from_edges(EDGES, records=range(NUM_RECORDS))
    events = collection.merge_events()
    order = [int(record) for entity in collection.at(0.0).entities for record in entity.records]
    assert len(order) == NUM_RECORDS and len(events) == len(EDGES)
    return order, [collection.threshold_between(a, b) for a, b in pairwise(order)]


def entity_slices(order: list[int], threshold: float) -> list[tuple[int, int]]:
    """First and last position of each entity at a threshold, in leaf order."""
    labels = sl.Collection.from_edges(EDGES, records=range(NUM_RECORDS)).at(threshold).labels
    found = [int(labels[record]) for record in order]
    ends = [i for i in range(len(found)) if i + 1 == len(found) or found[i] != found[i + 1]]
    return [(end + 1, last) for end, last in pairwise([-1, *ends])]


def hierarchy() -> Drawing:
    """Leaf order, joins as walls that hang as far down as two records are apart, two cuts."""
    order, joins = example()
    left, step, top, height = 96, 72, 82, 236
    drawing = Drawing(
        720,
        430,
        "Eight records in leaf order; between neighbours a wall hangs down to the threshold at which they meet",
    )
    drawing.heading("A cut is a scan: walls that reach it end an entity")

    def x_of(position: float) -> float:
        return left + step * (position + 0.5)

    def y_of(threshold: float) -> float:
        return top + height * (1 - threshold)

    for threshold in (1.0, 0.8, 0.6, 0.4, 0.2, 0.0):
        y = y_of(threshold)
        drawing.line(left, y, left + step * NUM_RECORDS, y, colour="line", width=1)
        drawing.text(left - 10, y + 4, f"{threshold:.1f}", size=12, colour="soft", anchor="end")
    drawing.text(left - 10, top - 14, "threshold", size=12, colour="soft", anchor="end")
    for threshold, colour in ((0.75, "blue"), (0.5, "orange")):
        y = y_of(threshold)
        for first, last in entity_slices(order, threshold):
            drawing.line(x_of(first) - 22, y, x_of(last) + 22, y, colour=colour, width=9)
        count = len(entity_slices(order, threshold))
        drawing.text(left + step * NUM_RECORDS + 8, y + 4, f"{count}", colour=colour, anchor="start", bold=True)
    for seam, join in enumerate(joins):
        x = x_of(seam + 0.5)
        drawing.line(x, y_of(1.0), x, y_of(0.0 if join is None else join), colour="ink", width=4)
    drawing.text(left + step * NUM_RECORDS + 8, top - 14, "entities", size=12, colour="soft", anchor="end")
    y = top + height + 32
    drawing.text(left - 16, y + 5, "order", size=13, anchor="end", code=True)
    drawing.text(left - 16, y + 41, "join", size=13, anchor="end", code=True)
    for position, record in enumerate(order):
        drawing.circle(x_of(position), y, 15, fill="wash")
        drawing.text(x_of(position), y + 5, str(record), bold=True)
    for seam, join in enumerate([*joins, None]):
        drawing.text(x_of(seam + 0.5), y + 41, "never" if join is None else f"{join:g}", size=12, code=True)
    drawing.note(414, "At 0.75 (blue) and at 0.5 (orange) every entity is a contiguous slice of order.")
    return drawing


def one_pass() -> Drawing:
    """Gaps between records of one true entity, the seams where they close, and the sums that follow."""
    order, joins = example()
    left, step, base = 96, 72, 150
    drawing = Drawing(
        720, 500, "Gaps between members of one true entity close at the seams between them; sums by level"
    )
    drawing.heading("Each gap closes at its lowest join; what closes is counted there")
    colours = ["blue", "orange", "green"]
    entity_of = {record: number for number, entity in enumerate(TRUTH) for record in entity}

    def x_of(position: float) -> float:
        return left + step * (position + 0.5)

    latest: dict[int, int] = {}
    closing: list[list[str]] = [[] for _ in joins]
    for position, record in enumerate(order):
        entity = entity_of[record]
        if entity in latest:
            start, end = x_of(latest[entity]), x_of(position)
            lift = 34 + 10 * (position - latest[entity])
            inside = range(latest[entity], position)
            closing[min(inside, key=lambda seam: joins[seam] or 0.0)].append(colours[entity])
            high = base - lift - 18
            arc = f"M{start:g} {base - 18}C{start:g} {high} {end:g} {high} {end:g} {base - 18}"
            drawing.path(arc, colour=colours[entity], width=2.5)
        latest[entity] = position
        drawing.circle(x_of(position), base, 15, fill="wash", line=colours[entity])
        drawing.text(x_of(position), base + 5, str(record), bold=True, colour=colours[entity])
    for seam, join in enumerate(joins):
        words, colour = "never" if join is None else f"{join:g}", (closing[seam] or ["soft"])[0]
        drawing.text(x_of(seam + 0.5), base + 42, words, size=12, code=True, colour=colour, bold=bool(closing[seam]))
    drawing.text(left - 16, base + 5, "order", anchor="end", code=True)
    drawing.text(left - 16, base + 42, "join", anchor="end", code=True)
    drawing.note(
        base + 74,
        "Colours are true entities; arcs are gaps between records of one; each closes at the join in its colour.",
    )
    _sums(drawing, 262)
    return drawing


def _sums(drawing: Drawing, top: float) -> None:
    """The table under `one_pass`: every level with its pairs and F1, as `analyse` gives them."""
    frame = sl.EntityFrame.from_records("default", [{"id": n} for n in range(NUM_RECORDS)], key_column="id")
    frame.add_collection_from_edges("model", EDGES)
    frame.add_collection_from_entities("truth", TRUTH)
    metrics = ["pair_count", "precision", "recall", "f1"]
    truth = sl.col("truth").at(1.0).reference()
    rows = sorted(frame.analyse(sl.col("model").sweep(), truth, metrics=metrics), key=lambda row: -row["threshold"])
    best = max(row["f1"] for row in rows)
    titles = ["level", "threshold", "pairs made", "of them true", "precision", "recall", "F1"]
    edges = [110, 205, 305, 410, 505, 590, 670]
    for x, title in zip(edges, titles, strict=True):
        drawing.text(x, top, title, size=12, colour="soft", anchor="end")
    drawing.line(40, top + 9, 680, top + 9, colour="line", width=1)
    for level, row in enumerate(rows):
        y = top + 32 + 27 * level
        true_pairs = round(row["precision"] * row["pair_count"])
        values = [str(level), f"{row['threshold']:g}", str(row["pair_count"]), str(true_pairs)]
        values += [f"{row[name]:.2f}" for name in metrics[1:]]
        if row["f1"] == best:
            drawing.rect(40, y - 18, 640, 26, line="wash")
        for x, value in zip(edges, values, strict=True):
            drawing.text(x, y, value, anchor="end", bold=row["f1"] == best)
    drawing.note(top + 32 + 27 * len(rows) + 12, "Prefix sums over the levels; every metric is a formula over a row.")


LAYERS = [
    ("support", "status, memory, threads, sorting"),
    ("records", "sources, keys, data context, sets"),
    ("hierarchy", "edges, forest, leaf order, partitions"),
    ("metrics", "curves, contingency, estimates"),
    ("entities", "hashes, fingerprints, density"),
    ("frame", "collections, changes, compaction"),
    ("interchange", "Arrow, files, relations"),
]


def layers() -> Drawing:
    """The folders of the engine as a stack below the header, and who stands on it."""
    drawing = Drawing(
        720, 470, "The engine's folders, each on those it knows; the header; the Python package and C programs"
    )
    for x, title, words in (
        (40, "your program in C", "links with libstarlings"),
        (370, "python/starlings", "thin, typed"),
    ):
        drawing.rect(x, 24, 310, 54)
        drawing.text(x + 155, 47, title, bold=True)
        drawing.text(x + 155, 66, words, size=12, colour="soft")
    drawing.rect(370, 86, 310, 34, fill="paper")
    drawing.text(525, 108, "_core: the extension, Python's stable ABI", size=12)
    drawing.path("M195 78V126", colour="soft", arrow=True)
    drawing.path("M525 120V127", colour="soft")
    drawing.rect(40, 128, 640, 34, fill="paper", line="blue")
    drawing.text(360, 150, "include/starlings.h: all that either of them sees", colour="blue", bold=True)
    for level, (name, words) in enumerate(reversed(LAYERS)):
        y = 174 + 40 * level
        drawing.rect(40, y, 640, 34)
        drawing.text(60, y + 22, f"engine/{name}", anchor="start", code=True)
        drawing.text(660, y + 22, words, size=12, colour="soft", anchor="end")
    return drawing


def states() -> Drawing:
    """A frame before and after a change, and what a view keeps alive."""
    drawing = Drawing(
        720, 420, "A frame refers to an immutable state; a change makes another one and swaps the reference"
    )
    drawing.heading("A change makes a new state beside the old one, then swaps one reference")
    drawing.rect(40, 60, 120, 48, fill="paper", line="blue")
    drawing.text(100, 89, "frame", bold=True, colour="blue")
    drawing.rect(40, 300, 120, 48, fill="paper")
    drawing.text(100, 322, "a view, taken", bold=True)
    drawing.text(100, 339, "before", bold=True)
    for y, title, hierarchies, colour in (
        (60, "state, after", ["model-1", "model-2"], "blue"),
        (232, "state, before", ["model-1"], "ink"),
    ):
        drawing.rect(236, y, 200, 130, line=colour)
        drawing.text(336, y + 24, title, bold=True)
        for line, words in enumerate(["number of records", "given and garbage: sets", "collections by name"]):
            drawing.text(336, y + 50 + 20 * line, words, size=12, colour="soft")
        drawing.text(336, y + 112, ", ".join(hierarchies), size=12, code=True)
    boxes = ((60, "hierarchy of model-2"), (176, "hierarchy of model-1"), (292, "context: sources, keys"))
    for y, words in boxes:
        drawing.rect(516, y, 180, 56, fill="paper")
        drawing.text(606, y + 33, words, size=12)
    drawing.path("M160 84H232", colour="blue", arrow=True, width=2)
    drawing.path("M160 324H232", colour="soft", arrow=True)
    drawing.path("M100 108C100 230 180 262 232 270", colour="soft", dashed=True)
    drawing.text(16, 206, "until the commit", size=12, colour="soft", anchor="start")
    for d in ("M436 100H512", "M436 130C480 140 480 196 512 200", "M436 160C470 200 462 300 512 312",
              "M436 270C480 262 480 218 512 212", "M436 320H512"):  # fmt: skip
        drawing.path(d, colour="soft", arrow=True)
    drawing.note(
        398,
        "Arrows are references, counted. What nobody refers to any more is freed; nothing that anybody holds changes.",
    )
    return drawing


def demo_curve() -> Drawing:
    """Precision, recall and F1 of the demonstration's model over the threshold."""
    left, top, width, height, lowest = 80, 64, 560, 280, 0.94
    drawing = Drawing(720, 420, "Precision, recall and F1 of the model of the demonstration at every threshold")
    drawing.heading("FEBRL 3, scored by a Splink model")

    def x_of(threshold: float) -> float:
        return left + width * threshold

    def y_of(value: float) -> float:
        return top + height * (1 - max(value, lowest)) / (1 - lowest)

    for tick in range(7):
        value = lowest + tick / 100
        drawing.line(left, y_of(value), left + width, y_of(value), colour="line", width=1)
        drawing.text(left - 10, y_of(value) + 4, f"{value:.2f}", size=12, colour="soft", anchor="end")
    for tick in range(6):
        drawing.text(x_of(tick / 5), top + height + 22, f"{tick / 5:.1f}", size=12, colour="soft")
    drawing.text(left + width / 2, top + height + 46, "threshold", size=12, colour="soft")
    report = _measured_demo()
    best = report.best("f1")
    for metric, colour, end in (("precision", "blue", -14), ("recall", "orange", 22), ("f1", "green", 6)):
        points = [(x_of(row["threshold"]), y_of(row[metric])) for row in report if row[metric] > lowest]
        steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
        drawing.path(
            f"M{points[0][0]:.1f} {points[0][1]:.1f}{steps}", colour=colour, width=2.5 if metric == "f1" else 1.5
        )
        at = y_of(next(row[metric] for row in report if row["threshold"] > 0.9))
        drawing.text(left + width + 6, at + end / 3, metric.title(), colour=colour, anchor="start", bold=True, size=12)
    x, y = x_of(best["threshold"]), y_of(best["f1"])
    drawing.line(x, top, x, top + height, colour="green", dashed=True)
    drawing.circle(x, y, 5, fill="green", line="paper")
    drawing.text(
        x + 8, top + height - 12, f"best F1 {best['f1']:.3f} at {best['threshold']:.2f}", colour="green", anchor="start"
    )
    return drawing


def _measured_demo() -> sl.Report:
    """The metrics at every threshold at which something changes, in ascending order."""
    people = load_records()
    frame = sl.EntityFrame.from_records("febrl3", people[["key"]], key_column="key")
    frame.add_collection_from_edges("model", score(people), source="febrl3")
    frame.add_collection_from_labels("truth", people["key"], people["entity"], source="febrl3")
    truth = sl.col("truth").at(1.0).reference()
    return frame.analyse(sl.col("model").sweep(), truth, metrics=["precision", "recall", "f1"])


def main() -> None:
    """Draw every figure into the folder named, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for draw in (hierarchy, one_pass, layers, states, demo_curve):
        draw().save(folder / f"{draw.__name__}.svg")


if __name__ == "__main__":
    main()
