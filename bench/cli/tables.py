"""Tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer


def print_json(value: Any) -> None:
    """Print a value as JSON, with nothing that JSON does not know."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Print a table whose cells are plain text; columns of numbers are flush right."""
    from tabulate import tabulate

    table = [list(row) for row in rows]
    aligned = ["right" if _numeric(row[index] for row in table) else "left" for index in range(len(columns))]
    if title:
        typer.secho(title, bold=True)
    typer.echo(
        tabulate(table, headers=columns, tablefmt="simple", colalign=aligned if table else None, disable_numparse=True)
    )


def _numeric(cells: Iterable[str]) -> bool:
    filled = [cell for cell in cells if cell not in {"", "–"}]
    return all(cell[:1].isdigit() or (cell[:1] == "-" and cell[1:2].isdigit()) for cell in filled)
