"""The NVIDIA devices that this process may use, as NVML knows them."""

from __future__ import annotations

import os
from typing import Any


def visible_devices() -> tuple[list[Any], str]:
    """Handles of the devices that ``CUDA_VISIBLE_DEVICES`` leaves, in its order; or why there are none.

    Where devices differ, CUDA may number them otherwise than NVML does, unless ``CUDA_DEVICE_ORDER=PCI_BUS_ID``.

    Returns:
        The handles, and an empty reason; or none, and the reason.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
        every = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # NVML raises its own errors where there is no driver
        return [], "no NVIDIA driver on this machine"
    if not every:
        return [], "the driver lists no device"
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = every if wanted is None else _named(wanted, every)
    return chosen, "" if chosen else f"CUDA_VISIBLE_DEVICES={wanted} leaves no device"


def _named(wanted: str, every: list[Any]) -> list[Any]:
    """What CUDA makes of the variable: numbers or UUIDs, up to the first that is wrong."""
    chosen = []
    for word in filter(None, map(str.strip, wanted.split(","))):
        found = _find(word, every)
        if found is None:
            break
        chosen.append(found)
    return chosen


def _find(word: str, every: list[Any]) -> Any:
    if word.isdecimal():
        return every[int(word)] if int(word) < len(every) else None
    import pynvml

    try:
        return pynvml.nvmlDeviceGetHandleByUUID(word)
    except pynvml.NVMLError:
        return None
