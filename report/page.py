"""The whole report as plain data: built once, drawn as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import Identity, Record
from bench.store import latest
from report.answer import Answer, cautions
from report.believable import believable
from report.chapters import Chapter
from report.conditions import CONDITIONS, conditions_table
from report.confusions import confusions_chapter
from report.evidence import Evidence
from report.families import families
from report.figures import Anchors, Figure, chapter_figures
from report.frequency import frequent_and_rare
from report.groups import sections
from report.hard_documents import hard_documents
from report.headline import headline, leading
from report.label_scores import labels_chapter
from report.length import length_chapter
from report.measures import quality_names
from report.overview import Banner, banner, reading, summary, warnings
from report.parts import MakeChapter, Part, PartMaker
from report.provenance import definitions, origin
from report.ranking import ranking_chapter
from report.significance import Judge
from report.study import study_chapter
from report.tables import Table, failures_table, superseded_note
from report.training import training_chapter
from report.tuning import Searches
from report.wishes import Wishes

__all__ = ["TASK_CHAPTERS", "Banner", "Figure", "Part", "Report", "build_report"]

TASK_CHAPTERS: tuple[MakeChapter, ...] = (
    frequent_and_rare,
    labels_chapter,
    confusions_chapter,
    believable,
    length_chapter,
    hard_documents,
    training_chapter,
)
"""Makers of the chapters of a task, in the order of the page; one that has nothing to say returns None."""
ACROSS = "across-tasks"
"""The name in links of what is said across tasks."""


@dataclass(frozen=True)
class Report:
    """A report, ready to be drawn.

    Attributes:
        title: Its title.
        summary: What there is.
        banner: What is missing; None where nothing is.
        warnings: What limits all of it.
        answer: Which method, how sure, at what cost; None where nothing finished.
        headline: Of each task the highest row.
        parts: A task each.
        chapters: Questions across tasks, after the parts.
        failures: Cells without a result.
        definitions: Of the metrics.
        origin: Machines, versions, commands.
        notes: How to read it.
    """

    title: str
    summary: str
    banner: Banner | None
    warnings: tuple[str, ...]
    answer: Answer | None
    headline: Table
    parts: tuple[Part, ...]
    chapters: tuple[Chapter, ...]
    failures: Table | None
    definitions: tuple[tuple[str, str], ...]
    origin: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]

    @property
    def drawn(self) -> tuple[Figure, ...]:
        """All plots."""
        across = (figure for chapter in self.chapters for figure in self.charts(chapter))
        return (*(figure for part in self.parts for figure in part.drawn), *across)

    def charts(self, chapter: Chapter) -> tuple[Figure, ...]:
        """The plots of one of its own chapters, those across tasks."""
        return chapter_figures(ACROSS, chapter)


def build_report(
    records: Sequence[Record],
    missing: Sequence[Identity] = (),
    searches: Searches | None = None,
    evidence: Evidence | None = None,
    wishes: Wishes | None = None,
) -> Report:
    """Everything a report says.

    Args:
        records: Records of any number of tasks; of each slot the last is used.
        missing: Planned cells that left no record.
        searches: By slot, the search that found a cell's settings.
        evidence: Stored predictions and documents; without it nothing is said that takes them.
        wishes: What the user asks for beyond that.
    """
    wishes = wishes or Wishes()
    kept = latest(records)
    found = sections(kept, missing)
    kin = families(found)
    failures = failures_table(found)
    anchors = Anchors()
    anchors.of(ACROSS)
    judge = Judge(evidence or Evidence(), wishes.tell)
    parts = PartMaker(searches or {}, judge, TASK_CHAPTERS, wishes).parts(kin, anchors)
    led = leading(kin)
    across = (ranking_chapter(led), study_chapter(led, judge, wishes.published))
    return Report(
        title="Text classification: quality, memory and speed",
        summary=summary(kept, kin),
        banner=banner(kept, missing),
        warnings=warnings(kept),
        answer=_answer(kept, missing, parts),
        headline=headline(kin, tested=any(judge.of(section).pairs for section in led)),
        parts=parts,
        chapters=tuple(chapter for chapter in across if chapter),
        failures=failures if failures.rows else None,
        definitions=definitions(quality_names(found)) if found else (),
        origin=origin(kept),
        notes=(
            *reading(kept),
            *(CONDITIONS if any(map(conditions_table, found)) else ()),
            *superseded_note(len(records) - len(kept)),
        ),
    )


def _answer(records: Sequence[Record], missing: Sequence[Identity], parts: Sequence[Part]) -> Answer | None:
    """The choices under the user's limits first, then what each task says without limits."""
    chosen = tuple(finding for part in parts for finding in part.chosen)
    found = (*chosen, *(part.finding for part in parts if part.finding))
    return Answer(cautions(records, missing), found, chosen) if found else None
