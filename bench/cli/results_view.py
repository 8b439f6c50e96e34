"""Results on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import typer

from bench.cli.tables import print_table
from bench.record import Record

COLUMNS = (
    "method",
    "model",
    "seed",
    "status",
    "micro-F1",
    "macro-F1",
    "P@1",
    "P@5",
    "train s",
    "train docs/s",
    "predict docs/s",
    "peak MiB",
)


def print_results(records: Sequence[Record]) -> None:
    """One table a task, one row a record, with the reasons of those that are not ok below."""
    if not records:
        typer.echo("no results")
        return
    ordered = sorted(records, key=lambda record: record.task)
    for task, rows in groupby(ordered, key=lambda record: record.task):
        chosen = list(rows)
        print_table(COLUMNS, [_row(record) for record in chosen], title=_title(task, chosen))
        for record in chosen:
            if record.status != "ok":
                typer.echo(f"  {record.method}: {record.reason}" + (f"; run: {record.remedy}" if record.remedy else ""))
        typer.echo()
    if any(record.from_scratch for record in records):
        typer.echo("* random weights (from scratch): a check of the set-up, not a judgement of the method")


def _title(task: str, records: Sequence[Record]) -> str:
    facts = next((record.task_facts for record in records if record.task_facts is not None), None)
    if facts is None:
        return task
    documents = " / ".join(f"{facts.documents[split]:,}" for split in ("train", "validation", "test"))
    return f"{task}: {facts.kind}-label, {facts.n_labels} labels, documents {documents} (train/validation/test)"


def _row(record: Record) -> list[str]:
    train = record.peak_mib.get("train")
    device = train.reserved if train is not None else None
    peak = device if device is not None else (train.host if train is not None else None)
    metrics = record.metrics
    return [
        record.method,
        f"{record.model or ''}{' *' if record.from_scratch else ''}",
        str(record.seed),
        record.status,
        *(_number(metrics.get(name), 3) for name in ("micro_f1", "macro_f1", "p@1", "p@5")),
        _number(record.seconds.get("train"), 1),
        _number(record.documents_per_second.get("train"), 0),
        _number(record.documents_per_second.get("predict"), 0),
        _number(peak, 0),
    ]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
