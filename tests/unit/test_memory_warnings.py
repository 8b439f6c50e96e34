"""``bench run`` warns of cells that will hardly fit, without importing anything heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.cli import memory_warnings
from bench.cli.memory_warnings import cuda_memory, warn_of_memory
from bench.meters import environment
from bench.registry import Registry
from bench.runner.plan import Again, Planner
from bench.store import Store
from bench.suite import Suite

GIB = 2**30


@pytest.fixture
def planner(tmp_path):
    suite = Suite(
        tasks=("synthetic-clv",),
        methods=("embedding-head", "prior"),
        models=("meta-llama/Llama-3.1-8B:random", "Qwen/Qwen3-0.6B:random"),
        seeds=(0, 1),
        settings={"synthetic-clv": {"documents": 60}},
    )
    return Planner(suite, Registry.discover(), Store(tmp_path), lambda _: None, pytest.fail)


def warned(planner, memory, monkeypatch, capsys, again=None):
    monkeypatch.setattr(memory_warnings, "cuda_memory", lambda _: memory)
    warn_of_memory(planner.plan(), again or Again(), None, planner)
    return capsys.readouterr().err


def test_one_line_names_what_will_not_fit(planner, monkeypatch, capsys):
    said = warned(planner, 20 * GIB, monkeypatch, capsys)
    assert said.startswith(
        "bench: warning: 2 of the cells to run will hardly fit into the device's 20.0 GiB: "
        "synthetic-clv × embedding-head × meta-llama/Llama-3.1-8B:random "
    )
    assert "Qwen" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("memory", [None, 200 * GIB])
def test_nothing_is_said_of_what_fits_or_is_not_known(planner, memory, monkeypatch, capsys):
    assert warned(planner, memory, monkeypatch, capsys) == ""


def test_the_driver_is_asked(monkeypatch):
    gpus = [{"name": "one", "memory_mib": 24 * 1024}, {"name": "two", "memory_mib": 16 * 1024}]
    monkeypatch.setattr(environment, "hardware", lambda: {"gpus": gpus})
    assert cuda_memory(None) == cuda_memory("cuda") == 16 * GIB
    assert cuda_memory("cpu") is None
    for none in ([], [{"name": "shares the host's", "memory_mib": None}]):
        monkeypatch.setattr(environment, "hardware", lambda none=none: {"gpus": none})
        assert cuda_memory(None) is None


def test_nothing_heavy_is_imported():
    code = """
import sys, tempfile
from pathlib import Path
from bench.cli import memory_warnings
from bench.registry import Registry
from bench.runner.plan import Again, Planner
from bench.store import Store
from bench.suite import Suite
suite = Suite(tasks=("synthetic-clv",), methods=("bert", "embedding-head", "instruction-tuning"),
              models=("Qwen/Qwen3-8B:random", "bert-base-uncased:random"),
              settings={"synthetic-clv": {"documents": 60}})
planner = Planner(suite, Registry.discover(), Store(Path(tempfile.mkdtemp())), print, print)
memory_warnings.cuda_memory = lambda _: 2**30
memory_warnings.warn_of_memory(planner.plan(), Again(), None, planner)
print(sorted({"torch", "transformers"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "3 of the cells to run" in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
