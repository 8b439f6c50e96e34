"""The documents that rows get wrong, and those that they disagree on, with their texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from report.agreement import agreement
from report.chapters import Answer, Chapter, Excerpt
from report.label_names import NOT_AT_HAND, LabelNames
from report.leading import Look, looks, voices
from report.text import counted, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.collection import Collection
    from bench.predictions_file import SplitPredictions
    from report.evidence import Evidence
    from report.groups import Section

_MOST = 30
_LABELS = 12
_TEXT = 600
_READ = 8 * _TEXT
"""So much of a text is looked at for its beginning: white space is collapsed."""

_KEPT_OUT = "Texts of documents were kept out of the results (--no-texts)."
_RULE = (
    "Documents are not picked by hand. Wrong: at least half of the rows wrong, those with the lowest {measure} first. "
    "Disagreed: those on which pairs of rows differ most. At most {most} of each; among equals those whose hashed ids "
    "come first."
)


def hard_documents(section: Section, evidence: Evidence) -> Chapter | None:
    """Documents with gold labels and the answers of the leading rows; None where no predictions are at hand."""
    found = voices(looks(section, evidence))
    rows = found.looks
    if not rows:
        return None
    all_wrong = _wrong(rows)
    wrong = all_wrong[:_MOST]
    disagreed = [place for place in _disagreed(rows) if place not in set(wrong)]
    if not wrong and not disagreed:
        return None
    collection = evidence.collection(rows[0].row.first)
    names = LabelNames.of(rows[0].row.first, evidence, rows[0].judged.split.gold.shape[1])
    show = _Show(rows, names, collection)
    excerpts = [show.excerpt(place, _wrong_remark(rows, place)) for place in wrong]
    excerpts += [show.excerpt(place, _disagreed_remark(rows, place)) for place in disagreed]
    measure = "share of right answers" if rows[0].judged.kind == "single" else "mean F1 of the document"
    return Chapter(
        "Documents that are hard",
        "documents",
        _lead(len(rows), len(wrong), len(all_wrong), len(disagreed)),
        excerpts=tuple(excerpts),
        notes=(_RULE.format(measure=measure, most=_MOST), *found.notes, *_missing(collection)),
        folded=True,
    )


def _lead(rows: int, shown: int, wrong: int, disagreed: int) -> str:
    whose = "the row gets" if rows == 1 else f"at least half of {rows} rows get"
    some = f"{shown:,} of the " if shown < wrong else ""
    parts = [f"{some}{counted(wrong, 'document')} that {whose} wrong"] if wrong else []
    parts += [f"{counted(disagreed, 'document')} on which rows disagree most"] if disagreed else []
    advice = "Read them before trusting a figure: many an error is one of the labels, or a matter of taste."
    return f"{' and '.join(parts)}. {advice}"


class _Show:
    """Makes excerpts."""

    def __init__(self, rows: Sequence[Look], names: LabelNames, collection: Collection | None) -> None:
        self._rows, self._names, self._collection = rows, names, collection
        self._split = rows[0].judged.split

    def excerpt(self, place: int, remark: str) -> Excerpt:
        """One document."""
        id_ = self._split.ids[place]
        text = self._collection.texts.get(id_, "") if self._collection is not None else ""
        shown = plain(text[:_READ])
        if len(text) > _READ and not shown.endswith("…"):
            shown += "…"
        words = self._collection.words.get(id_) if self._collection is not None else None
        cut = f"; the text is cut, {words:,} words in all" if shown.endswith("…") and words is not None else ""
        gold = self._named(_row(self._split.gold, place))
        answers = tuple(self._answer(look, place) for look in self._rows)
        return Excerpt(plain(id_), shown, gold, answers, f"{remark}{cut}")

    def _answer(self, look: Look, place: int) -> Answer:
        split = look.judged.split
        given, scores = _ordered(split, place)
        right = set(given) == set(_row(split.gold, place))
        return Answer(look.row.name, self._named(given), right, scores[0] if scores else None)

    def _named(self, labels: Sequence[int]) -> tuple[str, ...]:
        names = [self._names(label) for label in labels[:_LABELS]]
        rest = len(labels) - _LABELS
        return (*names, *([f"and {rest:,} more"] if rest > 0 else []))


def _row(matrix: Any, place: int) -> list[int]:
    found: list[int] = matrix.indices[matrix.indptr[place] : matrix.indptr[place + 1]].tolist()
    return found


def _ordered(split: SplitPredictions, place: int) -> tuple[list[int], list[float]]:
    """The labels that a document was given, best first where they have scores, with these."""
    given = _row(split.predicted, place)
    if split.ranking is None:
        return given, []
    ranked = {
        int(label): float(score)
        for label, score in zip(split.ranking.labels[place], split.ranking.scores[place], strict=True)
        if label >= 0
    }
    scored = sorted((label for label in given if label in ranked), key=lambda label: (-ranked[label], label))
    unscored = [label for label in given if label not in ranked]
    return [*scored, *unscored], [ranked[label] for label in scored]


def _wrong(rows: Sequence[Look]) -> list[int]:
    """Positions of the documents with the lowest agreement with the gold labels, at least half of the rows wrong."""
    import numpy as np

    scores = np.array([agreement(look.judged.split.gold, look.judged.split.predicted) for look in rows])
    wrong = 2 * (scores < 1).sum(axis=0) >= len(rows)
    return _ordered_by(scores.mean(axis=0), np.flatnonzero(wrong), rows[0].judged.split.ids)


def _disagreed(rows: Sequence[Look]) -> list[int]:
    """Positions of the documents on which pairs of rows agree least."""
    import numpy as np

    if len(rows) < 2:
        return []
    sets = [look.judged.split.predicted for look in rows]
    alike = np.mean([agreement(one, other) for one, other in combinations(sets, 2)], axis=0)
    return _ordered_by(alike, np.flatnonzero(alike < 1), rows[0].judged.split.ids)[:_MOST]


def _ordered_by(values: NDArray[Any], places: Iterable[int], ids: Sequence[str]) -> list[int]:
    """The places, those of the lowest values first; among equals those whose hashed ids come first."""
    # Rounded, so that the order of a sum decides nothing.
    keys = [(round(float(values[place]), 9), _hash(ids[place]), int(place)) for place in places]
    return [place for _, _, place in sorted(keys)]


def _hash(id_: str) -> bytes:
    return hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _wrong_remark(rows: Sequence[Look], place: int) -> str:
    if len(rows) == 1:
        return "wrong"
    right = sum(_row(look.judged.split.gold, place) == _row(look.judged.split.predicted, place) for look in rows)
    return f"wrong by {len(rows) - right} of {counted(len(rows), 'row')}"


def _disagreed_remark(rows: Sequence[Look], place: int) -> str:
    answers = {tuple(_row(look.judged.split.predicted, place)) for look in rows}
    return f"{counted(len(answers), 'different answer')} by {counted(len(rows), 'row')}"


def _missing(collection: Collection | None) -> tuple[str, ...]:
    if collection is None:
        return (NOT_AT_HAND,)
    return () if collection.texts else (_KEPT_OUT,)
