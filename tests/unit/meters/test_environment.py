"""The name of the hardware covers what a cell used, and no more; a container's share of cores counts."""

import pynvml
import pytest

from bench.meters import environment
from bench.meters.environment import cpu_name, cpu_quota, hardware_id

H200 = {"name": "NVIDIA H200", "memory_mib": 143_771, "driver": "570.86", "power_limit_w": 700.0}
FACTS = {"cpu": "some processor", "cores": 8, "memory_mib": 64_000, "gpus": [H200, H200]}


def with_gpu(**changes):
    return {**FACTS, "gpus": [{**H200, **changes}, H200]}


@pytest.mark.parametrize("changes", [{"driver": "580.10"}, {"power_limit_w": 500.0}, {"name": "NVIDIA H100"}])
def test_driver_power_limit_and_device_are_part_of_the_hardware(changes):
    assert hardware_id(with_gpu(**changes), "cuda", 8) != hardware_id(FACTS, "cuda", 8)
    assert hardware_id(with_gpu(**changes), "cpu", 8) == hardware_id(FACTS, "cpu", 8)


def test_only_devices_that_the_cell_used_count():
    alone = {**FACTS, "gpus": [H200]}
    assert hardware_id(FACTS, "cuda", 8) == hardware_id(alone, "cuda", 8)
    assert hardware_id(FACTS, "cuda", 8).startswith("cuda, 1x NVIDIA H200")
    assert hardware_id(FACTS, "cuda", 8, processes=2).startswith("cuda, 2x NVIDIA H200")


@pytest.mark.parametrize("facts", [{"cpu": "another"}, {"cores": 4}])
def test_processor_and_cores_are_part_of_the_hardware(facts):
    for device in ("cpu", "cuda"):
        assert hardware_id({**FACTS, **facts}, device, 8) != hardware_id(FACTS, device, 8)


def test_threads_are_part_of_the_hardware():
    assert hardware_id(FACTS, "cpu", 1) != hardware_id(FACTS, "cpu", 2)


def test_hidden_devices_are_not_listed(monkeypatch):
    names = {"a": "first", "b": "second", "uuid": "third"}
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: "ab"[index])
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: "uuid")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", names.__getitem__)
    monkeypatch.setattr(pynvml, "nvmlSystemGetDriverVersion", lambda: "570.86")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda handle: type("Info", (), {"total": 2**30}))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetEnforcedPowerLimit", lambda handle: 700_000)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [gpu["name"] for gpu in environment.hardware()["gpus"]] == ["first", "second"]
    expected = {"1": ["second"], "1,0": ["second", "first"], "GPU-f00": ["third"], "0,9,1": ["first"], "": []}
    for variable, seen in expected.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
        assert [gpu["name"] for gpu in environment.hardware()["gpus"]] == seen


def test_a_device_without_memory_of_its_own_is_listed(monkeypatch):
    def refuses(handle):
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(environment, "visible_devices", lambda: (["a"], ""))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: "NVIDIA GB10")
    monkeypatch.setattr(pynvml, "nvmlSystemGetDriverVersion", lambda: "580.95")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", refuses)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetEnforcedPowerLimit", refuses)
    (found,) = environment.hardware()["gpus"]
    assert found == {"name": "NVIDIA GB10", "memory_mib": None, "driver": "580.95", "power_limit_w": None}


INTEL = "processor\t: {}\nmodel name\t: Intel(R) Xeon(R) CPU: fast\nflags\t\t: fpu\n\n"
ARM = "processor\t: {}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {}\n\n"


def test_processors_can_be_told_apart():
    assert cpu_name(INTEL.format(0) + INTEL.format(1)) == "Intel(R) Xeon(R) CPU: fast"
    assert "implementer 0x41, part 0xd4f" in cpu_name(ARM.format(0, "0xd4f"))
    assert cpu_name("processor\t: 0\n") == ""


@pytest.mark.parametrize(("said", "name"), [("Apple M4 Max", "Apple M4 Max"), (None, "arm64")])
def test_apples_processors_have_a_name(monkeypatch, said, name):
    monkeypatch.setattr(environment.sys, "platform", "darwin")
    monkeypatch.setattr(environment.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(environment, "_said", lambda *words: said if words[0] == "sysctl" else None)
    assert environment.hardware()["cpu"] == name


@pytest.mark.parametrize(("content", "cores"), [("max 100000", None), ("250000 100000", 2.5), ("50000 100000", 0.5)])
def test_the_share_of_a_container(tmp_path, content, cores):
    (tmp_path / "cpu.max").write_text(f"{content}\n")
    assert cpu_quota(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [(-1, None), (150_000, 1.5)])
def test_the_share_of_an_older_container(tmp_path, quota, cores):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(tmp_path) == cores


def test_no_container_sets_no_share(tmp_path):
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(("share", "cores"), [(None, 8), (2.5, 2), (0.5, 1), (99.0, 8)])
def test_cores_are_whole_and_at_least_one(monkeypatch, share, cores):
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda pid: range(8), raising=False)
    monkeypatch.setattr(environment, "cpu_quota", lambda cgroup: share)
    assert environment.usable_cores() == cores
