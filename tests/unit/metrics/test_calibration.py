"""Calibration against hand-worked cases and scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from bench.metrics.calibration import Sigmoid, calibration, reliability, scale_of, scaled_reliability
from bench.metrics.values import Undefined
from bench.prediction import Scores, TopScores, rank, sets_matrix


def ranked(values, k=100):
    return rank(Scores(np.asarray(values, dtype=np.float32)), k)


def single(values, gold, n_labels=None):
    values = np.asarray(values, dtype=np.float32)
    gold = sets_matrix([[label] for label in gold], values.shape[1])
    best = sets_matrix([[int(row.argmax())] for row in values], values.shape[1])
    return calibration(ranked(values), gold, best, "single")


def test_expected_calibration_error_by_hand():
    # Two bins: four answers of 0.75 with two right, one of 0.25 that is right: (4 × 0.25 + 1 × 0.75) / 5.
    found = reliability(np.array([0.75, 0.75, 0.75, 0.75, 0.25]), np.array([True, True, False, False, True]), bins=2)
    assert found.confidence.tolist() == [0.25, 0.75]
    assert found.accuracy.tolist() == [1.0, 0.5]
    assert found.counts.tolist() == [1, 4]
    assert found.error == pytest.approx((4 * 0.25 + 0.75) / 5)


def test_bins_are_closed_at_their_upper_end_and_hold_every_probability():
    found = reliability(np.array([0.0, 0.5, 0.500001, 1.0]), np.array([False, True, True, True]), bins=2)
    assert found.counts.tolist() == [2, 2]


def test_bins_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    probability = rng.random(2000)
    right = rng.random(2000) < probability**2
    theirs_right, theirs_mean = calibration_curve(right, probability, n_bins=15, strategy="uniform")
    ours = reliability(probability, right)
    assert ours.accuracy == pytest.approx(theirs_right)
    assert ours.confidence == pytest.approx(theirs_mean)
    assert ours.counts.sum() == 2000


def test_probabilities_that_come_true_have_no_error():
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    assert reliability(probability, rng.random(200_000) < probability).error < 0.01
    assert reliability(probability, rng.random(200_000) < probability / 2).error == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("logits", [True, False])
def test_single_label_figures_are_those_of_scikit_learn(logits):
    rng = np.random.default_rng(2)
    values = 3 * rng.standard_normal((300, 4))
    probability = softmax(values.astype(np.float32).astype(float), axis=1)
    gold = rng.integers(4, size=300)
    found = single(values if logits else probability, gold)
    assert found.scale == ("softmax" if logits else "stored")
    assert found.nll == pytest.approx(log_loss(gold, probability, labels=range(4)), rel=1e-5)
    one_hot = np.eye(4)[gold]
    assert found.brier == pytest.approx(((probability - one_hot) ** 2).sum(axis=1).mean(), rel=1e-5)
    assert found.confidence == pytest.approx(probability.max(axis=1).mean(), rel=1e-5)
    assert found.accuracy == pytest.approx((probability.argmax(axis=1) == gold).mean())


@pytest.mark.parametrize("logits", [True, False])
def test_multi_label_figures_are_those_of_scikit_learn(logits):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((200, 6)).astype(np.float32)
    probability = expit(values.astype(float))
    truth = rng.random((200, 6)) < probability
    gold = csr_matrix(truth.astype(np.int8))
    given = csr_matrix((values > 0.5).astype(np.int8))
    found = calibration(ranked(values if logits else probability), gold, given, "multi")
    assert found.scale == ("sigmoid" if logits else "stored")
    assert found.brier == pytest.approx(brier_score_loss(truth.ravel(), probability.ravel()), rel=1e-5)
    assert found.nll == pytest.approx(log_loss(truth.ravel(), probability.ravel()), rel=1e-5)
    assert found.reliability.counts.sum() == 200 * 6
    assert found.accuracy == pytest.approx(truth[values > 0.5].mean())
    assert found.confidence == pytest.approx(probability[values > 0.5].mean(), rel=1e-5)


def test_scores_from_0_to_1_that_do_not_sum_to_1_are_no_probabilities_of_labels_that_exclude_each_other():
    assert scale_of(ranked([[0.9, 0.8]]), "single") == "softmax"
    assert scale_of(ranked([[0.1, 0.2]]), "single") == "softmax"
    assert scale_of(ranked([[0.9, 0.1]]), "single") == "stored"
    assert scale_of(ranked([[0.9, 0.8]]), "multi") == "stored"


def test_a_softmax_takes_all_labels():
    """Of the 100 best of more labels the rest is unknown."""
    found = scale_of(ranked([[3.0, 2.0, 1.0]], k=2), "single")
    assert isinstance(found, Undefined)
    assert "not all labels" in found.reason


def test_probabilities_of_the_best_labels_alone_have_no_brier_score():
    ranking, gold = ranked([[0.6, 0.3, 0.1]], k=2), sets_matrix([[2]], 3)
    found = calibration(ranking, gold, sets_matrix([[0]], 3), "single")
    assert found.scale == "stored"
    assert found.error == pytest.approx(0.6)
    assert isinstance(found.brier, Undefined)
    assert isinstance(found.nll, Undefined)


def test_a_label_that_was_ruled_out_costs_no_more_than_an_epsilon():
    assert single([[1.0, 0.0]], [1]).nll == pytest.approx(-np.log(np.finfo(float).eps))


def test_nothing_ranked():
    ranking = rank(TopScores(csr_matrix((3, 5), dtype=np.float32)))
    assert isinstance(calibration(ranking, sets_matrix([[0]] * 3, 5), sets_matrix([[]] * 3, 5), "multi"), Undefined)


def test_where_no_label_is_given_nothing_is_said_of_given_labels():
    found = calibration(ranked([[0.4, 0.1]]), sets_matrix([[0]], 2), sets_matrix([[]], 2), "multi")
    assert isinstance(found.confidence, Undefined)
    assert isinstance(found.accuracy, Undefined)
    assert found.error == pytest.approx((0.6 + 0.1) / 2)


def test_one_label():
    found = single([[0.3], [2.0]], [0, 0])
    assert (found.error, found.brier, found.nll) == (0.0, 0.0, 0.0)


def test_the_sigmoid_is_the_logistic_regression_s():
    rng = np.random.default_rng(4)
    scores = 5 + 20 * rng.standard_normal(3000)
    right = rng.random(3000) < expit(0.1 * scores - 2)
    ours = Sigmoid.fit(scores, right)
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(scores[:, None], right)
    assert ours.slope == pytest.approx(float(theirs.coef_[0, 0]), rel=1e-3)
    assert ours.offset == pytest.approx(float(theirs.intercept_[0]), rel=1e-3)
    with pytest.raises(ValueError, match="some are not"):
        Sigmoid.fit(scores, np.ones(3000, dtype=bool))


def test_scaling_by_validation_documents_mends_what_a_sigmoid_can():
    rng = np.random.default_rng(5)

    def documents():
        logits = rng.standard_normal((5000, 5))
        gold = csr_matrix((rng.random((5000, 5)) < expit(logits)).astype(np.int8))
        return ranked(10 * logits + 7), gold  # far too sure, and shifted

    validation, validation_gold = documents()
    test, gold = documents()
    assert calibration(test, gold, gold, "multi").error > 0.2
    assert scaled_reliability(validation, validation_gold, test, gold).error < 0.02
    nothing = csr_matrix((5000, 5), dtype=np.int8)
    assert isinstance(scaled_reliability(validation, nothing, test, gold), Undefined)
