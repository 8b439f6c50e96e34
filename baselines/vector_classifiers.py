"""Classifiers of dense vectors: logistic regression, and the labels of the nearest training documents."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.prediction import DENSE_LABELS, RANKED, Scores, TopScores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.task import Documents, Kind

NEVER, ALWAYS = -50.0, 50.0
"""Logits of labels that no training document has, or every one; far outside what a penalty lets others reach."""

NEAREST = 0.001
"""Smaller distances count as this one, so that a copy of a document has a finite vote."""

_BLOCK = 2**24
_ITERATIONS = 1000
_SEARCH_MIB = 256


@dataclass(frozen=True)
class Scale:
    """Brings every dimension to mean 0 and standard deviation 1 over the training documents.

    Attributes:
        mean: float32, shape (dimensions,).
        deviation: float32; 1 where all training documents are equal.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Scale:
        """That of training documents."""
        import numpy as np
        from sklearn.preprocessing import StandardScaler

        fitted = StandardScaler().fit(vectors)
        return cls(fitted.mean_.astype(np.float32), fitted.scale_.astype(np.float32))

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vectors, scaled."""
        return (vectors - self.mean) / self.deviation


class VectorClassifier(ABC):
    """What was learnt of vectors and their labels."""

    @abstractmethod
    def predict(self, vectors: NDArray[np.float32]) -> Scores | TopScores:
        """Scores of all labels, or of the best where labels are many."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What ``from_arrays`` makes the same of again."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many numbers were learnt."""


@dataclass(frozen=True)
class Logistic(VectorClassifier):
    """Linear functions of all labels that occur in training; scores are logits.

    Attributes:
        labels: int32, their positions in the label space, ascending.
        weights: float32, shape (these labels, dimensions).
        intercepts: float32, one a label.
        n_labels: Size of the label space.
        unconverged: How many of the fits had not come to their end when they were stopped.
    """

    labels: NDArray[np.int32]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    n_labels: int
    unconverged: int = 0

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_labels: int) -> Logistic:
        """The classifier with these arrays."""
        return cls(arrays["labels"], arrays["weights"], arrays["intercepts"], n_labels)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Positions, weights and intercepts."""
        return {"labels": self.labels, "weights": self.weights, "intercepts": self.intercepts}

    @property
    def size(self) -> int:
        """Weights and intercepts."""
        return self.weights.size + len(self.intercepts)

    def predict(self, vectors: NDArray[np.float32]) -> Scores | TopScores:
        """Logits, those of labels without a training document :data:`NEVER`."""
        return TopScores(self._best(vectors)) if self.n_labels > DENSE_LABELS else Scores(self._all(vectors))

    def _all(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        scores = np.full((len(vectors), self.n_labels), NEVER, dtype=np.float32)
        for start, part in self._parts(vectors):
            scores[start : start + len(part), self.labels] = part
        return scores

    def _best(self, vectors: NDArray[np.float32]) -> csr_matrix:
        import numpy as np
        from scipy.sparse import csr_matrix

        k = min(RANKED, len(self.labels))
        labels = np.empty((len(vectors), k), dtype=np.int32)
        scores = np.empty((len(vectors), k), dtype=np.float32)
        for start, part in self._parts(vectors):
            # csr_matrix wants its columns ascending.
            best = np.sort(np.argpartition(-part, k - 1, axis=1)[:, :k], axis=1) if k else np.empty((len(part), 0), int)
            labels[start : start + len(part)] = self.labels[best]
            scores[start : start + len(part)] = np.take_along_axis(part, best, axis=1)
        ends = np.arange(len(vectors) + 1, dtype=np.int64) * k
        return csr_matrix((scores.ravel(), labels.ravel(), ends), shape=(len(vectors), self.n_labels))

    def _parts(self, vectors: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        rows = max(1, _BLOCK // max(1, len(self.labels)))
        for start in range(0, len(vectors), rows):
            yield start, vectors[start : start + rows] @ self.weights.T + self.intercepts


@dataclass(frozen=True)
class Nearest(VectorClassifier):
    """The training documents themselves; a score is the part of its neighbours' votes that a label gets.

    A neighbour's vote is one over its cosine distance (Dudani 1976 weighs by distance, too).

    Attributes:
        vectors: float32, of the training documents, shape (documents, dimensions).
        targets: Their labels, 0/1, sparse float32, shape (documents, labels).
        neighbours: How many vote.
    """

    vectors: NDArray[np.float32]
    targets: csr_matrix
    neighbours: int

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_labels: int, neighbours: int) -> Nearest:
        """The classifier with these arrays."""
        import numpy as np
        from scipy.sparse import csr_matrix

        vectors, columns, ends = arrays["vectors"], arrays["columns"], arrays["ends"]
        ones = np.ones(len(columns), dtype=np.float32)
        return cls(vectors, csr_matrix((ones, columns, ends), shape=(len(vectors), n_labels)), neighbours)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Vectors and labels."""
        return {"vectors": self.vectors, "columns": self.targets.indices, "ends": self.targets.indptr}

    @property
    def size(self) -> int:
        """Values of the vectors."""
        return self.vectors.size

    def predict(self, vectors: NDArray[np.float32]) -> Scores | TopScores:
        """Votes, from 0 to 1; with many labels only of those that get any."""
        import numpy as np

        votes = (self._votes(vectors) @ self.targets).tocsr().astype(np.float32)
        votes.sort_indices()
        return TopScores(votes) if self.targets.shape[1] > DENSE_LABELS else Scores(votes.toarray())

    def _votes(self, vectors: NDArray[np.float32]) -> csr_matrix:
        """How much each training document has to say, shape (documents, training documents); rows add up to 1."""
        import numpy as np
        from scipy.sparse import csr_matrix
        from sklearn import config_context
        from sklearn.neighbors import NearestNeighbors

        k = min(self.neighbours, len(self.vectors))
        search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(self.vectors)
        with config_context(working_memory=_SEARCH_MIB):
            distances, found = search.kneighbors(vectors)
        weights = 1 / np.maximum(distances.astype(np.float64), NEAREST)
        weights /= weights.sum(axis=1, keepdims=True)
        ends = np.arange(len(vectors) + 1, dtype=np.int64) * k
        return csr_matrix((weights.ravel(), found.ravel(), ends), shape=(len(vectors), len(self.vectors)))


def nearest(vectors: NDArray[np.float32], documents: Documents, n_labels: int, neighbours: int) -> Nearest:
    """A classifier that asks these documents."""
    import numpy as np

    return Nearest(vectors, documents.label_matrix(n_labels).astype(np.float32).tocsr(), neighbours)


@dataclass(frozen=True)
class LogisticSettings:
    """How logistic regression is fitted.

    Attributes:
        c: Inverse strength of the L2 penalty.
        threads: Labels fitted at a time.
        done: Told after each fit how many are done, of how many.
    """

    c: float
    threads: int
    done: Callable[[int, int], None] = lambda *_: None


def logistic(
    vectors: NDArray[np.float32], documents: Documents, n_labels: int, kind: Kind, settings: LogisticSettings
) -> Logistic:
    """Multinomial regression where documents have one label, else one for each label by itself.

    The outcome is the same to the bit, whatever the number of threads.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    targets = documents.label_matrix(n_labels).tocsc()
    labels = np.flatnonzero(np.diff(targets.indptr)).astype(np.int32)
    wide = vectors.astype(np.float64)  # in float32 the line search gives up early
    # A BLAS on several threads sums in another order, which would show in the last bits.
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that did not converge, which are counted
        if kind == "single":
            fit = _choice(wide, np.array([row[0] for row in documents.labels]), settings)
        else:
            fit = _each(wide, targets, labels, settings)
    weights, intercepts = fit.weights.astype(np.float32, copy=False), fit.intercepts.astype(np.float32)
    return Logistic(labels, weights, intercepts, n_labels, fit.unconverged)


@dataclass(frozen=True)
class _Fit:
    weights: NDArray[Any]
    intercepts: NDArray[np.float64]
    unconverged: int


def _choice(vectors: NDArray[np.float64], chosen: NDArray[np.int64], settings: LogisticSettings) -> _Fit:
    """One regression over all labels."""
    import numpy as np

    if len(np.unique(chosen)) == 1:
        return _constant(vectors.shape[1])
    fit = _regression(vectors, chosen, settings)
    settings.done(1, 1)
    if len(fit.weights) > 1:
        return fit
    # Of two labels the library keeps the second one's advantage.
    halves = np.array([[-0.5], [0.5]])
    return _Fit(halves * fit.weights, halves[:, 0] * fit.intercepts, fit.unconverged)


def _each(vectors: NDArray[np.float64], targets: Any, labels: NDArray[np.int32], settings: LogisticSettings) -> _Fit:
    """A regression for each label."""
    import numpy as np

    def fit(label: int) -> _Fit:
        positive = np.zeros(len(vectors), dtype=np.int8)
        positive[targets.indices[targets.indptr[label] : targets.indptr[label + 1]]] = 1
        return _constant(vectors.shape[1]) if positive.all() else _regression(vectors, positive, settings)

    weights = np.empty((len(labels), vectors.shape[1]), dtype=np.float32)
    intercepts, unconverged = np.empty(len(labels)), 0
    with ThreadPoolExecutor(settings.threads) as pool:
        for place, made in enumerate(pool.map(fit, labels.tolist())):
            weights[place], intercepts[place] = made.weights[0], made.intercepts[0]
            unconverged += made.unconverged
            settings.done(place + 1, len(labels))
    return _Fit(weights, intercepts, unconverged)


def _regression(vectors: NDArray[np.float64], classes: NDArray[Any], settings: LogisticSettings) -> _Fit:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=settings.c, max_iter=_ITERATIONS).fit(vectors, classes)
    return _Fit(fitted.coef_, fitted.intercept_, int(fitted.n_iter_.max() >= _ITERATIONS))


def _constant(dimensions: int) -> _Fit:
    """Of a label that every training document has."""
    import numpy as np

    return _Fit(np.zeros((1, dimensions)), np.array([ALWAYS]), 0)
