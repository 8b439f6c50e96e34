"""The first table: of each task the row with the highest primary metric, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from report.families import Family
from report.groups import Group, Section
from report.measures import (
    Measure,
    device_memory,
    host_memory,
    metric,
    metric_title,
    speed,
    training_seconds,
)
from report.tables import Cell, Column, Footnotes, Table, best, measured, seeds_cell
from report.text import DASH, counted, listed, plain

_READ = {
    True: "Which differences are real is said in the answer, and in the part of each task.",
    False: "No paired test was made, so nothing here says that one method is better than another.",
}


def headline(kin: Sequence[Family], *, tested: bool = False) -> Table:
    """The headline of every section, but of a learning curve that of the largest size alone."""
    table = headline_table(leading(kin), tested=tested)
    curved = [family.title for family in kin if family.curved]
    note = f"Of several training sizes only the largest stands here; the learning curves show all: {listed(curved)}."
    return replace(table, notes=(*table.notes, *([note] if curved else [])))


def leading(kin: Sequence[Family]) -> list[Section]:
    """The sections that stand for their tasks: of a learning curve that of the largest size alone."""
    return [section for family in kin for section in ([family.largest] if family.curved else family.sections)]


def headline_table(found: Sequence[Section], *, tested: bool = False) -> Table:
    """For each task the rankable row with the highest primary metric, and what it cost.

    Args:
        found: The tasks.
        tested: Whether the answer says which differences are real.
    """
    costs = [training_seconds(), host_memory(), device_memory(), speed("predict")]
    has_device = any(device_memory().read(record) for section in found for record in section.records)
    costs = [measure for measure in costs if has_device or measure.key != device_memory().key]
    machines = len({machine for section in found for machine in section.hardware_ids}) > 1
    names = [("task", "Task"), ("row", "Method"), ("value", "Value"), ("metric", "Criterion"), ("seeds", "Seeds")]
    columns = [Column(key, title, key in {"value", "seeds"}) for key, title in names]
    columns += [Column(measure.key, measure.title, numeric=True) for measure in costs]
    columns += [Column("machine", "Machine")] if machines else []
    notes = Footnotes()
    rows = []
    for section in found:
        top = best(section.groups, metric(section.primary))
        for group in top:
            cells = _top_row(section, group, len(top) > 1, notes)
            cells += [_cost(group, measure, notes) for measure in costs]
            rows.append((*cells, Cell(plain(", ".join(group.hardware_ids)) or DASH))[: len(columns)])
        if not top:
            rows.append(_no_row(section, len(columns), notes))
    return Table("At a glance", tuple(columns), tuple(rows), notes.listed(), _headline_notes(found, tested))


def _top_row(section: Section, group: Group, tied: bool, notes: Footnotes) -> list[Cell]:
    measure = metric(section.primary)
    return [
        Cell(section.title),
        Cell(group.label, tag="tied" if tied else ""),
        measured(group, measure, notes),
        Cell(f"highest {measure.title}"),
        seeds_cell(group),
    ]


def _cost(group: Group, measure: Measure, notes: Footnotes) -> Cell:
    if len(group.hardware_ids) > 1:
        return Cell(DASH, marks=(notes.mark("its seeds ran on several machines"),), tone="muted")
    return measured(group, measure, notes)


def _no_row(section: Section, width: int, notes: Footnotes) -> tuple[Cell, ...]:
    finished = [group for group in section.groups if group.ok]
    reason = "no cell finished"
    if finished:
        reason = unranked(section)
    none = Cell("none", marks=(notes.mark(reason),), tone="muted")
    dash = Cell(DASH, tone="muted")
    return (Cell(section.title), none, dash, Cell(f"highest {metric_title(section.primary)}"), *[dash] * (width - 4))


def unranked(section: Section) -> str:
    """Why none of the finished rows may be ranked."""
    return f"no row is at once complete, not from scratch and given a {metric_title(section.primary)}"


def _headline_notes(found: Sequence[Section], tested: bool) -> tuple[str, ...]:
    single = sum(any(len(g.ok) == 1 for g in best(s.groups, metric(s.primary))) for s in found)
    notes = [
        "“Highest” is only that: the largest mean among rows that are complete and not from scratch. " + _READ[tested]
    ]
    scratch = sorted({plain(g.method) for s in found for g in s.groups if g.from_scratch})
    if scratch:
        notes.append(
            f"Rows from scratch are left out here: {listed(scratch)}. They started from random weights, so that their "
            "figures say nothing of what these methods reach with pretrained models."
        )
    if single:
        notes.append(f"With a single seed, in {counted(single, 'task')} here, not even the spread over seeds is known.")
    return tuple(notes)
