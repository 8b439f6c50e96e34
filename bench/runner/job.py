"""What the parent and the children tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.method import Progress
from bench.model import ResolvedModel
from bench.record import Environment, Identity, Record, Status, TaskFacts
from bench.registry import Plugin


@dataclass(frozen=True)
class CellJob:
    """Everything that a child needs for its cell.

    Attributes:
        identity: What the cell is.
        cell: Its name.
        slot: The name of what the user chose.
        store: Root of the store that it writes to.
        folder: Temporary folder in the store that becomes the cell's.
        checkpoints: Folder that outlives an interrupted attempt at this cell.
        checkpoint_seconds: How often training writes there.
        task: Folder of the frozen task.
        task_facts: Kind and sizes of the task.
        method: The method's plugin.
        uses_torch: Whether the child should come with torch imported.
        model: The pretrained network, where the method starts from one.
        device: The torch device; None to take the best there is.
        threads: CPU threads to compute with, of each process.
        processes: Processes that train together, a device each.
        memory_limit_mib: Most memory for the child and its children; None without a limit.
        timeout: Seconds that the cell may take; None without a limit.
        environment: Hardware, packages and command line, as the parent found them.
        save_model: Whether the trained model is kept.
        sweep: Whether prediction is measured at many batch sizes.
        started_at: When the parent gave it a process.
    """

    identity: Identity
    cell: str
    slot: str
    store: Path
    folder: Path
    checkpoints: Path
    checkpoint_seconds: float
    task: Path
    task_facts: TaskFacts
    method: Plugin
    uses_torch: bool
    model: ResolvedModel | None
    device: str | None
    threads: int
    processes: int
    memory_limit_mib: int | None
    timeout: float | None
    environment: Environment
    save_model: bool = False
    sweep: bool = False
    started_at: str = ""

    def record(self, status: Status, started_at: str, **more: Any) -> Record:
        """A record of this cell, finished now."""
        model = self.model
        values: dict[str, Any] = {
            "environment": self.environment,
            "from_scratch": model is not None and model.from_scratch,
            "task_facts": self.task_facts,
            **more,
        }
        return new_record(self.identity, self.cell, self.slot, status, started_at=started_at, **values)


@dataclass(frozen=True)
class Told:
    """Progress of a cell, on its way from the child to the parent."""

    progress: Progress


@dataclass(frozen=True)
class Finished:
    """The child has written its record."""

    record: Record


def new_record(identity: Identity, cell: str, slot: str, status: Status, **more: Any) -> Record:
    """A record with its identity spelt out, finished now."""
    return Record(
        cell=cell,
        slot=slot,
        task=identity.task,
        method=identity.method,
        model=identity.model,
        seed=identity.seed,
        identity=identity,
        status=status,
        finished_at=utc_now(),
        **more,
    )


def utc_now() -> str:
    """The present time, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
