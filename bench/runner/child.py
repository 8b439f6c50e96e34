"""A child process: one cell from its first moment to its written record."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench.backoff import NoRoomError, is_out_of_memory
from bench.meters.instruments import CellInstruments
from bench.record import Record, Status
from bench.runner.job import CellJob, Finished, Told
from bench.runner.limits import isolate, limit_data
from bench.saved import discard_model
from bench.store import Store

LOG = "log.txt"
TRACEBACK = "traceback.txt"
RESUMABLE: tuple[Status, ...] = ("timeout", "crashed")
"""A cell that ended so may be tried again as it is, and goes on from its checkpoint."""

_DEVICE_WORDS = ("cuda", "cublas", "mps backend", "hip")


class TimeUp(BaseException):
    """The parent asked the cell to stop; not an ``Exception``, so that no method swallows it."""


def main(job: CellJob, link: Connection) -> None:
    """Entry point of a child process."""
    isolate()
    started_at = job.started_at
    with _output_to(job):
        instruments = CellInstruments(tell=lambda progress: link.send(Told(progress)))
        with _stop_on_request():
            record = _live(job, instruments, started_at)
        tidy(job, record.status)
        sys.stdout.flush()
        sys.stderr.flush()
    if record.status == "ok" and (job.folder / LOG).stat().st_size == 0:
        (job.folder / LOG).unlink()
    link.send(Finished(Store(job.store).commit(job.folder, record)))
    link.close()
    # Threads and exit hooks of libraries must not be able to hang a cell that is done.
    os._exit(0)


def tidy(job: CellJob, status: Status) -> None:
    """Remove what the method left in its scratch folder, and checkpoints unless another attempt would need them."""
    shutil.rmtree(job.folder / "scratch", ignore_errors=True)
    if status not in RESUMABLE:
        shutil.rmtree(job.checkpoints, ignore_errors=True)


def discard(job: CellJob) -> None:
    """Remove all that an interrupted cell has written."""
    shutil.rmtree(job.folder, ignore_errors=True)


def discard_outcome(job: CellJob) -> None:
    """Remove what a cell that did not end well has predicted and saved: it belongs to no result."""
    for file in job.folder.glob("*.parquet"):
        file.unlink()
    discard_model(job.folder)


def _live(job: CellJob, instruments: CellInstruments, started_at: str) -> Record:
    try:
        limit_data(job.memory_limit_mib)
        instruments.start()
        from bench.runner.cell_run import run_cell

        return run_cell(job, instruments, started_at)
    except SystemExit as error:
        reason = f"the method left by sys.exit({error.code!r})"
        return _ended(job, instruments, error, _Ending("crashed", reason, started_at))
    except TimeUp as error:
        return _ended(job, instruments, error, _Ending("timeout", timeout_reason(job), started_at))
    except BaseException as error:
        limit_data(None)
        if is_out_of_memory(error):
            return _ended(job, instruments, error, _Ending("oom", oom_reason(job, error), started_at))
        text = " ".join(str(error).split())[:300]
        return _ended(job, instruments, error, _Ending("failed", f"{type(error).__name__}: {text}", started_at))


def timeout_reason(job: CellJob) -> str:
    """Why a cell that took too long was stopped."""
    return f"took longer than {job.timeout:g} s; raise --timeout"


def oom_reason(job: CellJob, error: BaseException | None = None) -> str:
    """Why a cell that ran out of memory ended."""
    alone, lower, cause = "", "batch_size or max_tokens", error
    if isinstance(error, NoRoomError):
        alone, lower, cause = " with one document at a time", "max_tokens", error.__cause__
    if any(word in str(cause).lower() for word in _DEVICE_WORDS):
        return f"the device ran out of memory{alone}; lower {lower}, or choose a smaller or quantised model"
    limit = f"its {job.memory_limit_mib} MiB of host memory"
    return f"needed more than {limit}{alone}; raise --memory-limit or lower {lower}"


@dataclass(frozen=True)
class _Ending:
    status: Status
    reason: str
    started_at: str


def _ended(job: CellJob, instruments: CellInstruments, error: BaseException, ending: _Ending) -> Record:
    """The record of a cell that ended otherwise than ok, with what was measured until then."""
    lines = "".join(traceback.format_exception(error))
    (job.folder / TRACEBACK).write_text(lines, "utf-8")
    discard_outcome(job)
    return job.record(
        ending.status,
        ending.started_at,
        reason=ending.reason,
        error=type(error).__name__,
        traceback=TRACEBACK,
        phase=instruments.reached,
        facts=instruments.facts,
        **vars(instruments.measured()),
    )


@contextmanager
def _output_to(job: CellJob) -> Iterator[None]:
    """Send what the method and its libraries print, and the stack of a crash, to the cell's log."""
    job.folder.mkdir(parents=True, exist_ok=True)
    log = (job.folder / LOG).open("w", encoding="utf-8", errors="backslashreplace", buffering=1)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    faulthandler.enable(log)
    try:
        yield
    finally:
        faulthandler.disable()
        with contextlib.suppress(OSError):
            log.close()


@contextmanager
def _stop_on_request() -> Iterator[None]:
    """Turn the parent's SIGTERM into an exception, so that the cell can still write what it measured."""

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise TimeUp("the time is up; raise --timeout")

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
