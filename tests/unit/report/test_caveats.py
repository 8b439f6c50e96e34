"""What limits a row's figures stands in the report, and what a run strayed in at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.cli.run_view import _show
from report.limits import parse_limits
from report.measures import training_seconds
from report.page import build_report
from report.prices import Price, Prices
from report.wishes import Wishes

if TYPE_CHECKING:
    from conftest import MakeRecord

STRAYS: dict[str, Any] = {
    "precision": "bfloat16",
    "documents": 64,
    "greatest_difference": 1.2345,
    "spread": 2.0,
    "changed_share": 0.125,
    "strays": True,
}
CACHED: dict[str, Any] = {"documents": 1000, "from_cache": 1000, "seconds": 1234.56}


def test_a_precision_that_strays_is_told_once_a_row(record: MakeRecord) -> None:
    records = [record(method="bert", seed=seed, facts={"numerics": STRAYS}) for seed in (0, 1)]
    (part,) = build_report([*records, record()]).parts
    (line,) = (warning for warning in part.warnings if "float32" in warning)
    assert line.startswith(
        "bert: computed in bfloat16, which strays from float32: of 64 documents 12% get another best"
    )
    assert line.endswith("differ by up to 1.23; set precision=float32")


def test_work_that_an_earlier_cell_did_is_told(record: MakeRecord) -> None:
    (part,) = build_report([record(method="frozen", facts={"embeddings_train": CACHED})]).parts
    (line,) = part.warnings
    assert line.startswith(
        "frozen: embeddings of 1,000 training documents came from the cache; train seconds leave out"
    )
    assert line.endswith(" out the 1,234.6 s that computing them took")


@pytest.mark.parametrize(
    ("speeds", "why"),
    [
        ({"train": None}, "work of this phase was read from a cache"),
        ({}, "the method counted no documents in this phase"),
    ],
)
def test_a_speed_that_is_not_known_says_why(record: MakeRecord, speeds: dict[str, Any], why: str) -> None:
    (part,) = build_report([record(documents_per_second={"predict": 3.0, **speeds})]).parts
    assert any(why in note for note in part.tables[0].footnotes)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"numerics": {**STRAYS, "strays": False}},
        {"numerics": {"strays": True}},
        {"numerics": "strays"},
        {"numerics": {**STRAYS, "changed_share": "much"}},
        {"embeddings_train": {**CACHED, "from_cache": 0}},
        {"embeddings_train": {"from_cache": 3}},
        {"embeddings_train": 3},
    ],
)
def test_whatever_else_a_method_noted_is_no_warning(record: MakeRecord, facts: dict[str, Any]) -> None:
    assert build_report([record(facts=facts)]).parts[0].warnings == ()


def test_a_run_ends_with_what_strays(record: MakeRecord, capsys: pytest.CaptureFixture[str]) -> None:
    stray = record(task="debtags", method="bert", model="tiny", seed=3, facts={"numerics": STRAYS})
    _show([stray, record()], 1)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("bench: warning: debtags × bert × tiny × seed 3: computed in bfloat16, which strays")


def test_training_costs_what_it_would_without_a_cache(record: MakeRecord) -> None:
    cached = {"facts": {"embeddings_train": CACHED}, "seconds": {"train": 1.0}, "documents_per_second": {"train": None}}
    records = [record(method="frozen", **cached), record(method="slow", f1=0.5, seconds={"train": 100.0})]
    wishes = Wishes(prices=Prices(hour=Price(3.6)), limits=parse_limits("train_time<10min", Prices(), ()))
    report = build_report(records, wishes=wishes)
    assert report.answer is not None
    assert "take slow" in report.answer.chosen[0].verdict
    assert "not train_time<10min: frozen (1,236 s)" in report.answer.chosen[0].sentences[-1]
    costs = next(one for one in report.parts[0].chapters if one.key == "costs").tables[0]
    keys = [column.key for column in costs.columns]
    assert [row[keys.index("train_seconds")].tag for row in costs.rows] == ["front", "front"]
    assert costs.rows[0][keys.index("training_cost")].value == pytest.approx(1.23556)
    assert any("came from the cache" in note for note in report.notes)


def test_seconds_of_training_that_a_cache_spared_are_not_known_where_nobody_noted_them(record: MakeRecord) -> None:
    cached = record(seconds={"train": 1.0}, documents_per_second={"train": None})
    assert training_seconds().read(cached) is None
    assert training_seconds().why(cached) == "work of this phase was read from a cache"
