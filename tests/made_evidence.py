"""Stored predictions without a store: which documents each cell has right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from bench.predictions_file import SplitPredictions
from bench.record import Record
from bench.stats.judged import Judged
from report.evidence import Evidence


def judged(record: Record, right: Sequence[bool]) -> Judged:
    """One label a document, of two; where it is not right, the other one was given."""
    n = len(right)
    gold = np.arange(n) % 2
    given = np.where(np.asarray(right), gold, 1 - gold)
    sets = [csr_matrix((np.ones(n), (np.arange(n), which)), shape=(n, 2)) for which in (gold, given)]
    split = SplitPredictions([f"d{i}" for i in range(n)], sets[0], sets[1], None)
    return Judged(record.cell, record.seed, split, np.array([50, 50]), 100, "single")


class Predicted(Evidence):
    """Evidence of cells whose right answers are given by cell."""

    def __init__(self, found: Mapping[str, Sequence[bool]]) -> None:
        super().__init__()
        self.found = found

    def judged(self, record: Record) -> Judged | None:
        right = self.found.get(record.cell)
        return None if right is None else judged(record, right)


def first(count: int, of: int = 200) -> list[bool]:
    """The first so many documents are right."""
    return [place < count for place in range(of)]
