"""Critical-difference diagrams for plotly."""

from __future__ import annotations

from typing import Any

from report.charts import Ranks
from report.interactive.frame import SYMBOLS, Interactive, Trace, layout, quiet_line, shown, title
from report.palette import FAINT, Style

_ROW = 30
"""Pixels a row."""


def ranks(chart: Ranks, style: Style) -> Interactive:
    """A row each, best first, its mean rank on a common axis; bars above join those that are not told apart."""
    bars = [(chart.series[first].mean, chart.series[last].mean) for first, last in chart.cliques]
    top = -1.2 - len(bars)
    traces = [_ruler(chart, top), *(_clique(span, -0.9 - place) for place, span in enumerate(bars))]
    rows = [_row(chart, place, style) for place in range(len(chart.series))]
    names = [shown(one.label, 28) for one in chart.series]
    y = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names, "zeroline": False}
    y |= {"range": [len(names) - 0.5, top - 0.9], "showgrid": True}
    height = 90 + int(_ROW * (len(names) - top))
    return Interactive((*traces, *rows), layout(_axis(chart), y, height, annotations=[_said(chart, top)]))


def _axis(chart: Ranks) -> dict[str, Any]:
    high = max(1.0 + chart.critical, len(chart.series), *(one.mean for one in chart.series))
    return {"title": title("Mean rank, 1 is best"), "range": [0.7, high + 0.3], "side": "top", "dtick": 1}


def _ruler(chart: Ranks, height: float) -> Trace:
    return quiet_line([(1.0, height), (1.0 + chart.critical, height)], width=3)


def _said(chart: Ranks, height: float) -> dict[str, Any]:
    text = f"critical difference {chart.critical:.2f}"
    place = {"x": 1.0, "y": height, "xanchor": "left", "yanchor": "bottom", "yshift": 2}
    return {"text": text, "showarrow": False, "font": {"size": 11}, **place}


def _clique(span: tuple[float, float], height: float) -> Trace:
    line = quiet_line([(span[0] - 0.05, height), (span[1] + 0.05, height)], width=6, color=FAINT)
    return line | {"name": "not told apart"}


def _row(chart: Ranks, place: int, style: Style) -> Trace:
    one = chart.series[place]
    colour, marker = style[one.method]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [one.mean],
        "y": [place],
        "marker": {"color": colour, "symbol": SYMBOLS[marker], "size": 12},
        "customdata": [shown(one.label)],
        "hovertemplate": "<b>%{customdata}</b><br>mean rank %{x:.2f}<extra></extra>",
    }
