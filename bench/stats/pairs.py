"""McNemar's test: of two runs, is one right more often where they disagree?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class McNemar:
    """McNemar's test (Psychometrika 12, 1947) of documents that have one label.

    Attributes:
        b10: Documents that only the first run has right.
        b01: Documents that only the second has right.
        exact: Two-sided p of the exact test: b10 is a binomial draw of b10 + b01 with chance 1/2.
        mid_p: The same, less half of the chance of what was seen (Fagerland, Lydersen and Laake, BMC Medical Research
            Methodology 13:91, 2013); the exact test is cautious without need.
    """

    b10: int
    b01: int
    exact: float
    mid_p: float

    @property
    def discordant(self) -> int:
        """Documents that one run has right and the other wrong."""
        return self.b10 + self.b01

    @property
    def cohens_g(self) -> float:
        """Share of the discordant documents that the first run has right, less 1/2 (Cohen 1988); 0 without any."""
        return self.b10 / self.discordant - 0.5 if self.discordant else 0.0


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """Test which documents two runs have right, each of shape (documents,)."""
    from scipy.stats import binom
    from statsmodels.stats.contingency_tables import mcnemar as test

    b10, b01 = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    exact = float(test([[0, b10], [b01, 0]], exact=True).pvalue) if b10 + b01 else 1.0
    mid_p = exact - float(binom.pmf(b10, b10 + b01, 0.5)) if b10 != b01 else exact
    return McNemar(b10, b01, exact, mid_p)
