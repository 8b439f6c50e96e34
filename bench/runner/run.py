"""A run: plan in, records out."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from bench.cell import absent_name
from bench.collection import Keep, keep_collections
from bench.method import CHECKPOINT_SECONDS
from bench.record import Environment, Record
from bench.runner.job import CellJob, new_record
from bench.runner.plan import Again, PlannedCell
from bench.store import Corrupt, Store

Watch = Callable[[int], AbstractContextManager[Callable[[Any], None]]]


@dataclass(frozen=True)
class RunOptions:
    """How to run, none of which may change a number's meaning.

    Attributes:
        jobs: Cells at a time.
        threads: CPU threads of each cell.
        processes: Processes that train a cell together, a device each.
        timeout: Seconds a cell may take; None without a limit.
        memory_limit_mib: Memory a cell may take; None for the default share of what is free.
        device: The torch device; None for the best there is.
        checkpoint_seconds: How often training writes a checkpoint.
        again: Which finished cells to run once more.
        save_models: Whether cells keep their trained models.
        sweep: Whether cells measure prediction at many batch sizes.
        documents: What is kept of test documents beside the results; None: nothing, for trials of a search.
        command: The command line, for the records.
    """

    jobs: int = 1
    threads: int = 1
    processes: int = 1
    timeout: float | None = None
    memory_limit_mib: int | None = None
    device: str | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    again: Again = field(default_factory=Again)
    save_models: bool = False
    sweep: bool = False
    documents: Keep | None = None
    command: tuple[str, ...] = ()


def run_plan(
    plan: list[PlannedCell], store: Store, options: RunOptions, watch: Watch, report: Callable[[Corrupt], None]
) -> int:
    """Run the cells of a plan that are wanted, and record those that cannot run.

    Args:
        plan: What was planned.
        store: Where records go.
        options: How to run.
        watch: Given the number of cells, opens something that gets the executor's events.
        report: Gets corrupt records.

    Returns:
        How many cells ran.

    Raises:
        UserError: Another run writes to the store.
    """
    with store.writing():
        # Another run may have ended since the plan was made.
        plan = [cell.looked_up(store, report) for cell in plan]
        store.save_plan([cell.row() for cell in plan])
        if options.documents is not None:
            able = (cell.frozen for cell in plan if cell.blocked is None and cell.frozen is not None)
            keep_collections(able, store, options.documents)
        for cell in plan:
            if cell.blocked is None:
                _forget_absence(cell, store)
        for cell in plan:
            if cell.blocked is not None:
                store.put(_unavailable(cell))
        wanted = [cell for cell in plan if options.again.wants(cell)]
        if wanted:
            _execute(wanted, store, options, watch)
        return len(wanted)


def _execute(wanted: list[PlannedCell], store: Store, options: RunOptions, watch: Watch) -> None:
    from bench.runner.executor import LocalExecutor

    environment = _environment(options)
    if options.again.fresh:
        for cell in wanted:
            shutil.rmtree(store.checkpoints(cell.cell), ignore_errors=True)
    jobs = [_job(cell, store, options, environment) for cell in wanted]
    with watch(len(jobs)) as observe:
        LocalExecutor(options.jobs, options.threads, observe).run(jobs)


def _forget_absence(cell: PlannedCell, store: Store) -> None:
    """A cell that can run is absent no more, by whatever it was called when it was.

    A broken method stands under no model, and a folder that is not there yet under its bare name.
    """
    model = cell.identity.model
    for called in {model, None, model.partition("@")[0] if model else None}:
        for variant in {"", cell.spanned}:
            store.forget(absent_name(cell.identity.model_copy(update={"model": called}), variant))


def _unavailable(cell: PlannedCell) -> Record:
    blocked = cell.blocked
    return new_record(
        cell.identity,
        cell.cell,
        cell.slot,
        "unavailable",
        reason=blocked.reason if blocked else None,
        remedy=blocked.remedy if blocked else None,
        task_facts=cell.task_facts,
        from_scratch=cell.model is not None and cell.model.from_scratch,
    )


def _environment(options: RunOptions) -> Environment:
    import platform

    from bench.meters import environment
    from bench.runner.limits import default_memory_limit

    return Environment(
        python=environment.python_version(),
        platform=platform.platform(),
        packages=environment.packages(),
        hardware=environment.hardware(),
        threads=options.threads,
        jobs=options.jobs,
        memory_limit_mib=options.memory_limit_mib or default_memory_limit(options.jobs),
        harness=environment.harness(),
        command=list(options.command),
    )


def _job(cell: PlannedCell, store: Store, options: RunOptions, environment: Environment) -> CellJob:
    if cell.frozen is None or cell.task_facts is None:
        raise AssertionError("a cell without its task is blocked and never wanted")
    return CellJob(
        identity=cell.identity,
        cell=cell.cell,
        slot=cell.slot,
        store=store.root,
        folder=store.cells / f".{cell.cell}.{uuid.uuid4().hex[:8]}.tmp",
        checkpoints=store.checkpoints(cell.cell),
        checkpoint_seconds=options.checkpoint_seconds,
        task=cell.frozen.folder,
        task_facts=cell.task_facts,
        method=cell.method,
        uses_torch=cell.uses_torch,
        model=cell.model,
        device=options.device,
        threads=options.threads,
        processes=options.processes if cell.shares_training else 1,
        memory_limit_mib=environment.memory_limit_mib,
        timeout=options.timeout,
        environment=environment,
        save_model=options.save_models,
        sweep=options.sweep,
    )
