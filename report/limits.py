"""Limits in the user's words: ``memory<16GiB, latency<50ms``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import UserError, unknown_name
from report.groups import Group
from report.measures import (
    Measure,
    device_memory,
    host_memory,
    latency,
    metric,
    speed,
    trained_parameters,
    training_seconds,
)
from report.prices import Prices, labelling_cost
from report.text import plain, quantity, score, whole

_LIMIT = re.compile(
    r"\s*(?P<name>[^\s<>=,]+)\s*(?P<sign><=|>=|<|>)\s*(?P<value>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>[^\s\d<>=,]*)\s*"
)
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MEBI = 2**20
_MEMORY = {"MiB": 1.0, "GiB": 1024.0, "TiB": 1024.0**2, "MB": 1e6 / _MEBI, "GB": 1e9 / _MEBI, "TB": 1e12 / _MEBI}
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_MILLISECONDS = {unit: 1000 * seconds for unit, seconds in _SECONDS.items()}
_COUNT = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
_SPEED = {"": 1.0, "/s": 1.0, "docs/s": 1.0}
_PLAIN = {"": 1.0}


@dataclass(frozen=True)
class Kind:
    """What may be limited.

    Attributes:
        units: Unit → what to multiply by.
        example: A limit as one would write it.
        read: The measure that decides, of a row.
        show: A figure in words.
        machine: Whether it depends on the machine.
    """

    units: Mapping[str, float]
    example: str
    read: Callable[[Group], Measure]
    show: Callable[[float], str]
    machine: bool = True


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        text: As the user wrote it.
        sign: ``<``, ``<=``, ``>`` or ``>=``.
        value: In the unit of the measure.
        kind: What is limited.
    """

    text: str
    sign: str
    value: float
    kind: Kind

    @property
    def from_below(self) -> bool:
        """Whether it is a floor."""
        return self.sign.startswith(">")

    def figure(self, group: Group) -> float | None:
        """What the limit is held against: of costs the worst seed, of a metric the mean; None where one is unknown."""
        measure = self.kind.read(group)
        values = [measure.read(record) for record in group.ok]
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            return None
        if measure.quality:
            return sum(known) / len(known)
        return min(known) if self.from_below else max(known)

    def why_unknown(self, group: Group) -> str:
        """Why a row has no figure."""
        measure = self.kind.read(group)
        lacking = [record for record in group.ok if measure.read(record) is None]
        return plain(measure.why(lacking[0])) if lacking else "no cell finished"

    def holds(self, figure: float) -> bool:
        """Whether a figure keeps to it."""
        return _SIGNS[self.sign](figure, self.value)


def parse_limits(text: str, prices: Prices, metrics: Sequence[str]) -> tuple[Limit, ...]:
    """Limits, as ``memory<16GiB, latency<50ms, micro_f1>0.8``.

    Args:
        text: Separated by commas.
        prices: For limits of money.
        metrics: Names that may be floors.

    Raises:
        UserError: Something of it is not understood.
    """
    parts = [part for part in text.split(",") if part.strip()]
    if not parts:
        raise UserError('--recommend: no limit in it; write "memory<16GiB, latency<50ms"')
    return tuple(_limit(part, prices, metrics) for part in parts)


def _limit(text: str, prices: Prices, metrics: Sequence[str]) -> Limit:
    found = _LIMIT.fullmatch(text)
    said = plain(text)
    if not found:
        raise UserError(f'--recommend {said}: not a limit; write NAME<VALUE as in "memory<16GiB", with <, <=, > or >=')
    kind = _kind(found["name"], prices, metrics)
    factor = _factor(kind.units, found["unit"])
    if factor is None:
        wanted = ", ".join(unit for unit in kind.units if unit) or "none"
        wrong = f"no unit {plain(found['unit'])!r}" if found["unit"] else "it takes a unit"
        raise UserError(f"--recommend {said}: {wrong}; known: {wanted}, as in {kind.example}")
    return Limit(said, found["sign"], float(found["value"]) * factor, kind)


def _factor(units: Mapping[str, float], unit: str) -> float | None:
    """What a unit stands for, in whatever case where there is but one such."""
    return units.get(unit, next((units[one] for one in units if one.lower() == unit.lower()), None))


def _kind(name: str, prices: Prices, metrics: Sequence[str]) -> Kind:
    if name in _KINDS:
        return _KINDS[name]
    if name == "cost":
        if prices.hour is None:
            raise UserError('--recommend cost: money takes a price; add --price "2.50 EUR/h"')
        hour = prices.hour
        return Kind(_PLAIN, "cost<0.10", lambda _: labelling_cost(hour), quantity)
    if name in metrics:
        return Kind(_PLAIN, f"{name}>0.8", lambda _: metric(name), score, machine=False)
    raise unknown_name("limit", plain(name), [*_KINDS, "cost", *metrics])


def _memory(phase: str) -> Callable[[Group], Measure]:
    """Device memory where the row used a device, else the host's."""

    def choose(group: Group) -> Measure:
        used = any(device_memory(phase).read(record) is not None for record in group.ok)
        return device_memory(phase) if used else host_memory(phase)

    return choose


def _mib(value: float) -> str:
    return f"{whole(value)} MiB"


_KINDS: Mapping[str, Kind] = {
    "memory": Kind(_MEMORY, "memory<16GiB", _memory("train"), _mib),
    "predict_memory": Kind(_MEMORY, "predict_memory<8GiB", _memory("predict"), _mib),
    "latency": Kind(_MILLISECONDS, "latency<50ms", lambda _: latency(95), lambda x: f"{quantity(x)} ms"),
    "latency_p50": Kind(_MILLISECONDS, "latency_p50<50ms", lambda _: latency(50), lambda x: f"{quantity(x)} ms"),
    "train_time": Kind(_SECONDS, "train_time<2h", lambda _: training_seconds(), lambda x: f"{quantity(x)} s"),
    "speed": Kind(_SPEED, "speed>100", lambda _: speed("predict"), lambda x: f"{quantity(x)} docs/s"),
    "parameters": Kind(_COUNT, "parameters<100M", lambda _: trained_parameters(), whole, machine=False),
}
