"""Draws of documents, and what is read off them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score
from unit.stats.judged_runs import judged, noisy

from bench.stats import resampling
from bench.stats.bootstrap import Draws
from bench.stats.metric_sums import metric_sums
from bench.stats.resampling import Sums, bootstrap, drawn_weights, jackknife_error, paired, swapped


def sides(seed: int = 0, documents: int = 50, labels: int = 6) -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(seed)
    gold = (generator.random((documents, labels)) < 0.3).astype(np.int8)
    return gold, noisy(generator, gold, 0.2, 0.1), noisy(generator, gold, 0.3, 0.1)


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_draws_are_the_metric_of_drawn_documents(average: Any) -> None:
    gold, predicted, _ = sides()
    found = bootstrap([metric_sums(judged(gold, predicted), f"{average}_f1")], resamples=5, seed=3)[0]
    times = np.concatenate(list(drawn_weights(50, 5, 3)), axis=1).T.astype(int)
    assert (times.sum(axis=1) == 50).all()
    for draw, weights in zip(found, times, strict=True):
        rows = np.repeat(np.arange(50), weights)
        assert draw == pytest.approx(f1_score(gold[rows], predicted[rows], average=average, zero_division=0))


def test_draws_do_not_depend_on_what_is_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = np.concatenate(list(drawn_weights(30, 40, 7)), axis=1)
    monkeypatch.setattr(resampling, "_BLOCK", 100)
    assert (np.concatenate(list(drawn_weights(30, 40, 7)), axis=1) == at_once).all()


def test_changing_sides_is_the_metric_of_exchanged_predictions() -> None:
    gold, a, b = sides(documents=4)
    runs = [metric_sums(judged(gold, predicted), "macro_f1") for predicted in (a, b)]
    found = set(np.round(swapped(paired(runs[:1], runs[1:]), 400), 9))
    expected = set()
    for toss in np.ndindex(2, 2, 2, 2):
        change = np.array(toss)[:, None] == 1
        exchanged = np.where(change, b, a), np.where(change, a, b)
        one, other = (metric_sums(judged(gold, side), "macro_f1").value() for side in exchanged)
        expected.add(round(one - other, 9))
    assert found == expected


@pytest.mark.parametrize("runs", [(1, 1), (3, 3), (1, 3), (3, 2), (5, 4)])
def test_pairs_of_runs_keep_the_difference_of_the_means(runs: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(sum(runs))
    a, b = ([_constant(value) for value in part] for part in (values[: runs[0]], values[runs[0] :]))
    pairs = paired(a, b)
    assert len(pairs) <= sum(runs)
    difference = sum(pair.weight * (pair.a.value() - pair.b.value()) for pair in pairs)
    assert difference == pytest.approx(values[: runs[0]].mean() - values[runs[0] :].mean())


def _constant(value: float) -> Sums:
    from scipy.sparse import csr_matrix

    return Sums(csr_matrix(np.full((3, 1), value)), lambda sums, documents: sums[0] / documents)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).random(40)
    from scipy.sparse import csr_matrix

    mean = Sums(csr_matrix(values[:, None]), lambda sums, documents: sums[0] / documents)
    assert jackknife_error([mean]) == pytest.approx(values.std(ddof=1) / 40**0.5)
    assert jackknife_error([mean], groups=20) == pytest.approx(values.std(ddof=1) / 40**0.5, rel=0.5)


def test_an_interval_lies_around_the_figure_and_p_follows_from_it() -> None:
    drawn = np.random.default_rng(0).normal(0.1, 1, 20_000)  # a metric whose draws are off by 0.1
    inside, outside = Draws(1.9, drawn), Draws(2.02, drawn)
    found = inside.interval()
    assert (found.low, found.high) == pytest.approx((1.9 - 1.96, 1.9 + 1.96), abs=0.05)
    assert not found.excludes_zero
    assert inside.p_value() > 0.05
    assert outside.interval().excludes_zero
    assert outside.p_value() < 0.05
    assert inside.detectable() == pytest.approx(2.80, abs=0.03)
    assert Draws(0.0, drawn).p_value() == 1


def test_draws_are_stretched_to_a_larger_error_and_never_shrunk() -> None:
    draws = Draws(0.0, np.random.default_rng(0).normal(size=1000))
    assert draws.at_least(2.0).error == pytest.approx(2.0)
    assert draws.at_least(0.5).error == draws.error
    assert dataclasses.replace(draws, drawn=np.zeros(5)).at_least(2.0).error == 0


def test_undefined_draws_are_left_out_unless_they_are_most() -> None:
    some = Draws(0.0, np.array([np.nan, 1.0, 2.0]))
    assert some.around.tolist() == [-0.5, 0.5]
    with pytest.raises(ValueError, match="undefined in most draws"):
        _ = Draws(0.0, np.array([np.nan, np.nan, 2.0])).around


def test_every_document_is_drawn_as_often_as_any_other() -> None:
    weights = np.concatenate(list(drawn_weights(20, 4000, 0)), axis=1)
    assert weights.mean(axis=1) == pytest.approx(np.ones(20), abs=0.08)
    assert weights.var(axis=1) == pytest.approx(np.full(20, 0.95), abs=0.12)
