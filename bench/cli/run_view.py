"""What a person sees of a run: the plan, the progress, the table at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer

from bench.cli.reading import report_corrupt
from bench.cli.tables import print_json, print_table
from bench.cli.watch import watching
from bench.record import Record
from bench.runner.plan import Again, PlannedCell
from bench.runner.run import RunOptions, run_plan
from bench.store import Store

FAULTS = frozenset({"oom", "timeout", "crashed", "failed"})


def show_plan(plan: list[PlannedCell], again: Again, as_json: bool) -> None:
    """Show every cell with what is known of it and whether it would run."""
    rows = [{**cell.row(), "runs": again.wants(cell)} for cell in plan]
    if as_json:
        print_json(rows)
        return
    print_table(
        ["cell", "task", "method", "model", "seed", "state", "would run", ""],
        [
            (
                row["cell"],
                row["task"],
                row["method"],
                row["model"] or "",
                str(row["seed"]),
                row["status"] if row["state"] == "failed" else row["state"],
                "yes" if row["runs"] else "",
                row["reason"] or "",
            )
            for row in rows
        ],
    )
    states = Counter(row["state"] for row in rows)
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    typer.echo(f"\n{cells(len(rows))}: {counted}; {sum(row['runs'] for row in rows)} would run")


def run_and_show(plan: list[PlannedCell], store: Store, options: RunOptions, as_json: bool) -> None:
    """Run a plan while a person watches, show its records, and exit with 1 if a cell failed."""
    try:
        wanted = run_plan(plan, store, options, watching, report_corrupt)
    except KeyboardInterrupt:
        typer.echo("bench: interrupted; finished cells are kept, the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    records = _records(plan, store)
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
    else:
        _show(records, wanted)
    if any(record.status in FAULTS for record in records):
        raise typer.Exit(1)


def _records(plan: list[PlannedCell], store: Store) -> list[Record]:
    found = (store.get(cell.cell, report_corrupt) for cell in plan)
    return [record for record in found if record is not None]


def _show(records: list[Record], wanted: int) -> None:
    from bench.cli.results_view import print_results

    print_results(records)
    states = Counter(record.status for record in records)
    counted: Any = ", ".join(f"{count} {status}" for status, count in states.items())
    ran = f"{wanted} run now" if wanted else "nothing to run"
    typer.echo(f"\n{cells(len(records))}: {counted}; {ran}")
    faults = sorted({record.status for record in records if record.status in FAULTS})
    if faults and not wanted:
        typer.echo(f"run the failed ones again with --retry {','.join(faults)}")


def cells(count: int) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count} cell" if count == 1 else f"{count} cells"
