"""One machine a label: what LIBLINEAR itself gives, on some documents only where labels are many, within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from baselines.calibration import Sigmoids
from baselines.liblinear import LinearSettings, Machine, train_machine
from baselines.linear_model import ALWAYS, NEVER, LinearModel
from baselines.negatives import Negatives
from baselines.one_vs_rest import OneVsRest, fit_one_vs_rest

DOCUMENTS, FEATURES, LABELS = 300, 80, 25


@pytest.fixture(scope="module")
def features() -> csr_matrix:
    made = random_matrix(DOCUMENTS, FEATURES, 0.1, format="csr", random_state=0, dtype=np.float32)
    return csr_matrix(made)


@pytest.fixture(scope="module")
def targets(features: csr_matrix) -> csr_matrix:
    """A label for each of the first features but one that none has and one that all have."""
    gold = features[:, :LABELS].toarray() > 0
    gold[:, 3], gold[:, 4] = False, True
    return csr_matrix(gold.astype(np.int8))


def fitted(features: csr_matrix, targets: csr_matrix, **given: Any) -> LinearModel:
    usual = {"machine": LinearSettings(), "negatives": DOCUMENTS, "weights": 10**9, "seed": 0, "threads": 2}
    return fit_one_vs_rest(features, targets, OneVsRest(**usual | given), lambda done, of: None)


@pytest.mark.parametrize("classifier", ["svm", "logistic"])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_is_what_scikit_learn_finds(
    classifier: Any, class_weight: Any, features: csr_matrix, targets: csr_matrix
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    positive = targets[:, [0]].toarray().ravel() > 0
    found = train_machine(features, positive, LinearSettings(classifier, 0.7, class_weight, 1e-6))
    weight = {0: 1.0, 1: (~positive).sum() / positive.sum()} if class_weight == "balanced" else None
    common = {"C": 0.7, "tol": 1e-6, "class_weight": weight}
    wanted = (
        LinearSVC(dual=False, **common) if classifier == "svm" else LogisticRegression(solver="liblinear", **common)
    )
    wanted.fit(features.astype(np.float64), positive)
    weights = np.zeros(FEATURES)
    weights[found.features] = found.weights
    np.testing.assert_allclose(weights, wanted.coef_[0], atol=1e-4)
    assert found.intercept == pytest.approx(wanted.intercept_[0], abs=1e-4)


@pytest.mark.parametrize("negatives", [DOCUMENTS, 20])
def test_the_number_of_threads_leaves_no_trace(
    negatives: int, features: csr_matrix, targets: csr_matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baselines.one_vs_rest._TOGETHER", 4)
    one, other = (fitted(features, targets, negatives=negatives, threads=threads) for threads in (1, 3))
    assert np.array_equal(one.scores(features), other.scores(features))


def test_labels_of_none_and_of_all_have_their_scores(features: csr_matrix, targets: csr_matrix) -> None:
    for negatives in (DOCUMENTS, 20):
        scores = fitted(features, targets, negatives=negatives).scores(features)
        assert (scores[:, 3] == NEVER).all()
        assert (scores[:, 4] == ALWAYS).all()
        assert (np.delete(scores, [3], axis=1) > NEVER).all()


def test_a_label_is_told_from_documents_like_its_own_and_from_some_at_random(targets: csr_matrix) -> None:
    """Documents of one word each: those with the label's word are found, whatever the seed."""
    words = np.arange(1000) // 10
    features = csr_matrix((np.ones(1000, np.float32), (np.arange(1000), words)), shape=(1000, 100))
    columns = csr_matrix(np.arange(1000)[:, None] == 5).tocsc()
    drawn = [Negatives.of(features, 12, seed).rows(columns, np.array([0], np.int32))[0] for seed in (0, 1)]
    for rows in drawn:
        assert 5 in rows
        assert len(np.intersect1d(rows, range(10))) >= 7
        assert len(rows) == 13
        assert (np.diff(rows) > 0).all()
    assert not np.array_equal(*drawn)


def test_a_label_of_most_documents_is_shown_some_without_it(features: csr_matrix) -> None:
    """However few negatives it gets: one that only sees its own documents would be given to every document."""
    columns = csr_matrix(np.arange(DOCUMENTS)[:, None] % 10 > 0).tocsc()
    for seed in range(20):
        negatives = Negatives.of(features, 3, seed).rows(columns, np.array([0], np.int32))[0] % 10 == 0
        assert negatives.sum() == 3


def test_few_negatives_still_tell_labels_apart(features: csr_matrix, targets: csr_matrix) -> None:
    scores = fitted(features, targets, negatives=60).scores(features)
    gold = targets.toarray() > 0
    ranks = [(scores[gold[:, n], n][:, None] > scores[~gold[:, n], n]).mean() for n in range(5, LABELS)]
    assert min(ranks) > 0.9


def test_weights_are_bounded_over_all_labels_and_the_greatest_stay(features: csr_matrix, targets: csr_matrix) -> None:
    whole, cut = fitted(features, targets), fitted(features, targets, weights=24 * 7)
    assert whole.weights.nnz > 24 * 7 >= cut.weights.nnz
    assert (np.diff(cut.weights.tocsc().indptr) <= 7).all()
    for place in range(24):
        all_, kept = (np.abs(model.weights[:, [place]].toarray().ravel()) for model in (whole, cut))
        assert set(np.flatnonzero(kept)) == set(np.argsort(-all_)[:7]) & set(np.flatnonzero(all_))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_labels() -> None:
    """What the model holds for 3,000 labels of a document each is what its bound says, not labels times features."""
    features = csr_matrix(random_matrix(500, 400, 0.05, format="csr", random_state=1, dtype=np.float32))
    targets = csr_matrix((np.ones(3000, np.int8), (np.arange(3000) % 500, np.arange(3000))), shape=(500, 3000))
    model = fitted(features, targets, negatives=10, weights=30_000)
    held = sum(array.nbytes for array in model.arrays().values())
    assert model.weights.nnz <= 30_000
    assert held < 30_000 * 8 + 3000 * 8 + 401 * 8
    best = model.top_scores(features[:20], 5)
    assert best.nnz == 100
    hits = [row in best.indices[5 * row : 5 * row + 5] % 500 for row in range(20)]
    assert np.mean(hits) > 0.9


def test_a_machine_without_more_weights_than_wanted_stays_as_it_is() -> None:
    machine = Machine(np.array([1, 4, 6], np.int32), np.array([0.5, -2, 1], np.float32), 0.1)
    assert machine.cut(3) is machine
    assert machine.cut(2).features.tolist() == [4, 6]


def test_sigmoids_bring_labels_onto_one_scale() -> None:
    """Two labels of the same odds, the scores of one three times as small; and one without a positive document."""
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 2, size=(4000, 2))
    gold = np.column_stack([rng.random((4000, 2)) < 1 / (1 + np.exp(-odds)), np.zeros(4000)]) > 0
    scores = np.column_stack([odds[:, 0], odds[:, 1] / 3, odds[:, 0] - 3]).astype(np.float32)
    found = Sigmoids.fit(scores, gold)(scores)
    assert np.abs(found[:, :2] - odds).mean() < 0.2
    assert found[:, 2].mean() < found[:, 0].mean() - 2
    assert found.dtype == np.float32


def test_a_sigmoid_that_may_not_fall_still_has_its_documents_share() -> None:
    """The scores of one label go the wrong way."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, size=(4000, 2))
    gold = rng.random((4000, 2)) < 1 / (1 + np.exp(-odds * [1, -1] - 0.7))
    found = Sigmoids.fit(odds.astype(np.float32), gold)(odds.astype(np.float32))
    assert (1 / (1 + np.exp(-found))).mean(axis=0) == pytest.approx(gold.mean(axis=0), abs=0.02)


def test_sigmoids_of_many_labels_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(400, 6)).astype(np.float32)
    gold = rng.random((400, 6)) < 1 / (1 + np.exp(-2 * scores))
    whole = Sigmoids.fit(scores, gold)(scores)
    monkeypatch.setattr("baselines.calibration._DECISIONS", 1000)
    assert np.abs(Sigmoids.fit(scores, gold)(scores) - whole).mean() < 0.1


def test_sigmoids_of_nothing_leave_scores_as_they_are() -> None:
    scores = np.array([[0.5, NEVER, -0.5]], np.float32)
    assert np.array_equal(Sigmoids.fit(scores, np.zeros((1, 3), bool))(scores), scores)
