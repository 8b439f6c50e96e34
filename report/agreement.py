"""How alike label sets are, document by document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


def agreement(one: csr_matrix, other: csr_matrix) -> NDArray[np.float64]:
    """2|a ∩ b| / (|a| + |b|) of each document, shape (documents,); 1 where both sets are empty.

    Of gold and given labels this is the document's F1; where each has one label, 1 where they are equal and else 0.

    Args:
        one: 0/1 in canonical form, shape (documents, labels).
        other: The same shape and form.
    """
    import numpy as np

    from bench.metrics.counts import by_document, intersection

    both, total = by_document(intersection(one, other)), by_document(one) + by_document(other)
    return np.asarray(np.divide(2 * both, total, out=np.ones(len(total)), where=total > 0))


def constant(sets: csr_matrix) -> bool:
    """Whether every document has the same labels; canonical form."""
    import numpy as np

    sizes = np.diff(sets.indptr)
    if not len(sizes) or (sizes != sizes[0]).any():
        return not len(sizes)
    return not sizes[0] or bool((sets.indices.reshape(len(sizes), -1) == sets.indices[: sizes[0]]).all())
