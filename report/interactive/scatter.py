"""Scatter plots for plotly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from report.interactive.frame import SYMBOLS, Entry, Interactive, Trace, layout, number_axis, quiet_line, shown
from report.palette import Style
from report.placing import Box, place
from report.plots import Axis, Plot, Series

_MOST_LABELS = 24
_NOMINAL = (430.0, 310.0)
"""Pixels of the axes for which labels are placed: between those of a phone and of a desktop."""
_LETTER = 6.2
_LINE = 14.0


def scatter(plot: Plot, style: Style) -> Interactive:
    """A mark a row, small ones for its seeds, and a line through those that no other surpasses in both."""
    xs, ys = zip(*plot.extent, strict=True)
    x, y = number_axis(plot.x, xs, zero=True), number_axis(plot.y, ys)
    labels = _labels(plot, x["range"], y["range"])
    traces: list[Trace] = [quiet_line(plot.front, dash="dot")] if plot.front else []
    legend: dict[str, list[int]] = {}
    for key in dict.fromkeys((one.method, one.hollow) for one in plot.series):
        chosen = [one for one in plot.series if (one.method, one.hollow) == key]
        new = [*_seeds(chosen, plot, style), _means(chosen, plot, style, labels)]
        legend.setdefault(key[0], []).extend(range(len(traces), len(traces) + len(new)))
        traces += new
    entries = tuple(Entry(name, *style[name], dash="", traces=tuple(own)) for name, own in legend.items())
    return Interactive(tuple(traces), layout(x, y), entries)


def _means(series: Sequence[Series], plot: Plot, style: Style, labels: dict[Series, str]) -> Trace:
    spots = [labels.get(one, "") for one in series]
    return {
        **_marks([(one.x, one.y) for one in series], series[0], style, 11),
        "mode": "markers+text" if any(spots) else "markers",
        "text": [shown(_label(one), 40) if spot else "" for one, spot in zip(series, spots, strict=True)],
        "textposition": [spot or "top center" for spot in spots],
        "textfont": {"size": 12},
        "cliponaxis": False,
        "customdata": [shown(_name(one)) for one in series],
        "hovertemplate": _hover(plot, "%{customdata}"),
    }


def _seeds(series: Sequence[Series], plot: Plot, style: Style) -> list[Trace]:
    pairs = [(one, point) for one in series for point in one.seeds]
    if not pairs:
        return []
    look = _marks([point for _, point in pairs], series[0], style, 5)
    names = [shown(_name(one)) for one, _ in pairs]
    hover = _hover(plot, "%{customdata}, one seed")
    # Keys go from mean to mean.
    quiet = {"mode": "markers", "opacity": 0.5, "meta": "seeds"}
    return [look | quiet | {"customdata": names, "hovertemplate": hover}]


def _marks(points: Sequence[tuple[float, float]], lead: Series, style: Style, size: int) -> Trace:
    colour, marker = style[lead.method]
    symbol = SYMBOLS[marker] + ("-open" if lead.hollow else "")
    return {
        "type": "scatter",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "marker": {"color": colour, "symbol": symbol, "size": size, "line": {"width": 1.5 if lead.hollow else 0}},
    }


def _hover(plot: Plot, name: str) -> str:
    x, y = (shown(axis.title.replace(" (log scale)", "")).replace("%{", "% {") for axis in (plot.x, plot.y))
    return f"<b>{name}</b><br>{y}: %{{y:.3f}}<br>{x}: %{{x:,.4~r}}<extra></extra>"


def _name(one: Series) -> str:
    return one.label if one.number is None else f"{one.label} ({one.method})"


def _label(one: Series) -> str:
    return one.label if one.number is None else one.label.removeprefix(f"{one.method} ")


def _labels(plot: Plot, across: Sequence[float], up: Sequence[float]) -> dict[Series, str]:
    """Where the name of each row stands beside its mark; those without room are left out, and show on hover."""
    named = sorted(plot.series, key=lambda one: one.number is not None)[:_MOST_LABELS]
    centre = {one: _pixel(one, plot.x, across, up) for one in plot.series}
    sizes = [(_LETTER * min(40, len(_label(one))), _LINE) for one in named]
    marks = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in centre.values()]
    spots = place([centre[one] for one in named], sizes, marks, Box(0, 0, *_NOMINAL))
    found = zip(named, spots, sizes, strict=True)
    return {one: _side(centre[one], spot, size) for one, spot, size in found if spot is not None}


def _pixel(one: Series, axis: Axis, across: Sequence[float], up: Sequence[float]) -> tuple[float, float]:
    x = math.log10(one.x) if axis.log else one.x
    shares = (x - across[0]) / (across[1] - across[0]), (one.y - up[0]) / (up[1] - up[0])
    return shares[0] * _NOMINAL[0], shares[1] * _NOMINAL[1]


def _side(centre: tuple[float, float], corner: tuple[Any, Any], size: tuple[float, float]) -> str:
    """``middle right``, ``top center``, … as plotly calls the place of a text that begins at a corner."""
    across, up = corner[0] - centre[0], corner[1] - centre[1]
    column = "right" if across > 0 else "left" if across + size[0] < 0 else "center"
    row = "top" if up > 0 else "bottom" if up + size[1] < 0 else "middle"
    return f"{row} {column}"
