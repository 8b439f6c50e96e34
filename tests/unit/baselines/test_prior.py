from __future__ import annotations

from pathlib import Path

import numpy as np

from baselines.prior import Prior
from bench.method import Context, QuietInstruments
from bench.prediction import Scores, TopScores, rank
from bench.seeds import Seeds
from bench.task import Documents, LabelSpace, TaskProfile

TRAIN = Documents(["a", "b", "c", "d"], ["x"] * 4, [[0, 1], [1], [1], []])


def context(n_labels: int) -> Context:
    profile = TaskProfile("toy", "multi", n_labels, "micro_f1")
    return Context(profile, Seeds(0), "cpu", 1, Path(), QuietInstruments())


def labels(count: int) -> LabelSpace:
    return LabelSpace(tuple(f"l{number:06d}" for number in range(count)))


def test_frequencies_are_the_scores() -> None:
    prior = Prior()
    prior.fit(TRAIN, TRAIN, labels(3), context(3))
    scores = prior.predict(["p", "q"], context(3))
    assert isinstance(scores, Scores)
    assert scores.values.dtype == np.float32
    assert scores.values.tolist() == [[0.25, 0.75, 0.0]] * 2


def test_large_label_spaces_get_the_best_hundred() -> None:
    count = 10_001
    prior = Prior()
    prior.fit(Documents(["a", "b"], ["x", "y"], [[10_000], [10_000, 5]]), TRAIN, labels(count), context(count))
    scores = prior.predict(["p", "q"], context(count))
    assert isinstance(scores, TopScores)
    assert scores.values.shape == (2, count)
    assert scores.values.nnz == 200
    assert rank(scores).labels[:, :3].tolist() == [[10_000, 5, 0]] * 2


def test_a_saved_prior_predicts_the_same(tmp_path: Path) -> None:
    prior, again = Prior(), Prior()
    prior.fit(TRAIN, TRAIN, labels(3), context(3))
    prior.save(tmp_path)
    again.load(tmp_path, labels(3), context(3))
    one, other = (method.predict(["p"], context(3)) for method in (prior, again))
    assert isinstance(one, Scores)
    assert isinstance(other, Scores)
    assert np.array_equal(one.values, other.values)
