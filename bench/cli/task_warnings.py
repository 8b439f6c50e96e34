"""What ``bench run`` says of tasks whose audit found a fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from bench.cli.data_options import DataWords
    from bench.registry import Registry
    from bench.runner.plan import Again, PlannedCell
    from bench.suite import Suite
    from bench.task_cache import FrozenTask


@dataclass(frozen=True)
class InspectCommand:
    """How to inspect the very documents of a run.

    Attributes:
        data: What the user said of a file of his own.
        own: Name of that file's task; none where there is no file.
        plugins: The files named with ``--plugins``.
        suite: What is run.
        registry: The plugins.
    """

    data: DataWords
    own: Sequence[str]
    plugins: Sequence[Path]
    suite: Suite
    registry: Registry

    def of(self, task: str, size: Mapping[str, Any] | None = None) -> str:
        """The command line for a task at a train size, ready for a shell."""
        named = self.data.options() if task in self.own else (task,)
        known = self.registry.get("task", task).load().Config.model_fields
        sets = _sets({**self.suite.task_settings(task, known), **(size or {})})
        return shlex.join(["bench", "inspect", *named, *_repeated("--plugins", map(str, self.plugins)), *sets])


def warn_of_tasks(plan: Sequence[PlannedCell], again: Again, command: InspectCommand) -> None:
    """One line on stderr for each fault of each task that is about to run.

    Sizes, labels and exact duplicates are looked at the first time that a task is planned; what takes longer is told
    where ``bench inspect`` has measured it of the same documents, with the settings of the run. Of several train sizes
    the largest is looked at: what a small sample lacks is no fault of the task.

    Args:
        plan: The cells.
        again: Which of them run.
        command: Where to learn more.
    """
    from bench.audit.findings import faults
    from bench.audit.kept import audited

    for task, (frozen, size) in _about_to_run(plan, again).items():
        for fault in faults(audited(frozen, (), _say)):
            _say(f"bench: warning: task {task}: {fault.what}; {fault.remedy} (more: {command.of(task, size)})")


def _about_to_run(plan: Sequence[PlannedCell], again: Again) -> dict[str, tuple[FrozenTask, Mapping[str, Any]]]:
    wanted = [cell for cell in plan if again.wants(cell)]
    return {cell.identity.task: (cell.frozen, cell.size) for cell in wanted if cell.frozen is not None}


def _sets(given: Mapping[str, Any]) -> list[str]:
    return _repeated("--set", (f"{key}={_yaml(value)}" for key, value in given.items()))


def _yaml(value: Any) -> str:
    """A value on one line, as ``--set`` reads it."""
    written = _dumped(value, allow_unicode=True)
    # Line breaks of Unicode would be read back as blanks; escaped they are what they were.
    return written if written.isprintable() else _dumped(value, allow_unicode=False)


def _dumped(value: Any, *, allow_unicode: bool) -> str:
    import math

    import yaml

    written = yaml.safe_dump(value, default_flow_style=True, allow_unicode=allow_unicode, width=math.inf)
    return written.removesuffix("\n").removesuffix("\n...")


def _repeated(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _say(line: str) -> None:
    typer.echo(line, err=True)
