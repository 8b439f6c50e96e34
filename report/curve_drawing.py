"""Drawing learning curves: lines with gaps, bars over seeds, labels at their ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from report.curves import Curve, CurvePlot, Point
from report.palette import FAINT, INK, Style
from report.placing import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

LINES = ("-", "--", ":", "-.")
"""Of the curves of one method."""
_LINE_HEIGHT = 13.0
"""Pixels between the middles of two labels below each other."""
_LETTERS_ACROSS = 70
"""Letters of a label that fill the x axis, about."""
_TICKS_APART = 0.1
"""Least distance of two ticks with numbers, as a share of the axis."""


def draw_curves(axes: Axes, plot: CurvePlot, style: Style) -> None:
    """A line and a marker a row, broken where there is no value; bars from the lowest seed to the highest."""
    _leave_room(axes, plot)
    _mark_sizes(axes, plot.sizes)
    for one, look in zip(plot.series, looks(plot.series, style), strict=True):
        xs, ys, below, above = zip(*map(_bar, one.points), strict=True)
        axes.errorbar(xs, ys, yerr=(below, above), linewidth=1.4, elinewidth=1.0, capsize=2.5, **look)


def _bar(point: Point | None) -> tuple[float, float, float, float]:
    """Place, and lengths of the bar below and above; NaN, which breaks the line, where there is no value."""
    if point is None:
        return (math.nan,) * 4
    # A mean of equal values may lie beside them by a rounding.
    return point.x, point.y, max(0.0, point.y - point.low), max(0.0, point.high - point.y)


def _leave_room(axes: Axes, plot: CurvePlot) -> None:
    """Put the last points as far from the right edge as their labels are long, up to two fifths of the axis."""
    low, high = plot.sizes[0], plot.sizes[-1]
    after = min(0.4, (max(len(end_label(one)) for one in plot.series) + 5) / _LETTERS_ACROSS)
    before = 0.06
    whole = math.log10(high / low) / (1 - before - after)
    axes.set_xlim(low / 10 ** (before * whole), high * 10 ** (after * whole))


def looks(curves: Sequence[Curve], style: Style) -> list[dict[str, Any]]:
    """Colour, marker and line of each curve; those of one method differ in their lines."""
    seen: Counter[str] = Counter()
    found = []
    for one in curves:
        colour, marker = style[one.method]
        look = {"color": colour, "marker": marker, "markersize": 6, "linestyle": LINES[seen[one.method] % len(LINES)]}
        found.append({**look, "markerfacecolor": "none" if one.hollow else colour})
        seen[one.method] += 1
    return found


def _mark_sizes(axes: Axes, sizes: Sequence[float]) -> None:
    """Ticks at the sizes themselves, from the largest down, as far as their numbers do not run into each other."""
    from matplotlib.ticker import FixedLocator, NullLocator

    left, right = axes.get_xlim()
    apart = (right / left) ** _TICKS_APART
    ticks: list[float] = []
    for size in reversed(sizes):
        if not ticks or ticks[-1] / size >= apart:
            ticks.append(size)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())


def label_ends(axes: Axes, plot: CurvePlot) -> bool:
    """Label the curves that reach the largest size, right of their ends and in their order; says whether all are."""
    ending = [one for one in plot.series if one.measured[-1].x == plot.sizes[-1]]
    frame = axes.get_window_extent()
    room = int(frame.height / _LINE_HEIGHT)
    named = sorted(sorted(ending, key=lambda one: one.number is not None)[:room], key=lambda one: one.measured[-1].y)
    ends = [(one.measured[-1].x, one.measured[-1].y) for one in named]
    heights = [y for _, y in map(axes.transData.transform, ends)]
    fitting = 0
    for one, end, height, aim in zip(
        named, ends, heights, spread(heights, frame.y0, frame.y1, _LINE_HEIGHT), strict=True
    ):
        text = _label_end(axes, end_label(one), end, aim - height)
        if text.get_window_extent().x1 <= frame.x1:
            fitting += 1
        else:
            text.remove()
    return fitting == len(plot.series)


def _label_end(axes: Axes, words: str, end: tuple[float, float], up: float) -> Annotation:
    """A label right of a point and so many pixels above it, with a thin line to it where it is not beside it."""
    moved = abs(up) > _LINE_HEIGHT / 3
    text = axes.annotate(
        words,
        end,
        (16 if moved else 7, up * 72 / axes.figure.dpi),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=INK,
        arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4} if moved else None,
    )
    text.set_parse_math(False)
    return text


def end_label(curve: Curve) -> str:
    """What stands beside the end of a curve: its name, or its number."""
    return curve.label if curve.number is None else curve.label.removeprefix(f"{curve.method} ")
