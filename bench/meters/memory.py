"""Memory: peaks of the host, of torch and of the device, for each phase, in MiB; unknown is null with a reason."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.meters.nvml import visible_devices
from bench.meters.processes import descendants_memory, resident_memory, tree_memory
from bench.record import PhaseMemory

MIB = 2**20
SAMPLE_SECONDS = 0.05


@dataclass
class Peaks:
    """The highest value seen of each figure, in MiB, and why others are unknown."""

    values: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def see(self, name: str, value: float) -> None:
        """Keep the value if it is the highest so far."""
        self.values[name] = max(value, self.values.get(name, value))


class HostMemory:
    """Resident memory of this process and its children.

    Linux keeps the peak of a process itself and lets it be reset, which costs nothing and misses nothing; to it comes
    the least that its children were seen to hold since. Children, and other systems, are sampled.
    """

    def __init__(self) -> None:
        self.idle = tree_memory(os.getpid()) / MIB
        self.kernel_peak = False
        self._children = 0.0

    def reset(self) -> None:
        """Start a new peak."""
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self.kernel_peak = True
        except OSError:
            # A peak that cannot be reset belongs to some earlier phase: samples alone must do.
            self.kernel_peak = False
        self._children = descendants_memory(os.getpid()) / MIB

    def sample(self, peaks: Peaks) -> None:
        """See the tree's memory as it is now."""
        children = descendants_memory(os.getpid()) / MIB
        self._children = min(children, self._children)
        peaks.see("host", resident_memory(os.getpid()) / MIB + children)

    def read(self, peaks: Peaks) -> None:
        """See the kernel's own peak since the reset, with the least that children held."""
        self.sample(peaks)
        if not self.kernel_peak:
            return
        with suppress(OSError, StopIteration, ValueError):
            lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
            high_water = next(line for line in lines if line.startswith("VmHWM:"))
            peaks.see("host", int(high_water.split()[1]) / 1024 + self._children)


class TorchMemory:
    """Torch's own allocator: its peaks on CUDA, summed over devices; on Apple's devices, which keep none, samples."""

    def reset(self) -> None:
        """Start new peaks."""
        cuda = _cuda_in_use()
        for index in range(cuda.device_count() if cuda else 0):
            cuda.reset_peak_memory_stats(index)

    def sample(self, peaks: Peaks) -> None:
        """See what an Apple device holds now: the tensors, and all that Metal has given to this process."""
        mps = _mps_in_use()
        if mps is not None:
            peaks.see("allocated", mps.current_allocated_memory() / MIB)
            peaks.see("reserved", mps.driver_allocated_memory() / MIB)

    def read(self, peaks: Peaks) -> None:
        """See the peaks since the reset."""
        self.sample(peaks)
        cuda = _cuda_in_use()
        if cuda is None:
            reason = "torch counts its allocations on CUDA and Apple devices only, and the cell used none"
            peaks.unknown.update(allocated=reason, reserved=reason)
            return
        devices = range(cuda.device_count())
        peaks.see("allocated", sum(cuda.max_memory_allocated(i) for i in devices) / MIB)
        peaks.see("reserved", sum(cuda.max_memory_reserved(i) for i in devices) / MIB)


class DeviceMemory:
    """Memory of the visible devices by NVML: of this process, and of everyone."""

    def __init__(self) -> None:
        self._handles, self._missing = visible_devices()

    def sample(self, peaks: Peaks) -> None:
        """See the memory in use now."""
        if not self._handles:
            peaks.unknown.update(process=self._missing, device=self._missing)
            return
        for name, ask in (("device", self._everyone), ("process", self._own)):
            self._see(name, ask, peaks)

    def _see(self, name: str, ask: Callable[[], int | None], peaks: Peaks) -> None:
        """A device that shares the host's memory, or is cut into parts, may refuse to tell."""
        import pynvml

        try:
            found = ask()
        except pynvml.NVMLError as error:
            peaks.unknown[name] = f"the device does not tell ({error})"
            return
        if found is None:
            peaks.unknown[name] = "NVML does not list this process (not on the device, or hidden by a container)"
        else:
            peaks.see(name, found / MIB)

    def _everyone(self) -> int:
        import pynvml

        return sum(int(pynvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in self._handles)

    def _own(self) -> int | None:
        import pynvml

        listed = [one for handle in self._handles for one in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
        own = [one.usedGpuMemory for one in listed if one.pid == os.getpid() and one.usedGpuMemory is not None]
        return sum(own) if own else None


class MemoryMeter:
    """Samples in the background and gives each phase its own peaks.

    Args:
        sample_seconds: Pause between two samples.
    """

    def __init__(self, sample_seconds: float = SAMPLE_SECONDS) -> None:
        self._host = HostMemory()
        self._torch = TorchMemory()
        self._device = DeviceMemory()
        self._peaks = Peaks()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pause = sample_seconds
        self._thread = threading.Thread(target=self._watch, name="bench-memory", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """End sampling."""
        self._stop.set()

    def switch(self, peaks: Peaks) -> None:
        """Close the running phase and let ``peaks`` take what comes from here on."""
        with self._lock:
            self._read()
            self._peaks = peaks
            self._host.reset()
            self._torch.reset()

    def _read(self) -> None:
        self._host.read(self._peaks)
        self._torch.read(self._peaks)
        self._device.sample(self._peaks)

    def _watch(self) -> None:
        while not self._stop.wait(self._pause):
            with self._lock:
                self._host.sample(self._peaks)
                self._torch.sample(self._peaks)
                self._device.sample(self._peaks)

    def summary(self, peaks: Peaks) -> PhaseMemory:
        """The peaks of a closed phase as they stand in the record."""
        known = peaks.values
        host = known.get("host")
        unknown = {name: reason for name, reason in peaks.unknown.items() if name not in known}
        return PhaseMemory(
            host=host,
            host_above_idle=max(0.0, host - self._host.idle) if host is not None else None,
            allocated=known.get("allocated"),
            reserved=known.get("reserved"),
            process=known.get("process"),
            device=known.get("device"),
            unknown=unknown,
        )


def _torch() -> Any:
    """torch; None where nobody has imported it, or somebody is just about to: most of it is not there yet."""
    torch = sys.modules.get("torch")
    return None if getattr(getattr(torch, "__spec__", None), "_initializing", False) else torch


def _cuda_in_use() -> Any:
    torch = _torch()
    return torch.cuda if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized() else None


def _mps_in_use() -> Any:
    torch = _torch()
    return torch.mps if torch is not None and torch.backends.mps.is_available() else None
