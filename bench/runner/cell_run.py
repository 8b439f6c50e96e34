"""What a cell does once it has a process: load, train, choose, predict, measure."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.files import file_hash
from bench.judging import Judge
from bench.meters.environment import hardware_id
from bench.meters.instruments import CellInstruments
from bench.method import Context, Instruments, Method, QuietInstruments
from bench.model import materialise
from bench.prediction import LabelSets, Prediction
from bench.predictions_file import SplitPredictions, write_predictions
from bench.record import Decision, Record
from bench.runner.job import CellJob
from bench.runner.ranks import device_of, ranks
from bench.saved import keep_model
from bench.seeds import Seeds
from bench.store import PREDICTIONS
from bench.task import Documents, TaskData, TaskProfile
from bench.task_cache import FrozenTask

LABELS = "labels.parquet"


@dataclass(frozen=True)
class Outcome:
    """Predictions with the decision that made label sets of them.

    Attributes:
        judge: Who made it.
        splits: Split → predictions; validation only where a threshold was chosen on it.
        decision: The rule.
    """

    judge: Judge
    splits: dict[str, SplitPredictions]
    decision: Decision


def run_cell(job: CellJob, instruments: CellInstruments, started_at: str) -> Record:
    """Run a cell in this process and write its predictions into its temporary folder.

    Returns:
        The record, status ``ok``, not yet written.
    """
    device = job.device or best_device(job.uses_torch)
    if job.model is not None:
        materialise(job.model)  # before anything is measured: who comes second finds it made
    method, data, context = _prepared(job, instruments, device_of(device, 0, job.processes))
    with instruments.phase("train") as window, ranks(job, _train_along):
        method.fit(data.train, data.validation, data.labels, context)
        window.count_if_silent(len(data.train))
    outcome = _predict(method, data, context, instruments)
    _write(outcome, job.folder)
    record = _record(job, instruments, outcome, device, started_at)
    if not job.save_model:
        return record
    # After all phases, so that it is in no measurement, and after the record, so that it costs no result.
    kept = keep_model(method, data.labels, job.model, job.folder)
    return record.model_copy(update={"facts": record.facts | kept})


def _prepared(job: CellJob, instruments: Instruments, device: str, rank: int = 0) -> tuple[Method, TaskData, Context]:
    """What a rank of a cell works with."""
    seed_everything(Seeds(job.identity.seed), job.threads)
    data = FrozenTask.open(job.task).load()
    method: Method = job.method.load()(job.method.settings(job.identity.method_settings))
    scratch = job.folder / "scratch" / (str(rank) if rank else "")
    scratch.mkdir(parents=True, exist_ok=True)
    context = Context(
        task=TaskProfile(job.identity.task, data.kind, len(data.labels), data.primary_metric),
        seeds=Seeds(job.identity.seed),
        device=device,
        threads=job.threads,
        scratch=scratch,
        instruments=instruments,
        model=job.model,
        deadline=time.monotonic() + job.timeout if job.timeout is not None else None,
        checkpoints=job.checkpoints,
        checkpoint_seconds=job.checkpoint_seconds,
        processes=job.processes,
    )
    return method, data, context


def _train_along(job: CellJob, rank: int) -> None:
    """What every rank but the first does: train the same network, measure and tell nothing."""
    device = device_of(job.device or best_device(job.uses_torch), rank, job.processes)
    method, data, context = _prepared(job, QuietInstruments(), device, rank)
    method.fit(data.train, data.validation, data.labels, context)


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
    judge = Judge.of(data.train, data.labels, data.kind)
    test = _ask(method, "predict", data.test, context, instruments)
    if isinstance(test, LabelSets):
        context.note(**test.problems)
    if isinstance(test, LabelSets) or data.kind == "single":
        decision = judge.decision(data.validation, test)
        return Outcome(judge, {"test": judge.decide(data.test, test, decision)}, decision)
    validation = _ask(method, "validate", data.validation, context, instruments)
    if isinstance(validation, LabelSets):
        raise TypeError(f"{method.name} returned scores for one split and bare label sets for another")
    decision = judge.decision(data.validation, validation)
    splits = {
        "validation": judge.decide(data.validation, validation, decision),
        "test": judge.decide(data.test, test, decision),
    }
    return Outcome(judge, splits, decision)


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


def _write(outcome: Outcome, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_predictions(folder / PREDICTIONS, outcome.splits)
    counts = outcome.judge.label_table(outcome.splits["test"])
    pq.write_table(pa.table(counts), folder / LABELS, compression="zstd")


def _record(job: CellJob, instruments: CellInstruments, outcome: Outcome, device: str, started_at: str) -> Record:
    environment = job.environment.model_copy(
        update={"hardware_id": hardware_id(job.environment.hardware, device, job.threads, job.processes)}
    )
    evaluation = outcome.judge.evaluate(outcome.splits["test"])
    measured = vars(instruments.measured())
    # A method that loads nothing spends no time on it: scripts find the same phases in every finished cell.
    seconds = {"load": 0.0, **measured["seconds"]}
    return job.record(
        "ok",
        started_at,
        metrics=evaluation.metrics,
        undefined=evaluation.undefined,
        decision=outcome.decision,
        predictions=file_hash(job.folder / PREDICTIONS),
        facts=instruments.facts | {"device": device},
        **(measured | {"seconds": seconds}),
        environment=environment,
    )
