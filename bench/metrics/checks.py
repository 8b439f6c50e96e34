"""What every metric may take for granted: checked once, at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.prediction import Ranking


def binary(matrix: csr_matrix, name: str) -> csr_matrix:
    """The matrix in canonical form (indices sorted, no duplicates, no stored zeros), dtype int8; a copy.

    Args:
        matrix: 0/1, shape (documents, labels).
        name: What to call it in an error.

    Raises:
        ValueError: An entry is neither 0 nor 1 (a duplicate counts as 2).
    """
    canonical = csr_matrix(matrix, copy=True)
    canonical.sum_duplicates()
    canonical.eliminate_zeros()
    if canonical.nnz and not (canonical.data == 1).all():
        raise ValueError(f"{name} has entries other than 0 and 1, e.g. {canonical.data[canonical.data != 1][0]}")
    return canonical.astype(np.int8)


def check_shapes(gold: csr_matrix, predicted: csr_matrix) -> None:
    """Refuse label sets that do not belong together, or that are of no document.

    Raises:
        ValueError: The shapes differ, or there is no document.
    """
    if gold.shape != predicted.shape:
        raise ValueError(f"gold has shape {gold.shape}, predicted has shape {predicted.shape}; they must be equal")
    if gold.shape[0] == 0:
        raise ValueError(f"there is no document to evaluate; gold has shape {gold.shape}")


def check_ranking(ranking: Ranking, shape: tuple[int, int]) -> None:
    """Refuse a ranking that breaks its contract or is of other documents or labels.

    Args:
        ranking: The ranking.
        shape: (documents, labels) of the gold labels.

    Raises:
        ValueError: Shapes differ, a label is unknown or recurs in its row, padding is not at the end of its row, a
            label's score is not finite, or scores rise along a row.
    """
    labels, scores = ranking.labels, ranking.scores
    if labels.ndim != 2 or labels.shape != scores.shape or (len(labels), ranking.n_labels) != shape:
        raise ValueError(
            f"gold has shape {shape}, the ranking is of {len(labels)} documents × {ranking.n_labels} labels with "
            f"labels of shape {labels.shape} and scores of shape {scores.shape}"
        )
    if labels.size:
        _check_labels(labels, ranking.n_labels)
        _check_scores(labels, scores)


def check_train_counts(train_counts: NDArray[np.int64], n_train: int, n_labels: int) -> None:
    """Refuse training frequencies that cannot be.

    Raises:
        ValueError: They are not whole numbers from 0 to ``n_train``, one a label.
    """
    if train_counts.shape != (n_labels,):
        raise ValueError(f"train_counts has shape {train_counts.shape}, expected ({n_labels},)")
    if train_counts.dtype.kind not in "iu":
        raise ValueError(f"train_counts must be integers, not {train_counts.dtype}")
    if n_train < 0 or (n_labels and not 0 <= train_counts.min() <= train_counts.max() <= n_train):
        raise ValueError(
            f"train_counts run from {train_counts.min(initial=0)} to {train_counts.max(initial=0)}, outside 0 to "
            f"{n_train} training documents"
        )


def _check_labels(labels: NDArray[np.int32], n_labels: int) -> None:
    if labels.min() < -1 or labels.max() >= n_labels:
        raise ValueError(f"ranked labels run from {labels.min()} to {labels.max()}, outside -1 to {n_labels - 1}")
    if ((labels[:, 1:] >= 0) & (labels[:, :-1] < 0)).any():
        raise ValueError("the ranking has a label after padding (-1); padding belongs at the end of a row")
    ascending = np.sort(labels, axis=1)
    if ((ascending[:, 1:] == ascending[:, :-1]) & (ascending[:, 1:] >= 0)).any():
        raise ValueError("a label recurs in a row of the ranking")


def _check_scores(labels: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
    if np.isnan(scores).any() or not (np.isfinite(scores) | (labels < 0)).all():
        raise ValueError("a ranked label has a score that is not finite (NaN or infinite)")
    if (scores[:, 1:] > scores[:, :-1]).any():
        raise ValueError("scores rise along a row of the ranking; the best label comes first")
