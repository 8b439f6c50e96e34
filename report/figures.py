"""Plots with their places in the report: names of files, captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from report.chapters import Chapter
from report.charts import Chart
from report.curves import CurvePlot
from report.families import Family
from report.groups import Group, Section
from report.measures import metric_definition, metric_title
from report.plots import MakePlot, Plot
from report.text import plain, slug


@dataclass(frozen=True)
class Figure:
    """A plot and its place: ``name`` is the stem of its file."""

    name: str
    plot: Plot | CurvePlot | Chart
    caption: str


@dataclass
class Anchors:
    """Names of parts in links, each once."""

    seen: Counter[str] = field(default_factory=Counter)

    def of(self, title: str) -> str:
        """A name for a title: letters, digits and hyphens."""
        stem = slug(title)
        self.seen[stem] += 1
        return stem if self.seen[stem] == 1 else f"{stem}-{self.seen[stem]}"


def chapter_figures(anchor: str, chapter: Chapter) -> tuple[Figure, ...]:
    """A chapter's charts, named after the part it is in."""
    return tuple(
        Figure(f"{anchor}-{chapter.key}-{chart.key}", chart, " ".join((f"{chart.title}.", *chart.notes)))
        for chart in chapter.charts
    )


def curve_figures(family: Family, anchor: str, plot: CurvePlot | None) -> tuple[Figure, ...]:
    """The learning curves of a family, where there are any."""
    return (Figure(f"{anchor}-{plot.key}", plot, _curve_caption(family, plot)),) if plot else ()


def section_figures(section: Section, anchor: str, plots: Sequence[MakePlot]) -> list[Figure]:
    """A section's scatter plots, apart for each machine where there are several."""
    several = len(section.hardware_ids) > 1
    figures: list[Figure] = []
    for place, machine in enumerate(section.hardware_ids, start=1):
        groups = groups_on(section, machine) if several else section.groups
        for make in plots:
            plot = make(section, groups)
            if plot:
                name = f"{anchor}-{plot.key}" + (f"-machine-{place}" if several else "")
                caption = _caption(section, plot, machine if several else "", define=not figures)
                figures.append(Figure(name, plot, caption))
    return figures


def groups_on(section: Section, machine: str) -> list[Group]:
    """Rows that were measured on one machine, with their cells there alone."""
    return [group for group in section.groups_by_machine if group.machine == machine and group.records]


def _caption(section: Section, plot: Plot, machine: str, *, define: bool) -> str:
    where = f" on {plain(machine)}" if machine else ""
    definition = metric_definition(section.primary) if define else ""
    meaning = (f"{metric_title(section.primary)}: {definition.rstrip('.')}.",) if definition else ()
    return " ".join((f"{section.title}{where}: {plot.title}.", *meaning, *plot.notes))


def _curve_caption(family: Family, plot: CurvePlot) -> str:
    definition = metric_definition(family.primary).rstrip(".")
    meaning = (f"{metric_title(family.primary)}: {definition}.",) if definition else ()
    return " ".join((f"{family.title}: {plot.title}.", *meaning, *plot.notes))
