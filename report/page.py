"""The whole report as plain data: built once, drawn as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import Identity, Record
from bench.store import latest
from report.answer import Answer
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
from report.headline import headline
from report.label_scores import labels_chapter
from report.length import length_chapter
from report.measures import quality_names
from report.overview import Banner, banner, reading, summary, warnings
from report.parts import MakeChapter, Part, PartMaker
from report.provenance import definitions, origin
from report.tables import Table, failures_table, superseded_note
from report.tuning import Searches

__all__ = ["TASK_CHAPTERS", "Banner", "Figure", "Part", "Report", "build_report"]

TASK_CHAPTERS: tuple[MakeChapter, ...] = (
    frequent_and_rare,
    labels_chapter,
    confusions_chapter,
    believable,
    length_chapter,
    hard_documents,
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
) -> Report:
    """Everything a report says.

    Args:
        records: Records of any number of tasks; of each slot the last is used.
        missing: Planned cells that left no record.
        searches: By slot, the search that found a cell's settings.
        evidence: Stored predictions and documents; without it nothing is said that takes them.
    """
    kept = latest(records)
    found = sections(kept, missing)
    kin = families(found)
    failures = failures_table(found)
    anchors = Anchors()
    anchors.of(ACROSS)
    return Report(
        title="Text classification: quality, memory and speed",
        summary=summary(kept, kin),
        banner=banner(kept, missing),
        warnings=warnings(kept),
        answer=None,
        headline=headline(kin),
        parts=PartMaker(searches or {}, evidence or Evidence(), TASK_CHAPTERS).parts(kin, anchors),
        chapters=(),
        failures=failures if failures.rows else None,
        definitions=definitions(quality_names(found)) if found else (),
        origin=origin(kept),
        notes=(
            *reading(kept),
            *(CONDITIONS if any(map(conditions_table, found)) else ()),
            *superseded_note(len(records) - len(kept)),
        ),
    )
