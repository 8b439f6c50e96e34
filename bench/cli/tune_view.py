"""What a person sees of a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from bench.cli.tables import print_json, print_table
from bench.cli.watch import clock
from bench.telling import in_words
from bench.tuned import TUNED
from bench.tuning.study import Study


@contextmanager
def searched() -> Iterator[None]:
    """Says what becomes of a search that the user stops."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("bench: interrupted; finished trials are kept, the same command goes on from here", err=True)
        raise typer.Exit(130) from None


def show_studies(studies: Sequence[Study], budget: int, out: Path, as_json: bool) -> None:
    """What was found, a row a study; before any trial, where would be looked."""
    rows = [_row(study, budget) for study in studies]
    if as_json:
        print_json(rows)
    elif any(study.trials for study in studies):
        _print_found(rows)
        typer.echo(f"\nwrote {out / TUNED}; run with these settings: bench run … --tuned {out / TUNED}")
        _print_failures(studies)
    else:
        names = ("task", "method", "model", "trials", "space")
        print_table(names, [[_text(row[name]) for name in names] for row in rows])


def _row(study: Study, budget: int) -> dict[str, Any]:
    found, one = study.found(), study.base.identity
    return {
        "task": one.task,
        "method": one.method,
        "model": one.model,
        "trials": len(study.trials) or budget,
        "failed": sum(trial.score is None for trial in study.trials),
        "seconds": sum(trial.seconds for trial in study.trials),
        "metric": found.metric if found else None,
        "default": found.default if found else None,
        "best": found.best if found else None,
        "settings": found.settings if found else {},
        "space": {key: str(domain) for key, domain in study.domains.items()},
    }


def _print_found(rows: Sequence[dict[str, Any]]) -> None:
    names = ("task", "method", "model", "trials", "failed", "time", "metric", "as it stood", "best", "settings")
    table = [
        [
            row["task"],
            row["method"],
            row["model"] or "",
            str(row["trials"]),
            str(row["failed"] or ""),
            clock(row["seconds"]),
            row["metric"] or "",
            _score(row["default"]),
            _score(row["best"]),
            in_words(row["settings"]),
        ]
        for row in rows
    ]
    print_table(names, table, title="Validation documents, the best of all trials")


def _print_failures(studies: Sequence[Study]) -> None:
    """Why trials have no result, each reason once a study."""
    for study in studies:
        reasons = dict.fromkeys(trial.failure for trial in study.trials if trial.score is None)
        for reason in reasons:
            typer.echo(f"  {study.base.identity.method}: a trial failed: {reason}", err=True)
        if study.exhausted:
            count = len(study.trials)
            typer.echo(f"  {study.base.identity.method}: {count} trials are all that its space holds", err=True)


def _score(value: float | None) -> str:
    return f"{value:.3f}" if value is not None else "–"


def _text(value: Any) -> str:
    return in_words(value) if isinstance(value, dict) else str(value or "")
