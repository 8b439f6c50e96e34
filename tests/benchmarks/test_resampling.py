"""The long form of what is claimed of the statistics, and the time that they take."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from unit.stats.judged_runs import judged, noisy
from unit.stats.trials import multi, planted, seen, single

from bench.stats.comparing import compare

TRIALS = 1000
CHANCE = 3 * (0.05 * 0.95 / TRIALS) ** 0.5

CASES = {
    "single-label": (lambda: single("", 20, 0.5, 0.3, 0.3), "micro_f1", 500, 10_000),
    "single-label, macro-F1": (lambda: single("", 20, 0.5, 0.3, 0.3), "macro_f1", 500, 1000),
    "single-label, rare labels, macro-F1": (lambda: single("", 100, 1.0, 0.4, 0.4), "macro_f1", 600, 1000),
    "single-label, rare labels, three seeds, macro-F1": (
        lambda: single("", 60, 1.0, 0.4, 0.4, runs=3),
        "macro_f1",
        400,
        500,
    ),
    "multi-label": (lambda: multi("", 30, 0.5, (0.3, 0.3), (0.3, 0.3)), "micro_f1", 400, 1000),
    "multi-label, rare labels, macro-F1": (
        lambda: multi("", 100, 1.0, (0.3, 0.3), (0.3, 0.3)),
        "macro_f1",
        400,
        1000,
    ),
    "multi-label, samples-F1": (lambda: multi("", 30, 0.5, (0.3, 0.3), (0.3, 0.3)), "samples_f1", 400, 1000),
}
APART = {
    "single-label, rare labels, macro-F1": (lambda: single("", 100, 1.0, 0.35, 0.5), "macro_f1", 600, 1000),
    "multi-label, micro-F1": (lambda: multi("", 30, 0.5, (0.25, 0.3), (0.35, 0.5)), "micro_f1", 400, 1000),
    "multi-label, rare labels, macro-F1": (
        lambda: multi("", 100, 1.0, (0.25, 0.3), (0.4, 0.5)),
        "macro_f1",
        400,
        1000,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_that_are_alike(figure: Any, name: str) -> None:
    make, metric, documents, resamples = CASES[name]
    found = seen(list(make().trials(TRIALS, documents, metric, resamples)))
    figure(f"{name}: false alarms of the deciding test", found.alarms, unit="share", most=0.05 + CHANCE)
    figure(f"{name}: of the exact test or the bootstrap", found.exact, unit="share", most=0.05 + CHANCE)
    figure(f"{name}: of the bootstrap", found.bootstrap, unit="share", most=0.05 + CHANCE)
    figure(f"{name}: of the randomisation", found.tossed, unit="share", most=0.05 + CHANCE)
    figure(f"{name}: coverage", found.covered, unit="share", least=0.93, most=0.97)


@pytest.mark.parametrize("name", APART)
def test_intervals_of_rows_that_differ(figure: Any, name: str) -> None:
    make, metric, documents, resamples = APART[name]
    comparisons = list(make().trials(TRIALS, documents, metric, resamples))
    difference = np.mean([one.difference.value for one in comparisons])
    words = f"a difference of {difference:+.3f}"
    figure(f"{name}, apart: coverage", seen(comparisons).covered, unit="share", least=0.93, most=0.97, seen=words)


def test_a_planted_drop(figure: Any) -> None:
    pairs = (planted(2000, 0.05, 0.03, trial) for trial in range(TRIALS))
    found = [compare([a], [b], "micro_f1", resamples=300) for a, b in pairs]
    for name, p in (("McNemar", "p"), ("bootstrap", "p_bootstrap"), ("randomisation", "p_randomisation")):
        caught = np.mean([getattr(one, p) < 0.05 and one.difference.value > 0 for one in found])
        figure(f"5 % turned wrong, 3 % right, caught by {name}", caught, unit="share", least=0.8)


@pytest.mark.quick
def test_time_of_macro_f1(figure: Any) -> None:
    """10,000 draws of 6,000 documents, 600 labels, both rows in pairs, and as many tosses."""
    generator = np.random.default_rng(0)
    shares = 1 / np.arange(1, 601) ** 0.9
    shares = np.minimum(0.5, 5 * shares / shares.sum())
    gold = (generator.random((6000, 600)) < shares).astype(np.int8)
    a, b = (judged(gold, noisy(generator, gold, 0.35, shares * 0.4)) for _ in range(2))
    started = time.perf_counter()
    found = compare([a], [b], "macro_f1")
    seconds = time.perf_counter() - started
    words = f"{found.difference.low:+.4f} to {found.difference.high:+.4f}"
    figure("10,000 × 6,000 documents × 600 labels, macro-F1 of two rows", seconds, unit="s", most=30, seen=words)
