"""The instruments of a cell: a stack of exclusive phases, each with its timer and its memory peaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.meters.clock import PhaseTimer, per_second
from bench.meters.energy import EnergyMeter, Joules
from bench.meters.memory import MemoryMeter, Peaks
from bench.method import PhaseWindow, Progress
from bench.record import PhaseEnergy, PhaseMemory, PhaseSpeed

TELL_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """What the phases of a cell came to; keys are phase names."""

    seconds: dict[str, float]
    speed: dict[str, PhaseSpeed]
    documents_per_second: dict[str, float | None]
    tokens_per_second: dict[str, float | None]
    peak_mib: dict[str, PhaseMemory]
    energy_joules: dict[str, PhaseEnergy]


@dataclass
class CellInstruments:
    """Implements :class:`bench.method.Instruments` for one cell.

    Attributes:
        tell: Gets progress, at most ten times a second but for the first of each phase.
        facts: What the method noted.
        reached: The phase entered last.
    """

    tell: Callable[[Progress], None]
    facts: dict[str, Any] = field(default_factory=dict)
    reached: str | None = None
    _memory: MemoryMeter = field(default_factory=MemoryMeter)
    _energy: EnergyMeter = field(default_factory=EnergyMeter)
    _timers: dict[str, PhaseTimer] = field(default_factory=dict)
    _peaks: dict[str, Peaks] = field(default_factory=dict)
    _joules: dict[str, Joules] = field(default_factory=dict)
    _stack: list[str] = field(default_factory=list)
    _told: float = 0.0

    def start(self) -> None:
        """Begin to sample memory, and to watch counters of energy."""
        self._memory.start()
        self._energy.start()

    @contextmanager
    def phase(self, name: str) -> Iterator[PhaseTimer]:
        """Open a phase; the one around it is suspended meanwhile."""
        if self._stack:
            self._timers[self._stack[-1]].pause()
        self._stack.append(name)
        self.reached = name
        timer = self._enter(name)
        self.progress(Progress(name))
        try:
            timer.resume()
            yield timer
            # Only a phase that ended well is left: one that raised stays the phase reached.
            if len(self._stack) > 1:
                self.reached = self._stack[-2]
        finally:
            # The peak is read here, so that a phase that ran out of memory still shows its last one.
            try:
                timer.pause()
            finally:
                self._leave()

    @property
    def window(self) -> PhaseWindow:
        """The timer of the innermost open phase."""
        if not self._stack:
            raise RuntimeError("no phase is open; work is counted inside one")
        return self._timers[self._stack[-1]]

    @property
    def phase_name(self) -> str:
        """The innermost open phase."""
        if not self._stack:
            raise RuntimeError("no phase is open")
        return self._stack[-1]

    def progress(self, progress: Progress) -> None:
        """Pass on progress, but not too often."""
        now = time.monotonic()
        if progress.step in {0, progress.total} or now - self._told >= TELL_SECONDS:
            self._told = now
            self.tell(progress)

    def note(self, **facts: Any) -> None:
        """Keep facts for the record.

        Raises:
            TypeError: A fact is no JSON value; better here than when all the work is done.
        """
        for name, value in facts.items():
            try:
                json.dumps(value)
            except (TypeError, ValueError) as error:
                raise TypeError(f"note {name}={value!r:.80}: {error}; give plain Python values") from None
        self.facts.update(facts)

    def discount(self, seconds: float) -> None:
        """Leave work that failed and is done again out of the innermost open phase's speed and peaks."""
        name = self.phase_name
        self._timers[name].discount(seconds)
        self._peaks[name] = Peaks()
        self._memory.switch(self._peaks[name])

    def seconds(self) -> dict[str, float]:
        """Phase → seconds so far, closed segments only."""
        return {name: timer.seconds for name, timer in self._timers.items()}

    def measured(self) -> Measured:
        """Everything measured so far; all phases must be closed."""
        self._memory.stop()
        self._energy.stop()
        speed = {name: found for name, timer in self._timers.items() if (found := timer.speed()) is not None}
        unknown: dict[str, float | None] = {name: None for name, timer in self._timers.items() if timer.from_cache}
        return Measured(
            seconds=self.seconds(),
            speed=speed,
            documents_per_second=unknown | {name: per_second(s.documents, s.seconds) for name, s in speed.items()},
            tokens_per_second=unknown | {name: per_second(s.tokens, s.seconds) for name, s in speed.items()},
            peak_mib={name: self._memory.summary(peaks) for name, peaks in self._peaks.items()},
            energy_joules={name: self._energy.summary(joules) for name, joules in self._joules.items()},
        )

    def _leave(self) -> None:
        """Close the innermost phase, and go on with the one around it."""
        self._stack.pop()
        if self._stack:
            self._enter(self._stack[-1]).resume()
            self.progress(Progress(self.reached or self._stack[-1]))
        else:
            self._memory.switch(Peaks())
            self._energy.switch(Joules())

    def _enter(self, name: str) -> PhaseTimer:
        self._memory.switch(self._peaks.setdefault(name, Peaks()))
        self._energy.switch(self._joules.setdefault(name, Joules()))
        return self._timers.setdefault(name, PhaseTimer())
