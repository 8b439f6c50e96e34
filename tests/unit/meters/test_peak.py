"""What the hardware can do is measured once and kept; measured by the clock, it is a plausible number."""

import torch

from bench.meters.peak import PeakRates, matrix_rate, memory_bandwidth


class Measured:
    def __init__(self, rate=1e11):
        self.rate, self.calls = rate, []

    def __call__(self, device, dtype):
        self.calls.append((device, dtype))
        return self.rate


def test_a_rate_is_measured_once_for_each_hardware_and_dtype(tmp_path):
    measured = Measured()
    first = PeakRates(tmp_path, "cpu, 2 cores, abc", "cpu", measured)
    assert first.of(torch.float32) == first.of(torch.float32) == 1e11
    measured.rate = 5e11
    assert PeakRates(tmp_path, "cpu, 2 cores, abc", "cpu", measured).of(torch.float32) == 1e11
    assert first.of(torch.bfloat16) == 5e11
    assert PeakRates(tmp_path, "cpu, 4 cores, def", "cpu", measured).of(torch.float32) == 5e11
    assert len(measured.calls) == 3


def test_beside_other_cells_nothing_is_measured_but_what_is_kept_is_read(tmp_path):
    measured = Measured()
    busy = PeakRates(tmp_path, "cpu, 2 cores, abc", "cpu", measured, quiet=False)
    assert busy.of(torch.float32) is None
    PeakRates(tmp_path, "cpu, 2 cores, abc", "cpu", measured).of(torch.float32)
    assert busy.of(torch.float32) == 1e11


def test_a_rate_that_a_network_exceeds_was_disturbed_and_is_measured_again(tmp_path):
    measured = Measured()
    rates = PeakRates(tmp_path, "x", "cpu", measured)
    assert rates.of(torch.float32) == 1e11
    measured.rate = 3e11
    assert rates.of(torch.float32, seen=1e11) == 1e11
    assert rates.of(torch.float32, seen=2e11) == rates.of(torch.float32) == 3e11
    measured.rate = 2e11
    assert rates.of(torch.float32, seen=4e11) == 3e11
    assert PeakRates(tmp_path, "x", "cpu", measured, quiet=False).of(torch.float32, seen=4e11) == 3e11


def test_what_cannot_be_measured_is_unknown_and_tried_again(tmp_path):
    def fails(device, dtype):
        raise RuntimeError("out of memory")

    assert PeakRates(tmp_path, "x", "cpu", fails).of(torch.float32) is None
    assert PeakRates(tmp_path, "x", "cpu", Measured()).of(torch.float32) == 1e11


def test_a_damaged_file_is_measured_again(tmp_path):
    rates = PeakRates(tmp_path, "x", "cpu", Measured())
    rates.of(torch.float32)
    (file,) = tmp_path.iterdir()
    file.write_text("{")
    assert rates.of(torch.float32) == 1e11


def test_rates_are_plausible():
    assert 1e9 < matrix_rate("cpu", torch.float32, span=0.05) < 1e14
    assert 1e8 < memory_bandwidth("cpu", span=0.05) < 1e13
