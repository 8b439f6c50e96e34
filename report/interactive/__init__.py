"""Charts as figures of plotly: pure functions from plain data to plain data."""

from report.interactive.drawn import AnyPlot, interactive
from report.interactive.frame import Entry, Interactive

__all__ = ["AnyPlot", "Entry", "Interactive", "interactive"]
