import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from bench.metrics import f1
from bench.metrics.counts import LabelCounts, count_labels
from bench.metrics.values import Undefined

SHAPE = st.tuples(st.integers(1, 12), st.integers(2, 7))
PAIRS = SHAPE.flatmap(lambda s: st.tuples(*[arrays(np.int8, s, elements=st.integers(0, 1))] * 2))


def scores(gold, predicted, train=None, kind="multi"):
    train = np.ones(gold.shape[1], dtype=np.int64) if train is None else train
    return f1.set_metrics(csr_matrix(gold), csr_matrix(predicted), train, kind)


@settings(deadline=None, max_examples=100)
@given(PAIRS)
def test_micro_scores_equal_scikit_learn(pair):
    ours = scores(*pair)
    for name, theirs in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert ours[f"micro_{name}"] == pytest.approx(theirs(*pair, average="micro", zero_division=0))


@settings(deadline=None, max_examples=100)
@given(PAIRS, st.data())
def test_averages_over_labels_equal_scikit_learn_over_the_same_labels(pair, data):
    gold, predicted = pair
    train = data.draw(arrays(np.int64, gold.shape[1], elements=st.integers(0, 2)))
    ours = scores(gold, predicted, train)
    supported = np.flatnonzero(gold.any(axis=0))
    present = np.flatnonzero(gold.any(axis=0) | (train > 0))
    for name, labels, average in (
        ("macro_f1", present, "macro"),
        ("macro_f1_supported", supported, "macro"),
        ("weighted_f1", supported, "weighted"),
    ):
        if len(labels):
            theirs = f1_score(gold, predicted, labels=labels, average=average, zero_division=0)
            assert ours[name] == pytest.approx(theirs)
        else:
            assert isinstance(ours[name], Undefined)


@settings(deadline=None, max_examples=100)
@given(PAIRS)
def test_document_scores_equal_scikit_learn(pair):
    ours = scores(*pair)
    assert ours["samples_f1"] == pytest.approx(f1_score(*pair, average="samples", zero_division=1))
    assert ours["exact_match"] == pytest.approx(accuracy_score(*pair))


def test_macro_variants_differ_by_their_labels_only():
    # label 0: right; 1: missed; 2: seen in training, silent in test; 3: only ever predicted; 4: nowhere
    gold = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0]])
    predicted = np.array([[1, 0, 0, 1, 0], [1, 0, 0, 0, 0]])
    ours = scores(gold, predicted, np.array([5, 5, 5, 0, 0]))
    assert ours["macro_f1"] == pytest.approx(1 / 3)
    assert ours["macro_f1_supported"] == pytest.approx(1 / 2)
    assert ours["weighted_f1"] == pytest.approx(2 / 3)
    assert f1_score(gold, predicted, average="macro", zero_division=0) == pytest.approx(1 / 5)


def test_label_absent_from_training_counts_in_macro_f1_where_it_occurs_in_test():
    ours = scores(np.array([[1, 0], [0, 1]]), np.array([[1, 0], [1, 0]]), np.array([3, 0]))
    assert ours["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_documents_with_nothing_to_find_and_nothing_found_are_right():
    ours = scores(np.array([[0, 0], [1, 0]]), np.array([[0, 0], [0, 1]]))
    assert ours["samples_f1"] == ours["exact_match"] == 0.5


def test_no_gold_label_at_all_leaves_supported_averages_undefined_and_the_rest_zero():
    ours = scores(np.zeros((3, 2)), np.ones((3, 2)))
    assert ours["micro_f1"] == ours["micro_precision"] == ours["micro_recall"] == ours["macro_f1"] == 0
    assert isinstance(ours["macro_f1_supported"], Undefined)
    assert isinstance(ours["weighted_f1"], Undefined)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_micro_f1_is_accuracy_where_every_document_has_and_gets_one_label(rows):
    gold, predicted = (np.eye(5, dtype=np.int8)[list(side)] for side in zip(*rows, strict=True))
    ours = scores(gold, predicted)
    assert ours["micro_f1"] == pytest.approx(ours["exact_match"])
    assert ours["exact_match"] == pytest.approx(np.mean([g == p for g, p in rows]))


ANSWERS = st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 4))), min_size=1, max_size=30)


@settings(deadline=None, max_examples=100)
@given(ANSWERS)
def test_no_answer_counts_as_a_wrong_one_for_a_single_label(rows):
    """As scikit-learn has it where documents without an answer are predicted into a class of their own."""
    gold, given_ = np.array([g for g, _ in rows]), np.array([5 if p is None else p for _, p in rows])
    ours = scores(np.eye(6)[gold][:, :5], np.eye(6)[given_][:, :5], kind="single")
    accuracy = pytest.approx(accuracy_score(gold, given_))
    for name in ("micro_precision", "micro_recall", "micro_f1", "samples_f1", "exact_match"):
        assert ours[name] == accuracy, name
    theirs = f1_score(gold, given_, labels=range(5), average="macro", zero_division=0)
    assert ours["macro_f1"] == pytest.approx(theirs)


def test_silence_is_no_cheaper_than_error():
    gold = np.eye(2)[[0] * 10]
    wrong, silent = gold.copy(), gold.copy()
    wrong[4:], silent[4:] = [0, 1], 0
    assert scores(gold, wrong, kind="single")["micro_f1"] == scores(gold, silent, kind="single")["micro_f1"] == 0.4
    assert scores(gold, silent)["micro_f1"] > 0.57  # of any number of labels, an empty set may be meant


def test_counts_do_not_wrap_beyond_the_range_of_int8():
    full = csr_matrix(np.ones((300, 2), dtype=np.int8))
    counts = count_labels(full, full)
    assert counts.true_positive.tolist() == counts.predicted.tolist() == counts.support.tolist() == [300, 300]
    wide = csr_matrix(np.ones((2, 300), dtype=np.int8))
    assert f1.samples_f1(wide, wide) == f1.exact_match(wide, wide) == 1


def test_f1_by_label():
    counts = LabelCounts(np.array([1, 0, 0]), np.array([2, 0, 3]), np.array([1, 0, 0]))
    assert f1.f1_by_label(counts).tolist() == pytest.approx([2 / 3, 0, 0])
