"""What the harness adds to a cell, and what it saves."""

import json
import statistics
import subprocess
import sys
import time

import pytest
from commands import installed, seconds_of

COLD_IMPORT = [sys.executable, "-c", "import bench.runner.warm"]

PROBE = '''
"""A method that tells when its training could begin."""
import time
from bench.method import Method
from bench.prediction import Scores

class Probe(Method):
    """Uses torch, and notes the moment."""
    name = "probe"
    model_architecture = "decoder"
    uses_torch = True
    def fit(self, train, validation, labels, context):
        with context.phase("load"):
            from bench.model import materialise
            from transformers import AutoModel, AutoTokenizer
            folder = materialise(context.model)
            AutoTokenizer.from_pretrained(folder)
            AutoModel.from_pretrained(folder)
        context.note(ready_at=time.time())
        self.n = len(labels)
    def predict(self, texts, context):
        import numpy as np
        return Scores(np.zeros((len(texts), self.n), dtype=np.float32))
'''


def test_a_warm_child_is_ready_to_train_within_a_second(tmp_path, record_property):
    """From the start of its cell to a loaded embedded model; the first cell waits for the fork server: left out."""
    (tmp_path / "probe.py").write_text(PROBE)
    words = installed("run", "-t", "synthetic-clv", "-m", "probe", "--plugins", str(tmp_path / "probe.py"), "--json")
    for seed in range(6):
        words += ["--seed", str(seed)]
    done = subprocess.run([*words, "--out", str(tmp_path / "out")], check=True, capture_output=True, text=True)
    records = sorted(json.loads(done.stdout), key=lambda record: record["started_at"])
    from datetime import datetime

    waits = [r["facts"]["ready_at"] - datetime.fromisoformat(r["started_at"]).timestamp() for r in records[1:]]
    cold = seconds_of(COLD_IMPORT)
    ready = statistics.median(waits)
    record_property("ready", round(ready, 3))
    print(f"\nready to train after {[round(wait, 2) for wait in waits]} s; a cold import takes {cold:.1f} s")
    assert ready < 1
    assert ready < cold / 5


def test_a_finished_run_is_seen_to_be_finished_at_once(tmp_path, record_property):
    words = installed("run", "--suite", "ci", "-m", "prior", "--out", str(tmp_path))
    seconds_of(words)
    again = min(seconds_of(words) for _ in range(3))
    bare = min(seconds_of([sys.executable, "-c", "import typer, pydantic, numpy"]) for _ in range(3))
    record_property("again", round(again, 2))
    print(
        f"\nthe same command again: {again:.2f} s, {again / bare:.1f} times a bare import of typer, pydantic and numpy"
    )
    assert again / bare < 8


@pytest.mark.parametrize("cells", [2000])
def test_results_of_many_cells_are_read_in_linear_time(tmp_path, cells, record_property):
    from bench.record import Identity
    from bench.runner.job import new_record
    from bench.store import Store

    store = Store(tmp_path)
    for seed in range(cells):
        store.put(new_record(Identity(task="t", method="m", seed=seed), f"{seed:016x}", f"{seed:016x}", "ok"))
    started = time.perf_counter()
    assert len(store.all(pytest.fail)) == cells
    reading = time.perf_counter() - started
    started = time.perf_counter()
    for path in tmp_path.glob("cells/*/record.json"):
        json.loads(path.read_bytes())
    plain = time.perf_counter() - started
    record_property("ratio", round(reading / plain, 2))
    print(f"\n{cells} records: {reading:.2f} s, {reading / plain:.1f} times reading the bare JSON")
    assert reading / plain < 6
