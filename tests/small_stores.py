"""A store of three cells for tests: one with scores, one with answers, one that failed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.prediction import Scores, rank, sets_matrix
from bench.predictions_file import SplitPredictions, write_predictions
from bench.record import Decision, Environment, Identity, Latency, PhaseMemory, Record, TaskFacts
from bench.store import PREDICTIONS, Store

NAMES = ("<b>sea</b>", "food", "بحر")
FACTS = TaskFacts(
    kind="single", n_labels=3, documents={"train": 9, "validation": 3, "test": 4}, primary_metric="micro_f1"
)


def small_store(root: Path) -> Store:
    """Cells ``scored``, ``answered`` and ``broken``, of the methods ``m-…``, on the documents ``doc``."""
    store = Store(root)
    for record, split in ((scored(), _scored()), (answered(), _answered()), (broken(), None)):
        store.put(record)
        if split is not None:
            write_predictions(store.folder(record.cell) / PREDICTIONS, {"test": split})
    folder = root / "documents" / "doc"
    folder.mkdir(parents=True)
    (folder / "labels.json").write_text(json.dumps({"names": NAMES, "ancestors": None}))
    return store


def scored() -> Record:
    curve = [[1, 2.0], [2, 1.5]]
    return _record(
        "scored",
        {"rate": 1.0, "layers": [1, 2], "flag": True, "word": "x"},
        metrics={"p@1": 0.5, "micro_f1": 0.5, "tail_recall": None},
        seconds={"train": 2.0},
        documents_per_second={"train": 4.5, "predict": None},
        latency=Latency(documents=4, p50_ms=1.5, p95_ms=2.5, warmup_documents=1),
        peak_mib={"train": PhaseMemory(host=100.0, unknown={"device": "none here"})},
        facts={"parameters": {"total": 7, "trainable": 3}, "micro_batch": 8, "loss_curve": curve},
        environment=Environment(hardware_id="h", threads=2, harness={"version": "0", "git": "abc", "modified": False}),
        model="org/net",
    )


def answered() -> Record:
    return _record("answered", {"rate": 2, "flag": None}, metrics={"micro_f1": 1.0}, seed=3)


def broken() -> Record:
    return _record("broken", {}, status="failed", reason="it broke", task_facts=None, decision=None)


def _record(cell: str, settings: dict, **more) -> Record:
    model, seed = more.get("model"), more.get("seed", 0)
    identity = Identity(
        task="t", task_fingerprint="doc", method=f"m-{cell}", method_settings=settings, model=model, seed=seed
    )
    given = {"status": "ok", "task_facts": FACTS, "decision": Decision(rule="argmax"), **more}
    times = {"started_at": "2026-01-01T00:00:00+00:00", "finished_at": "2026-01-01T00:00:09.5+00:00"}
    return Record(cell=cell, slot=f"slot-{cell}", task="t", method=f"m-{cell}", identity=identity, **times, **given)


def _scored() -> SplitPredictions:
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.3, 0.2, 0.5], [0.6, 0.3, 0.1]], np.float32)
    best = [[int(row.argmax())] for row in scores]
    return SplitPredictions(list("abcd"), _gold(), sets_matrix(best, 3), rank(Scores(scores), 2))


def _answered() -> SplitPredictions:
    sets = [[0], [1], [], [2]]
    return SplitPredictions(list("abcd"), _gold(), sets_matrix(sets, 3), None, ["sea", "food", "?", "بحر"])


def _gold():
    return sets_matrix([[0], [2], [2], [2]], 3)
