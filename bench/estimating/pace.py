"""How fast a device computes: as the user says, or as a short probe finds it.

The probe multiplies two matrices, then runs one layer of each network forward and back: a network reaches a part of the
matrix rate that depends on its width, its quantisation and its adapters.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.work import Reading, Work

if TYPE_CHECKING:
    from bench.estimating.probe import Probe

PROBE_SECONDS = 4.0
"""Once so much was spent, networks that were not probed get the mean of those that were."""

_ROUND_SECONDS = 0.08
_ROUNDS = 3


@dataclass(frozen=True)
class Subject:
    """A network at work.

    Attributes:
        config: Of the network.
        kind: ``encoder`` or ``decoder``.
        work: What it does.
    """

    config: Mapping[str, Any]
    kind: str
    work: Work


class Pace(ABC):
    """Operations a second that networks reach; None where that cannot be found out."""

    @abstractmethod
    def reading(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """Of labelling documents of a mean length."""

    @abstractmethod
    def learning(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """Of learning from them."""

    @abstractmethod
    def assumption(self) -> str:
        """In words, what it rests on."""


@dataclass(frozen=True)
class GivenPace(Pace):
    """What the user says.

    Attributes:
        rate: Operations a second.
    """

    rate: float

    def reading(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """The same for all."""
        return self.rate

    def learning(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """The same for all."""
        return self.rate

    def assumption(self) -> str:
        """The user's word."""
        return f"networks reach {in_flops(self.rate)} (--rate)"


@dataclass
class MeasuredPace(Pace):
    """What a probe of this machine finds.

    Attributes:
        device: A torch device.
        threads: CPU threads.
    """

    device: str
    threads: int
    _matrix: float = 0.0
    _spent: float = 0.0
    _shares: dict[tuple[str, ...], float] = field(default_factory=dict)

    def reading(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """The rate of one layer forward."""
        return self._rate("read", subject, lambda probe: probe.read(subject, reading.batch, round(length)))

    def learning(self, subject: Subject, reading: Reading, length: float) -> float | None:
        """The rate of one layer forward and back."""
        return self._rate("learn", subject, lambda probe: probe.learn(subject, reading.batch, round(length)))

    def assumption(self) -> str:
        """The rates found."""
        shares = sorted(self._shares.values())
        if not shares:
            return ""
        span = f"{shares[0]:.0%} to {shares[-1]:.0%}" if len(shares) > 1 else f"{shares[0]:.0%}"
        return (
            f"matrices multiply at {in_flops(self._matrix)} here ({self.device}); networks reach {span} of that, by a "
            "probe of one layer"
        )

    def _rate(self, what: str, subject: Subject, measure: Callable[[Probe], float]) -> float | None:
        from bench.estimating.probe import Probe, import_libraries, matrix_rate

        if not self._matrix:
            self._matrix = matrix_rate(self.device, self.threads)
        key = (what, *_key(subject))
        if key not in self._shares:
            like = [share for other, share in self._shares.items() if other[0] == what]
            if self._spent > PROBE_SECONDS and like:
                return self._matrix * sum(like) / len(like)
            import_libraries(subject.work)
            started = time.perf_counter()
            try:
                rate = measure(Probe(self.device, self._matrix * _ROUND_SECONDS, _ROUNDS))
            except (RuntimeError, ValueError, AssertionError, TypeError, AttributeError):
                return None  # a layer by itself is not what its library expects, or the device has no room for it
            self._shares[key] = rate / self._matrix
            self._spent += time.perf_counter() - started
        return self._matrix * self._shares[key]


def in_flops(rate: float) -> str:
    """``95 GFLOP/s``, ``150 TFLOP/s``."""
    unit, size = ("TFLOP/s", 1e12) if rate >= 1e12 else ("GFLOP/s", 1e9)
    return f"{rate / size:.3g} {unit}"


def _key(subject: Subject) -> tuple[str, ...]:
    """What a layer's rate depends on; the rank of adapters hardly matters, but whether there are any does."""
    work = subject.work
    return (repr(sorted(subject.config.items(), key=str)), work.loaded, work.trained, work.quantisation)
