"""Rows ranked on several tasks: Friedman's test, and how far mean ranks must lie apart (Demšar, JMLR 7, 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class CriticalDifference:
    """What a critical-difference diagram shows.

    Attributes:
        ranks: The mean rank of each row over tasks, 1 is best; tied rows share the mean of their ranks.
        critical: Mean ranks that lie apart by less are not told apart (Nemenyi's test).
        cliques: The largest groups of rows not told apart, each by position, best first; of two rows or more.
        friedman_p: p of all rows being alike; None with fewer than three rows, for which the test is not made.
        tasks: Number of tasks.
    """

    ranks: tuple[float, ...]
    critical: float
    cliques: tuple[tuple[int, ...], ...]
    friedman_p: float | None
    tasks: int


def critical_difference(
    table: Sequence[Sequence[float]] | NDArray[np.float64], level: float = 0.05
) -> CriticalDifference:
    """Rank rows on every task and say which mean ranks differ.

    The critical difference is q √(k (k + 1) / 6N) for k rows and N tasks, q the quantile of the studentised range over
    √2. With few tasks it is wide: that is the test's honest answer.

    Args:
        table: Figures of which larger is better, shape (tasks, rows), none missing.
        level: Chance of telling apart what is alike.

    Raises:
        ValueError: There are fewer than two rows, no task, or a figure that is missing.
    """
    from scipy.stats import rankdata, studentized_range

    scores = np.asarray(table, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(f"ranks need tasks and at least two rows, not a table of shape {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("a figure is missing; rank only rows that have one on every task")
    tasks, rows = scores.shape
    ranks = rankdata(-scores, axis=1).mean(axis=0)
    quantile = float(studentized_range.ppf(1 - level, rows, np.inf)) / 2**0.5
    critical = quantile * (rows * (rows + 1) / (6 * tasks)) ** 0.5
    return CriticalDifference(
        ranks=tuple(map(float, ranks)),
        critical=float(critical),
        cliques=_cliques(ranks, critical),
        friedman_p=_friedman(scores) if rows > 2 and tasks > 1 else None,
        tasks=tasks,
    )


def _friedman(scores: NDArray[np.float64]) -> float:
    """Friedman's p; where all rows tie on all tasks there is nothing to tell apart, and the statistic is 0 / 0."""
    from scipy.stats import friedmanchisquare

    if (scores == scores[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*scores.T).pvalue)


def _cliques(ranks: NDArray[np.float64], critical: float) -> tuple[tuple[int, ...], ...]:
    order = np.argsort(ranks, kind="stable")
    ends = [int(np.searchsorted(ranks[order], ranks[one] + critical, side="left")) for one in order]
    found: list[tuple[int, int]] = []
    for start, end in enumerate(ends):
        reach = max(end, start + 1)
        if reach - start > 1 and (not found or reach > found[-1][1]):
            found.append((start, reach))
    return tuple(tuple(int(row) for row in order[start:end]) for start, end in found)
