"""Speed: seconds of each phase, and documents and tokens over a synchronised window."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.meters.tokenising import tokenising
from bench.record import PhaseSpeed


def synchronise() -> None:
    """Wait for an accelerator to finish what was asked of it; free where none is in use."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
    elif hasattr(torch, "mps") and torch.backends.mps.is_available():
        torch.mps.synchronize()


@dataclass
class Span:
    """What a clock advances by while it is watched, the warm-up apart.

    Attributes:
        clock: Seconds that only grow.
        seconds: Of closed segments.
        warmup: The part of all seconds that belongs to the warm-up.
    """

    clock: Callable[[], float]
    seconds: float = 0.0
    warmup: float = 0.0
    _since: float | None = None

    def resume(self) -> None:
        """Start a segment."""
        self._since = self.clock()

    def pause(self) -> None:
        """End the segment."""
        self.seconds, self._since = self._so_far(), None

    def warmed_up(self) -> None:
        """All until now is warm-up."""
        self.warmup = self._so_far()

    def discount(self, seconds: float) -> None:
        """Some of the seconds belong to no window."""
        self.warmup += seconds

    @property
    def window(self) -> float:
        """Seconds after the warm-up."""
        return self.seconds - self.warmup

    def _so_far(self) -> float:
        return self.seconds + (self.clock() - self._since if self._since is not None else 0.0)


@dataclass
class PhaseTimer:
    """The time of one phase, without that of phases inside it, and the work done in it.

    Attributes:
        now: Seconds on a steady clock; replaced in tests.
        tokenised: Seconds on a clock that runs only while texts are tokenised.
        computed: Seconds on a clock that runs only while this process computes, once for each thread that does.
        from_cache: Whether some of the work was not done here.
    """

    now: Callable[[], float] = time.perf_counter
    tokenised: Callable[[], float] = tokenising.seconds
    computed: Callable[[], float] = time.process_time
    from_cache: bool = False
    _documents: int = 0
    _tokens: int | None = None
    _padding: int = 0
    _warmup_documents: int = 0
    _counted: bool = False
    _discounted: bool = False
    _time: Span = field(init=False)
    _tokenising: Span = field(init=False)
    _computing: Span = field(init=False)

    def __post_init__(self) -> None:
        self._time, self._tokenising, self._computing = Span(self.now), Span(self.tokenised), Span(self.computed)

    @property
    def seconds(self) -> float:
        """Time so far, closed segments only."""
        return self._time.seconds

    def resume(self) -> None:
        """Start a segment."""
        synchronise()
        self._tokenising.resume()
        self._computing.resume()
        self._time.resume()

    def pause(self) -> None:
        """End the segment, also where a device that is broken cannot be waited for."""
        try:
            synchronise()
        finally:
            self._time.pause()
            self._computing.pause()
            self._tokenising.pause()

    def count(self, documents: int, tokens: int | None = None, padding: int = 0) -> None:
        """Add finished work; see :class:`bench.method.PhaseWindow`."""
        self._counted = True
        self._documents += documents
        self._padding += padding
        if tokens is not None:
            self._tokens = (self._tokens or 0) + tokens

    def count_if_silent(self, documents: int) -> None:
        """Count documents for a method that counts none itself."""
        if not self._counted:
            self.count(documents)

    def warmed_up(self) -> None:
        """Set what was counted so far apart as warm-up."""
        synchronise()
        self._time.warmed_up()
        self._tokenising.warmed_up()
        self._computing.warmed_up()
        self._warmup_documents += self._documents
        self._documents, self._padding, self._tokens = 0, 0, None

    def discount(self, seconds: float) -> None:
        """Leave time that was spent in vain out of the speed, with the warm-up."""
        self._time.discount(seconds)
        self._discounted = True  # how much was computed in that time is not known

    def recalled(self) -> None:
        """Note that some of the work came from a cache."""
        self.from_cache = True

    def speed(self) -> PhaseSpeed | None:
        """Work over time after the warm-up; None where nothing was counted, or where not all of it was done."""
        if not self._counted or self.from_cache:
            return None
        tokenises = self._tokenising.seconds > 0
        return PhaseSpeed(
            documents=self._documents,
            tokens=self._tokens,
            padding=self._padding,
            seconds=self._time.window,
            processor_seconds=None if self._discounted else self._computing.window,
            warmup_documents=self._warmup_documents,
            warmup_seconds=self._time.warmup,
            tokenise_seconds=self._tokenising.window if tokenises else None,
            warmup_tokenise_seconds=self._tokenising.warmup if tokenises else None,
        )


def per_second(amount: int | None, seconds: float) -> float | None:
    """A rate such that ``rate * seconds == amount``; None where nothing was done, or in no time."""
    return amount / seconds if amount and seconds > 0 else None
