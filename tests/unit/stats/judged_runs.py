"""Runs with stored predictions, made up: gold labels, and what methods of known quality say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from bench.prediction import Ranking, Scores, rank
from bench.predictions_file import SplitPredictions
from bench.stats.judged import Judged


def judged(
    gold: Any,
    predicted: Any,
    kind: Any = "multi",
    *,
    cell: str = "c" * 8,
    seed: int = 0,
    ids: list[str] | None = None,
    ranking: Ranking | None = None,
    train: Any = None,
    categories: Any = None,
) -> Judged:
    """A run of arrays of shape (documents, labels)."""
    gold, predicted = csr_matrix(np.asarray(gold, np.int8)), csr_matrix(np.asarray(predicted, np.int8))
    names = ids if ids is not None else [f"d{place}" for place in range(gold.shape[0])]
    split = SplitPredictions(names, gold, predicted, ranking, None, categories)
    counts = np.full(gold.shape[1], 20) if train is None else np.asarray(train)
    return Judged(cell, seed, split, counts.astype(np.int64), int(counts.sum()) + 3, kind)


def of_classes(gold: Any, predicted: Any, labels: int, **more: Any) -> Judged:
    """A single-label run of classes, each of shape (documents,); -1 is no answer."""
    sides = [(np.asarray(side)[:, None] == np.arange(labels)) for side in (gold, predicted)]
    return judged(*sides, "single", **more)


def noisy(generator: Any, gold: Any, missed: float, added: float) -> Any:
    """Label sets that miss gold labels and add others."""
    gone, come = generator.random(gold.shape) < missed, generator.random(gold.shape) < added
    return np.where(gold > 0, ~gone, come).astype(np.int8)


def ranked(generator: Any, gold: Any) -> Ranking:
    """Scores in which gold labels tend to be high."""
    return rank(Scores((generator.random(gold.shape) + 0.4 * gold).astype(np.float32)))
