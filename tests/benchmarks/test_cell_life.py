"""What the harness adds to a cell, and what it saves."""

import json
import statistics
import subprocess
import sys

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


def test_a_warm_child_is_ready_to_train_within_a_second(tmp_path, figure):
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
    figure("from the start of a cell to a loaded network", ready, unit="s", most=1)
    figure("from the start of a cell to a loaded network, beside a cold import", ready / cold, most=0.06)


def test_a_finished_run_is_seen_to_be_finished_at_once(tmp_path, figure, commands_in_turns):
    words = installed("run", "--suite", "ci", "-m", "prior", "--out", str(tmp_path))
    again, bare = commands_in_turns(words, [sys.executable, "-c", "import typer, pydantic, numpy"], rounds=3)
    name = "a finished run again, time beside importing typer, pydantic and numpy"
    figure(name, again / bare, most=8, seen=f"{again:.2f} s")
