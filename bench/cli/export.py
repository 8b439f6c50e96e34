"""``bench export``: a cell's model as a folder that other libraries load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.cells import CellArgument, LocalModelsOption, StartOption
from bench.cli.options import DEFAULT_OUT, OutOption, PluginsOption


def export(
    cell: CellArgument,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to write; made if it is not there.")],
    out: OutOption = DEFAULT_OUT,
    model: StartOption = None,
    local_models: LocalModelsOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    plugins: PluginsOption = None,
) -> None:
    """Write the model of a finished cell as transformers and peft load it, with a README of the very lines.

    The cell must have been run with --save-models.
    """
    from bench.cli.cells import find_cell, known_method
    from bench.exporting import PAGE, check_target
    from bench.exporting import export as write
    from bench.meters.environment import usable_cores
    from bench.registry import Registry
    from bench.runner.executor import child_environment
    from bench.saved import Surroundings

    saved, registry = find_cell(cell, out), Registry.discover(plugins or ())
    known_method(saved, registry)
    check_target(to, force)
    surroundings = Surroundings(usable_cores(), None, model, local_models)
    with child_environment(surroundings.threads), saved.loaded(registry, surroundings) as (method, context):
        exported = write(saved, method, context, to)
    typer.echo(f"{to}: {exported.what}; {to / PAGE} says how to load it", err=True)
