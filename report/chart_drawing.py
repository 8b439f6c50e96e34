"""Charts drawn by matplotlib: what all of them share, and which module draws which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from report.bar_drawing import draw_bars, size_of_bars
from report.charts import Bars, Chart, Heat, Lines
from report.heat_drawing import draw_heat, size_of_heat
from report.line_drawing import draw_lines
from report.palette import FAINT, INK, Style
from report.rank_drawing import draw_ranks, size_of_ranks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 5.6
_HEIGHT = 3.9


def chart_figure(chart: Chart, style: Style) -> Figure:
    """A chart as a figure of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _height(chart)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    frame(axes, chart.title)
    legend = _drawn(axes, chart, style)
    if legend:
        _legend(figure, legend)
    figure.draw_without_rendering()  # lays it out
    return figure


def frame(axes: Axes, title: str) -> None:
    """Title, faint grid, axes on two sides."""
    axes.set_title(title, fontsize=10.5, color=INK, loc="left", pad=8, parse_math=False)
    axes.tick_params(colors=INK, labelsize=8.5, length=3, color=FAINT)
    axes.grid(visible=True, color=FAINT, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _height(chart: Chart) -> float:
    if isinstance(chart, Bars):
        return size_of_bars(chart)
    if isinstance(chart, Lines):
        return _HEIGHT
    return size_of_heat(chart) if isinstance(chart, Heat) else size_of_ranks(chart)


def _drawn(axes: Axes, chart: Chart, style: Style) -> Sequence[tuple[str, dict[str, Any]]]:
    if isinstance(chart, Bars):
        return draw_bars(axes, chart, style)
    if isinstance(chart, Lines):
        return draw_lines(axes, chart, style)
    if isinstance(chart, Heat):
        draw_heat(axes, chart)
    else:
        draw_ranks(axes, chart, style)
    return ()


def _legend(figure: Figure, entries: Sequence[tuple[str, dict[str, Any]]]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(label=_clip(name), **look) if "facecolor" in look else Line2D([], [], label=_clip(name), **look)
        for name, look in entries[:_MOST_IN_LEGEND]
    ]
    columns = max(1, min(4, 84 // (max(len(_clip(name)) for name, _ in entries) + 8)))
    legend = figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, fontsize=8, frameon=False, labelcolor=INK
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


_MOST_IN_LEGEND = 16


def _clip(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
