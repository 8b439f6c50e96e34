import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from bench.metrics.f1 import set_metrics
from bench.metrics.hierarchy import hierarchy_metrics, lineages, replace_labels
from bench.metrics.values import Undefined
from bench.prediction import sets_matrix
from bench.task import LabelSpace

IPC = LabelSpace(("A01B", "A01C", "A21B", "B60K"), (("A", "A01"), ("A", "A01"), ("A", "A21"), ("B", "B60")))


def scores(gold, predicted, labels, kind="multi"):
    return hierarchy_metrics(sets_matrix(gold, len(labels)), sets_matrix(predicted, len(labels)), labels, kind)


def test_worked_by_hand():
    # document 1: gold {A01B, A01, A}, predicted {A01C, A01, A}: 2 of 3 shared
    # document 2: gold {B60K, B60, B}, predicted {A21B, A21, A, B60K, B60, B}: 3 shared of 6 predicted
    ours = scores([[0], [3]], [[1], [2, 3]], IPC)
    assert ours["hierarchical_precision"] == pytest.approx(5 / 9)
    assert ours["hierarchical_recall"] == pytest.approx(5 / 6)
    assert ours["hierarchical_f1"] == pytest.approx(2 * 5 / (9 + 6))
    assert ours["level1_micro_f1"] == pytest.approx(2 * 2 / (3 + 2))
    assert ours["level2_micro_f1"] == pytest.approx(2 * 2 / (3 + 2))
    assert ours["level3_micro_f1"] == pytest.approx(2 * 1 / (3 + 2))
    assert list(ours)[3:] == ["level1_micro_f1", "level2_micro_f1", "level3_micro_f1"]


def test_ancestor_shared_by_two_labels_counts_once():
    ours = scores([[0, 1]], [[0]], IPC)
    assert ours["hierarchical_recall"] == pytest.approx(3 / 4)
    assert ours["level2_micro_f1"] == 1


def test_label_that_is_another_labels_ancestor_is_the_same_node():
    labels = LabelSpace(("sci.math", "sci", "rec"), (("sci",), (), ()))
    ours = scores([[0]], [[1]], labels)
    assert ours["hierarchical_precision"] == 1
    assert ours["hierarchical_recall"] == pytest.approx(1 / 2)
    assert ours["level1_micro_f1"] == 1
    assert ours["level2_micro_f1"] == 0


def test_equal_names_under_different_parents_are_different_nodes():
    labels = LabelSpace(("printer", "sauce"), (("hardware", "other"), ("food", "other")))
    assert scores([[0]], [[1]], labels)["hierarchical_f1"] == 0


def test_level_that_no_gold_label_reaches_is_undefined_and_shallow_labels_are_left_out():
    labels = LabelSpace(("sci", "rec", "rec.autos"), ((), (), ("rec",)))
    ours = scores([[0], [1]], [[0], [2]], labels)
    assert ours["level1_micro_f1"] == 1
    assert isinstance(ours["level2_micro_f1"], Undefined)


def test_without_gold_labels_nothing_is_defined():
    assert all(isinstance(value, Undefined) for value in scores([[]], [[0]], IPC).values())


def test_without_a_hierarchy_the_metrics_are_absent():
    assert scores([[0]], [[0]], LabelSpace(("a", "b"))) == {}


def test_one_row_of_ancestors_a_label():
    with pytest.raises(ValueError, match="2 labels"):
        lineages(LabelSpace(("a", "b"), (("x",),)))


def test_more_labels_under_one_node_than_int8_can_count():
    labels = LabelSpace(tuple(map(str, range(256))), (("top",),) * 256)
    assert scores([range(256)], [[7]], labels)["level1_micro_f1"] == 1


def test_replaced_labels_are_zeros_and_ones_in_canonical_form():
    lines = lineages(IPC)
    nodes = replace_labels(sets_matrix([[1, 2, 3], [0, 1], []], 4), lines.nodes, lines.n_nodes)
    assert nodes.shape == (3, 9)
    assert np.diff(nodes.indptr).tolist() == [8, 4, 0]
    assert (nodes.data == 1).all()
    assert all((np.diff(row.indices) > 0).all() for row in nodes)


SETS = st.lists(st.tuples(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3))), min_size=1, max_size=8)


@settings(deadline=None, max_examples=100)
@given(SETS)
def test_deepest_level_is_plain_micro_f1_and_augmented_sets_agree_with_a_loop(rows):
    gold, predicted = zip(*rows, strict=True)
    ours = scores(gold, predicted, IPC)
    if not any(gold):
        return
    sides = (csr_matrix(sets_matrix(side, 4)) for side in (gold, predicted))
    plain = set_metrics(*sides, np.ones(4, np.int64), "multi")
    assert ours["level3_micro_f1"] == plain["micro_f1"]
    augmented = [
        [{node for label in side for node in (IPC.names[label], *IPC.ancestors[label])} for side in row] for row in rows
    ]
    shared = sum(len(g & p) for g, p in augmented)
    assert ours["hierarchical_recall"] == pytest.approx(shared / sum(len(g) for g, _ in augmented))
    assert ours["hierarchical_f1"] == pytest.approx(2 * shared / sum(len(g) + len(p) for g, p in augmented))


def test_no_answer_costs_as_much_as_a_wrong_branch_for_a_single_label():
    gold = [[0], [0], [1], [2], [3]]
    silent, wrong = (scores(gold, [[0], [0], last, last, last], IPC, "single") for last in ([], [0]))
    far = scores(gold, [[0], [0], [3], [3], [0]], IPC, "single")
    assert silent == far
    assert silent["hierarchical_f1"] <= wrong["hierarchical_f1"]
    assert silent["level1_micro_f1"] == silent["hierarchical_precision"] == pytest.approx(2 / 5)
