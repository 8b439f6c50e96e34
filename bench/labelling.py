"""Labelling documents with a saved model: part by part, by the rule that the cell found, so that memory stays put."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.deciding import Rule
from bench.method import Context, Method
from bench.prediction import LabelSets, Scores, TopScores, rank
from bench.reading.documents import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_DOCUMENTS = 10_000
MOST_CHARACTERS = 2**26
"""A part ends with so many documents, or with the text that reaches so many characters."""

Scored = tuple[int, float]
"""A label by its position, with its score."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was said of a document.

    Attributes:
        id: The document's.
        labels: Its labels by position: the likeliest first, or in order of emission.
        scores: One a label; None where the method gives none.
        best: The best labels, decided on or not.
    """

    id: str
    labels: Sequence[int]
    scores: Sequence[float] | None
    best: Sequence[Scored]


@dataclass(frozen=True)
class Labeller:
    """A loaded method, and how label sets are made of what it says.

    Attributes:
        method: Loaded.
        context: What it is asked in.
        rule: The cell's, or another one that it chose.
        top: How many of the best labels are kept beside those decided on.
        problems: What went wrong with answers so far: name → count.
    """

    method: Method
    context: Context
    rule: Rule
    top: int = 0
    problems: Counter[str] = field(default_factory=Counter)

    def label(self, documents: Sequence[Document]) -> list[Labelled]:
        """Label some documents.

        Raises:
            ValueError: The method returned what it must not.
        """
        with self.context.phase("predict"):
            prediction = self.method.predict([document.text for document in documents], self.context)
        if isinstance(prediction, LabelSets):
            self.problems.update(prediction.problems)
            pairs = zip(documents, prediction.sets, strict=True)
            return [Labelled(document.id, list(dict.fromkeys(labels)), None, ()) for document, labels in pairs]
        rows = self._decided(prediction)
        return [Labelled(document.id, *row) for document, row in zip(documents, rows, strict=True)]

    def _decided(self, prediction: Scores | TopScores) -> Iterator[tuple[list[int], list[float], list[Scored]]]:
        """For each document its labels, their scores and the best labels."""
        import numpy as np

        ranking = rank(prediction)
        sets = self.rule.sets(ranking, self.context.task.kind)
        for row in range(len(ranking)):
            chosen = np.isin(ranking.labels[row], sets.indices[sets.indptr[row] : sets.indptr[row + 1]])
            taken = _scored(ranking.labels[row, chosen], ranking.scores[row, chosen])
            best = _scored(ranking.labels[row, : self.top], ranking.scores[row, : self.top])
            yield [label for label, _ in taken], [score for _, score in taken], best


def parts(
    documents: Iterable[Document], most: int = MOST_DOCUMENTS, characters: int = MOST_CHARACTERS
) -> Iterator[list[Document]]:
    """The documents in lists that fit into memory."""
    held: list[Document] = []
    size = 0
    for document in documents:
        held.append(document)
        size += len(document.text)
        if len(held) >= most or size >= characters:
            yield held
            held, size = [], 0
    if held:
        yield held


def _scored(labels: NDArray[np.int32], scores: NDArray[np.float32]) -> list[Scored]:
    return [(int(label), _short(score)) for label, score in zip(labels, scores, strict=True) if label >= 0]


def _short(score: np.float32) -> float:
    """The number of fewest digits that is this score once it is a float32 again."""
    return float(str(score))
