"""A store of cells that were never run: records with predictions as a run leaves them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from unit.stats.judged_runs import of_classes

from bench.predictions_file import write_predictions
from bench.record import Identity, Record, TaskFacts
from bench.store import LABELS, PREDICTIONS, Store

LABELS_OF_TASK = 4


def write_cell(
    root: Path,
    method: str,
    *,
    task: str = "tickets",
    model: str | None = None,
    seed: int = 0,
    wrong: float = 0.2,
    documents: int = 300,
    status: Any = "ok",
    settings: dict[str, Any] | None = None,
    task_settings: dict[str, Any] | None = None,
    fingerprint: str = "f" * 16,
    prefix: str = "d",
    **more: Any,
) -> Record:
    """Write one cell; ``wrong`` of its documents have another label than they should."""
    identity = Identity(
        task=task,
        task_settings=task_settings or {},
        task_fingerprint=fingerprint,
        method=method,
        method_settings=settings or {},
        model=model,
        seed=seed,
        **({"judged_on": more.pop("judged_on")} if "judged_on" in more else {}),
    )
    name = hashlib.sha256(identity.model_dump_json().encode()).hexdigest()[:16]
    facts = TaskFacts(
        kind="single",
        n_labels=LABELS_OF_TASK,
        documents={"train": 100, "validation": 10, "test": documents},
        primary_metric="micro_f1",
    )
    record = Record(
        cell=name,
        slot=f"slot {name}",
        task=task,
        method=method,
        model=model,
        seed=seed,
        identity=identity,
        status=status,
        reason=None if status == "ok" else "it took too much",
        finished_at="2026-11-22T10:05:00+00:00",
        task_facts=facts,
        metrics={"micro_f1": 1 - wrong},
        **more,
    )
    store = Store(root)
    folder = store.cells / f".{name}.tmp"
    folder.mkdir(parents=True)
    if status == "ok":
        _write_predictions(folder, wrong, documents, seed, prefix)
    return store.commit(folder, record)


def _write_predictions(folder: Path, wrong: float, documents: int, seed: int, prefix: str) -> None:
    gold = np.arange(documents) % LABELS_OF_TASK
    missed = np.random.default_rng(seed + round(wrong * 1000)).random(documents) < wrong
    ids = [f"{prefix}{place}" for place in range(documents)]
    run = of_classes(gold, np.where(missed, (gold + 1) % LABELS_OF_TASK, gold), LABELS_OF_TASK, ids=ids)
    write_predictions(folder / PREDICTIONS, {"test": run.split})
    pq.write_table(pa.table({"train": np.full(LABELS_OF_TASK, 25)}), folder / LABELS)
