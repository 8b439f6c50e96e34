"""The parts of the report: one for each task, and one for each learning curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from report.answer import Finding, finding
from report.caveats import caveat_lines
from report.chapters import Chapter
from report.conditions import conditions_table
from report.curves import curve_table, quality_against_documents, size_titles, sizes_line
from report.evidence import Evidence
from report.families import Family
from report.figures import Anchors, Figure, chapter_figures, curve_figures, groups_on, section_figures
from report.groups import Section
from report.measures import cost_measures, quality_measures
from report.pareto import cost_chapter
from report.plots import DEFAULT_PLOTS
from report.provenance import decision_line, disturbed_line, hardware_line, task_line
from report.publications import published_chapter
from report.recommend import recommendations
from report.rules import rules_table
from report.significance import Judge, Significance
from report.significance_chapter import significance_chapters
from report.tables import BOLD_NOTE, Table, group_table, tested_note
from report.text import plain
from report.tuning import Searches, tuning_table
from report.wishes import Wishes

MakeChapter = Callable[[Section, Evidence], Chapter | None]


@dataclass(frozen=True)
class Part:
    """What the report says of one task.

    Attributes:
        title: The task.
        anchor: Its name in links.
        facts: Size and kind.
        tables: Results, and costs by machine where there are several; what each row was given.
        figures: Plots.
        warnings: What limits the figures.
        opening: Plots that stand before the tables.
        chapters: Questions beyond the results.
        finding: The answer for this task; None where the part does not lead.
        chosen: The best rows under the user's limits.
    """

    title: str
    anchor: str
    facts: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...]
    opening: tuple[Figure, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    finding: Finding | None = None
    chosen: tuple[Finding, ...] = ()

    @property
    def drawn(self) -> tuple[Figure, ...]:
        """All plots, in their order, those of chapters among them."""
        return (*self.opening, *self.figures, *(one for chapter in self.chapters for one in self.charts(chapter)))

    def charts(self, chapter: Chapter) -> tuple[Figure, ...]:
        """The plots of one of its chapters."""
        return chapter_figures(self.anchor, chapter)


@dataclass(frozen=True)
class PartMaker:
    """Makes parts.

    Attributes:
        searches: By slot, the search that found a cell's settings.
        judge: Of the differences between rows, with the stored predictions and documents.
        makers: Of the chapters of a task.
        wishes: What the user asks for.
    """

    searches: Searches
    judge: Judge
    makers: Sequence[MakeChapter]
    wishes: Wishes = field(default_factory=Wishes)

    def parts(self, kin: Sequence[Family], anchors: Anchors) -> tuple[Part, ...]:
        """A part for each section, before those of several sizes their learning curves."""
        parts = []
        for family in kin:
            if family.spans:
                parts.append(_curve_part(family, anchors.of(_curve_title(family))))
            for section in family.sections:
                leads = section is family.largest or not family.curved
                parts.append(self.part(section, anchors.of(section.title), leads))
        return tuple(parts)

    def part(self, section: Section, anchor: str, leads: bool) -> Part:
        """The part of one section; plots, chapters and an answer only where it leads its family."""
        tests = self.judge.of(section) if leads else Significance(section.primary)
        tables = _results(section, tests)
        tables += (*rules_table(section), *tuning_table(section, self.searches), *conditions_table(section))
        part = Part(section.title, anchor, task_line(section), tables, (), _warnings(section))
        return self._led(part, section, tests) if leads else part

    def _led(self, part: Part, section: Section, tests: Significance) -> Part:
        limits, prices = self.wishes.limits, self.wishes.prices
        return replace(
            part,
            figures=tuple(section_figures(section, part.anchor, DEFAULT_PLOTS)),
            chapters=self._chapters(section, tests),
            finding=finding(section, part.anchor, tests, prices),
            chosen=recommendations(section, part.anchor, limits, self.judge, prices) if limits else (),
        )

    def _chapters(self, section: Section, tests: Significance) -> tuple[Chapter, ...]:
        own = (*significance_chapters(tests), cost_chapter(section, self.wishes.prices))
        made = (make(section, self.judge.evidence) for make in self.makers)
        published = published_chapter(section, self.wishes.published)
        return tuple(chapter for chapter in (*own, *made, published) if chapter is not None)


def _warnings(section: Section) -> tuple[str, ...]:
    warnings = list(disturbed_line(section.records))
    if len(section.hardware_ids) > 1:
        warnings.append("Measured on several machines: speed and memory are compared within one machine only.")
    if len({tuple(r.seed for r in g.records) for g in section.groups if g.ok}) > 1:
        warnings.append("Rows differ in their seeds.")
    return (*warnings, *caveat_lines(section))


def _curve_title(family: Family) -> str:
    return f"{family.title}: learning curves"


def _curve_part(family: Family, anchor: str) -> Part:
    if not family.curved:
        sizes = f"Training documents: {', '.join(size_titles(family))}."
        return Part(_curve_title(family), anchor, sizes, (), (), (f"No learning curve: {family.obstacle}.",))
    plot = quality_against_documents(family)
    lacking = () if plot else ("No learning curve: no two sizes have a result.",)
    figures = curve_figures(family, anchor, plot)
    return Part(_curve_title(family), anchor, sizes_line(family), (curve_table(family),), (), lacking, figures)


def _results(section: Section, tests: Significance) -> tuple[Table, ...]:
    return _tables_by_machine(section, tests) if len(section.hardware_ids) > 1 else (_one_table(section, tests),)


def _one_table(section: Section, tests: Significance) -> Table:
    measures = [*quality_measures(section), *cost_measures(section.records)]
    machine = section.hardware_ids[0] if section.hardware_ids else ""
    where = (f"Machine: {hardware_line(section.records, machine)}",) if section.hardware_ids else ()
    notes = (*_bold_note(section, tests), *decision_line(section), *where)
    return group_table("Results", section.groups, measures, notes, tests)


def _bold_note(section: Section, tests: Significance) -> tuple[str, ...]:
    if tests.pairs:
        return (tested_note(tests.metric),)
    return (BOLD_NOTE,) if any(group.rankable and group.ok for group in section.groups) else ()


def _tables_by_machine(section: Section, tests: Significance) -> tuple[Table, ...]:
    notes = (*_bold_note(section, tests), *decision_line(section))
    tables = [group_table("Quality", section.groups, quality_measures(section), notes, tests)]
    for machine in section.hardware_ids:
        groups = groups_on(section, machine)
        records = [record for group in groups for record in group.records]
        where = (f"Machine: {hardware_line(records, machine)}",)
        title = f"Speed and memory on {plain(machine) or 'a machine not recorded'}"
        tables.append(group_table(title, groups, cost_measures(records), where))
    return tuple(tables)
