"""``bench prepare``: bring data and models to this machine; the one command that may use the network."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import PluginsOption
from bench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from bench.registry import Plugin


def prepare(
    names: Annotated[list[str], typer.Argument(help="Tasks, families of tasks (debian), or hub ids of models.")],
    plugins: PluginsOption = None,
) -> None:
    """Bring tasks or models to this machine."""
    from bench.registry import Registry

    registry = Registry.discover(plugins or ())
    tasks = registry.of("task")
    for name in names:
        chosen = _tasks_named(name, list(tasks.values()))
        if chosen:
            for plugin in chosen:
                with plugin.guarded():
                    plugin.load()(plugin.settings({})).prepare(typer.echo)
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
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        folder = Path(snapshot_download(name, allow_patterns=patterns))
        if not any(folder.glob("*.safetensors")):
            snapshot_download(name, allow_patterns=["*.bin"])
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError) as error:
        raise UserError(f"model {name} cannot be fetched: {' '.join(str(error).split())[:200]}") from error
    typer.echo(f"{name}: in {folder}")
