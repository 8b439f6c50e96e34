"""TF-IDF and one linear support vector machine a label: minutes on a CPU, and often hard to beat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from baselines.one_vs_rest import LinearModel, LinearSettings, fit_one_vs_rest
from bench.errors import UserError
from bench.method import Context, Method
from bench.prediction import DENSE_LABELS, RANKED, Prediction, Scores, TopScores
from bench.settings import Settings
from bench.work import NotEstimated, Workload

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from bench.task import Documents, LabelSpace

_DOCUMENTS_PER_MIN_DF = 100
_WORD = r"(?u)\b\w+\b"  # scikit-learn's own pattern drops words of one letter, such as C and R


class TfidfSettings(Settings):
    """Settings of :class:`Tfidf`."""

    c: float = Field(0.3, gt=0, description="inverse strength of the L2 penalty of each machine")
    ngrams: int = Field(2, ge=1, le=5, description="longest run of words that is a feature")
    min_df: int = Field(
        5,
        ge=1,
        description="leave out words of fewer documents; at most one for every 100 training documents, so that "
        "a small collection keeps its words",
    )
    max_df: float = Field(1.0, gt=0, le=1, description="leave out words of more than this share of the documents")
    max_features: int | None = Field(None, ge=1, description="keep only so many features, the most frequent; all")
    sublinear_tf: bool = Field(True, description="1 + log(count) in place of the count")
    stop_words: bool = Field(True, description="leave out English function words")
    tolerance: float = Field(0.1, gt=0, description="relative tolerance at which a machine stops training")
    prune: float = Field(0.001, ge=0, description="drop weights of at most this magnitude")


class Tfidf(Method):
    """Words and word pairs weighted by TF-IDF, one linear support vector machine (squared hinge) a label.

    A score is the distance from the label's plane, so that one threshold can cut all labels.
    """

    name: ClassVar[str] = "tfidf"
    Config = TfidfSettings
    _vectoriser: Any
    _model: LinearModel

    def work(self, workload: Workload) -> NotEstimated:
        """Its features are counted while it learns."""
        most, labels = self.config.max_features, workload.task.n_labels
        bound = f"at most {most * labels:,} weights, {most:,} features × {labels:,} labels; " if most else ""
        return NotEstimated(f"{bound}its features are the words of the training texts, counted while it learns")

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Weigh the words of ``train`` and train one machine a label.

        Raises:
            UserError: No text holds a word.
        """
        self._vectoriser = self._new_vectoriser(min_df=self._min_df(len(train)))
        try:
            features = self._vectoriser.fit_transform(train.texts)
        except ValueError as error:
            raise UserError(f"{self.name}: the training texts leave no features: {error}") from error
        settings = LinearSettings(
            self.config.c, self.config.tolerance, self.config.prune, context.seeds.of("liblinear"), context.threads
        )
        self._model = fit_one_vs_rest(
            features,
            train.label_matrix(len(labels)),
            settings,
            lambda step, total: context.progress("train", step, total),
        )
        size = self._model.size
        context.note(features=features.shape[1], parameters={"total": size, "trainable": size, "stored": size})
        context.window.count(documents=len(train))

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Distances from all planes, or the 100 greatest where labels are many."""
        features: csr_matrix = self._vectoriser.transform(texts)
        context.window.count(documents=len(texts))
        if self._model.n_labels > DENSE_LABELS:
            return TopScores(self._model.top_scores(features, RANKED))
        return Scores(self._model.scores(features))

    def save(self, folder: Path) -> None:
        """Write ``vocabulary.json`` and ``tfidf.npz``."""
        import numpy as np

        words = sorted(self._vectoriser.vocabulary_, key=self._vectoriser.vocabulary_.__getitem__)
        (folder / "vocabulary.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        np.savez(folder / "tfidf.npz", idf=self._vectoriser.idf_, **self._model.arrays())

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote."""
        import numpy as np

        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "tfidf.npz", allow_pickle=False) as arrays:
            self._model = LinearModel.from_arrays(arrays, len(words), len(labels))
            self._vectoriser = self._new_vectoriser(vocabulary={word: place for place, word in enumerate(words)})
            self._vectoriser.idf_ = arrays["idf"]

    def _min_df(self, documents: int) -> int:
        return min(int(self.config.min_df), max(1, documents // _DOCUMENTS_PER_MIN_DF))

    def _new_vectoriser(self, **given: Any) -> Any:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            ngram_range=(1, self.config.ngrams),
            max_df=self.config.max_df,
            max_features=self.config.max_features,
            sublinear_tf=self.config.sublinear_tf,
            stop_words="english" if self.config.stop_words else None,
            token_pattern=_WORD,
            dtype=np.float64,
            **given,
        )
