"""What keeps a child from outliving its parent or from eating the machine."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path

from bench.errors import UserError

MIB = 2**20
DEFAULT_SHARE = 0.9
LEAST_MIB = 512
_PR_SET_PDEATHSIG = 1
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def isolate() -> None:
    """Make this child the leader of a process group of its own that dies with the parent."""
    os.setsid()
    with suppress(OSError, AttributeError):  # Linux: the kernel sees to it, whatever the child is busy with
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_die_with_parent, name="bench-parent", daemon=True).start()


def kill_group(pid: int, signum: int) -> None:
    """Send a signal to a child and its whole process group; gone ones do not matter.

    A child that has only just started has no group of its own yet, so it is named itself, too.
    """
    for send in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):
            send(pid, signum)


def limit_data(limit_mib: int | None) -> None:
    """Let the kernel refuse this process private memory over the limit, so that it gets a ``MemoryError``.

    None lifts the limit. Only Linux counts what matters; elsewhere the parent's watch alone holds the limit.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = resource.RLIM_INFINITY if limit_mib is None else limit_mib * MIB
    if hard != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or wanted > hard):
        wanted = hard
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def default_memory_limit(jobs: int) -> int:
    """MiB for each of ``jobs`` children: nine tenths of what is free now, in the container's limit too."""
    import psutil

    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        most = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        free = min(free, most - used + _reclaimable())
    return max(1, int(free * DEFAULT_SHARE / jobs / MIB))


def _reclaimable() -> int:
    """Bytes of file cache in this container's account that the kernel would give back."""
    lines = Path("/sys/fs/cgroup/memory.stat").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)


def parse_memory(text: str) -> int:
    """MiB from words such as ``8GiB``, ``8G``, ``512MiB``.

    Raises:
        UserError: It is not an amount of memory.
    """
    stripped = text.strip().upper().removesuffix("IB").removesuffix("B")
    unit = stripped[-1:] if stripped[-1:].isalpha() else ""
    try:
        amount = float(stripped.removesuffix(unit)) * _UNITS[unit]
    except (ValueError, KeyError):
        raise UserError(f"memory limit {text!r} is not an amount such as 8GiB or 512MiB") from None
    if not LEAST_MIB * MIB <= amount < float("inf"):
        raise UserError(
            f"memory limit {text!r} is not an amount of at least {LEAST_MIB} MiB, which a cell needs to start"
        )
    return int(amount / MIB)


def parse_seconds(text: str) -> float:
    """Seconds from words such as ``90``, ``90s``, ``20m``, ``2h``.

    Raises:
        UserError: It is not a duration.
    """
    factors = {"s": 1, "m": 60, "h": 3600}
    factor = factors.get(text[-1:])
    try:
        seconds = float(text if factor is None else text[:-1]) * (factor or 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UserError(f"timeout {text!r} is not a duration such as 90s, 20m or 2h")
    return seconds


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)
