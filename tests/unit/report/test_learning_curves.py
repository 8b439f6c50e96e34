"""Learning curves: what is drawn, what is a gap, what is not compared, and what a reader meets first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.record import Identity, Record, TaskFacts
from report import write_report
from report.curve_drawing import draw_curves
from report.curves import CurvePlot, curve_table, quality_against_documents
from report.drawing import draw, styles
from report.families import Family, families
from report.groups import sections
from report.page import build_report
from report.placing import spread
from report.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeRecord

ALL = 2000
AtSize = Callable[..., Record]


@pytest.fixture
def at(record: MakeRecord) -> AtSize:
    """A record of a cell trained on so many documents; None: all of them."""

    def make(size: int | None, held_out: int = 500, data: str = "", **more: object) -> Record:
        facts = TaskFacts(
            kind="multi",
            n_labels=9,
            documents={"train": size or ALL, "validation": 100, "test": held_out},
            primary_metric="micro_f1",
        )
        settings = {"train_documents": size, "sampling": "hashed"}
        given = {"task_settings": settings, "task_facts": facts, "fingerprint": f"data {size}{data}"}
        return record(**(given | more))

    return make


def family(records: list[Record], missing: tuple[Identity, ...] = ()) -> Family:
    (found,) = families(sections(records, missing))
    return found


def plot_of(records: list[Record], missing: tuple[Identity, ...] = ()) -> CurvePlot:
    plot = quality_against_documents(family(records, missing))
    assert plot is not None
    return plot


def texts(table: Table, row: int = 0) -> list[str]:
    place = [column.key for column in table.columns].index("size_0")
    return [cell.text for cell in table.rows[row][place:]]


def test_a_curve_is_the_mean_over_seeds_at_each_size_with_lowest_and_highest(at: AtSize) -> None:
    values = {100: (0.2, 0.4), 1000: (0.5, 0.6), None: (0.7, 0.7)}
    plot = plot_of([at(size, seed=s, f1=f1) for size, pair in values.items() for s, f1 in enumerate(pair)])
    (curve,) = plot.series
    assert [p and (p.x, pytest.approx(p.y), p.low, p.high) for p in curve.points] == [
        (100, 0.3, 0.2, 0.4),
        (1000, 0.55, 0.5, 0.6),
        (ALL, 0.7, 0.7, 0.7),
    ]
    assert plot.x.log
    assert (plot.x.title, plot.y.title) == ("Training documents (log scale)", "micro-F1")
    assert "bars reach from the lowest seed to the highest" in " ".join(plot.notes)
    assert "tfidf: 0.300 (0.200 to 0.400) at 100, 0.550 (0.500 to 0.600) at 1,000, 0.700 at 2,000" in plot.description


def test_sizes_stand_in_the_order_of_their_numbers(at: AtSize) -> None:
    records = [at(size, f1=(size or ALL) / 10000) for size in (None, 1000, 300, 20)]
    assert [section.title for section in sections(records)] == [
        f"debtags (train_documents={size})" for size in ("20", "300", "1000", "all")
    ]
    assert plot_of(records).sizes == (20, 300, 1000, 2000)


def test_a_missing_size_is_a_gap_that_is_named_and_breaks_the_line(at: AtSize) -> None:
    records = [at(size, f1=0.5) for size in (100, 300, 1000)]
    records += [at(size, method="bert", f1=0.6) for size in (100, 1000)]
    records.append(at(300, method="bert", status="oom", reason="no memory left"))
    plot = plot_of(records)
    curves = {curve.method: curve for curve in plot.series}
    assert curves["bert"].points[1] is None
    assert "No point, and no line to it, for want of micro-F1: bert at 300 (1 in all)." in plot.notes
    table = curve_table(family(records))
    assert texts(table, 0) == ["0.600", "–", "0.600"]
    assert ("a", "oom: no memory left") in table.footnotes
    assert [math.isnan(y) for y in drawn_heights(plot, "bert")] == [False, True, False]


def drawn_heights(plot: CurvePlot, method: str) -> list[float]:
    """The heights of a method's line, as matplotlib has them; NaN breaks it."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    axes.set_xscale("log")
    draw_curves(axes, plot, styles([curve.method for curve in plot.series]))
    lines = [container.lines[0] for container in axes.containers]
    return [float(y) for y in lines[[curve.method for curve in plot.series].index(method)].get_ydata()]


def test_a_size_that_was_never_planned_is_a_gap_too(at: AtSize) -> None:
    records = [at(size, f1=0.5) for size in (100, 300)] + [at(100, method="prior", f1=0.1)]
    assert [curve.points[1] is None for curve in plot_of(records).series] == [False, True]
    table = curve_table(family(records))
    assert texts(table, 1) == ["0.100", "–"]
    assert ("a", "not run at this size") in table.footnotes


def test_unfinished_seeds_are_told_and_never_highest(at: AtSize) -> None:
    records = [at(size, seed=s, f1=0.8) for size in (100, 300) for s in (0, 1)]
    records[3] = at(300, seed=1, status="timeout", reason="over 20 m")
    records += [at(size, method="prior", seed=s, f1=0.1) for size in (100, 300) for s in (0, 1)]
    found = family(records)
    assert "Not all seeds finished: tfidf at 300 (1 of 2) (1 in all)." in plot_of(records).notes
    table = curve_table(found)
    named = {row[0].text: row for row in table.rows}
    assert [cell.bold for cell in named["tfidf"][-2:]] == [True, False]
    assert [cell.bold for cell in named["prior"][-2:]] == [False, True]
    assert named["tfidf"][-1].tag == "1/2 seeds"
    assert named["tfidf"][1].text == "1–2"
    assert ("a", "timeout: over 20 m") in table.footnotes


def test_planned_cells_without_a_record_are_missing(at: AtSize) -> None:
    records = [at(size, f1=0.5) for size in (100, 300)]
    lost = records[1].identity.model_copy(update={"seed": 1, "task_fingerprint": None})
    table = curve_table(family(records, (lost,)))
    assert ("a", "planned, but it left no record") in table.footnotes
    assert table.rows[0][-1].tag == "1/2 seeds"


def test_from_scratch_is_hollow_and_not_ranked(at: AtSize) -> None:
    records = [at(size, f1=0.5) for size in (100, 300)]
    records += [at(size, method="bert", model="tiny", from_scratch=True, f1=0.9) for size in (100, 300)]
    plot = plot_of(records)
    assert {curve.method: curve.hollow for curve in plot.series} == {"bert": True, "tfidf": False}
    assert any("Hollow" in note for note in plot.notes)
    table = curve_table(family(records))
    bold = {row[0].text: row[-1].bold for row in table.rows}
    assert bold == {"bert": False, "tfidf": True}


def test_means_and_deviations_stand_in_the_table(at: AtSize) -> None:
    records = [at(size, seed=s, f1=0.5 + s / 10) for size in (100, None) for s in (0, 1)]
    table = curve_table(family(records))
    assert [column.title for column in table.columns] == [
        "Method",
        "Seeds",
        "micro-F1 at 100",
        "micro-F1 at all 2,000",
    ]
    assert texts(table) == ["0.550 ± 0.071"] * 2


def test_rows_are_told_apart_by_the_same_settings_at_every_size(at: AtSize) -> None:
    records = [at(100, settings={"n": 1}), at(300, settings={"n": 1}), at(300, settings={"n": 2}, f1=0.9)]
    assert {curve.label: [p is None for p in curve.points] for curve in plot_of(records).series} == {
        "tfidf · n=1": [False, False],
        "tfidf · n=2": [True, False],
    }


def test_many_variants_have_the_numbers_of_the_curves_table(at: AtSize) -> None:
    records = [at(size, settings={"n": n}, f1=n / 20) for size in (100, 300) for n in range(9)]
    plot = plot_of(records)
    assert [curve.label for curve in plot.series] == [f"tfidf {number}" for number in range(1, 10)]
    table = curve_table(family(records))
    assert [row[1].text for row in table.rows] == [str(number) for number in range(1, 10)]
    assert [row[2].text for row in table.rows] == [f"n={n}" for n in reversed(range(9))]


def test_other_settings_of_the_task_are_another_family(at: AtSize) -> None:
    records = [at(size) for size in (100, 300)]
    other = {"train_documents": 100, "sampling": "stratified"}
    records.append(at(100, task_settings=other))
    found = families(sections(records))
    assert [(one.title, one.spans) for one in found] == [
        ("debtags (sampling=hashed)", True),
        ("debtags (sampling=stratified)", False),
    ]


@pytest.mark.parametrize("changed", ["held out", "source"])
def test_no_curve_is_drawn_over_other_documents(at: AtSize, changed: str) -> None:
    records = [at(100), at(300)]
    records.append(at(1000, held_out=499) if changed == "held out" else at(300, data="b", method="prior"))
    parts = build_report(records).parts
    curves = parts[0]
    assert curves.title == "debtags: learning curves"
    assert not curves.drawn
    assert not curves.tables
    assert curves.warnings[0].startswith("No learning curve: ")
    assert all(part.figures for part in parts[1:])


def test_the_curve_comes_first_and_one_row_stands_at_a_glance(at: AtSize) -> None:
    records = [at(size, method=m, f1=f1) for size in (100, 300, None) for m, f1 in (("tfidf", 0.5), ("prior", 0.1))]
    report = build_report([*records, at(100, task="other")])
    assert [row[0].text for row in report.headline.rows] == ["debtags (train_documents=all)", "other"]
    assert any("only the largest stands here" in note and "debtags" in note for note in report.headline.notes)
    assert report.summary.startswith("2 tasks at up to 3 training sizes, 2 methods")
    titles = [part.title for part in report.parts]
    sizes = [f"debtags (train_documents={size})" for size in (100, 300, "all")]
    assert titles == ["debtags: learning curves", *sizes, "other"]
    assert "training documents: 100, 300, all 2,000 · held out at every size: validation 100" in report.parts[0].facts
    assert [len(part.opening) for part in report.parts] == [1, 0, 0, 0, 0]
    assert [bool(part.figures) for part in report.parts] == [False, False, False, True, True]


def test_one_size_alone_is_no_curve(at: AtSize) -> None:
    report = build_report([at(100), at(100, method="prior")])
    assert [part.title for part in report.parts] == ["debtags"]
    assert not any("training sizes" in note for note in report.headline.notes)
    assert quality_against_documents(family([at(100), at(300, status="oom")])) is None


def test_pages_show_curve_then_table(at: AtSize, tmp_path: Path) -> None:
    files = write_report([at(size, seed=s, f1=0.5 + s / 50) for size in (100, 300) for s in (0, 1)], tmp_path)
    (image,) = [path for path in files.plots if path.name.endswith("learning-curve.svg")]
    assert "<svg" in image.read_text("utf-8")
    markdown, html = files.markdown.read_text(), files.html.read_text()
    places = [markdown.index(words) for words in (": learning curves", f"plots/{image.name}", "micro-F1 at 100")]
    assert places == sorted(places)
    places = [html.index(words) for words in ("learning curves</bdi></h2>", 'alt="micro-F1 against', "at\u00a0100")]
    assert places == sorted(places)
    assert 'alt="micro-F1 against training documents: tfidf: 0.510 (0.500 to 0.520) at 100' in html


def test_ends_are_labelled_and_what_ends_early_is_in_a_legend(at: AtSize) -> None:
    records = [at(size, method=m, f1=f1) for size in (100, 300, None) for m, f1 in (("tfidf", 0.5), ("bert", 0.5))]
    words = labels(plot_of(records))
    assert (words.count("tfidf"), words.count("bert")) == (1, 1)
    words = labels(plot_of([*records, *(at(size, method="head", f1=0.4) for size in (100, 300))]))
    assert (words.count("tfidf"), words.count("bert"), words.count("head")) == (2, 2, 1)


def labels(plot: CurvePlot) -> list[str]:
    drawn = draw(plot, styles([curve.method for curve in plot.series]))
    return re.findall(r"<text[^>]*>([^<]+)</text>", drawn)


@pytest.mark.slow
def test_equal_seeds_and_many_curves_can_be_drawn(at: AtSize) -> None:
    assert fmean([0.003] * 3) != 0.003  # to the last bit
    records = [at(size, method=f"m{n}", seed=s, f1=0.003) for size in (100, 110) for n in range(40) for s in (0, 1, 2)]
    plot = plot_of(records)
    style = styles([curve.method for curve in plot.series])
    assert draw(plot, style) == draw(plot, style)
    assert {f"m{n}" for n in range(40)} <= set(labels(plot))


@given(st.lists(st.floats(-50, 400), max_size=20))
def test_labels_keep_their_order_and_distance(heights: list[float]) -> None:
    found = spread(sorted(heights), 0.0, 300.0, 13.0)
    assert all(-1e-6 <= height <= 300.0 + 1e-6 for height in found)
    assert all(upper - lower >= 13.0 - 1e-6 for lower, upper in pairwise(found))


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([10.0, 40.0, 60.0], 0.0, 300.0, 13.0) == [10.0, 40.0, 60.0]
