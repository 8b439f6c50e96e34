"""What the trees of every engine have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Kind = Literal["parabel", "bonsai", "xr-linear"]


@dataclass(frozen=True)
class Growth:
    """How trees are grown.

    Attributes:
        kind: Of which kind they are.
        trees: Trees grown; their scores are averaged.
        max_leaf_size: Labels up to which a group is not divided any more.
        c: Inverse strength of the L2 penalty of each machine.
        prune: Weights of at most this magnitude are dropped.
        seed: For engines that take one.
        threads: Threads to compute with.
        scratch: A folder for files that are read once.
    """

    kind: Kind
    trees: int
    max_leaf_size: int
    c: float
    prune: float
    seed: int
    threads: int
    scratch: Path


class Forest(Protocol):
    """Trees that were grown."""

    def scores(self, features: csr_matrix, beam_size: int, k: int, threads: int) -> csr_matrix:
        """Scores between 0 and 1 of the labels at the end of the best branches.

        Args:
            features: float32, shape (documents, features), as they were grown from.
            beam_size: Branches followed on each level.
            k: At least so many labels of a document, where its branches lead to so many.
            threads: Threads to compute with.

        Returns:
            float32, shape (documents, labels).
        """

    def save(self, folder: Path) -> None:
        """Write the trees into a new folder."""


class Engine(Protocol):
    """A library that grows trees, and reads those that it saved."""

    def grow(self, features: csr_matrix, targets: csr_matrix, growth: Growth) -> Forest:
        """Grow trees.

        Args:
            features: float32, shape (documents, features), indices sorted.
            targets: 0/1, shape (documents, labels); every label has a document.
            growth: How.
        """

    def load(self, folder: Path, n_labels: int) -> Forest:
        """Read what :meth:`Forest.save` wrote."""
