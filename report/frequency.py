"""Quality by how often a label was seen in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.metrics.definitions import BUCKETS, Bucket
from report.chapters import Chapter
from report.charts import Bars, BarSeries
from report.leading import Leading, label_tables, leading_rows, rows_note
from report.measures import metric, summarise
from report.plots import Axis
from report.tables import Cell, Column, Footnotes, Table, measured
from report.text import DASH, plain

if TYPE_CHECKING:
    from report.evidence import Evidence, LabelTable
    from report.groups import Section

_LEAD = (
    "Mean F1 over the labels of each band of training documents, those that occur in test documents. A method may "
    "reach a high micro-F1 by frequent labels alone."
)
_SPREAD = "Bars are means over seeds; lines at their ends span the lowest and the highest seed."


def frequent_and_rare(section: Section, evidence: Evidence) -> Chapter | None:
    """Macro-F1 of the leading rows by band of training documents; None where all labels are in one band."""
    rows = leading_rows(section)
    shown = [bucket for bucket in BUCKETS if any(_labels(row, bucket) for row in rows)]
    if len(shown) < 2:
        return None
    several = any(len(row.group.ok) > 1 for row in rows)
    notes = (*rows_note(section, rows), *((_SPREAD,) if several else ()))
    tables = next((tables for row in rows if (tables := label_tables(row, evidence))), ())
    return Chapter(
        "Frequent and rare labels",
        "frequency",
        _LEAD,
        tables=(_table(rows, shown, tables[0] if tables else None),),
        charts=(_bars(rows, shown),),
        notes=notes,
    )


def _labels(row: Leading, bucket: Bucket) -> int:
    return int(row.first.metrics.get(f"{bucket.name}_labels") or 0)


def _name(bucket: Bucket) -> str:
    return f"{bucket.name} ({bucket.span})"


def _bars(rows: Sequence[Leading], shown: Sequence[Bucket]) -> Bars:
    return Bars(
        "macro-f1",
        "Macro-F1 by training documents of a label",
        Axis("Training documents of a label"),
        Axis("Macro-F1 of these labels"),
        tuple(map(_name, shown)),
        tuple(_series(row, shown) for row in rows),
    )


def _series(row: Leading, shown: Sequence[Bucket]) -> BarSeries:
    measures = [metric(f"{bucket.name}_macro_f1") for bucket in shown]
    means = [summarise(row.group, measure) for measure in measures]
    seeds = [[value for one in row.group.ok if (value := measure.read(one)) is not None] for measure in measures]
    ends = [(min(values), max(values)) if mean and mean.std is not None else None
            for mean, values in zip(means, seeds, strict=True)]  # fmt: skip
    errors = tuple(ends) if any(ends) else ()
    return BarSeries(
        plain(row.group.method), row.name, tuple(None if mean is None else mean.mean for mean in means), errors
    )


def _table(rows: Sequence[Leading], shown: Sequence[Bucket], counts: LabelTable | None) -> Table:
    columns = [Column("band", "Labels"), Column("train", "Training documents of a label")]
    columns += [Column("labels", "Labels in test", True), Column("documents", "Test documents of these labels", True)]
    columns += [Column(f"row-{place}", row.name, True) for place, row in enumerate(rows)]
    notes = Footnotes()
    table = []
    for bucket in shown:
        labels = max(_labels(row, bucket) for row in rows)
        lead = (Cell(bucket.name), Cell(bucket.span), Cell(f"{labels:,}", float(labels)), _support(bucket, counts))
        measure = metric(f"{bucket.name}_macro_f1")
        table.append((*lead, *(measured(row.group, measure, notes) for row in rows)))
    remark = "A document counts once for each of its labels. " if counts is not None else ""
    remarks = (f"{remark}Figures over several seeds are mean ± sample standard deviation.",)
    return Table("Macro-F1 by training documents of a label", tuple(columns), tuple(table), notes.listed(), remarks)


def _support(bucket: Bucket, counts: LabelTable | None) -> Cell:
    if counts is None:
        return Cell(DASH, tone="muted")
    from bench.metrics.tail import members

    number = int(counts.counts.support[members(bucket, counts.train)].sum())
    return Cell(f"{number:,}", float(number))
