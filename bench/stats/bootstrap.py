"""The bootstrap over test documents: how far a figure may move because other documents could have been drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

LEVEL = 0.95
RESAMPLES = 10_000
_BLOCK = 1000


@dataclass(frozen=True)
class Interval:
    """A figure with its percentile interval.

    Attributes:
        value: The figure of the documents as they are.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is told apart from none."""
        return self.low > 0 or self.high < 0


def document_counts(gold: csr_matrix, predicted: csr_matrix) -> NDArray[np.int64]:
    """What micro-F1 sums over: for each document true positives and labels, gold and predicted together.

    Args:
        gold: 0/1, shape (documents, labels).
        predicted: 0/1, the same shape.

    Returns:
        int64, shape (documents, 2).
    """
    right = np.asarray(gold.multiply(predicted).sum(axis=1)).ravel()
    named = np.asarray(gold.sum(axis=1)).ravel() + np.asarray(predicted.sum(axis=1)).ravel()
    return np.stack([right, named], axis=1).astype(np.int64)


def micro_f1_draws(runs: Sequence[NDArray[np.int64]], resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.float64]:
    """Micro-F1, the mean of several runs, of documents drawn with replacement.

    The draws follow from the seed and the number of documents alone, so that two methods' draws are pairs.

    Args:
        runs: For each run (a seed of training) the :func:`document_counts` of the same documents.
        resamples: Draws.
        seed: Of the draws.

    Returns:
        Shape (1 + resamples,); the first is that of the documents as they are.
    """
    counts = np.stack(runs)  # runs, documents, 2
    documents = counts.shape[1]
    generator = np.random.default_rng(seed)
    sums = [counts.sum(axis=1)[None]]
    for start in range(0, resamples, _BLOCK):
        size = min(_BLOCK, resamples - start)
        drawn = generator.multinomial(documents, np.full(documents, 1 / documents), size=size)
        sums.append(np.einsum("rd,mdc->rmc", drawn, counts, optimize=True))
    right, named = np.moveaxis(np.concatenate(sums), -1, 0)
    f1: NDArray[np.float64] = np.where(named > 0, 2 * right / np.maximum(named, 1), 0.0).mean(axis=1)
    return f1


def interval(draws: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """The percentile interval of draws whose first is the figure itself."""
    low, high = np.quantile(draws[1:], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(draws[0]), float(low), float(high))
