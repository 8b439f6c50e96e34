"""Speed: seconds of each phase, and documents and tokens over a synchronised window."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

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
class PhaseTimer:
    """The time of one phase, without that of phases inside it, and the work done in it.

    Attributes:
        now: Seconds on a steady clock; replaced in tests.
        seconds: Time so far, closed segments only.
        from_cache: Whether some of the work was not done here.
    """

    now: Callable[[], float] = time.perf_counter
    seconds: float = 0.0
    from_cache: bool = False
    _since: float | None = None
    _documents: int = 0
    _tokens: int | None = None
    _padding: int = 0
    _warmup_documents: int = 0
    _warmup_seconds: float = 0.0
    _counted: bool = field(default=False)

    def resume(self) -> None:
        """Start a segment."""
        synchronise()
        self._since = self.now()

    def pause(self) -> None:
        """End the segment."""
        synchronise()
        if self._since is not None:
            self.seconds += self.now() - self._since
            self._since = None

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
        running = self.now() - self._since if self._since is not None else 0.0
        self._warmup_seconds = self.seconds + running
        self._warmup_documents += self._documents
        self._documents, self._padding, self._tokens = 0, 0, None

    def recalled(self) -> None:
        """Note that some of the work came from a cache."""
        self.from_cache = True

    def speed(self) -> PhaseSpeed | None:
        """Work over time after the warm-up; None where nothing was counted, or where not all of it was done."""
        if not self._counted or self.from_cache:
            return None
        return PhaseSpeed(
            documents=self._documents,
            tokens=self._tokens,
            padding=self._padding,
            seconds=self.seconds - self._warmup_seconds,
            warmup_documents=self._warmup_documents,
            warmup_seconds=self._warmup_seconds,
        )


def per_second(amount: int | None, seconds: float) -> float | None:
    """A rate such that ``rate * seconds == amount``; None where it has none."""
    return amount / seconds if amount is not None and seconds > 0 else None
