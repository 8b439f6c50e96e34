"""From scores to label sets: one rule for every method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from bench.metrics.checks import binary, check_ranking
from bench.metrics.ranking import relevance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.prediction import Ranking
    from bench.task import Kind

_LOWEST = np.finfo(np.float32).min


def decide(ranking: Ranking, kind: Kind, threshold: float | None = None) -> csr_matrix:
    """Label sets from a ranking.

    Args:
        ranking: The ranking; a document with nothing ranked gets no label.
        kind: ``single``: the best label. ``multi``: the labels with ``score > threshold``, and the best label always,
            since a document of which nothing passes is better given its likeliest label than none.
        threshold: For ``multi`` only. Compared in float32.

    Returns:
        0/1, shape (documents, labels), dtype int8, indices sorted.

    Raises:
        ValueError: The ranking breaks its contract, or ``multi`` is without a finite threshold.
    """
    check_ranking(ranking, (len(ranking), ranking.n_labels))
    taken = np.zeros(ranking.labels.shape, dtype=np.bool_)
    if kind == "multi":
        if threshold is None or not math.isfinite(threshold):
            raise ValueError(f"a multi-label decision needs a finite threshold, not {threshold}")
        taken |= ranking.scores > np.float32(threshold)
    taken[:, :1] = True
    taken &= ranking.labels >= 0
    indptr = np.concatenate([[0], np.cumsum(taken.sum(axis=1, dtype=np.int64))])
    data = np.ones(indptr[-1], dtype=np.int8)
    matrix = csr_matrix((data, ranking.labels[taken], indptr), shape=(len(ranking), ranking.n_labels))
    matrix.sort_indices()
    return matrix


def choose_threshold(gold: csr_matrix, ranking: Ranking) -> float:
    """The threshold at which :func:`decide` reaches the highest micro-F1, exactly, by one sorted sweep.

    :func:`decide` always takes the best label of a document, so that only labels of rank two and below are swept.
    Of equally good cuts the one that takes fewest labels is chosen. The threshold lies midway between the lowest
    score taken and the highest left out, and is a float32 number itself: no comparison, in single or double
    precision, can round it onto the wrong side. A score of the lowest float32 number marks a forbidden label, which
    no threshold takes.

    Args:
        gold: 0/1, shape (documents, labels); validation documents, never test.
        ranking: Their ranking.

    Returns:
        The threshold; 0 where no document has a second label to decide on.

    Raises:
        ValueError: Gold labels and ranking do not fit, or a score is not finite.
    """
    gold = binary(gold, "gold")
    check_ranking(ranking, (int(gold.shape[0]), int(gold.shape[1])))
    hits = relevance(gold, ranking).hits
    sweepable = (ranking.labels[:, 1:] >= 0) & (ranking.scores[:, 1:] > _LOWEST)
    scores = np.sort(ranking.scores[:, 1:][sweepable])
    right = np.sort(ranking.scores[:, 1:][sweepable & hits[:, 1:]])
    always = (ranking.labels[:, :1] >= 0).sum(), hits[:, :1].sum()
    return _below(scores, _best_start(scores, right, int(always[0] + gold.nnz), int(always[1])))


def _best_start(scores: NDArray[np.float32], right: NDArray[np.float32], base: int, found: int) -> int:
    """From which of the ascending scores on labels must be taken for the highest F1; the last of equals.

    Taking down to a score that no right label has costs precision and gains nothing, so that only the scores of right
    labels are tried, and taking none.

    Args:
        scores: Scores that a threshold decides on, ascending.
        right: Those of them that belong to gold labels, ascending.
        base: Gold labels plus labels taken whatever the threshold.
        found: True positives among the latter.
    """
    tried = np.unique(right)
    starts = np.append(np.searchsorted(scores, tried), len(scores))
    gained = len(right) - np.append(np.searchsorted(right, tried), len(right))
    f1 = 2 * (found + gained) / np.maximum(1, base + len(scores) - starts)
    return int(starts[len(f1) - 1 - np.argmax(f1[::-1])])


def _below(scores: NDArray[np.float32], start: int) -> float:
    """A float32 number with exactly the ascending scores from ``start`` on above it."""
    if len(scores) == 0:
        return 0.0
    if start == len(scores):
        return float(scores[-1])
    if start == 0:
        return float(np.nextafter(scores[0], np.float32(-np.inf)))
    below, above = scores[start - 1], scores[start]
    middle = np.float32((float(below) + float(above)) / 2)
    return float(middle if middle < above else below)
