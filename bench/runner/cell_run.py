"""What a cell does once it has a process: load, train, choose, predict, measure."""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from bench.files import file_hash
from bench.meters.environment import hardware_id
from bench.meters.instruments import CellInstruments
from bench.method import Context, Instruments, Method, QuietInstruments
from bench.model import materialise
from bench.predictions_file import write_predictions
from bench.record import Record
from bench.runner.job import CellJob
from bench.runner.outcome import Outcome, outcome
from bench.runner.ranks import device_of, ranks
from bench.saved import keep_model
from bench.seeds import Seeds
from bench.store import LABELS, PREDICTIONS
from bench.task import TaskData, TaskProfile
from bench.task_cache import FrozenTask

if TYPE_CHECKING:
    pass


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
    found = outcome(method, data, job.identity, context, instruments)
    _write(found, job)
    record = _record(job, instruments, found, device, started_at)
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


def _write(found: Outcome, job: CellJob) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_predictions(job.folder / PREDICTIONS, found.splits(job.identity.judged_on or "test"))
    pq.write_table(pa.table(found.label_table()), job.folder / LABELS, compression="zstd")


def _record(job: CellJob, instruments: CellInstruments, found: Outcome, device: str, started_at: str) -> Record:
    environment = job.environment.model_copy(
        update={"hardware_id": hardware_id(job.environment.hardware, device, job.threads, job.processes)}
    )
    evaluation = found.evaluation()
    measured = vars(instruments.measured())
    # A method that loads nothing spends no time on it: scripts find the same phases in every finished cell.
    seconds = {"load": 0.0, **measured["seconds"]}
    return job.record(
        "ok",
        started_at,
        metrics=evaluation.metrics,
        undefined=evaluation.undefined,
        decision=found.rule.decision,
        alternatives=found.alternatives(),
        predictions=file_hash(job.folder / PREDICTIONS),
        facts=instruments.facts | {"device": device},
        **(measured | {"seconds": seconds}),
        environment=environment,
    )
