import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from sklearn.metrics import ndcg_score

from bench.metrics import ranking as metrics
from bench.metrics.definitions import Propensity
from bench.metrics.values import Undefined
from bench.prediction import Ranking, Scores, TopScores, rank

SHAPE = st.tuples(st.integers(1, 8), st.integers(2, 9))
CASES = SHAPE.flatmap(
    lambda s: st.tuples(
        arrays(np.int8, s, elements=st.integers(0, 1)),
        arrays(np.float32, s, elements=st.integers(-4, 4).map(float)),  # few values, many ties
        arrays(np.int64, s[1], elements=st.integers(0, 40)),
        st.integers(1, s[1] + 3),
    )
)


def all_metrics(gold, ranking, train=None, n_train=100, **rest):
    gold = csr_matrix(gold)
    train = np.full(gold.shape[1], 10) if train is None else train
    return metrics.ranking_metrics(gold, ranking, metrics.relevance(gold, ranking), train, n_train, **rest)


def naive(gold, ranked, k):
    """The formulas, one document and one label at a time."""
    sums = dict.fromkeys(("p", "r", "rp", "ndcg", "hit"), 0.0)
    for row, labels in zip(gold, ranked, strict=True):
        size = int(row.sum())
        hits = [label >= 0 and row[label] == 1 for label in labels[:k]]
        sums["p"] += sum(hits) / k
        if size:
            sums["r"] += sum(hits) / size
            sums["rp"] += sum(hits) / min(k, size)
            gain = sum(1 / math.log2(i + 2) for i, hit in enumerate(hits) if hit)
            sums["ndcg"] += gain / sum(1 / math.log2(i + 2) for i in range(min(k, size)))
            sums["hit"] += any(hits)
    return {name: total / len(gold) for name, total in sums.items()}


def naive_psp(gold, ranked, train, n, k, a, b):
    c = (math.log(n) - 1) * (b + 1) ** a
    inverse = [1 + c * (count + b) ** -a for count in train]
    gained = best = 0.0
    for row, labels in zip(gold, ranked, strict=True):
        gained += sum(inverse[label] for label in labels[:k] if label >= 0 and row[label]) / k
        best += sum(sorted((inverse[label] for label in np.flatnonzero(row)), reverse=True)[:k]) / k
    return gained / best


@settings(deadline=None, max_examples=100)
@given(CASES)
def test_metrics_equal_the_formulas_written_as_loops(case):
    gold, values, train, width = case
    ranking = rank(Scores(values), width)
    ours = all_metrics(gold, ranking, train)
    for k in (1, 3, 5):
        for name, expected in naive(gold, ranking.labels, k).items():
            assert ours[f"{name}@{k}"] == pytest.approx(expected), (name, k)


@settings(deadline=None, max_examples=100)
@given(CASES, st.sampled_from([(0.55, 1.5), (0.5, 0.4), (0.6, 2.6)]))
def test_psp_equals_its_formula_written_as_a_loop(case, constants):
    gold, values, train, width = case
    ranking = rank(Scores(values), width)
    ours = all_metrics(gold, ranking, train, n_train=50, propensity=Propensity(*constants))
    for k in (1, 3, 5):
        if gold.any():
            assert ours[f"psp@{k}"] == pytest.approx(naive_psp(gold, ranking.labels, train, 50, k, *constants))
        else:
            assert isinstance(ours[f"psp@{k}"], Undefined)


def test_ndcg_equals_scikit_learn():
    rng = np.random.default_rng(0)
    gold = (rng.random((60, 20)) < 0.2).astype(np.int8)
    gold[:, 0] |= ~gold.any(axis=1)
    values = rng.permuted(np.tile(np.arange(20, dtype=np.float32), (60, 1)), axis=1)
    ours = all_metrics(gold, rank(Scores(values)))
    for k in (1, 3, 5):
        assert ours[f"ndcg@{k}"] == pytest.approx(ndcg_score(gold, values, k=k))


def test_mrr_looks_for_the_first_right_label_and_gives_zero_where_there_is_none():
    ranking = Ranking(np.array([[2, 0, 1], [1, 0, 2], [0, 1, 2]], dtype=np.int32), np.zeros((3, 3), np.float32), 3)
    gold = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert all_metrics(gold, ranking)["mrr"] == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_documents_without_gold_labels_score_zero_and_are_counted():
    ranking = rank(Scores(np.array([[2.0, 1.0], [2.0, 1.0]])))
    ours = all_metrics([[1, 0], [0, 0]], ranking)
    for name in ("p@1", "r@1", "rp@1", "ndcg@1", "hit@1", "mrr"):
        assert ours[name] == 0.5, name


def test_precision_is_divided_by_k_even_where_there_are_fewer_labels():
    ours = all_metrics([[1, 1]], rank(Scores(np.array([[2.0, 1.0]]))))
    assert (ours["p@5"], ours["r@5"], ours["rp@5"], ours["ndcg@5"]) == pytest.approx((2 / 5, 1, 1, 1))


def test_padding_is_never_a_hit_even_where_the_last_label_is_gold():
    stored = csr_matrix(([1.0], ([0], [0])), shape=(2, 3), dtype=np.float32)
    ours = all_metrics([[1, 0, 1], [0, 0, 1]], rank(TopScores(stored)))
    assert (ours["p@3"], ours["hit@3"]) == pytest.approx((1 / 6, 1 / 2))


def test_a_ranking_of_no_label_at_all_scores_zero():
    ours = all_metrics([[1, 0]], Ranking(np.empty((1, 0), np.int32), np.empty((1, 0), np.float32), 2))
    assert set(ours.values()) == {0.0}


def test_relevance_is_the_same_in_blocks(monkeypatch):
    rng = np.random.default_rng(1)
    gold = csr_matrix((rng.random((40, 30)) < 0.3).astype(np.int8))
    ranking = rank(Scores(rng.random((40, 30), dtype=np.float32)), 7)
    expected = np.take_along_axis(gold.toarray(), ranking.labels.astype(np.int64), axis=1).astype(bool)
    monkeypatch.setattr(metrics, "_BLOCK", 20)
    assert (metrics.relevance(gold, ranking).hits == expected).all()


def test_inverse_propensity_follows_training_frequency():
    weights = metrics.inverse_propensities(np.array([0, 1, 100]), 1000)
    c = (math.log(1000) - 1) * 2.5**0.55
    assert weights == pytest.approx([1 + c * n**-0.55 for n in (1.5, 2.5, 101.5)])
    assert weights[0] > weights[1] > weights[2] > 1


def test_rare_labels_earn_more_and_a_perfect_ranking_earns_all():
    train, gold = np.array([90, 1]), [[1, 0], [0, 1]]
    always_frequent = rank(Scores(np.array([[2.0, 1.0], [2.0, 1.0]])))
    perfect = rank(Scores(np.array([[2.0, 1.0], [1.0, 2.0]])))
    ours = all_metrics(gold, always_frequent, train)
    assert ours["psp@1"] < ours["p@1"] == 0.5
    assert all_metrics(gold, perfect, train)["psp@1"] == pytest.approx(1)


def test_psp_is_undefined_where_the_formula_would_give_weights_below_one():
    ours = all_metrics([[1, 0]], rank(Scores(np.array([[2.0, 1.0]]))), np.array([1, 1]), n_train=2)
    assert isinstance(ours["psp@1"], Undefined)
    with pytest.raises(ValueError, match="at least 3"):
        metrics.inverse_propensities(np.array([1, 1]), 2)


@pytest.mark.parametrize("constants", [(math.nan, 1.5), (0.5, 0.0), (0.5, math.inf)])
def test_senseless_propensity_constants_are_refused(constants):
    with pytest.raises(ValueError, match="finite and above 0"):
        metrics.inverse_propensities(np.array([1]), 10, Propensity(*constants))
