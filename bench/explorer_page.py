"""The explorer on 1M records and 1M edges: time to write, size of the file, and how long a step of its slider takes.

    .venv/bin/python bench/explorer_page.py [records]

The page is opened in headless Chromium. A step is timed from the event of the slider to the frame that shows it, 200 of
them at places all over the range; the time of the handler alone is given too. Nothing is asserted.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
from playwright.sync_api import sync_playwright

import starlings as sl

STEPS = """async () => {
    const painted = () => new Promise((done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    }));
    const slider = document.getElementById("threshold");
    const times = [];
    await painted();
    for (let step = 0; step < 200; step++) {
        const start = performance.now();
        slider.value = ((step * 79) % 200) * 5000;
        slider.dispatchEvent(new Event("input"));
        const handled = performance.now();
        await painted();
        times.push([performance.now() - start, handled - start]);
    }
    return times;
}"""


def draw_frame(num_records: int) -> sl.EntityFrame:
    """Entities of three records, as many scored pairs as records, seven in ten of them within an entity."""
    rng = np.random.default_rng(2)
    records = np.arange(num_records)
    keys = rng.permutation(num_records).astype(np.uint64)
    frame = sl.EntityFrame()
    rows = {"key": np.sort(keys), "year": rng.integers(1930, 2010, num_records)}
    frame.add_records("default", pa.table(rows), "key")
    left = rng.integers(0, num_records, num_records)
    near = np.minimum(num_records - 1, left // 3 * 3 + rng.integers(0, 3, num_records))
    right = np.where(rng.random(num_records) < 0.7, near, rng.integers(0, num_records, num_records))
    score = np.clip(np.where(left // 3 == right // 3, 0.75, 0.4) + rng.normal(0, 0.13, num_records), 0, 1)
    frame.add_collection_from_edges("model", (keys[left], keys[right], score))
    frame.add_collection("truth", sl.Collection.from_labels(keys, (records // 3).astype(np.uint64)))
    return frame


def steps_of(browser: Any, path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Milliseconds of each step, and of its handler."""
    page = browser.new_page(viewport={"width": 1180, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-settled=true]", timeout=120_000)
    times = np.array(page.evaluate(STEPS))
    page.close()
    return times


def main() -> None:
    num_records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    frame = draw_frame(num_records)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for most in (None, num_records):
            start = perf_counter()
            path = frame.explore(Path(folder) / "page.html", reference="truth", max_records=most, progress=False)
            seconds = perf_counter() - start
            (step, handler), (late, _) = (np.percentile(steps_of(browser, path), at, axis=0) for at in (50, 95))
            size = path.stat().st_size / 1e6
            print(f"max_records={most}: {seconds:.1f} s, {size:.1f} MB; a step {step:.1f} ms in the median", end=" ")
            print(f"(handler {handler:.1f} ms), {late:.1f} ms in 95 of 100")
        browser.close()


if __name__ == "__main__":
    main()
