"""``bench results``: the records, on the terminal or for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.record import Record

_EXPERIMENT = "bench"


def results(
    out: OutOption = DEFAULT_OUT,
    history: Annotated[
        bool, typer.Option("--history", help="Also what newer code, data or files have overtaken.")
    ] = False,
    as_json: JsonOption = False,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write all figures as CSV; - prints them.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", metavar="DIR|URI", help="Make each cell a run of MLflow there.")
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="NAME", help="The experiment of MLflow that gets them.")
    ] = _EXPERIMENT,
) -> None:
    """Show the results: one row a cell, whatever happened to it."""
    _check_words(as_json, csv, mlflow, experiment)
    from bench.cli.reading import read_records

    records = read_records(out, history=history)
    if as_json:
        from bench.cli.tables import print_json

        print_json([record.model_dump(mode="json") for record in records])
    elif csv is not None:
        _write_csv(records, csv)
    elif mlflow is not None:
        _track(records, out, mlflow, experiment)
    else:
        from bench.cli.results_view import print_results

        print_results(records)


def _check_words(as_json: bool, csv: str | None, mlflow: str | None, experiment: str) -> None:
    if as_json + (csv is not None) + (mlflow is not None) > 1:
        raise UserError("--json, --csv, --mlflow: one at a time")
    if experiment != _EXPERIMENT and mlflow is None:
        raise UserError("--experiment: only with --mlflow")
    for option, value in (("--csv", csv), ("--mlflow", mlflow), ("--experiment", experiment)):
        if value is not None and not value.strip():
            raise UserError(f"{option}: the name is empty; give one")


def _write_csv(records: Sequence[Record], target: str) -> None:
    from bench.files import write_atomic
    from bench.record_frame import record_frame

    text = record_frame(records).to_csv(index=False, lineterminator="\n")
    if target == "-":
        typer.echo(text, nl=False)
        return
    try:
        write_atomic(Path(target), text.encode())
    except OSError as error:
        raise UserError(f"--csv {target}: {error.strerror or error}; name another file") from None
    typer.echo(f"{target}: {len(records)} cells", err=True)


def _track(records: Sequence[Record], out: Path, where: str, experiment: str) -> None:
    from bench.results import of_records
    from bench.store import Store
    from bench.tracking import export_runs

    done = export_runs(of_records(Store(out), records), where, experiment)
    known = f", {done.known} were there already" if done.known else ""
    typer.echo(f"{done.uri}: {done.written} runs written to experiment {experiment}{known}", err=True)
