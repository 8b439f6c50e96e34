"""Lines over a number for plotly."""

from __future__ import annotations

from report.charts import Line, Lines
from report.interactive.frame import (
    DASHES,
    SYMBOLS,
    Entry,
    Interactive,
    Trace,
    layout,
    number_axis,
    quiet_line,
    shown,
    translucent,
)
from report.palette import Style, turns

_MOST_MARKS = 40
"""Lines of more points get no marks."""


def lines(chart: Lines, style: Style) -> Interactive:
    """A line a row with its band; the diagonal where it says something."""
    traces: list[Trace] = [quiet_line([(0.0, 0.0), (1.0, 1.0)], dash="dash")] if chart.diagonal else []
    legend = []
    for one, turn in zip(chart.series, turns([one.method for one in chart.series]), strict=True):
        dash = DASHES[turn % len(DASHES)]
        new = [*([_band(one, style)] if one.band else []), _line(one, chart, style, dash)]
        places = tuple(range(len(traces), len(traces) + len(new)))
        legend.append(Entry(one.label, *style[one.method], dash=dash, traces=places))
        traces += new
    xs, ys = zip(*extent(chart), strict=True)
    return Interactive(tuple(traces), layout(number_axis(chart.x, xs), number_axis(chart.y, ys)), tuple(legend))


def extent(chart: Lines) -> list[tuple[float, float]]:
    """Everything that is drawn, as points; a unit square where nothing is."""
    points = [point for one in chart.series for point in one.points]
    for one in chart.series:
        points += [(x, y) for (x, _), ends in zip(one.points, one.band, strict=False) for y in ends]
    corners = [(0.0, 0.0), (1.0, 1.0)]
    return points + (corners if chart.diagonal else []) or corners


def _line(one: Line, chart: Lines, style: Style, dash: str) -> Trace:
    colour, marker = style[one.method]
    sizes = [f"<br>{size:,} documents" for size in one.sizes] or [""] * len(one.points)
    x, y = (shown(axis.title.replace(" (log scale)", "")).replace("%{", "% {") for axis in (chart.x, chart.y))
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(one.points) <= _MOST_MARKS else "lines",
        "x": [x for x, _ in one.points],
        "y": [y for _, y in one.points],
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"color": colour, "symbol": SYMBOLS[marker], "size": 8},
        "customdata": sizes,
        "name": shown(one.label),
        "hovertemplate": f"<b>%{{fullData.name}}</b><br>{y}: %{{y:.3~f}}<br>{x}: %{{x:,.4~r}}%{{customdata}}"
        "<extra></extra>",
    }


def _band(one: Line, style: Style) -> Trace:
    xs = [x for x, _ in one.points]
    lows, highs = zip(*one.band, strict=True)
    around = [*zip(xs, highs, strict=True), *list(zip(xs, lows, strict=True))[::-1]]
    fill = translucent(style[one.method][0], 0.15)
    return quiet_line(around, width=0) | {"fill": "toself", "fillcolor": fill}
