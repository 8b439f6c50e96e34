"""The numbers behind a chart as a table, for those who cannot see or point at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from report.charts import Bars, Chart, Heat, Lines
from report.curves import CurvePlot
from report.plots import Plot
from report.tables import Cell, Column, Table
from report.text import DASH, counted, plain

MOST = 200
"""Rows that such a table has at most."""


def numbers(plot: Plot | CurvePlot | Chart) -> Table:
    """The numbers of a chart, at most :data:`MOST` rows of them; what is left out is said."""
    table = _numbers(plot)
    left_out = len(table.rows) - MOST
    if left_out <= 0:
        return table
    note = f"The first {MOST} of {counted(len(table.rows), 'row')}."
    return replace(table, rows=table.rows[:MOST], notes=(note,))


def _numbers(plot: Plot | CurvePlot | Chart) -> Table:
    if isinstance(plot, Plot):
        return _table(plot, [plot.y.title, plot.x.title], ([one.label, one.y, one.x] for one in plot.series))
    if isinstance(plot, CurvePlot):
        return _table(plot, [plot.x.title, plot.y.title, "Lowest seed", "Highest seed"], _curves(plot))
    if isinstance(plot, Bars):
        return _table(plot, [one.label for one in plot.series], _bars(plot), lead=plot.x.title)
    if isinstance(plot, Lines):
        return _table(plot, [plot.x.title, plot.y.title, *_extra_titles(plot)], _lines(plot))
    if isinstance(plot, Heat):
        rows = ([name, *row] for name, row in zip(plot.rows, plot.values, strict=True))
        return _table(plot, plot.columns, rows, lead=f"{plot.y.title} \\ {plot.x.title}")
    return _table(plot, ["Mean rank"], ([one.label, one.mean] for one in plot.series))


def _curves(plot: CurvePlot) -> Iterator[list[str | float | None]]:
    for one in plot.series:
        for point in one.measured:
            yield [one.label, point.x, point.y, point.low, point.high]


def _bars(plot: Bars) -> Iterator[list[str | float | None]]:
    for place, category in enumerate(plot.categories):
        yield [category, *(one.values[place] for one in plot.series)]


def _lines(plot: Lines) -> Iterator[list[str | float | None]]:
    banded, sized = any(one.band for one in plot.series), any(one.sizes for one in plot.series)
    for one in plot.series:
        for place, (x, y) in enumerate(one.points):
            ends = (one.band[place] if one.band else (None, None)) if banded else ()
            yield [one.label, x, y, *ends, *([one.sizes[place] if one.sizes else None] if sized else [])]


def _extra_titles(plot: Lines) -> list[str]:
    titles = ["Low", "High"] if any(one.band for one in plot.series) else []
    return titles + (["Documents"] if any(one.sizes for one in plot.series) else [])


def _table(
    plot: Plot | CurvePlot | Chart, titles: Sequence[str], rows: Iterator[list[str | float | None]], lead: str = "Row"
) -> Table:
    columns = (Column("name", plain(lead)), *(Column(f"n{i}", plain(title), True) for i, title in enumerate(titles)))
    return Table(f"Numbers: {plot.title}", columns, tuple(tuple(map(_cell, row)) for row in rows))


def _cell(value: str | float | None) -> Cell:
    if isinstance(value, str):
        return Cell(plain(value))
    if value is None:
        return Cell(DASH, tone="muted")
    return Cell(f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.4g}", float(value))
