"""How training went: the loss over optimiser steps, and the validation metric over epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench.record import Record
from report.chapters import Chapter
from report.charts import Line, Lines
from report.evidence import Evidence
from report.groups import Group, Section
from report.labels import names
from report.measures import metric_title
from report.plots import Axis
from report.tables import Cell, Column, Table
from report.text import DASH, counted, plain

_MOST = 12
_STEP, _EPOCH = Axis("Optimiser step"), Axis("Epoch")
_COLUMNS = (
    Column("row", "Row"),
    Column("seed", "Seed", numeric=True),
    Column("steps", "Steps", numeric=True),
    Column("loss", "Last loss", numeric=True),
    Column("epochs", "Epochs trained", numeric=True),
    Column("best", "Best epoch", numeric=True),
)

Points = tuple[tuple[float, float], ...]


def training_chapter(section: Section, _evidence: Evidence) -> Chapter | None:
    """The curves of rows that were trained step by step; None where there are none."""
    rows = _rows(section)
    if not rows:
        return None
    title = f"{metric_title(section.primary)} of validation documents"
    losses = Lines("loss", "Training loss by optimiser step", _STEP, Axis("Loss"), _lines(rows, "loss_curve"))
    scores = Lines("validation", f"{title} by epoch", _EPOCH, Axis(title), _lines(rows, "validation_curve"))
    lead = (
        "The loss is the mean since the point before. Losses of different methods are not of the same thing, so that "
        "only their course can be compared. Where there was a choice of epochs, the weights of the best were kept."
    )
    table = Table("Training", _COLUMNS, tuple(_line(name, record) for name, record in rows))
    shown = tuple(chart for chart in (losses, scores) if chart.series)
    return Chapter("How training went", "training", lead, (table,), shown, notes=_notes(section, rows), folded=True)


def _rows(section: Section) -> list[tuple[str, Record]]:
    """The first finished seed of each row that has a curve."""
    pairs = zip(section.groups, names(section.groups), strict=True)
    found = [(name, record) for group, name in pairs if (record := _first(group)) is not None]
    return found[:_MOST]


def _first(group: Group) -> Record | None:
    curves = ("loss_curve", "validation_curve")
    return next((record for record in group.ok if any(points(record.facts.get(key)) for key in curves)), None)


def _lines(rows: Sequence[tuple[str, Record]], fact: str) -> tuple[Line, ...]:
    found = [(name, record, points(record.facts.get(fact))) for name, record in rows]
    return tuple(Line(plain(record.method), name, where) for name, record, where in found if len(where) > 1)


def points(value: Any) -> Points:
    """A curve that a method noted; empty where it is none, since a method may note anything."""
    if not isinstance(value, list | tuple):
        return ()
    pairs = [tuple(one) for one in value if isinstance(one, list | tuple) and len(one) == 2]
    found = [(float(x), float(y)) for x, y in pairs if _finite(x) and _finite(y)]
    return tuple(sorted(found))


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _line(name: str, record: Record) -> tuple[Cell, ...]:
    losses = points(record.facts.get("loss_curve"))
    loss = Cell(f"{losses[-1][1]:.3g}", losses[-1][1]) if losses else Cell(DASH, tone="muted")
    facts = (record.facts.get(key) for key in ("final_epoch", "best_epoch"))
    return (Cell(name), Cell(str(record.seed)), _count(record.facts.get("steps")), loss, *map(_count, facts))


def _count(value: Any) -> Cell:
    return Cell(f"{value:,.4g}", float(value)) if _finite(value) else Cell(DASH, tone="muted")


def _notes(section: Section, rows: Sequence[tuple[str, Record]]) -> tuple[str, ...]:
    said = []
    if any(len(group.ok) > 1 for group in section.groups):
        said.append("Of rows with several seeds the first that finished is shown.")
    more = sum(_first(group) is not None for group in section.groups) - len(rows)
    if more > 0:
        said.append(f"{counted(more, 'row')} further down the table left out.")
    return tuple(said)
