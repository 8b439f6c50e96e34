"""The gate on the terminal."""

from __future__ import annotations

from pathlib import Path

import typer

from bench.cli.tables import print_table
from bench.gate.finding import Verdict
from bench.gate.keeping import Written
from bench.gate.table import COLUMNS, reasons, remarks, rows
from bench.gate.words import plain

_SHOWN = 12


def print_verdict(verdict: Verdict) -> None:
    """The headline, the table, then what closes the gate with remedies, then remarks."""
    typer.secho(verdict.headline, bold=True, fg=typer.colors.GREEN if verdict.open else typer.colors.RED)
    updated = f" ({verdict.updated})" if verdict.updated else ""
    typer.echo(f"held against {plain(verdict.reference)}{updated}\n")
    print_table(COLUMNS, rows(verdict))
    for cell in verdict.cells:
        if cell.closed:
            typer.secho(f"\n{cell.task} × {cell.name}", bold=True)
        for finding in reasons(cell):
            typer.echo(f"  {finding.check}: {finding.words}\n    {finding.remedy}")
    lines = remarks(verdict)
    if lines:
        typer.echo("\nremarks\n" + "\n".join(f"  {line}" for line in lines))


def print_written(path: Path, written: Written) -> None:
    """What an update did."""
    typer.echo(f"wrote {path}: {written.cells} cells")
    for line in written.changed[:_SHOWN]:
        typer.echo(f"  {line}")
    if len(written.changed) > _SHOWN:
        typer.echo(f"  and {len(written.changed) - _SHOWN} more; all stand in its history")
