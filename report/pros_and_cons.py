"""What a row costs, and how its costs compare with another's, in words; only on one machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from report.groups import Group
from report.measures import (
    Measure,
    device_memory,
    host_memory,
    latency,
    speed,
    summarise,
    trained_parameters,
    training_seconds,
)
from report.prices import Prices
from report.text import money, quantity, times, whole

_ALIKE = 1.15
"""Ratios up to which two costs are not worth a word."""


def figure(group: Group, measure: Measure) -> float | None:
    """The mean of a figure over a row's seeds; None where unknown, or measured on several machines."""
    if len(group.hardware_ids) != 1:
        return None
    found = summarise(group, measure)
    return found.mean if found else None


def memory_of(group: Group) -> tuple[float, str] | None:
    """The peak of training in MiB, and whether of the device or the host: the device's where the row used one."""
    on_device = figure(group, device_memory())
    if on_device is not None:
        return on_device, "device"
    on_host = figure(group, host_memory())
    return (on_host, "host") if on_host is not None else None


def costs_line(name: str, group: Group, prices: Prices) -> str:
    """What a row costs, in one sentence; empty where nothing is known."""
    if len(group.hardware_ids) > 1:
        return f"Costs of {name}: its seeds ran on several machines; see the tables of each."
    memory = memory_of(group)
    parts = [
        _said(group, speed("predict"), lambda x: f"{quantity(x)} documents a second in prediction"),
        _said(group, latency(95), lambda x: f"{quantity(x)} ms for one that comes alone (p95)"),
        f"{whole(memory[0])} MiB of {memory[1]} memory in training" if memory else "",
        _said(group, training_seconds(), lambda x: f"{quantity(x)} s of training"),
        _said(group, trained_parameters(), lambda x: f"{short(x)} trained parameters"),
        *(_said(group, one, _priced(one)) for one in prices.measures),
    ]
    known = [part for part in parts if part]
    return f"Costs of {name}: {', '.join(known)}." if known else ""


def against(name: str, group: Group, other: str, top: Group) -> str:
    """How much less or more a row costs than another on the same machine; empty where nothing is worth a word.

    Args:
        name: What the row is called.
        group: The row.
        other: What the other one is called.
        top: The other one.
    """
    if group.hardware_ids != top.hardware_ids or len(group.hardware_ids) != 1:
        return ""
    said = [words for words in (one.words(group, top) for one in _CONTRASTS) if words]
    memory = _memory_words(group, top)
    said += [memory] if memory else []
    return f"Beside {other}, {name} {', '.join(said)}." if said else ""


def short(number: float) -> str:
    """A count as in ``12.2M``."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}"


@dataclass(frozen=True)
class _Contrast:
    measure: Measure
    more: str
    less: str

    def words(self, group: Group, top: Group) -> str:
        return _ratio(figure(group, self.measure), figure(top, self.measure), self.more, self.less)


def _ratio(one: float | None, other: float | None, more: str, less: str) -> str:
    if not one or not other:
        return ""
    ratio = one / other
    if 1 / _ALIKE < ratio < _ALIKE:
        return ""
    return more.format(times(ratio)) if ratio > 1 else less.format(times(1 / ratio))


def _memory_words(group: Group, top: Group) -> str:
    one, other = memory_of(group), memory_of(top)
    if not one or not other or one[1] != other[1]:
        return ""
    return _ratio(one[0], other[0], "takes {} the memory in training", "takes less memory in training, by {}")


def _said(group: Group, measure: Measure, words: Callable[[float], str]) -> str:
    found = figure(group, measure)
    return words(found) if found is not None else ""


def _priced(measure: Measure) -> Callable[[float], str]:
    title, _, currency = measure.title.partition(", ")
    return lambda amount: f"{money(amount)} {currency}".strip() + f" for {title[0].lower()}{title[1:]}"


_CONTRASTS = (
    _Contrast(speed("predict"), "labels {} as many documents a second", "labels documents {} slower"),
    _Contrast(training_seconds(), "takes {} as long to train", "trains {} as fast"),
    _Contrast(trained_parameters(), "trains {} as many parameters", "trains fewer parameters, by {}"),
)
