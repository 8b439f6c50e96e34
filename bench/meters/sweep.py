"""How fast documents are labelled at one batch size after another, until a larger one does not pay or does not fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.record import BatchSpeed, Sweep

BUDGET_SECONDS = 20.0
PAYS = 1.05
"""A size pays that is faster by this factor than every smaller one; after two that do not, the sweep ends."""

_FEWEST = 16
_BATCHES = 4


class RanOut(Exception):  # noqa: N818 - the expected end of many a sweep
    """Documents at a time were too many for the memory."""


@dataclass
class BatchSweep:
    """Labels a sample at sizes 1, 2, 4, …

    Attributes:
        rate: Texts and a batch size → documents a second.
        now: Seconds on a steady clock; replaced in tests.
        speeds: What was found so far.
    """

    rate: Callable[[Sequence[str], int], float]
    now: Callable[[], float] = time.perf_counter
    speeds: list[BatchSpeed] = field(default_factory=list)

    def measure(self, texts: Sequence[str], budget: float = BUDGET_SECONDS) -> Sweep:
        """The sweep over a sample.

        Args:
            texts: Drawn at random; sizes go up to their number.
            budget: Seconds after which no size is begun.
        """
        end, size = self.now() + budget, 1
        while (ended := self._ended(size, len(texts), end)) is None:
            count = min(len(texts), max(_FEWEST, _BATCHES * size))
            try:
                speed = self.rate(texts[: count - count % size], size)
            except RanOut:
                ended = "memory"
                break
            self.speeds.append(BatchSpeed(batch=size, documents_per_second=speed))
            size *= 2
        best = max(self.speeds, key=lambda found: found.documents_per_second).batch if self.speeds else None
        return Sweep(speeds=self.speeds, best=best, ended=ended)

    def _ended(self, size: int, most: int, end: float) -> Literal["documents", "time", "pace", "memory"] | None:
        """Why this size is not tried; None where it is."""
        if size > most:
            return "documents"
        if self.now() >= end:
            return "time"
        return "pace" if self._stalled() else None

    def _stalled(self) -> bool:
        rates = [found.documents_per_second for found in self.speeds]
        return len(rates) > 2 and max(rates[-2:]) < PAYS * max(rates[:-2])
