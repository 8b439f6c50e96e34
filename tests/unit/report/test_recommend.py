"""The best row under the user's limits, in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_evidence import Predicted, first

from bench.errors import UserError
from bench.record import Latency
from report.limits import parse_limits
from report.page import build_report
from report.prices import Price, Prices
from report.wishes import Wishes

if TYPE_CHECKING:
    from made_records import MakeRecord

    from bench.record import Record
    from report.evidence import Evidence

METRICS = ("macro_f1", "micro_f1", "p@5")


def chosen(
    records: list[Record], limits: str, evidence: Evidence | None = None, prices: Prices | None = None
) -> list[str]:
    """Each choice with its sentences, as one text."""
    prices = prices or Prices()
    wishes = Wishes(prices=prices, limits=parse_limits(limits, prices, METRICS))
    report = build_report(records, evidence=evidence, wishes=wishes)
    assert report.answer is not None
    assert report.answer.findings[: len(report.answer.chosen)] == report.answer.chosen
    return [" ".join((one.title, one.verdict, *one.sentences)) for one in report.answer.chosen]


def latency(p95: float) -> Latency:
    return Latency(documents=10, p50_ms=p95 / 2, p95_ms=p95, warmup_documents=1)


@pytest.fixture
def rows(record: MakeRecord) -> list[Record]:
    return [
        record(method="big", f1=0.9, device=20_000.0, latency=latency(200.0), kind="single"),
        record(method="middle", f1=0.85, device=8_000.0, latency=latency(40.0), kind="single"),
        record(method="small", f1=0.6, host=900.0, latency=latency(5.0), kind="single"),
    ]


def test_the_highest_under_the_limits_with_its_runner_up_and_the_test(rows: list[Record]) -> None:
    right = {"big": 180, "middle": 170, "small": 120}
    evidence = Predicted({r.cell: first(right[r.method]) for r in rows})
    (text,) = chosen(rows, "memory<16GiB, latency<50ms", evidence)
    assert "under memory<16GiB, latency<50ms take middle (micro-F1 0.850, one seed)" in text
    assert "Runner-up: small" in text
    assert "better by the paired test" in text
    assert "Left out, not memory<16GiB: big (20,000 MiB)" in text
    assert "not latency<50ms: big" in text


def test_a_runner_up_that_ties_leaves_the_choice_to_the_costs(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=0.9, kind="single", speed=10.0),
        record(method="b", f1=0.895, kind="single", speed=90.0),
    ]
    evidence = Predicted({records[0].cell: first(180), records[1].cell: first(179)})
    (text,) = chosen(records, "speed>1", evidence)
    assert "a tie by the paired test" in text
    assert "either will do" in text
    assert "Beside a, b labels 9.0 times as many documents" in text


def test_without_predictions_the_order_may_be_chance(rows: list[Record]) -> None:
    (text,) = chosen(rows, "memory<16GiB")
    assert "no paired test could be made" in text
    assert "better by" not in text


def test_what_is_not_known_leaves_out_and_says_why(record: MakeRecord) -> None:
    records = [record(method="a", f1=0.9, unmeasured={"latency": "no time was left"}), record(method="b", f1=0.5)]
    records[1] = record(method="b", f1=0.5, latency=latency(10.0))
    (text,) = chosen(records, "latency<50ms")
    assert "take b" in text
    assert "latency<50ms cannot be told: a (no time was left)" in text


def test_nobody_under_the_limits_is_said_so(rows: list[Record]) -> None:
    (text,) = chosen(rows, "latency<1ms")
    assert "no row keeps to the limits" in text


def test_rows_from_scratch_and_incomplete_ones_are_not_recommended(record: MakeRecord) -> None:
    records = [
        record(method="random", f1=0.99, from_scratch=True),
        record(method="half", f1=0.95, seed=0),
        record(method="half", status="oom", seed=1),
        record(method="whole", f1=0.3),
    ]
    (text,) = chosen(records, "memory<16GiB")
    assert "take whole" in text
    assert "Left out, from scratch: random" in text
    assert "Left out, incomplete: half" in text


def test_limits_of_the_machine_are_judged_on_each_machine(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=0.9, speed=10.0, hardware_id="slow"),
        record(method="b", f1=0.5, speed=500.0, hardware_id="fast"),
    ]
    found = chosen(records, "speed>100")
    assert len(found) == 2
    assert "on fast" in found[0]
    assert "take b" in found[0]
    assert "on slow" in found[1]
    assert "no row" in found[1]
    (text,) = chosen(records, "micro_f1>0.4")
    assert "take a" in text


def test_the_worst_seed_decides_on_costs_and_the_mean_on_quality(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=f1, host=host, seed=s) for s, (f1, host) in enumerate([(0.9, 900.0), (0.7, 1100.0)])
    ]
    assert "no row" in chosen(records, "memory<1000MiB")[0]
    assert "take a" in chosen(records, "micro_f1>0.75")[0]


def test_every_unit_is_understood(rows: list[Record]) -> None:
    values = {
        "memory<16GiB": 16384.0,
        "memory<=2gib": 2048.0,
        "memory<1MB": 1e6 / 2**20,
        "latency<0.05s": 50.0,
        "train_time<2h": 7200.0,
        "parameters<100M": 1e8,
        "speed>=100": 100.0,
        "speed>100docs/s": 100.0,
        " micro_f1 > .8 ": 0.8,
        "p@5>0.3": 0.3,
    }
    for text, value in values.items():
        (limit,) = parse_limits(text, Prices(), METRICS)
        assert limit.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no limit in it"),
        ("memory", "not a limit"),
        ("memory<16", "takes a unit"),
        ("memory<16parsec", "no unit 'parsec'"),
        ("memry<16GiB", "did you mean 'memory'"),
        ("micro_f2>0.8", "did you mean 'micro_f1'"),
        ("memory=16GiB", "not a limit"),
        ("memory<-1GiB", "not a limit"),
        ("cost<1", "add --price"),
        ("<script>", "not a limit"),
    ],
)
def test_what_is_not_understood_is_told_in_one_line(text: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        parse_limits(text, Prices(), METRICS)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_money_may_be_limited_where_there_is_a_price(record: MakeRecord) -> None:
    records = [record(method="slow", f1=0.9, speed=1.0), record(method="fast", f1=0.5, speed=1000.0)]
    (text,) = chosen(records, "cost<0.5", prices=Prices(hour=Price(3.6, "EUR")))
    assert "take fast" in text
    assert "not cost<0.5: slow (1.00)" in text


def test_a_cell_that_failed_elsewhere_makes_a_row_incomplete_on_every_machine(record: MakeRecord) -> None:
    records = [
        record(method="half", f1=0.95, seed=0, hardware_id="m1"),
        record(method="half", status="oom", seed=1, hardware_id="m2"),
        record(method="whole", f1=0.5, hardware_id="m1"),
        record(method="other", f1=0.4, hardware_id="m2"),
    ]
    found = chosen(records, "memory<16GiB")
    assert "take whole" in found[0]
    assert "Left out, incomplete: half" in found[0]
    costs = next(one for one in build_report(records).parts[0].chapters if one.key == "costs")
    assert {row[0].text for row in costs.tables[0].rows if any(cell.tag for cell in row)} == {"whole"}


def test_quality_is_that_of_all_seeds_wherever_they_ran(record: MakeRecord) -> None:
    right = {"a": (180, 100), "b": (170, 170)}
    records = [
        record(method=method, f1=count / 200, seed=seed, kind="single", hardware_id=f"m{seed}")
        for method, counts in right.items()
        for seed, count in enumerate(counts)
    ]
    evidence = Predicted({one.cell: first(right[one.method][one.seed]) for one in records})
    for text in chosen(records, "memory<16GiB", evidence):
        assert "take b (micro-F1 0.850, 2 seeds)" in text
        assert "Runner-up: a (micro-F1 0.700, 2 seeds); the choice is better by the paired test" in text
        assert "though by less than the standard deviation over seeds (0.283)" in text
