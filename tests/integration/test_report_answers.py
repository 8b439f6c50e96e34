"""``bench report`` with limits, prices and published figures, as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import call
from made_records import build_record

from bench.record import Latency
from bench.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    latency = Latency(documents=10, p50_ms=4.0, p95_ms=5.0, warmup_documents=1)
    for place, method in enumerate(("quick", "good")):
        made = build_record(method=method, f1=0.6 + place / 5, latency=latency if method == "quick" else None)
        Store(tmp_path).put(made.model_copy(update={"cell": f"cell{place}", "slot": f"slot{place}"}))
    return tmp_path


def test_the_choice_is_printed_and_stands_on_the_page(store: Path) -> None:
    done = call("report", "--out", store, "--recommend", "latency<50ms", "--price", "2 EUR/h")
    assert done.code == 0
    assert "take quick (micro-F1 0.600, one seed)" in done.out
    assert "latency<50ms cannot be told: good" in done.out
    page = (store / "report.md").read_text("utf-8")
    assert page.index("take quick") < page.index("good has the highest") < page.index("## At a glance")
    assert "EUR" in page
    assert (store / "tables" / "debtags-results.csv").is_file()


def test_without_limits_the_verdict_on_each_task_is_printed(store: Path) -> None:
    done = call("report", "--out", store)
    assert "good has the highest micro-F1 0.800" in done.out
    assert "take" not in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--recommend", "memry<16GiB"), "did you mean 'memory'"),
        (("--recommend", "memory<16"), "takes a unit"),
        (("--price", "much"), "not a price"),
        (("--energy-price", "0.3/h"), "not a price"),
        (("--published", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_is_not_understood_ends_with_2_and_one_line(store: Path, words: tuple[str, str], said: str) -> None:
    done = call("report", "--out", store, *words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not (store / "report.md").exists()
