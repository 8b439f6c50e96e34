"""What labelling and training cost at the user's prices; without a price nothing is said of money."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bench.errors import UserError
from bench.record import Record
from report.measures import Measure, training_seconds
from report.text import money, plain

_PRICE = re.compile(
    r"\s*(?P<amount>\d+(?:\.\d+)?|\.\d+)\s*(?P<currency>[^\s\d/<>&]{0,8})\s*(?:/\s*(?P<unit>[A-Za-z]+))?\s*"
)
_HOUR, _KWH = ("h", "hour", "hr"), ("kwh",)
_AROUND = ("load", "tokenise", "validate", "save", "probe", "decide")
"""Phases before prediction beside training itself."""
_JOULES_IN_KWH = 3.6e6


@dataclass(frozen=True)
class Price:
    """An amount of money for an hour of the machine, or for a kWh.

    Attributes:
        amount: How much.
        currency: As the user wrote it; empty where the user named none.
    """

    amount: float
    currency: str = ""

    def titled(self, words: str) -> str:
        """Words with the currency behind them, for a column."""
        return f"{words}, {plain(self.currency)}" if self.currency else words


@dataclass(frozen=True)
class Prices:
    """What the user pays.

    Attributes:
        hour: For an hour of the machine; None where not told.
        energy: For a kWh; None where not told.
    """

    hour: Price | None = None
    energy: Price | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The columns that these prices allow."""
        by_hour = (labelling_cost(self.hour), training_cost(self.hour)) if self.hour else ()
        return (*by_hour, energy_cost(self.energy)) if self.energy else by_hour


def machine_price(text: str) -> Price:
    """``2.50`` or ``2.50 EUR/h``.

    Raises:
        UserError: It is neither.
    """
    return _price("--price", text, _HOUR, "2.50 or 2.50 EUR/h, for an hour of the machine")


def energy_price(text: str) -> Price:
    """``0.30`` or ``0.30 EUR/kWh``.

    Raises:
        UserError: It is neither.
    """
    return _price("--energy-price", text, _KWH, "0.30 or 0.30 EUR/kWh")


def _price(option: str, text: str, units: tuple[str, ...], example: str) -> Price:
    found = _PRICE.fullmatch(text)
    if not found or (found["unit"] or units[0]).lower() not in units or not math.isfinite(float(found["amount"])):
        raise UserError(f"{option} {plain(text)}: not a price; write {example}")
    return Price(float(found["amount"]), found["currency"])


def labelling_cost(price: Price) -> Measure:
    """Money for 1,000 documents at the speed of the timed window of prediction."""

    def read(record: Record) -> float | None:
        speed = record.documents_per_second.get("predict")
        return price.amount / 3600 * 1000 / speed if speed else None

    title = price.titled("Labelling 1,000 docs")
    return Measure("labelling_cost", title, read, lambda _: "the speed of prediction is not known", money)


def training_cost(price: Price) -> Measure:
    """Money for everything up to a model that can label: loading, tokenising, training, validating, saving."""

    def read(record: Record) -> float | None:
        train = training_seconds().read(record)
        if train is None:
            return None
        others = (record.seconds.get(phase) or 0.0 for phase in _AROUND)
        return price.amount / 3600 * math.fsum((train, *others))

    return Measure("training_cost", price.titled("Training"), read, training_seconds().why, money)


def energy_cost(price: Price) -> Measure:
    """Money for the energy of labelling 1,000 documents: processor and devices, each where it was measured."""

    def read(record: Record) -> float | None:
        found = record.energy_joules.get("predict")
        documents = record.task_facts.documents.get("test") if record.task_facts else None
        known = [joules for joules in (found.processor, found.devices) if joules is not None] if found else []
        return price.amount * math.fsum(known) / _JOULES_IN_KWH * 1000 / documents if known and documents else None

    title = price.titled("Energy for 1,000 docs")
    return Measure("energy_cost", title, read, lambda _: "energy was not measured", money)


def notes(prices: Prices) -> tuple[str, ...]:
    """What the money columns count."""
    said = []
    if prices.hour:
        said.append(
            f"Money: at {plain(_shown(prices.hour))} for an hour of the machine, as the user gave it. Labelling is "
            "at the measured speed, without loading the model; training is all that comes before: loading, tokenising, "
            "training, validating, saving."
        )
    if prices.energy:
        said.append(
            f"Energy: at {plain(_shown(prices.energy))} for a kWh; what processor and devices used in prediction, each "
            "where it was measured, whoever asked it to."
        )
    return tuple(said)


def _shown(price: Price) -> str:
    return f"{price.amount:g} {price.currency}".strip()
