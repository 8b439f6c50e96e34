"""Whether the scores of the leading rows can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.chapters import Chapter
from report.charts import Line, Lines
from report.leading import Look, looks
from report.plots import Axis
from report.tables import Cell, Column, Footnotes, Table
from report.text import DASH, counted, plain, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.metrics.calibration import Calibration, Reliability
    from bench.metrics.values import Undefined, Value
    from report.evidence import Evidence
    from report.groups import Section

_LEAD_SINGLE = (
    "Of answers given with a probability of 80 %, 80 % should be right. The diagram shows what share is right among "
    "the answers of each of 15 bins of probability: below the diagonal a method is surer than it should be."
)
_LEAD_MULTI = (
    "Of labels with a probability of 80 %, 80 % should be right. The diagram shows what share is right among all "
    "ranked labels of all documents, in 15 bins of probability: below the diagonal a method is surer than it should be."
)
_SCALES = {
    "stored": "the scores themselves, all from 0 to 1",
    "softmax": "softmax of the scores",
    "sigmoid": "sigmoid of the scores",
}
_READ = (
    "Scores that are not from 0 to 1 were read as log-odds. Where a method's scores are none, as distances from a "
    "plane or likelihoods of an answer are not, the figures say how far off that reading is, not that "
    "its answers are worse."
)
_NOT_SCALED = (
    "How far scaling by validation documents would mend it is not shown: their scores are stored only where a "
    "threshold was chosen on them, in tasks of several labels a document."
)
_SCALED = "Scaled: one sigmoid of the score for all labels, fitted to validation documents (Platt 1999)."
_FEWER = "Of each document the 100 best labels are stored, and these are looked at; the others, of low scores, are not."


@dataclass(frozen=True)
class _Row:
    """A row with its figures, or why it has none."""

    look: Look
    found: Calibration | Undefined
    scaled: Reliability | Undefined | None = None


def believable(section: Section, evidence: Evidence) -> Chapter | None:
    """Expected calibration error, Brier score and reliability of the leading rows; None where none has scores."""
    from bench.metrics.values import Undefined

    found = looks(section, evidence)
    rows = [_row(look, evidence) for look in found.looks]
    shown = [row for row in rows if not isinstance(row.found, Undefined)]
    if not shown:
        return None
    single = rows[0].look.judged.kind == "single"
    return Chapter(
        "Can the scores be believed",
        "calibration",
        _LEAD_SINGLE if single else _LEAD_MULTI,
        (_table(rows, single),),
        (_diagram(shown, single),),
        notes=(*found.notes, *_remarks(shown, single)),
    )


def _row(look: Look, evidence: Evidence) -> _Row:
    from bench.metrics.calibration import calibration
    from bench.metrics.values import Undefined

    judged, split = look.judged, look.judged.split
    if split.ranking is None:
        return _Row(look, Undefined("it emits label sets without scores"))
    return _Row(look, calibration(split.ranking, split.gold, split.predicted, judged.kind), _scaled(look, evidence))


def _scaled(look: Look, evidence: Evidence) -> Reliability | Undefined | None:
    from bench.metrics.calibration import scaled_reliability
    from bench.metrics.values import Undefined

    split = look.judged.split
    if look.judged.kind == "single" or split.ranking is None:
        return None
    validation = evidence.validation(look.row.first)
    if validation is None or validation.ranking is None or validation.gold.shape[1] != split.gold.shape[1]:
        return Undefined("scores of validation documents are not at hand")
    return scaled_reliability(validation.ranking, validation.gold, split.ranking, split.gold)


def _table(rows: Sequence[_Row], single: bool) -> Table:
    columns = [Column("row", "Row"), Column("scale", "Probability is")]
    columns += [
        Column("confidence", "Mean probability of answers" if single else "Mean probability of given labels", True)
    ]
    columns += [Column("accuracy", "Of them right", True), Column("ece", "ECE", True)]
    columns += [] if single else [Column("scaled", "ECE, scaled", True)]
    columns += [Column("brier", "Brier score", True), Column("nll", "NLL, nats", True)]
    notes = Footnotes()
    cells = tuple(_cells(row, single, len(columns), notes) for row in rows)
    remark = (
        "ECE: expected calibration error, 15 bins of equal width, mean distance of bins from the diagonal. "
        f"Brier score: mean squared error of probabilities{', summed over labels' if single else ''}. "
        "NLL: mean negative logarithm of what the truth was given. Of all three 0 is best. Calibrated is "
        "not good: the shares of labels in training, said of every document, are calibrated too."
    )
    return Table("Calibration", tuple(columns), cells, notes.listed(), (remark,))


def _cells(row: _Row, single: bool, width: int, notes: Footnotes) -> tuple[Cell, ...]:
    from bench.metrics.values import Undefined

    found, name = row.found, Cell(row.look.row.name)
    if isinstance(found, Undefined):
        dash = Cell(DASH, tone="muted")
        return (name, Cell(DASH, marks=(notes.mark(plain(found.reason)),), tone="muted"), *[dash] * (width - 2))
    figures: list[Value] = [found.confidence, found.accuracy, found.error]
    if not single and row.scaled is not None:
        figures.append(row.scaled if isinstance(row.scaled, Undefined) else row.scaled.error)
    figures += [found.brier, found.nll]
    return (name, Cell(_SCALES[found.scale]), *(_figure(value, notes) for value in figures))


def _figure(value: Value, notes: Footnotes) -> Cell:
    if isinstance(value, float):
        return Cell(score(value), value)
    return Cell(DASH, marks=(notes.mark(plain(value.reason)),), tone="muted")


def _diagram(rows: Sequence[_Row], single: bool) -> Lines:
    from bench.metrics.values import Undefined

    what = "answers" if single else "labels"
    series = [_line(row.look, row.found.reliability) for row in rows if not isinstance(row.found, Undefined)]
    return Lines(
        "reliability",
        f"Share of {what} that are right against their probability",
        Axis(f"Mean probability of the {what} in a bin"),
        Axis("Share that is right"),
        tuple(series),
        diagonal=True,
        notes=(f"A point of few {what} says little; how many there are is shown with it where the page can.",),
    )


def _line(look: Look, found: Reliability) -> Line:
    points = tuple(zip(found.confidence.tolist(), found.accuracy.tolist(), strict=True))
    return Line(plain(look.row.group.method), look.row.name, points, sizes=tuple(map(int, found.counts)))


def _remarks(rows: Sequence[_Row], single: bool) -> tuple[str, ...]:
    from bench.metrics.values import Undefined

    found = [row.found for row in rows if not isinstance(row.found, Undefined)]
    notes = [_READ] if any(one.scale != "stored" for one in found) else []
    if single:
        return (*notes, _NOT_SCALED)
    rankings = [row.look.judged.split.ranking for row in rows]
    fewer = any(one is not None and one.labels.shape[1] < one.n_labels for one in rankings)
    pairs = max(int(one.reliability.counts.sum()) for one in found)
    sizes = f"Figures are of up to {counted(pairs, 'pair')} of a document and a label, most of them of low probability."
    return (*notes, sizes, *((_FEWER,) if fewer else ()), _SCALED)
