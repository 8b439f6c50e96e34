"""All that a cell works out of its predictions, where documents × labels would be 50 billion numbers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

DOCUMENTS, LABELS = 100_000, 500_000

CHILD = """
import json, sys, time
import numpy as np
from pathlib import Path
from scipy.sparse import csr_matrix
from bench.meters.instruments import CellInstruments
from bench.method import Context
from bench.prediction import RANKED, TopScores
from bench.record import Identity
from bench.runner.outcome import outcome
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskData, TaskProfile

documents, labels = map(int, sys.argv[1:])
rng = np.random.default_rng(0)

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20

def of_a_split(name, count):
    # Five labels by Zipf's law; of a document's hundred best labels some are its own, and high up.
    gold = np.sort(np.minimum(rng.zipf(1.2, size=(count, 5)), labels) - 1)
    near = rng.integers(labels, size=(count, RANKED))
    near[:, ::30] = gold[:, :4]
    near.sort()
    once = np.ones_like(near, dtype=bool)
    once[:, 1:] = near[:, 1:] != near[:, :-1]
    ends = np.concatenate([[0], np.cumsum(once.sum(axis=1))])
    scores = rng.normal(size=near.shape).astype(np.float32) + (np.arange(RANKED) % 30 == 0)
    rows = [sorted(set(row)) for row in gold.tolist()]
    texts = [""] * count
    ids = [f"{name}{i}" for i in range(count)]
    values = csr_matrix((scores[once], near[once].astype(np.int32), ends.astype(np.int32)), shape=(count, labels))
    return Documents(ids, texts, rows), TopScores(values)

class Known:
    name = "known"
    def __init__(self):
        self.predictions = [test_scores, validation_scores]
    def predict(self, texts, context):
        return self.predictions.pop(0)

train, _ = of_a_split("a", documents)
validation, validation_scores = of_a_split("b", documents // 10)
test, test_scores = of_a_split("c", documents)
data = TaskData(train, validation, test, LabelSpace(tuple(map(str, range(labels)))), "multi")
profile = TaskProfile("many", "multi", labels, "micro_f1")
instruments = CellInstruments(lambda progress: None)
context = Context(profile, Seeds(0), "cpu", 1, Path(), instruments)
before = peak()
started = time.perf_counter()
found = outcome(Known(), data, Identity(task="many", method="known"), context, instruments)
metrics, others, table = found.evaluation().metrics, found.alternatives(), found.label_table()
ours = time.perf_counter() - started
assert len(others) == 2 and table["threshold"].shape == (labels,)
after = peak()

from sklearn.metrics import f1_score
gold, predicted = found.judged.gold, found.judged.predicted
started = time.perf_counter()
reference = f1_score(gold, predicted, average="micro", zero_division=0)
print(json.dumps({
    "ours": ours, "reference": time.perf_counter() - started, "before": before, "peak": after,
    "difference": abs(reference - metrics["micro_f1"]),
}))
"""


@pytest.mark.quick
def test_metrics_of_half_a_million_labels(figure):
    """Rank, choose the rules on 10,000 validation documents, decide by each, every metric, and the table of labels."""
    words = [sys.executable, "-c", CHILD, str(DOCUMENTS), str(LABELS)]
    runs = [json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout) for _ in range(2)]
    best = {key: min(run[key] for run in runs) for key in runs[0]}
    name = f"metrics of {DOCUMENTS:,} documents × {LABELS:,} labels"
    figure(f"{name}, time", best["ours"], unit="s", most=10)
    figure(f"{name}, peak of the process", best["peak"], unit="GiB", most=2, seen=f"{best['before']:.2f} GiB before")
    beside = f"{name}, time beside one F1 of scikit-learn"
    figure(beside, best["ours"] / best["reference"], seen=f"{best['reference']:.2f} s")
    assert best["difference"] < 1e-12
