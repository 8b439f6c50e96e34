"""TF-IDF and one linear machine a label: a minute on a CPU, and often hard to beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from baselines.calibration import Sigmoids
from baselines.features import Features, FeatureSettings, import_libraries
from baselines.liblinear import Classifier, ClassWeight, LinearSettings
from baselines.linear_model import LinearModel
from baselines.one_vs_rest import OneVsRest, fit_one_vs_rest
from bench.method import Context, Method
from bench.prediction import DENSE_LABELS, RANKED, Prediction, Scores, TopScores
from bench.spaces import AnyOf, Around
from bench.work import NotEstimated, Workload

if TYPE_CHECKING:
    from bench.task import Documents, LabelSpace

MANY_LABELS_NEGATIVES = 100
"""Documents that a label is trained against where there are more than ``DENSE_LABELS`` labels."""

_VOCABULARY, _ARRAYS = "vocabulary.json", "tfidf.npz"


class TfidfSettings(FeatureSettings):
    """Settings of :class:`Tfidf`; the defaults are what did best on validation documents of ``debtags``."""

    classifier: Classifier = Field(
        "svm", description="svm: support vector machines with squared hinge; logistic: logistic regressions"
    )
    c: Annotated[float, Around(10)] = Field(0.4, gt=0, description="inverse strength of the L2 penalty of each machine")
    class_weight: Annotated[ClassWeight, AnyOf("damped", "none", "balanced")] = Field(
        "damped",
        description="what a document of a label counts beside one without it: balanced: their numbers' ratio, so that "
        "both sides weigh the same; damped: its fourth root, so that rare labels are found and frequent ones stay "
        "precise; none: the same",
    )
    calibration: Literal["none", "sigmoid"] = Field(
        "none",
        description="sigmoid: scores become log-odds by a sigmoid a label, fitted to validation documents, rare labels "
        "leaning on one that all share (up to 10,000 labels); none: distances from the planes",
    )
    negatives: int | None = Field(
        None,
        ge=1,
        description="train a label against so many documents without it, half of them those most like its own, half "
        "drawn; by default all, and 100 above 10,000 labels",
    )
    max_weights: int = Field(
        100_000_000, ge=1, description="most weights held, the same number a label, its greatest; 8 bytes each"
    )
    tolerance: float = Field(0.1, gt=0, description="relative tolerance at which a machine stops training")
    prune: float = Field(0.001, ge=0, description="drop weights of at most this magnitude")


class Tfidf(Method):
    """Words, word pairs and runs of characters weighted by TF-IDF, one linear machine a label.

    A score is the distance from the label's plane, so that one threshold can cut all labels.
    """

    name: ClassVar[str] = "tfidf"
    Config = TfidfSettings
    _features: Features
    _model: LinearModel
    _sigmoids: Sigmoids | None = None

    def work(self, workload: Workload) -> NotEstimated:
        """Its features are counted while it learns."""
        labels, bound = workload.task.n_labels, f"at most {self.config.max_weights:,} weights; "
        if self.config.max_features:
            most = self.config.max_features * len(self.config.blocks)
            weights = min(most * labels, self.config.max_weights)
            bound = f"at most {weights:,} weights, {most:,} features × {labels:,} labels; "
        return NotEstimated(f"{bound}its features are the words of the training texts, counted while it learns")

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Weigh the words of ``train`` and train one machine a label; calibrate on ``validation`` where wanted.

        Raises:
            UserError: No text holds a word.
        """
        with context.phase("load"):
            import_libraries()
        self._features, rows = Features.fit(train.texts, self.config)
        self._model = fit_one_vs_rest(
            rows,
            train.label_matrix(len(labels)),
            self._how(len(train), len(labels), context),
            lambda step, total: context.progress("train", step, total),
        )
        self._sigmoids = self._calibrated(validation, len(labels))
        size = self._model.size
        context.note(features=len(self._features), parameters={"total": size, "trainable": size, "stored": size})
        context.window.count(documents=len(train))

    def predict(self, texts: Sequence[str], context: Context) -> Prediction:
        """Scores of all labels, or the 100 greatest where labels are many."""
        rows = self._features.rows(texts)
        context.window.count(documents=len(texts))
        if self._model.n_labels > DENSE_LABELS:
            return TopScores(self._model.top_scores(rows, RANKED))
        scores = self._model.scores(rows)
        return Scores(self._sigmoids(scores) if self._sigmoids is not None else scores)

    def save(self, folder: Path) -> None:
        """Write ``vocabulary.json`` and ``tfidf.npz``."""
        import numpy as np

        arrays = self._features.save(folder / _VOCABULARY) | self._model.arrays()
        if self._sigmoids is not None:
            arrays |= {"slopes": self._sigmoids.slopes, "offsets": self._sigmoids.offsets}
        np.savez(folder / _ARRAYS, **arrays)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote."""
        import numpy as np

        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            self._features = Features.load(folder / _VOCABULARY, arrays, self.config)
            self._model = LinearModel.from_arrays(arrays, len(self._features), len(labels))
            self._sigmoids = Sigmoids(arrays["slopes"], arrays["offsets"]) if "slopes" in arrays else None

    def _how(self, documents: int, labels: int, context: Context) -> OneVsRest:
        config = self.config
        machine = LinearSettings(config.classifier, config.c, config.class_weight, config.tolerance, config.prune)
        usual = MANY_LABELS_NEGATIVES if labels > DENSE_LABELS else documents
        seed = context.seeds.of("negatives")
        return OneVsRest(machine, config.negatives or usual, config.max_weights, seed, context.threads)

    def _calibrated(self, validation: Documents, labels: int) -> Sigmoids | None:
        if self.config.calibration == "none" or labels > DENSE_LABELS or not len(validation):
            return None
        gold = validation.label_matrix(labels).toarray().astype(bool)
        return Sigmoids.fit(self._model.scores(self._features.rows(validation.texts)), gold)
