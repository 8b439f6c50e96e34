import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.definitions import PATENT_METRICS
from bench.metrics.evaluate import evaluate
from bench.prediction import Ranking, Scores, rank, sets_matrix
from bench.task import LabelSpace

SPACE = LabelSpace(tuple("abcde"))


def ranking_of(rows, n_labels=5):
    labels = np.array(rows, dtype=np.int32).reshape(len(rows), -1)
    steps = np.broadcast_to(-np.arange(labels.shape[1], dtype=np.float32), labels.shape)
    return Ranking(labels, np.where(labels >= 0, steps, -np.inf).astype(np.float32), n_labels)


def run(categories, ranking, kind="single", **rest):
    gold = (
        sets_matrix([row[:1] or [0] for row in categories], 5) if categories is not None else sets_matrix([[0]] * 4, 5)
    )
    empty = sets_matrix([[]] * gold.shape[0], 5)
    return evaluate(gold, empty, ranking, SPACE, np.full(5, 9), 99, kind, categories=categories, **rest)


def test_by_hand():
    """Five documents, the last of unknown categories: 1 of 4 right at once, 3 of 4 within three, 2 of 4 any."""
    categories = [[0, 1], [2], [3, 4, 0], [1], []]
    ranked = ranking_of([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [4, 2, 3, 0, 1], [0, 2, 3, 1, 4], [0, 1, 2, 3, 4]])
    metrics = run(categories, ranked).metrics
    assert [metrics[name] for name in PATENT_METRICS] == [1 / 4, 3 / 4, 2 / 4]


def test_the_order_of_other_categories_plays_no_part_and_the_first_does():
    ranked = ranking_of([[0, 1, 2], [0, 1, 2]])
    one, other, swapped = (run([row, [4]], ranked).metrics for row in ([0, 1, 3], [0, 3, 1], [1, 0, 3]))
    assert one == other
    assert (one["top_prediction"], swapped["top_prediction"]) == (0.5, 0)
    assert one["all_categories"] == swapped["all_categories"] == 0.5


def test_they_are_absent_without_categories():
    assert not set(PATENT_METRICS) & set(run(None, ranking_of([[0]] * 4)).metrics)


def test_they_are_undefined_without_a_ranking_or_known_categories():
    for evaluation, word in (
        (run([[0]] * 3, None), "no order"),
        (run([[], []], ranking_of([[0], [1]])), "no test document"),
    ):
        assert {evaluation.metrics[name] for name in PATENT_METRICS} == {None}
        assert all(word in evaluation.undefined[name] for name in PATENT_METRICS)


def test_a_ranking_may_be_narrow_or_padded():
    metrics = run([[0], [1], [2]], ranking_of([[0, -1], [0, 1], [-1, -1]])).metrics
    assert [metrics[name] for name in PATENT_METRICS] == pytest.approx([1 / 3, 2 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("categories", "message"), [([[0]], "2 documents and 1 rows"), ([[0], [5]], "row 1 .* label space")]
)
def test_categories_that_do_not_fit(categories, message):
    gold = sets_matrix([[0], [1]], 5)
    with pytest.raises(ValueError, match=message):
        evaluate(gold, gold, ranking_of([[0], [1]]), SPACE, np.full(5, 9), 99, "single", categories=categories)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 4), max_size=5, unique=True), min_size=1, max_size=9), st.integers(0, 99))
def test_against_one_document_at_a_time(categories, seed):
    scores = np.random.default_rng(seed).integers(0, 3, (len(categories), 5)).astype(np.float32)
    ranked = rank(Scores(scores))
    known = [(row, ranked.labels[i].tolist()) for i, row in enumerate(categories) if row]
    metrics = run(categories, ranked).metrics
    if not known:
        return
    expected = (
        np.mean([top[0] == row[0] for row, top in known]),
        np.mean([row[0] in top[:3] for row, top in known]),
        np.mean([top[0] in row for row, top in known]),
    )
    assert [metrics[name] for name in PATENT_METRICS] == pytest.approx(expected)
