"""What is given in place of what, from sparse label sets; nothing of size labels × labels or documents × labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from bench.metrics.counts import by_document, by_label, intersection

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 256


@dataclass(frozen=True)
class Pair:
    """Documents that miss one label and were given another.

    Attributes:
        gold: Position of the label that was missed.
        given: Position of the label that was given and is wrong.
        count: How many documents.
    """

    gold: int
    given: int
    count: int


@dataclass(frozen=True)
class Errors:
    """Label sets less what is right about them, 0/1 in canonical form, shape (documents, labels).

    Attributes:
        missed: Gold labels that were not given.
        added: Labels that were given and are not gold.
    """

    missed: csr_matrix
    added: csr_matrix

    @classmethod
    def of(cls, gold: csr_matrix, predicted: csr_matrix) -> Errors:
        """Those of label sets, each 0/1 in canonical form, shape (documents, labels)."""
        both = intersection(gold, predicted)
        return cls(_less(gold, both), _less(predicted, both))

    @property
    def mass(self) -> NDArray[np.int64]:
        """How often each label was missed or wrongly given, shape (labels,)."""
        return by_label(self.missed) + by_label(self.added)

    def most_confused(self, most: int) -> list[int]:
        """The labels of the greatest mass, none without any; ties go to the label of lower position."""
        order = np.argsort(-self.mass, kind="stable")[:most]
        return [int(label) for label in order if self.mass[label]]

    def pairs(self, most: int) -> list[Pair]:
        """The most frequent pairs of a missed and a wrongly given label, exactly.

        Labels are taken in the order of how often they were missed, some at a time. A pair is no more frequent than its
        label is missed: where the next label is missed less often than the last pair that is kept, the rest cannot be
        among the most frequent. Ties go to the lower positions.
        """
        counts = by_label(self.missed)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        columns, added = csc_matrix(self.missed, dtype=np.int32), csr_matrix(self.added, dtype=np.int32)
        kept: list[Pair] = []
        for start in range(0, len(order), _BLOCK):
            if len(kept) == most and counts[order[start]] < kept[-1].count:
                break
            block = order[start : start + _BLOCK]
            kept = sorted([*kept, *_most_frequent(block, columns, added, most)], key=_place)[:most]
        return kept


@dataclass(frozen=True)
class ConfusionTable:
    """How documents of some labels were labelled, in a single-label task.

    Attributes:
        labels: The labels, positions.
        counts: Documents by gold label and given label, shape (these labels, these labels).
        others: Documents by gold label that were given another label.
        unanswered: Documents by gold label that were given none.
    """

    labels: tuple[int, ...]
    counts: NDArray[np.int64]
    others: NDArray[np.int64]
    unanswered: NDArray[np.int64]

    @classmethod
    def of(cls, gold: csr_matrix, predicted: csr_matrix, labels: list[int]) -> ConfusionTable:
        """Count documents; matrices 0/1, shape (documents, all labels), at most one label a row."""
        rows = csr_matrix(gold, dtype=np.int32)[:, labels].T
        counts = (rows @ csr_matrix(predicted, dtype=np.int32)[:, labels]).toarray().astype(np.int64)
        unanswered = np.asarray(rows @ (by_document(predicted) == 0).astype(np.int64))
        support = by_label(gold)[labels]
        return cls(tuple(labels), counts, support - counts.sum(axis=1) - unanswered, unanswered)


def _less(matrix: csr_matrix, part: csr_matrix) -> csr_matrix:
    rest = csr_matrix(matrix - part)
    rest.eliminate_zeros()
    rest.sort_indices()
    return rest


def _most_frequent(block: NDArray[np.int64], missed: csc_matrix, added: csr_matrix, most: int) -> list[Pair]:
    found = (missed[:, block].T @ added).tocoo()
    gold = block[found.row]
    chosen = np.lexsort((found.col, gold, -found.data))[:most]
    return [Pair(int(gold[i]), int(found.col[i]), int(found.data[i])) for i in chosen]


def _place(pair: Pair) -> tuple[int, int, int]:
    return -pair.count, pair.gold, pair.given
