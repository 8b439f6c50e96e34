"""A metric's value, or why it has none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Undefined:
    """A metric that has no value here.

    Attributes:
        reason: Why, in words for the user.
    """

    reason: str


Value = float | Undefined

NO_GOLD = Undefined("no test document has a label")


def ratio(numerator: float, denominator: float) -> float:
    """The quotient as a plain float; 0 where the denominator is 0."""
    return float(numerator / denominator) if denominator else 0.0
