"""Phases are exclusive: time and memory belong to the innermost one."""

import numpy as np
import pytest

from bench.meters import clock
from bench.meters.instruments import CellInstruments
from bench.method import Progress

MIB = 2**20


@pytest.fixture
def instruments():
    made = CellInstruments(tell=lambda progress: None)
    made.start()
    return made


def touched(mib):
    """An array that really takes so much memory."""
    array = np.empty(mib * MIB, dtype=np.uint8)
    array[::4096] = 1
    return array


def test_a_phase_inside_another_has_its_own_time_and_work(instruments):
    with instruments.phase("train"):
        with instruments.phase("load"):
            instruments.window.count(1)
        instruments.window.count(10)
        with instruments.phase("load"):
            instruments.window.count(2)
    measured = instruments.measured()
    assert set(measured.seconds) == {"train", "load"}
    assert measured.speed["train"].documents == 10
    assert measured.speed["load"].documents == 3


def test_the_peak_belongs_to_the_phase_that_reached_it(instruments):
    with instruments.phase("train"):
        with instruments.phase("load"):
            loaded = touched(200)
            del loaded
        small = touched(40)
    del small
    peaks = instruments.measured().peak_mib
    assert peaks["load"].host - peaks["train"].host == pytest.approx(160, abs=16)


def test_a_peak_survives_the_exception_that_ended_its_phase(instruments):
    before = instruments.measured  # read later
    with pytest.raises(MemoryError), instruments.phase("train"):
        grabbed = touched(150)
        del grabbed
        raise MemoryError
    peak = before().peak_mib["train"]
    assert peak.host_above_idle == pytest.approx(150, abs=24)


def test_a_peak_survives_a_device_that_is_broken(instruments, monkeypatch):
    """After some errors CUDA raises whatever it is asked, also when it is waited for at the end of the phase."""

    def broken():
        raise RuntimeError("device-side assert triggered")

    with pytest.raises(RuntimeError, match="device-side"), instruments.phase("train"), instruments.phase("load"):
        grabbed = touched(150)
        del grabbed
        monkeypatch.setattr(clock, "synchronise", broken)
    measured = instruments.measured()
    assert measured.peak_mib["load"].host_above_idle == pytest.approx(150, abs=24)
    assert measured.seconds["load"] > 0
    with pytest.raises(RuntimeError, match="no phase"):
        instruments.window.count(1)


def test_unknown_memory_is_null_with_a_reason(instruments):
    with instruments.phase("train"):
        pass
    peak = instruments.measured().peak_mib["train"]
    for name in ("allocated", "reserved", "process", "device"):
        if getattr(peak, name) is None:
            assert peak.unknown[name]
        else:
            assert name not in peak.unknown


def test_counting_outside_a_phase_is_refused(instruments):
    with pytest.raises(RuntimeError, match="no phase"):
        instruments.window.count(1)


def test_progress_is_told_but_not_too_often():
    told = []
    instruments = CellInstruments(tell=told.append)
    with instruments.phase("train"):
        for step in range(1, 1001):
            instruments.progress(Progress("train", step, 1000))
    assert told[0] == Progress("train")
    assert told[-1] == Progress("train", 1000, 1000)
    assert len(told) < 500
