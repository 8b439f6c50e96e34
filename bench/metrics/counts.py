"""How often each label was predicted, expected, and both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelCounts:
    """Documents by label, each int64 of shape (labels,).

    Attributes:
        true_positive: Documents that have the label and were given it.
        predicted: Documents that were given it.
        support: Documents that have it.
    """

    true_positive: NDArray[np.int64]
    predicted: NDArray[np.int64]
    support: NDArray[np.int64]


def count_labels(gold: csr_matrix, predicted: csr_matrix) -> LabelCounts:
    """Count by label.

    Args:
        gold: 0/1 in canonical form, shape (documents, labels).
        predicted: The same shape and form.
    """
    return LabelCounts(by_label(intersection(gold, predicted)), by_label(predicted), by_label(gold))


def intersection(gold: csr_matrix, predicted: csr_matrix) -> csr_matrix:
    """Entries that both have, for 0/1 matrices in canonical form."""
    return csr_matrix(gold.multiply(predicted))


def by_label(matrix: csr_matrix) -> NDArray[np.int64]:
    """Number of stored entries of each column; of structure, not of data, since int8 sums would wrap."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)


def by_document(matrix: csr_matrix) -> NDArray[np.int64]:
    """Number of stored entries of each row."""
    return np.diff(matrix.indptr).astype(np.int64)


def rows_of(matrix: csr_matrix) -> NDArray[np.int64]:
    """The row of each stored entry, in storage order."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))


def within_row(matrix: csr_matrix) -> NDArray[np.int64]:
    """The place of each stored entry inside its row, from 0, in storage order."""
    starts = np.asarray(matrix.indptr[:-1], dtype=np.int64)
    return np.arange(matrix.nnz, dtype=np.int64) - np.repeat(starts, np.diff(matrix.indptr))
