"""Figures of documents drawn again: every metric is a function of sums over documents, so that a draw is a product.

A document that is drawn twice counts twice. What a metric sums over documents stands in a sparse matrix, a row a
document; draws are columns of weights, a row a document; their product holds the sums of each draw, without an array
of documents × labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
_BLOCK = 2**21  # weights held at a time; 16 MiB


@dataclass(frozen=True)
class Sums:
    """A metric of one run as a function of sums over documents.

    Attributes:
        terms: What each document adds to each sum, float64, shape (documents, sums).
        finish: From sums, shape (sums, draws), and the number of documents drawn, one for all or shape (draws,), to the
            metric of each draw, shape (draws,); NaN where it is undefined.
    """

    terms: csr_matrix
    finish: Callable[[Floats, Floats | float], Floats]

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


def jackknife_error(runs: Sequence[Sums], groups: int = RESAMPLES) -> float:
    """The jackknife's standard error of the mean over runs; 0 of a single document.

    Documents are left out one by one, or, where there are more than ``groups``, in so many groups. It is rather too
    large than too small (Efron and Stein, Annals of Statistics 9, 1981).
    """
    documents = runs[0].documents
    count = min(documents, groups)
    if count == 1:
        return 0.0
    of_group = np.arange(documents) % count
    without = np.mean([np.concatenate(list(_without(run, of_group, count))) for run in runs], axis=0)
    known = without[~np.isnan(without)]
    return float(np.sqrt((count - 1) / count * ((known - known.mean()) ** 2).sum())) if len(known) else 0.0


def _without(run: Sums, of_group: NDArray[np.int64], count: int) -> Iterator[Floats]:
    """The metric without each group of documents, in blocks."""
    members = csr_matrix((np.ones(len(of_group)), (of_group, np.arange(len(of_group)))), shape=(count, len(of_group)))
    left_out, sizes = (members @ run.terms).tocsr(), np.bincount(of_group, minlength=count).astype(np.float64)
    total = np.asarray(run.terms.sum(axis=0)).reshape(-1, 1)
    block = max(1, _BLOCK // max(1, run.terms.shape[1]))
    for start in range(0, count, block):
        gone = left_out[start : start + block].toarray().T
        yield run.finish(total - gone, run.documents - sizes[start : start + block])


@dataclass(frozen=True)
class Pair:
    """A run of one row beside a run of the other.

    Attributes:
        a: The one, of the same documents and metric as the other.
        b: The other.
        weight: Its share in the difference of the rows.
    """

    a: Sums
    b: Sums
    weight: float


def paired(a: Sequence[Sums], b: Sequence[Sums]) -> list[Pair]:
    """Runs of two rows in pairs whose weighted differences sum to the difference of the means.

    As many runs on both sides are paired in their order; of other numbers a run shares its weight among several.
    """
    ends = sorted({*(i * len(b) for i in range(1, len(a) + 1)), *(j * len(a) for j in range(1, len(b) + 1))})
    whole, pairs, start = len(a) * len(b), [], 0
    for end in ends:
        pairs.append(Pair(a[start // len(b)], b[start // len(a)], (end - start) / whole))
        start = end
    return pairs


def swapped(pairs: Sequence[Pair], resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The difference of two rows where each document's predictions change sides by the toss of a coin.

    Approximate randomisation: Noreen, *Computer-intensive methods for testing hypotheses* (1989); Yeh (COLING 2000).
    A document changes sides in all pairs at once, since its chance is one.

    Args:
        pairs: What :func:`paired` gives.
        resamples: Tosses.
        seed: Of the tosses.

    Returns:
        Shape (resamples,).
    """
    moves = [_Moves.of(pair) for pair in pairs]
    apart = np.flatnonzero(np.any([move.differs for move in moves], axis=0))
    moves = [replace(move, apart=move.apart[apart]) for move in moves]
    tosses = _tosses(len(apart), resamples, seed)
    return np.concatenate([np.sum([move.of_tosses(block) for move in moves], axis=0) for block in tosses])


@dataclass(frozen=True)
class _Moves:
    """What changing sides does to a pair.

    Attributes:
        pair: The pair.
        apart: What a document moves from a to b, shape (documents, sums).
        totals: The sums of a and of b as they are, each of shape (sums, 1).
    """

    pair: Pair
    apart: csr_matrix
    totals: tuple[Floats, Floats]

    @classmethod
    def of(cls, pair: Pair) -> _Moves:
        apart = (pair.a.terms - pair.b.terms).tocsr()
        apart.eliminate_zeros()
        of_a, of_b = (np.asarray(one.terms.sum(axis=0), np.float64).reshape(-1, 1) for one in (pair.a, pair.b))
        return cls(pair, apart, (of_a, of_b))

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Which documents the two do not add the same for."""
        return np.diff(self.apart.indptr) > 0

    def of_tosses(self, tosses: Floats) -> Floats:
        """The weighted difference of each toss, 1 where a document changes sides, shape (documents, tosses)."""
        move = np.asarray(self.apart.T @ tosses)
        (of_a, of_b), (a, b), documents = self.totals, (self.pair.a, self.pair.b), float(self.pair.a.documents)
        return self.pair.weight * (a.finish(of_a - move, documents) - b.finish(of_b + move, documents))


def _tosses(documents: int, resamples: int, seed: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // max(1, documents))
    for start in range(0, resamples, block):
        size = (documents, min(block, resamples - start))
        yield generator.integers(2, size=size, dtype=np.bool_).astype(np.float64)
