"""An allocation of a known size is reported within 2 % or 8 MiB, wherever it is made."""

import gc
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pynvml
import pytest

from bench.meters import memory
from bench.meters.instruments import CellInstruments
from bench.meters.memory import MIB, DeviceMemory, Peaks, TorchMemory

SIZES = (64, 300)


def about(mib):
    return pytest.approx(mib, rel=0.02, abs=8)


@pytest.fixture
def peak_of():
    """What a phase reports that does some work, by name of the figure."""
    instruments = CellInstruments(tell=lambda _: None)
    instruments.start()

    def measure(work, figure="host"):
        gc.collect()
        names = [f"phase{len(instruments.seconds()) + more}" for more in (0, 1)]
        with instruments.phase(names[0]):
            pass
        with instruments.phase(names[1]):
            held = work()
        del held
        peaks = instruments.measured().peak_mib
        without, found = (getattr(peaks[name], figure) for name in names)
        return found - without

    return measure


@pytest.mark.parametrize("mib", SIZES)
def test_on_the_host(peak_of, mib):
    assert peak_of(lambda: np.ones(mib * MIB, dtype=np.uint8)) == about(mib)


def started(mib):
    """A process that holds so much until it is sent a line."""
    program = f"held = b'x' * ({mib} * 2**20); print('there', flush=True); input()"
    command = [sys.executable, "-I", "-S", "-c", program]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "there\n"
    return process


@pytest.fixture
def child():
    """A process that this one has started, and that holds 64 MiB all the time."""
    with started(64) as process:
        yield process
        process.communicate("\n")


def test_on_the_host_though_it_is_gone_at_the_end(peak_of, child):
    host = memory.HostMemory()
    host.reset()
    if not host.kernel_peak:
        pytest.skip("this system keeps no peak that can be reset")

    def work():
        for _ in range(2):  # one after the other, not both at once
            held = np.ones(300 * MIB, dtype=np.uint8)
            del held

    assert peak_of(work) == about(300)


@pytest.mark.parametrize("mib", SIZES)
def test_in_a_child_process(peak_of, mib):
    children = []

    def start(size):
        children.append(started(size))

    try:
        empty = peak_of(lambda: start(0))
        children.pop().communicate("\n")
        assert peak_of(lambda: start(mib)) - empty == about(mib)
    finally:
        for child in children:
            child.communicate("\n")


@pytest.mark.parametrize("mib", SIZES)
def test_in_a_tensor_on_the_processor(peak_of, mib):
    import torch

    assert peak_of(lambda: torch.ones(mib * MIB, dtype=torch.uint8)) == about(mib)


@pytest.mark.parametrize("figure", ["allocated", "reserved"])
@pytest.mark.parametrize("mib", SIZES)
def test_in_a_tensor_on_a_cuda_device(peak_of, mib, figure):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.cuda.init()
    torch.cuda.empty_cache()
    assert peak_of(lambda: torch.ones(mib * MIB, dtype=torch.uint8, device="cuda"), figure) == about(mib)


class AppleMemory:
    """What torch says on an Apple device: no peaks, the present only."""

    def __init__(self):
        self.tensors = self.driver = 0

    def current_allocated_memory(self):
        return self.tensors

    def driver_allocated_memory(self):
        return self.driver


def test_an_apple_device_is_sampled(monkeypatch):
    memory = AppleMemory()
    fake = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: False),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: True)),
        mps=memory,
    )
    monkeypatch.setitem(sys.modules, "torch", fake)
    meter, peaks = TorchMemory(), Peaks()
    for tensors, driver in ((100, 128), (700, 900), (10, 900)):
        memory.tensors, memory.driver = tensors * MIB, driver * MIB
        meter.sample(peaks)
    meter.read(peaks)
    assert peaks.values == {"allocated": 700, "reserved": 900}


TORCH = """
from types import SimpleNamespace as Module
from bench.meters.memory import Peaks, TorchMemory

peaks = Peaks()
TorchMemory().read(peaks)
cuda = Module(is_available=lambda: False)
backends = Module(mps=cuda)
"""


def test_torch_is_let_alone_while_it_is_imported(monkeypatch, tmp_path):
    """A method may import it while samples are taken, and for some seconds it has hardly any attributes."""
    (tmp_path / "torch.py").write_text(TORCH)
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.syspath_prepend(tmp_path)
    import torch

    assert set(torch.peaks.unknown) == {"allocated", "reserved"}


class Refusal:
    """NVML of a device that tells little."""

    def __call__(self, handle):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


def test_what_a_device_does_not_tell_is_unknown_and_no_fault(monkeypatch):
    own, other = SimpleNamespace(pid=os.getpid(), usedGpuMemory=300 * MIB), SimpleNamespace(pid=1, usedGpuMemory=9)
    monkeypatch.setattr(memory, "visible_devices", lambda: (["first", "second"], ""))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", Refusal())
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda handle: [other, own])
    meter, peaks = DeviceMemory(), Peaks()
    meter.sample(peaks)
    assert peaks.values == {"process": 600}
    assert "does not tell" in peaks.unknown["device"]
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda handle: SimpleNamespace(used=900 * MIB))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda handle: [other])
    peaks = Peaks()
    meter.sample(peaks)
    assert peaks.values == {"device": 1800}
    assert "does not list this process" in peaks.unknown["process"]
