"""Charts beside the scatter plots and learning curves, as plain data; renderers draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from report.plots import Axis
from report.text import listed


@dataclass(frozen=True)
class BarSeries:
    """One row of a table as bars, a bar a category.

    Attributes:
        method: Name of the method: its colour.
        label: Its name in the legend.
        values: Height by category; None where there is none.
        errors: Low and high end by category; empty where there are none.
    """

    method: str
    label: str
    values: tuple[float | None, ...]
    errors: tuple[tuple[float, float] | None, ...] = ()


@dataclass(frozen=True)
class Bars:
    """Grouped bars over categories.

    Attributes:
        key: Its name in file names.
        title: What it shows.
        x: The category axis.
        y: The value axis.
        categories: Names, in order.
        series: A row each.
        notes: What is not shown, and why.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    categories: tuple[str, ...]
    series: tuple[BarSeries, ...]
    notes: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The chart in words, for those who cannot see it."""
        said = [f"{one.label}: {_numbers(self.categories, one.values)}" for one in self.series]
        return f"{self.title}: {listed(said, 8)}."


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        method: Name of the method: its colour.
        label: Its name in the legend.
        points: x and y, by x.
        band: Low and high y at each point; empty where there is none.
        sizes: How many documents are behind each point, shown on hover; empty where that says nothing.
    """

    method: str
    label: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float], ...] = ()
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Lines over a number.

    Attributes:
        key: Its name in file names.
        title: What it shows.
        x: The x axis.
        y: The y axis.
        series: The lines.
        diagonal: Whether y = x is drawn, for calibration.
        notes: What is not shown, and why.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Line, ...]
    diagonal: bool = False
    notes: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The chart in words, for those who cannot see it."""
        said = [
            f"{one.label}: from {one.points[0][1]:.3g} at {one.points[0][0]:,.4g} "
            f"to {one.points[-1][1]:.3g} at {one.points[-1][0]:,.4g}"
            for one in self.series
            if one.points
        ]
        return f"{self.title}: {listed(said, 12)}."


@dataclass(frozen=True)
class Heat:
    """A table of numbers as shades.

    Attributes:
        key: Its name in file names.
        title: What it shows.
        x: What the columns are.
        y: What the rows are.
        columns: Their names.
        rows: Their names.
        values: By row, then column; None is drawn empty.
        notes: What is not shown, and why.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[Line, ...]:
        """It has no methods."""
        return ()

    @property
    def description(self) -> str:
        """The chart in words, for those who cannot see it."""
        said = [f"{name}: {_numbers(self.columns, row)}" for name, row in zip(self.rows, self.values, strict=True)]
        return f"{self.title}: {listed(said, 8)}."


@dataclass(frozen=True)
class Rank:
    """One row's mean rank over tasks; 1 is best."""

    method: str
    label: str
    mean: float


@dataclass(frozen=True)
class Ranks:
    """A critical-difference diagram (Demšar, JMLR 2006).

    Attributes:
        key: Its name in file names.
        title: What it shows.
        series: Mean ranks, best first.
        critical: Mean ranks that differ by less are not told apart.
        cliques: First and last position in ``series`` of each run of rows that are not told apart.
        notes: The tests behind it, and what is not shown.
    """

    key: str
    title: str
    series: tuple[Rank, ...]
    critical: float
    cliques: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The chart in words, for those who cannot see it."""
        said = [f"{one.label}: {one.mean:.2f}" for one in self.series]
        return f"{self.title}: {listed(said, 20)}; critical difference {self.critical:.2f}."


Chart = Bars | Lines | Heat | Ranks


def _numbers(names: Sequence[str], values: Sequence[float | None]) -> str:
    pairs = zip(names, values, strict=True)
    return listed([f"{name} {value:.3f}" for name, value in pairs if value is not None], 10)
