"""Drawing tables of numbers as shades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from report.charts import Heat
from report.palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as Ruler

_SHADES = ("#eef4f9", "#0072B2")
_MOST_WRITTEN = 14


def size_of_heat(chart: Heat) -> float:
    """Height in inches."""
    return min(12.0, 1.9 + 0.28 * max(4, len(chart.rows)))


def draw_heat(axes: Axes, chart: Heat) -> None:
    """A shade for each number, and the number itself where there is room."""
    from matplotlib.colors import LinearSegmentedColormap

    known = [value for row in chart.values for value in row if value is not None]
    low, high = min([0.0, *known]), max(known, default=1.0) or 1.0
    numbers = [[math.nan if value is None else value for value in row] for row in chart.values]
    shades = LinearSegmentedColormap.from_list("shades", _SHADES)
    axes.imshow(numbers, cmap=shades, vmin=low, vmax=high, aspect="auto")
    axes.grid(visible=False)
    _names(axes.xaxis, chart.columns, chart.x.title, 18)
    _names(axes.yaxis, chart.rows, chart.y.title, 24)
    for text in axes.get_xticklabels():
        text.set(rotation=40, ha="right", rotation_mode="anchor")
    if len(chart.columns) <= _MOST_WRITTEN:
        _write(axes, chart, (low + high) / 2)


def _names(ruler: Ruler, names: Sequence[str], title: str, most: int) -> None:
    ruler.set_ticks(range(len(names)), [name if len(name) <= most else name[: most - 1] + "…" for name in names])
    for text in ruler.get_ticklabels():
        text.set_parse_math(False)
    ruler.set_label_text(title, fontsize=9, color=INK, parse_math=False)


def _write(axes: Axes, chart: Heat, middle: float) -> None:
    for up, row in enumerate(chart.values):
        for across, value in enumerate(row):
            if value is not None:
                colour = "#ffffff" if value > middle else "#1f2328"
                axes.text(across, up, f"{value:,.3g}", ha="center", va="center", fontsize=7.5, color=colour)
