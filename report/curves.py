"""Learning curves as plain data: quality against the number of training documents, as a plot and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.train_sizes import ALL
from report.families import Family, Row
from report.groups import Group, Section
from report.labels import marks
from report.measures import Measure, metric, metric_title, summarise
from report.plots import Axis
from report.tables import (
    BOLD_NOTE,
    Cell,
    Column,
    Footnotes,
    Table,
    best,
    identity_cells,
    identity_columns,
    measured,
    reason_of,
)
from report.text import DASH, counted, listed, plain


@dataclass(frozen=True)
class Point:
    """One row at one size: the mean over its finished seeds, and their lowest and highest."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """One row at every size.

    Attributes:
        method: Name of the method: colour and marker.
        label: What stands beside the last point.
        points: Fewest documents first; None where there is no value, and so no line.
        hollow: Whether markers are drawn hollow, for weights from scratch.
        number: Its row in the table, where the label names that instead of its settings.
    """

    method: str
    label: str
    points: tuple[Point | None, ...]
    hollow: bool = False
    number: int | None = None

    @property
    def measured(self) -> tuple[Point, ...]:
        """The points that there are."""
        return tuple(point for point in self.points if point)


@dataclass(frozen=True)
class CurvePlot:
    """Learning curves.

    Attributes:
        key: Its name in file names.
        title: What it shows.
        x: The x axis.
        y: The y axis.
        series: The curves.
        notes: What is not shown, and why.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Curve, ...]
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> tuple[float, ...]:
        """Where some curve has a point."""
        return tuple(sorted({point.x for one in self.series for point in one.measured}))

    @property
    def extent(self) -> tuple[tuple[float, float], ...]:
        """Everything that is drawn, as points."""
        return tuple((p.x, y) for one in self.series for p in one.measured for y in (p.low, p.y, p.high))

    @property
    def description(self) -> str:
        """The plot in words, for those who cannot see it."""
        return f"{self.title}: {listed([_in_words(one) for one in self.series], 20)}."


def quality_against_documents(family: Family) -> CurvePlot | None:
    """The primary metric against the number of training documents; None where no two sizes have a value."""
    measure = metric(family.primary)
    leads = [row.lead for row in family.rows]
    found = [_curve(row, label, family, measure) for row, label in zip(family.rows, marks(leads), strict=True)]
    curves = tuple(one for one in found if one.measured)
    if len({point.x for one in curves for point in one.measured}) < 2:
        return None
    return CurvePlot(
        "learning-curve",
        f"{measure.title} against training documents",
        Axis("Training documents (log scale)", log=True),
        Axis(measure.title),
        curves,
        tuple(_notes(curves, family, measure)),
    )


def curve_table(family: Family) -> Table:
    """The primary metric at each size: a row each method, model and settings, a column each number of documents."""
    measure, notes = metric(family.primary), Footnotes()
    leads = [row.lead for row in family.rows]
    lead_columns = [column for column in identity_columns(leads) if column.key != "seeds"]
    columns = (
        *lead_columns,
        Column("seeds", "Seeds", numeric=True),
        *(
            Column(f"size_{place}", f"{measure.title} at {title}", numeric=True)
            for place, title in enumerate(size_titles(family))
        ),
    )
    top = [_highest(section, measure) for section in family.sections]
    rows = []
    for row in family.rows:
        cells = [
            replace(_at_size(group, measure, notes), bold=row.lead.row in highest)
            for group, highest in zip(row.groups, top, strict=True)
        ]
        rows.append((*identity_cells(row.lead, lead_columns, notes), _seeds(row), *cells))
    title = f"{measure.title} by training documents"
    return Table(title, columns, tuple(rows), notes.listed(), (_SEEDS, *([BOLD_NOTE] if any(top) else [])))


def sizes_line(family: Family) -> str:
    """Labels, numbers of training documents, and what was held out at all of them."""
    facts = family.facts
    if facts is None:
        return "No cell got as far as reading the documents."
    held_out = ", ".join(f"{plain(name)} {count:,}" for name, count in facts.documents.items() if name != "train")
    kind = "one label a document" if facts.kind == "single" else "any number of labels a document"
    sizes = f"training documents: {', '.join(size_titles(family))} · held out at every size: {held_out}"
    return f"{counted(facts.n_labels, 'label')}, {kind} · {sizes} · primary metric: {metric_title(family.primary)}"


def size_titles(family: Family) -> list[str]:
    """``100``, ``300``, ``all 1,000``."""
    return [_title(section, documents) for section, documents in zip(family.sections, family.documents, strict=True)]


_SEEDS = (
    "Where there are several seeds: mean ± sample standard deviation over those that finished. Every seed is trained "
    "on the same sample of documents, and smaller samples are part of larger ones. What is held out is the same at all "
    "sizes, as far as the task's settings and the numbers of its documents tell."
)


def _title(section: Section, documents: int | None) -> str:
    count = f"{documents:,}" if documents is not None else ""
    return f"{ALL} {count}".strip() if section.train_size == ALL else count


def _highest(section: Section, measure: Measure) -> set[tuple[str, ...]]:
    return {group.row for group in best(section.groups, measure)}


def _seeds(row: Row) -> Cell:
    """How many seeds finished at each size, as a number or from the fewest to the most."""
    counts = sorted({len(group.ok) if group else 0 for group in row.groups})
    return Cell("–".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))), float(counts[0]))


def _at_size(group: Group | None, measure: Measure, notes: Footnotes) -> Cell:
    if group is None:
        return Cell(DASH, marks=(notes.mark("not run at this size"),), tone="muted")
    cell = measured(group, measure, notes)
    if group.complete:
        return cell
    tag = f"{len(group.ok)}/{group.planned} seeds" if group.ok else ""
    return replace(cell, marks=(*cell.marks, notes.mark(_why_incomplete(group))), tag=tag)


def _why_incomplete(group: Group) -> str:
    reasons = dict.fromkeys(f"{r.status}: {reason_of(r)}" for r in group.records if r.status != "ok")
    return "; ".join([*reasons, *(["planned, but it left no record"] if group.missing else [])])


def _curve(row: Row, label: str, family: Family, measure: Measure) -> Curve:
    points = tuple(
        _point(group, documents, measure) for group, documents in zip(row.groups, family.documents, strict=True)
    )
    hollow = any(group.from_scratch for group in row.groups if group)
    return Curve(plain(row.lead.method), label, points, hollow, row.lead.number)


def _point(group: Group | None, documents: int | None, measure: Measure) -> Point | None:
    summary = summarise(group, measure) if group else None
    if group is None or documents is None or summary is None:
        return None
    values = [value for record in group.ok if (value := measure.read(record)) is not None]
    return Point(float(documents), summary.mean, min(values), max(values))


def _notes(curves: Sequence[Curve], family: Family, measure: Measure) -> Iterator[str]:
    if any(one.number is not None for one in curves):
        yield "Numbers, where there is room, are rows of the table."
    if any(point.low < point.high for one in curves for point in one.measured):
        yield "Points are means over seeds, bars reach from the lowest seed to the highest."
    if any(one.hollow for one in curves):
        yield "Hollow: weights from scratch, not to be ranked among pretrained ones."
    gaps, partial = list(_gaps(family, measure)), list(_partial(family))
    if gaps:
        yield f"No point, and no line to it, for want of {measure.title}: {listed(gaps, 8)} ({len(gaps):,} in all)."
    if partial:
        yield f"Not all seeds finished: {listed(partial, 8)} ({len(partial):,} in all)."


def _gaps(family: Family, measure: Measure) -> Iterator[str]:
    for row, label in _labelled(family):
        for group, title in zip(row.groups, size_titles(family), strict=True):
            if group is None or summarise(group, measure) is None:
                yield f"{label} at {title}"


def _partial(family: Family) -> Iterator[str]:
    for row, label in _labelled(family):
        for group, title in zip(row.groups, size_titles(family), strict=True):
            if group is not None and group.ok and not group.complete:
                yield f"{label} at {title} ({len(group.ok)} of {group.planned})"


def _labelled(family: Family) -> Iterator[tuple[Row, str]]:
    return zip(family.rows, marks([row.lead for row in family.rows]), strict=True)


def _in_words(curve: Curve) -> str:
    points = ", ".join(_point_in_words(point) for point in curve.measured)
    return f"{curve.label}: {points}"


def _point_in_words(point: Point) -> str:
    spread = f" ({point.low:.3f} to {point.high:.3f})" if point.low < point.high else ""
    return f"{point.y:.3f}{spread} at {point.x:,.0f}"
