"""Grouped bars for plotly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from report.bar_drawing import lying
from report.charts import Bars, BarSeries
from report.interactive.frame import (
    HATCHES,
    Entry,
    Interactive,
    Trace,
    finite,
    layout,
    names_axis,
    shown,
    title,
)
from report.palette import FAINT, Style, turns

_THICKNESS = 11
"""Pixels of a lying bar."""


def bars(chart: Bars, style: Style) -> Interactive:
    """A bar a row and category; lying where names of categories are long or many."""
    flat = lying(chart)
    ranks = turns([one.method for one in chart.series])
    traces = tuple(_bars(one, chart, style, turn, flat) for one, turn in zip(chart.series, ranks, strict=True))
    legend = tuple(Entry(one.label, style[one.method][0], "s", "", (i,)) for i, one in enumerate(chart.series))
    names = names_axis(chart.x.title, chart.categories)
    values = {"title": title(chart.y.title), "rangemode": "tozero", "type": "log" if chart.y.log else "-"}
    if not flat:
        return Interactive(traces, layout(names, values, bargap=0.25), legend)
    # The first category stands at the top; a title beside long names would run into them.
    names |= {"range": names["range"][::-1], "title": title("")}
    height = 90 + len(chart.categories) * max(22, 8 + _THICKNESS * len(chart.series))
    return Interactive(traces, layout(values, names, height, bargap=0.25), legend)


def _bars(one: BarSeries, chart: Bars, style: Style, turn: int, flat: bool) -> Trace:
    along, up = ("y", "x") if flat else ("x", "y")
    heights = [finite(value) for value in one.values]
    spans = [_span(error) for error in one.errors or (None,) * len(one.values)]
    names = [[shown(category), span] for category, span in zip(chart.categories, spans, strict=True)]
    unit = shown(chart.y.title).replace("%{", "% {")
    return {
        "type": "bar",
        "orientation": "h" if flat else "v",
        along: list(range(len(chart.categories))),
        up: heights,
        f"error_{up}": _errors(one.values, one.errors) if one.errors else {"visible": False},
        "marker": {
            "color": style[one.method][0],
            "pattern": {"shape": HATCHES[turn % len(HATCHES)], "fgopacity": 0.7, "fgcolor": "#ffffff"},
        },
        "name": shown(one.label),
        "customdata": names,
        "hovertemplate": f"<b>%{{fullData.name}}</b><br>%{{customdata[0]}}<br>{unit}: %{{{up}:,.4~r}}"
        "%{customdata[1]}<extra></extra>",
    }


def _errors(values: Sequence[float | None], errors: Sequence[tuple[float, float] | None]) -> dict[str, Any]:
    pairs = list(zip(values, errors, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, e[1] - v) if e and v is not None else None for v, e in pairs],
        "arrayminus": [max(0.0, v - e[0]) if e and v is not None else None for v, e in pairs],
        "thickness": 1.2,
        "width": 3,
        "color": FAINT,
    }


def _span(error: tuple[float, float] | None) -> str:
    return f" ({error[0]:,.4g} to {error[1]:,.4g})" if error else ""
