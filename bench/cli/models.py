"""``bench models``: the models that come with the package, and the presets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import models_build
from bench.cli.options import JsonOption
from bench.errors import unknown_name

if TYPE_CHECKING:
    from bench.model import ResolvedModel
    from bench.presets import Preset

LocalModelsOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of models to look in first.")]

app = typer.Typer(name="models", help="List, show and build models.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", short_help="List models with size, licence, and whether they are here.")
def list_(local_models: LocalModelsOption = None, as_json: JsonOption = False) -> None:
    """List the embedded models and the presets, with size, licence and whether they are on this machine."""
    from bench.cli.tables import print_json, print_table
    from bench.embedded import ARCHITECTURES
    from bench.presets import presets

    rows = [_embedded_row(name) for name in ARCHITECTURES]
    rows += [_preset_row(preset, local_models) for preset in presets()]
    if as_json:
        print_json(rows)
        return
    print_table(
        ["model", "family", "kind", "parameters", "licence", ""],
        [
            (
                row["model"],
                row["family"],
                row["architecture"],
                _short(row["parameters"]),
                row["licence"] + (" (gated)" if row["gated"] else ""),
                "here" if row["here"] else "",
            )
            for row in rows
        ],
    )
    typer.echo("\nparameters: the body with its embeddings, without the layer that predicts tokens")
    typer.echo("bring one: bench prepare MODEL; its network with random weights: --model MODEL:random")


@app.command("show", short_help="Show one model.")
def show(
    name: Annotated[str, typer.Argument(help="A preset by its id or the last part of it, or any model that is here.")],
    local_models: LocalModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a model: size, licence and numbers of its architecture, where it is, and how to bring it."""
    from bench.embedded import ARCHITECTURES
    from bench.presets import find_preset

    preset = find_preset(name)
    if preset is not None:
        _show_preset(preset, _here(preset.id, local_models), as_json)
    elif name in ARCHITECTURES:
        _show_embedded(name, as_json)
    else:
        _show_found(_found(name, local_models), as_json)


app.command("build", short_help="Pretrain a small encoder and decoder.")(models_build.build)


def _embedded_row(name: str) -> dict[str, Any]:
    from bench import embedded
    from bench.model_files import count_weights, read_config

    folder = embedded.folder(name)
    (network,) = read_config(folder)["architectures"]
    return {
        "model": name,
        "family": network.partition("For")[0],
        "architecture": embedded.ARCHITECTURES[name],
        "parameters": count_weights(folder),
        "licence": "apache-2.0",
        "gated": False,
        "here": True,
    }


def _preset_row(preset: Preset, local_models: Path | None) -> dict[str, Any]:
    from bench.model import locate

    facts = preset.model_dump(exclude={"id", "config"})
    return {"model": preset.id, **facts, "here": locate(preset.id, local_models) is not None}


def _show_preset(preset: Preset, here: ResolvedModel | None, as_json: bool) -> None:
    from bench.cli.tables import print_json, print_table
    from bench.model import RANDOM

    prepare, random = f"bench prepare {preset.id}", f"{preset.id}{RANDOM}"
    if as_json:
        place = {"folder": here and str(here.folder), "revision": here and here.revision}
        print_json({**preset.model_dump(), **place, "prepare": prepare, "random": random})
        return
    size = f"{preset.parameters:,} parameters without a head"
    typer.echo(f"{preset.id} ({preset.family}, {preset.architecture}): {size}, licence {preset.licence}\n")
    if preset.gated:
        typer.echo(f"gated: accept the licence at {preset.page}, then log in with `hf auth login`")
    typer.echo(f"on this machine: {here.folder}, revision {here.revision}" if here else f"not here; run: {prepare}")
    typer.echo(f"random weights, no download: --model {random}\n")
    print_table(["setting", "value"], list(_flat(preset.config)))


def _show_embedded(name: str, as_json: bool) -> None:
    from bench import embedded
    from bench.cli.tables import print_json

    folder = embedded.folder(name)
    readme = folder / "README.md"
    card = readme.read_text("utf-8") if readme.is_file() else None
    row = _embedded_row(name)
    if as_json:
        print_json({**row, "folder": str(folder), "card": card})
        return
    typer.echo(f"{name} ({row['family']}, {row['architecture']}): {_size(row['parameters'])}, comes with the package")
    typer.echo(f"folder: {folder}")
    if card is not None:
        typer.echo(f"\n{card.rstrip()}")


def _show_found(model: ResolvedModel, as_json: bool) -> None:
    from bench.cli.tables import print_json
    from bench.model_files import count_weights

    parameters = None if model.from_scratch else count_weights(model.folder)
    if as_json:
        facts = {"model": model.name, "architecture": model.architecture, "parameters": parameters}
        print_json({**facts, "folder": str(model.folder), "revision": model.revision})
        return
    later = "" if model.folder.is_dir() else " (made when first needed)"
    typer.echo(f"{model.name} ({model.architecture}): {_size(parameters)}")
    typer.echo(f"folder: {model.folder}{later}\nrevision: {model.revision}")


def _here(name: str, local_models: Path | None = None) -> ResolvedModel | None:
    """A model, or None where it is nowhere.

    Raises:
        ModelError: It is here, and its files are not what they should be.
    """
    from bench.model import locate, resolve

    return resolve(name, local_models) if locate(name, local_models) is not None else None


def _found(name: str, local_models: Path | None) -> ResolvedModel:
    """A model that is no preset.

    Raises:
        UserError: There is none of that name, or its files are not what they should be.
    """
    from bench.embedded import ARCHITECTURES
    from bench.model import RANDOM, resolve
    from bench.presets import presets

    found = _here(name.removesuffix(RANDOM), local_models)
    if found is None and not _is_random_preset(name):
        raise unknown_name("model", name, [*ARCHITECTURES, *(preset.id for preset in presets())])
    return resolve(name, local_models)


def _is_random_preset(name: str) -> bool:
    from bench.model import RANDOM
    from bench.presets import find_preset

    return name.endswith(RANDOM) and find_preset(name.removesuffix(RANDOM)) is not None


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys and values for showing; keys with a dot where a value is a mapping."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)


def _size(parameters: int | None) -> str:
    return "size unknown" if parameters is None else f"{parameters:,} parameters"


def _short(parameters: int) -> str:
    # 999.5 M and more would be rounded to 1000 M.
    return f"{parameters / 1e6:.3g} M" if parameters < 999.5e6 else f"{parameters / 1e9:.1f} B"
