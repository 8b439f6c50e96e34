"""Label trees over TF-IDF features, the linear methods of extreme classification: omikuji and PECOS."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from baselines.features import Features, FeatureSettings, import_libraries
from baselines.trees.forest import Engine, Forest, Growth, Kind
from bench.errors import UserError
from bench.method import Context, Method
from bench.prediction import RANKED, TopScores, rank
from bench.spaces import AnyOf, Around
from bench.task import Availability, Documents, LabelSpace
from bench.work import NotEstimated, Workload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

_INSTALL = {"omikuji": "pip install omikuji", "pecos": "pip install --no-deps libpecos==1.2.8"}
"""Library → what brings it. PECOS declares older libraries than its trees need, hence ``--no-deps``."""
_VOCABULARY, _ARRAYS, _TREES = "vocabulary.json", "xmlc.npz", "trees"
_BLOCK = 2_000  # documents at a time: omikuji's answers are Python lists
_BY_CHANCE = "omikuji draws its random numbers from the operating system and takes no seed"


class XmlcSettings(FeatureSettings):
    """Settings of :class:`Xmlc`; the defaults of the trees are those of omikuji."""

    characters: int = Field(
        0, ge=0, le=8, description="longest run of characters, within a word, that is a feature; 0: none"
    )
    trees: Annotated[Kind, AnyOf("parabel", "bonsai")] = Field(
        "parabel",
        description="parabel: binary and balanced, bonsai: wide and shallow, both by omikuji; xr-linear: by PECOS",
    )
    n_trees: int = Field(3, ge=1, description="trees grown; their scores are averaged")
    max_leaf_size: int = Field(100, ge=2, description="labels up to which a group of them is not divided any more")
    beam_size: int = Field(10, ge=1, description="branches that a document follows on each level")
    c: Annotated[float, Around(10)] = Field(1.0, gt=0, description="inverse strength of the L2 penalty of each machine")
    prune: float = Field(0.1, ge=0, description="drop weights of at most this magnitude")


class Xmlc(Method):
    """Label trees over words and word pairs (Parabel, Bonsai, XR-Linear): extreme classification on a CPU.

    A score is the mean of the trees' estimates, between 0 and 1. A label that no branch led to has none.
    """

    name: ClassVar[str] = "xmlc"
    Config = XmlcSettings
    _features: Features
    _labels: NDArray[np.int32]
    _n_labels: int
    _forest: Forest

    def availability(self) -> Availability:
        """Whether the library that grows these trees is installed."""
        library = "pecos" if self.config.trees == "xr-linear" else "omikuji"
        if find_spec(library) is not None:
            return Availability()
        return Availability(
            False, f"{library}, which grows {self.config.trees} trees, is not installed", _INSTALL[library]
        )

    def varies(self) -> str:
        """What omikuji grows differs each time."""
        return "" if self.config.trees == "xr-linear" else _BY_CHANCE

    def work(self, workload: Workload) -> NotEstimated:
        """Its features are counted while it learns."""
        return NotEstimated("its features are the words of the training texts, counted while it learns")

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Weigh the words of ``train`` and grow the trees of the labels that occur there.

        Raises:
            UserError: No text holds a word, no document has a label, or the library is not installed.
        """
        import numpy as np

        with context.phase("load"):
            engine = self._engine()
            import_libraries()
        targets = train.label_matrix(len(labels))
        self._labels = np.unique(targets.indices)
        self._n_labels = len(labels)
        if not len(self._labels):
            raise UserError(f"{self.name}: no training document has a label, so that there is no tree to grow")
        self._features, rows = Features.fit(train.texts, self.config)
        context.progress("train", 0, self.config.n_trees)
        self._forest = engine.grow(rows, targets[:, self._labels], self._growth(context))
        context.progress("train", self.config.n_trees, self.config.n_trees)
        context.note(features=len(self._features), labels_learned=len(self._labels))
        if self.varies():
            context.note(varies=self.varies())
        context.window.count(documents=len(train))

    def predict(self, texts: Sequence[str], context: Context) -> TopScores:
        """The 100 best labels of each document among those that its branches led to."""
        from scipy.sparse import csr_matrix, vstack

        best = []
        for start in range(0, len(texts), _BLOCK):
            rows = self._features.rows(texts[start : start + _BLOCK])
            found = self._forest.scores(rows, self.config.beam_size, RANKED, context.threads)
            columns = self._labels[found.indices]
            best.append(_best(csr_matrix((found.data, columns, found.indptr), shape=(rows.shape[0], self._n_labels))))
            context.window.count(documents=rows.shape[0])
        return TopScores(csr_matrix(vstack(best, format="csr")) if best else csr_matrix((0, self._n_labels)))

    def save(self, folder: Path) -> None:
        """Write ``vocabulary.json``, ``xmlc.npz`` and the folder ``trees`` of the library."""
        import numpy as np

        weights = self._features.save(folder / _VOCABULARY)
        np.savez(folder / _ARRAYS, allow_pickle=False, labels=self._labels, **weights)
        (folder / _TREES).mkdir()
        self._forest.save(folder / _TREES)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote.

        Raises:
            UserError: The library is not installed.
        """
        import numpy as np

        engine = self._engine()
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            self._labels = arrays["labels"]
            self._features = Features.load(folder / _VOCABULARY, arrays, self.config)
        self._n_labels = len(labels)
        self._forest = engine.load(folder / _TREES, len(self._labels))

    def _engine(self) -> Engine:
        available = self.availability()
        if not available.ok:
            raise UserError(f"{self.name}: {available.reason}; run: {available.remedy}")
        if self.config.trees == "xr-linear":
            from baselines.trees.pecos_trees import Pecos

            return Pecos()
        from baselines.trees.omikuji_trees import Omikuji

        return Omikuji()

    def _growth(self, context: Context) -> Growth:
        config = self.config
        return Growth(
            kind=config.trees,
            trees=config.n_trees,
            max_leaf_size=config.max_leaf_size,
            c=config.c,
            prune=config.prune,
            seed=context.seeds.of("trees"),
            threads=context.threads,
            scratch=context.scratch,
        )


def _best(scores: csr_matrix) -> csr_matrix:
    """The ``RANKED`` best labels of each document."""
    import numpy as np
    from scipy.sparse import csr_matrix

    ranking = rank(TopScores(scores), RANKED)
    kept = ranking.labels >= 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1, dtype=np.int64))])
    best = csr_matrix((ranking.scores[kept], ranking.labels[kept], indptr), shape=scores.shape)
    best.sort_indices()
    return best
