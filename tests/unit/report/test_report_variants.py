"""Many variants of a method: rows have numbers, and plots show those instead of names that would be cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from report.drawing import draw, styles
from report.groups import Section, sections
from report.labels import names
from report.plots import Plot, quality_against_speed
from report.tables import failures_table, group_table

if TYPE_CHECKING:
    from conftest import MakeRecord

POOLINGS = ("last", "mean", "max", "weighted-mean")


def with_variants(record: MakeRecord, count: int, **more: object) -> Section:
    """A row without variants, and so many of a method, the first the best."""
    variants = [
        record(method="head", settings={"pooling": POOLINGS[n % 4], "bits": n // 4}, f1=0.5 - n / 100, **more)
        for n in range(count)
    ]
    (section,) = sections([record(f1=0.455), *variants])
    return section


def plot_of(section: Section) -> Plot:
    plot = quality_against_speed(section, section.groups)
    assert plot is not None
    return plot


def drawn(plot: Plot) -> list[str]:
    svg = draw(plot, styles([one.method for one in plot.series]))
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_few_rows_have_names(record: MakeRecord) -> None:
    section = with_variants(record, 6)
    assert [group.number for group in section.groups] == [None] * 7
    assert "Row" not in [column.title for column in group_table("", section.groups, []).columns]
    assert "head · pooling=last, bits=0" in [one.label for one in plot_of(section).series]


def test_many_rows_have_the_numbers_of_the_table_in_plots(record: MakeRecord) -> None:
    section = with_variants(record, 12)
    table = group_table("", section.groups, [])
    place = [column.key for column in table.columns].index("number")
    assert [row[place].text for row in table.rows] == ["1", "2", "3", "4", "5", "–", *map(str, range(7, 14))]
    plot = plot_of(section)
    assert {"head 1", "tfidf", "head 13"} <= {one.label for one in plot.series}
    assert any("rows of the table" in note for note in plot.notes)
    words = drawn(plot)
    assert {"tfidf", "head"} <= set(words)  # a point's name; the legend's
    assert {"1", "7", "13"} <= set(words)
    assert not [word for word in words if "pooling" in word]


def test_two_rows_whose_names_would_be_cut_have_numbers(record: MakeRecord) -> None:
    settings = {"adapter": "lora", "quantisation": "none", "pooling": "weighted-mean"}
    other = {"adapter": "full", "quantisation": "nf4", "pooling": "latent-attention"}
    (section,) = sections([record(method="head", settings=settings), record(method="head", settings=other, f1=0.5)])
    assert max(map(len, names(section.groups))) > 48
    assert [group.number for group in section.groups] == [1, 2]


def test_numbers_are_the_same_on_every_machine(record: MakeRecord) -> None:
    both = [*with_variants(record, 8).records, *with_variants(record, 8, hardware_id="cpu-b", seed=1).records]
    (section,) = sections(both)
    number = {group.row: group.number for group in section.groups}
    assert [group.number for group in section.groups_by_machine] == [number[g.row] for g in section.groups_by_machine]
    assert len(set(number.values())) == 9


def test_an_unfinished_numbered_row_says_so(record: MakeRecord) -> None:
    failed = record(method="head", settings={"pooling": "last", "bits": 0}, seed=1, status="oom")
    (section,) = sections([*with_variants(record, 8).records, failed])
    plot = plot_of(section)
    assert "head 9 (1/2 seeds)" in [one.label for one in plot.series]
    assert "9 (1/2 seeds)" in drawn(plot)


def test_a_plot_of_seventy_rows_names_those_that_stand_alone(record: MakeRecord) -> None:
    records = [record(method="head", settings={"n": n}, f1=0.8 - n / 200, speed=100.0 + n) for n in range(70)]
    (section,) = sections([*records, record(method="prior", f1=0.1, speed=9000.0)])
    assert drawn(plot_of(section)).count("prior") == 2  # in the legend and beside its point


def test_cells_that_failed_name_their_variant(record: MakeRecord) -> None:
    def columns(section: Section) -> list[str]:
        return [column.title for column in failures_table([section]).columns]

    section = with_variants(record, 3, status="oom")
    assert columns(section)[3] == "Settings"
    shown = [row[3].text for row in failures_table([section]).rows]
    assert shown == ["pooling=last", "pooling=max", "pooling=mean"]  # bits are alike
    (plain,) = sections([record(status="oom")])
    assert "Settings" not in columns(plain)
