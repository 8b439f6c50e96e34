"""Which rows are told apart, and what the tables say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from made_evidence import Predicted, first

from bench.stats.bootstrap import Interval
from report.groups import sections
from report.page import build_report
from report.significance import FEWER, FEWER_RESAMPLES, MOST_COMPARED, Judge, _of_metric, _within_budget, judge

if TYPE_CHECKING:
    from made_records import MakeRecord

    from bench.record import Record


def evidence_of(shares: dict[str, int], records: list[Record], of: int = 200) -> Predicted:
    return Predicted({r.cell: first(shares[r.method], of) for r in records if r.method in shares})


@pytest.fixture
def three(record: MakeRecord) -> list[Record]:
    shares = {"good": 0.9, "near": 0.88, "poor": 0.5}
    return [record(method=name, f1=f1, kind="single") for name, f1 in shares.items()]


RIGHT = {"good": 180, "near": 176, "poor": 100}


def test_a_large_difference_is_real_and_a_small_one_is_a_tie(three: list[Record]) -> None:
    (section,) = sections(three)
    found = judge(section, evidence_of(RIGHT, three))
    assert [(pair.b.method, pair.verdict.word) for pair in found.against_top] == [("near", "tie"), ("poor", "better")]
    assert [group.method for group in found.ties] == ["near"]
    assert found.family == 3
    assert len(found.pairs) == 3
    low, high = found.intervals[found.rows[0].row].low, found.intervals[found.rows[0].row].high
    assert low < 0.9 < high


def test_the_table_marks_the_tie_and_shows_the_interval(three: list[Record]) -> None:
    report = build_report(three, evidence=evidence_of(RIGHT, three))
    table = report.parts[0].tables[0]
    keys = [column.key for column in table.columns]
    assert keys.index("interval") == keys.index("micro_f1") + 1
    rows = {row[0].text: row[keys.index("micro_f1")] for row in table.rows}
    assert rows["good"].bold
    assert not rows["good"].tag
    assert rows["near"].tag == "tie"
    assert rows["poor"].tag == ""
    assert "paired test" in table.notes[0]
    assert "no paired test" not in table.notes[0]
    chapter = next(one for one in report.parts[0].chapters if one.key == "tests")
    assert [row[6].text for row in chapter.tables[0].rows] == ["tie", "better"]


def test_without_predictions_nothing_is_claimed(three: list[Record]) -> None:
    report = build_report(three)
    table = report.parts[0].tables[0]
    assert "no paired test was made" in table.notes[0]
    assert all(cell.tag != "tie" for row in table.rows for cell in row)
    assert "interval" not in [column.key for column in table.columns]
    chapter = next(one for one in report.parts[0].chapters if one.key == "tests")
    assert "No paired test" in chapter.lead
    assert not chapter.tables


def test_a_row_without_predictions_is_left_out_by_name(three: list[Record]) -> None:
    (section,) = sections(three)
    found = judge(section, evidence_of({"good": 180, "poor": 100}, three))
    assert [pair.b.method for pair in found.pairs] == ["poor"]
    assert [(group.method, why) for group, why in found.untested] == [
        ("near", "its stored predictions are not at hand")
    ]


def test_nothing_is_tested_where_the_highest_row_has_no_predictions(three: list[Record]) -> None:
    (section,) = sections(three)
    found = judge(section, evidence_of({"near": 176, "poor": 100}, three))
    assert not found.pairs
    assert "good" in found.obstacle


def test_rows_from_scratch_and_incomplete_ones_are_not_tested(record: MakeRecord) -> None:
    records = [
        record(method="whole", f1=0.5),
        record(method="random", f1=0.95, from_scratch=True),
        record(method="half", f1=0.9, seed=0),
        record(method="half", status="failed", seed=1),
    ]
    (section,) = sections(records)
    found = judge(section, evidence_of({"whole": 100, "random": 190, "half": 180}, records))
    assert [group.method for group in found.rows] == ["whole"]
    assert {group.method: why for group, why in found.untested} == {"random": "from scratch", "half": "incomplete"}


def test_other_test_documents_are_refused_by_name(record: MakeRecord) -> None:
    records = [record(method="a", f1=0.9), record(method="b", f1=0.5)]
    (section,) = sections(records)
    found = judge(section, Predicted({records[0].cell: first(180), records[1].cell: first(50, of=100)}))
    assert not found.pairs
    ((group, why),) = found.untested
    assert group.method == "b"
    assert "not of the same test documents" in why


def test_many_rows_are_compared_with_the_highest_alone_and_corrected_for_all_pairs(record: MakeRecord) -> None:
    records = [record(method=f"m{n:02}", f1=0.9 - n / 100, kind="single") for n in range(30)]
    (section,) = sections(records)
    found = judge(section, Predicted({r.cell: first(180 - 2 * n) for n, r in enumerate(records)}))
    assert len(found.pairs) == MOST_COMPARED - 1
    assert found.family == MOST_COMPARED * (MOST_COMPARED - 1) // 2
    assert len(found.untested) == 30 - MOST_COMPARED
    # The nearest row differs in two documents only, the twentieth in forty.
    assert found.pairs[0].tie
    assert not found.pairs[-1].tie
    assert all(pair.verdict.p_holm >= min(1.0, pair.comparison.p) for pair in found.pairs)


def test_a_pair_beyond_those_tested_is_tested_when_it_is_asked_for(record: MakeRecord) -> None:
    records = [record(method=f"m{n:02}", f1=0.9 - n / 100, kind="single") for n in range(30)]
    (section,) = sections(records)
    judge_ = Judge(Predicted({r.cell: first(180 - 2 * n) for n, r in enumerate(records)}))
    groups = section.groups
    pair = judge_.between(section, groups[24], groups[29])
    assert pair is not None
    assert pair.family == MOST_COMPARED * (MOST_COMPARED - 1) // 2 + 1
    assert judge_.between(section, groups[0], groups[1]) is judge_.of(section).pairs[0]


def test_very_many_documents_take_fewer_resamples_and_rows(record: MakeRecord) -> None:
    one = Predicted({record().cell: first(10, of=50_000)}).judged(record())
    assert one is not None
    assert _within_budget([[one] * 10] * 3) == (FEWER_RESAMPLES, FEWER)


def test_what_a_tie_could_have_seen_grows_with_the_number_of_pairs(three: list[Record]) -> None:
    (section,) = sections(three)
    pair = judge(section, evidence_of(RIGHT, three)).pairs[0]
    assert pair.family == 3
    assert pair.detectable > pair.comparison.detectable


def test_an_interval_of_a_metric_ends_where_the_metric_does() -> None:
    assert _of_metric(Interval(0.6, -0.116, 1.118)) == Interval(0.6, 0.0, 1.0)
    assert _of_metric(Interval(0.6, 0.5, 0.7)) == Interval(0.6, 0.5, 0.7)
