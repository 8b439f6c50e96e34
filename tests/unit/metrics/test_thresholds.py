import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from bench.metrics.f1 import set_metrics
from bench.metrics.thresholds import choose_best, choose_label_thresholds, choose_threshold, decide, take_best
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


def by_label(gold, ranking):
    gold = csr_matrix(gold)
    return choose_label_thresholds(gold, ranking, choose_threshold(gold, ranking))


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
        lambda s: st.tuples(arrays(np.int8, s, elements=st.integers(0, 1)), arrays(np.float32, s, elements=FLOATS))
    )
)
def test_label_thresholds_reach_what_trying_all_of_them_reaches(case):
    gold, values = case
    ranking = rank(Scores(values))
    fall_back = choose_threshold(csr_matrix(gold), ranking)
    every = [
        [*column, np.nextafter(column.min(), np.float32(-np.inf))] if gold[:, label].any() else [fall_back]
        for label, column in enumerate(values.T)
    ]
    best = max(cut(gold, ranking, np.array(each, np.float32)) for each in itertools.product(*every))
    assert cut(gold, ranking, by_label(gold, ranking)) == pytest.approx(best)
    assert best >= cut(gold, ranking, fall_back)


def test_labels_that_no_validation_document_has_fall_back():
    values = np.array([[9, 2, 1, -4], [9, 3, 1, -5], [9, 1, 2, -6]], np.float32)
    gold = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    thresholds = by_label(gold, rank(Scores(values)))
    assert thresholds[2] == thresholds[3] == choose_threshold(csr_matrix(gold), rank(Scores(values)))
    assert thresholds[1] == 1.5
    assert thresholds.dtype == np.float32


def test_a_lone_hit_far_down_moves_no_threshold():
    """As it would where each label's own F1 is maximised, and half of all documents got the label."""
    values = np.column_stack([np.full(50, 9.0), np.linspace(1, 2, 50), np.zeros(50)]).astype(np.float32)
    gold = np.zeros((50, 3), np.int8)
    gold[:, 0] = 1
    gold[25, 1] = 1
    predicted = decide(rank(Scores(values)), "multi", by_label(gold, rank(Scores(values))))
    assert predicted[:, 1].nnz == 0


def test_labels_have_cuts_of_their_own():
    values = np.array([[9, 5, 0.2], [9, 4, 0.1], [9, 0.2, -3], [9, 0.1, -4]], np.float32)
    gold = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0], [1, 0, 0]])
    thresholds = by_label(gold, rank(Scores(values)))
    assert thresholds[1:].tolist() == pytest.approx([2.1, -1.45])
    assert (decide(rank(Scores(values)), "multi", thresholds) != csr_matrix(gold)).nnz == 0


def test_as_many_thresholds_as_labels_and_all_finite():
    ranking = rank(Scores(np.array([[0.2, 0.1]])))
    with pytest.raises(ValueError, match="3 thresholds for 2 labels"):
        decide(ranking, "multi", np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="finite threshold"):
        decide(ranking, "multi", np.array([0, np.nan], np.float32))


@settings(deadline=None, max_examples=100)
@given(CASES)
def test_the_best_k_is_the_first_of_those_that_reach_most(case):
    gold, values = case
    ranking = rank(Scores(values))
    reached = [micro_f1(gold, take_best(ranking, k)) for k in range(1, gold.shape[1] + 1)]
    assert choose_best(csr_matrix(gold), ranking) == 1 + reached.index(max(reached))


def test_the_k_best_labels():
    lowest = np.finfo(np.float32).min
    ranking = rank(Scores(np.array([[1, 3, 2], [1, lowest, lowest], [lowest] * 3], np.float32)))
    assert take_best(ranking, 2).toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    with pytest.raises(ValueError, match="at least one"):
        take_best(ranking, 0)
