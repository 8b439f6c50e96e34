"""The local executor: one child process a cell, watched without spinning, stopped when it must be."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess, SpawnProcess
from typing import Any

from bench.backoff import speaks_of_memory
from bench.meters.processes import tree_memory
from bench.method import Progress
from bench.record import PhaseMemory, Record, Status
from bench.runner import child
from bench.runner.job import CellJob, Finished, Told, utc_now
from bench.runner.limits import MIB, kill_group
from bench.store import Store

TICK_SECONDS = 0.25
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class CellStarted:
    """A cell has got its process."""

    job: CellJob


@dataclass(frozen=True)
class CellProgressed:
    """A cell has come further."""

    job: CellJob
    progress: Progress


@dataclass(frozen=True)
class CellEnded:
    """A cell has its record."""

    record: Record


CellEvent = CellStarted | CellProgressed | CellEnded


@dataclass
class _Running:
    """A child at work, as the parent sees it."""

    job: CellJob
    process: ForkServerProcess | SpawnProcess
    link: Connection
    started: float = field(default_factory=time.monotonic)
    record: Record | None = None
    phase: str | None = None
    peaks: dict[str, float] = field(default_factory=dict)
    stopped: tuple[Status, str] | None = None
    kill_at: float | None = None

    @property
    def pid(self) -> int:
        return int(self.process.pid or 0)


@dataclass
class LocalExecutor:
    """Runs cells on this machine.

    Attributes:
        jobs: Cells at a time.
        threads: CPU threads of each.
        observe: Gets every event.
        grace: Seconds between asking a child to stop and killing it.
    """

    jobs: int
    threads: int
    observe: Callable[[CellEvent], None]
    grace: float = GRACE_SECONDS
    _running: list[_Running] = field(default_factory=list)

    def run(self, queue: Iterable[CellJob]) -> list[Record]:
        """Run cells in order, ``jobs`` at a time; whatever happens to one, the others go on."""
        waiting = deque(queue)
        done: list[Record] = []
        with child_environment(self.threads):
            server = WarmServer()
            if any(job.uses_torch for job in waiting):
                server.start()
            try:
                while waiting or self._running:
                    while len(self._running) < self.jobs and (job := _next(waiting, server)) is not None:
                        done += self._start(job)
                    if self._running:
                        done += self._step()
                    else:
                        server.wait(TICK_SECONDS)
            finally:
                self._kill_all()
        return done

    def _start(self, job: CellJob) -> list[Record]:
        """Give a job its process; where that fails, its record."""
        job = replace(job, started_at=utc_now())
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = _context(job).Process(target=child.main, args=(job, sender), name=f"bench-{job.cell}")
        try:
            process.start()
        except (OSError, EOFError) as error:
            record = job.record("crashed", job.started_at, reason=f"no process could be started: {error!r}")
            record = Store(job.store).put(record)
            self.observe(CellEnded(record))
            return [record]
        finally:
            sender.close()
        self._running.append(_Running(job, process, receiver))
        self.observe(CellStarted(job))
        return []

    def _step(self) -> Iterator[Record]:
        """Wait for news, for at most a tick; yield the records of the cells that ended."""
        sources: list[Any] = [r.process.sentinel for r in self._running]
        sources += [r.link for r in self._running if not r.link.closed]
        wait(sources, timeout=TICK_SECONDS)
        for running in list(self._running):
            self._listen(running)
            if running.process.exitcode is None:
                self._watch(running)
                continue
            self._running.remove(running)
            record = self._close(running)
            self.observe(CellEnded(record))
            yield record

    def _listen(self, running: _Running) -> None:
        """Take all that a child has told so far."""
        while not running.link.closed:
            try:
                if not running.link.poll():
                    return
                message = running.link.recv()
            except (EOFError, OSError):
                running.link.close()
                return
            if isinstance(message, Finished):
                running.record = message.record
            elif isinstance(message, Told):
                running.phase = message.progress.phase
                self.observe(CellProgressed(running.job, message.progress))

    def _watch(self, running: _Running) -> None:
        """Hold the limits of time and memory."""
        now = time.monotonic()
        job = running.job
        used = tree_memory(running.pid) / MIB
        if running.phase is not None and used > 0:
            running.peaks[running.phase] = max(used, running.peaks.get(running.phase, 0.0))
        if running.kill_at is not None:
            if now >= running.kill_at:
                kill_group(running.pid, signal.SIGKILL)
        elif job.memory_limit_mib is not None and used > job.memory_limit_mib:
            running.stopped, running.kill_at = ("oom", child.oom_reason(job)), now
            kill_group(running.pid, signal.SIGKILL)
        elif job.timeout is not None and now - running.started > job.timeout:
            running.stopped, running.kill_at = ("timeout", child.timeout_reason(job)), now + self.grace
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGTERM)

    def _close(self, running: _Running) -> Record:
        """The record of a child that is gone: its own, or one that says what became of it."""
        running.process.join()
        self._listen(running)
        running.link.close()
        kill_group(running.pid, signal.SIGKILL)
        store = Store(running.job.store)
        if running.record is None and not running.job.folder.exists():
            # It was stopped between writing its record and saying so; another may be of an earlier run.
            found = store.get(running.job.cell, lambda _: None)
            running.record = found if found is not None and found.started_at == running.job.started_at else None
        if running.record is not None:
            return running.record
        return self._bury(running, store)

    def _bury(self, running: _Running, store: Store) -> Record:
        """Write the record of a child that could not."""
        status, reason = running.stopped or _post_mortem(running)
        log = running.job.folder / child.LOG
        running.job.folder.mkdir(parents=True, exist_ok=True)
        child.discard_outcome(running.job)
        record = running.job.record(
            status,
            running.job.started_at,
            reason=reason,
            phase=running.phase,
            traceback=child.LOG if log.is_file() else None,
            peak_mib={phase: _host_only(peak) for phase, peak in running.peaks.items()},
        )
        child.tidy(running.job, status)
        return store.commit(running.job.folder, record)

    def _kill_all(self) -> None:
        for running in self._running:
            kill_group(running.pid, signal.SIGKILL)
            running.process.join()
            kill_group(running.pid, signal.SIGKILL)
            child.discard(running.job)
        self._running.clear()


@contextmanager
def child_environment(threads: int) -> Iterator[None]:
    """The environment variables that children start with; the parent's own come back afterwards.

    Fork servers take theirs when they start, so it is set around the whole run.
    """
    wanted = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "true",
        # Asking the driver rather than CUDA leaves the fork server fit to be forked.
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        # Threads that wait by spinning starve each other as soon as anything else wants a core: training was eight
        # times slower beside one busy process. Short spins cost nothing on an idle machine.
        "GOMP_SPINCOUNT": "1000",
        "KMP_BLOCKTIME": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _context(job: CellJob) -> Any:
    """Where fork servers exist, a cell that needs torch is forked from one that has imported it."""
    warm = job.uses_torch and "forkserver" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if warm else "spawn")


class WarmServer:
    """The fork server: it imports for ten seconds, in which cells that need no torch can run."""

    def __init__(self) -> None:
        self._ready = threading.Event()

    def start(self) -> None:
        """Start it in the background; where there are no fork servers it is ready at once."""
        if "forkserver" in multiprocessing.get_all_start_methods():
            threading.Thread(target=self._ping, name="bench-warm", daemon=True).start()
        else:
            self._ready.set()

    def ready(self) -> bool:
        """Whether a child forked now would start at once."""
        return self._ready.is_set()

    def wait(self, seconds: float) -> None:
        """Wait for it, at most so long."""
        self._ready.wait(seconds)

    def _ping(self) -> None:
        """A first child does nothing: it is forked when the imports are done."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bench.runner.warm"])
        try:
            process = context.Process(target=_nothing)
            process.start()
            process.join()
        except (OSError, EOFError):  # cells will be told when they try
            pass
        finally:
            self._ready.set()


def _nothing() -> None:
    pass


def _next(waiting: deque[CellJob], server: WarmServer) -> CellJob | None:
    """The first job that can start now."""
    for job in waiting:
        if server.ready() or not job.uses_torch:
            waiting.remove(job)
            return job
    return None


def _post_mortem(running: _Running) -> tuple[Status, str]:
    """What became of a child that left no record."""
    code = running.process.exitcode or 0
    log = running.job.folder / child.LOG
    with suppress(OSError):
        if speaks_of_memory(log.read_text("utf-8", "replace")):
            return "oom", child.oom_reason(running.job)
    if code == -signal.SIGKILL:
        return "crashed", "killed by SIGKILL from outside, probably because the machine ran out of memory"
    if code < 0:
        return "crashed", f"killed by {signal.Signals(-code).name}"
    return "crashed", f"the process exited with code {code} before its cell was done"


def _host_only(peak: float) -> PhaseMemory:
    reason = "the process ended before it could tell"
    unknown = dict.fromkeys(("host_above_idle", "allocated", "reserved", "process", "device"), reason)
    return PhaseMemory(host=peak, unknown=unknown)
