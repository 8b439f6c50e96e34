"""Memory and speed, by tolerance, and only where the hardware is the same."""

from __future__ import annotations

from bench.gate.finding import Check, Finding, Limits, Numbers
from bench.gate.keeping import PHASES
from bench.gate.words import share
from bench.record import PhaseMemory, PhaseSpeed, Record

SHORTEST = 1.0
"""Seconds of a window that can be judged: over less, one interruption is most of what is measured."""
UNDISTURBED = 0.8
"""So much of the processors' time that a cell had in the reference it must have had for its speed to be judged: where
others take more of it, they take caches and memory's bandwidth too, and even the processor's own time grows."""
FLOOR_MIB = 64.0
"""Growth that never closes: what an allocator keeps or gives back differs by so much from run to run."""

_REMEDY = "if that is the price of something, write the reference again with --update --reason WHY"


def check_cost(before: Record, now: Record, limits: Limits) -> list[Finding]:
    """Hold peaks and rates of training and prediction against the reference."""
    apart = _why_apart(before, now)
    if apart:
        words = f"not comparable: {apart}"
        return [Finding("memory", "noted", words), Finding("speed", "noted", words)]
    on_processor = now.facts.get("device", "cpu") == "cpu"
    memory = [_memory(phase, before, now, limits.memory, on_processor=on_processor) for phase in PHASES]
    speed = [_speed(phase, before, now, limits.speed, on_processor=on_processor) for phase in PHASES]
    return [*memory, *speed]


def _why_apart(before: Record, now: Record) -> str:
    """Why figures of these two cells say nothing about each other; empty where they do."""
    one, other = before.environment, now.environment
    if not one.hardware_id or not other.hardware_id:
        return "the hardware is not known"
    if one.hardware_id != other.hardware_id:
        return f"other hardware ({one.hardware_id}; now {other.hardware_id})"
    for name, was, is_ in (("threads", one.threads, other.threads), ("jobs", one.jobs, other.jobs)):
        if was != is_:
            return f"{name} were {was}, now {is_}"
    return ""


def _memory(phase: str, before: Record, now: Record, tolerance: float, *, on_processor: bool) -> Finding:
    name = "host" if on_processor else "reserved"
    peaks = [_peak(record.peak_mib.get(phase), name) for record in (before, now)]
    was, is_ = peaks
    if was is None or is_ is None:
        return Finding("memory", "noted", f"{phase}: {name} peak not known")
    change = is_ / was - 1 if was > 0 else 0.0
    numbers: Numbers = {"phase": phase, "kind": name, "before_mib": was, "now_mib": is_, "change": change}
    if is_ - was <= FLOOR_MIB or change <= tolerance:
        return Finding("memory", "held", numbers=numbers)
    words = f"{phase}: {name} peak {was:,.0f} → {is_:,.0f} MiB ({share(change)}; {share(tolerance)} allowed)"
    return Finding("memory", "closed", words, _REMEDY, numbers)


def _peak(memory: PhaseMemory | None, name: str) -> float | None:
    return None if memory is None else getattr(memory, name)


def _speed(phase: str, before: Record, now: Record, tolerance: float, *, on_processor: bool) -> Finding:
    was, is_ = before.speed.get(phase), now.speed.get(phase)
    if was is None or is_ is None or not was.documents or not is_.documents:  # all of a short phase may be warm-up
        return Finding("speed", "noted", f"{phase}: speed not known")
    shortest = min(was.seconds, is_.seconds)
    if shortest < SHORTEST:
        words = f"measured over less than {SHORTEST:g} s, too short to judge"
        return Finding("speed", "noted", words, numbers={"phase": phase, "seconds": shortest})
    return _judged_speed(phase, was, is_, tolerance, on_processor=on_processor)


def _judged_speed(phase: str, was: PhaseSpeed, is_: PhaseSpeed, tolerance: float, *, on_processor: bool) -> Finding:
    rates = _rate(was, was.seconds), _rate(is_, is_.seconds)
    change, work = rates[1] / rates[0] - 1, _computing(was, is_)
    numbers: Numbers = {"phase": phase, "before": rates[0], "now": rates[1], "change": change, "by_processor": work}
    if change >= -tolerance:
        return Finding("speed", "held", numbers=numbers)
    allowed = f"({share(change)}; {share(-tolerance)} allowed)"
    words = f"{phase}: {rates[0]:,.0f} → {rates[1]:,.0f} documents/s {allowed}"
    excuse = _excuse(was, is_, tolerance) if on_processor else ""
    if excuse:
        return Finding("speed", "noted", f"{words}, {excuse}", numbers=numbers)
    return Finding("speed", "closed", words, _REMEDY, numbers)


def _excuse(was: PhaseSpeed, is_: PhaseSpeed, tolerance: float) -> str:
    """Why slowness on a processor may be others' doing; empty where it is the cell's own."""
    work = _computing(was, is_)
    if work is None or not was.processor_seconds or not is_.processor_seconds:
        return "but how long the processor was at it is not known"
    if work >= -tolerance:
        return f"but by the processor's own time {share(work)}: others used the machine"
    had = was.processor_seconds / was.seconds, is_.processor_seconds / is_.seconds
    if had[1] < UNDISTURBED * had[0]:
        return f"but the cell had {had[1]:.2g} processors of time, {had[0]:.2g} then: others used the machine"
    return ""


def _rate(speed: PhaseSpeed, seconds: float) -> float:
    return speed.documents / seconds


def _computing(was: PhaseSpeed, is_: PhaseSpeed) -> float | None:
    """Change of documents per second that the processor spent on the cell; None where that is not known."""
    if not was.processor_seconds or not is_.processor_seconds:
        return None
    return _rate(is_, is_.processor_seconds) / _rate(was, was.processor_seconds) - 1


def shown_change(findings: list[Finding], check: Check) -> str:
    """The worst change of a check over the phases, for a table."""
    changes = [number for found in findings if isinstance(number := found.numbers.get("change"), float)]
    if not changes:
        return "–"
    return share(max(changes) if check == "memory" else min(changes))
