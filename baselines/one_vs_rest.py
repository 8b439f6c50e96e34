"""One linear machine a label over shared sparse features, trained on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baselines.liblinear import LinearSettings, Machine, train_machine
from baselines.linear_model import LinearModel
from baselines.negatives import Negatives, positives_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix, csr_matrix

_TOGETHER, _COMPARED = 256, 2**26
"""Labels whose negatives are looked for at once, and pairs of document and label that are compared at once."""


@dataclass(frozen=True)
class OneVsRest:
    """How the machines of all labels are trained; two bounds keep time and memory in hand where labels are many.

    Attributes:
        machine: How each of them is trained.
        negatives: Documents without the label that a machine is trained against; all of them where that is as many as
            there are documents.
        weights: Most weights held over all labels: of each label the greatest, the same number of each.
        seed: Of the choice of negatives.
        threads: Machines trained at a time.
    """

    machine: LinearSettings
    negatives: int
    weights: int
    seed: int
    threads: int


def fit_one_vs_rest(
    features: csr_matrix, targets: csr_matrix, how: OneVsRest, done: Callable[[int, int], None]
) -> LinearModel:
    """Train one machine a label.

    Args:
        features: Sparse float32, shape (documents, features).
        targets: 0/1, shape (documents, labels).
        how: How.
        done: Told how many labels are done, of how many.

    Returns:
        The same bits for the same input, whatever the number of threads.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    columns = targets.tocsc()
    labels = np.flatnonzero(np.diff(columns.indptr)).astype(np.int32)
    most = max(1, how.weights // max(1, len(labels)))
    alone = how.negatives >= features.shape[0]
    training = _Every(features, columns) if alone else _Some(Negatives.of(features, how.negatives, how.seed), columns)
    size = 1 if alone else min(_TOGETHER, max(1, _COMPARED // (features.shape[0] * how.threads)))
    parts = [labels[start : start + size] for start in range(0, len(labels), size)]
    held: list[_Held] = []
    # A BLAS on several threads sums in another order, which would show in the last bits.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(how.threads) as pool:
        for part in pool.map(lambda part: _Held.of(training.machines(part, how.machine), most), parts):
            held.append(part)
            done(min(len(held) * size, len(labels)), len(labels))
    return _joined(held, labels, (int(features.shape[1]), int(targets.shape[1])))


@dataclass(frozen=True)
class _Every:
    """Trains a label on every document."""

    features: csr_matrix
    columns: csc_matrix

    def machines(self, labels: NDArray[np.int32], settings: LinearSettings) -> Iterator[Machine]:
        import numpy as np

        for label in labels:
            positive = np.zeros(self.features.shape[0], dtype=np.bool_)
            positive[positives_of(self.columns, label)] = True
            yield train_machine(self.features, positive, settings)


@dataclass(frozen=True)
class _Some:
    """Trains a label on the documents that have it and on its negatives, and on the features that occur in them."""

    negatives: Negatives
    columns: csc_matrix

    def machines(self, labels: NDArray[np.int32], settings: LinearSettings) -> Iterator[Machine]:
        import numpy as np

        for label, rows in zip(labels, self.negatives.rows(self.columns, labels), strict=True):
            shown, used = _packed(self.negatives.features[rows])
            positive = np.isin(rows, positives_of(self.columns, label), assume_unique=True)
            machine = train_machine(shown, positive, settings)
            yield replace(machine, features=used[machine.features])


def _packed(matrix: csr_matrix) -> tuple[csr_matrix, NDArray[np.int32]]:
    """The matrix without its empty columns, and which columns are left, ascending."""
    import numpy as np
    from scipy.sparse import csr_matrix

    occurs = np.zeros(matrix.shape[1], dtype=np.bool_)
    occurs[matrix.indices] = True
    used = np.flatnonzero(occurs).astype(np.int32)
    places = np.empty(matrix.shape[1], dtype=np.int32)  # of columns in use only
    places[used] = np.arange(len(used), dtype=np.int32)
    parts = (matrix.data, places[matrix.indices], matrix.indptr)
    return csr_matrix(parts, shape=(matrix.shape[0], len(used))), used


@dataclass(frozen=True)
class _Held:
    """Some labels' machines in few arrays, since hundreds of thousands of small ones would fill the memory."""

    counts: NDArray[np.int64]
    features: NDArray[np.int32]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    @classmethod
    def of(cls, machines: Iterable[Machine], most: int) -> _Held:
        import numpy as np

        cut = [machine.cut(most) for machine in machines]
        return cls(
            np.array([len(machine.features) for machine in cut], dtype=np.int64),
            np.concatenate([machine.features for machine in cut]),
            np.concatenate([machine.weights for machine in cut]),
            np.array([machine.intercept for machine in cut], dtype=np.float32),
        )


def _joined(held: list[_Held], labels: NDArray[np.int32], shape: tuple[int, int]) -> LinearModel:
    """The model of all machines; its shape is (features, all labels)."""
    import numpy as np
    from scipy.sparse import csr_matrix

    if not held:
        return LinearModel(
            labels, csr_matrix(np.empty((shape[0], 0), dtype=np.float32)), np.empty(0, np.float32), shape[1]
        )
    counts = np.concatenate([part.counts for part in held])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    parts = (np.concatenate([part.weights for part in held]), np.concatenate([part.features for part in held]), indptr)
    by_label = csr_matrix(parts, shape=(len(labels), shape[0]))
    intercepts = np.concatenate([part.intercepts for part in held])
    return LinearModel(labels, by_label.T.tocsr(), intercepts, shape[1])
