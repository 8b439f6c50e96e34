"""The answer: what is said first, and what is not said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from made_evidence import Predicted, first

from report.markdown import render_markdown
from report.page import build_report
from report.prices import Price, Prices
from report.wishes import Wishes

if TYPE_CHECKING:
    from made_records import MakeRecord

    from report.page import Report

HOSTILE = "<script>alert(1)</script> | **x** \u202e 🤗"


def said(report: Report) -> str:
    assert report.answer is not None
    return "\n".join(" ".join((one.title, one.verdict, *one.sentences)) for one in report.answer.findings)


def test_a_winner_is_named_with_its_margin_and_its_costs(record: MakeRecord) -> None:
    facts = {"parameters": {"trainable": 12_200_000}}
    records = [record(method="a", f1=0.9, kind="single", facts=facts), record(method="b", f1=0.5, kind="single")]
    report = build_report(records, evidence=Predicted({records[0].cell: first(180), records[1].cell: first(100)}))
    text = said(report)
    assert "a is better than the one other row compared: micro-F1 0.900 (95 % interval" in text
    assert "better than b (0.500) by 0.400" in text
    assert "12.2M trained parameters" in text
    assert "500 documents a second" in text
    assert "One seed" in text


def test_a_tie_is_no_winner_and_says_what_would_have_been_seen(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=0.9, kind="single", speed=10.0),
        record(method="b", f1=0.89, kind="single", speed=140.0),
    ]
    report = build_report(records, evidence=Predicted({records[0].cell: first(180), records[1].cell: first(178)}))
    text = said(report)
    assert "no winner: a is highest" in text
    assert "better" not in text
    assert "b (0.890) is a tie" in text
    assert "or more would have been seen" in text
    assert "labels 14 times as many documents a second" in text


def test_without_predictions_better_is_never_said(record: MakeRecord) -> None:
    records = [record(method="a", f1=0.9), record(method="b", f1=0.1)]
    text = said(build_report(records))
    assert "better" not in text
    assert "a has the highest micro-F1 0.900" in text
    assert "whether that is more than chance is not known" in text


def test_rows_from_scratch_and_incomplete_ones_are_never_the_answer(record: MakeRecord) -> None:
    records = [
        record(method="whole", f1=0.4),
        record(method="random", f1=0.95, from_scratch=True),
        record(method="half", f1=0.9, seed=0),
        record(method="half", status="oom", seed=1),
    ]
    text = said(build_report(records))
    assert "whole has micro-F1 0.400" in text
    assert "no other row that may be ranked" in text
    assert "From scratch, and therefore not ranked: random" in text
    assert "Incomplete, and therefore not ranked: half" in text
    assert "So far, with 3 of 4 planned cells finished" in text


def test_half_without_a_result_stands_above_the_answer(record: MakeRecord) -> None:
    records = [record(method="a"), record(method="b", status="failed"), record(method="c", status="oom")]
    report = build_report(records)
    assert report.answer is not None
    assert "provisional" in report.answer.cautions[0]
    page = render_markdown(report, {})
    assert page.index("2 of 3 planned cells without a result") < page.index("## The answer") < page.index("provisional")
    assert page.index("provisional") < page.index("## At a glance")


def test_little_that_is_missing_needs_no_caution(record: MakeRecord) -> None:
    records = [record(method="a"), record(method="b"), record(method="c", status="oom")]
    report = build_report(records)
    assert report.answer is not None
    assert not report.answer.cautions


def test_nothing_finished_is_said_so(record: MakeRecord) -> None:
    assert "no cell finished" in said(build_report([record(status="failed")]))


def test_seeds_that_differ_are_told_with_their_spread(record: MakeRecord) -> None:
    records = [record(method="a", f1=f1, seed=seed) for seed, f1 in enumerate((0.6, 0.7, 0.8))]
    assert "Over its 3 seeds a has a standard deviation of 0.100" in said(build_report(records))


def test_costs_are_compared_on_one_machine_only(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=0.9, kind="single", speed=10.0),
        record(method="b", f1=0.89, kind="single", speed=140.0, hardware_id="other"),
    ]
    report = build_report(records, evidence=Predicted({records[0].cell: first(180), records[1].cell: first(178)}))
    assert "as many documents a second" not in said(report)


def test_money_is_told_only_where_there_is_a_price(record: MakeRecord) -> None:
    records = [record(method="a", speed=1000.0), record(method="b", f1=0.1)]
    assert "EUR" not in said(build_report(records))
    wishes = Wishes(prices=Prices(hour=Price(3.6, "EUR")))
    assert "0.0010 EUR for labelling 1,000 docs" in said(build_report(records, wishes=wishes))


def test_hostile_names_are_escaped_in_the_answer(record: MakeRecord) -> None:
    records = [record(task=HOSTILE, method=HOSTILE, f1=0.9), record(task=HOSTILE, method="b", f1=0.2)]
    page = render_markdown(build_report(records), {})
    answer = page[page.index("## The answer") : page.index("## At a glance")]
    assert "<script>" not in answer
    assert "\u202e" not in answer
    assert "&lt;script&gt;" in answer


def test_a_difference_within_the_spread_of_seeds_is_marked(record: MakeRecord) -> None:
    counts = {"a": (170, 190), "b": (150, 170)}
    records = [
        record(method=method, f1=count / 200, seed=seed, kind="single")
        for method, pair in counts.items()
        for seed, count in enumerate(pair)
    ]
    found = {r.cell: first(counts[r.method][r.seed]) for r in records}
    assert "may be a difference between these runs" not in said(build_report(records, evidence=Predicted(found)))
    wide = {"a": (130, 198), "b": (110, 190)}
    records = [r.model_copy(update={"metrics": {"micro_f1": wide[r.method][r.seed] / 200}}) for r in records]
    found = {r.cell: first(wide[r.method][r.seed]) for r in records}
    assert "may be a difference between these runs" in said(build_report(records, evidence=Predicted(found)))


def test_every_difference_within_the_spread_of_seeds_is_marked_not_the_nearest_alone(record: MakeRecord) -> None:
    counts = {"a": (180, 180), "near": (160, 160), "wild": (60, 190)}
    records = [
        record(method=method, f1=count / 200, seed=seed, kind="single")
        for method, pair in counts.items()
        for seed, count in enumerate(pair)
    ]
    report = build_report(records, evidence=Predicted({r.cell: first(counts[r.method][r.seed]) for r in records}))
    assert "Less than the standard deviation over seeds is the difference to wild (0.275 against 0.460)" in said(report)
    tests = next(one for one in report.parts[0].chapters if one.key == "tests")
    assert [row[6].tag for row in tests.tables[0].rows] == ["", "within spread of seeds"]


def test_a_row_that_could_not_be_compared_is_named(record: MakeRecord) -> None:
    records = [record(method=name, f1=f1, kind="single") for name, f1 in (("a", 0.9), ("near", 0.899), ("b", 0.5))]
    evidence = Predicted({records[0].cell: first(180), records[2].cell: first(100)})
    assert "Not compared, its stored predictions are not at hand: near." in said(
        build_report(records, evidence=evidence)
    )


def test_rows_that_say_the_same_tie_without_a_difference_that_would_have_been_seen(record: MakeRecord) -> None:
    records = [record(method=method, f1=0.9, kind="single") for method in ("a", "b")]
    report = build_report(records, evidence=Predicted({one.cell: first(180) for one in records}))
    assert "b (0.900) is a tie: no draw of the documents tells the two apart." in said(report)
    assert "would have been seen" not in said(report)
    tests = next(one for one in report.parts[0].chapters if one.key == "tests")
    assert tests.tables[0].rows[0][7].value is None


def test_a_largest_size_without_a_result_is_told_as_such(record: MakeRecord) -> None:
    records = [record(task_settings={"train_documents": 100}), record(status="oom")]
    assert "no cell of the most training documents finished" in said(build_report(records))


def test_a_row_without_the_primary_metric_is_named_and_is_no_lack_of_seeds(record: MakeRecord) -> None:
    blank = record(method="blank", f1=None)
    assert "not from scratch and given a micro-F1" in said(build_report([blank]))
    text = said(build_report([blank, record(method="a", f1=0.3)]))
    assert "a has micro-F1 0.300; there is no other row that may be ranked" in text
    assert "Without micro-F1, and therefore not ranked: blank." in text
