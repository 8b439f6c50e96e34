"""The page's table of contents.

Parts are named by letters, digits and hyphens; all other names hold a full stop, so that none of them is a part's.
"""

from __future__ import annotations

from dataclasses import dataclass

from report.page import ACROSS, Report
from report.parts import Part


@dataclass(frozen=True)
class Link:
    """A line of it: what it leads to, and what lies below it."""

    title: str
    anchor: str
    below: tuple[Link, ...] = ()


def contents(report: Report) -> tuple[Link, ...]:
    """Every section, in the order of the page."""
    links = [Link("The answer", "page.answer")] if report.answer else []
    links.append(Link("At a glance", "page.glance"))
    links += map(_part, report.parts)
    if report.chapters:
        below = tuple(Link(chapter.title, f"{ACROSS}.{chapter.key}") for chapter in report.chapters)
        links.append(Link("Across tasks", ACROSS, below))
    links += [Link(report.failures.title, "page.missing-and-failed")] if report.failures else []
    links.append(Link("How to read this", "page.how-to-read"))
    links += [Link("Metrics", "page.metrics")] if report.definitions else []
    return (*links, *([Link("Where the numbers come from", "page.origin")] if report.origin else []))


def _part(part: Part) -> Link:
    below = tuple(Link(chapter.title, f"{part.anchor}.{chapter.key}") for chapter in part.chapters)
    return Link(part.title, part.anchor, below)
