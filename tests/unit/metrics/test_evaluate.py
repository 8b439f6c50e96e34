import json
import math
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from bench.metrics.definitions import DEFINITIONS, RANKING_METRICS, Propensity, describe
from bench.metrics.evaluate import evaluate, label_table
from bench.metrics.thresholds import choose_threshold, decide
from bench.prediction import Ranking, Scores, rank, sets_matrix
from bench.task import LabelSpace

LABELS = LabelSpace(tuple("abcdef"), (("x",), ("x",), ("y",), ("y",), ("y", "z"), ("y", "z")))
FLAT = LabelSpace(LABELS.names)
TRAIN = np.array([200, 50, 9, 1, 0, 0])


def world(seed=0, n=40, kind="multi"):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 4, n) if kind == "multi" else np.ones(n, int)
    gold = sets_matrix([rng.choice(6, size, replace=False).tolist() for size in sizes], 6)
    ranking = rank(Scores((gold.toarray() + rng.normal(size=(n, 6))).astype(np.float32)))
    return gold, decide(ranking, kind, 0.5), ranking


def run(gold, predicted, ranking, labels=LABELS, train=TRAIN, n_train=300, kind="multi"):
    return evaluate(gold, predicted, ranking, labels, train, n_train, kind)


def test_metrics_are_plain_described_and_in_a_stable_order():
    first, second = run(*world(0)), run(*world(1))
    assert list(first.metrics) == list(second.metrics)
    assert json.loads(json.dumps(first.metrics)) == first.metrics
    assert all(type(value) is float and value >= 0 for value in first.metrics.values())
    assert first.undefined == {}
    assert {"micro_f1", "macro_f1", "p@1", "p@3", "p@5", "ndcg@5", "psp@5", "hierarchical_f1"} <= set(first.metrics)


def test_every_definition_is_emitted_and_every_metric_is_defined():
    gold, predicted, ranking = world()
    categories = [[0, 1]] * gold.shape[0]
    emitted = list(evaluate(gold, predicted, ranking, LABELS, TRAIN, 300, "multi", categories=categories).metrics)
    levels = [name for name in emitted if name.startswith("level")]
    assert levels == ["level1_micro_f1", "level2_micro_f1", "level3_micro_f1"]
    assert [name for name in emitted if name not in levels] == list(DEFINITIONS)
    assert all(describe(name) and "\n" not in describe(name) for name in emitted)
    assert not any(re.search(r"[{}]", describe(name)) for name in emitted)


def test_definitions_name_variant_k_and_constants():
    assert "A=0.55, B=1.5" in DEFINITIONS["psp@3"]
    assert "A=0.5, B=0.4" in describe("psp@3", Propensity(0.5, 0.4))
    assert "training or test documents" in DEFINITIONS["macro_f1"]
    assert "top 5" in DEFINITIONS["r@5"]
    assert "level 2" in describe("level2_micro_f1")
    with pytest.raises(TypeError):
        DEFINITIONS["micro_f1"] = ""
    for unknown in ("level0_micro_f1", "level1_macro_f1", "f1"):
        with pytest.raises(KeyError, match=unknown):
            describe(unknown)


def test_definitions_are_read_without_numpy():
    code = "import sys, bench.metrics.definitions; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_propensity_constants_change_psp_only():
    gold, predicted, ranking = world()
    plain = run(gold, predicted, ranking).metrics
    other = evaluate(gold, predicted, ranking, LABELS, TRAIN, 300, "multi", propensity=Propensity(0.6, 2.6)).metrics
    assert {name for name in plain if plain[name] != other[name]} <= {"psp@1", "psp@3", "psp@5"}
    assert plain["psp@1"] != other["psp@1"]


def test_bare_label_sets_have_no_ranking_metrics_and_say_why():
    gold, predicted, ranking = world()
    bare, full = run(gold, predicted, None), run(gold, predicted, ranking)
    missing = {*RANKING_METRICS, "head_p@5", "torso_p@5", "tail_p@5", "unseen_p@5"}
    assert list(bare.metrics) == list(full.metrics)
    assert set(bare.undefined) == missing
    assert all(bare.metrics[name] is None and "without scores" in bare.undefined[name] for name in missing)
    assert all(bare.metrics[name] == full.metrics[name] for name in full.metrics if name not in missing)


def test_without_hierarchy_its_metrics_are_absent():
    gold, predicted, ranking = world()
    flat, deep = run(gold, predicted, ranking, FLAT).metrics, run(gold, predicted, ranking).metrics
    assert {name for name in deep if name not in flat} == {name for name in deep if re.match(r"hierarch|level", name)}


def test_all_negative_test_documents():
    _, predicted, ranking = world()
    ours = run(csr_matrix(predicted.shape, dtype=np.int8), predicted, ranking)
    assert ours.metrics["micro_f1"] == ours.metrics["p@5"] == ours.metrics["mrr"] == 0
    assert {"macro_f1_supported", "psp@1", "hierarchical_f1", "level1_micro_f1"} <= set(ours.undefined)
    assert all((ours.metrics[name] is None) == (name in ours.undefined) for name in ours.metrics)


def test_single_label_micro_f1_is_accuracy_and_precision_at_1():
    ours = run(*world(kind="single"), kind="single").metrics
    assert 0 < ours["micro_f1"] < 1
    assert ours["micro_f1"] == pytest.approx(ours["exact_match"])
    assert ours["micro_f1"] == pytest.approx(ours["p@1"])


def test_an_unreadable_answer_counts_as_wrong_for_a_single_label():
    ours = run(sets_matrix([[0], [1]], 6), sets_matrix([[0], []], 6), None, kind="single").metrics
    assert ours["exact_match"] == 0.5
    assert ours["micro_recall"] == ours["micro_precision"] == ours["micro_f1"] == 0.5
    assert ours["level1_micro_f1"] == ours["hierarchical_f1"] == 0.5


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000))
def test_order_of_documents_does_not_matter(seed):
    gold, predicted, ranking = world(seed, n=12)
    order = np.random.default_rng(seed).permutation(12)
    shuffled = Ranking(ranking.labels[order], ranking.scores[order], 6)
    ahead, after = run(gold, predicted, ranking), run(gold[order], predicted[order], shuffled)
    assert after.metrics == pytest.approx(ahead.metrics)
    assert after.undefined == ahead.undefined


def test_inputs_are_left_as_they_were():
    gold = csr_matrix((np.ones(2, np.int8), np.array([3, 1]), np.array([0, 2])), shape=(1, 6))
    _, predicted, ranking = world(n=1)
    run(gold, predicted, ranking)
    assert gold.indices.tolist() == [3, 1]
    assert run(gold, predicted, ranking) == run(gold.sorted_indices(), predicted, ranking)


def test_stored_zeros_are_no_labels():
    _, predicted, ranking = world(n=1)
    zeros = csr_matrix((np.array([0, 1], np.int8), np.array([1, 3]), np.array([0, 2])), shape=(1, 6))
    assert run(zeros, predicted, ranking) == run(sets_matrix([[3]], 6), predicted, ranking)


def test_label_table_holds_what_every_f1_needs():
    table = label_table(sets_matrix([[0], [0, 1]], 3), sets_matrix([[0], [2]], 3), np.array([4, 5, 6]))
    assert {name: column.tolist() for name, column in table.items()} == {
        "train": [4, 5, 6],
        "support": [2, 1, 0],
        "predicted": [1, 0, 1],
        "true_positive": [1, 0, 0],
    }
    assert all(column.dtype == np.int64 for column in table.values())


def broken(**changes):
    ranking = world(n=2)[2]
    return Ranking(**{"labels": ranking.labels, "scores": ranking.scores, "n_labels": 6, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": sets_matrix([[0]], 6)}, r"gold has shape \(2, 6\), predicted has shape \(1, 6\)"),
        ({"labels": LabelSpace(("a",))}, "1 labels"),
        ({"gold": sets_matrix([], 6), "predicted": sets_matrix([], 6)}, "no document"),
        ({"gold": csr_matrix(np.full((2, 6), 2))}, "other than 0 and 1"),
        ({"predicted": csr_matrix(np.full((2, 6), math.nan))}, "other than 0 and 1"),
        ({"gold": csr_matrix((np.ones(2), [1, 1], [0, 2, 2]), shape=(2, 6))}, "other than 0 and 1"),
        ({"ranking": broken(n_labels=7)}, "2 documents × 7 labels"),
        ({"ranking": world(n=3)[2]}, "3 documents"),
        ({"ranking": broken(scores=np.zeros((2, 5), np.float32))}, r"scores of shape \(2, 5\)"),
        ({"ranking": broken(scores=np.full((2, 6), np.nan, np.float32))}, "not finite"),
        ({"ranking": broken(scores=np.full((2, 6), -np.inf, np.float32))}, "not finite"),
        ({"ranking": broken(scores=np.tile(np.arange(6, dtype=np.float32), (2, 1)))}, "rise"),
        ({"ranking": broken(labels=np.tile(np.array([0, 1, 2, 3, 4, 6], np.int32), (2, 1)))}, "outside -1 to 5"),
        ({"ranking": broken(labels=np.tile(np.array([0, 1, 2, 3, 4, 0], np.int32), (2, 1)))}, "recurs"),
        ({"ranking": broken(labels=np.tile(np.array([0, 1, 2, -1, 4, 5], np.int32), (2, 1)))}, "after padding"),
        ({"train": np.ones(5, np.int64)}, r"shape \(5,\), expected \(6,\)"),
        ({"train": np.full(6, math.nan)}, "must be integers"),
        ({"train": np.array([0, 0, 0, 0, 0, -1])}, "from -1 to 0"),
        ({"n_train": 199}, "199 training documents"),
        ({"kind": "single", "gold": sets_matrix([[0], [1, 2]], 6)}, "exactly one gold label; not so in row 1"),
        (
            {"kind": "single", "gold": sets_matrix([[0], [1]], 6), "predicted": sets_matrix([[], [1, 2]], 6)},
            "may be given one label only; not so in row 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    gold, predicted, ranking = world(n=2)
    with pytest.raises(ValueError, match=message):
        run(**{"gold": gold, "predicted": predicted, "ranking": ranking, **change})


def test_two_million_labels_fit_in_little_memory():
    n, n_labels, width = 2_000, 2_000_000, 100
    starts = np.random.default_rng(0).integers(0, n_labels, (n, 1))
    ranked = ((starts + 17 * np.arange(width)) % n_labels).astype(np.int32)
    scores = np.tile(np.linspace(1, 0, width, dtype=np.float32), (n, 1))
    ranking = Ranking(ranked, scores, n_labels)
    gold = sets_matrix(ranked[:, [0, 4, 50]].tolist(), n_labels)
    labels = LabelSpace(tuple(map(str, range(n_labels))))
    train = np.ones(n_labels, dtype=np.int64)
    tracemalloc.start()
    try:
        threshold = choose_threshold(gold, ranking)
        ours = evaluate(gold, decide(ranking, "multi", threshold), ranking, labels, train, n_labels, "multi")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # One byte a cell of documents × labels would be 3,815 MiB.
    assert peak < 400 * 2**20
    assert ours.metrics["p@5"] == pytest.approx(2 / 5)
    assert ours.metrics["r@5"] == pytest.approx(2 / 3)
