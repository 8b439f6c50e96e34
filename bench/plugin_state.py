"""Whether a plugin can be used here: what ``bench list`` and ``bench doctor`` say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bench.errors import UserError
from bench.registry import HeavyImportError, Plugin, PluginKind


@dataclass(frozen=True)
class PluginState:
    """A plugin as it stands.

    Attributes:
        name: What the user calls it.
        kind: ``task`` or ``method``.
        status: ``ok``; ``unavailable``: its data or its libraries are not here; ``broken``: it does not import;
            ``unchecked``: it imports heavy libraries at its top, which looking does not pay for.
        about: The first line of its docstring.
        origin: The distribution or file it came from.
        reason: Why it is not ok.
        remedy: The one command that mends it.
        optional: Whether it is a collection that most users do not bring; see :class:`bench.task.Task`.
        model: The architecture of the network that a method starts from; ``none`` for one that needs none.
    """

    name: str
    kind: PluginKind
    status: Literal["ok", "unavailable", "broken", "unchecked"] = "ok"
    about: str = ""
    origin: str = ""
    reason: str = ""
    remedy: str = ""
    optional: bool = False
    model: str | None = None


def plugin_state(plugin: Plugin) -> PluginState:
    """Look at a plugin; to stay quick, call it inside :func:`bench.registry.light_imports`."""

    def state(status: Literal["ok", "unavailable", "broken", "unchecked"], **more: Any) -> PluginState:
        return PluginState(plugin.name, plugin.kind, status, origin=plugin.origin, **more)

    try:
        found = plugin.load()
        about = plugin.about or (found.__doc__ or "").strip().split("\n")[0]
        model = (found.model_architecture or "none") if plugin.kind == "method" else None
        with plugin.guarded():
            available = found(plugin.settings({})).availability()
    except HeavyImportError as error:
        return state("unchecked", reason=f"it {error}; running it will tell")
    except UserError as error:
        return state("broken", reason=str(error))
    if available.ok:
        return state("ok", about=about, model=model)
    optional = plugin.kind == "task" and bool(found.optional)
    return state(
        "unavailable", about=about, reason=available.reason, remedy=available.remedy, optional=optional, model=model
    )
