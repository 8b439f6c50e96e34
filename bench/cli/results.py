"""``bench results``: the records."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import DEFAULT_OUT, JsonOption, OutOption


def results(
    out: OutOption = DEFAULT_OUT,
    history: Annotated[
        bool, typer.Option("--history", help="Also what newer code, data or files have overtaken.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the results: one row a cell, whatever happened to it."""
    from bench.cli.reading import read_records

    records = read_records(out, history=history)
    if as_json:
        from bench.cli.tables import print_json

        print_json([record.model_dump(mode="json") for record in records])
        return
    from bench.cli.results_view import print_results

    print_results(records)
