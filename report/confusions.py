"""Which labels are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from report.chapters import Chapter
from report.charts import Heat
from report.label_names import LabelNames
from report.leading import Look, looks, voices
from report.plots import Axis
from report.tables import Cell, Column, Table
from report.text import counted, percent

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from bench.metrics.confusions import Errors, Pair
    from bench.metrics.counts import LabelCounts
    from report.evidence import Evidence
    from report.groups import Section

_DRAWN = 12
_PAIRS = 15
_LABELS = 10
_COMPARED = 3
"""Of so many rows the most frequent confusions are listed."""

_SINGLE = (
    "Labels that are given in place of others. A pair that every row confuses may be two names for one thing, or "
    "documents labelled at random between them; one that only some rows confuse is what these have not learnt."
)
_MULTI = (
    "Labels that are missed, and labels that are given in error in the same document. A pair that every row confuses "
    "may be two names for one thing, or documents labelled at random between them."
)


@dataclass(frozen=True)
class _Row:
    """A row with its errors."""

    look: Look

    @cached_property
    def errors(self) -> Errors:
        """What its label sets miss, and what is wrong in them."""
        from bench.metrics.confusions import Errors

        return Errors.of(self.look.judged.split.gold, self.look.judged.split.predicted)

    @cached_property
    def pairs(self) -> list[Pair]:
        """Its most frequent confusions."""
        return self.errors.pairs(_PAIRS)

    @property
    def counts(self) -> LabelCounts:
        """Documents by label."""
        from bench.metrics.counts import count_labels

        return count_labels(self.look.judged.split.gold, self.look.judged.split.predicted)

    def count(self, gold: int, given: int) -> int:
        """Documents that miss one label and were given the other in error."""
        import numpy as np

        missed, added = (_documents(part, label) for part, label in zip(self._columns, (gold, given), strict=True))
        return len(np.intersect1d(missed, added, assume_unique=True))

    @cached_property
    def _columns(self) -> tuple[csc_matrix, csc_matrix]:
        return self.errors.missed.tocsc(), self.errors.added.tocsc()


def confusions_chapter(section: Section, evidence: Evidence) -> Chapter | None:
    """The most frequent confusions of the leading rows; None where there is no error, or no predictions at hand."""
    found = voices(looks(section, evidence))
    rows = [_Row(look) for look in found.looks]
    if not any(row.errors.mass.any() for row in rows):
        return None
    judged = rows[0].look.judged
    names = LabelNames.of(rows[0].look.row.first, evidence, judged.split.gold.shape[1])
    single = judged.kind == "single"
    tables = [table for table in (_pairs_table(rows, names, single),) if table.rows]
    tables += [] if single else [_labels_table(rows, names)]
    heat = _heat(rows[0], names) if single else None
    notes = (*found.notes, *(_unanswered(rows) if single else ()), *names.notes)
    return Chapter(
        "What is confused",
        "confusions",
        _SINGLE if single else _MULTI,
        tuple(tables),
        (heat,) if heat else (),
        notes=notes,
    )


def _pairs_table(rows: Sequence[_Row], names: LabelNames, single: bool) -> Table:
    """The most frequent pairs of the first rows, in the order of the first row's counts."""
    compared = rows[:_COMPARED]
    pairs = list(dict.fromkeys((pair.gold, pair.given) for row in compared for pair in row.pairs))
    counts = {pair: [row.count(*pair) for row in rows] for pair in pairs}
    pairs.sort(key=lambda pair: ([-count for count in counts[pair]], pair))
    support = rows[0].counts.support
    columns = [
        Column("gold", "Gold" if single else "Missed"),
        Column("given", "Given in place of it" if single else "Given in error"),
    ]
    columns += [Column("support", "Test documents of gold" if single else "Test documents of missed", True)]
    columns += [Column(f"row-{place}", row.look.row.name, True) for place, row in enumerate(rows)]
    cells = [
        (
            Cell(names(gold)),
            Cell(names(given)),
            _number(int(support[gold])),
            *(_share(count, int(support[gold])) for count in counts[gold, given]),
        )
        for gold, given in pairs
    ]
    whose = "row" if len(compared) == 1 else f"{len(compared)} rows"
    note = (
        f"Up to {_PAIRS} most frequent confusions of the first {whose}, by how often the first row makes them: "
        "documents, and their share of those that have the gold label."
    )
    return Table("Most frequent confusions", tuple(columns), tuple(cells), notes=(note,))


def _labels_table(rows: Sequence[_Row], names: LabelNames) -> Table:
    """Labels that are missed, and given in error, most often."""
    import numpy as np

    from bench.metrics.counts import by_label

    missed = [by_label(row.errors.missed) for row in rows]
    added = [by_label(row.errors.added) for row in rows]
    first = [*missed[:_COMPARED], *added[:_COMPARED]]
    chosen = {int(label) for counts in first for label in np.argsort(-counts, kind="stable")[:_LABELS] if counts[label]}
    support = rows[0].counts.support
    columns = [Column("label", "Label"), Column("support", "Test documents", True)]
    for place, row in enumerate(rows):
        columns += [Column(f"missed-{place}", f"{row.look.row.name}: missed", True)]
        columns += [Column(f"added-{place}", f"{row.look.row.name}: given in error", True)]
    order = sorted(chosen, key=lambda label: (-int(missed[0][label] + added[0][label]), label))
    cells = []
    for label in order:
        figures = [part for m, a in zip(missed, added, strict=True)
                   for part in (_share(int(m[label]), int(support[label])), _number(int(a[label])))]  # fmt: skip
        cells.append((Cell(names(label)), _number(int(support[label])), *figures))
    note = (
        f"The {_LABELS} labels that each of the first {min(_COMPARED, len(rows))} rows misses most often, and the "
        f"{_LABELS} that it gives most often in error; missed ones with their share of the label's test documents."
    )
    return Table("Labels missed and given in error", tuple(columns), tuple(cells), notes=(note,))


def _heat(row: _Row, names: LabelNames) -> Heat | None:
    """How documents of the most confused labels were labelled, in shares of those documents."""
    from bench.metrics.confusions import ConfusionTable

    chosen = sorted(row.errors.most_confused(_DRAWN))
    if len(chosen) < 2:
        return None
    split = row.look.judged.split
    table = ConfusionTable.of(split.gold, split.predicted, chosen)
    shown = names.short(chosen)
    rest = {"another label": table.others, "no label": table.unanswered}
    rest = {title: counts for title, counts in rest.items() if counts.any()}
    totals = table.counts.sum(axis=1) + table.others + table.unanswered
    values = [[*counts, *(other[place] for other in rest.values())] for place, counts in enumerate(table.counts)]
    return Heat(
        "matrix",
        f"Labels that {row.look.row.name} confuses most",
        Axis("Given"),
        Axis("Gold"),
        (*shown, *rest),
        shown,
        tuple(
            tuple(round(float(v) / float(total), 2) if total else None for v in line)  # as there is room for
            for line, total in zip(values, totals, strict=True)
        ),
        (f"Shares of the documents of each gold label; {counted(len(chosen), 'label')} with the most errors.",),
    )


def _unanswered(rows: Sequence[_Row]) -> tuple[str, ...]:
    from bench.metrics.counts import by_document

    empty = {row.look.row.name: int((by_document(row.look.judged.split.predicted) == 0).sum()) for row in rows}
    return tuple(
        f"{name} gave {counted(count, 'document')} no label: wrong, but in place of no other."
        for name, count in empty.items()
        if count
    )


def _documents(columns: csc_matrix, label: int) -> Any:
    return columns.indices[columns.indptr[label] : columns.indptr[label + 1]]


def _number(count: int) -> Cell:
    return Cell(f"{count:,}", float(count))


def _share(count: int, total: int) -> Cell:
    if not count:
        return Cell("0", 0.0, tone="muted")
    return Cell(f"{count:,} ({percent(count / total)})" if total else f"{count:,}", float(count))
