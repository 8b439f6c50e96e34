"""What each row's settings cost to find: comparisons are fair where budgets are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from report.groups import Group, Section
from report.measures import metric_title
from report.tables import Cell, Column, Footnotes, Table, identity_cells, identity_columns
from report.text import DASH, plain, quantity, score, whole

Searches = Mapping[str, Mapping[str, Any]]
"""By slot, what `bench tune` wrote of the search that found its settings."""

_NONE = "none: the settings as they stand"
_UNEQUAL = "Rows had unequal budgets: what looks like a better method may be a method that was searched for longer."
_REMARK = "Every trial was judged on validation documents only, label sets made by the default rule."


def tuning_table(section: Section, searches: Searches) -> tuple[Table, ...]:
    """Trials, time and gain of each row's search, a row each; none where no row was searched for."""
    found = [_search(group, searches) for group in section.groups]
    if not any(found):
        return ()
    lead = [column for column in identity_columns(section.groups) if column.key != "seeds"]
    columns = (*lead, *(Column(key, title, key != "found") for key, title in _titles(section)))
    notes = Footnotes()
    rows = tuple(
        (*identity_cells(group, lead, notes), *_cells(one, section, notes))
        for group, one in zip(section.groups, found, strict=True)
    )
    remarks = (_REMARK, *((_UNEQUAL,) if len(_budgets(section, found)) > 1 else ()))
    return (Table("Tuning budgets", columns, rows, notes.listed(), remarks),)


def _budgets(section: Section, found: Sequence[Mapping[str, Any] | None]) -> set[int]:
    """How often rows were tried; those count that have settings, and had not tried all of them."""
    counts: set[int] = set()
    for group, one in zip(section.groups, found, strict=True):
        if one is not None and not one.get("exhausted"):
            counts.add(one["trials"])
        elif one is None and any(record.identity.method_settings for record in group.records):
            counts.add(0)
    return counts


def _search(group: Group, searches: Searches) -> Mapping[str, Any] | None:
    return next((searches[record.slot] for record in group.records if record.slot in searches), None)


def _titles(section: Section) -> tuple[tuple[str, str], ...]:
    primary = f"validation {metric_title(section.primary)}"
    return (
        ("trials", "Trials"),
        ("failed", "Failed"),
        ("seconds", "All trials, s"),
        ("default", f"As it stood, {primary}"),
        ("best", f"Best, {primary}"),
        ("found", "Found"),
    )


def _cells(search: Mapping[str, Any] | None, section: Section, notes: Footnotes) -> tuple[Cell, ...]:
    if search is None:
        return (Cell("0", 0.0), *(Cell(DASH, tone="muted") for _ in range(4)), Cell(_NONE, tone="muted"))
    settings = ", ".join(f"{plain(key)}={plain(value)}" for key, value in search["settings"].items())
    elsewhere = not any(r.identity.task_fingerprint == search["task_fingerprint"] for r in section.records)
    marks = (notes.mark("searched for on other documents of this task"),) if elsewhere else ()
    numbers = [
        (search["trials"], whole),
        (search["failed"], whole),
        (search["seconds"], quantity),
        (search["default"], score),
        (search["best"], score),
    ]
    shown = (Cell(DASH, tone="muted") if value is None else Cell(show(value), value) for value, show in numbers)
    return (*shown, Cell(settings, marks=marks))
