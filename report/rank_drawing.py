"""Drawing critical-difference diagrams (Demšar, JMLR 2006)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.charts import Ranks
from report.palette import FAINT, INK, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def size_of_ranks(chart: Ranks) -> float:
    """Height in inches."""
    return 1.3 + 0.26 * (len(chart.series) + len(chart.cliques))


def draw_ranks(axes: Axes, chart: Ranks, style: Style) -> None:
    """A row each at its mean rank, best first; bars above them join those that are not told apart."""
    top = -1.2 - len(chart.cliques)
    axes.plot([1, 1 + chart.critical], [top, top], color=FAINT, linewidth=2, solid_capstyle="butt")
    said = f"critical difference {chart.critical:.2f}"
    axes.text(1, top - 0.25, said, fontsize=8, color=INK, va="bottom")
    for place, (first, last) in enumerate(chart.cliques):
        span = [chart.series[first].mean - 0.05, chart.series[last].mean + 0.05]
        axes.plot(span, [-0.9 - place] * 2, color=FAINT, linewidth=4, solid_capstyle="butt")
    for place, one in enumerate(chart.series):
        colour, marker = style[one.method]
        axes.plot([one.mean], [place], color=colour, marker=marker, markersize=7, linestyle="")
    names = [one.label if len(one.label) <= 28 else one.label[:27] + "…" for one in chart.series]
    axes.set_yticks(range(len(names)), names)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.set_ylim(len(names) - 0.5, top - 1)
    high = max(1 + chart.critical, len(names), *(one.mean for one in chart.series))
    axes.set_xlim(0.7, high + 0.3)
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.spines["top"].set(visible=True, color=FAINT)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("Mean rank, 1 is best", fontsize=9, color=INK)
