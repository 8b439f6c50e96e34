"""Process trees: who belongs to one, and how much memory it holds; cheap enough to ask many times a second."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

LINUX = platform.system() == "Linux"


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and all its descendants; 0 where it is gone."""
    return resident_memory(pid) + descendants_memory(pid)


def descendants_memory(pid: int) -> int:
    """Resident bytes of all descendants of a process."""
    return sum(map(resident_memory, descendants(pid)))


def resident_memory(pid: int) -> int:
    """Resident bytes of one process; 0 where it is gone."""
    if LINUX:
        try:
            return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def descendants(pid: int) -> list[int]:
    """Every living descendant of a process."""
    if not LINUX:
        return _descendants_by_psutil(pid)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    """The kernel keeps a list of children for each thread: reading them does not walk all of ``/proc``."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - called many times a second
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found


def _descendants_by_psutil(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
