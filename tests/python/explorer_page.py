"""A page of the explorer in headless Chromium, with all network refused and every error of the page an error here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import starlings as sl

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; without one tests are skipped, but fail in continuous integration."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if sync_playwright is None or CHROMIUM is None:
        missing = "playwright" if sync_playwright is None else "Chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing} is not installed")
        pytest.skip(f"{missing} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class ExplorerPage:
    """What a reader does on the page, and what is read from it."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def settle(self) -> None:
        """Wait until what follows the slider is there."""
        self.page.wait_for_selector("body[data-settled=true]")

    @property
    def threshold(self) -> float:
        """Where the slider is."""
        return float(self.page.input_value("#number"))

    def go_to(self, threshold: float) -> float:
        """Type a threshold; where that leads."""
        self.page.fill("#number", repr(threshold))
        self.page.press("#number", "Enter")
        return self.threshold

    def focus(self, collection: str) -> None:
        """Choose a collection."""
        self.row(collection).locator("button.name").click()

    def row(self, collection: str) -> Any:
        """The row of a collection in the table of the cut."""
        return self.page.locator("#values tbody tr").filter(has=self.page.get_by_text(collection, exact=True))

    def metrics(self) -> dict[str, float]:
        """All metrics of the chosen collection."""
        found = self.page.eval_on_selector_all(
            "#all-metrics dd", "cells => cells.map(cell => [cell.dataset.metric, cell.dataset.value])"
        )
        return {name: float(value) for name, value in found}

    def sizes(self) -> dict[int, tuple[int, int]]:
        """Entities and records by the smallest size of each class that has any."""
        rows = self.page.eval_on_selector_all(
            "#sizes tbody tr", "rows => rows.map(row => [row.dataset.low, row.dataset.entities, row.dataset.records])"
        )
        return {int(low): (int(entities), int(records)) for low, entities, records in rows if int(entities)}

    def compare(self, before: tuple[str, float], after: tuple[str, float]) -> dict[str, tuple[int, ...]]:
        """Choose two cuts; changes, entities before and after, and records of each kind."""
        self.page.locator("#diff").scroll_into_view_if_needed()
        for side, (name, threshold) in (("before", before), ("after", after)):
            self.page.select_option(f"#{side}-collection", label=name)
            self.page.select_option(f"#{side}-mode", "fixed")
            self.page.fill(f"#{side}-threshold", repr(threshold))
            self.page.press(f"#{side}-threshold", "Enter")
        rows = self.page.eval_on_selector_all(
            "#diff-counts tbody tr",
            "rows => rows.map(({dataset: d}) => [d.kind, d.changes, d.before, d.after, d.records])",
        )
        return {kind: tuple(map(int, counts)) for kind, *counts in rows}

    def find(self, text: str) -> list[str]:
        """Search; the keys found."""
        self.page.fill("#search", text)
        return self.page.locator("#results button bdi").all_text_contents()

    def choose(self, number: int = 0) -> list[str]:
        """Take a result; keys of the members of its entity."""
        self.page.locator("#results button").nth(number).click()
        while self.page.get_by_role("button", name="Show more").and_(self.page.locator("#record button")).is_visible():
            self.page.locator("#record").get_by_role("button", name="Show more").click()
        return self.page.locator("#record table.records tbody th bdi").all_text_contents()


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[ExplorerPage]:
    """The page in a window of its own; errors and requests of it fail the test."""
    context = browser.new_context(**({"viewport": {"width": 1100, "height": 900}} | options))
    errors: list[str] = []
    address = path.resolve().as_uri()
    context.route("**/*", lambda route: route.continue_() if route.request.url == address else refuse(route, errors))
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("body[data-ready=true]")
    try:
        yield ExplorerPage(page)
        if errors:
            pytest.fail("\n".join(errors))
    finally:
        context.close()


def refuse(route: Any, errors: list[str]) -> None:
    """No request leaves the page."""
    errors.append(f"request of {route.request.url}")
    route.abort()


def people(num_records: int, seed: int = 5) -> sl.EntityFrame:
    """Records in entities of three, two models of them and the truth."""
    rng = np.random.default_rng(seed)
    rows = [{"id": f"p{i:05d}", "name": f"name {i // 3}", "age": 20 + i % 50} for i in range(num_records)]
    frame = sl.EntityFrame.from_records("crm", rows, key_column="id")
    for name, noise in (("model", 0.12), ("rules", 0.2)):
        left, right = rng.integers(0, num_records, (2, 3 * num_records))
        right = np.where(rng.random(len(left)) < 0.6, np.minimum(num_records - 1, left // 3 * 3 + right % 3), right)
        score = np.clip(np.where(left // 3 == right // 3, 0.7, 0.35) + rng.normal(0, noise, len(left)), 0, 1).round(4)
        keys = [[f"p{i:05d}" for i in side.tolist()] for side in (left, right)]
        frame.add_collection_from_edges(name, (*keys, score), source="crm")
    truth = [{f"p{j:05d}" for j in range(i, min(i + 3, num_records))} for i in range(0, num_records, 3)]
    frame.add_collection_from_entities("truth", truth, source="crm")
    return frame
