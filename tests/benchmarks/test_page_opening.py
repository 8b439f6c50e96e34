"""How large the page over a thousand cells is, and how soon its tables can be used."""

from __future__ import annotations

import random
import time

import pytest
from chromium import launched
from made_records import build_record

from report import write_report

TASKS, ROWS, SEEDS = 5, 40, 5


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report over a thousand cells, of which one in twenty failed."""
    rng = random.Random(0)

    def figures():
        more = {"status": "oom"} if rng.random() < 0.05 else {}
        return {"f1": rng.random(), "speed": rng.uniform(1, 1000), "above": rng.uniform(100, 9000), **more}

    records = [
        build_record(f"task-{task}", f"method-{row % 20}", seed=seed, settings={"rank": row // 20}, **figures())
        for task in range(TASKS)
        for row in range(ROWS)
        for seed in range(SEEDS)
    ]
    return write_report(records, tmp_path_factory.mktemp("page")).html


def test_page_over_a_thousand_cells(page, figure):
    size = page.stat().st_size / 2**20
    figure("report.html over 1,000 cells: size", size, unit="MiB", most=15)
    with launched() as browser:
        figure("report.html over 1,000 cells: until a table is sorted", _sorted(browser, page), unit="s", most=3)


def _sorted(browser, path) -> float:
    """Seconds from an empty tab until a click has sorted the first table, the best of three."""
    taken = []
    for _ in range(3):
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        tab.goto(path.as_uri())
        tab.evaluate("document.querySelector('table.live').scrollIntoView()")
        tab.wait_for_selector("table.live.dataTable")
        tab.locator("table.live").first.locator("thead th").nth(2).click()
        tab.wait_for_selector("th[aria-sort]")
        taken.append(time.perf_counter() - began)
        tab.close()
    return min(taken)
