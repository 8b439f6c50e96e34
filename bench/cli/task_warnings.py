"""What ``bench run`` says of tasks whose audit found a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bench.runner.plan import Again, PlannedCell
    from bench.task_cache import FrozenTask


def warn_of_tasks(plan: Sequence[PlannedCell], again: Again, inspected: Mapping[str, str]) -> None:
    """One line on stderr for each fault of each task that is about to run.

    Sizes, labels and exact duplicates are looked at the first time that a task is planned; what takes longer is told
    where ``bench inspect`` has measured it.

    Args:
        plan: The cells.
        again: Which of them run.
        inspected: Task → how ``bench inspect`` is told of it, where that is not its name.
    """
    from bench.audit.findings import faults
    from bench.audit.kept import audited

    for task, frozen in _about_to_run(plan, again).items():
        for fault in faults(audited(frozen, (), _say)):
            words = inspected.get(task, task)
            _say(f"bench: warning: task {task}: {fault.what}; {fault.remedy} (more: bench inspect {words})")


def _about_to_run(plan: Sequence[PlannedCell], again: Again) -> dict[str, FrozenTask]:
    return {cell.identity.task: cell.frozen for cell in plan if cell.frozen is not None and again.wants(cell)}


def _say(line: str) -> None:
    typer.echo(line, err=True)
