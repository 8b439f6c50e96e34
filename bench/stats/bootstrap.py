"""From draws to an interval, a p-value, and the smallest difference that would have been seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.95
POWER = 0.8
_FEWEST = 0.5  # share of the draws in which a figure must be defined


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes:
        value: The figure of the documents as they are.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is told apart from none."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Draws:
    """A figure, and the same of documents drawn again.

    Attributes:
        value: Of the documents as they are.
        drawn: Shape (draws,); NaN where it is undefined.
        stretch: The spread of the draws is taken so many times: it is too narrow where labels are rare.
    """

    value: float
    drawn: NDArray[np.float64]
    stretch: float = 1.0

    @property
    def around(self) -> NDArray[np.float64]:
        """The draws, as many as are defined, less their own mean.

        A metric of few documents a label (macro-F1) is lower in draws, which hold fewer documents of their own, than
        in the documents they are of; the spread is what a draw can tell, its place is not.
        """
        defined = self.drawn[~np.isnan(self.drawn)]
        if len(defined) < _FEWEST * len(self.drawn):
            raise ValueError("it is undefined in most draws: too few documents count in it")
        return np.asarray((defined - defined.mean()) * self.stretch)

    @property
    def error(self) -> float:
        """The standard error."""
        return float(self.around.std())

    def at_least(self, error: float) -> Draws:
        """The same, stretched to a standard error that is larger than their own."""
        own = self.error
        return replace(self, stretch=self.stretch * max(1.0, error / own)) if own else self

    def interval(self, level: float = LEVEL) -> Interval:
        """The quantiles of the draws, moved so that their mean is the figure, and stretched."""
        low, high = np.quantile(self.around, [(1 - level) / 2, (1 + level) / 2])
        return Interval(self.value, self.value + float(low), self.value + float(high))

    def p_value(self) -> float:
        """Two-sided p of the figure being 0."""
        around = self.around
        if self.value == 0:
            return 1.0
        return float((1 + (np.abs(around) >= abs(self.value) - 1e-12).sum()) / (1 + len(around)))

    def detectable(self, level: float = LEVEL, power: float = POWER) -> float:
        """The smallest true difference that a test at 1 - level sees with that power: (z + z') standard errors."""
        quantile = NormalDist().inv_cdf
        return (quantile((1 + level) / 2) + quantile(power)) * self.error
