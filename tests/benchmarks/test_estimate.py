"""Estimates against what cells took: parameters to the last, memory and time within a wide band, on the CPU."""

from __future__ import annotations

import json

import pytest
from commands import call

CELLS = {
    "bert": [],
    "embedding-head": [],
    "embedding-head frozen": ["--set", "adapter=none"],
    "embedding-head full": ["--set", "adapter=full", "--set", "quantisation=none"],
    "instruction-tuning": [],
    "zero-shot": ["--set", "label_list=never"],
}
SIZES = ["train_documents=300", "validation_documents=100", "test_documents=400", "shortest=60", "longest=200"]
SETS = [word for size in SIZES for word in ("--set", f"synthetic-clv.{size}")]


@pytest.fixture(scope="module", params=CELLS)
def pair(request, tmp_path_factory):
    """The name of a cell, its estimate and its record."""
    more = CELLS[request.param]
    words = ["-t", "synthetic-clv", "-m", request.param.split()[0], *SETS, "--set", "max_tokens=256", *more]
    words += ["--threads", "1", "--json", "--out", tmp_path_factory.mktemp("out")]
    estimated, ran = call("estimate", *words), call("run", *words)
    (record,) = json.loads(ran.out)
    assert record["status"] == "ok", record["reason"]
    (cell,) = json.loads(estimated.out)["cells"]
    assert cell["reason"] is None
    return request.param, cell["estimate"], record


def test_parameters(pair):
    _, estimate, record = pair
    if "parameters" not in record["facts"]:
        pytest.skip("nothing is trained, and so nothing counted")
    assert estimate["parameters"] == record["facts"]["parameters"]


def test_memory(pair, figure):
    """Of the host, above what the process held before its cell."""
    name, estimate, record = pair
    ratios = {}
    for phase, held in estimate["device_bytes"].items():
        measured = record["peak_mib"][phase]
        idle = measured["host"] - measured["host_above_idle"]
        ratios[phase] = (held / 2**20 - idle) / measured["host_above_idle"]
    tell(name, "memory above idle", ratios, figure)


def test_time(pair, figure):
    name, estimate, record = pair
    measured = {phase: record["seconds"].get(phase) for phase in estimate["seconds"]}
    ratios = {phase: estimate["seconds"][phase] / taken for phase, taken in measured.items() if taken}
    tell(name, "time", ratios, figure)


def tell(name, what, ratios, figure):
    for phase, ratio in ratios.items():
        figure(f"estimated over measured {what}, {name}, {phase}", ratio, least=1 / 3, most=3, tolerance=0.5)
