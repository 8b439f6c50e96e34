"""What a person sees of a run: the plan, the progress, the table at the end."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import typer

from bench.backoff import back_off_line
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
    if as_json:
        print_json([{**cell.row(), "reason": _reason(cell, again), "runs": again.wants(cell)} for cell in plan])
        return
    _print_plan(plan, again, _variants(plan))
    states = Counter(cell.state for cell in plan)
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    typer.echo(f"\n{cells(len(plan))}: {counted}; {sum(map(again.wants, plan))} would run")


def _reason(cell: PlannedCell, again: Again) -> str | None:
    """Why it is in its state, or why it would run where that does not stand in its state."""
    return "its model was not kept" if again.for_model(cell) else cell.reason


def _print_plan(plan: list[PlannedCell], again: Again, variants: list[str]) -> None:
    table = {
        "cell": [cell.cell for cell in plan],
        "task": [cell.identity.task for cell in plan],
        "method": [cell.identity.method for cell in plan],
        "settings": variants,
        "model": [cell.identity.model or "" for cell in plan],
        "seed": [str(cell.identity.seed) for cell in plan],
        "state": [(cell.status or "") if cell.state == "failed" else cell.state for cell in plan],
        "would run": ["yes" if again.wants(cell) else "" for cell in plan],
        "": [_reason(cell, again) or "" for cell in plan],
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
    for record in records:
        for line in filter(None, (stray_line(record), back_off_line(record))):
            typer.echo(f"bench: warning: {_named(record)}: {line}", err=True)
    states = Counter(record.status for record in records)
    counted: Any = ", ".join(f"{count} {status}" for status, count in states.items())
    ran = f"{wanted} run now" if wanted else "nothing to run"
    typer.echo(f"\n{cells(len(records))}: {counted}; {ran}")
    faults = sorted({record.status for record in records if record.status in FAULTS})
    if faults and not wanted:
        typer.echo(f"run the failed ones again with --retry {','.join(faults)}")


def _named(record: Record) -> str:
    return " × ".join([record.task, record.method, *([record.model] if record.model else []), f"seed {record.seed}"])


def cells(count: int) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count} cell" if count == 1 else f"{count} cells"
