"""Predictions as labels, and how far two predictions of the same documents are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.prediction import LabelSets, Prediction, Scores, TopScores, rank, sets_matrix
from bench.task import Documents, Kind

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TOLERANCE = 1e-4
"""How far scores may move with what is computed beside them: rounding, no more."""


def n_rows(prediction: Prediction) -> int:
    """Documents that were labelled."""
    return len(prediction.sets) if isinstance(prediction, LabelSets) else int(prediction.values.shape[0])


def dense(prediction: Scores | TopScores) -> Any:
    """Scores as a float64 array, shape (documents, labels); -inf where there is none."""
    import numpy as np

    if isinstance(prediction, Scores):
        return np.asarray(prediction.values, dtype=np.float64)
    sparse = prediction.values.tocoo()
    values = np.full(sparse.shape, -np.inf)
    values[sparse.row, sparse.col] = sparse.data
    return values


def differing(one: Prediction, other: Prediction, tolerance: float = 0.0) -> list[int]:
    """Positions of the documents that two predictions do not agree on.

    Args:
        one: A prediction.
        other: Another of the same documents in the same order. Of bare sets the order of emission counts.
        tolerance: How far a score may move, absolute and relative.
    """
    import numpy as np

    if isinstance(one, LabelSets) or isinstance(other, LabelSets):
        pairs = zip(_sets(one), _sets(other), strict=True)
        return [position for position, (a, b) in enumerate(pairs) if list(a) != list(b)]
    close = np.isclose(dense(one), dense(other), rtol=tolerance, atol=tolerance, equal_nan=True)
    return [int(position) for position in np.flatnonzero(~close.all(axis=1))]


def gathered(parts: Sequence[Prediction]) -> Prediction:
    """Predictions of one document each, as one."""
    import numpy as np

    if all(isinstance(part, LabelSets) for part in parts):
        return LabelSets([_sets(part)[0] for part in parts], [""] * len(parts))
    return Scores(np.concatenate([dense(part) for part in parts if not isinstance(part, LabelSets)]))


def reordered(prediction: Prediction, order: Sequence[int]) -> Prediction:
    """The prediction with its documents in another order."""
    if isinstance(prediction, LabelSets):
        return LabelSets([prediction.sets[i] for i in order], [""] * len(order))
    return Scores(dense(prediction)[list(order)])


def decided(prediction: Prediction, documents: Documents, kind: Kind, n_labels: int) -> csr_matrix:
    """The labels that the harness would read out of a prediction, the threshold chosen on the same documents.

    Returns:
        0/1, shape (documents, labels).
    """
    from bench.metrics.thresholds import choose_threshold, decide

    if isinstance(prediction, LabelSets):
        return sets_matrix(prediction.sets, n_labels)
    ranking = rank(prediction)
    threshold = choose_threshold(documents.label_matrix(n_labels), ranking) if kind == "multi" else None
    return decide(ranking, kind, threshold)


def micro_f1(gold: csr_matrix, predicted: csr_matrix) -> float:
    """2 TP / (2 TP + FP + FN) over all labels and documents."""
    both = float(gold.multiply(predicted).sum())
    return 2 * both / max(1.0, float(gold.sum() + predicted.sum()))


def best_constant_f1(gold: csr_matrix, kind: Kind) -> float:
    """The micro-F1 of the best answer that is the same for every document: the most frequent labels, one or more."""
    import numpy as np

    documents = gold.shape[0]
    counts = np.sort(np.asarray(gold.sum(axis=0)).ravel())[::-1]
    total = counts.sum()
    counts = counts[:1] if kind == "single" else counts
    taken = np.arange(1, len(counts) + 1) * documents
    return float((2 * np.cumsum(counts) / (taken + total)).max())


def _sets(prediction: Prediction) -> Sequence[Sequence[int]]:
    if not isinstance(prediction, LabelSets):
        raise TypeError("scores for one part of the documents and bare label sets for another")
    return prediction.sets
