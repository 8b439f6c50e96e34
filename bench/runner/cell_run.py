"""What a cell does once it has a process: load, train, choose, predict, measure."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import numpy as np

from bench.backoff import fitted
from bench.files import file_hash
from bench.meters.environment import hardware_id
from bench.meters.instruments import CellInstruments
from bench.method import Context, Instruments, Method, QuietInstruments
from bench.model import materialise
from bench.predictions_file import write_predictions
from bench.record import Environment, Record
from bench.runner.figures import Labelled
from bench.runner.job import CellJob
from bench.runner.outcome import Outcome, outcome
from bench.runner.ranks import device_of, ranks
from bench.saved import keep_model
from bench.seeds import Seeds
from bench.store import LABELS, PREDICTIONS
from bench.task import TaskData, TaskProfile
from bench.task_cache import FrozenTask


def run_cell(job: CellJob, instruments: CellInstruments, started_at: str) -> Record:
    """Run a cell in this process and write its predictions into its temporary folder.

    Returns:
        The record, status ``ok``, not yet written.
    """
    device = job.device or best_device(job.uses_torch)
    if job.model is not None:
        materialise(job.model)  # before anything is measured: who comes second finds it made
    new, data, context = _prepared(job, instruments, device_of(device, 0, job.processes))
    with instruments.phase("train") as window, ranks(job, _train_along):
        method = fitted(new, data, context)
        window.count_if_silent(len(data.train))
    found = outcome(method, data, job.identity, context, instruments)
    _write(found, job)
    labelled = Labelled(job.identity, method, data, context, instruments, job.sweep, found.judged)
    record = _record(job, found, labelled, started_at)
    if not job.save_model:
        return record
    # After all phases, so that it is in no measurement, and after the record, so that it costs no result.
    kept = keep_model(method, data.labels, job.model, job.folder)
    return record.model_copy(update={"facts": record.facts | kept})


def _prepared(
    job: CellJob, instruments: Instruments, device: str, rank: int = 0
) -> tuple[Callable[[], Method], TaskData, Context]:
    """What a rank of a cell works with; the first makes its method, as often as it is asked, always alike."""
    data = FrozenTask.open(job.task).load()
    kind, settings = job.method.load(), job.method.settings(job.identity.method_settings)

    def new() -> Method:
        seed_everything(Seeds(job.identity.seed), job.threads)
        method: Method = kind(settings)
        return method

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
    return new, data, context


def _train_along(job: CellJob, rank: int) -> None:
    """What every rank but the first does: train the same network, measure and tell nothing."""
    device = device_of(job.device or best_device(job.uses_torch), rank, job.processes)
    new, data, context = _prepared(job, QuietInstruments(), device, rank)
    fitted(new, data, context)


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


def _environment(job: CellJob, device: str) -> Environment:
    """Where it ran, with what only the child knows: the device, and the CUDA that its torch was built with."""
    facts = dict(job.environment.hardware)
    torch = sys.modules.get("torch")
    if device != "cpu" and torch is not None:
        facts["cuda"] = torch.version.cuda
    named = hardware_id(job.environment.hardware, device, job.threads, job.processes)
    return job.environment.model_copy(update={"hardware": facts, "hardware_id": named})


def _record(job: CellJob, found: Outcome, labelled: Labelled, started_at: str) -> Record:
    device = job.device or best_device(job.uses_torch)
    environment, evaluation = _environment(job, device), found.evaluation()
    figures = labelled.figures(environment)  # before the facts, to which it adds
    return job.record(
        "ok",
        started_at,
        metrics=evaluation.metrics,
        undefined=evaluation.undefined,
        decision=found.rule.decision,
        alternatives=found.alternatives(),
        predictions=file_hash(job.folder / PREDICTIONS),
        facts=labelled.instruments.facts | {"device": device},
        environment=environment,
        **figures,
    )
