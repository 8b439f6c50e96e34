"""Drawing grouped bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from report.charts import Bars, BarSeries
from report.palette import FAINT, INK, Style, turns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = ("", "///", "xxx", "...")
"""Of the bars of one method."""
_SHARE = 0.8
"""Of the room between two categories that their bars fill."""


def lying(chart: Bars) -> bool:
    """Whether bars lie, so that names of categories stand below each other: where they are long or many."""
    return len(chart.categories) > 8 or max(map(len, chart.categories), default=0) > 14


def size_of_bars(chart: Bars) -> float:
    """Height in inches."""
    if not lying(chart):
        return 3.9
    return min(40.0, 1.3 + len(chart.categories) * max(0.2, 0.06 + 0.09 * len(chart.series)))


def draw_bars(axes: Axes, chart: Bars, style: Style) -> list[tuple[str, dict[str, Any]]]:
    """Bars with their errors; gives what the legend names."""
    flat, entries = lying(chart), []
    for place, turn in enumerate(turns([one.method for one in chart.series])):
        one = chart.series[place]
        look = {"facecolor": style[one.method][0], "hatch": HATCHES[turn % len(HATCHES)], "edgecolor": "white"}
        _series(axes, one, (place, len(chart.series)), flat, {**look, "linewidth": 0})
        entries.append((one.label, look))
    _names(axes, chart, flat)
    return entries


def _series(axes: Axes, one: BarSeries, turn: tuple[int, int], flat: bool, look: dict[str, Any]) -> None:
    place, count = turn
    width = _SHARE / count
    spots = [i + (place - (count - 1) / 2) * width for i in range(len(one.values))]
    heights = [math.nan if value is None else value for value in one.values]
    (axes.barh if flat else axes.bar)(spots, heights, width, **look)
    if any(one.errors):
        bars = _errors(one.values, one.errors)
        ends: dict[str, Any] = {"xerr" if flat else "yerr": bars}
        points = (heights, spots) if flat else (spots, heights)
        axes.errorbar(*points, fmt="none", ecolor=FAINT, elinewidth=1, capsize=2, **ends)


def _errors(
    values: Sequence[float | None], errors: Sequence[tuple[float, float] | None]
) -> tuple[list[float], list[float]]:
    pairs = list(zip(values, errors, strict=True))
    below = [max(0.0, v - e[0]) if e and v is not None else 0.0 for v, e in pairs]
    above = [max(0.0, e[1] - v) if e and v is not None else 0.0 for v, e in pairs]
    return below, above


def _names(axes: Axes, chart: Bars, flat: bool) -> None:
    ticks = [name if len(name) <= 28 else name[:27] + "…" for name in chart.categories]
    names, values = (axes.yaxis, axes.xaxis) if flat else (axes.xaxis, axes.yaxis)
    names.set_ticks(range(len(ticks)), ticks)
    for text in names.get_ticklabels():
        text.set_parse_math(False)
    names.grid(visible=False)
    names.set_label_text(chart.x.title, fontsize=9, color=INK, parse_math=False)
    values.set_label_text(chart.y.title, fontsize=9, color=INK, parse_math=False)
    if flat:
        axes.set_ylim(len(ticks) - 0.5, -0.5)
    if chart.y.log:
        (axes.set_xscale if flat else axes.set_yscale)("log")
