"""Tables as plain data; Markdown, HTML and the terminal draw them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from bench.record import Record
from bench.store import latest
from report.groups import Group, Section, sections
from report.measures import Measure, cost_measures, metric, quality_names, summarise
from report.text import DASH, counted, plain

if TYPE_CHECKING:
    from report.significance import Significance

Tone = Literal["", "muted", "bad"]
BOLD_NOTE = (
    "Bold: the highest mean among rows that are complete and not from scratch. "
    "It does not say that a difference is real: no paired test was made."
)


def tested_note(name: str) -> str:
    """What bold and tie mean where paired tests were made, in this metric."""
    title = metric(name).title
    return (
        "Bold: the highest mean among rows that are complete and not from scratch. Tie: not told apart from the "
        f"highest {title} by the paired test. 95 % interval: of {title}, over test documents. Other columns were not "
        "tested."
    )


_SETTINGS = 3
"""Where the settings stand among what names a failed cell."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What it shows, unescaped.
        value: The number behind it, for sorting.
        std: Its sample standard deviation over seeds.
        marks: Letters of its footnotes.
        bold: Whether it stands out.
        tone: ``muted`` for what is not there, ``bad`` for what went wrong.
        tag: A short remark after the text.
    """

    text: str
    value: float | None = None
    std: float | None = None
    marks: tuple[str, ...] = ()
    bold: bool = False
    tone: Tone = ""
    tag: str = ""


@dataclass(frozen=True)
class Column:
    """A column: its key, its title with the unit, and whether it holds numbers (right-aligned)."""

    key: str
    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table with footnotes.

    Attributes:
        title: What it shows.
        columns: Its columns.
        rows: Its rows, as long as ``columns``.
        footnotes: Mark and text of each.
        notes: Remarks on the whole table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class Footnotes:
    """Collects footnotes; the same text gets the same mark."""

    marks: dict[str, str] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        """The mark of a text: a, b, …, z, aa, ab, …"""
        return self.marks.setdefault(text, _letters(len(self.marks)))

    def listed(self) -> tuple[tuple[str, str], ...]:
        """Marks and texts, in order."""
        return tuple((mark, text) for text, mark in self.marks.items())


def results_table(records: Sequence[Record]) -> Table:
    """All results in one table, a row for each task × method × model × settings (× machine, where there are several).

    Args:
        records: Records of any number of tasks; of each slot the last is shown.

    Returns:
        The table, also for a terminal.
    """
    kept = latest(records)
    found = sections(kept)
    split = len({machine for section in found for machine in section.hardware_ids}) > 1
    columns = [
        Column("task", "Task"),
        *identity_columns([group for section in found for group in section.groups]),
        *([Column("machine", "Machine")] if split else []),
    ]
    measures = [*map(metric, quality_names(found)), *cost_measures(kept)]
    notes = Footnotes()
    rows = []
    for section in found:
        groups = section.groups_by_machine if split else section.groups
        for lead, cells in zip(groups, _rows(groups, columns, measures, notes), strict=True):
            own = {"task": Cell(section.title), "machine": Cell(plain(lead.machine) or DASH)}
            rows.append(tuple(own.get(column.key, cell) for column, cell in zip(columns, cells, strict=False)))
            rows[-1] += cells[len(columns) :]
    remarks = (BOLD_NOTE, *superseded_note(len(records) - len(kept)))
    return Table("Results", _with_measures(columns, measures), tuple(rows), notes.listed(), remarks)


def group_table(
    title: str,
    groups: Sequence[Group],
    measures: Sequence[Measure],
    remarks: Iterable[str] = (),
    tests: Significance | None = None,
) -> Table:
    """A table of groups, a row each.

    Args:
        title: What it shows.
        groups: Its rows.
        measures: Its columns after method, model, settings and seeds, and before the status.
        remarks: Notes on the whole table.
        tests: Intervals, which get a column beside their metric, and ties, which are marked.
    """
    columns = identity_columns(groups)
    notes = Footnotes()
    rows = _rows(groups, columns, measures, notes)
    table = Table(title, _with_measures(columns, measures), rows, notes.listed(), tuple(remarks))
    return _with_tests(table, groups, tests) if tests and tests.rows else table


def _with_tests(table: Table, groups: Sequence[Group], tests: Significance) -> Table:
    place = next((at for at, column in enumerate(table.columns) if column.key == tests.metric), None)
    if place is None:
        return table
    ties = {group.row for group in tests.ties}
    rows = []
    for group, row in zip(groups, table.rows, strict=True):
        found = tests.intervals.get(group.row)
        shown = Cell(f"{found.low:.3f} to {found.high:.3f}", found.low) if found else Cell(DASH, tone="muted")
        tied = group.row in ties and not row[place].bold
        rows.append((*row[:place], replace(row[place], tag="tie" if tied else ""), shown, *row[place + 1 :]))
    column = Column("interval", "95 % interval", numeric=True)
    columns = (*table.columns[: place + 1], column, *table.columns[place + 1 :])
    return replace(table, columns=columns, rows=tuple(rows))


def identity_columns(groups: Sequence[Group]) -> list[Column]:
    """Method, number, model and settings as far as they say something, then seeds."""
    columns = [Column("method", "Method")]
    if any(group.number is not None for group in groups):
        columns.append(Column("number", "Row", numeric=True))
    if any(group.model for group in groups):
        columns.append(Column("model", "Model"))
    if any(group.settings for group in groups):
        columns.append(Column("settings", "Settings"))
    return [*columns, Column("seeds", "Seeds", numeric=True)]


def identity_cells(group: Group, columns: Sequence[Column], notes: Footnotes) -> list[Cell]:
    """A group's cells under the columns of :func:`identity_columns`; a dash under others."""
    return [_LEADS.get(column.key, _nothing)(group, notes) for column in columns]


def failures_table(found: Sequence[Section]) -> Table:
    """Every cell without a result, with the reason, the remedy and the traceback's file name."""
    names = ("Task", "Method", "Model", "Settings", "Seed", "Status", "Phase", "Reason", "Remedy", "Traceback")
    columns = tuple(Column(name.lower(), name, name == "Seed") for name in names)
    rows: list[tuple[Cell, ...]] = []
    for section in found:
        lacking = [(group, record) for group in section.groups for record in group.records if record.status != "ok"]
        rows += [_failure(section, group, record) for group, record in sorted(lacking, key=_failure_order)]
        rows += [_absent(section, group, seed) for group in section.groups for seed in group.missing]
    table = Table("Missing and failed cells", columns, tuple(rows))
    return table if any(row[_SETTINGS].text != DASH for row in rows) else _without(table, _SETTINGS)


def reason_of(record: Record) -> str:
    """Why a record is not ok."""
    return plain(record.reason or record.error or "no reason was recorded")


def superseded_note(count: int) -> tuple[str, ...]:
    """A remark on older records, where there are any."""
    text = f"{counted(count, 'older record')} of the same settings and seed (other code, data or files) left out."
    return (text,) if count else ()


def best(groups: Sequence[Group], measure: Measure) -> tuple[Group, ...]:
    """The rankable groups with the highest mean, equal to the last digit shown."""
    means = [(group, summarise(group, measure)) for group in groups if group.rankable]
    shown = [(group, measure.show(one.mean, None), one.mean) for group, one in means if one]
    if not shown:
        return ()
    top = max(shown, key=lambda item: item[2])[1]
    return tuple(group for group, text, _ in shown if text == top)


def measured(group: Group, measure: Measure, notes: Footnotes) -> Cell:
    """A group's figure: mean ± std, or a dash with the reason as a footnote."""
    summary = summarise(group, measure)
    if summary:
        return Cell(measure.show(summary.mean, summary.std), summary.mean, summary.std)
    if not group.ok:
        return _until_stopped(group, measure, notes)
    lacking = [record for record in group.ok if measure.read(record) is None]
    reason = plain(measure.why(lacking[0])) if lacking else "not a finite number"
    share = f" ({len(lacking)} of {len(group.ok)} seeds)" if 0 < len(lacking) < len(group.ok) else ""
    return Cell(DASH, marks=(notes.mark(f"{reason}{share}"),), tone="muted")


def _until_stopped(group: Group, measure: Measure, notes: Footnotes) -> Cell:
    values = [value for record in group.records if (value := measure.read(record)) is not None]
    if measure.quality or not measure.key.endswith("_mib") or not values:
        return Cell(DASH, tone="muted")
    mark = notes.mark("the last peak seen before the cell ended; it might have grown further")
    return Cell(measure.show(fmean(values), None), fmean(values), marks=(mark,), tone="muted")


def _rows(
    groups: Sequence[Group], columns: Sequence[Column], measures: Sequence[Measure], notes: Footnotes
) -> tuple[tuple[Cell, ...], ...]:
    top: dict[str, set[int]] = {m.key: {id(group) for group in best(groups, m)} for m in measures if m.quality}
    rows = []
    for group in groups:
        lead = identity_cells(group, columns, notes)
        cells = [
            replace(measured(group, measure, notes), bold=id(group) in top.get(measure.key, ())) for measure in measures
        ]
        rows.append((*lead, *cells, _status(group, notes)))
    return tuple(rows)


def _with_measures(columns: Sequence[Column], measures: Sequence[Measure]) -> tuple[Column, ...]:
    numbers = [Column(measure.key, measure.title, numeric=True) for measure in measures]
    return (*columns, *numbers, Column("status", "Status"))


def _nothing(_group: Group, _notes: Footnotes) -> Cell:
    return Cell(DASH, tone="muted")


def _method(group: Group, notes: Footnotes) -> Cell:
    marks = (
        (notes.mark("its seeds ran with different versions of the code or of the model's files"),)
        if group.mixed
        else ()
    )
    return Cell(plain(group.method), marks=marks)


def _number(group: Group, _notes: Footnotes) -> Cell:
    return Cell(DASH, tone="muted") if group.number is None else Cell(str(group.number), float(group.number))


def _model(group: Group, _notes: Footnotes) -> Cell:
    tag = "from scratch" if group.from_scratch else ""
    return Cell(plain(group.model), tag=tag) if group.model else Cell(DASH, tone="muted", tag=tag)


def _settings(group: Group, _notes: Footnotes) -> Cell:
    return Cell(group.shown_settings) if group.settings else Cell(DASH, tone="muted")


def seeds_cell(group: Group, _notes: Footnotes | None = None) -> Cell:
    """How many seeds finished, of how many."""
    if group.complete:
        return Cell(str(len(group.ok)), float(len(group.ok)))
    return Cell(f"{len(group.ok)}/{group.planned} seeds", float(len(group.ok)), tone="bad")


_LEADS: dict[str, Callable[[Group, Footnotes], Cell]] = {
    "method": _method,
    "number": _number,
    "model": _model,
    "settings": _settings,
    "seeds": seeds_cell,
}


def _status(group: Group, notes: Footnotes) -> Cell:
    bad = [record for record in group.records if record.status != "ok"]
    if group.complete:
        return Cell("ok")
    words = sorted({record.status for record in bad} | ({"missing"} if group.missing else set()))
    marks = dict.fromkeys(notes.mark(_explained(record)) for record in bad)
    if group.missing:
        marks[notes.mark("planned, but it left no record")] = None
    prefix = "incomplete: " if group.ok else ""
    return Cell(prefix + ", ".join(words), marks=tuple(marks), tone="bad")


def _explained(record: Record) -> str:
    remedy = f" Remedy: {plain(record.remedy)}" if record.remedy else ""
    return f"{record.status}: {reason_of(record).rstrip('.')}.{remedy}"


def _failure_order(lacking: tuple[Group, Record]) -> tuple[str, str, str, int]:
    group, record = lacking
    return group.method, group.model or "", group.shown_settings, record.seed


def _failure(section: Section, group: Group, record: Record) -> tuple[Cell, ...]:
    texts = (
        plain(record.phase or DASH),
        reason_of(record),
        plain(record.remedy or DASH),
        plain(record.traceback or DASH),
    )
    return (*_named(section, group, record.seed), Cell(record.status, tone="bad"), *map(Cell, texts))


def _absent(section: Section, group: Group, seed: int) -> tuple[Cell, ...]:
    rest = (Cell("missing", tone="bad"), Cell(DASH), Cell("planned, but it left no record"), Cell(DASH), Cell(DASH))
    return (*_named(section, group, seed), *rest)


def _named(section: Section, group: Group, seed: int) -> Iterable[Cell]:
    model = plain(group.model or DASH)
    return map(Cell, (section.title, plain(group.method), model, group.shown_settings or DASH, str(seed)))


def _without(table: Table, place: int) -> Table:
    columns = (*table.columns[:place], *table.columns[place + 1 :])
    return replace(table, columns=columns, rows=tuple((*row[:place], *row[place + 1 :]) for row in table.rows))


def _letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return letters
