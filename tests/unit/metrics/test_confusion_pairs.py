"""Confusions against counting by hand."""

from collections import Counter

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from bench.metrics.confusions import ConfusionTable, Errors, Pair
from bench.prediction import sets_matrix


def brute(gold, predicted):
    found = Counter()
    for g, p in zip(gold, predicted, strict=True):
        found.update((missed, added) for missed in set(g) - set(p) for added in set(p) - set(g))
    order = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Pair(*pair, count) for pair, count in order]


def test_pairs_by_hand():
    errors = Errors.of(sets_matrix([[0], [0], [1], [2], [2]], 3), sets_matrix([[1], [1], [0], [2], []], 3))
    assert errors.pairs(5) == [Pair(0, 1, 2), Pair(1, 0, 1)]
    assert errors.mass.tolist() == [3, 3, 1]
    assert errors.most_confused(2) == [0, 1]


@pytest.mark.parametrize("n_labels", [5, 40, 700])
def test_pairs_are_exact_whatever_the_number_of_labels(n_labels):
    """Labels are taken some at a time; the rest must be left only where it cannot matter."""
    rng = np.random.default_rng(n_labels)
    weights = 1 / np.arange(1, n_labels + 1)
    weights /= weights.sum()
    gold = [rng.choice(n_labels, size=rng.integers(0, 5), p=weights, replace=False).tolist() for _ in range(1500)]
    predicted = [rng.choice(n_labels, size=rng.integers(0, 5), p=weights, replace=False).tolist() for _ in range(1500)]
    errors = Errors.of(sets_matrix(gold, n_labels), sets_matrix(predicted, n_labels))
    assert errors.pairs(15) == brute(gold, predicted)[:15]


def test_a_pair_of_a_label_that_is_missed_less_often_may_come_first():
    """Three hundred labels are missed six times each, always for another one; the last five times for the same."""
    gold = [[label] for label in range(300) for _ in range(6)] + [[599]] * 5
    predicted = [[300 + (6 * label + turn) % 290] for label in range(300) for turn in range(6)] + [[1]] * 5
    found = Errors.of(sets_matrix(gold, 600), sets_matrix(predicted, 600)).pairs(1)
    assert found == brute(gold, predicted)[:1] == [Pair(599, 1, 5)]


def test_counts_beyond_eight_bits():
    errors = Errors.of(sets_matrix([[0]] * 1000, 2), sets_matrix([[1]] * 1000, 2))
    assert errors.pairs(1) == [Pair(0, 1, 1000)]
    table = ConfusionTable.of(sets_matrix([[0]] * 1000, 2), sets_matrix([[1]] * 1000, 2), [0, 1])
    assert table.counts.tolist() == [[0, 1000], [0, 0]]


def test_a_table_holds_every_document_of_its_labels():
    gold = sets_matrix([[0], [0], [0], [0], [1], [3]], 4)
    predicted = sets_matrix([[0], [1], [2], [], [1], [0]], 4)
    table = ConfusionTable.of(gold, predicted, [0, 1])
    assert table.counts.tolist() == [[1, 1], [0, 1]]
    assert table.others.tolist() == [1, 0]
    assert table.unanswered.tolist() == [1, 0]


def test_very_many_labels_take_no_table_of_labels_by_labels():
    rng = np.random.default_rng(0)
    shape = (2000, 500_000)
    gold, predicted = (
        csr_matrix(random_array(shape, density=1e-5, format="csr", rng=rng) != 0, dtype=np.int8) for _ in range(2)
    )
    assert len(Errors.of(gold, predicted).pairs(15)) == 15
