"""Where a cell runs: hardware, software, and the harness's own version."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "accelerate",
    "tokenizers",
    "scikit-learn",
    "numpy",
    "scipy",
    "pyarrow",
)


def packages() -> dict[str, str]:
    """Name → version of the installed packages that can change a number."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def hardware() -> dict[str, Any]:
    """Processor, cores, memory in MiB, and the NVIDIA devices with driver, memory and power limit."""
    import psutil

    return {
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "gpus": _gpus(),
    }


def hardware_id(facts: dict[str, Any], device: str, threads: int, processes: int = 1) -> str:
    """A name for the hardware that a cell used: speed and memory are compared only where it is equal."""
    used: dict[str, Any] = {"cpu": facts.get("cpu"), "cores": facts.get("cores"), "threads": threads}
    if processes > 1:
        used["processes"] = processes
    label = f"{facts.get('cores')} cores"
    if device != "cpu":
        gpus = facts.get("gpus") or []
        used["gpus"] = gpus
        label = f"{len(gpus)}x {gpus[0]['name']}" if gpus else device
    digest = hashlib.blake2b(json.dumps(used, sort_keys=True).encode(), digest_size=3).hexdigest()
    return f"{device}, {label}, {digest}"


def harness() -> dict[str, Any]:
    """Version, git commit and whether the code was modified, found by the package's path, not the working folder."""
    folder = Path(bench.__file__).resolve().parent
    found: dict[str, Any] = {"version": bench.__version__, "python": platform.python_version()}
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is not None and _git(folder, "ls-files", "--error-unmatch", "__init__.py") is not None:
        changed = _git(folder.parent, "status", "--porcelain", "--", "bench", "baselines", "tasks", "report")
        found |= {"git": commit, "modified": bool(changed)}
    return found


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git(folder: Path, *words: str) -> str | None:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(folder), *words],  # noqa: S607 - git as the user has it
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else None
    return None


def _cpu_name() -> str:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        return next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with suppress(Exception):  # NVML raises its own errors where there is no driver
        import pynvml

        pynvml.nvmlInit()
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            found.append(
                {
                    "name": str(pynvml.nvmlDeviceGetName(handle)),
                    "memory_mib": pynvml.nvmlDeviceGetMemoryInfo(handle).total // 2**20,
                    "driver": str(pynvml.nvmlSystemGetDriverVersion()),
                    "power_limit_w": _power_limit(handle),
                }
            )
    return found


def _power_limit(handle: Any) -> float | None:
    import pynvml

    with suppress(pynvml.NVMLError):
        return float(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)) / 1000
    return None


def python_version() -> str:
    """The interpreter's version and kind."""
    return f"{platform.python_implementation()} {platform.python_version()} ({sys.platform})"
