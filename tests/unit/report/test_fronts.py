"""The front of quality against cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from report.fronts import front, step_line
from report.groups import sections
from report.page import build_report
from report.plots import quality_against_parameters, quality_against_speed

if TYPE_CHECKING:
    from made_records import MakeRecord

POINTS = st.lists(st.tuples(st.integers(1, 6).map(float), st.integers(0, 6).map(float)), max_size=12)


@settings(deadline=None)
@given(POINTS, st.booleans())
def test_it_holds_just_the_points_that_none_beats(points: list[tuple[float, float]], more: bool) -> None:
    sign = 1 if more else -1

    def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
        a, b = (sign * one[0], one[1]), (sign * other[0], other[1])
        return a != b and a[0] >= b[0] and a[1] >= b[1]

    wanted = {i for i, point in enumerate(points) if not any(beats(other, point) for other in points)}
    assert set(front(points, more)) == wanted


def test_the_line_has_the_quality_to_be_had_at_each_cost() -> None:
    points = [(1.0, 0.5), (4.0, 0.9), (2.0, 0.4)]
    assert step_line(points) == ((1.0, 0.5), (4.0, 0.5), (4.0, 0.9))
    assert step_line([(1.0, 0.9), (4.0, 0.5)], more_is_better=True) == ((1.0, 0.9), (1.0, 0.5), (4.0, 0.5))
    assert step_line([(1.0, 0.9), (4.0, 0.5)]) == ()  # one beats all: no line


def test_plots_leave_what_is_not_ranked_out_of_the_front(record: MakeRecord) -> None:
    records = [
        record(method="a", f1=0.9, speed=10.0),
        record(method="b", f1=0.5, speed=100.0),
        record(method="random", f1=0.99, speed=1000.0, from_scratch=True),
    ]
    (section,) = sections(records)
    plot = quality_against_speed(section, section.groups)
    assert plot is not None
    assert plot.front == ((10.0, 0.9), (10.0, 0.5), (100.0, 0.5))
    assert any("no other beats" in note for note in plot.notes)


def test_quality_is_plotted_against_trained_parameters(record: MakeRecord) -> None:
    records = [
        record(method="a", facts={"parameters": {"total": 9e6, "trainable": 1_000_000}}),
        record(method="b", facts={"parameters": "many"}),
        record(method="c", facts={"parameters": {"trainable": True}}),
    ]
    (section,) = sections(records)
    plot = quality_against_parameters(section, section.groups)
    assert plot is not None
    assert [(one.label, one.x) for one in plot.series] == [("a", 1e6)]


def test_the_table_of_costs_marks_the_front(record: MakeRecord) -> None:
    records = [
        record(method="good", f1=0.9, speed=10.0, host=500.0),
        record(method="fast", f1=0.5, speed=100.0, host=900.0),
        record(method="poor", f1=0.4, speed=5.0, host=900.0),
    ]
    chapters = build_report(records).parts[0].chapters
    table = next(chapter for chapter in chapters if chapter.key == "costs").tables[0]
    place = [column.key for column in table.columns].index("predict_documents_per_second")
    assert {row[0].text: row[place].tag for row in table.rows} == {"good": "front", "fast": "front", "poor": ""}


def test_costs_stand_apart_for_each_machine(record: MakeRecord) -> None:
    records = [
        record(method=method, f1=f1, hardware_id=machine, task_settings={})
        for machine, pair in {"one": (("a", 0.9), ("b", 0.5)), "two": (("c", 0.9), ("d", 0.5))}.items()
        for method, f1 in pair
    ]
    chapters = build_report(records).parts[0].chapters
    tables = next(chapter for chapter in chapters if chapter.key == "costs").tables
    assert [table.title for table in tables] == ["Quality and cost on one", "Quality and cost on two"]
    assert [[row[0].text for row in table.rows] for table in tables] == [["a", "b"], ["c", "d"]]
