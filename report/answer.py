"""The answer: which method, by how much, how sure that is, and at what cost, in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The answer for one task.

    Attributes:
        title: The task.
        anchor: Of its part of the report, for a link.
        verdict: The first sentence: which row, and whether that is sure.
        sentences: What comes after it.
    """

    title: str
    anchor: str
    verdict: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What stands first on the page.

    Attributes:
        cautions: What limits all of it; before the findings.
        findings: A task each.
    """

    cautions: tuple[str, ...]
    findings: tuple[Finding, ...]
