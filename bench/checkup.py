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
    checks: list[Callable[[], list[Finding]]] = [
        _interpreter,
        _libraries,
        _processor,
        _devices,
        _quantisation,
        lambda: _disk(out),
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


def _devices() -> list[Finding]:
    import torch

    gpus = environment.hardware()["gpus"]
    if torch.cuda.is_available():
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16: NF4 computes in fp16"
        return [Finding("device", "ok", f"cuda, {len(gpus)}x {torch.cuda.get_device_name(0)}, {bf16}")]
    if torch.backends.mps.is_available():
        return [Finding("device", "ok", "mps")]
    if gpus:
        remedy = "install the CUDA build of torch that fits the driver"
        return [
            Finding(
                "device", "fault", f"{gpus[0]['name']} is there, but torch {torch.__version__} cannot use it", remedy
            )
        ]
    return [Finding("device", "note", "cpu only", "the embedded models run well here; real LLMs want a GPU")]


def _quantisation() -> list[Finding]:
    """Quantise and multiply for real: the kernels of bitsandbytes are the part that fails most."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        import bitsandbytes as bnb

        layer = bnb.nn.Linear4bit(64, 64, quant_type="nf4", compute_dtype=torch.float32).to(device)
        finite = bool(torch.isfinite(layer(torch.ones(1, 64, device=device))).all())
    except Exception as error:  # whatever a kernel raises is the finding
        return [Finding("nf4 kernels", "fault", f"{type(error).__name__}: {error}", "pip install -U bitsandbytes")]
    return [Finding("nf4 kernels", "ok" if finite else "fault", f"work on {device}" if finite else "give no numbers")]


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
