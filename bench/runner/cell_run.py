"""What a cell does once it has a process: load, train, choose, predict, measure."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.files import file_hash
from bench.meters.environment import hardware_id
from bench.meters.instruments import CellInstruments
from bench.method import Context, Method
from bench.metrics.evaluate import Evaluation, evaluate, label_table
from bench.metrics.thresholds import choose_threshold, decide
from bench.model import materialise
from bench.prediction import LabelSets, Prediction, Ranking, Scores, TopScores, rank, sets_matrix
from bench.predictions_file import SplitPredictions, write_predictions
from bench.record import Decision, Record
from bench.runner.job import CellJob
from bench.seeds import Seeds
from bench.store import PREDICTIONS
from bench.task import Documents, TaskData, TaskProfile
from bench.task_cache import FrozenTask

LABELS = "labels.parquet"


@dataclass(frozen=True)
class Outcome:
    """Predictions with the decision that made label sets of them.

    Attributes:
        splits: Split → predictions; validation only where a threshold was chosen on it.
        decision: The rule.
        evaluation: Metrics of the test split.
    """

    splits: dict[str, SplitPredictions]
    decision: Decision
    evaluation: Evaluation


def run_cell(job: CellJob, instruments: CellInstruments, started_at: str) -> Record:
    """Run a cell in this process and write its predictions into its temporary folder.

    Returns:
        The record, status ``ok``, not yet written.
    """
    device = job.device or best_device(job.uses_torch)
    seed_everything(Seeds(job.identity.seed), job.threads)
    data = FrozenTask.open(job.task).load()
    method: Method = job.method.load()(job.method.settings(job.identity.method_settings))
    profile = TaskProfile(job.identity.task, data.kind, len(data.labels), data.primary_metric)
    if job.model is not None:
        materialise(job.model)  # before anything is measured: who comes second finds it made
    scratch = job.folder / "scratch"
    scratch.mkdir()
    context = Context(
        task=profile,
        seeds=Seeds(job.identity.seed),
        device=device,
        threads=job.threads,
        scratch=scratch,
        instruments=instruments,
        model=job.model,
        deadline=time.monotonic() + job.timeout if job.timeout is not None else None,
    )
    with instruments.phase("train") as window:
        method.fit(data.train, data.validation, data.labels, context)
        window.count_if_silent(len(data.train))
    outcome = _predict(method, data, context, instruments)
    _write(outcome, data, job.folder)
    return _record(job, instruments, outcome, device, started_at)


def best_device(uses_torch: bool) -> str:
    """The torch device that a cell takes unless told: CUDA, else Apple's, else the processor."""
    if not uses_torch:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def seed_everything(seeds: Seeds, threads: int) -> None:
    """Seed the generators that a library may draw from unasked, and fix the number of threads.

    The number of threads can change the last bits of a sum.
    """
    random.seed(seeds.of("python"))
    np.random.seed(seeds.of("numpy"))  # the global generator, for libraries that draw from it
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seeds.of("torch"))
        torch.set_num_threads(threads)


def _predict(method: Method, data: TaskData, context: Context, instruments: CellInstruments) -> Outcome:
    """Predict the test split; and the validation split where a threshold is to be chosen on it."""
    test = _ask(method, "predict", data.test, context, instruments)
    if isinstance(test, LabelSets):
        context.note(**test.problems)
        return _outcome({"test": _emitted(data.test, test, data)}, Decision(rule="emitted"), data)
    if data.kind == "single":
        decision = Decision(rule="argmax")
        return _outcome({"test": _decided(data.test, _ranking(test, data), data, decision)}, decision, data)
    validation = _ask(method, "validate", data.validation, context, instruments)
    if isinstance(validation, LabelSets):
        raise TypeError(f"{method.name} returned scores for one split and bare label sets for another")
    ranked = _ranking(validation, data)
    threshold = choose_threshold(data.validation.label_matrix(len(data.labels)), ranked)
    decision = Decision(rule="global-threshold", threshold=threshold)
    splits = {
        "validation": _decided(data.validation, ranked, data, decision),
        "test": _decided(data.test, _ranking(test, data), data, decision),
    }
    return _outcome(splits, decision, data)


def _ask(
    method: Method, phase: str, documents: Documents, context: Context, instruments: CellInstruments
) -> Prediction:
    """Have the method label documents, and see to it that it labelled all of them and that they are counted."""
    with instruments.phase(phase) as window:
        prediction = method.predict(documents.texts, context)
        window.count_if_silent(len(documents))
    n = len(prediction.sets) if isinstance(prediction, LabelSets) else prediction.values.shape[0]
    if n != len(documents):
        raise ValueError(f"{method.name} returned predictions for {n} of {len(documents)} documents")
    return prediction


def _ranking(prediction: Scores | TopScores, data: TaskData) -> Ranking:
    if prediction.values.shape[1] != len(data.labels):
        raise ValueError(f"the method scored {prediction.values.shape[1]} labels, the task has {len(data.labels)}")
    return rank(prediction)


def _decided(documents: Documents, ranking: Ranking, data: TaskData, decision: Decision) -> SplitPredictions:
    gold = documents.label_matrix(len(data.labels))
    predicted = decide(ranking, data.kind, decision.threshold)
    return SplitPredictions(documents.ids, gold, predicted, ranking, categories=documents.categories)


def _emitted(documents: Documents, prediction: LabelSets, data: TaskData) -> SplitPredictions:
    n_labels = len(data.labels)
    _check_sets(prediction.sets, documents, n_labels, data)
    return SplitPredictions(
        documents.ids,
        documents.label_matrix(n_labels),
        sets_matrix(prediction.sets, n_labels),
        ranking=None,
        texts=prediction.texts,
        categories=documents.categories,
    )


def _check_sets(sets: Sequence[Sequence[int]], documents: Documents, n_labels: int, data: TaskData) -> None:
    for id_, labels in zip(documents.ids, sets, strict=True):
        if any(not 0 <= label < n_labels for label in labels):
            raise ValueError(f"the method gave document {id_!r} labels {list(labels)}, the task has {n_labels}")
        if data.kind == "single" and len(set(labels)) > 1:
            raise ValueError(f"the method gave document {id_!r} {len(set(labels))} labels, a single-label task has one")


def _outcome(splits: dict[str, SplitPredictions], decision: Decision, data: TaskData) -> Outcome:
    return Outcome(splits, decision, _evaluate(splits["test"], data))


def _evaluate(test: SplitPredictions, data: TaskData) -> Evaluation:
    return evaluate(
        gold=test.gold,
        predicted=test.predicted,
        ranking=test.ranking,
        labels=data.labels,
        train_counts=_train_counts(data),
        n_train=len(data.train),
        kind=data.kind,
        categories=data.test.categories,
    )


def _train_counts(data: TaskData) -> Any:
    return np.asarray(data.train.label_matrix(len(data.labels)).sum(axis=0)).ravel().astype(np.int64)


def _write(outcome: Outcome, data: TaskData, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_predictions(folder / PREDICTIONS, outcome.splits)
    test = outcome.splits["test"]
    counts = label_table(test.gold, test.predicted, _train_counts(data))
    pq.write_table(pa.table(counts), folder / LABELS, compression="zstd")


def _record(job: CellJob, instruments: CellInstruments, outcome: Outcome, device: str, started_at: str) -> Record:
    environment = job.environment.model_copy(
        update={"hardware_id": hardware_id(job.environment.hardware, device, job.threads)}
    )
    measured = vars(instruments.measured())
    # A method that loads nothing spends no time on it: scripts find the same phases in every finished cell.
    seconds = {"load": 0.0, **measured["seconds"]}
    return job.record(
        "ok",
        started_at,
        metrics=outcome.evaluation.metrics,
        undefined=outcome.evaluation.undefined,
        decision=outcome.decision,
        predictions=file_hash(job.folder / PREDICTIONS),
        facts=instruments.facts | {"device": device},
        **(measured | {"seconds": seconds}),
        environment=environment,
    )
