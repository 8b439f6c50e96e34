"""Comparisons on the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from bench.cli.tables import print_table
from bench.gate.words import plain

if TYPE_CHECKING:
    from bench.rows import Row
    from bench.stats.comparing import Comparison
    from bench.stats.tasks import Compared, Group

_LONGEST = 60
_SMALLEST_P = 0.0001


def as_rows(group: Group, pairs: Sequence[Compared]) -> dict[str, Any]:
    """A group as plain data."""
    return {
        "task": group.task,
        "task_settings": group.rows[0].identity.task_settings,
        "rows": [_row(row) for row in group.rows],
        "comparisons": [
            {
                "first": pair.a.name,
                "second": pair.b.name,
                **asdict(pair.comparison),
                "p_holm": pair.verdict.p_holm,
                "verdict": pair.verdict.word,
            }
            for pair in pairs
        ],
    }


def print_comparisons(group: Group, pairs: Sequence[Compared], resamples: int) -> None:
    """One table: a pair of rows in two lines."""
    one = pairs[0].comparison
    facts = next((record.task_facts for row in group.rows for record in row.ok), None)
    kind = f"{facts.kind}-label, " if facts else ""
    columns = (
        "rows",
        one.metric.replace("_", " "),
        "spread\nof seeds",
        "difference\n95 %",
        "p\nby Holm",
        "verdict",
        "test",
    )
    print_table(
        columns,
        [_cells(pair) for pair in pairs],
        title=f"{plain(group.title)}: {kind}{one.documents:,} test documents, {resamples:,} draws",
    )
    for line in _notes(group, pairs):
        typer.echo(f"  {line}")
    typer.echo()


def _cells(pair: Compared) -> list[str]:
    one = pair.comparison
    interval = f"{one.difference.low:+.4f} to {one.difference.high:+.4f}"
    return [
        f"{_name(pair.a)}\n{_name(pair.b)}\n ",
        f"{one.a:.4f}\n{one.b:.4f}",
        "\n".join("–" if spread is None else f"{spread:.4f}" for spread in one.seed_spread),
        f"{one.difference.value:+.4f}\n{interval}",
        f"{_p(one.p)}\n{_p(pair.verdict.p_holm)}",
        _verdict(pair),
        f"{one.test}\n{_beside(one)}",
    ]


def _verdict(pair: Compared) -> str:
    if pair.verdict.word == "tie":
        if not pair.comparison.detectable:
            return "tie: the same answers"
        return f"tie: a difference of {pair.comparison.detectable:.4f}\nor more would have been seen"
    better = pair.a if pair.verdict.word == "better" else pair.b
    return f"{_name(better)}\nis better"


def _beside(one: Comparison) -> str:
    """What the tests say that hold for every metric."""
    tests = [("bootstrap", one.p_bootstrap), ("randomisation", one.p_randomisation)]
    return ", ".join(f"{name} {_p(p)}" for name, p in tests)


def _notes(group: Group, pairs: Sequence[Compared]) -> list[str]:
    notes = []
    if any(pair.verdict.word == "tie" for pair in pairs):
        notes.append("tie: not told apart; what would have been seen, is seen four times in five, before Holm")
    if any(row.from_scratch for row in group.rows):
        notes.append("* random weights (from scratch): a check of the set-up, not a judgement of the method")
    if any(len(row.ok) > 1 for row in group.rows):
        notes.append("intervals hold the chance of the documents; that of seeds is in the spread alone")
    else:
        notes.append("one seed each: what training again would change is not known")
    return notes


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "method": row.identity.method,
        "model": row.identity.model,
        "settings": row.settings,
        "seeds": [record.seed for record in row.ok],
        "cells": [record.cell for record in row.ok],
        "unfinished_cells": [record.cell for record in row.records if record.status != "ok"],
        "from_scratch": row.from_scratch,
    }


def _name(row: Row) -> str:
    name = plain(row.name)
    if len(name) > _LONGEST:  # what tells rows apart stands at both ends
        name = f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 + 1 :]}"
    short = f" ({len(row.ok)} of {len(row.records)} seeds)" if len(row.ok) < len(row.records) else ""
    return f"{name}{' *' if row.from_scratch else ''}{short}"


def _p(p: float) -> str:
    return f"<{_SMALLEST_P}" if p < _SMALLEST_P else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"
