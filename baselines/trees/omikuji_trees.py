"""Parabel and Bonsai as omikuji grows them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.trees.forest import Growth
from bench.prediction import DENSE_LABELS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BONSAI_BRANCHES, BONSAI_DEPTH = 100, 3
"""A Bonsai's groups to a node and levels of nodes: those with which omikuji's page reports it."""


@dataclass(frozen=True)
class OmikujiForest:
    """Trees of omikuji.

    Attributes:
        model: An ``omikuji.Model``.
        n_labels: Labels that they were grown for.
    """

    model: Any
    n_labels: int

    def scores(self, features: csr_matrix, beam_size: int, k: int, threads: int) -> csr_matrix:
        """As :meth:`baselines.trees.forest.Forest.scores`."""
        import numpy as np
        from scipy.sparse import csr_matrix

        self.model.init_prediction_thread_pool(threads)
        # Among equal scores omikuji keeps any: where labels are not too many all are taken, so that ranking can choose.
        most = self.n_labels if self.n_labels <= DENSE_LABELS else k
        found = [self.model.predict(pairs, beam_size=beam_size, top_k=most) for pairs in _pairs(features)]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in found], dtype=np.int64)])
        indices = np.fromiter((label for row in found for label, _ in row), dtype=np.int32, count=int(indptr[-1]))
        data = np.fromiter((score for row in found for _, score in row), dtype=np.float32, count=int(indptr[-1]))
        return csr_matrix((data, indices, indptr), shape=(len(found), self.n_labels))

    def save(self, folder: Path) -> None:
        """As :meth:`baselines.trees.forest.Forest.save`."""
        with _quiet():
            self.model.save(str(folder))


class Omikuji:
    """Grows trees with omikuji; it draws from the operating system, so that no seed makes two forests equal."""

    def grow(self, features: csr_matrix, targets: csr_matrix, growth: Growth) -> OmikujiForest:
        """As :meth:`baselines.trees.forest.Engine.grow`."""
        import omikuji

        path = growth.scratch / "documents.txt"
        _write(path, features, targets)
        with _quiet():
            model = omikuji.Model.train_on_data(str(path), _hyper_parameters(growth), n_threads=growth.threads)
        path.unlink()
        return OmikujiForest(model, targets.shape[1])

    def load(self, folder: Path, n_labels: int) -> OmikujiForest:
        """As :meth:`baselines.trees.forest.Engine.load`."""
        import omikuji

        with _quiet():
            return OmikujiForest(omikuji.Model.load(str(folder)), n_labels)


def _hyper_parameters(growth: Growth) -> Any:
    import omikuji

    chosen = omikuji.Model.default_hyper_param()
    chosen.n_trees = growth.trees
    chosen.min_branch_size = growth.max_leaf_size
    chosen.linear_c = growth.c
    chosen.linear_weight_threshold = growth.prune
    if growth.kind == "bonsai":
        chosen.cluster_balanced = False
        # More groups than there are labels to divide would abort the process.
        chosen.cluster_k = min(BONSAI_BRANCHES, growth.max_leaf_size)
        chosen.max_depth = BONSAI_DEPTH
    return chosen


def _write(path: Path, features: csr_matrix, targets: csr_matrix) -> None:
    """Write the only form that omikuji takes, that of the Extreme Classification Repository.

    A line with neither label nor feature is empty; scikit-learn's writer leaves a blank in it, which omikuji refuses.
    """
    with path.open("w", encoding="ascii") as stream:
        stream.write(f"{features.shape[0]} {features.shape[1]} {targets.shape[1]}\n")
        for labels, pairs in zip(_rows(targets), _pairs(features), strict=True):
            words = (f"{feature}:{value:.9g}" for feature, value in pairs)
            stream.write(" ".join([",".join(map(str, labels)), *words]) + "\n")


def _rows(matrix: csr_matrix) -> Iterator[list[int]]:
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        yield matrix.indices[start:end].tolist()


def _pairs(matrix: csr_matrix) -> Iterator[list[tuple[int, float]]]:
    """Each row's columns with their values."""
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        yield list(zip(matrix.indices[start:end].tolist(), matrix.data[start:end].tolist(), strict=True))


@contextmanager
def _quiet() -> Iterator[None]:
    """While open, what is written on standard output and error is lost: omikuji draws a bar there anew each moment."""
    streams = (1, 2)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in streams]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in streams:
            os.dup2(nowhere, stream)
        yield
    finally:
        for stream, before in zip(streams, kept, strict=True):
            os.dup2(before, stream)
        for opened in (*kept, nowhere):
            os.close(opened)
