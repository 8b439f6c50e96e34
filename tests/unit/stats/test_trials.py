"""What the tests say is true: intervals hold, alarms are rare, planted drops are caught.

The short form, with a bound that chance alone breaks once in thousands; ``tests/benchmarks/test_resampling.py`` has the
long one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.stats.trials import multi, planted, seen, single

from bench.stats.comparing import compare

TRIALS = 300
CHANCE = 3.5 * (0.05 * 0.95 / TRIALS) ** 0.5
"""So far a share of 5 % strays in so many trials."""


@pytest.mark.parametrize(
    ("population", "metric", "documents"),
    [
        (lambda: single("alike", 20, 0.5, 0.3, 0.3), "micro_f1", 300),
        (lambda: single("alike, rare labels", 60, 1.0, 0.4, 0.4), "macro_f1", 300),
        (lambda: multi("alike", 30, 0.5, (0.3, 0.3), (0.3, 0.3)), "micro_f1", 200),
        (lambda: multi("alike, rare labels", 60, 1.0, (0.3, 0.3), (0.3, 0.3)), "macro_f1", 250),
    ],
)
def test_rows_that_are_alike_are_told_apart_once_in_twenty(population: Any, metric: str, documents: int) -> None:
    found = seen(list(population().trials(TRIALS, documents, metric, 200)))
    assert found.alarms < 0.05 + CHANCE
    assert found.bootstrap < 0.05 + CHANCE
    assert found.exact < 0.05 + CHANCE
    assert found.tossed < 0.05 + CHANCE
    assert abs(found.covered - 0.95) < CHANCE


def test_intervals_of_rows_that_differ_hold_the_difference() -> None:
    population = multi("apart, rare labels", 60, 1.0, (0.25, 0.3), (0.35, 0.5))
    found = seen(list(population.trials(TRIALS, 250, "macro_f1", 200)))
    assert abs(found.covered - 0.95) < CHANCE


def test_several_seeds_raise_no_more_alarms() -> None:
    population = single("alike, three seeds", 40, 1.0, 0.35, 0.35, runs=3)
    found = seen(list(population.trials(TRIALS // 2, 250, "macro_f1", 200)))
    assert found.alarms < 0.05 + CHANCE * 2**0.5


def test_a_net_drop_of_two_points_is_caught() -> None:
    """At 2,000 documents, 5 % turned wrong and 3 % turned right: at least four times in five."""
    caught = []
    for trial in range(100):
        found = compare(*([run] for run in planted(2000, 0.05, 0.03, trial)), "micro_f1", resamples=100)
        caught.append(found.p < 0.05 and found.difference.value > 0)
    assert np.mean(caught) > 0.8 - 0.05  # 0.89 is expected; 100 trials stray by 0.03
