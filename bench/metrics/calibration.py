"""Whether scores can be believed: of answers given with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, softmax

from bench.metrics.ranking import relevance
from bench.metrics.values import Undefined, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking
    from bench.task import Kind

BINS = 15
"""Bins of equal width, as in Guo et al. (ICML 2017)."""
TOLERANCE = 1e-3
"""By so much the probabilities of a document's labels, which are float32, may sum to other than 1."""

Scale = Literal["stored", "softmax", "sigmoid"]
_LEAST = float(np.finfo(np.float64).eps)
_FORBIDDEN = np.finfo(np.float32).min
_UNRANKED = Undefined("not all labels are in the stored ranking")
_NONE_GIVEN = Undefined("no document was given a label")


@dataclass(frozen=True)
class Reliability:
    """Answers sorted into bins by their probability; empty bins are left out.

    Attributes:
        confidence: Mean probability in each bin.
        accuracy: Share of them that are right.
        counts: How many there are.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def error(self) -> float:
        """The expected calibration error: Σ counts × |accuracy − confidence| / Σ counts.

        Source: Naeini et al. (AAAI 2015), in the form of Guo et al. (ICML 2017), equation 3.
        """
        return float(np.average(np.abs(self.accuracy - self.confidence), weights=self.counts))


@dataclass(frozen=True)
class Calibration:
    """How far a method's probabilities are from what happens.

    Attributes:
        scale: How scores were made probabilities.
        reliability: Of the answers: of a single-label task the best label of each document, of a multi-label task all
            ranked pairs of a document and a label.
        confidence: Mean probability of the labels that were given.
        accuracy: Share of the labels that were given that are right.
        brier: See :func:`brier`; of a single-label task :func:`brier_of_one`.
        nll: Mean negative logarithm of what the truth was given, natural, in nats; probabilities are kept at least one
            machine epsilon from 0 (and 1), as scikit-learn's ``log_loss`` does.
    """

    scale: Scale
    reliability: Reliability
    confidence: Value
    accuracy: Value
    brier: Value
    nll: Value

    @property
    def error(self) -> float:
        """The expected calibration error."""
        return self.reliability.error


def reliability(probability: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> Reliability:
    """Sort answers into bins of equal width, each closed at its upper end, the first at both.

    Args:
        probability: From 0 to 1, shape (answers,), at least one.
        right: Which of them are right, the same shape.
        bins: How many.
    """
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    place = np.digitize(probability, edges, right=True)
    counts = np.bincount(place, minlength=bins)
    some = counts > 0
    confidence = np.bincount(place, probability, bins)[some] / counts[some]
    accuracy = np.bincount(place, right, bins)[some] / counts[some]
    return Reliability(confidence, accuracy, counts[some])


def brier(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean (p − y)² over answers (Brier 1950, for two outcomes); 0 is best, always saying 0.5 gives 0.25."""
    return float(np.mean((probability - right) ** 2))


def brier_of_one(probability: NDArray[np.float64], gold: NDArray[np.float64]) -> float:
    """Mean over documents of Σ (p − y)² over all labels (Brier 1950); from 0, which is best, to 2.

    Args:
        probability: Of every label, shape (documents, labels), rows sum to 1.
        gold: What the one gold label was given, shape (documents,).
    """
    return float(np.mean((probability**2).sum(axis=1) - 2 * gold + 1))


def scale_of(ranking: Ranking, kind: Kind) -> Scale | Undefined:
    """How the scores of a ranking become probabilities, as far as the scores themselves tell.

    Those from 0 to 1 are taken as they are; of labels that exclude each other they must sum to 1 as well (to at most 1
    where only some labels are ranked). Others are taken for log-odds: of labels that exclude each other by a softmax,
    for which all of them must be ranked, else each by a sigmoid.
    """
    ranked = ranking.labels >= 0
    scores = ranking.scores[ranked]
    if not len(scores):
        return Undefined("no label is ranked")
    within = bool(((scores >= 0) & (scores <= 1)).all())
    if kind == "multi":
        return "stored" if within else "sigmoid"
    complete = _complete(ranking)
    sums = np.where(ranked, ranking.scores, 0).sum(axis=1, dtype=np.float64)
    if within and (sums <= 1 + TOLERANCE).all() and not (complete and (sums < 1 - TOLERANCE).any()):
        return "stored"
    return "softmax" if complete else _UNRANKED


def probabilities(ranking: Ranking, scale: Scale) -> NDArray[np.float64]:
    """What each ranked label was given, shape (documents, k); 0 where nothing is ranked.

    Args:
        ranking: The ranking.
        scale: Of :func:`scale_of`.
    """
    scores = ranking.scores.astype(np.float64)
    if scale == "softmax":
        return np.asarray(softmax(scores, axis=1))
    made = expit(scores) if scale == "sigmoid" else scores
    return np.where(ranking.labels >= 0, made, 0.0)


def calibration(ranking: Ranking, gold: csr_matrix, predicted: csr_matrix, kind: Kind) -> Calibration | Undefined:
    """How well the scores of a ranking foretell what is right.

    Args:
        ranking: A score's probability is looked at as :func:`scale_of` says.
        gold: 0/1 in canonical form, shape (documents, labels).
        predicted: The label sets that were given, the same shape and form.
        kind: ``single``: each document has one gold label.

    Returns:
        The figures, or why there are none.
    """
    scale = scale_of(ranking, kind)
    if isinstance(scale, Undefined):
        return scale
    probability = probabilities(ranking, scale)
    return _of_pairs(ranking, probability, gold, predicted, scale) if kind == "multi" else _of_one(
        ranking, probability, gold, scale
    )  # fmt: skip


def _of_one(ranking: Ranking, probability: NDArray[np.float64], gold: csr_matrix, scale: Scale) -> Calibration:
    hits = relevance(gold, ranking).hits
    confidence, right = probability[:, 0], hits[:, 0]
    truth = np.where(hits, probability, 0).sum(axis=1)
    complete = _complete(ranking)
    return Calibration(
        scale,
        reliability(confidence, right),
        float(confidence.mean()),
        float(right.mean()),
        brier_of_one(probability, truth) if complete else _UNRANKED,
        float(-np.log(np.maximum(truth, _LEAST)).mean()) if complete else _UNRANKED,
    )


def _of_pairs(
    ranking: Ranking, probability: NDArray[np.float64], gold: csr_matrix, predicted: csr_matrix, scale: Scale
) -> Calibration:
    ranked = ranking.labels >= 0
    right, given = relevance(gold, ranking).hits, relevance(predicted, ranking).hits
    each, truth = probability[ranked], right[ranked]
    foretold = np.clip(np.where(truth, each, 1 - each), _LEAST, 1)
    return Calibration(
        scale,
        reliability(each, truth),
        float(probability[given].mean()) if given.any() else _NONE_GIVEN,
        float(right[given].mean()) if given.any() else _NONE_GIVEN,
        brier(each, truth),
        float(-np.log(foretold).mean()),
    )


@dataclass(frozen=True)
class Sigmoid:
    """A score's probability by one sigmoid for all labels: 1 / (1 + exp(−slope × score − offset)) (Platt 1999)."""

    slope: float
    offset: float

    @classmethod
    def fit(cls, scores: NDArray[np.float64], right: NDArray[np.bool_]) -> Sigmoid:
        """The sigmoid of the greatest likelihood; that of no documents that are scored here.

        Args:
            scores: Finite, shape (pairs,).
            right: Which pairs are right; some are and some are not, else there is none.

        Raises:
            ValueError: All are right, or none.
        """
        if right.all() or not right.any():
            raise ValueError("a sigmoid is fitted to pairs of which some are right and some are not")
        middle, spread = float(scores.mean()), float(scores.std()) or 1.0
        unit, signs = (scores - middle) / spread, np.where(right, 1.0, -1.0)

        def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            margin = signs * (at[0] * unit + at[1])
            pull = -signs * expit(-margin)
            return float(-log_expit(margin).mean()), np.array([(pull * unit).mean(), pull.mean()])

        found = minimize(loss, np.array([1.0, np.log(right.mean())]), jac=True, method="BFGS", options={"maxiter": 100})
        slope = float(found.x[0]) / spread
        return cls(slope, float(found.x[1]) - slope * middle)

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of scores."""
        return np.asarray(expit(self.slope * scores + self.offset))


def scaled_reliability(
    validation: Ranking, validation_gold: csr_matrix, ranking: Ranking, gold: csr_matrix
) -> Reliability | Undefined:
    """Reliability of all ranked pairs after one sigmoid that was fitted to validation documents.

    Args:
        validation: Their ranking.
        validation_gold: Their labels.
        ranking: Of the documents that are judged.
        gold: Their labels.
    """
    scores, right = _pairs(validation, validation_gold)
    if not len(scores) or right.all() or not right.any():
        return Undefined("validation documents have no label that was ranked, or no other")
    test_scores, test_right = _pairs(ranking, gold)
    if not len(test_scores):
        return Undefined("no label is ranked")
    return reliability(Sigmoid.fit(scores, right)(test_scores), test_right)


def _pairs(ranking: Ranking, gold: csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of all ranked pairs, and which are right; what a method forbids is left out."""
    some = (ranking.labels >= 0) & (ranking.scores > _FORBIDDEN)
    return ranking.scores[some].astype(np.float64), relevance(gold, ranking).hits[some]


def _complete(ranking: Ranking) -> bool:
    return ranking.labels.shape[1] == ranking.n_labels and bool((ranking.labels >= 0).all())
