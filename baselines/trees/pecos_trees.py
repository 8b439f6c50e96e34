"""XR-Linear as PECOS grows it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from baselines.trees.forest import Growth

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class PecosForest:
    """Trees of PECOS, in the form that only predicts: the same bits, many times sooner.

    Attributes:
        models: One ``XLinearModel`` a tree.
        folder: Where they were read; stays while the forest may be saved.
    """

    models: Sequence[Any]
    folder: Path

    def scores(self, features: csr_matrix, beam_size: int, k: int, threads: int) -> csr_matrix:
        """As :meth:`baselines.trees.forest.Forest.scores`."""
        how = {"beam_size": beam_size, "only_topk": k, "threads": threads}
        with _own_constructor():
            found = [model.predict(features, **how) for model in self.models]
        mean: csr_matrix = (sum(found[1:], found[0]) / len(found)).astype("float32").tocsr()
        return mean

    def save(self, folder: Path) -> None:
        """As :meth:`baselines.trees.forest.Forest.save`."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)


class Pecos:
    """Grows trees with PECOS; the same bits for the same seed, whatever the number of threads."""

    def grow(self, features: csr_matrix, targets: csr_matrix, growth: Growth) -> PecosForest:
        """As :meth:`baselines.trees.forest.Engine.grow`."""
        from pecos.xmc import LabelEmbeddingFactory

        labels = targets.tocsc().astype("float32")
        folder = Path(mkdtemp(dir=growth.scratch))
        with _own_constructor():
            groups = LabelEmbeddingFactory.create(labels, features, method="pifa", threads=growth.threads)
            for place in range(growth.trees):
                _tree(features, labels, groups, growth, place).save(str(folder / str(place)))
        return self.load(folder, targets.shape[1])

    def load(self, folder: Path, n_labels: int) -> PecosForest:
        """As :meth:`baselines.trees.forest.Engine.load`."""
        from pecos.xmc.xlinear.model import XLinearModel

        folders = sorted(folder.iterdir(), key=lambda path: int(path.name))
        return PecosForest([XLinearModel.load(str(path), is_predict_only=True) for path in folders], folder)


def _tree(features: csr_matrix, labels: Any, groups: Any, growth: Growth, place: int) -> Any:
    from pecos.xmc import Indexer
    from pecos.xmc.xlinear.model import XLinearModel

    clusters = Indexer.gen(
        groups,
        indexer_type="hierarchicalkmeans",
        max_leaf_size=growth.max_leaf_size,
        seed=(growth.seed + place) % 2**31,
        threads=growth.threads,
    )
    return XLinearModel.train(
        features, labels, C=clusters, Cp=growth.c, Cn=growth.c, threshold=growth.prune, threads=growth.threads
    )


@contextmanager
def _own_constructor() -> Iterator[None]:
    """While open, PECOS makes its sparse matrices with SciPy's constructor.

    That of PECOS 1.2.8 needs ``scipy.sparse.sputils`` and ``numpy.array(…, copy=False)`` as they were before SciPy 1.14
    and NumPy 2. It differs from SciPy's in the types of indices alone, which PECOS converts before it computes.
    """
    from pecos.utils import smat_util

    own = smat_util.cs_matrix
    smat_util.cs_matrix = _cs_matrix
    try:
        yield
    finally:
        smat_util.cs_matrix = own


def _cs_matrix(parts: Any, matrix: Any, **how: Any) -> Any:
    return matrix(parts, **how)
