"""Plots as plain data; :mod:`report.drawing` draws them, and a later page may draw them otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from report.fronts import Point, step_line
from report.groups import Group, Section
from report.labels import marks
from report.measures import Measure, device_memory, host_above_idle, metric, speed, summarise, trained_parameters
from report.text import counted, listed, plain


@dataclass(frozen=True)
class Axis:
    """An axis: its title with the unit, and whether it is logarithmic."""

    title: str
    log: bool = False


@dataclass(frozen=True)
class Series:
    """One group: its mean, and a point for each seed where it has several.

    Attributes:
        method: Name of the method: colour and marker.
        label: What stands beside the mean; where it has a number, without the method's name.
        x: Mean on the x axis.
        y: Mean on the y axis.
        seeds: x and y of each seed; empty for one seed.
        hollow: Whether it is drawn hollow, for weights from scratch.
        number: Its row in the table, where the label names that instead of its settings.
    """

    method: str
    label: str
    x: float
    y: float
    seeds: tuple[tuple[float, float], ...] = ()
    hollow: bool = False
    number: int | None = None


@dataclass(frozen=True)
class Plot:
    """A scatter plot.

    Attributes:
        key: Its name in file names.
        title: What it shows.
        x: The x axis.
        y: The y axis.
        series: Its points.
        notes: What is not shown, and why.
        front: The Pareto front as points to be joined, by x; empty where none is drawn.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()
    front: tuple[tuple[float, float], ...] = ()

    @property
    def extent(self) -> tuple[tuple[float, float], ...]:
        """Everything that is drawn, as points."""
        return tuple(point for one in self.series for point in ((one.x, one.y), *one.seeds))

    @property
    def description(self) -> str:
        """The plot in words, for those who cannot see it."""
        points = [f"{one.label}: {one.y:.3f} at {one.x:,.4g}" for one in self.series]
        return f"{self.title}: {listed(points, 20)}."


def quality_against_speed(section: Section, groups: Sequence[Group]) -> Plot | None:
    """The primary metric against predict throughput."""
    return _scatter("predict-speed", section, groups, speed("predict"), "Predict documents per second")


def quality_against_host_memory(section: Section, groups: Sequence[Group]) -> Plot | None:
    """The primary metric against the peak host memory of training, above what the process held before its cell."""
    return _scatter("host-memory", section, groups, host_above_idle(), "Peak host memory in training above start, MiB")


def quality_against_device_memory(section: Section, groups: Sequence[Group]) -> Plot | None:
    """The primary metric against the peak device memory of training."""
    return _scatter("device-memory", section, groups, device_memory(), "Peak device memory in training, MiB")


def quality_against_parameters(section: Section, groups: Sequence[Group]) -> Plot | None:
    """The primary metric against the number of parameters that training changes."""
    return _scatter("parameters", section, groups, trained_parameters(), "Trained parameters")


MakePlot = Callable[[Section, Sequence[Group]], Plot | None]
DEFAULT_PLOTS: tuple[MakePlot, ...] = (
    quality_against_speed,
    quality_against_host_memory,
    quality_against_device_memory,
    quality_against_parameters,
)
_FRONT = "The line joins the rows that no other beats in both, among those that may be ranked."


def _scatter(key: str, section: Section, groups: Sequence[Group], x: Measure, title: str) -> Plot | None:
    y = metric(section.primary)
    labels = _labels(groups)
    series: list[Series] = []
    ranked: list[Point] = []
    absent: list[str] = []
    for group, label in zip(groups, labels, strict=True):
        one = _series(group, label, x, y)
        if one:
            series.append(one)
            ranked += [(one.x, one.y)] if group.rankable else []
        elif group.ok:
            absent.append(label)
    if not series:
        return None
    low, high = min(one.x for one in series), max(one.x for one in series)
    fast = x.key.endswith("per_second")
    log = fast or high > 20 * low
    front = step_line(ranked, more_is_better=fast)
    words = f"{y.title} against {title[0].lower()}{title[1:].partition(',')[0]}"
    notes = (*_notes(series, absent, x, y), *((_FRONT,) if front else ()))
    across = Axis(title + (" (log scale)" if log else ""), log)
    return Plot(key, words, across, Axis(y.title), tuple(series), notes, front)


def _series(group: Group, label: str, x: Measure, y: Measure) -> Series | None:
    across, up = summarise(group, x), summarise(group, y)
    if not across or not up or across.mean <= 0:
        return None
    pairs = [(x.read(record), y.read(record)) for record in group.ok]
    points = tuple((one, other) for one, other in pairs if one is not None and other is not None and one > 0)
    seeds = points if len(points) > 1 else ()
    return Series(plain(group.method), label, across.mean, up.mean, seeds, group.from_scratch, group.number)


def _notes(series: Sequence[Series], absent: Sequence[str], x: Measure, y: Measure) -> tuple[str, ...]:
    notes = []
    if any(one.number is not None for one in series):
        notes.append("Numbers, where there is room, are rows of the table.")
    if any(one.seeds for one in series):
        notes.append("Small points are seeds, large ones their mean.")
    if any(one.hollow for one in series):
        notes.append("Hollow: weights from scratch, not to be ranked among pretrained ones.")
    if absent:
        notes.append(
            f"Not shown, for want of {x.title} or {y.title}: {listed(absent, 8)} ({counted(len(absent), 'row')})."
        )
    return tuple(notes)


def _labels(groups: Sequence[Group]) -> list[str]:
    return [
        mark + ("" if group.complete else f" ({len(group.ok)}/{group.planned} seeds)")
        for group, mark in zip(groups, marks(groups), strict=True)
    ]
