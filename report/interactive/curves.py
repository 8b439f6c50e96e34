"""Learning curves for plotly."""

from __future__ import annotations

from report.curves import Curve, CurvePlot, Point
from report.interactive.frame import DASHES, SYMBOLS, Entry, Interactive, Trace, layout, number_axis, shown
from report.palette import Style, turns


def curves(plot: CurvePlot, style: Style) -> Interactive:
    """A line a row, broken where there is no value; bars from the lowest seed to the highest."""
    dashes = [DASHES[turn % len(DASHES)] for turn in turns([one.method for one in plot.series])]
    pairs = list(zip(plot.series, dashes, strict=True))
    traces = tuple(_curve(one, plot, style, dash) for one, dash in pairs)
    legend = tuple(
        Entry(one.label, *style[one.method], dash=dash, traces=(place,)) for place, (one, dash) in enumerate(pairs)
    )
    x = number_axis(plot.x, plot.sizes) | {
        "tickmode": "array",
        "tickvals": list(plot.sizes),
        "ticktext": [f"{size:,.0f}" for size in plot.sizes],
    }
    return Interactive(traces, layout(x, number_axis(plot.y, [y for _, y in plot.extent])), legend)


def _curve(one: Curve, plot: CurvePlot, style: Style, dash: str) -> Trace:
    colour, marker = style[one.method]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        # A gap has no place of its own: plotly breaks the line at a point without one.
        "x": [point and point.x for point in one.points],
        "y": [point and point.y for point in one.points],
        "error_y": _bars(one.points),
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"color": colour, "symbol": SYMBOLS[marker] + ("-open" if one.hollow else ""), "size": 9},
        "customdata": [[shown(one.label), _spread(point)] for point in one.points],
        "hovertemplate": f"<b>%{{customdata[0]}}</b><br>{shown(plot.y.title)}: %{{y:.3f}}%{{customdata[1]}}"
        "<br>%{x:,} documents<extra></extra>",
    }


def _bars(points: tuple[Point | None, ...]) -> Trace:
    return {
        "type": "data",
        "symmetric": False,
        "array": [point and max(0.0, point.high - point.y) for point in points],
        "arrayminus": [point and max(0.0, point.y - point.low) for point in points],
        "thickness": 1.2,
        "width": 4,
    }


def _spread(point: Point | None) -> str:
    return f" ({point.low:.3f} to {point.high:.3f} over seeds)" if point and point.low < point.high else ""
