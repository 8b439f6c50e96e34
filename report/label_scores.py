"""F1 label by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from report.chapters import Chapter
from report.charts import Bars, BarSeries
from report.label_names import LabelNames
from report.leading import Leading, label_tables, leading_rows, rows_note
from report.plots import Axis
from report.tables import Cell, Column, Table
from report.text import listed, plain, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from report.evidence import Evidence, LabelTable
    from report.groups import Section

_ALL = 1000
"""Up to so many labels all are listed."""
_PART = 500
_DRAWN = 20
_LEAD = (
    "F1 of each label that occurs in test documents, mean over seeds. Few test documents make it uncertain: with "
    "ten of them one document more or less moves F1 by about 0.1."
)


@dataclass(frozen=True)
class _Scores:
    """F1 by label of each row, float, shape (rows, labels), with the counts that all rows share."""

    rows: Sequence[Leading]
    f1: NDArray[Any]
    table: LabelTable

    @property
    def support(self) -> NDArray[Any]:
        """Test documents of each label."""
        return self.table.counts.support


def labels_chapter(section: Section, evidence: Evidence) -> Chapter | None:
    """F1 of the leading rows by label; None where counts by label are not at hand."""
    rows = leading_rows(section)
    found = _scores(rows, evidence)
    if found is None or not found.support.any():
        return None
    names = LabelNames.of(found.rows[0].first, evidence, len(found.support))
    chosen, said = _chosen(found)
    absent = [row.name for row in rows if row not in found.rows]
    notes = [*rows_note(section, rows), *said, *names.notes]
    if absent:
        notes.append(f"Not shown, for want of stored counts by label: {listed(absent)}.")
    charts = (_bars(found, chosen[:_DRAWN], names),) if len(chosen) > 1 else ()
    return Chapter("Labels", "labels", _LEAD, (_table(found, chosen, names),), charts, (), tuple(notes), folded=True)


def _scores(rows: Sequence[Leading], evidence: Evidence) -> _Scores | None:
    import numpy as np

    from bench.metrics.f1 import f1_by_label

    kept: list[Leading] = []
    f1: list[Any] = []
    first: LabelTable | None = None
    for row in rows:
        tables = label_tables(row, evidence)
        first = first or next(iter(tables), None)
        if first is None or not tables or not all(_same(table, first) for table in tables):
            continue
        kept.append(row)
        f1.append(np.mean([f1_by_label(table.counts) for table in tables], axis=0))
    return _Scores(kept, np.array(f1), first) if first is not None and kept else None


def _same(one: LabelTable, other: LabelTable) -> bool:
    import numpy as np

    return np.array_equal(one.counts.support, other.counts.support) and np.array_equal(one.train, other.train)


def _chosen(found: _Scores) -> tuple[list[int], tuple[str, ...]]:
    """Which labels are listed, the most frequent first, and what is left out."""
    import numpy as np

    present = np.flatnonzero(found.support)
    order = present[np.lexsort((present, -found.table.train[present], -found.support[present]))]
    absent = len(found.support) - len(present)
    notes = [f"{absent:,} labels without a test document are left out."] if absent > 1 else []
    notes += ["One label without a test document is left out."] if absent == 1 else []
    if len(order) > _ALL:
        spread = np.ptp(found.f1, axis=0)[order]
        differing = np.argsort(-spread[_PART:], kind="stable")[:_PART] + _PART
        notes.append(
            f"Of {len(order):,} labels with a test document the {_PART} most frequent are listed, and of the others "
            f"the {_PART} on which rows differ most in F1."
        )
        order = order[np.concatenate([np.arange(_PART), np.sort(differing)])]
    return order.tolist(), tuple(notes)


def _table(found: _Scores, chosen: Sequence[int], names: LabelNames) -> Table:
    columns = [Column("label", "Label"), Column("train", "Training documents", True)]
    columns += [Column("support", "Test documents", True)]
    columns += [Column(f"row-{place}", row.name, True) for place, row in enumerate(found.rows)]
    rows = tuple(
        (
            Cell(names(label)),
            _count(found.table.train[label]),
            _count(found.support[label]),
            *(Cell(score(float(value)), float(value)) for value in found.f1[:, label]),
        )
        for label in chosen
    )
    return Table("F1 by label", tuple(columns), rows)


def _count(number: Any) -> Cell:
    return Cell(f"{int(number):,}", float(number))


def _bars(found: _Scores, drawn: Sequence[int], names: LabelNames) -> Bars:
    import numpy as np

    series = tuple(
        BarSeries(plain(row.group.method), row.name, tuple(map(float, values[list(drawn)])))
        for row, values in zip(found.rows, found.f1, strict=True)
    )
    most = f"the {len(drawn)} most frequent labels" if np.count_nonzero(found.support) > len(drawn) else "each label"
    return Bars("f1", f"F1 of {most}", Axis("Label, by test documents"), Axis("F1"), names.short(drawn), series)
