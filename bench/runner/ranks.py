"""Training a cell on several devices: a process for each, data parallel by accelerate over torch.distributed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from bench.errors import UserError
from bench.meters.environment import hardware
from bench.runner.job import CellJob
from bench.runner.plan import PlannedCell

GRACE_SECONDS = 20.0

_WORDS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

Work = Callable[[CellJob, int], None]
"""What another rank does: job and rank → nothing; the network that it trains is the first rank's, too."""


@contextmanager
def ranks(job: CellJob, work: Work) -> Iterator[None]:
    """While open, this process is the first rank of ``job.processes``, and the others do ``work`` beside it.

    With one process nothing happens. Afterwards the others are gone, whatever happened.

    Raises:
        RuntimeError: Another rank ended otherwise than well.
    """
    if job.processes == 1:
        yield
        return
    port = _free_port()
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(target=_other, args=(work, job, rank, port), name=f"bench-{job.cell}-{rank}")
        for rank in range(1, job.processes)
    ]
    try:
        for other in others:
            other.start()
        threading.Thread(target=_end_with, args=(others,), name="bench-ranks", daemon=True).start()
        with _rank(0, job.processes, port):
            yield
        for other in others:
            other.join()
        failed = [rank for rank, other in enumerate(others, 1) if other.exitcode]
        if failed:
            raise RuntimeError(f"process {failed[0]} of {job.processes} failed; the log says why")
    finally:
        for other in others:
            if other.is_alive():
                other.kill()


def device_of(device: str, rank: int, processes: int) -> str:
    """The device of a rank: CUDA devices have numbers, the processor is shared."""
    return f"{device}:{rank}" if processes > 1 and device != "cpu" else device


def check_devices(plan: Iterable[PlannedCell], processes: int, device: str | None) -> None:
    """Refuse more devices than there are, and batches that cannot be shared equally.

    Raises:
        UserError: One or the other.
    """
    if processes == 1:
        return
    here = len(hardware()["gpus"])
    on_cuda = device == "cuda" or (device is None and here > 0)  # the best there is, unless told
    if on_cuda and processes > here:
        raise UserError(f"--devices {processes}: there are {here} CUDA devices here")
    for cell in plan:
        settings = cell.identity.method_settings
        parts = settings.get("gradient_accumulation", 1)
        batch = settings.get("batch_size", processes) // parts
        if cell.shares_training and batch % processes:
            raise UserError(
                f"--devices {processes}: {cell.identity.method} on {cell.identity.task} has {batch} documents at once "
                "(batch_size / gradient_accumulation), which cannot be shared equally; set batch_size to a multiple of "
                f"{processes * parts}"
            )


def _end_with(others: Sequence[BaseProcess]) -> None:
    """End this process where another rank has failed: it might wait for the other for ever."""
    while alive := [other for other in others if other.exitcode is None]:
        wait([other.sentinel for other in alive])
        for other in others:
            # Killed is what those are that are no longer needed.
            if other.exitcode not in {None, 0, -signal.SIGKILL}:
                time.sleep(GRACE_SECONDS)  # in which this process may have noticed by itself
                sys.stderr.write(f"{other.name} ended with exit code {other.exitcode}\n")
                os._exit(1)


def _other(work: Work, job: CellJob, rank: int, port: int) -> None:
    with _rank(rank, job.processes, port):
        work(job, rank)


@contextmanager
def _rank(rank: int, processes: int, port: int) -> Iterator[None]:
    """The environment by which accelerate knows that it is one of several; the group is left in the end."""
    values = (rank, rank, processes, processes, "127.0.0.1", port)
    os.environ.update({name: str(value) for name, value in zip(_WORDS, values, strict=True)})
    try:
        yield
        _leave()
    finally:
        for name in _WORDS:
            os.environ.pop(name, None)


def _leave() -> None:
    import torch.distributed
    from accelerate.state import AcceleratorState

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    AcceleratorState._reset_state(reset_partial_state=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
