"""What each row was given and how much of it it read: what to look at before comparing scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, stdev

from bench.record import Record
from report.groups import Group, Section
from report.tables import Cell, Column, Footnotes, Table, identity_cells, identity_columns
from report.text import DASH, percent, whole

CONDITIONS = (
    "What each row saw. Texts cut: share of documents longer than the row's token budget, of which only the beginning "
    "was read. Unread, unknown and cut off answers: test documents whose answer could not be read, labels given that "
    "the task does not have, and answers that ended for want of tokens. Over several seeds: mean ± sample standard "
    "deviation. A dash: the method has no such setting, or the record does not say. A column that no row could fill is "
    "left out.",
)
"""How to read the table."""


@dataclass(frozen=True)
class _Column:
    key: str
    title: str
    read: Callable[[Record], object]
    show: Callable[[float, float | None], str] = whole


def conditions_table(section: Section) -> tuple[Table, ...]:
    """Token budget, epochs, truncation, unread answers and parameters, a row each; none where no row tells any."""
    known = [column for column in _COLUMNS if any(_numbers(column, group) for group in section.groups)]
    if not known:
        return ()
    lead = [column for column in identity_columns(section.groups) if column.key != "seeds"]
    columns = (*lead, *(Column(column.key, column.title, numeric=True) for column in known))
    notes = Footnotes()
    rows = tuple(
        (*identity_cells(group, lead, notes), *(_cell(column, group) for column in known)) for group in section.groups
    )
    return (Table("What each row saw", columns, rows, notes.listed()),)


def _cell(column: _Column, group: Group) -> Cell:
    numbers = _numbers(column, group)
    if not numbers:
        return Cell(DASH, tone="muted")
    mean, std = fmean(numbers), stdev(numbers) if len(numbers) > 1 else None
    return Cell(column.show(mean, std), mean, std)


def _numbers(column: _Column, group: Group) -> list[float]:
    """The figure of each finished record that has one; of the unfinished ones where none finished."""
    values = [column.read(record) for record in group.ok or group.records]
    # A method may note anything.
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return [value for value in numbers if math.isfinite(value)]


def _setting(key: str, title: str) -> _Column:
    # All records of a row have the same settings, so that there is no spread to show.
    return _Column(key, title, lambda record: record.identity.method_settings.get(key), lambda mean, _: f"{mean:,.10g}")


def _fact(key: str, title: str, show: Callable[[float, float | None], str] = whole) -> _Column:
    return _Column(key, title, lambda record: record.facts.get(key), show)


def _parameters(key: str, title: str) -> _Column:
    def read(record: Record) -> object:
        counts = record.facts.get("parameters")
        return counts.get(key) if isinstance(counts, dict) else counts if key == "total" else None

    return _Column(f"parameters_{key}", title, read)


_COLUMNS = (
    _setting("max_tokens", "Max tokens"),
    _setting("epochs", "Epochs"),
    _setting("batch_size", "Batch size"),
    _setting("learning_rate", "Learning rate"),
    _fact("truncated_share", "Train texts cut", percent),
    _fact("truncated_share_predict", "Test texts cut", percent),
    _fact("parse_failures", "Unread answers"),
    _fact("out_of_set", "Unknown labels"),
    _fact("cut_off", "Answers cut off"),
    _parameters("total", "Parameters"),
    _parameters("trainable", "Trained"),
    _parameters("stored", "Stored"),
)
