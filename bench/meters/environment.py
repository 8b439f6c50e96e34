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
from bench.meters.nvml import visible_devices

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
    """Processor, cores, memory in MiB, and the visible NVIDIA devices with driver, memory and power limit."""
    import psutil

    return {
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "gpus": _gpus(),
    }


def hardware_id(facts: dict[str, Any], device: str, threads: int, processes: int = 1) -> str:
    """A name for the hardware that a cell used: speed and memory are compared only where it is equal.

    It covers the processor, its cores and threads, and of the devices those that the cell ran on, a device for each
    process, with driver and power limit.
    """
    used: dict[str, Any] = {"cpu": facts.get("cpu"), "cores": facts.get("cores"), "threads": threads}
    if processes > 1:
        used["processes"] = processes
    label = f"{facts.get('cores')} cores"
    if device != "cpu":
        gpus = (facts.get("gpus") or [])[:processes]
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
    """Cores that this process may use: those it may run on, and no more than its container's share of their time."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cpu_quota(Path("/sys/fs/cgroup"))
    return here if share is None else max(1, min(here, int(share)))


def cpu_quota(cgroup: Path) -> float | None:
    """Cores' worth of time that a control group may take; None without a limit.

    Args:
        cgroup: Where its files are: ``cpu.max`` (version 2), or ``cpu/cpu.cfs_quota_us`` and the like (version 1).
    """
    with suppress(OSError, ValueError):
        quota, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota, period = (
            (cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period")
        )
        return int(quota) / int(period) if int(quota) > 0 else None
    return None


def _git(folder: Path, *words: str) -> str | None:
    return _said("git", "-C", str(folder), *words)


def _said(*words: str) -> str | None:
    """What a command prints; None where it fails or is not there."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed
        return done.stdout.strip() if done.returncode == 0 else None
    return None


def _cpu_name() -> str:
    if sys.platform == "darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    with suppress(OSError):
        named = cpu_name(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
        if named:
            return named
    return platform.processor() or platform.machine()


def cpu_name(cpuinfo: str) -> str:
    """What Linux's ``/proc/cpuinfo`` calls a processor: those of Arm have no name there, but numbers; or nothing.

    Args:
        cpuinfo: Its content.
    """
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in cpuinfo.splitlines())}
    if "model name" in facts:
        return facts["model name"]
    parts = [f"{key.removeprefix('CPU ')} {facts[key]}" for key in ("CPU implementer", "CPU part") if key in facts]
    return ", ".join([platform.machine(), *parts]) if parts else ""


def _gpus() -> list[dict[str, Any]]:
    handles, _ = visible_devices()
    return [_gpu(handle) for handle in handles]


def _gpu(handle: Any) -> dict[str, Any]:
    import pynvml

    return {
        "name": str(pynvml.nvmlDeviceGetName(handle)),
        "memory_mib": _device_memory(handle),
        "driver": str(pynvml.nvmlSystemGetDriverVersion()),
        "power_limit_w": _power_limit(handle),
    }


def _device_memory(handle: Any) -> int | None:
    """MiB; a device that shares the host's memory has none of its own."""
    import pynvml

    with suppress(pynvml.NVMLError):
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) // 2**20
    return None


def _power_limit(handle: Any) -> float | None:
    import pynvml

    with suppress(pynvml.NVMLError):
        return float(pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)) / 1000
    return None


def python_version() -> str:
    """The interpreter's version and kind."""
    return f"{platform.python_implementation()} {platform.python_version()} ({sys.platform})"
