"""``bench prepare``: bring data and models to this machine; the one command that may use the network."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import PluginsOption, SetOption
from bench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from bench.registry import Plugin


def prepare(
    names: Annotated[list[str], typer.Argument(help="Tasks, families of tasks, or hub ids of models.")],
    sets: SetOption = None,
    plugins: PluginsOption = None,
) -> None:
    """Bring tasks or models to this machine."""
    from bench.cli.words import of_plugin, parse_sets
    from bench.embedded import ARCHITECTURES
    from bench.model import RANDOM
    from bench.registry import Registry

    given = parse_sets(sets)
    registry = Registry.discover(plugins or ())
    tasks = registry.of("task")
    for name in names:
        chosen = _tasks_named(name, list(tasks.values()))
        if chosen:
            for plugin in chosen:
                with plugin.guarded():
                    plugin.load()(plugin.settings(of_plugin(plugin.name, given))).prepare(typer.echo)
            continue
        if given:
            raise UserError(f"--set is for tasks, and {name!r} is none")
        if name.removesuffix(RANDOM) in ARCHITECTURES or name.endswith(RANDOM):
            typer.echo(f"{name}: nothing to bring")
            continue
        known = [*tasks, *_families(list(tasks.values()))]
        if "/" not in name and get_close_matches(name, known, cutoff=0.6):
            raise unknown_name("task, family or model", name, known)
        _download_model(name)


def _tasks_named(name: str, tasks: list[Plugin]) -> list[Plugin]:
    named = [plugin for plugin in tasks if plugin.name == name]
    return named or [plugin for plugin in tasks if _family(plugin) == name]


def _families(tasks: list[Plugin]) -> set[str]:
    return {family for plugin in tasks if (family := _family(plugin)) is not None}


def _family(plugin: Plugin) -> str | None:
    try:
        family: str | None = plugin.load().family
    except UserError:  # a broken plugin has no family; `bench list` says what is wrong with it
        return None
    return family


def _download_model(name: str) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    from bench.model import resolve
    from bench.presets import find_preset

    preset = find_preset(name)
    hub_id = preset.id if preset is not None else name
    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        # Neither copies in other formats nor weights that would have to be unpickled: a pickle can run code.
        folder = Path(snapshot_download(hub_id, allow_patterns=patterns, ignore_patterns=["*/*", "consolidated*"]))
    except GatedRepoError as error:
        raise UserError(
            f"model {hub_id} asks you to accept its licence at https://huggingface.co/{hub_id}; then `hf auth login`, "
            f"then again `bench prepare {hub_id}`"
        ) from error
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError) as error:
        raise UserError(f"model {hub_id} cannot be fetched: {' '.join(str(error).split())[:200]}") from error
    if not any(folder.glob("*.safetensors")):
        raise UserError(
            f"model {hub_id} is not published as safetensors, and bench unpickles nothing; convert it where you trust "
            f"it (AutoModel.from_pretrained, save_pretrained) and name the folder with --model"
        )
    resolve(hub_id)
    typer.echo(f"{hub_id}: in {folder}")
