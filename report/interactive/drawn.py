"""From any chart to its figure."""

from __future__ import annotations

from report.charts import Bars, Chart, Heat, Lines
from report.curves import CurvePlot
from report.interactive.bars import bars
from report.interactive.curves import curves
from report.interactive.frame import Interactive
from report.interactive.heat import heat
from report.interactive.lines import lines
from report.interactive.ranks import ranks
from report.interactive.scatter import scatter
from report.palette import Style
from report.plots import Plot

AnyPlot = Plot | CurvePlot | Chart


def interactive(plot: AnyPlot, style: Style) -> Interactive:
    """A chart as a figure for plotly's script.

    Args:
        plot: The chart.
        style: Colour and marker of each of its methods.
    """
    if isinstance(plot, Plot):
        return scatter(plot, style)
    if isinstance(plot, CurvePlot):
        return curves(plot, style)
    if isinstance(plot, Bars):
        return bars(plot, style)
    if isinstance(plot, Lines):
        return lines(plot, style)
    return heat(plot) if isinstance(plot, Heat) else ranks(plot, style)
