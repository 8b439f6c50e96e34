"""Energy: what counters of the machine say that a phase took, in joules; unknown is null with a reason.

Processors count by RAPL, which Linux shows under ``/sys/class/powercap`` (to the administrator alone, unless told
otherwise), NVIDIA devices from Volta on by NVML. Both count all that the machine did, not this process alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.meters.nvml import visible_devices
from bench.record import PhaseEnergy

POWERCAP = Path("/sys/class/powercap")
JOULES_A_KWH = 3.6e6
WAKE_SECONDS = 60.0
"""A counter of RAPL starts anew after some minutes of full load: it is read at least so often."""


class RaplZone:
    """A zone's counter of microjoules, which starts anew beyond ``max_energy_range_uj``.

    Args:
        folder: The zone's.

    Raises:
        OSError: Its counter may not be read.
    """

    def __init__(self, folder: Path) -> None:
        self._counter = folder / "energy_uj"
        self._range = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
        self._last = self._read()
        self._wrapped = 0

    def joules(self) -> float:
        """Joules since some moment: only differences mean anything."""
        now = self._read()
        if now < self._last:
            self._wrapped += self._range
        self._last = now
        return (now + self._wrapped) / 1e6

    def _read(self) -> int:
        return int(self._counter.read_text(encoding="ascii"))


@dataclass(frozen=True)
class Source:
    """What counts the energy of one part of the machine.

    Attributes:
        counters: Each gives joules since some moment.
        by: What they are.
        missing: Why there are none.
    """

    counters: Sequence[Callable[[], float]] = ()
    by: str = ""
    missing: str = ""

    def joules(self) -> float:
        """The sum of all counters."""
        return sum(counter() for counter in self.counters)


def processor(powercap: Path = POWERCAP) -> Source:
    """Packages of the processor, and the memory beside them."""
    zones = list(_zones(powercap))
    if not zones:
        return Source(missing="this machine shows no RAPL counters")
    try:
        return Source([RaplZone(zone).joules for zone in zones], "RAPL")
    except OSError:
        return Source(missing=f"{powercap}/*/energy_uj may be read by the administrator only")
    except ValueError:
        return Source(missing=f"{powercap} holds no numbers")


def devices() -> Source:
    """The visible NVIDIA devices."""
    handles, missing = visible_devices()
    if missing:
        return Source(missing=missing)
    return of_handles(handles)


def of_handles(handles: Sequence[Any]) -> Source:
    """Devices by NVML: millijoules since the driver was loaded."""
    import pynvml

    def counter(handle: Any) -> Callable[[], float]:
        return lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3

    found = Source([counter(handle) for handle in handles], "NVML")
    try:
        found.joules()
    except pynvml.NVMLError as error:
        return Source(missing=f"the device counts no energy ({error})")
    return found


def estimated(missing: str) -> Source:
    """The processor and its memory as codecarbon estimates them by load and data sheet; none unless it is installed.

    Args:
        missing: Why nothing counts them.
    """
    try:
        trackers: Any = import_module("codecarbon")
        outputs: Any = import_module("codecarbon.output_methods.base_output")
    except ImportError:
        return Source(missing=missing)

    class Latest(outputs.BaseOutput):  # type: ignore[misc]  # codecarbon is not typed
        joules = 0.0

        def out(self, total: Any, delta: Any) -> None:
            self.joules = (total.cpu_energy + total.ram_energy) * JOULES_A_KWH

    latest = Latest()
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # its own setting comes too late for its first lines
    try:
        tracker = trackers.OfflineEmissionsTracker(
            country_iso_code="USA",  # it wants one, for emissions; energy does not depend on it
            measure_power_secs=1,
            output_methods=[],
            output_handlers=[latest],
            gpu_ids=[],
            log_level="critical",
            allow_multiple_runs=True,
        )
        tracker.start()
    except Exception as error:  # an estimate that is not to be had costs no cell
        return Source(missing=f"{missing}; codecarbon failed: {error}")
    finally:
        logging.disable(before)

    def joules() -> float:
        tracker.flush()
        return latest.joules

    return Source([joules], "codecarbon")


def _best_of_this_machine() -> dict[str, Source]:
    counted = processor()
    return {"processor": counted if counted.counters else estimated(counted.missing), "devices": devices()}


@dataclass
class Joules:
    """What one phase took so far, by part of the machine."""

    values: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, amount: float) -> None:
        """Add to a part."""
        self.values[name] = self.values.get(name, 0.0) + amount


class EnergyMeter:
    """Reads the counters where a phase begins and ends, and gives each phase its own.

    Args:
        sources: Part of the machine → what counts its energy; found on this machine by default.
    """

    def __init__(self, sources: dict[str, Source] | None = None) -> None:
        self._sources = sources if sources is not None else _best_of_this_machine()
        self._unknown = {name: source.missing for name, source in self._sources.items() if not source.counters}
        self._last: dict[str, float] = {}
        self._taking = Joules()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def start(self) -> None:
        """Keep an eye on counters that start anew."""
        if len(self._unknown) < len(self._sources):
            threading.Thread(target=self._watch, name="bench-energy", daemon=True).start()

    def stop(self) -> None:
        """End that."""
        self._stop.set()

    def switch(self, joules: Joules) -> None:
        """Close the running phase and let ``joules`` take what comes from here on."""
        with self._lock:
            self._read()
            self._taking = joules

    def summary(self, joules: Joules) -> PhaseEnergy:
        """The energy of a closed phase as it stands in the record."""
        known = {name: amount for name, amount in joules.values.items() if name not in self._unknown}
        by = {name: self._sources[name].by for name in known}
        return PhaseEnergy(
            processor=known.get("processor"), devices=known.get("devices"), by=by, unknown=dict(self._unknown)
        )

    def _read(self) -> None:
        for name, now in self._now():
            self._taking.add(name, now - self._last.get(name, now))
            self._last[name] = now

    def _now(self) -> Iterator[tuple[str, float]]:
        for name, source in self._sources.items():
            if name in self._unknown:
                continue
            try:
                yield name, source.joules()
            except Exception as error:  # a counter that fails under way makes its sums worthless, and nothing else
                self._unknown[name] = f"a counter failed: {error}"

    def _watch(self) -> None:
        while not self._stop.wait(WAKE_SECONDS):
            with self._lock:
                self._read()


def _zones(powercap: Path) -> Iterator[Path]:
    """Packages and the memory beside them; their cores are part of them, and the whole platform holds them all."""
    for folder in sorted(powercap.glob("intel-rapl:*")):  # AMD's go by that name, too
        name = folder / "name"
        if name.is_file() and name.read_text(encoding="ascii").strip().startswith(("package", "dram")):
            yield folder
