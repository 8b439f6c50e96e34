"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
