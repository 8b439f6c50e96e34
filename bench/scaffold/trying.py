"""What a new plugin is tried with, of what is installed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bench.errors import UserError
from bench.registry import HeavyImportError, Plugin, PluginKind, Registry

_METHODS = 2
_DOCUMENTS = 500


def run_command(kind: PluginKind, name: str, registry: Registry) -> str:
    """The ``bench run`` that tries a new plugin: a task with methods that are quick, a method on a task that is here.

    Args:
        kind: ``task`` or ``method``.
        name: Its name.
        registry: The plugins that are installed.
    """
    if kind == "task":
        methods = islice((plugin.name for plugin in registry.of("method").values() if _is_quick(plugin)), _METHODS)
        return " ".join(["bench run", f"-t {name}", *(f"-m {method}" for method in methods)])
    tasks = islice((plugin.name for plugin in registry.of("task").values() if _is_here(plugin)), 1)
    return " ".join(
        ["bench run", *(f"-t {task}" for task in tasks), f"-m {name}", f"--set train_documents={_DOCUMENTS}"]
    )


def _is_quick(plugin: Plugin) -> bool:
    """Whether it needs no network."""
    return any(found.model_architecture is None and not found.uses_torch for found in _loaded(plugin))


def _is_here(plugin: Plugin) -> bool:
    """Whether its documents are on this machine."""
    for found in _loaded(plugin):
        try:
            with plugin.guarded():
                return bool(found(plugin.settings({})).availability().ok)
        except (UserError, HeavyImportError):
            return False
    return False


def _loaded(plugin: Plugin) -> Iterator[Any]:
    """Its class; nothing where it is broken."""
    try:
        yield plugin.load()
    except (UserError, HeavyImportError):
        return
