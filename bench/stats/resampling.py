"""Figures of documents drawn again: every metric is a function of sums over documents, so that a draw is a product.

A document that is drawn twice counts twice. What a metric sums over documents stands in a sparse matrix, a row a
document; draws are columns of weights, a row a document; their product holds the sums of each draw, without an array
of documents × labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
_BLOCK = 2**21  # weights held at a time; 16 MiB


@dataclass(frozen=True)
class Sums:
    """A metric of one run as a function of sums over documents.

    Attributes:
        terms: What each document adds to each sum, float64, shape (documents, sums).
        finish: From sums, shape (sums, draws), and numbers of documents drawn, to the metric of each draw, shape
            (draws,); NaN where it is undefined.
    """

    terms: csr_matrix
    finish: Callable[[Floats, float], Floats]

    @property
    def documents(self) -> int:
        """How many there are."""
        return int(self.terms.shape[0])

    def value(self) -> float:
        """The metric of the documents as they are."""
        return float(self.of(np.ones((self.documents, 1)))[0])

    def of(self, weights: Floats) -> Floats:
        """The metric of each draw.

        Args:
            weights: How often each document is drawn, float64, shape (documents, draws).
        """
        return self.finish(np.asarray(self.terms.T @ weights), float(self.documents))


def bootstrap(runs: Sequence[Sums], resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The metric of several runs, of documents drawn with replacement, as many as there are.

    The draws follow from the seed and the number of documents alone: those of all runs, and of all calls, are pairs.

    Args:
        runs: Each of the same documents.
        resamples: Draws.
        seed: Of the draws.

    Returns:
        Shape (runs, resamples).
    """
    blocks = drawn_weights(runs[0].documents, resamples, seed)
    return np.concatenate([np.stack([run.of(weights) for run in runs]) for weights in blocks], axis=1)


def drawn_weights(documents: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each document is drawn, in blocks of shape (documents, some of the draws)."""
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // documents)
    for start in range(0, resamples, block):
        drawn = generator.integers(documents, size=(min(block, resamples - start), documents))
        weights = np.empty(drawn.shape)
        for row, draw in zip(weights, drawn, strict=True):  # one by one: the counts of a draw stay in the cache
            row[:] = np.bincount(draw, minlength=documents)
        yield np.ascontiguousarray(weights.T)


def mean_sums(runs: Sequence[Sums]) -> Sums:
    """Several runs as one whose sums are the means of theirs."""
    terms = sum((run.terms for run in runs[1:]), start=runs[0].terms) / len(runs)
    return Sums(terms.tocsr(), runs[0].finish)


def swapped(a: Sums, b: Sums, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The difference a - b where every document's predictions are exchanged by the toss of a coin.

    Approximate randomisation: Noreen, *Computer-intensive methods for testing hypotheses* (1989); Yeh (COLING 2000).

    Args:
        a: One run.
        b: The other, of the same documents and metric.
        resamples: Tosses.
        seed: Of the tosses.

    Returns:
        Shape (resamples,).
    """
    apart = (a.terms - b.terms).tocsr()
    apart.eliminate_zeros()
    apart = apart[np.diff(apart.indptr) > 0]
    of_a, of_b = (np.asarray(one.terms.sum(axis=0)).reshape(-1, 1) for one in (a, b))
    moves = (np.asarray(apart.T @ tosses) for tosses in _tosses(apart.shape[0], resamples, seed))
    documents = float(a.documents)
    return np.concatenate([a.finish(of_a - move, documents) - b.finish(of_b + move, documents) for move in moves])


def _tosses(documents: int, resamples: int, seed: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // max(1, documents))
    for start in range(0, resamples, block):
        size = (documents, min(block, resamples - start))
        yield generator.integers(2, size=size, dtype=np.bool_).astype(np.float64)
