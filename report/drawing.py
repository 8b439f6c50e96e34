"""Plots drawn by matplotlib, through its objects: no global state is left changed."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.meters.environment import usable_cores
from report.chart_drawing import chart_figure, frame
from report.charts import Chart
from report.curve_drawing import draw_curves, label_ends, looks
from report.curves import CurvePlot
from report.palette import FAINT, INK, Style, styles
from report.plots import Axis, Plot, Series
from report.text import slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from report.figures import Figure as Figured

SIZE = (5.6, 3.9)
"""Inches: a phone shows it at about its own size."""
_MOST_LABELS = 30
_MOST_IN_LEGEND = 12
_MANY = 16
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_ADAPT = (
    f"<style>:root{{color:{INK};color-scheme:light dark}}"
    "@media (prefers-color-scheme:dark){:root{color:#e6edf3}}</style>"
)

AnyPlot = Plot | CurvePlot | Chart
PointPlot = Plot | CurvePlot

__all__ = ["AnyPlot", "draw", "draw_all", "styles"]


def draw_all(figures: Sequence[Figured], style: Style) -> dict[str, str]:
    """Draw figures, very many of them in as many processes as there are cores.

    Returns:
        Name → what :func:`draw` makes.
    """
    from joblib import Parallel, delayed

    # New processes import matplotlib anew, which takes as long as drawing some plots.
    workers = usable_cores() if len(figures) >= _MANY else 1
    drawn = Parallel(n_jobs=workers)(delayed(draw)(figure.plot, style) for figure in figures)
    return {figure.name: svg for figure, svg in zip(figures, drawn, strict=True)}


def draw(plot: AnyPlot, style: Style) -> str:
    """A plot as SVG, drawn the same way every time.

    It stands on a clear ground, and its ink follows the light or dark scheme of the page.
    """
    import matplotlib as mpl

    settings = {**mpl.rcParamsDefault, "svg.fonttype": "none", "svg.hashsalt": slug(plot.title)}
    settings.pop("backend", None)
    settings.pop("backend_fallback", None)
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A label may hold signs that the font lacks, whose width is then guessed.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        return _adapting(_svg(_figure(plot, style) if isinstance(plot, PointPlot) else chart_figure(plot, style)))


def _svg(figure: Figure) -> str:
    # What was laid out stays: to lay it out anew would take as long as to draw it.
    figure.set_layout_engine(None)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _adapting(svg: str) -> str:
    head, tag, rest = svg[svg.index("<svg") :].partition(">")
    body = rest.replace(INK, "currentColor").replace("'DejaVu Sans'", _FONTS)
    return head + tag + _ADAPT + body


def _figure(plot: PointPlot, style: Style) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _frame(axes, plot)
    if isinstance(plot, CurvePlot):
        draw_curves(axes, plot, style)
        label = partial(label_ends, axes, plot)
    else:
        _scatter(axes, plot, style)
        label = partial(_label, axes, plot.series)
    numbered = any(one.number is not None for one in plot.series)
    if numbered:
        _legend(axes, plot, style)
    figure.draw_without_rendering()
    if not label() and not numbered:
        # The legend takes room from the axes, so that the labels must be placed anew.
        _legend(axes, plot, style)
        for text in list(axes.texts):
            text.remove()
        figure.draw_without_rendering()
        label()
    return figure


def _frame(axes: Axes, plot: PointPlot) -> None:
    frame(axes, plot.title)
    axes.set_xlabel(plot.x.title, fontsize=9, color=INK, parse_math=False)
    axes.set_ylabel(plot.y.title, fontsize=9, color=INK, parse_math=False)
    _scale(axes, plot.x, [x for x, _ in plot.extent])
    heights = [y for _, y in plot.extent]
    room = max(0.02, 0.18 * (max(heights) - min(heights)))
    axes.set_ylim(min(heights) - room, max(heights) + room)


def _scale(axes: Axes, axis: Axis, values: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = min(values), max(values)
    if axis.log:
        # At least a decade, so that there are ticks; some room at both ends for labels.
        stretch = max(1.6, (high / low) ** 0.15, math.sqrt(10 * low / high))
        axes.set_xscale("log")
        axes.set_xlim(low / stretch, high * stretch)
        decades = math.log10(high / low * stretch**2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        room = max(0.3 * (high - low), 0.15 * high)
        axes.set_xlim(max(0.0, low - room), high + room)
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _scatter(axes: Axes, plot: Plot, style: Style) -> None:
    if plot.front:
        xs, ys = zip(*plot.front, strict=True)
        axes.plot(xs, ys, color=FAINT, linewidth=1.2, linestyle=":")
    for key in dict.fromkeys((one.method, one.hollow) for one in plot.series):
        chosen = [one for one in plot.series if (one.method, one.hollow) == key]
        _points(axes, chosen, style[key[0]], 48 if len(plot.series) <= _MOST_LABELS else 20)


def _points(axes: Axes, series: Sequence[Series], style: tuple[str, str], size: float) -> None:
    colour, marker = style
    seeds = [point for one in series for point in one.seeds]
    face = "none" if series[0].hollow else colour
    look: dict[str, Any] = {"marker": marker, "facecolors": face, "edgecolors": colour}
    if seeds:
        axes.scatter([x for x, _ in seeds], [y for _, y in seeds], s=size / 4, alpha=0.5, linewidths=0.6, **look)
    xs, ys = [one.x for one in series], [one.y for one in series]
    axes.scatter(xs, ys, s=size, linewidths=size / 37, **look)


def _label(axes: Axes, series: Sequence[Series]) -> bool:
    """Label as many points as there is room for; says whether all got theirs."""
    from report.placing import Box, place

    figure = axes.figure
    to_pixels = axes.transData.transform
    named = sorted(series, key=lambda one: one.number is not None)[:_MOST_LABELS]
    centres = [tuple(to_pixels((one.x, one.y))) for one in named]
    marks = [tuple(to_pixels((one.x, one.y))) for one in series]
    seeds = [tuple(to_pixels(point)) for one in named for point in one.seeds[:10]]
    texts = [
        axes.annotate(
            one.label if one.number is None else one.label.removeprefix(f"{one.method} "),
            (one.x, one.y),
            (0, 0),
            textcoords="offset points",
            va="bottom",
            fontsize=8.5,
            color=INK,
        )
        for one in named
    ]
    for text in texts:
        text.set_parse_math(False)
    extents = [text.get_window_extent() for text in texts]
    frame = axes.get_window_extent()
    obstacles = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in marks] + [
        Box(x - 2, y - 2, x + 2, y + 2) for x, y in seeds
    ]
    bounds = Box(frame.x0, frame.y0, frame.x1, frame.y1)
    spots = place(centres, [(e.width, e.height) for e in extents], obstacles, bounds)
    points_per_pixel = 72 / figure.dpi
    for text, spot, (x, y) in zip(texts, spots, centres, strict=True):
        if spot is None:
            text.remove()
        else:
            text.set_position(((spot[0] - x) * points_per_pixel, (spot[1] - y) * points_per_pixel))
    return len(series) <= _MOST_LABELS and None not in spots


def _legend(axes: Axes, plot: PointPlot, style: Style) -> None:
    from matplotlib.lines import Line2D

    entries = _entries(plot, style)
    handles = [Line2D([], [], label=name, **look) for name, look in entries]
    columns = max(1, min(4, 84 // (max(len(name) for name, _ in entries) + 6)))
    legend = axes.figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=columns,
        fontsize=8,
        frameon=False,
        labelcolor=INK,
        handlelength=3.0 if isinstance(plot, CurvePlot) else 2.0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _entries(plot: PointPlot, style: Style) -> list[tuple[str, dict[str, Any]]]:
    """What the legend names: each curve, where none has a number; else each method."""
    if isinstance(plot, CurvePlot) and all(one.number is None for one in plot.series):
        labels = [one.label for one in plot.series]
        return list(zip(labels, looks(plot.series, style), strict=True))
    methods = list(dict.fromkeys(one.method for one in plot.series))[:_MOST_IN_LEGEND]
    return [(_clip(name), {"linestyle": "", "color": style[name][0], "marker": style[name][1]}) for name in methods]


def _clip(name: str) -> str:
    return name if len(name) <= 32 else name[:31] + "…"
