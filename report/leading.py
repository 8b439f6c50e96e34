"""Which rows are looked at label by label and document by document, and what is at hand of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.agreement import constant
from report.groups import Group, Section
from report.labels import marks
from report.measures import metric, metric_title, summarise
from report.text import counted, listed

if TYPE_CHECKING:
    from bench.record import Record
    from bench.stats.judged import Judged
    from report.evidence import Evidence, LabelTable

MOST_ROWS = 6


@dataclass(frozen=True)
class Leading:
    """A row among those with the highest primary metric.

    Attributes:
        group: The row.
        name: What charts and tables call it.
    """

    group: Group
    name: str

    @property
    def first(self) -> Record:
        """The cell of its first finished seed."""
        return self.group.ok[0]


@dataclass(frozen=True)
class Look:
    """A row with its first seed's predictions."""

    row: Leading
    judged: Judged


@dataclass(frozen=True)
class Looks:
    """Rows that were judged on the same documents.

    Attributes:
        looks: The rows, the highest first.
        notes: Which rows these are, and which are not shown for want of their files.
    """

    looks: tuple[Look, ...]
    notes: tuple[str, ...]


def leading_rows(section: Section) -> tuple[Leading, ...]:
    """At most six rows with the highest mean of the primary metric.

    They are complete and not from scratch; where none is, finished rows in the order of the results.
    """
    measure = metric(section.primary)
    named = zip(section.groups, marks(section.groups), strict=True)
    finished = [Leading(group, name) for group, name in named if group.ok and summarise(group, measure)]
    rankable = [row for row in finished if row.group.rankable]
    return tuple((rankable or finished)[:MOST_ROWS])


def rows_note(section: Section, rows: Sequence[Leading]) -> tuple[str, ...]:
    """Which rows are shown, where that is not all of them."""
    finished = sum(bool(group.ok) for group in section.groups)
    if not rows or finished == len(rows):
        return ()
    if not rows[0].group.rankable:
        return (
            "No row is complete and not from scratch: the rows shown are finished ones, in the order of the results.",
        )
    title = metric_title(section.primary)
    return (
        f"Shown: the {counted(len(rows), 'row')} with the highest mean {title}, complete and not from scratch, "
        f"of {finished:,} with a result.",
    )


def looks(section: Section, evidence: Evidence) -> Looks:
    """The leading rows with what their first seeds said of the test documents."""
    rows = leading_rows(section)
    found = [Look(row, judged) for row in rows if (judged := evidence.judged(row.first)) is not None]
    same = [look for look in found if _same_documents(look.judged, found[0].judged)]
    shown = [id(look.row) for look in same]
    absent = [row.name for row in rows if id(row) not in shown]
    notes = [*rows_note(section, rows)]
    if any(len(look.row.group.ok) > 1 for look in same):
        notes.append("Of each row the first seed is shown.")
    if absent and same:
        notes.append(f"Not shown, for want of stored predictions of the same documents: {listed(absent)}.")
    return Looks(tuple(same), tuple(notes))


def voices(found: Looks) -> Looks:
    """Those rows that do not say the same of every document: the others confuse nothing and disagree by rote."""
    mute = {look.row.name for look in found.looks if constant(look.judged.split.predicted)}
    kept = tuple(look for look in found.looks if look.row.name not in mute)
    words = ("gives", "is") if len(mute) == 1 else ("give", "are")
    note = f"{listed(sorted(mute))} {words[0]} every document the same labels, and {words[1]} left out here."
    return Looks(kept, (*found.notes, *([note] if mute else [])))


def label_tables(row: Leading, evidence: Evidence) -> tuple[LabelTable, ...]:
    """Counts by label of every seed of a row; empty where those of one are not at hand."""
    found = [evidence.label_table(record) for record in row.group.ok]
    tables = tuple(table for table in found if table is not None)
    return tables if len(tables) == len(found) else ()


def _same_documents(one: Judged, other: Judged) -> bool:
    import numpy as np

    if one is other:
        return True
    gold, others = one.split.gold, other.split.gold
    if one.kind != other.kind or gold.shape != others.shape or list(one.split.ids) != list(other.split.ids):
        return False
    pairs = ((gold.indptr, others.indptr), (gold.indices, others.indices))
    return all(np.array_equal(a, b) for a, b in pairs)
