"""Drawing lines over a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report.charts import Lines
from report.curve_drawing import LINES
from report.palette import FAINT, INK, Style, turns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_MARKS = 40


def draw_lines(axes: Axes, chart: Lines, style: Style) -> list[tuple[str, dict[str, Any]]]:
    """Lines with their bands; gives what the legend names."""
    if chart.diagonal:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    entries = []
    for one, turn in zip(chart.series, turns([one.method for one in chart.series]), strict=True):
        colour, marker = style[one.method]
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker if len(one.points) <= _MOST_MARKS else "",
            "markersize": 5,
        }
        look |= {"linestyle": LINES[turn % len(LINES)], "linewidth": 1.4}
        xs, ys = [x for x, _ in one.points], [y for _, y in one.points]
        axes.plot(xs, ys, **look)
        if one.band:
            lows, highs = zip(*one.band, strict=True)
            axes.fill_between(xs, lows, highs, color=colour, alpha=0.15, linewidth=0)
        entries.append((one.label, look))
    axes.set_xlabel(chart.x.title, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(chart.y.title, fontsize=9, color=INK, parse_math=False)
    if chart.x.log:
        axes.set_xscale("log")
    if chart.y.log:
        axes.set_yscale("log")
    return entries
