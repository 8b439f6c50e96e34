"""A clock that runs only while texts are tokenised, as ``time.process_time`` runs only while a process computes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ContextDecorator


class Stopwatch(ContextDecorator):
    """Adds up the time inside ``with stopwatch:``, or inside functions that it decorates.

    What runs inside another counts once. Not for several threads at a time.

    Args:
        now: Seconds on a steady clock.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._depth = 0
        self._since = 0.0
        self._seconds = 0.0

    def __enter__(self) -> None:
        if self._depth == 0:
            self._since = self._now()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._seconds += self._now() - self._since

    def seconds(self) -> float:
        """What it shows: seconds so far."""
        return self._seconds


tokenising = Stopwatch()
"""That of this process. Meters read it where a phase begins and ends, like any other clock."""
