"""From scores to label sets: the same rules for every method, chosen on validation documents."""

from __future__ import annotations

from dataclasses import dataclass
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


def decide(ranking: Ranking, kind: Kind, threshold: float | NDArray[np.float32] | None = None) -> csr_matrix:
    """Label sets from a ranking.

    Args:
        ranking: The ranking; a document with nothing ranked gets no label.
        kind: ``single``: the best label. ``multi``: the labels with ``score > threshold``, and the best label always,
            since a document of which nothing passes is better given its likeliest label than none.
        threshold: For ``multi`` only: one for all labels, or one a label, shape (labels,). Compared in float32.

    Returns:
        0/1, shape (documents, labels), dtype int8, indices sorted.

    Raises:
        ValueError: The ranking breaks its contract, or ``multi`` is without a finite threshold.
    """
    check_ranking(ranking, (len(ranking), ranking.n_labels))
    taken = np.zeros(ranking.labels.shape, dtype=np.bool_)
    if kind == "multi":
        taken |= ranking.scores > _limits(ranking, threshold)
    return _with_the_best(ranking, taken)


def take_best(ranking: Ranking, k: int) -> csr_matrix:
    """The ``k`` best labels of each document, fewer where fewer are ranked; none that a method forbids but the best.

    Args:
        ranking: The ranking.
        k: At least 1.

    Returns:
        0/1, shape (documents, labels), dtype int8, indices sorted.
    """
    check_ranking(ranking, (len(ranking), ranking.n_labels))
    if k < 1:
        raise ValueError(f"a document is given at least one label, not {k}")
    return _with_the_best(ranking, (np.arange(ranking.labels.shape[1]) < k) & (ranking.scores > _LOWEST))


def _limits(ranking: Ranking, threshold: float | NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The threshold of each ranked label; padding has one too, and is left out later."""
    limits = np.asarray(np.nan if threshold is None else threshold, dtype=np.float64)
    if not np.isfinite(limits).all():
        raise ValueError(f"a multi-label decision needs a finite threshold, not {threshold}")
    if limits.ndim and limits.shape != (ranking.n_labels,):
        raise ValueError(f"there are {len(limits)} thresholds for {ranking.n_labels} labels")
    each: NDArray[np.float32] = limits.astype(np.float32)
    return each[ranking.labels] if each.ndim else each


def _with_the_best(ranking: Ranking, taken: NDArray[np.bool_]) -> csr_matrix:
    """The labels taken, and each document's best one."""
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
    swept = _Swept.of(gold, ranking)
    scores = np.sort(swept.scores)
    right = np.sort(swept.scores[swept.hits])
    return _below(scores, _best_start(scores, right, swept.base, swept.found))


def choose_best(gold: csr_matrix, ranking: Ranking) -> int:
    """The ``k`` at which :func:`take_best` reaches the highest micro-F1; the lowest of equals.

    Args:
        gold: 0/1, shape (documents, labels); validation documents, never test.
        ranking: Their ranking.

    Raises:
        ValueError: Gold labels and ranking do not fit, or a score is not finite.
    """
    swept = _Swept.of(gold, ranking)
    width = max(1, ranking.labels.shape[1])
    taken = np.bincount(swept.places, minlength=width)
    right = np.bincount(swept.places[swept.hits], minlength=width)
    f1 = 2 * (swept.found + np.cumsum(right)) / np.maximum(1, swept.base + np.cumsum(taken))
    return int(np.argmax(f1)) + 1


def choose_label_thresholds(gold: csr_matrix, ranking: Ranking, threshold: float) -> NDArray[np.float32]:
    """A threshold for each label, such that :func:`decide` reaches the highest micro-F1 that such thresholds can reach.

    To maximise the F1 of all decisions each label alone has to maximise ``2 TP - F1 · taken``, where F1 is the highest
    that can be reached: it is found by Dinkelbach's method (Management Science 13, 1967), from the F1 of the one
    threshold upwards. A frequent label gets the cut at which the last labels taken are right half of F1 of the time; a
    rare one is taken far down only as long as one hit pays for what comes along with it, so that no threshold runs
    away after a single document, as it does where each label's own F1 is maximised.

    Args:
        gold: 0/1, shape (documents, labels); validation documents, never test.
        ranking: Their ranking.
        threshold: The fall-back for labels that no validation document has, or for which there is nothing to decide;
            what :func:`choose_threshold` gives.

    Returns:
        Finite, float32, shape (labels,).

    Raises:
        ValueError: Gold labels and ranking do not fit, or a score is not finite.
    """
    swept = _Swept.of(gold, ranking)
    thresholds = np.full(ranking.n_labels, threshold, dtype=np.float32)
    known = np.asarray(gold.sum(axis=0)).ravel() > 0
    rest = ~known[swept.labels] & (swept.scores > np.float32(threshold))  # decided on by the fall-back
    base, found = swept.base + int(rest.sum()), swept.found
    steps = _Steps.of(swept, known)
    if not len(steps.labels):
        return thresholds
    best = 0.0
    while True:
        taken = steps.best(best)
        reached = 2 * (found + steps.right(taken)) / max(1, base + int(taken.sum()))
        if reached <= best:
            break
        best = reached
    thresholds[steps.labels] = steps.cuts(taken)
    return thresholds


@dataclass(frozen=True)
class _Swept:
    """The ranked labels that a threshold decides on: all but each document's best and those that are forbidden.

    Attributes:
        labels: One an entry.
        scores: float32, one an entry.
        places: Place in the document's ranking, from 0; one an entry.
        hits: Whether the label is right; one an entry.
        base: Gold labels plus labels taken whatever the threshold.
        found: True positives among the latter.
    """

    labels: NDArray[np.int32]
    scores: NDArray[np.float32]
    places: NDArray[np.int64]
    hits: NDArray[np.bool_]
    base: int
    found: int

    @classmethod
    def of(cls, gold: csr_matrix, ranking: Ranking) -> _Swept:
        """What a ranking leaves to decide on."""
        gold = binary(gold, "gold")
        check_ranking(ranking, (int(gold.shape[0]), int(gold.shape[1])))
        hits = relevance(gold, ranking).hits
        open_ = (ranking.labels >= 0) & (ranking.scores > _LOWEST)
        open_[:, :1] = False
        base = int((ranking.labels[:, :1] >= 0).sum()) + int(gold.nnz)
        _, places = np.nonzero(open_)
        return cls(ranking.labels[open_], ranking.scores[open_], places, hits[open_], base, int(hits[:, :1].sum()))


@dataclass(frozen=True)
class _Steps:
    """For some labels the scores that a threshold of their own decides on, label by label, the highest first.

    Attributes:
        labels: Those labels, ascending.
        starts: Where the scores of each begin.
        scores: float32.
        found: Hits among a label's scores down to here; one a score.
        count: Scores of a label down to here; one a score.
        cuttable: Whether the next score of the label is lower, or there is none; one a score.
    """

    labels: NDArray[np.int32]
    starts: NDArray[np.int64]
    scores: NDArray[np.float32]
    found: NDArray[np.int64]
    count: NDArray[np.int64]
    cuttable: NDArray[np.bool_]

    @classmethod
    def of(cls, swept: _Swept, chosen: NDArray[np.bool_]) -> _Steps:
        """The scores of the labels that are chosen (bool, shape (labels,))."""
        entries = np.flatnonzero(chosen[swept.labels])
        entries = entries[np.lexsort((-swept.scores[entries], swept.labels[entries]))]
        of_label, scores = swept.labels[entries], swept.scores[entries]
        labels, starts, sizes = np.unique(of_label, return_index=True, return_counts=True)
        hits = np.cumsum(swept.hits[entries])
        before = np.concatenate([[0], hits])[starts]
        last = np.append(of_label[1:] != of_label[:-1], True)[: len(entries)]
        lower = np.append(scores[1:] < scores[:-1], True)[: len(entries)]
        count = np.arange(len(entries)) - np.repeat(starts, sizes) + 1
        return cls(labels, starts, scores, hits - np.repeat(before, sizes), count, last | lower)

    def best(self, f1: float) -> NDArray[np.int64]:
        """How many scores of each label to take for the highest ``2 TP - f1 · taken``; the fewest of equals."""
        gain = np.where(self.cuttable, 2 * self.found - f1 * self.count, -np.inf)
        highest = np.maximum.reduceat(gain, self.starts)
        sizes = np.diff(np.append(self.starts, len(gain)))
        fits = np.where(gain == np.repeat(highest, sizes), self.count, len(gain) + 1)
        return np.where(highest > 0, np.minimum.reduceat(fits, self.starts), 0)

    def right(self, taken: NDArray[np.int64]) -> int:
        """Hits among so many scores of each label."""
        last = self.starts + taken - 1
        return int(self.found[last[taken > 0]].sum())

    def cuts(self, taken: NDArray[np.int64]) -> NDArray[np.float32]:
        """A threshold for each label with exactly so many of its scores above it; see :func:`_below`."""
        ends = np.append(self.starts[1:], len(self.scores))
        return np.array(
            [
                _below(self.scores[start:end][::-1], end - start - many)
                for start, end, many in zip(self.starts, ends, taken, strict=True)
            ],
            dtype=np.float32,
        )


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
