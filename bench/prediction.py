"""What methods return, and the one form in which the harness stores and measures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

RANKED = 100
"""How many labels a document keeps in its stored ranking."""

_BLOCK = 2**20
"""So many scores are sorted at a time."""

DENSE_LABELS = 10_000
"""Above so many labels the built-in methods return the ``RANKED`` best scores only."""


@dataclass(frozen=True)
class Scores:
    """A score for every label.

    Attributes:
        values: float32, shape (documents, labels); larger is likelier, on any scale that one threshold can cut.
    """

    values: NDArray[np.float32]


@dataclass(frozen=True)
class TopScores:
    """Scores of the best labels only, for label spaces too large for a dense array.

    Attributes:
        values: Sparse float32, shape (documents, labels); a stored entry is scored, zero too, the rest is not.
    """

    values: csr_matrix


@dataclass(frozen=True)
class LabelSets:
    """Labels without scores, as a generating method emits them.

    Attributes:
        sets: For each document its labels, in order of emission.
        texts: For each document what was generated.
        problems: Name → count of what went wrong on the way (``parse_failures``, ``duplicates``, …); such
            documents keep what could be read, often nothing, and count as wrong.
    """

    sets: Sequence[Sequence[int]]
    texts: Sequence[str]
    problems: Mapping[str, int] = field(default_factory=dict)


Prediction = Scores | TopScores | LabelSets


@dataclass(frozen=True)
class Ranking:
    """The best labels of each document, best first; ties go to the label of lower position.

    Attributes:
        labels: int32, shape (documents, k); -1 where a document has fewer than k.
        scores: float32, shape (documents, k); -inf where ``labels`` is -1.
        n_labels: Size of the label space.
    """

    labels: NDArray[np.int32]
    scores: NDArray[np.float32]
    n_labels: int

    def __len__(self) -> int:
        return len(self.labels)


def rank(prediction: Scores | TopScores, k: int = RANKED) -> Ranking:
    """The ``k`` best labels of each document.

    Raises:
        ValueError: A score is NaN or infinite.
    """
    return _rank_dense(prediction.values, k) if isinstance(prediction, Scores) else _rank_sparse(prediction.values, k)


def sets_matrix(sets: Sequence[Sequence[int]], n_labels: int) -> csr_matrix:
    """Label sets as a sparse 0/1 matrix, shape (documents, labels), each label once, indices sorted."""
    import numpy as np
    from scipy.sparse import csr_matrix

    rows = [sorted(set(labels)) for labels in sets]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    indices = np.array([label for row in rows for label in row], dtype=np.int32)
    return csr_matrix((np.ones(len(indices), dtype=np.int8), indices, indptr), shape=(len(rows), n_labels))


def _rank_dense(values: Any, k: int) -> Ranking:
    import numpy as np

    values = np.asarray(values, dtype=np.float32)
    _refuse_non_finite(values)
    k = min(k, values.shape[1])
    labels = np.empty((len(values), k), dtype=np.int32)
    # Blocks of rows keep the sort's index array small where labels are many.
    block = max(1, 2**24 // max(1, values.shape[1]))
    for start in range(0, len(values), block):
        part = values[start : start + block]
        labels[start : start + block] = np.argsort(-part, axis=1, kind="stable")[:, :k]
    return Ranking(labels, np.take_along_axis(values, labels, axis=1), values.shape[1])


def _rank_sparse(values: csr_matrix, k: int) -> Ranking:
    import numpy as np

    _refuse_non_finite(values.data)
    values = values if values.has_sorted_indices else values.sorted_indices()
    n_documents, n_labels = values.shape
    k = min(k, n_labels)
    labels = np.full((n_documents, k), -1, dtype=np.int32)
    scores = np.full((n_documents, k), -np.inf, dtype=np.float32)
    # Row by row in a padded table, a block of rows at a time: a tenth of the time of one sort of all entries.
    block = max(1, _BLOCK // max(1, np.diff(values.indptr).max(initial=0)))
    for start in range(0, n_documents, block):
        part = _padded(values[start : start + block])
        order = np.argsort(-part.scores, axis=1, kind="stable")[:, :k]
        place = np.s_[start : start + block, : order.shape[1]]
        labels[place] = np.take_along_axis(part.labels, order, axis=1)
        scores[place] = np.take_along_axis(part.scores, order, axis=1)
    return Ranking(labels, scores, n_labels)


def _padded(values: csr_matrix) -> Ranking:
    """The entries of each row, in their order, as a table that is as wide as the longest row."""
    import numpy as np

    counts = np.diff(values.indptr)
    filled = np.arange(counts.max(initial=0)) < counts[:, None]
    labels = np.full(filled.shape, -1, dtype=np.int32)
    scores = np.full(filled.shape, -np.inf, dtype=np.float32)
    labels[filled], scores[filled] = values.indices, values.data
    return Ranking(labels, scores, values.shape[1])


def _refuse_non_finite(values: Any) -> None:
    import numpy as np

    if not np.isfinite(values).all():
        raise ValueError("the method returned scores that are NaN or infinite; its training diverged")
