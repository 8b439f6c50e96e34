"""Linear machines of many labels over shared sparse features: held sparse, asked in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

NEVER, ALWAYS = -1000.0, 1000.0
"""Scores of labels that no training document has, or every one; far outside what margins and log-odds reach."""

_BLOCK = 2**24


@dataclass(frozen=True)
class LinearModel:
    """The machines of all labels that occur in training.

    Attributes:
        labels: int32, their positions in the label space, ascending.
        weights: Sparse float32, shape (features, these labels).
        intercepts: float32, one a label.
        n_labels: Size of the label space.
    """

    labels: NDArray[np.int32]
    weights: csr_matrix
    intercepts: NDArray[np.float32]
    n_labels: int

    @property
    def size(self) -> int:
        """Number of weights and intercepts held."""
        return int(self.weights.nnz) + len(self.intercepts)

    def arrays(self) -> dict[str, Any]:
        """What :meth:`from_arrays` makes this model of again."""
        weights = self.weights
        return {
            "labels": self.labels,
            "intercepts": self.intercepts,
            "data": weights.data,
            "indices": weights.indices,
            "indptr": weights.indptr,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int, n_labels: int) -> LinearModel:
        """The model with these arrays."""
        from scipy.sparse import csr_matrix

        labels = arrays["labels"]
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        return cls(labels, csr_matrix(parts, shape=(n_features, len(labels))), arrays["intercepts"], n_labels)

    def scores(self, features: csr_matrix) -> NDArray[np.float32]:
        """Distances from the separating planes, float32, shape (documents, all labels)."""
        import numpy as np

        values = np.full((features.shape[0], self.n_labels), NEVER, dtype=np.float32)
        for start, part in self._blocks(features):
            values[start : start + len(part), self.labels] = part
        return values

    def top_scores(self, features: csr_matrix, k: int) -> csr_matrix:
        """The ``k`` best of :meth:`scores` for each document, without ever holding all of them."""
        import numpy as np
        from scipy.sparse import csr_matrix

        k = min(k, len(self.labels))
        best = np.empty((features.shape[0], k), dtype=np.int32)
        values = np.empty((features.shape[0], k), dtype=np.float32)
        for start, part in self._blocks(features):
            # Sorted positions: csr_matrix wants its columns ascending.
            columns = np.sort(np.argpartition(-part, max(k - 1, 0), axis=1)[:, :k], axis=1)
            best[start : start + len(part)] = self.labels[columns]
            values[start : start + len(part)] = np.take_along_axis(part, columns, axis=1)
        indptr = np.arange(len(best) + 1, dtype=np.int64) * k
        return csr_matrix((values.ravel(), best.ravel(), indptr), shape=(len(best), self.n_labels))

    def _blocks(self, features: csr_matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
        size = max(1, _BLOCK // max(1, len(self.labels)))
        for start in range(0, features.shape[0], size):
            product = (features[start : start + size] @ self.weights).toarray()
            yield start, product + self.intercepts
