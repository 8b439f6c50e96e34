"""What ``bench report`` says on the terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from report.answer import Answer

_PATIENCE = 3.0
"""Seconds after which a user wants to know what takes so long."""
_MOST = 10


@dataclass(frozen=True)
class Teller:
    """Says on stderr what is being done, once it has taken a while.

    Attributes:
        since: When it began.
    """

    since: float = field(default_factory=time.monotonic)

    def __call__(self, what: str) -> None:
        """Say it, where it is time."""
        if time.monotonic() - self.since > _PATIENCE:
            typer.echo(f"bench: {what} …", err=True)


def show_answer(answer: Answer) -> None:
    """The choices under the user's limits in full, or else the verdict on each task."""
    for caution in answer.cautions:
        typer.echo(caution)
    for finding in answer.chosen or answer.findings[:_MOST]:
        typer.echo(f"{finding.title}: {finding.verdict}")
        if answer.chosen:
            for sentence in finding.sentences:
                typer.echo(f"  {sentence}")
    more = 0 if answer.chosen else len(answer.findings) - _MOST
    if more > 0:
        typer.echo(f"and {more:,} more tasks in the report")
