"""Energy by counters of the machine: differences over a phase, over the end of a counter's range, or a reason."""

import sys
from types import SimpleNamespace

import pynvml
import pytest

from bench.meters.energy import EnergyMeter, Joules, Source, devices, estimated, processor
from bench.meters.instruments import CellInstruments


class Zone:
    """A zone as Linux shows it."""

    def __init__(self, powercap, called, name, most=10_000_000):
        self.folder = powercap / called
        self.folder.mkdir(parents=True)
        (self.folder / "name").write_text(f"{name}\n")
        (self.folder / "max_energy_range_uj").write_text(f"{most}\n")
        self.show(0)

    def show(self, microjoules):
        (self.folder / "energy_uj").write_text(f"{microjoules}\n")


@pytest.fixture
def powercap(tmp_path):
    return tmp_path / "powercap"


def test_packages_and_memory_count_and_their_parts_do_not(powercap):
    zones = {
        called: Zone(powercap, called, name)
        for called, name in {
            "intel-rapl:0": "package-0",
            "intel-rapl:0:0": "core",
            "intel-rapl:0:1": "dram",
            "intel-rapl:1": "psys",
            "intel-rapl-mmio:0": "package-0",
        }.items()
    }
    source = processor(powercap)
    before = source.joules()
    for zone in zones.values():
        zone.show(3_000_000)
    assert source.joules() - before == pytest.approx(6.0)


def test_a_counter_that_starts_anew_goes_on(powercap):
    zone = Zone(powercap, "intel-rapl:0", "package-0", most=10_000_000)
    zone.show(9_500_000)
    source = processor(powercap)
    before = source.joules()
    zone.show(500_000)
    assert source.joules() - before == pytest.approx(1.0)
    zone.show(400_000)
    assert source.joules() - before == pytest.approx(10.9)


def test_counters_that_may_not_be_read_are_unknown_with_a_reason(powercap):
    zone = Zone(powercap, "intel-rapl:0", "package-0")
    (zone.folder / "energy_uj").unlink()
    (zone.folder / "energy_uj").mkdir()  # an error even for the administrator
    meter = EnergyMeter({"processor": processor(powercap), "devices": Source(missing="none here")})
    found = meter.summary(Joules())
    assert (found.processor, found.devices) == (None, None)
    assert "administrator" in found.unknown["processor"]
    assert found.unknown["devices"] == "none here"


def test_no_counters_are_unknown_with_a_reason(powercap):
    assert processor(powercap).missing


class Counted:
    """Counters that a test sets."""

    def __init__(self):
        self.processor = self.devices = 100.0

    def meter(self):
        return EnergyMeter({"processor": Source([lambda: self.processor]), "devices": Source([lambda: self.devices])})


def test_energy_belongs_to_the_innermost_phase():
    counted = Counted()
    instruments = CellInstruments(tell=lambda _: None, _energy=counted.meter())
    with instruments.phase("train"):
        counted.processor += 5
        with instruments.phase("load"):
            counted.processor += 2
            counted.devices += 40
        counted.devices += 1
    counted.processor += 1000  # between phases
    with instruments.phase("predict"):
        counted.processor += 3
    found = instruments.measured().energy_joules
    assert {name: (one.processor, one.devices) for name, one in found.items()} == {
        "train": (5, 1),
        "load": (2, 40),
        "predict": (3, 0),
    }
    assert all(one.unknown == {} for one in found.values())


def test_without_counters_and_codecarbon_there_is_the_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    assert estimated("no counters here") == Source(missing="no counters here")


class FakeTracker:
    """Has used so many kilowatt hours, and says so when it is flushed."""

    used = SimpleNamespace(cpu_energy=0.0, ram_energy=0.0)

    def __init__(self, output_handlers, **_):
        self.handlers = output_handlers

    def start(self):
        pass

    def flush(self):
        for handler in self.handlers:
            handler.out(self.used, None)


def test_codecarbon_estimates_where_nothing_counts(monkeypatch):
    for name, content in {
        "codecarbon": {"OfflineEmissionsTracker": FakeTracker},
        "codecarbon.output_methods": {},
        "codecarbon.output_methods.base_output": {"BaseOutput": object},
    }.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**content))
    meter, joules = EnergyMeter({"processor": estimated("no counters here")}), Joules()
    meter.switch(joules)
    FakeTracker.used = SimpleNamespace(cpu_energy=2e-6, ram_energy=1e-6)
    meter.switch(Joules())
    found = meter.summary(joules)
    assert found.processor == pytest.approx(3e-6 * 3.6e6)
    assert found.by == {"processor": "codecarbon"}


def test_a_counter_that_fails_under_way_is_unknown():
    def broken():
        raise OSError("gone")

    meter = EnergyMeter({"processor": Source([broken])})
    joules = Joules()
    meter.switch(joules)
    found = meter.summary(joules)
    assert found.processor is None
    assert "gone" in found.unknown["processor"]


@pytest.fixture
def two_devices(monkeypatch):
    """A driver with two devices, named by handles "a" and "b"; what they have counted, in millijoules."""
    counted = {"a": 1000, "b": 50_000}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: "ab"[index])
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", counted.__getitem__)
    return counted


def test_devices_count_together(two_devices):
    source = devices()
    before = source.joules()
    two_devices["a"] += 2000
    two_devices["b"] += 500
    assert source.joules() - before == pytest.approx(2.5)


def test_only_visible_devices_count(two_devices, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices().joules() == pytest.approx(50.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES" in devices().missing


def test_a_device_without_a_counter_is_unknown(two_devices, monkeypatch):
    def refuse(handle):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", refuse)
    assert "no energy" in devices().missing
