"""Meters beside what they measure: sampling disturbs nothing, a delay of a known length shows, repeats agree."""

from __future__ import annotations

import json
import os
import statistics
import time
from contextlib import contextmanager

import numpy as np
import pytest
from commands import call

from bench.meters.instruments import CellInstruments
from bench.meters.memory import MemoryMeter, Peaks

STEP_SECONDS = 0.05
STEPS = 20
MOST_LOAD = 1.5
WORDS = ["-t", "synthetic-clv", "-m", "bert", "--set", "synthetic-clv.train_documents=500", "--threads", "1"]


def work():
    """Half a second or so of what cells do: large products, and much of Python between them."""
    matrix = np.ones((256, 256), dtype=np.float32)
    found = 0
    for _ in range(800):
        matrix = np.minimum(matrix @ matrix, 1)
        found += sum(len(word) for word in ["the", "quick", "brown", "fox"] * 300)
    return found


def seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@contextmanager
def sampled():
    meter = MemoryMeter()
    meter.switch(Peaks())
    meter.start()
    try:
        yield
    finally:
        meter.stop()


def test_timing_with_the_sampling_of_memory_and_without(figure):
    """In turns, the one first and then the other; of their ratios the median."""
    work()
    ratios, looks = [], []
    for turn in range(20):
        taken = {}
        for sampling in (True, False) if turn % 2 else (False, True):
            if sampling:
                with sampled():
                    taken[sampling] = seconds(work)
            else:
                taken[sampling] = seconds(work)
        ratios.append(taken[True] / taken[False])
        looks.append(taken[True] / 0.05)
    figure(
        "timing with memory sampled over timing without",
        statistics.median(ratios),
        least=0.97,
        most=1.03,
        seen=f"20 pairs, {statistics.mean(looks):.0f} samples each",
    )


def test_fifty_milliseconds_more_a_step_are_fifty_milliseconds_more(figure):
    def measured(pause):
        instruments = CellInstruments(tell=lambda _: None)
        instruments.start()
        with instruments.phase("train") as window:
            for step in range(STEPS):
                sum(range(20_000))
                time.sleep(pause)
                window.count(8)
                if step == 1:
                    window.warmed_up()
        found = instruments.measured()
        return 8 / found.documents_per_second["train"]

    plain = statistics.median(measured(0.0) for _ in range(5))
    slowed = statistics.median(measured(STEP_SECONDS) for _ in range(5))
    figure(
        "50 ms a step: what the figure moves by over what it should",
        (slowed - plain) / STEP_SECONDS,
        least=0.98,
        most=1.1,
        seen=f"{1000 * plain:.2f} ms a step, slowed {1000 * slowed:.2f} ms",
    )


@pytest.fixture(scope="module")
def repeats(tmp_path_factory):
    """A cell of one thread, five times anew; only a quiet machine can say what that is to say."""
    folder = tmp_path_factory.mktemp("repeats")
    records = []
    for _ in range(5):
        done = call("run", *WORDS, "--fresh", "--json", "--out", folder)
        assert done.code == 0, done.err
        records += json.loads(done.out)
    load = os.getloadavg()[0]
    if load > MOST_LOAD:
        pytest.skip(f"not a quiet machine: its load is {load:.1f}, of which the cell is 1")
    return records


@pytest.mark.parametrize(
    ("name", "read", "most"),
    [
        ("training, documents/s", lambda record: record["documents_per_second"]["train"], 0.1),
        ("prediction, documents/s", lambda record: record["documents_per_second"]["predict"], 0.1),
        # Half a second of calls of some milliseconds: a neighbour of the machine spoils all of it, or nothing.
        ("latency, p50", lambda record: record["latency"]["p50_ms"], 0.3),
        ("training, peak MiB", lambda record: record["peak_mib"]["train"]["host"], 0.1),
    ],
)
def test_five_repeats_of_a_cell_agree(repeats, name, read, most, figure):
    values = [read(record) for record in repeats]
    middle = statistics.median(values)
    deviation = statistics.median(abs(value - middle) for value in values) / middle
    figure(
        f"five repeats of a cell, {name}: median absolute deviation over median",
        deviation,
        most=most,
        tolerance=10,
        seen=" ".join(f"{value:,.4g}" for value in values),
    )
