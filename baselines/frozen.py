"""``frozen``: a classifier on embeddings from a network that is not trained; minutes where a fine-tune takes hours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from baselines.vector_classifiers import (
    Logistic,
    LogisticSettings,
    Nearest,
    Scale,
    VectorClassifier,
    logistic,
    nearest,
)
from bench.embeddings import Embedder, Embeddings, EmbeddingSettings
from bench.encoding import affixes
from bench.errors import ModelError
from bench.method import Context, Method
from bench.prediction import Scores, TopScores
from bench.spaces import Around
from bench.task import Documents, LabelSpace
from bench.training import count_parameters
from bench.work import Reading, Training, Work, Workload

if TYPE_CHECKING:
    from bench.model import ResolvedModel

_LEARNT = "frozen.npz"
_START = "start.json"


class FrozenSettings(EmbeddingSettings):
    """Settings of ``frozen``; those of the other classifier lie idle."""

    classifier: Literal["logistic", "knn"] = Field(
        "logistic",
        description="logistic: regression, multinomial for one label a document, else for each label; knn: the nearest "
        "training documents vote",
    )
    c: Annotated[float, Around(30)] = Field(0.1, gt=0, description="logistic: inverse strength of the L2 penalty")
    neighbours: int = Field(10, ge=1, description="knn: training documents that vote, by cosine distance")


class Frozen(Method):
    """Pooled embeddings of any encoder or decoder, standardised, under logistic regression or nearest neighbours.

    The network is not trained. Embeddings of training and validation documents are computed once and kept; to measure
    how fast it labels, those of test documents are always computed. Scores are logits, or the neighbours' votes.
    """

    name = "frozen"
    Config = FrozenSettings
    model_architecture = "any"
    uses_torch = True
    _classifier: VectorClassifier

    def work(self, workload: Workload) -> Work:
        """Every document is read once; the classifier's own work is small beside that, and left out."""
        before, after = affixes(workload.tokenizer)
        reading = Reading(self.config.batch_size, self.config.max_tokens, len(before) + len(after))
        training = Training(reading, epochs=1, batch_size=self.config.batch_size)
        if self.config.classifier == "knn":
            return Work("body", "nothing", reading, training)
        return Work("body", "head", reading, training, head=workload.task.n_labels * (workload.hidden_size + 1))

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Embed the training documents and fit the classifier to them."""
        with context.phase("load"):
            self._embedder = Embedder.load(_model(context), self.config, context)
        made = self._embedder.embed(train.texts, context)
        self._scale = Scale.of(made.vectors)
        vectors = self._scale(made.vectors)
        if self.config.classifier == "knn":
            self._classifier = nearest(vectors, train, len(labels), self.config.neighbours)
        else:
            settings = LogisticSettings(
                self.config.c, context.threads, lambda step, total: context.progress("train", step, total)
            )
            found = logistic(vectors, train, len(labels), context.task.kind, settings)
            context.note(unconverged=found.unconverged)
            self._classifier = found
        self._note_sizes(context)
        context.note(truncated_share=made.truncated_share, embeddings_train=_facts(made))

    def predict(self, texts: Sequence[str], context: Context) -> Scores | TopScores:
        """Scores, float32, or the 100 best where labels are many; embeddings of test documents are computed anew."""
        if context.phase_name == "validate":
            made = self._embedder.embed(texts, context)
            context.note(truncated_share_validate=made.truncated_share, embeddings_validate=_facts(made))
            return self._classifier.predict(self._scale(made.vectors))
        return self._classifier.predict(self._scale(self._embedder.compute(texts, context)))

    def save(self, folder: Path) -> None:
        """Write what was learnt; the network stays where it is."""
        import numpy as np

        learnt: dict[str, Any] = {"mean": self._scale.mean, "deviation": self._scale.deviation}
        np.savez(folder / _LEARNT, **learnt | self._classifier.arrays())
        (folder / _START).write_text(json.dumps({"revision": self._embedder.revision}), "utf-8")

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote, on top of the same model.

        Raises:
            ModelError: It is another model.
        """
        import numpy as np

        model = _model(context)
        revision = json.loads((folder / _START).read_text("utf-8"))["revision"]
        if model.revision != revision:
            raise ModelError(f"{folder} was fitted on a model of revision {revision}, not on {model.name}")
        with np.load(folder / _LEARNT, allow_pickle=False) as arrays:
            self._scale = Scale(arrays["mean"], arrays["deviation"])
            if self.config.classifier == "knn":
                self._classifier = Nearest.from_arrays(arrays, len(labels), self.config.neighbours)
            else:
                self._classifier = Logistic.from_arrays(arrays, len(labels))
        self._embedder = Embedder.load(model, self.config, context)

    def _note_sizes(self, context: Context) -> None:
        learnt = self._classifier.size
        total = count_parameters(self._embedder.network)[1] + learnt
        context.note(parameters={"total": total, "trainable": learnt, "stored": learnt})


def _facts(made: Embeddings) -> dict[str, float]:
    """Where embeddings came from, and what computing them took, now or then."""
    count = len(made.vectors)
    return {"documents": count, "from_cache": count if made.recalled else 0, "seconds": made.seconds}


def _model(context: Context) -> ResolvedModel:
    if context.model is None:
        raise ModelError("frozen reads with a pretrained encoder or decoder; name one with --model")
    return context.model
