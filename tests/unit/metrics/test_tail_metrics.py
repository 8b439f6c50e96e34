import numpy as np
import pytest

from bench.metrics.counts import LabelCounts
from bench.metrics.definitions import BUCKETS
from bench.metrics.ranking import relevance
from bench.metrics.tail import contributions, members, tail_metrics
from bench.metrics.values import Undefined
from bench.prediction import Scores, rank, sets_matrix

TRAIN = np.array([101, 100, 11, 10, 1, 0, 0])
# right, predicted, gold by label; the last label occurs nowhere in test
COUNTS = LabelCounts(np.array([4, 1, 0, 1, 0, 0, 0]), np.array([4, 2, 0, 1, 1, 0, 1]), np.array([4, 2, 2, 1, 3, 1, 0]))


def test_cutoffs_hold_every_label_once():
    masks = [members(bucket, TRAIN) for bucket in BUCKETS]
    assert [mask.nonzero()[0].tolist() for mask in masks] == [[0], [1, 2], [3, 4], [5, 6]]


def test_macro_f1_and_recall_of_each_bucket_over_supported_labels():
    ours = tail_metrics(COUNTS, TRAIN, np.zeros(7))
    assert [ours[f"{bucket.name}_labels"] for bucket in BUCKETS] == [1, 2, 2, 1]
    assert [ours[f"{bucket.name}_macro_f1"] for bucket in BUCKETS] == pytest.approx([1, 0.25, 0.5, 0])
    assert [ours[f"{bucket.name}_recall"] for bucket in BUCKETS] == pytest.approx([1, 1 / 4, 1 / 4, 0])


def test_bucket_without_test_labels_is_undefined_and_says_why():
    ours = tail_metrics(COUNTS, np.full(7, 50), np.zeros(7))
    assert ours["head_labels"] == 0
    assert ours["tail_recall"] == Undefined("no label with 1 to 10 training documents occurs in test documents")
    assert isinstance(ours["unseen_macro_f1"], Undefined)


def test_contributions_sum_to_precision_at_5():
    rng = np.random.default_rng(0)
    gold = sets_matrix([rng.choice(7, rng.integers(0, 4), replace=False).tolist() for _ in range(30)], 7)
    ranking = rank(Scores(rng.random((30, 7), dtype=np.float32)))
    found = relevance(gold, ranking)
    ours = tail_metrics(COUNTS, TRAIN, contributions(ranking, found))
    total = sum(ours[f"{bucket.name}_p@5"] for bucket in BUCKETS)
    assert total == pytest.approx(found.hits[:, :5].sum() / (5 * 30))
    assert ours["torso_p@5"] > 0


def test_no_ranking_no_contribution():
    assert tail_metrics(COUNTS, TRAIN, Undefined("bare sets"))["head_p@5"] == Undefined("bare sets")
