"""What the user asks of a report beyond the records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from report.limits import Limit
from report.prices import Prices
from report.publications import Publication


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    Attributes:
        prices: What an hour of the machine and a kWh cost; nothing is said of money without.
        limits: What the recommended row must keep to; none: no recommendation is made.
        published: Figures of others to be set beside the results.
        tell: Is told what is being done, where that takes a while.
    """

    prices: Prices = field(default_factory=Prices)
    limits: tuple[Limit, ...] = ()
    published: tuple[Publication, ...] = ()
    tell: Callable[[str], None] = lambda _: None
