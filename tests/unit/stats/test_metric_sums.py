"""Metrics as functions of sums: with every document once they are what :func:`evaluate` says."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from unit.stats.judged_runs import judged, noisy, of_classes, ranked

from bench.errors import UserError
from bench.metrics.definitions import DEFINITIONS
from bench.metrics.evaluate import evaluate
from bench.stats.judged import Judged
from bench.stats.metric_sums import UnsupportedMetric, metric_sums
from bench.task import LabelSpace

TRAIN = np.array([0, 1, 5, 11, 60, 101, 400, 3])
RESAMPLED = [name for name in DEFINITIONS if not name.startswith("hierarchical") and not name.endswith("_labels")]


def multi(seed: int = 0, documents: int = 60) -> Judged:
    generator = np.random.default_rng(seed)
    gold = (generator.random((documents, 8)) < 0.25).astype(np.int8)
    gold[:, 7] = 0  # known from training, and not in the test documents
    categories = [list(generator.permutation(np.flatnonzero(row))) for row in gold]
    predicted = noisy(generator, gold, 0.3, 0.1)
    return judged(gold, predicted, ranking=ranked(generator, gold), train=TRAIN, categories=categories)


def single(seed: int = 0, documents: int = 60) -> Judged:
    generator = np.random.default_rng(seed)
    gold = generator.integers(7, size=documents)
    predicted = np.where(generator.random(documents) < 0.6, gold, generator.integers(-1, 8, size=documents))
    run = of_classes(gold, predicted, 8, train=TRAIN)
    ranking = ranked(generator, run.split.gold.toarray())
    categories = [[int(label)] for label in gold]
    return dataclasses.replace(run, split=dataclasses.replace(run.split, ranking=ranking, categories=categories))


def evaluated(run: Judged, rows: Any = slice(None)) -> dict[str, float | None]:
    split = run.split
    assert split.ranking is not None
    assert split.categories is not None
    ranking = dataclasses.replace(split.ranking, labels=split.ranking.labels[rows], scores=split.ranking.scores[rows])
    categories = [split.categories[place] for place in np.arange(len(split.ids))[rows]]
    return evaluate(
        split.gold[rows],
        split.predicted[rows],
        ranking,
        LabelSpace(tuple("abcdefgh")),
        run.train_counts,
        run.n_train,
        run.kind,
        categories=categories,
    ).metrics


@pytest.mark.parametrize("metric", RESAMPLED)
@pytest.mark.parametrize("make", [multi, single])
def test_a_metric_is_that_of_evaluate_whichever_documents_are_drawn(metric: str, make: Any) -> None:
    run, generator = make(), np.random.default_rng(1)
    drawn = [np.arange(60), *(generator.integers(60, size=60) for _ in range(20))]
    weights = np.stack([np.bincount(rows, minlength=60) for rows in drawn], axis=1).astype(float)
    expected = [evaluated(run, rows)[metric] for rows in drawn]
    if expected[0] is None:
        with pytest.raises(UnsupportedMetric, match="undefined"):
            metric_sums(run, metric)
        return
    found = metric_sums(run, metric).of(weights)
    np.testing.assert_allclose(found, [np.nan if value is None else value for value in expected], rtol=1e-12)


def test_every_k_of_the_suffix_can_be_resampled() -> None:
    run = multi()
    assert 0 < metric_sums(run, "p@2").value() < 1


def test_what_cannot_be_resampled_says_why() -> None:
    run = multi()
    bare = dataclasses.replace(run, split=dataclasses.replace(run.split, ranking=None, categories=None))
    for metric, why in (
        ("hierarchical_f1", "hierarchy"),
        ("level2_micro_f1", "hierarchy"),
        ("tail_labels", "a count"),
    ):
        with pytest.raises(UnsupportedMetric, match=why):
            metric_sums(run, metric)
    for metric in ("ndcg@5", "mrr", "psp@3", "head_p@5", "three_guesses"):
        with pytest.raises(UnsupportedMetric, match="needs a ranking"):
            metric_sums(bare, metric)
    with pytest.raises(UnsupportedMetric, match="categories"):
        metric_sums(dataclasses.replace(run, split=dataclasses.replace(run.split, categories=None)), "top_prediction")
    with pytest.raises(UnsupportedMetric, match="at least 3"):
        metric_sums(dataclasses.replace(run, n_train=2), "psp@1")
    with pytest.raises(UserError, match=r"unknown metric 'micro_f2'; did you mean 'micro_f1'\?"):
        metric_sums(run, "micro_f2")
