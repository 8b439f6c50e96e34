"""What trivial methods reach: the frequencies of the labels, and words counted by linear machines.

Everything is scored on validation documents, never on test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.audit.facts import Floor, Floors, Spread
from bench.audit.texts import sampled
from bench.prediction import RANKED, Ranking, TopScores, rank
from bench.task import Documents, TaskData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

MOST_TRAINED = 20_000
"""Training documents that the machines learn from, those whose hashed ids come first."""

MOST_SCORED = 5_000
"""Validation documents that are scored."""

MOST_LABELS = 200
"""Labels that have a machine, the most frequent; the others are never predicted."""

MOST_CHARACTERS = 10_000
"""Characters of a text that are read."""

SHUFFLES = 20
"""Times that the linear predictions are given to other documents by chance."""

_FEATURES = 50_000
_C, _TOLERANCE = 0.3, 0.1
_WORD = r"(?u)\b\w+\b"  # scikit-learn's own pattern drops words of one letter


@dataclass(frozen=True)
class Scoring:
    """How predictions on validation documents are scored.

    Attributes:
        data: The task.
        validation: The documents to score.
        train_counts: Training documents by label, shape (labels,).
    """

    data: TaskData
    validation: Documents
    train_counts: NDArray[np.int64]

    def floor(self, scores: TopScores) -> Floor:
        """The primary metric of these scores; for multi-label tasks at the best threshold on the same documents."""
        ranking = rank(scores, RANKED)
        metric = self.data.primary_metric
        evaluation = self._evaluate(ranking)
        if metric not in evaluation.metrics:
            return Floor(value=None, reason=f"no metric is called {metric}")
        return Floor(value=evaluation.metrics[metric], reason=evaluation.undefined.get(metric))

    def shuffled(self, scores: TopScores) -> Spread | None:
        """The primary metric of these scores where chance decides which document gets which row of them."""
        import numpy as np

        rng = np.random.default_rng(0)
        orders = [rng.permutation(len(self.validation)) for _ in range(SHUFFLES)]
        values = [self.floor(TopScores(scores.values[order])).value for order in orders]
        known = [value for value in values if value is not None]
        return Spread(mean=float(np.mean(known)), deviation=float(np.std(known))) if known else None

    def _evaluate(self, ranking: Ranking) -> Any:
        from bench.metrics.evaluate import evaluate
        from bench.metrics.thresholds import choose_threshold, decide

        data, gold = self.data, self.validation.label_matrix(len(self.data.labels))
        threshold = choose_threshold(gold, ranking) if data.kind == "multi" else None
        predicted = decide(ranking, data.kind, threshold)
        return evaluate(gold, predicted, ranking, data.labels, self.train_counts, len(data.train), data.kind)


def floors(data: TaskData) -> Floors:
    """Train and score; capped in documents, labels and characters, so that it takes seconds.

    The caps are :data:`MOST_TRAINED`, :data:`MOST_SCORED`, :data:`MOST_LABELS` and :data:`MOST_CHARACTERS`.
    """
    import numpy as np

    from bench.metrics.counts import by_label

    train, validation = sampled(data.train, MOST_TRAINED), sampled(data.validation, MOST_SCORED)
    counts = by_label(data.train.label_matrix(len(data.labels)))
    scoring = Scoring(data, validation, counts)
    frequent = np.argsort(-counts, kind="stable")
    chosen = np.sort(frequent[: min(MOST_LABELS, int((counts > 0).sum()))])
    best = np.sort(frequent[:RANKED])
    prior = np.tile(counts[best] / len(data.train), (len(validation), 1))
    linear = _linear(train, scoring, chosen)
    return Floors(
        metric=data.primary_metric,
        prior=scoring.floor(_top_scores(prior, best, len(data.labels))),
        linear=scoring.floor(linear) if isinstance(linear, TopScores) else linear,
        shuffled=scoring.shuffled(linear) if isinstance(linear, TopScores) else None,
        train_documents=len(train),
        validation_documents=len(validation),
        labels=len(chosen),
    )


def _linear(train: Documents, scoring: Scoring, chosen: NDArray[np.int64]) -> TopScores | Floor:
    """Scores of one support vector machine a label on words weighted by TF-IDF, or why there are none."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(sublinear_tf=True, max_features=_FEATURES, token_pattern=_WORD)
    try:
        features = vectoriser.fit_transform(_heads(train))
    except ValueError as error:
        return Floor(value=None, reason=f"the training texts leave no features: {error}")
    held_out = vectoriser.transform(_heads(scoring.validation))
    n_labels = len(scoring.data.labels)
    columns = train.label_matrix(n_labels)[:, chosen].tocsc()
    scores = _machines(features, columns, held_out)
    return _top_scores(scores, chosen, n_labels)


def _machines(features: csr_matrix, labels: Any, held_out: csr_matrix) -> NDArray[np.float64]:
    """Distances of held-out documents from each label's plane, shape (documents, labels)."""
    import numpy as np
    from sklearn.svm import LinearSVC

    scores = np.empty((held_out.shape[0], labels.shape[1]))
    for column in range(labels.shape[1]):
        wanted = labels[:, [column]].toarray().ravel()
        if wanted.min() == wanted.max():  # on all documents of the sample, or on none: nothing to tell apart
            scores[:, column] = 2.0 * wanted[0] - 1.0
            continue
        machine = LinearSVC(C=_C, tol=_TOLERANCE, random_state=0)
        scores[:, column] = machine.fit(features, wanted).decision_function(held_out)
    return scores


def _heads(documents: Documents) -> list[str]:
    return [text[:MOST_CHARACTERS] for text in documents.texts]


def _top_scores(values: NDArray[np.float64], labels: NDArray[np.int64], n_labels: int) -> TopScores:
    """Scores of some labels, shape (documents, len(labels)), as sparse ones of all."""
    import numpy as np
    from scipy.sparse import csr_matrix

    documents, width = values.shape
    indptr = np.arange(documents + 1, dtype=np.int64) * width
    parts = values.astype(np.float32).ravel(), np.tile(labels, documents), indptr
    return TopScores(csr_matrix(parts, shape=(documents, n_labels)))
