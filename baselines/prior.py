"""The floor: every document gets the frequencies of the labels, whatever it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.method import Context, Method
from bench.prediction import DENSE_LABELS, RANKED, Prediction, Scores, TopScores
from bench.task import Documents, LabelSpace
from bench.work import NotEstimated, Workload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Prior(Method):
    """Scores each label by its share of the training documents."""

    name: ClassVar[str] = "prior"
    _shares: NDArray[np.float32]

    def work(self, workload: Workload) -> NotEstimated:
        """Next to nothing."""
        return NotEstimated("it counts labels, which takes next to nothing")

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Count the labels."""
        counts = Counter(label for row in train.labels for label in row)
        self._shares = _shares([counts[label] / len(train) for label in range(len(labels))])
        context.window.count(documents=len(train))

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """The same scores for every document: dense, or the 100 best where labels are many."""
        context.window.count(documents=len(texts))
        if len(self._shares) > DENSE_LABELS:
            return _best(self._shares, len(texts))
        import numpy as np

        return Scores(np.tile(self._shares, (len(texts), 1)))

    def save(self, folder: Path) -> None:
        """Write ``prior.json``."""
        (folder / "prior.json").write_text(json.dumps({"shares": self._shares.tolist()}), encoding="utf-8")

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read ``prior.json``."""
        self._shares = _shares(json.loads((folder / "prior.json").read_text(encoding="utf-8"))["shares"])


def _shares(values: Sequence[float]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(values, dtype=np.float32)


def _best(shares: NDArray[np.float32], documents: int) -> TopScores:
    import numpy as np
    from scipy.sparse import csr_matrix

    best = np.sort(np.argsort(-shares, kind="stable")[:RANKED])
    indptr = np.arange(documents + 1, dtype=np.int64) * len(best)
    parts = (np.tile(shares[best], documents), np.tile(best, documents), indptr)
    return TopScores(csr_matrix(parts, shape=(documents, len(shares))))
