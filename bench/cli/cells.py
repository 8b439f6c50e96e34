"""A cell as the user names it: by its name, the beginning of that, or its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError

if TYPE_CHECKING:
    from bench.registry import Registry
    from bench.saved import SavedCell

_SHOWN = 5

CellArgument = Annotated[
    str, typer.Argument(metavar="CELL", help="A cell's name or its beginning, as `bench results` shows it; its folder.")
]
StartOption = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="Where the model now lies that the cell started from."),
]
LocalModelsOption = Annotated[
    Path | None, typer.Option("--local-models", metavar="DIR", help="Folder of models to look in first.")
]
DeviceOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="cpu, cuda or mps; the best there is by default.")
]


def find_cell(word: str, out: Path) -> SavedCell:
    """The cell that the user means, with its model.

    Raises:
        UserError: There is none, there are several, or it has no model.
    """
    from bench.saved import SavedCell

    return SavedCell.open(_folder(word, out))


def known_method(cell: SavedCell, registry: Registry) -> None:
    """Refuse a cell whose method is not here, and warn of one whose code has changed.

    Raises:
        UserError: No plugin is called that.
    """
    try:
        outdated = cell.outdated(registry)
    except UserError as error:
        raise UserError(f"cell {cell.record.cell}: {error}; name the file that brings it with --plugins") from None
    if outdated:
        typer.echo(
            f"bench: warning: the code of {cell.record.method} or of the harness has changed since cell "
            f"{cell.record.cell} ran; it may predict otherwise",
            err=True,
        )


def _folder(word: str, out: Path) -> Path:
    from bench.store import RECORD, Store

    if (Path(word) / RECORD).is_file():
        return Path(word)
    cells = Store(out).cells
    names = sorted(path.name for path in cells.iterdir()) if cells.is_dir() else []
    found = [word] if word in names else [name for name in names if word and name.startswith(word)]
    if len(found) == 1:
        return cells / found[0]
    if found:
        raise UserError(f"cell {word!r} may be {_some(found)}; write more of its name")
    raise UserError(
        f"cell {word!r}: none of that name in {out}; `bench results` lists them, --out names another folder"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" or {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
