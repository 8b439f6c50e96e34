"""Tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import typer

_ROOM = 2
"""By so much a column is wider than its title."""


def print_json(value: Any) -> None:
    """Print a value as JSON, with nothing that JSON does not know."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Print a table whose cells are plain text, of one line or several; columns of numbers are flush right."""
    if title:
        typer.secho(title, bold=True)
    typer.echo("\n".join(table_lines(columns, list(rows))))


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, head and rule first.

    Tables have up to 100,000 rows, with which tabulate takes ten times as long.
    """
    heads, body = _lines(columns), [line for row in rows for line in _lines(row)]
    room = [max(map(len, head)) + _ROOM for head in zip(*heads, strict=True)]
    held = [max(map(len, column)) for column in zip(*body, strict=True)] if body else room
    widths = [max(pair) for pair in zip(room, held, strict=True)]
    sides = [">" if rows and _numeric(row[place] for row in rows) else "<" for place in range(len(columns))]
    form = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    rule = ["-" * width for width in widths]
    return (form.format(*line).rstrip() for line in [*heads, rule, *body])


def _lines(cells: Sequence[str]) -> list[tuple[str, ...]]:
    """A row as lines, cells of several lines flush at the top."""
    if "".join(cells).isprintable():
        return [tuple(cells)]
    return list(zip_longest(*(cell.splitlines() for cell in cells), fillvalue=""))


def _numeric(cells: Iterable[str]) -> bool:
    filled = [cell for cell in cells if cell not in {"", "–"}]
    return all(cell[:1].isdigit() or (cell[:1] == "-" and cell[1:2].isdigit()) for cell in filled)
