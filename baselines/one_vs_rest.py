"""One linear support vector machine a label over shared sparse features, trained on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

NEVER, ALWAYS = -10.0, 10.0
"""Scores of labels that no training document has, or every one; far outside what margins reach."""

_BLOCK = 2**24


@dataclass(frozen=True)
class LinearSettings:
    """How each machine is trained.

    Attributes:
        c: Inverse strength of the L2 penalty.
        tolerance: Relative tolerance at which training stops.
        prune: Weights of at most this magnitude are dropped.
        seed: Seed of the solver.
        threads: Machines trained at a time.
    """

    c: float
    tolerance: float
    prune: float
    seed: int
    threads: int


@dataclass(frozen=True)
class LinearModel:
    """The machines of all labels that occur in training.

    Attributes:
        labels: int32, their positions in the label space, ascending.
        weights: Sparse float32, shape (these labels, features).
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
        return cls(labels, csr_matrix(parts, shape=(len(labels), n_features)), arrays["intercepts"], n_labels)

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
        import numpy as np

        transposed = self.weights.T.tocsr()
        size = max(1, _BLOCK // max(1, len(self.labels)))
        for start in range(0, features.shape[0], size):
            product = (features[start : start + size].astype(np.float32) @ transposed).toarray()
            yield start, product + self.intercepts


def fit_one_vs_rest(
    features: csr_matrix, targets: csr_matrix, settings: LinearSettings, done: Callable[[int, int], None]
) -> LinearModel:
    """Train one machine a label.

    Args:
        features: Sparse float64, shape (documents, features).
        targets: 0/1, shape (documents, labels).
        settings: How.
        done: Told after each label how many are done, of how many.

    Returns:
        The same bits for the same input, whatever the number of threads.
    """
    import numpy as np
    from scipy.sparse import vstack
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    columns = targets.tocsc()
    labels = np.flatnonzero(np.diff(columns.indptr)).astype(np.int32)

    def train(label: int) -> tuple[csr_matrix, float]:
        positive = np.zeros(features.shape[0], dtype=np.int8)
        positive[columns.indices[columns.indptr[label] : columns.indptr[label + 1]]] = 1
        return _machine(features, positive, settings)

    rows, intercepts = [], np.empty(len(labels), dtype=np.float32)
    # A BLAS on several threads sums in another order, which would show in the last bits.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(settings.threads) as pool:
        for number, (weights, intercept) in enumerate(pool.map(train, labels.tolist())):
            rows.append(weights)
            intercepts[number] = intercept
            done(number + 1, len(labels))
    return LinearModel(labels, vstack(rows, format="csr"), intercepts, targets.shape[1])


def _machine(features: csr_matrix, positive: NDArray[np.int8], settings: LinearSettings) -> tuple[csr_matrix, float]:
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.svm import LinearSVC

    if positive.all():
        return csr_matrix(np.zeros((1, features.shape[1]), dtype=np.float32)), ALWAYS
    # The primal solver draws no random numbers; the dual one draws from a state that threads would share.
    machine = LinearSVC(C=settings.c, tol=settings.tolerance, dual=False, random_state=settings.seed)
    machine.fit(features, positive)
    weights = machine.coef_.astype(np.float32)
    weights[np.abs(weights) <= settings.prune] = 0
    return csr_matrix(weights), float(machine.intercept_[0])
