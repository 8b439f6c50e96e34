"""What ``bench run`` says of cells that will hardly fit into the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from bench.estimating.cells import Estimator, quick
from bench.estimating.estimate import Estimate
from bench.estimating.memory import Machine

if TYPE_CHECKING:
    from bench.runner.plan import Again, PlannedCell, Planner

GIB = 2**30
_SHOWN = 3


def warn_of_memory(plan: Sequence[PlannedCell], again: Again, device: str | None, planner: Planner) -> None:
    """One line on stderr where cells about to run on CUDA will hardly fit.

    Args:
        plan: The cells.
        again: Which of them run.
        device: The user's word.
        planner: What made the plan.
    """
    memory = cuda_memory(device)
    if memory is None:
        return
    # Devices that are asked for large networks compute in bfloat16.
    machine = Machine.of("cuda", bf16=True)
    estimator = Estimator(planner.registry, planner.suite, machine, None, quick(), planner.local_models)
    line = memory_warning(plan, again, estimator, memory)
    if line:
        typer.echo(f"bench: warning: {line}", err=True)


def memory_warning(plan: Sequence[PlannedCell], again: Again, estimator: Estimator, memory: int) -> str:
    """One line on the cells about to run whose estimate is over a device's memory; empty where there is none.

    Args:
        plan: The cells.
        again: Which of them run.
        estimator: Estimates them, without torch so as not to keep anyone waiting.
        memory: Bytes of the device.
    """
    wanted = [cell for cell in plan if cell.uses_torch and again.wants(cell)]
    found = [(cell, peak) for cell, peak in _peaks(wanted, estimator) if peak > memory]
    if not found:
        return ""
    shown = dict.fromkeys(f"{_title(cell)} {peak / GIB:.1f} GiB" for cell, peak in found)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return (
        f"{len(found)} of the cells to run will hardly fit into the device's {memory / GIB:.1f} GiB: "
        f"{', '.join(list(shown)[:_SHOWN])}{more}; `bench estimate` shows all, smaller batches or "
        "gradient_checkpointing=true take less"
    )


def cuda_memory(device: str | None) -> int | None:
    """Bytes of the smallest CUDA device with memory of its own, where cells will run on one; the driver says it."""
    if device not in {None, "cuda"}:
        return None
    from bench.meters.environment import hardware

    sizes = [int(gpu["memory_mib"]) * 2**20 for gpu in hardware()["gpus"] if gpu["memory_mib"] is not None]
    return min(sizes, default=None)


def _peaks(cells: Sequence[PlannedCell], estimator: Estimator) -> Iterator[tuple[PlannedCell, float]]:
    for cell in cells:
        found = estimator.of(cell)
        if isinstance(found, Estimate):
            yield cell, found.peak


def _title(cell: PlannedCell) -> str:
    one = cell.identity
    return " × ".join(filter(None, (one.task, one.method, one.model)))
