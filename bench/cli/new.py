"""``bench new``: write a package with a task or a method to start from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class NewKind(StrEnum):
    """What can be written."""

    task = "task"
    method = "method"


def new(
    kind: Annotated[NewKind, typer.Argument(help="task or method.")],
    name: Annotated[str, typer.Argument(help="Its name: letters, digits and hyphens.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to put the package's folder into.")] = Path(),
) -> None:
    """Write an installable package with a working task or method of that name, to be changed into your own."""
    import shlex

    from bench.registry import Registry, light_imports
    from bench.scaffold.names import NewName
    from bench.scaffold.trying import run_command
    from bench.scaffold.writing import write_package

    with light_imports():
        registry = Registry.discover()
        checked = NewName.of(name, kind.value, [plugin.name for plugin in registry.plugins])
        tried = run_command(kind.value, name, registry)
    folder = write_package(kind.value, checked, to, tried)
    # A path that begins with . or / is no name of a published package.
    place = folder if folder.is_absolute() else f"./{folder}"
    typer.echo(f"wrote {folder}; next:\n")
    for line in (f"pip install --editable {shlex.quote(str(place))}", f"bench verify {name}", tried):
        typer.echo(f"  {line}")
