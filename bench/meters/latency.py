"""Latency: how long one document takes that comes alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from bench.meters.clock import synchronise
from bench.meters.unmeasured import NotMeasured
from bench.record import Latency

WARM_UP = 2
FEWEST = 5
MOST = 100
BUDGET_SECONDS = 2.0
PATIENCE_SECONDS = 20.0
"""A method that has not labelled the fewest by then has no latency."""


@dataclass(frozen=True)
class LatencyMeter:
    """Labels documents one at a time, some to warm up, then until the budget is spent.

    Attributes:
        budget: Seconds that it may take; ``FEWEST`` documents are labelled anyway.
        deadline: ``time.monotonic()`` that nothing may go beyond; None without one.
        now: Seconds on a steady clock; replaced in tests.
    """

    budget: float = BUDGET_SECONDS
    deadline: float | None = None
    now: Callable[[], float] = time.perf_counter

    def measure(self, label: Callable[[str], object], texts: Sequence[str]) -> Latency:
        """The latency of texts, the first ones warming up as well.

        Raises:
            NotMeasured: The texts are few, or take too long.
        """
        if len(texts) < FEWEST:
            raise NotMeasured(f"{len(texts)} documents are too few")
        started = self.now()
        for text in texts[:WARM_UP]:
            self._check(started, self._seconds(label, text))
        taken: list[float] = []
        for text in texts:
            taken.append(self._seconds(label, text))
            if len(taken) >= FEWEST and self.now() - started >= self.budget:
                break
            self._check(started, max(taken))
        return _summary(taken)

    def _seconds(self, label: Callable[[str], object], text: str) -> float:
        synchronise()
        started = self.now()
        label(text)
        synchronise()
        return self.now() - started

    def _check(self, started: float, longest: float) -> None:
        if self.now() - started >= PATIENCE_SECONDS:
            raise NotMeasured(f"{FEWEST} documents, one at a time, took longer than {PATIENCE_SECONDS:g} s")
        if self.deadline is not None and time.monotonic() + longest > self.deadline:
            raise NotMeasured("the cell's time was nearly up")


def _summary(taken: Sequence[float]) -> Latency:
    """Percentiles between the nearest values, as NumPy's default has them."""
    hundredths = quantiles((1000 * seconds for seconds in taken), n=100, method="inclusive")
    return Latency(documents=len(taken), p50_ms=hundredths[49], p95_ms=hundredths[94], warmup_documents=WARM_UP)
