"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UserError, unknown_name

OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the results.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PluginsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins", metavar="PATH", help="A .py or .yaml file with plugins, or a folder of them. Repeatable."
    ),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the plugin. Repeatable.")
]

DEFAULT_OUT = Path("results/runs")


def checked_device(name: str | None) -> str | None:
    """The device that the user names.

    Raises:
        UserError: There is none of that name.
    """
    known = ["cpu", "cuda", "mps"]
    if name is None or name in known:
        return name
    if name.startswith("cuda:"):
        raise UserError(f"--device {name}: write cuda, and choose among devices with CUDA_VISIBLE_DEVICES")
    raise unknown_name("device", name, known)
