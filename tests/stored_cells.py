"""Finished cells with predictions, and collections of documents, as a run leaves them in a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.collection import Keep, keep_collections
from bench.deciding import Rule
from bench.judging import Judge
from bench.prediction import LabelSets, Prediction, Scores
from bench.predictions_file import write_predictions
from bench.record import Decision, Environment, Identity, Record, TaskFacts
from bench.store import LABELS, PREDICTIONS, RECORD, Store
from bench.task import Documents, LabelSpace, TaskData
from bench.task_cache import FrozenTask, _store, task_facts


def documents(labels: Sequence[Sequence[int]], texts: Sequence[str] | None = None, name: str = "d") -> Documents:
    """Documents ``d0``, ``d1``, … with these labels."""
    ids = [f"{name}{place}" for place in range(len(labels))]
    return Documents(ids, texts or [f"text of {id_}" for id_ in ids], labels)


def task(
    test: Documents, n_labels: int, kind: str = "single", train: Sequence[Sequence[int]] = ((0,),), **fields: Any
) -> TaskData:
    """A task with these test documents."""
    names = fields.pop("names", None) or tuple(f"name {label}" for label in range(n_labels))
    validation = fields.pop("validation", None) or documents([[0]], name="v")
    train_documents = documents(train, name="t")
    return TaskData(train_documents, validation, test, LabelSpace(tuple(names)), kind, **fields)


def keep_cell(
    store: Store,
    data: TaskData,
    prediction: Prediction,
    method: str = "tfidf",
    seed: int = 0,
    validation: Prediction | None = None,
    threshold: float = 0.0,
    **fields: Any,
) -> Record:
    """Write a finished cell with what its method said of the test documents; its record."""
    judge = Judge.of(data.train, data.labels, data.kind)
    emitted = isinstance(prediction, LabelSets)
    single = "emitted" if emitted else "argmax"
    multi = "emitted" if emitted else "global-threshold"
    decision = Decision(rule=single) if data.kind == "single" else Decision(rule=multi, threshold=threshold)
    split = judge.decide(data.test, prediction, Rule(decision))
    splits = {"test": split}
    if validation is not None:
        splits["validation"] = judge.decide(data.validation, validation, Rule(decision))
    record = _record(data, method, seed, judge.evaluate(split).metrics, fields)
    folder = store.folder(record.cell)
    folder.mkdir(parents=True)
    write_predictions(folder / PREDICTIONS, splits)
    pq.write_table(pa.table(judge.label_table(split)), folder / LABELS)
    (folder / RECORD).write_text(record.model_dump_json())
    return record


def keep_documents(store: Store, data: TaskData, cache: Path, keep: Keep = "texts") -> None:
    """Write the test documents of a task beside the results."""
    keep_collections([frozen(data, cache)], store, keep)


def frozen(data: TaskData, cache: Path) -> FrozenTask:
    """The task as planning freezes it."""
    folder = cache / data.fingerprint()
    if not folder.is_dir():
        _store(data, folder, task_facts(data).documents)
    return FrozenTask.open(folder)


def scores(*rows: Sequence[float]) -> Scores:
    """Dense scores, a row a document."""
    return Scores(np.array(rows, dtype=np.float32))


def one_hot(answers: Sequence[int], n_labels: int, best: float = 2.0) -> Scores:
    """Scores that put one label first in each document."""
    values = np.zeros((len(answers), n_labels), dtype=np.float32)
    values[np.arange(len(answers)), list(answers)] = best
    return Scores(values)


def _record(data: TaskData, method: str, seed: int, metrics: dict[str, float | None], fields: dict[str, Any]) -> Record:
    identity = Identity(task="mine", task_fingerprint=data.fingerprint(), method=method, seed=seed)
    name = json.dumps([method, seed, fields.get("status", "ok")]).encode().hex()
    return Record(
        **{
            "cell": f"cell-{name}",
            "slot": f"slot-{name}",
            "task": "mine",
            "method": method,
            "seed": seed,
            "identity": identity,
            "status": "ok",
            "finished_at": "2026-11-22T10:05:00+00:00",
            "task_facts": TaskFacts(
                kind=data.kind,
                n_labels=len(data.labels),
                documents={split: len(part) for split, part in data.splits()},
                primary_metric=data.primary_metric,
            ),
            "metrics": metrics,
            "environment": Environment(hardware_id="cpu-a"),
        }
        | fields
    )
