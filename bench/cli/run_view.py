"""What a person sees of a run: the plan, the progress, the table at the end."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import typer

from bench.cli.reading import report_corrupt
from bench.cli.tables import print_json, print_table
from bench.cli.watch import watching
from bench.numerics import stray_line
from bench.record import Record
from bench.runner.plan import Again, PlannedCell
from bench.runner.run import RunOptions, run_plan
from bench.store import Store
from bench.telling import telling_words

FAULTS = frozenset({"oom", "timeout", "crashed", "failed"})


def show_plan(plan: list[PlannedCell], again: Again, as_json: bool) -> None:
    """Show every cell with what is known of it and whether it would run."""
    rows = [_planned(cell, again) for cell in plan]
    if as_json:
        print_json(rows)
        return
    _print_plan(rows, _variants(plan))
    states = Counter(row["state"] for row in rows)
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    typer.echo(f"\n{cells(len(rows))}: {counted}; {sum(row['runs'] for row in rows)} would run")


def _planned(cell: PlannedCell, again: Again) -> dict[str, Any]:
    """The cell as plain values, with whether it would run, and why where that does not stand in its state."""
    row = cell.row()
    if again.for_model(cell):
        row["reason"] = "its model was not kept"
    return {**row, "runs": again.wants(cell)}


def _print_plan(rows: list[dict[str, Any]], variants: list[str]) -> None:
    table = {
        "cell": [row["cell"] for row in rows],
        "task": [row["task"] for row in rows],
        "method": [row["method"] for row in rows],
        "settings": variants,
        "model": [row["model"] or "" for row in rows],
        "seed": [str(row["seed"]) for row in rows],
        "state": [row["status"] if row["state"] == "failed" else row["state"] for row in rows],
        "would run": ["yes" if row["runs"] else "" for row in rows],
        "": [row["reason"] or "" for row in rows],
    }
    if not any(variants):
        del table["settings"]
    print_table(list(table), zip(*table.values(), strict=True))


def _variants(plan: list[PlannedCell]) -> list[str]:
    """The settings that tell each cell from others of its task and method, in words."""
    return telling_words([cell.identity for cell in plan])


def run_and_show(plan: list[PlannedCell], store: Store, options: RunOptions, as_json: bool) -> None:
    """Run a plan while a person watches, show its records, and exit with 1 if a cell failed."""
    watch = partial(watching, variants=dict(zip((cell.cell for cell in plan), _variants(plan), strict=True)))
    try:
        wanted = run_plan(plan, store, options, watch, report_corrupt)
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
    for line in filter(None, map(_strays, records)):
        typer.echo(f"bench: warning: {line}", err=True)
    states = Counter(record.status for record in records)
    counted: Any = ", ".join(f"{count} {status}" for status, count in states.items())
    ran = f"{wanted} run now" if wanted else "nothing to run"
    typer.echo(f"\n{cells(len(records))}: {counted}; {ran}")
    faults = sorted({record.status for record in records if record.status in FAULTS})
    if faults and not wanted:
        typer.echo(f"run the failed ones again with --retry {','.join(faults)}")


def _strays(record: Record) -> str | None:
    line = stray_line(record)
    words = [record.task, record.method, *([record.model] if record.model else []), f"seed {record.seed}"]
    return f"{' × '.join(words)}: {line}" if line is not None else None


def cells(count: int) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count} cell" if count == 1 else f"{count} cells"
