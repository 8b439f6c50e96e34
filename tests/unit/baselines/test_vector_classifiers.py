"""Classifiers of vectors: what they learn, and what they do with labels that are everywhere, once or nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines import vector_classifiers
from baselines.vector_classifiers import (
    ALWAYS,
    NEVER,
    Logistic,
    LogisticSettings,
    Nearest,
    Scale,
    logistic,
    nearest,
)
from bench.task import Documents

N = 60


def documents(rows: list[list[int]]) -> Documents:
    return Documents([str(n) for n in range(len(rows))], ["x"] * len(rows), rows)


def vectors(seed: int = 0, size: int = 6) -> Any:
    return np.random.default_rng(seed).normal(size=(N, size)).astype(np.float32)


def by_sign(points: Any, *labels: int) -> list[list[int]]:
    """Each label is there where one dimension is positive."""
    return [[label for place, label in enumerate(labels) if row[place] > 0] for row in points]


def learnt(points: Any, rows: list[list[int]], n_labels: int, kind: Any = "multi", threads: int = 1) -> Logistic:
    return logistic(points, documents(rows), n_labels, kind, LogisticSettings(10.0, threads))


def test_scaling_is_that_of_the_training_documents() -> None:
    points = vectors() * 7 + 3
    points[:, 2] = 4.0
    scaled = Scale.of(points)(points)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0), [1, 1, 0, 1, 1, 1], atol=1e-5)


def test_each_label_is_learnt_by_itself() -> None:
    """Labels that no document has, that all have, and that one has, too."""
    points = vectors()
    rows = [[*row, 3] for row in by_sign(points, 0, 5)]
    rows[7] = [*rows[7], 6]
    scores = learnt(points, rows, 8).predict(points).values
    assert scores.dtype == np.float32
    assert scores.shape == (N, 8)
    np.testing.assert_array_equal(scores[:, [0, 5]] > 0, points[:, :2] > 0)
    assert (scores[:, 3] == ALWAYS).all()
    assert (scores[:, [1, 2, 4, 7]] == NEVER).all()
    assert scores[:, 6].argmax() == 7
    assert NEVER < scores[:, [0, 5, 6]].min() < scores[:, [0, 5, 6]].max() < ALWAYS


def test_documents_without_any_label() -> None:
    assert (learnt(vectors(), [[] for _ in range(N)], 3).predict(vectors()).values == NEVER).all()


@pytest.mark.parametrize("present", [[2], [1, 4], [0, 2, 3]])
def test_one_label_of_those_that_occur_is_chosen(present: list[int]) -> None:
    points = vectors(size=3)
    rows = [[present[row[: len(present)].argmax()]] for row in points]
    made = learnt(points, rows, 6, "single")
    scores = made.predict(points).values
    assert made.labels.tolist() == present
    assert (scores.argmax(1) == [row[0] for row in rows]).mean() > 0.9
    assert (np.delete(scores, present, axis=1) == NEVER).all()


def test_of_two_labels_the_probability_is_the_librarys() -> None:
    from sklearn.linear_model import LogisticRegression

    points = vectors()
    rows = [[int(row[0] > 0.3)] for row in points]
    scores = learnt(points, rows, 2, "single").predict(points).values.astype(float)
    library = LogisticRegression(C=10.0, max_iter=1000).fit(points.astype(float), [row[0] for row in rows])
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, library.predict_proba(points), atol=1e-5)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_threads_move_no_bit(kind: str) -> None:
    points = vectors()
    rows = by_sign(points, 0, 1, 2, 3) if kind == "multi" else [[int(row[:4].argmax())] for row in points]
    one, three = (learnt(points, rows, 4, kind, threads) for threads in (1, 3))
    assert one.weights.tobytes() == three.weights.tobytes()
    assert one.intercepts.tobytes() == three.intercepts.tobytes()


def test_a_sum_is_never_split_among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would show in the last bits of larger collections than fit into a test."""
    from threadpoolctl import threadpool_info, threadpool_limits

    seen: set[int] = set()
    whole = vector_classifiers._regression

    def watched(*given: Any) -> Any:
        seen.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return whole(*given)

    monkeypatch.setattr(vector_classifiers, "_regression", watched)
    with threadpool_limits(2, user_api="blas"):
        learnt(vectors(), by_sign(vectors(), 0, 1), 2, threads=2)
    assert seen == {1}


def test_neighbours_vote_by_their_nearness() -> None:
    points = np.float32([[1, 0], [0, 1], [-1, 0]])
    made = nearest(points, documents([[0], [1, 2], []]), 4, 2)
    ask = np.float32([[2, 1]])
    near, far = 1 - 2 / 5**0.5, 1 - 1 / 5**0.5
    total = 1 / near + 1 / far
    expected = [1 / near / total, 1 / far / total, 1 / far / total, 0]
    np.testing.assert_allclose(made.predict(ask).values, [expected], rtol=1e-5)
    copies = made.predict(points).values
    assert np.isfinite(copies).all()
    assert copies[0, 0] > 0.99


def test_fewer_documents_than_neighbours_and_vectors_of_nothing() -> None:
    made = nearest(np.zeros((3, 2), np.float32), documents([[0], [0], [1]]), 2, 10)
    np.testing.assert_allclose(made.predict(np.zeros((1, 2), np.float32)).values, [[2 / 3, 1 / 3]], rtol=1e-6)


@pytest.mark.parametrize("classifier", ["logistic", "knn"])
def test_of_many_labels_the_best_are_kept(classifier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = vectors()
    rows = by_sign(points, 0, 2, 4)
    made: Any = learnt(points, rows, 6) if classifier == "logistic" else nearest(points, documents(rows), 6, 4)
    dense = made.predict(points).values
    monkeypatch.setattr(vector_classifiers, "DENSE_LABELS", 5)
    monkeypatch.setattr(vector_classifiers, "RANKED", 2)
    monkeypatch.setattr(vector_classifiers, "_BLOCK", 20)  # some documents at a time
    top = made.predict(points).values
    assert top.dtype == np.float32
    assert top.has_sorted_indices
    for row in range(N):
        kept = top[row]
        np.testing.assert_array_equal(kept.data, dense[row, kept.indices])
        if classifier == "logistic":
            assert len(kept.indices) == 2
            assert kept.data.min() >= np.sort(dense[row])[-2]
        else:
            np.testing.assert_array_equal(kept.toarray()[0], dense[row])


def test_many_labels_and_not_one_of_them_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_classifiers, "DENSE_LABELS", 2)
    top = learnt(vectors(), [[] for _ in range(N)], 3).predict(vectors()).values
    assert (top.shape, top.nnz) == ((N, 3), 0)


def test_both_come_back_from_their_arrays() -> None:
    points = vectors()
    rows = by_sign(points, 0, 2)
    linear, near = learnt(points, rows, 4), nearest(points, documents(rows), 4, 3)
    for made, again in (
        (linear, Logistic.from_arrays(linear.arrays(), 4)),
        (near, Nearest.from_arrays(near.arrays(), 4, 3)),
    ):
        np.testing.assert_array_equal(made.predict(points).values, again.predict(points).values)
        assert made.size == again.size
