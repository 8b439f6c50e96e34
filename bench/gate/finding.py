"""What the gate found: values that the terminal, Markdown, JUnit and JSON are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Outcome = Literal["held", "closed", "noted"]
Numbers = Mapping[str, float | str | None]
Check = Literal["cell", "documents", "record", "threshold", "quality", "batching", "parameters", "memory", "speed"]


@dataclass(frozen=True)
class Limits:
    """How much may change.

    Attributes:
        margin: Largest drop of the metric that never closes, absolute.
        memory: Largest growth of a peak, as a share of it.
        speed: Largest loss of documents a second, as a share of them.
        metric: What quality is judged by; None for each task's primary metric.
        level: Family-wise error of the one-sided tests.
    """

    margin: float = 0.01
    memory: float = 0.1
    speed: float = 0.3
    metric: str | None = None
    level: float = 0.05


@dataclass(frozen=True)
class Finding:
    """What one check says of one cell.

    Attributes:
        check: Which.
        outcome: ``held``; ``closed``: it closes the gate; ``noted``: it does not, but should be known.
        words: What was found, one line.
        remedy: What to do about it.
        numbers: The figures, by name.
    """

    check: Check
    outcome: Outcome
    words: str = ""
    remedy: str = ""
    numbers: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class CellVerdict:
    """What the gate says of one cell of the reference.

    Attributes:
        slot: What the user chose, as a hash.
        cell: The cell that stands for it now; None where there is none.
        task: Its task.
        name: Method, model, seed and what else tells it from others of its task, in words.
        findings: Of all checks that could be made.
    """

    slot: str
    cell: str | None
    task: str
    name: str
    findings: Sequence[Finding]

    @property
    def closed(self) -> bool:
        """Whether it closes the gate."""
        return any(finding.outcome == "closed" for finding in self.findings)

    def of(self, check: Check) -> list[Finding]:
        """The findings of a check."""
        return [finding for finding in self.findings if finding.check == check]

    def with_outcome(self, outcome: Outcome) -> list[Finding]:
        """The findings that ended so."""
        return [finding for finding in self.findings if finding.outcome == outcome]


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        reference: The reference's file.
        updated: When that was last written, and why.
        limits: What was asked for.
        cells: One for each cell of the reference.
        new: Cells of the store that the reference does not know, in words.
        notes: What concerns all cells.
    """

    reference: str
    updated: str
    limits: Limits
    cells: Sequence[CellVerdict]
    new: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def open(self) -> bool:
        """Whether nothing closes the gate."""
        return not any(cell.closed for cell in self.cells)

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        total, closed = len(self.cells), [cell for cell in self.cells if cell.closed]
        if not closed:
            return f"gate open: {total} of {_cells(total)} {'holds' if total == 1 else 'hold'}"
        checks = Counter(check for cell in closed for check in {found.check for found in cell.with_outcome("closed")})
        why = ", ".join(f"{checks[check]} {_named(check)}" for check in get_args(Check) if checks[check])
        verb = "does" if len(closed) == 1 else "do"
        return f"gate CLOSED: {len(closed)} of {_cells(total)} {verb} not hold ({why})"

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        cells = [asdict(cell) | {"closed": cell.closed} for cell in self.cells]
        whole = asdict(self) | {"cells": cells}
        return {"open": self.open, "headline": self.headline, **whole}


def _cells(number: int) -> str:
    return f"{number} cell" if number == 1 else f"{number} cells"


def _named(check: Check) -> str:
    return "missing or failed" if check == "cell" else check
