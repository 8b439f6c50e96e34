"""What a record says about quality, speed and memory: one function a figure."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Literal

from bench.record import Record
from report.groups import Group, Section
from report.text import percent, plain, quantity, score, whole

_TITLES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "macro_f1_supported": "macro-F1 (supported labels)",
    "weighted_f1": "weighted F1",
    "samples_f1": "samples-F1",
    "hierarchical_f1": "hierarchical F1",
}
_CACHED = "work of this phase was read from a cache"
_AT = re.compile(r"(?P<stem>[a-z]+)(?:@|_at_)(?P<k>\d+)")
_STEMS = {"p": "P", "precision": "P", "ndcg": "nDCG", "psp": "PSP", "rp": "RP", "r": "R", "recall": "R"}


@dataclass(frozen=True)
class Measure:
    """A figure that every record may hold.

    Attributes:
        key: Its name in tables.
        title: Its name for people, with the unit.
        read: The figure of a record; None where unknown.
        why: Why a record has none.
        show: Mean and sample standard deviation as text.
        quality: Whether it is a metric (bold marks the highest), not a cost.
    """

    key: str
    title: str
    read: Callable[[Record], float | None]
    why: Callable[[Record], str]
    show: Callable[[float, float | None], str]
    quality: bool = False


@dataclass(frozen=True)
class Summary:
    """A figure over the finished seeds of a group.

    Attributes:
        mean: Their mean.
        std: Their sample standard deviation (``ddof=1``); None for one seed.
    """

    mean: float
    std: float | None


def metric_title(name: str) -> str:
    """A metric's usual name: ``p@5`` → ``P@5``."""
    if name in _TITLES:
        return _TITLES[name]
    at = _AT.fullmatch(name)
    return f"{_STEMS.get(at['stem'], at['stem'])}@{at['k']}" if at else plain(name)


def metric_definition(name: str) -> str:
    """The metric's definition with its constants; empty where the harness has none."""
    try:
        return plain(importlib.import_module("bench.metrics.evaluate").describe(name))
    except Exception:  # a metric of a plugin, or of a newer harness: the report must still be written
        return ""


def metric(name: str) -> Measure:
    """The measure of a test metric."""
    return Measure(
        key=name,
        title=metric_title(name),
        read=lambda record: record.metrics.get(name),
        why=lambda record: record.undefined.get(name, "the record does not hold it"),
        show=score,
        quality=True,
    )


def seconds(phase: str) -> Measure:
    """Seconds of a phase, those of phases inside it apart."""
    return Measure(
        f"{phase}_seconds",
        f"{phase.capitalize()} s",
        lambda record: record.seconds.get(phase),
        lambda _: "the record holds no seconds of this phase",
        quantity,
    )


def training_seconds() -> Measure:
    """Seconds of training, those of work that an earlier cell did for it among them: what training costs by itself."""

    def read(record: Record) -> float | None:
        own, cached = record.seconds.get("train"), spared(record)
        if own is None or (cached is None and _from_cache(record, "train")):
            return None
        return own + (cached[1] if cached else 0.0)

    def why(record: Record) -> str:
        return _CACHED if _from_cache(record, "train") else seconds("train").why(record)

    return replace(seconds("train"), read=read, why=why)


def spared(record: Record) -> tuple[int, float] | None:
    """Training documents whose embeddings came from the cache, and the seconds that computing them took."""
    found: Any = record.facts.get("embeddings_train")
    if not isinstance(found, dict):  # a method may note anything
        return None
    count, took = found.get("from_cache"), found.get("seconds")
    return (count, float(took)) if count and isinstance(count, int) and isinstance(took, int | float) else None


def _from_cache(record: Record, phase: str) -> bool:
    speeds = record.documents_per_second
    return phase in speeds and speeds[phase] is None and phase not in record.speed


def speed(phase: str) -> Measure:
    """Documents a second in a phase, its warm-up apart."""

    def why(record: Record) -> str:
        return _CACHED if _from_cache(record, phase) else "the method counted no documents in this phase"

    return Measure(
        f"{phase}_documents_per_second",
        f"{phase.capitalize()} docs/s",
        lambda record: record.documents_per_second.get(phase),
        why,
        quantity,
    )


def host_memory(phase: str = "train") -> Measure:
    """Peak resident memory of the cell's process and its children, MiB."""
    return _memory(phase, "host", f"{phase.capitalize()} peak host MiB")


def host_above_idle(phase: str = "train") -> Measure:
    """The same less what the process held before its cell, MiB."""
    return _memory(phase, "host_above_idle", f"{phase.capitalize()} host above start MiB")


def device_memory(phase: str = "train") -> Measure:
    """Peak of device memory reserved by torch, MiB."""
    return _memory(phase, "reserved", f"{phase.capitalize()} peak device MiB")


def trained_parameters() -> Measure:
    """How many parameters training changes."""

    def read(record: Record) -> float | None:
        found: Any = record.facts.get("parameters")
        value = found.get("trainable") if isinstance(found, dict) else None  # a method may note anything
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    why = "the method did not say how many parameters it trains"
    return Measure("trained_parameters", "Trained parameters", read, lambda _: why, whole)


def latency(percentile: Literal[50, 95]) -> Measure:
    """Milliseconds in which a document that comes alone is labelled."""
    return Measure(
        f"latency_p{percentile}_ms",
        f"Latency p{percentile} ms",
        lambda record: getattr(record.latency, f"p{percentile}_ms") if record.latency is not None else None,
        lambda record: record.unmeasured.get("latency", "the record holds no latency"),
        quantity,
    )


def share_of_peak(phase: str) -> Measure:
    """Floating-point operations a second, over the rate at which the hardware multiplies matrices."""

    def read(record: Record) -> float | None:
        found = record.compute.get(phase)
        return found.share_of_peak if found is not None else None

    def why(record: Record) -> str:
        known = "the peak of the hardware was not measured" if phase in record.compute else "the record does not say"
        return record.unmeasured.get("compute", known)

    return Measure(f"{phase}_share_of_peak", f"{phase.capitalize()} share of peak", read, why, percent)


def energy(phase: str, part: Literal["processor", "devices"]) -> Measure:
    """Joules that a part of the machine used in a phase, whoever asked it to."""

    def read(record: Record) -> float | None:
        found = record.energy_joules.get(phase)
        value: float | None = getattr(found, part) if found is not None else None
        return value

    def why(record: Record) -> str:
        found = record.energy_joules.get(phase)
        return found.unknown.get(part, "not measured") if found is not None else "this phase was not measured"

    return Measure(f"{phase}_{part}_joules", f"{phase.capitalize()} {part} J", read, why, quantity)


def quality_measures(section: Section) -> list[Measure]:
    """The primary metric, micro-F1, macro-F1, P@1 and P@5 (many labels a document) or nDCG@5 (one)."""
    return [metric(name) for name in quality_names([section])]


def quality_names(some: Iterable[Section]) -> list[str]:
    """Names of the metrics to show for these sections, the primary ones first."""
    names: dict[str, None] = {}
    ranked: dict[str, None] = {}
    for section in some:
        names[section.primary] = None
        single = section.facts is not None and section.facts.kind == "single"
        found = [_find(section.metrics, "p", 1)]
        five = [_find(section.metrics, "p", 5), _find(section.metrics, "ndcg", 5)]
        found.append(next((name for name in (reversed(five) if single else five) if name), None))
        ranked.update(dict.fromkeys(name for name in found if name))
    return list(dict.fromkeys([*names, "micro_f1", "macro_f1", *ranked]))


def cost_measures(records: Iterable[Record]) -> list[Measure]:
    """Seconds, speeds and memory; what only some machines or methods can tell where some record has any."""
    kept = list(records)
    costs = [seconds("train"), speed("train"), speed("predict"), host_memory(), host_above_idle()]
    more = [device_memory(), latency(50), latency(95)]
    for phase in ("train", "predict"):
        more += [share_of_peak(phase), energy(phase, "processor"), energy(phase, "devices")]
    return [*costs, *(measure for measure in more if any(measure.read(record) for record in kept))]


def summarise(group: Group, measure: Measure) -> Summary | None:
    """Mean and spread over the finished seeds; None where one of them has no figure, or none finished."""
    values = [measure.read(record) for record in group.ok]
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if not numbers or len(numbers) < len(values):
        return None
    mean = fmean(numbers)
    return Summary(mean, _std(numbers, mean) if len(numbers) > 1 else None)


def _std(numbers: Sequence[float], mean: float) -> float:
    """Sample standard deviation; that of the standard library works in fractions, which takes ten times as long."""
    return math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1))


def _memory(phase: str, field: str, title: str) -> Measure:
    def read(record: Record) -> float | None:
        memory = record.peak_mib.get(phase)
        value: float | None = getattr(memory, field) if memory else None
        return value

    def why(record: Record) -> str:
        memory = record.peak_mib.get(phase)
        return memory.unknown.get(field, "not measured") if memory else "this phase was not measured"

    return Measure(f"{phase}_{field}_mib", title, read, why, whole)


def _find(names: frozenset[str], stem: str, k: int) -> str | None:
    spelt = [f"{name}{at}{k}" for at in ("@", "_at_") for name in (stem, {"p": "precision"}.get(stem, stem))]
    return next((name for name in spelt if name in names), None)
