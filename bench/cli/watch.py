"""Watching a run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer

from bench.method import Progress
from bench.record import Record
from bench.runner.job import CellJob

Observe = Callable[[Any], None]
HEARTBEAT_SECONDS = 15.0


@contextmanager
def watching(total: int, variants: Mapping[str, str] | None = None) -> Iterator[Observe]:
    """Something that shows the events of a run as they come.

    Args:
        total: Cells of the run.
        variants: By name of the cell, the settings that tell it from others of its method, where there are any.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _Live(total, console, variants or {}).showing() as live:
            yield live.observe
    else:
        yield _Plain(total, variants or {}).observe


@dataclass
class _At:
    """Where a running cell stands."""

    started: float = field(default_factory=time.monotonic)
    phase_started: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)
    progress: Progress = field(default_factory=lambda: Progress("start"))

    def move(self, progress: Progress) -> None:
        if progress.phase != self.progress.phase:
            self.phase_started = time.monotonic()
        self.progress = progress

    def left(self) -> float | None:
        """Seconds until the phase ends, if it goes on as so far."""
        step, total = self.progress.step, self.progress.total
        if not step or not total:
            return None
        return (time.monotonic() - self.phase_started) / step * (total - step)


@dataclass
class _Count:
    """How the run stands."""

    total: int
    started: float = field(default_factory=time.monotonic)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        return self.statuses.total()

    def left(self) -> float | None:
        """Seconds until the run ends, if cells go on taking what they took on average."""
        if not self.done:
            return None
        return (time.monotonic() - self.started) / self.done * (self.total - self.done)


class _Plain:
    """One line for each cell's start and end, and a sign of life in between."""

    def __init__(self, total: int, variants: Mapping[str, str]) -> None:
        self._count = _Count(total)
        self._variants = variants
        self._at: dict[str, _At] = {}

    def observe(self, event: Any) -> None:
        from bench.runner.executor import CellEnded, CellProgressed, CellStarted

        if isinstance(event, CellStarted):
            self._at[event.job.cell] = _At()
            self._say(f"start  {_title(event.job, self._variants)}")
        elif isinstance(event, CellProgressed):
            at = self._at[event.job.cell]
            at.move(event.progress)
            if time.monotonic() - at.told >= HEARTBEAT_SECONDS:
                at.told = time.monotonic()
                self._say(f"       {_title(event.job, self._variants)}: {_standing(at)}")
        elif isinstance(event, CellEnded):
            self._count.statuses[event.record.status] += 1
            self._say(ended_line(event.record, self._variants))

    def _say(self, line: str) -> None:
        left = self._count.left()
        tail = f"  (about {clock(left)} left)" if left else ""
        typer.echo(f"[{self._count.done}/{self._count.total}] {line}{tail}", err=True)


class _Live:
    """A bar for the run, a line for each running cell, and a line above for each that ended."""

    def __init__(self, total: int, console: Any, variants: Mapping[str, str]) -> None:
        self._count = _Count(total)
        self._variants = variants
        self._console = console
        self._at: dict[str, tuple[CellJob, _At]] = {}
        self._live: Any = None

    @contextmanager
    def showing(self) -> Iterator[_Live]:
        from rich.live import Live

        with Live(get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=True) as self._live:
            yield self

    def observe(self, event: Any) -> None:
        from bench.runner.executor import CellEnded, CellProgressed, CellStarted

        if isinstance(event, CellStarted):
            self._at[event.job.cell] = (event.job, _At())
        elif isinstance(event, CellProgressed):
            self._at[event.job.cell][1].move(event.progress)
        elif isinstance(event, CellEnded):
            self._at.pop(event.record.cell, None)
            self._count.statuses[event.record.status] += 1
            style = "green" if event.record.status == "ok" else "red"
            line = ended_line(event.record, self._variants)
            self._console.print(line, style=style, markup=False, highlight=False)

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        left = self._count.left()
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(f"cells {self._count.done}/{self._count.total}"),
            ProgressBar(self._count.total, self._count.done, width=30),
            Text(f"{clock(time.monotonic() - self._count.started)} gone"),
            Text(f"about {clock(left)} left" if left is not None else ""),
        )
        lines = [
            Text(f"  {_title(job, self._variants)}: {_standing(at)}", no_wrap=True) for job, at in self._at.values()
        ]
        if not lines:
            lines = [Text("  importing torch, once for all cells")]
        return Group(head, *lines)


def ended_line(record: Record, variants: Mapping[str, str]) -> str:
    """What became of a cell, in one line."""
    name = _title(record, variants)
    seconds = clock(sum(record.seconds.values()))
    if record.status != "ok":
        return f"{record.status:<6} {name}: {record.reason}"
    metric = record.task_facts.primary_metric if record.task_facts else "micro_f1"
    value = record.metrics.get(metric)
    measured = f"{metric} {value:.3f}, {seconds}" if value is not None else seconds
    fault = f"; model {record.facts['model']}" if "model" in record.facts else ""
    return f"ok     {name}: {measured}{fault}"


def clock(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _title(cell: CellJob | Record, variants: Mapping[str, str]) -> str:
    one, variant = cell.identity, variants.get(cell.cell)
    parts = [one.task, one.method + (f" ({variant})" if variant else ""), one.model]
    return " × ".join(part for part in parts if part) + (f", seed {one.seed}" if one.seed else "")


def _standing(at: _At) -> str:
    progress = at.progress
    parts = [progress.phase]
    if progress.step:
        parts.append(f"step {progress.step}/{progress.total}" if progress.total else f"step {progress.step}")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    left = at.left()
    parts.append(f"{clock(left)} left" if left is not None else f"{clock(time.monotonic() - at.phase_started)}")
    return ", ".join(parts)
