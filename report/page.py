"""The whole report as plain data: built once, drawn as Markdown and as HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.record import Identity, Record
from bench.store import latest
from report.caveats import caveat_lines
from report.conditions import CONDITIONS, conditions_table
from report.curves import CurvePlot, curve_table, quality_against_documents, size_titles, sizes_line
from report.families import Family, families
from report.groups import Group, Section, sections
from report.measures import (
    Measure,
    cost_measures,
    device_memory,
    host_memory,
    metric,
    metric_definition,
    metric_title,
    quality_measures,
    quality_names,
    seconds,
    speed,
)
from report.plots import DEFAULT_PLOTS, MakePlot, Plot
from report.provenance import (
    HOST_MEMORY,
    TIMES,
    decision_line,
    definitions,
    disturbed_line,
    hardware_line,
    modified,
    origin,
    task_line,
)
from report.rules import rules_table
from report.tables import (
    BOLD_NOTE,
    Cell,
    Column,
    Footnotes,
    Table,
    best,
    failures_table,
    group_table,
    measured,
    reason_of,
    seeds_cell,
    superseded_note,
)
from report.text import DASH, counted, listed, plain, slug
from report.tuning import Searches, tuning_table


@dataclass(frozen=True)
class Figure:
    """A plot and its place: ``name`` is the stem of its file."""

    name: str
    plot: Plot | CurvePlot
    caption: str


@dataclass(frozen=True)
class Part:
    """What the report says of one task.

    Attributes:
        title: The task.
        anchor: Its name in links.
        facts: Size and kind.
        tables: Results, and costs by machine where there are several; what each row was given.
        figures: Plots.
        warnings: What limits the figures.
        opening: Plots that stand before the tables.
    """

    title: str
    anchor: str
    facts: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...]
    opening: tuple[Figure, ...] = ()

    @property
    def drawn(self) -> tuple[Figure, ...]:
        """All plots, in their order."""
        return self.opening + self.figures


@dataclass(frozen=True)
class Banner:
    """What is missing from the report: a headline, and counts by reason."""

    headline: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A report, ready to be drawn."""

    title: str
    summary: str
    banner: Banner | None
    warnings: tuple[str, ...]
    headline: Table
    parts: tuple[Part, ...]
    failures: Table | None
    definitions: tuple[tuple[str, str], ...]
    origin: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]


def build_report(
    records: Sequence[Record], missing: Sequence[Identity] = (), searches: Searches | None = None
) -> Report:
    """Everything a report says.

    Args:
        records: Records of any number of tasks; of each slot the last is used.
        missing: Planned cells that left no record.
        searches: By slot, the search that found a cell's settings.
    """
    kept = latest(records)
    found = sections(kept, missing)
    kin = families(found)
    failures = failures_table(found)
    return Report(
        title="Text classification: quality, memory and speed",
        summary=_summary(kept, kin),
        banner=_banner(kept, missing),
        warnings=_warnings(kept),
        headline=_headline(kin),
        parts=_parts(kin, searches or {}),
        failures=failures if failures.rows else None,
        definitions=definitions(quality_names(found)) if found else (),
        origin=origin(kept),
        notes=(
            *_reading(kept),
            *(CONDITIONS if any(map(conditions_table, found)) else ()),
            *superseded_note(len(records) - len(kept)),
        ),
    )


def _headline(kin: Sequence[Family]) -> Table:
    """The headline of every section, but of a learning curve that of the largest size alone."""
    table = headline_table(
        [section for family in kin for section in ([family.largest] if family.curved else family.sections)]
    )
    curved = [family.title for family in kin if family.curved]
    note = f"Of several training sizes only the largest stands here; the learning curves show all: {listed(curved)}."
    return replace(table, notes=(*table.notes, *([note] if curved else [])))


def headline_table(found: Sequence[Section]) -> Table:
    """For each task the rankable row with the highest primary metric, and what it cost."""
    costs = [seconds("train"), host_memory(), device_memory(), speed("predict")]
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
    return Table("At a glance", tuple(columns), tuple(rows), notes.listed(), _headline_notes(found))


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
        reason = f"no row is at once complete, not from scratch and given a {metric_title(section.primary)}"
    none = Cell("none", marks=(notes.mark(reason),), tone="muted")
    dash = Cell(DASH, tone="muted")
    return (Cell(section.title), none, dash, Cell(f"highest {metric_title(section.primary)}"), *[dash] * (width - 4))


def _headline_notes(found: Sequence[Section]) -> tuple[str, ...]:
    single = sum(any(len(g.ok) == 1 for g in best(s.groups, metric(s.primary))) for s in found)
    notes = [
        "“Highest” is only that: the largest mean among rows that are complete and not from scratch. "
        "No paired test was made, so nothing here says that one method is better than another."
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


def _summary(records: Sequence[Record], kin: Sequence[Family]) -> str:
    ok = sum(record.status == "ok" for record in records)
    methods = len({record.method for record in records})
    return (
        f"{counted(len(kin), 'task')}{_sizes_counted(kin)}, {counted(methods, 'method')}, "
        f"{counted(len(records), 'cell')} on record, {ok:,} of them finished."
    )


def _sizes_counted(kin: Sequence[Family]) -> str:
    counts = {len(family.sections) if family.curved else 1 for family in kin}
    most = max(counts, default=1)
    return f" at {'up to ' if len(counts) > 1 else ''}{most} training sizes" if most > 1 else ""


def _banner(records: Sequence[Record], missing: Sequence[Identity]) -> Banner | None:
    statuses = Counter(record.status for record in records if record.status != "ok")
    counts = [f"{count:,} {status}" for status, count in statuses.most_common()]
    counts += [f"{len(missing):,} missing"] if missing else []
    if not counts:
        return None
    reasons = Counter((r.status, reason_of(r)) for r in records if r.status != "ok").most_common()
    lines = [f"{count:,} × {status}: {reason}" for (status, reason), count in reasons[:8]]
    lines += [f"{len(missing):,} × missing: planned, but it left no record"] if missing else []
    lines += [f"and {len(reasons) - 8:,} further reasons, listed below"] if len(reasons) > 8 else []
    total = sum(statuses.values()) + len(missing)
    headline = (
        f"{total:,} of {counted(len(records) + len(missing), 'planned cell')} without a result: {listed(counts)}."
    )
    return Banner(headline, tuple(lines))


def _warnings(records: Sequence[Record]) -> tuple[str, ...]:
    warnings = []
    if modified(records):
        warnings.append("Some cells ran with a modified harness: no commit holds the code that made their numbers.")
    machines = {record.environment.hardware_id for record in records if record.status == "ok"}
    if len(machines) > 1:
        warnings.append(f"Cells ran on {len(machines)} machines: speed and memory are shown for each apart.")
    return tuple(warnings)


def _reading(records: Sequence[Record]) -> tuple[str, ...]:
    notes = [
        "Figures over several seeds are mean ± sample standard deviation (n − 1) over the finished seeds. A row with "
        "an unfinished seed says so and is never marked as highest.",
        *TIMES,
        *HOST_MEMORY,
    ]
    if any(device_memory().read(record) for record in records):
        notes.append("Device memory: peak reserved by torch in the train phase, summed over devices.")
    return (*notes, "Among results a dash is a figure that is not known; its footnote says why.")


def _parts(kin: Sequence[Family], searches: Searches) -> tuple[Part, ...]:
    """A part for each section, before those of several sizes their learning curves."""
    anchors = _Anchors()
    parts = []
    for family in kin:
        if family.spans:
            parts.append(_curve_part(family, anchors.of(_curve_title(family))))
        for section in family.sections:
            plots = DEFAULT_PLOTS if section is family.largest or not family.curved else ()
            parts.append(_part(section, anchors.of(section.title), plots, searches))
    return tuple(parts)


@dataclass
class _Anchors:
    """Names of parts in links, each once."""

    seen: Counter[str] = field(default_factory=Counter)

    def of(self, title: str) -> str:
        stem = slug(title)
        self.seen[stem] += 1
        return stem if self.seen[stem] == 1 else f"{stem}-{self.seen[stem]}"


def _curve_title(family: Family) -> str:
    return f"{family.title}: learning curves"


def _curve_part(family: Family, anchor: str) -> Part:
    if not family.curved:
        sizes = f"Training documents: {', '.join(size_titles(family))}."
        return Part(_curve_title(family), anchor, sizes, (), (), (f"No learning curve: {family.obstacle}.",))
    plot = quality_against_documents(family)
    figures = (Figure(f"{anchor}-{plot.key}", plot, _curve_caption(family, plot)),) if plot else ()
    lacking = () if plot else ("No learning curve: no two sizes have a result.",)
    return Part(_curve_title(family), anchor, sizes_line(family), (curve_table(family),), (), lacking, figures)


def _curve_caption(family: Family, plot: CurvePlot) -> str:
    definition = metric_definition(family.primary).rstrip(".")
    meaning = (f"{metric_title(family.primary)}: {definition}.",) if definition else ()
    return " ".join((f"{family.title}: {plot.title}.", *meaning, *plot.notes))


def _part(section: Section, anchor: str, plots: Sequence[MakePlot], searches: Searches) -> Part:
    several = len(section.hardware_ids) > 1
    warnings = list(disturbed_line(section.records))
    if several:
        warnings.append("Measured on several machines: speed and memory are compared within one machine only.")
    if len({tuple(r.seed for r in g.records) for g in section.groups if g.ok}) > 1:
        warnings.append("Rows differ in their seeds.")
    warnings += caveat_lines(section)
    tables = _tables_by_machine(section) if several else (_one_table(section),)
    tables += (*rules_table(section), *tuning_table(section, searches), *conditions_table(section))
    figures = tuple(_figures(section, anchor, plots))
    return Part(section.title, anchor, task_line(section), tables, figures, tuple(warnings))


def _one_table(section: Section) -> Table:
    measures = [*quality_measures(section), *cost_measures(section.records)]
    machine = section.hardware_ids[0] if section.hardware_ids else ""
    where = (f"Machine: {hardware_line(section.records, machine)}",) if section.hardware_ids else ()
    return group_table("Results", section.groups, measures, (*_bold_note(section), *decision_line(section), *where))


def _bold_note(section: Section) -> tuple[str, ...]:
    return (BOLD_NOTE,) if any(group.rankable and group.ok for group in section.groups) else ()


def _tables_by_machine(section: Section) -> tuple[Table, ...]:
    notes = (*_bold_note(section), *decision_line(section))
    tables = [group_table("Quality", section.groups, quality_measures(section), notes)]
    for machine in section.hardware_ids:
        groups = _on(section, machine)
        records = [record for group in groups for record in group.records]
        where = (f"Machine: {hardware_line(records, machine)}",)
        title = f"Speed and memory on {plain(machine) or 'a machine not recorded'}"
        tables.append(group_table(title, groups, cost_measures(records), where))
    return tuple(tables)


def _on(section: Section, machine: str) -> list[Group]:
    return [group for group in section.groups_by_machine if group.machine == machine and group.records]


def _figures(section: Section, anchor: str, plots: Sequence[MakePlot]) -> list[Figure]:
    several = len(section.hardware_ids) > 1
    figures: list[Figure] = []
    for place, machine in enumerate(section.hardware_ids, start=1):
        groups = _on(section, machine) if several else section.groups
        for make in plots:
            plot = make(section, groups)
            if plot:
                name = f"{anchor}-{plot.key}" + (f"-machine-{place}" if several else "")
                caption = _caption(section, plot, machine if several else "", define=not figures)
                figures.append(Figure(name, plot, caption))
    return figures


def _caption(section: Section, plot: Plot, machine: str, *, define: bool) -> str:
    where = f" on {plain(machine)}" if machine else ""
    definition = metric_definition(section.primary) if define else ""
    meaning = (f"{metric_title(section.primary)}: {definition.rstrip('.')}.",) if definition else ()
    return " ".join((f"{section.title}{where}: {plot.title}.", *meaning, *plot.notes))
