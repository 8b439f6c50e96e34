"""What a person sees of estimates: one row for cells that differ in their seed alone, a total, what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from bench.cli.run_view import cells as counted
from bench.cli.tables import print_json, print_table
from bench.estimating.estimate import Estimate
from bench.estimating.tasks import TOKENS_A_WORD
from bench.telling import canonical, telling_words
from bench.work import NotEstimated

if TYPE_CHECKING:
    from bench.estimating.cells import Estimator
    from bench.estimating.machines import Found
    from bench.runner.plan import PlannedCell

GIB = 2**30
UNKNOWN = "–"
COLUMNS = (
    *("task", "method", "settings", "model", "cells", "parameters", "trained,\nstored"),
    *("load\nGiB", "train\nGiB", "predict\nGiB", "host\nGiB", "train", "predict", ""),
)


@dataclass(frozen=True)
class Row:
    """Cells that differ in their seed alone.

    Attributes:
        cells: The cells.
        settings: What tells them from others of their task and method, in words.
        found: Their estimate.
    """

    cells: Sequence[PlannedCell]
    settings: str
    found: Estimate | NotEstimated


def show(plan: Sequence[PlannedCell], estimator: Estimator, machine: Found, *, as_json: bool) -> None:
    """Print the estimates of a plan."""
    if as_json:
        found = [_plain(cell, estimator.of(cell), machine) for cell in plan]
        print_json(
            {"cells": found, "total": _total(plan, estimator, machine), "assumptions": _rests(estimator, machine)}
        )
        return
    rows = list(_rows(plan, estimator))
    table = [_cells(row, machine) for row in rows]
    shown = [place for place, name in enumerate(COLUMNS) if name != "settings" or any(row.settings for row in rows)]
    print_table([COLUMNS[place] for place in shown], [[row[place] for place in shown] for row in table])
    for line in dict.fromkeys(
        f"  {_title(row)}: {row.found.reason}" for row in rows if isinstance(row.found, NotEstimated)
    ):
        typer.echo(line)
    typer.echo(f"\n{_total_line(_total(plan, estimator, machine))}")
    typer.echo(f"rests on: {'; '.join(_rests(estimator, machine))}")


def _rows(plan: Sequence[PlannedCell], estimator: Estimator) -> Iterator[Row]:
    together: dict[str, list[PlannedCell]] = {}
    for cell in plan:
        one = cell.identity
        key = canonical([one.task, one.task_settings, one.method, one.method_settings, one.model])
        together.setdefault(key, []).append(cell)
    settings = telling_words([same[0].identity for same in together.values()])
    for same, telling in zip(together.values(), settings, strict=True):
        yield Row(same, telling, estimator.of(same[0]))


def _cells(row: Row, machine: Found) -> list[str]:
    one = row.cells[0].identity
    named = [one.task, one.method, row.settings, one.model or "", str(len(row.cells))]
    if isinstance(row.found, NotEstimated):
        return [*named, *[UNKNOWN] * 8, ""]
    found = row.found
    memory = [_gib(found.device_bytes.get(phase)) for phase in ("load", "train", "predict")]
    too_much = "" if machine.fits(found.peak) else f"does not fit: {_gib(found.peak)} of {_gib(machine.memory)} GiB"
    parameters = [_short(found.parameters.total), _short(found.parameters.trainable)]
    return [*named, *parameters, *memory, _gib(found.host_bytes), *_times(found), too_much]


def _times(found: Estimate) -> list[str]:
    """Training with the validation on the way, and labelling."""
    if not found.seconds:
        return [UNKNOWN, UNKNOWN]
    training = found.seconds.get("train", 0.0) + found.seconds["validate"]
    return [duration(training) if training else "", duration(found.seconds["predict"])]


def _plain(cell: PlannedCell, found: Estimate | NotEstimated, machine: Found) -> dict[str, Any]:
    one = cell.identity
    named = {
        "cell": cell.cell,
        "task": one.task,
        "task_settings": one.task_settings,
        "method": one.method,
        "model": one.model,
        "seed": one.seed,
        "method_settings": one.method_settings,
        "state": cell.state,
    }
    if isinstance(found, NotEstimated):
        return {**named, "estimate": None, "reason": found.reason}
    return {**named, "estimate": asdict(found) | {"fits": machine.fits(found.peak)}, "reason": None}


def _total(plan: Sequence[PlannedCell], estimator: Estimator, machine: Found) -> dict[str, Any]:
    found = [(cell, one) for cell in plan if isinstance(one := estimator.of(cell), Estimate)]
    timed = [(cell, sum(one.seconds.values())) for cell, one in found if one.seconds]
    return {
        "cells": len(plan),
        "estimated": len(found),
        "seconds": sum(seconds for _, seconds in timed) if timed else None,
        "done": sum(cell.state == "done" for cell in plan),
        "seconds_to_do": sum(seconds for cell, seconds in timed if cell.state != "done") if timed else None,
        "do_not_fit": sum(not machine.fits(one.peak) for _, one in found),
    }


def _total_line(total: dict[str, Any]) -> str:
    parts = [counted(total["cells"])]
    if total["seconds"] is not None:
        parts.append(f"{duration(total['seconds'])} of training and prediction in all")
    if total["done"]:
        left = f", {duration(total['seconds_to_do'])} to do" if total["seconds_to_do"] is not None else ""
        parts.append(f"{total['done']} of them done{left}")
    if total["do_not_fit"]:
        parts.append(f"{total['do_not_fit']} do not fit")
    if total["estimated"] < total["cells"]:
        parts.append(f"{total['cells'] - total['estimated']} not estimated")
    return "; ".join(parts)


def _rests(estimator: Estimator, machine: Found) -> list[str]:
    """What the figures rest on, a line each."""
    device, width = machine.machine.device, {2: "bfloat16", 4: "float32"}[machine.machine.compute]
    memory = f", {_gib(machine.memory)} GiB" if machine.memory is not None else ""
    lines = [f"{device} computing in {width}{memory}"]
    lines.append(
        machine.pace.assumption() if machine.pace is not None else "no times: say --rate for a device elsewhere"
    )
    if estimator.counted_words:
        lines.append(f"{TOKENS_A_WORD} tokens a word where no tokenizer is here")
    if estimator.expected_sizes:
        lines.append(f"published sizes of {', '.join(estimator.expected_sizes)}, whose documents are not here")
    lines.append("loading, and tokens of an answer one after another, are not timed (docs/estimate.md)")
    return [line for line in lines if line]


def _title(row: Row) -> str:
    one = row.cells[0].identity
    return " × ".join(filter(None, (one.task, one.method, one.model)))


def duration(seconds: float) -> str:
    """``4 s``, ``12 min``, ``3.5 h``: no more digits than an estimate has."""
    if seconds < 99.5:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.1f} h"


def _gib(amount: float | None) -> str:
    return UNKNOWN if amount is None else f"{amount / GIB:.1f}"


def _short(parameters: int) -> str:
    for unit, size in (("B", 10**9), ("M", 10**6)):
        if parameters >= size:
            return f"{parameters / size:.2f} {unit}"
    return f"{parameters:,}"
