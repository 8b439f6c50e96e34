"""Rankings: best first, ties by position, the same from dense and sparse scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from bench.prediction import Scores, TopScores, rank, sets_matrix

score_arrays = arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.integers(-3, 3).map(float)
)


@given(score_arrays, st.integers(1, 12))
def test_dense_ranking_is_that_of_a_plain_sort(values, k):
    ranking = rank(Scores(values), k)
    for row, labels, scores in zip(values, ranking.labels, ranking.scores, strict=True):
        expected = sorted(range(len(row)), key=lambda label: (-row[label], label))[:k]
        assert labels.tolist() == expected
        assert scores.tolist() == [row[label] for label in expected]


@given(score_arrays, st.integers(1, 12))
def test_sparse_ranking_equals_dense_where_all_is_scored(values, k):
    n, m = values.shape
    full = csr_matrix((values.ravel(), np.tile(np.arange(m), n), np.arange(n + 1) * m), shape=(n, m))
    dense, sparse = rank(Scores(values), k), rank(TopScores(full), k)
    assert (dense.labels == sparse.labels).all()
    assert (dense.scores == sparse.scores).all()


def test_rows_with_few_scores_are_padded():
    values = csr_matrix((np.array([0.0, -1.0], np.float32), [2, 0], [0, 2, 2]), shape=(2, 4))
    ranking = rank(TopScores(values), 3)
    assert ranking.labels.tolist() == [[2, 0, -1], [-1, -1, -1]]
    assert ranking.scores[1].tolist() == [-np.inf] * 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="diverged"):
        rank(Scores(np.array([[0.0, bad]], np.float32)))


def test_label_sets_as_a_matrix():
    assert sets_matrix([[2, 0, 2], [], [1]], 3).toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
