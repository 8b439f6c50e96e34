"""What a part of the report is made of beyond its results: chapters with tables, charts and documents."""

from __future__ import annotations

from dataclasses import dataclass

from report.charts import Chart
from report.tables import Table


@dataclass(frozen=True)
class Answer:
    """What one row said of a document.

    Attributes:
        row: The row's name.
        labels: The labels it gave.
        right: Whether they are exactly the gold ones.
        score: Of the first label; None where the method gives none.
    """

    row: str
    labels: tuple[str, ...]
    right: bool
    score: float | None = None


@dataclass(frozen=True)
class Excerpt:
    """A document with what was said of it.

    Attributes:
        id: The document's.
        text: Its beginning; empty where texts are not at hand.
        gold: Its labels.
        answers: What each row gave.
        remark: Why it is shown.
    """

    id: str
    text: str
    gold: tuple[str, ...]
    answers: tuple[Answer, ...]
    remark: str


@dataclass(frozen=True)
class Chapter:
    """One question on one task, with what answers it.

    Attributes:
        title: The question or subject.
        key: Its name in links and file names, unique in its part.
        lead: One or two sentences: what is to be seen, and how it was made.
        tables: Tables.
        charts: Charts.
        excerpts: Documents.
        notes: What limits it.
        folded: Whether a page with room for it shows it closed at first.
    """

    title: str
    key: str
    lead: str
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    notes: tuple[str, ...] = ()
    folded: bool = False
