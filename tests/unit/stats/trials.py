"""Trials of the tests on made-up documents: how often intervals hold the truth, and how often alarms are false.

A population of documents is made once; a trial is a test set drawn from it. Shared by the short form (unit tests) and
the long one (benchmarks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from unit.stats.judged_runs import noisy, of_classes

from bench.predictions_file import SplitPredictions
from bench.stats.comparing import Comparer, Comparison, Row, compare_rows
from bench.stats.judged import Judged
from bench.stats.resampling import bootstrap

POPULATION = 20_000


@dataclass(frozen=True)
class Population:
    """Many documents with what two rows say of them.

    Attributes:
        name: In a table.
        a: The runs of one row.
        b: Those of the other.
    """

    name: str
    a: Sequence[Judged]
    b: Sequence[Judged]

    def trials(self, count: int, documents: int, metric: str, resamples: int, seed: int = 0) -> Iterator[Comparison]:
        """Comparisons on test sets drawn from it, as :func:`bench.stats.comparing.compare` makes them.

        What a metric sums is worked out once, and a test set takes its documents' share of it.
        """
        generator = np.random.default_rng(seed)
        whole = Comparer((self.a, self.b), metric, resamples=1)
        rows = whole.row(0), whole.row(1)
        for trial in range(count):
            chosen = np.sort(generator.choice(POPULATION, documents, replace=False))
            parts = [[replace(run, terms=run.terms[chosen]) for run in row.sums] for row in rows]
            draws = bootstrap([*parts[0], *parts[1]], resamples, trial)
            ends = (draws[: len(parts[0])], draws[len(parts[0]) :])
            right = [None if row.right is None else row.right[chosen] for row in rows]
            a, b = (Row(tuple(part), *rest) for part, *rest in zip(parts, ends, right, strict=True))
            yield compare_rows(a, b, metric, resamples, trial)


@dataclass(frozen=True)
class Seen:
    """What trials showed.

    Attributes:
        covered: Share of the intervals that hold the mean of what trials found.
        alarms: Share of the trials in which the deciding test says p < 0.05.
        exact: The same of McNemar's exact test; of the bootstrap where that was not made.
        tossed: The same of approximate randomisation.
        bootstrap: The same of the bootstrap.
    """

    covered: float
    alarms: float
    exact: float
    tossed: float
    bootstrap: float


def seen(comparisons: Sequence[Comparison]) -> Seen:
    """Sum trials up."""
    truth = np.mean([one.difference.value for one in comparisons])
    exact = [one.mcnemar.exact if one.mcnemar else one.p_bootstrap for one in comparisons]
    return Seen(
        covered=float(np.mean([one.difference.low <= truth <= one.difference.high for one in comparisons])),
        alarms=_share([one.p for one in comparisons]),
        exact=_share(exact),
        tossed=_share([one.p_randomisation for one in comparisons]),
        bootstrap=_share([one.p_bootstrap for one in comparisons]),
    )


def _share(p: Sequence[float]) -> float:
    return float(np.mean(np.array(p) < 0.05))


def single(name: str, labels: int, zipf: float, wrong_a: float, wrong_b: float, *, runs: int = 1) -> Population:
    """Documents of one label, of which rare ones are missed more often; half of the misses are shared."""
    generator = np.random.default_rng(5)
    shares = 1 / np.arange(1, labels + 1) ** zipf
    gold = generator.choice(labels, POPULATION, p=shares / shares.sum())
    hard = generator.random(POPULATION)

    def run(wrong: float, seed: int) -> Judged:
        luck = np.where(generator.random(POPULATION) < 0.5, hard, generator.random(POPULATION))
        missed = luck < wrong * (0.6 + 0.8 * gold / labels)
        answers = np.where(missed, generator.permutation(gold), gold)
        return _judged([gold[:, None], answers[:, None]], labels, "single", seed)

    return Population(name, [run(wrong_a, seed) for seed in range(runs)], [run(wrong_b, seed) for seed in range(runs)])


def multi(name: str, labels: int, zipf: float, a: tuple[float, float], b: tuple[float, float]) -> Population:
    """Documents of three labels on average; rows miss labels and add others, in proportion to their share."""
    generator = np.random.default_rng(5)
    shares = 1 / np.arange(1, labels + 1) ** zipf
    shares = np.minimum(0.6, 3 * shares / shares.sum())
    gold = (generator.random((POPULATION, labels)) < shares).astype(np.int8)
    sides = [noisy(generator, gold, missed, shares * added) for missed, added in (a, b)]
    runs = [_judged([gold, side], labels, "multi", seed) for seed, side in enumerate(sides)]
    return Population(name, runs[:1], runs[1:])


def _judged(sides: Sequence[Any], labels: int, kind: Any, seed: int) -> Judged:
    from scipy.sparse import csr_matrix

    full = [side if side.shape[1] == labels else _one_hot(side[:, 0], labels) for side in sides]
    gold, predicted = (csr_matrix(side, dtype=np.int8) for side in full)
    ids = list(map(str, range(POPULATION)))
    return Judged("c", seed, SplitPredictions(ids, gold, predicted, None), np.full(labels, 9), POPULATION, kind)


def _one_hot(classes: Any, labels: int) -> Any:
    from scipy.sparse import csr_matrix

    ends = np.arange(len(classes) + 1)
    return csr_matrix((np.ones(len(classes), np.int8), classes, ends), shape=(len(classes), labels))


def planted(documents: int, worse: float, better: float, seed: int) -> tuple[Judged, Judged]:
    """A run that has four documents in five right, and one of which some are turned wrong and others turned right."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(10, size=documents)
    both, before = 0.8 - worse, 0.8  # of a uniform number: right in both, right before, right after, never
    chance = generator.random(documents)
    right = chance < before, (chance < both) | ((chance >= before) & (chance < before + better))
    first, second = (of_classes(gold, np.where(side, gold, (gold + 1) % 10), 10) for side in right)
    return first, second
