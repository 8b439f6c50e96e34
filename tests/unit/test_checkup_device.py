"""``bench doctor`` says what does not work, and goes on."""

import pytest
import torch

from bench import checkup_device

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB."


@pytest.mark.parametrize(
    ("error", "rate", "bandwidth"),
    [
        (torch.OutOfMemoryError(FULL), "finds no free memory", "no free memory to copy (cpu)"),
        (RuntimeError("no such\n kernel"), "is not computed here", "no such kernel (cpu)"),
    ],
)
def test_rates_that_cannot_be_measured_are_told(monkeypatch, error, rate, bandwidth):
    def fails(*_):
        raise error

    monkeypatch.setattr("bench.runner.cell_run.best_device", lambda uses_torch: "cpu")
    monkeypatch.setattr(checkup_device, "matrix_rate", fails)
    monkeypatch.setattr(checkup_device, "memory_bandwidth", fails)
    matrix, memory = checkup_device.rates()
    assert matrix.found == f"float32 {rate}, bfloat16 {rate} (cpu)"
    assert (memory.state, memory.found) == ("note", bandwidth)


@pytest.mark.parametrize(("mib", "told"), [(24 * 1024, "24 GiB device memory"), (None, "no memory of its own")])
def test_a_driver_is_told_with_what_its_device_has(mib, told):
    gpu = {"name": "one", "driver": "570.86", "memory_mib": mib, "power_limit_w": 700.0}
    assert checkup_device._driver(gpu).found == f"570.86, power limit 700 W, {told}"
