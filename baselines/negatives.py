"""Which documents a label is told apart from where there are too many labels to show each of them every document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix, csr_matrix

_FEATURES = 32


@dataclass(frozen=True)
class Negatives:
    """Chooses negatives: half of them the documents most like the label's centroid, half drawn at random.

    The idea is that of Slice (Jain, Balasubramanian, Chunduri and Varma, WSDM 2019), with exact search in place of a
    graph: only the heaviest features of a centroid count, which bounds what a search costs.

    Attributes:
        features: Sparse, shape (documents, features).
        by_feature: The same transposed.
        count: How many negatives a label gets.
        seed: Of the draw.
    """

    features: csr_matrix
    by_feature: csr_matrix
    count: int
    seed: int

    @classmethod
    def of(cls, features: csr_matrix, count: int, seed: int) -> Negatives:
        """For these documents."""
        return cls(features, features.T.tocsr(), count, seed)

    def rows(self, columns: csc_matrix, labels: NDArray[np.int32]) -> list[NDArray[np.int64]]:
        """Training documents of each of some labels, ascending: all that have it, and its negatives.

        Args:
            columns: 0/1, shape (documents, all labels).
            labels: Positions of those that are asked for; each has a document.
        """
        import numpy as np
        from scipy.sparse import csr_matrix

        centroids = csr_matrix(columns[:, labels].T.astype(np.float32) @ self.features)
        similar = csr_matrix(heaviest(centroids, _FEATURES) @ self.by_feature)
        return [
            self._rows_of(positives_of(columns, label), similar.indices[start:end], similar.data[start:end], int(label))
            for label, start, end in zip(labels, similar.indptr[:-1], similar.indptr[1:], strict=True)
        ]

    def _rows_of(
        self, positives: NDArray[np.int32], near: NDArray[np.int32], nearness: NDArray[np.float32], label: int
    ) -> NDArray[np.int64]:
        import numpy as np

        others, many = np.isin(near, positives, invert=True), self.count // 2
        near, nearness = near[others], nearness[others]
        hard = near if len(near) <= many else near[np.argpartition(-nearness, many)[:many]]
        known = np.concatenate([positives, hard])
        drawn = _drawn(self.features.shape[0], known, self.count - len(hard), (self.seed, label))
        return np.sort(np.concatenate([known, drawn]))


def _drawn(total: int, known: NDArray[np.int32], count: int, seed: tuple[int, int]) -> NDArray[np.int64]:
    """So many of the first ``total`` numbers, each once and none that is known; all others where those are fewer."""
    import numpy as np

    chance = np.random.default_rng(seed)
    if 2 * (len(known) + count) >= total:
        return chance.permutation(np.setdiff1d(np.arange(total), known))[:count]
    found = np.empty(0, dtype=np.int64)
    while len(found) < count:
        fresh = chance.integers(total, size=2 * count)
        found = np.union1d(found, fresh[np.isin(fresh, known, invert=True)])
    return chance.permutation(found)[:count]


def positives_of(columns: csc_matrix, label: int) -> NDArray[np.int32]:
    """The documents that have a label."""
    found: NDArray[np.int32] = columns.indices[columns.indptr[label] : columns.indptr[label + 1]]
    return found


def heaviest(matrix: csr_matrix, most: int) -> csr_matrix:
    """The matrix with so many entries a row at most, the greatest; of equals the first."""
    import numpy as np
    from scipy.sparse import csr_matrix

    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    kept = order[place < most]
    return csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)
