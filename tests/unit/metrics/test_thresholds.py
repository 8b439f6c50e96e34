import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from bench.metrics.f1 import set_metrics
from bench.metrics.thresholds import choose_threshold, decide
from bench.prediction import Ranking, Scores, TopScores, rank

FLOATS = st.one_of(
    st.integers(-3, 3).map(float),  # ties
    st.floats(-1e3, 1e3, width=32),
    st.sampled_from([1.0, float(np.nextafter(np.float32(1), np.float32(2))), float(np.float32(3e38)), -3e38]),
).map(lambda value: float(np.float32(value)))
CASES = st.tuples(st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda s: st.tuples(arrays(np.int8, s, elements=st.integers(0, 1)), arrays(np.float32, s, elements=FLOATS))
)


def micro_f1(gold, predicted):
    return set_metrics(csr_matrix(gold), predicted, np.ones(gold.shape[1], np.int64), "multi")["micro_f1"]


def cut(gold, ranking, threshold):
    return micro_f1(gold, decide(ranking, "multi", threshold))


@settings(deadline=None, max_examples=100)
@given(CASES)
def test_sweep_finds_what_trying_every_threshold_finds(case):
    gold, values = case
    ranking = rank(Scores(values))
    every = {float(v) for v in values.flat} | {float(np.nextafter(v, np.float32(-np.inf))) for v in values.flat}
    best = max(cut(gold, ranking, threshold) for threshold in every)
    chosen = choose_threshold(csr_matrix(gold), ranking)
    assert cut(gold, ranking, chosen) == best
    fewest = min(decide(ranking, "multi", t).nnz for t in every if cut(gold, ranking, t) == best)
    assert decide(ranking, "multi", chosen).nnz == fewest


@settings(deadline=None, max_examples=100)
@given(CASES, st.randoms())
def test_order_of_documents_does_not_matter(case, random):
    gold, values = case
    order = list(range(len(gold)))
    random.shuffle(order)
    ahead = choose_threshold(csr_matrix(gold), rank(Scores(values)))
    assert choose_threshold(csr_matrix(gold[order]), rank(Scores(values[order]))) == ahead


@settings(deadline=None, max_examples=100)
@given(CASES)
def test_threshold_means_the_same_in_double_precision_and_after_json(case):
    gold, values = case
    ranking = rank(Scores(values))
    threshold = choose_threshold(csr_matrix(gold), ranking)
    assert json.loads(json.dumps(threshold)) == threshold
    assert isinstance(threshold, float)
    wide = ranking.scores.astype(np.float64) > threshold
    assert (wide == (ranking.scores > np.float32(threshold))).all()


def test_threshold_lies_midway():
    ranking = rank(Scores(np.array([[9.0, 4.0, 1.0], [9.0, 3.0, 0.5]])))
    assert choose_threshold(csr_matrix([[1, 1, 0], [1, 1, 0]]), ranking) == 2.0


@pytest.mark.parametrize("low", [np.float32(1), np.nextafter(np.float32(1), np.float32(2))])  # rounds down, rounds up
def test_neighbouring_float32_scores_are_told_apart(low):
    high = np.nextafter(low, np.float32(2))
    ranking = rank(Scores(np.array([[9, high, low]], dtype=np.float32)))
    predicted = decide(ranking, "multi", choose_threshold(csr_matrix([[1, 1, 0]]), ranking))
    assert predicted.indices.tolist() == [0, 1]


def test_equal_scores_are_taken_or_left_together():
    ranking = rank(Scores(np.array([[9.0, 5.0, 5.0, 5.0, 5.0]])))
    gold = csr_matrix([[1, 1, 0, 0, 0]])
    assert decide(ranking, "multi", choose_threshold(gold, ranking)).nnz == 1


def test_of_equally_good_cuts_the_one_with_fewest_labels_is_taken():
    ranking = rank(Scores(np.array([[9.0, 3.0, 2.0, 1.0]])))
    gold = csr_matrix([[1, 0, 0, 1]])
    assert cut(gold, ranking, 0.0) == cut(gold, ranking, 3.0) == pytest.approx(2 / 3)
    assert decide(ranking, "multi", choose_threshold(gold, ranking)).nnz == 1


def test_all_negative_documents_get_their_best_label_only():
    ranking = rank(Scores(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])))
    gold = csr_matrix((2, 3), dtype=np.int8)
    assert decide(ranking, "multi", choose_threshold(gold, ranking)).toarray().tolist() == [[1, 0, 0], [0, 0, 1]]


def test_forbidden_labels_are_never_taken():
    lowest = np.finfo(np.float32).min
    ranking = rank(Scores(np.array([[1.0, 0.0, lowest]], dtype=np.float32)))
    threshold = choose_threshold(csr_matrix([[1, 1, 1]]), ranking)
    assert np.isfinite(threshold)
    assert decide(ranking, "multi", threshold).indices.tolist() == [0, 1]


def test_nothing_to_decide_on_gives_zero():
    assert choose_threshold(csr_matrix([[1], [0]]), rank(Scores(np.array([[3.0], [2.0]])))) == 0.0


def test_single_takes_the_best_label_and_ties_go_to_the_lower_position():
    predicted = decide(rank(Scores(np.array([[0.1, 0.7, 0.7], [-5.0, -9.0, -9.0]]))), "single")
    assert predicted.toarray().tolist() == [[0, 1, 0], [1, 0, 0]]
    assert predicted.dtype == np.int8


def test_document_of_which_nothing_passes_keeps_its_best_label():
    predicted = decide(rank(Scores(np.array([[0.2, 0.1], [0.9, 0.8]]))), "multi", 0.5)
    assert predicted.toarray().tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_document_with_nothing_ranked_gets_nothing(kind):
    stored = csr_matrix((np.array([2.0, 1.0], np.float32), ([1, 1], [2, 0])), shape=(2, 3))
    predicted = decide(rank(TopScores(stored)), kind, 0.0)
    assert predicted.indptr[1] == 0
    assert predicted[1].toarray().tolist() == ([[0, 0, 1]] if kind == "single" else [[1, 0, 1]])
    assert predicted.has_sorted_indices


@pytest.mark.parametrize("threshold", [None, float("nan"), float("inf")])
def test_multi_needs_a_finite_threshold(threshold):
    with pytest.raises(ValueError, match="finite threshold"):
        decide(rank(Scores(np.array([[0.2, 0.1]]))), "multi", threshold)


def test_scores_that_are_not_finite_are_refused():
    ranking = Ranking(np.array([[0, 1]], np.int32), np.array([[np.inf, 0]], np.float32), 2)
    with pytest.raises(ValueError, match="not finite"):
        choose_threshold(csr_matrix([[1, 0]]), ranking)
    with pytest.raises(ValueError, match="not finite"):
        decide(ranking, "single")
