"""The checks behind ``bench doctor``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from bench.files import cache_folder
from bench.meters import environment
from bench.plugin_state import PluginState, plugin_state
from bench.registry import Registry, light_imports


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: The thing.
        state: ``ok``; ``note``: works, but know this; ``fault``: something will not work.
        found: What was found.
        remedy: What to do.
    """

    what: str
    state: Literal["ok", "note", "fault"]
    found: str
    remedy: str = ""


def checkup(out: Path, plugins: tuple[Path, ...]) -> list[Finding]:
    """Look at everything that a run depends on."""
    from bench import checkup_device, checkup_hub

    checks: list[Callable[[], list[Finding]]] = [
        _interpreter,
        _libraries,
        _processor,
        checkup_device.devices,
        checkup_device.rates,
        checkup_device.quantisation,
        checkup_device.counters,
        lambda: _disk(out),
        checkup_hub.hub,
        checkup_hub.kept,
        lambda: _plugins(plugins),
    ]
    return [finding for check in checks for finding in check()]


def _interpreter() -> list[Finding]:
    good = (3, 11) <= sys.version_info < (3, 14)
    remedy = "" if good else "use Python 3.11, 3.12 or 3.13"
    return [Finding("python", "ok" if good else "fault", environment.python_version(), remedy)]


def _libraries() -> list[Finding]:
    found = []
    for name in environment.PACKAGES:
        try:
            found.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, "fault", "not installed", "pip install -c constraints.txt -e ."))
    return found


def _processor() -> list[Finding]:
    facts = environment.hardware()
    memory = f"{facts['memory_mib'] / 1024:.0f} GiB memory"
    return [Finding("processor", "ok", f"{facts['cpu']}, {facts['cores']} cores, {memory}")]


def _disk(out: Path) -> list[Finding]:
    findings = []
    for what, folder in (("results", out), ("cache", cache_folder())):
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        free = shutil.disk_usage(there).free / 2**30
        if not os.access(there, os.W_OK):
            findings.append(Finding(what, "fault", f"{folder} cannot be written", "choose another folder"))
        else:
            state: Literal["ok", "note"] = "ok" if free >= 5 else "note"
            findings.append(Finding(what, state, f"{folder}, {free:.0f} GiB free"))
    return findings


def _plugins(files: tuple[Path, ...]) -> list[Finding]:
    with light_imports():
        states = [plugin_state(plugin) for plugin in Registry.discover(files).plugins]
    return [_of_plugin(state) for state in states]


def _of_plugin(state: PluginState) -> Finding:
    remedy = f"run: {state.remedy}" if state.remedy else ""
    what = f"{state.kind} {state.name}"
    if state.status == "broken":
        return Finding(what, "fault", state.reason, remedy)
    return Finding(what, "ok" if state.status == "ok" else "note", state.reason or "ready", remedy)
