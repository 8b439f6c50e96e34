"""Whether one row of results is better than another on the same test documents, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.errors import UserError
from bench.stats.alignment import DifferentDocuments, aligned
from bench.stats.bootstrap import LEVEL, Draws, Interval
from bench.stats.metric_sums import ACCURACY, UnsupportedMetric, metric_sums
from bench.stats.pairs import McNemar, mcnemar
from bench.stats.resampling import RESAMPLES, Sums, bootstrap, jackknife_error, paired, swapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.stats.judged import Judged

__all__ = [
    "Comparer",
    "Comparison",
    "DifferentDocuments",
    "Interval",
    "McNemar",
    "UnsupportedMetric",
    "Verdict",
    "compare",
    "holm",
    "metric_interval",
    "verdicts",
]

Word = Literal["better", "worse", "tie"]


@dataclass(frozen=True)
class Comparison:
    """Two rows of results on the same test documents.

    Attributes:
        metric: What is compared.
        a: The metric of the first row, the mean over its runs.
        b: That of the second.
        difference: a - b with its 95 % interval, over documents.
        p: Of the deciding test, two-sided, before Holm's correction.
        test: The name of the deciding test.
        p_bootstrap: By the bootstrap over documents.
        p_randomisation: By approximate randomisation.
        mcnemar: McNemar's test; None unless each row has one run of single-label documents.
        detectable: The smallest true difference that would be found significant, at 5 %, four times in five.
        effect: Its size in the unit that ``effect_name`` says; None where the rows do not differ in any draw.
        effect_name: What ``effect`` is.
        seed_spread: Standard deviation of the metric over each row's runs (ddof 1); None for a single run.
        documents: Number of test documents.
    """

    metric: str
    a: float
    b: float
    difference: Interval
    p: float
    test: str
    p_bootstrap: float
    p_randomisation: float
    mcnemar: McNemar | None
    detectable: float
    effect: float | None
    effect_name: str
    seed_spread: tuple[float | None, float | None]
    documents: int


@dataclass(frozen=True)
class Verdict:
    """What a comparison says after the correction for all those made along with it.

    Attributes:
        word: Whether the first row is ``better`` or ``worse``, or they are a ``tie``: not told apart.
        p_holm: The deciding p after Holm's correction.
    """

    word: Word
    p_holm: float


@dataclass(frozen=True)
class Row:
    """The runs of a row, ready for drawing documents again.

    Attributes:
        sums: One a run.
        draws: Their metric, shape (runs, resamples).
        right: Which documents the run has right, shape (documents,); None unless it is one, of single-label documents.
    """

    sums: tuple[Sums, ...]
    draws: NDArray[np.float64]
    right: NDArray[np.bool_] | None = None

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The metric of each run."""
        return np.array([one.value() for one in self.sums])

    @cached_property
    def mean(self) -> Draws:
        """The mean over runs; within a draw all runs see the same documents."""
        return Draws(float(self.values.mean()), self.draws.mean(axis=0))

    @property
    def error(self) -> float:
        """The standard error of :attr:`mean` over documents.

        Where labels are rare, draws vary too little and the jackknife too much: the mean of both variances is near.
        """
        return float(np.hypot(self.mean.error, jackknife_error(self.sums)) / np.sqrt(2))

    @property
    def spread(self) -> float | None:
        """Standard deviation over runs (ddof 1)."""
        return float(self.values.std(ddof=1)) if len(self.sums) > 1 else None


@dataclass(frozen=True)
class Comparer:
    """Rows of results on the same documents, all compared with the same draws; each row is drawn once.

    Attributes:
        rows: For each row its runs.
        metric: A name of :data:`bench.metrics.definitions.DEFINITIONS`.
        resamples: Draws.
        seed: Of the draws.
    """

    rows: Sequence[Sequence[Judged]]
    metric: str
    resamples: int = RESAMPLES
    seed: int = 0

    def row(self, place: int) -> Row:
        """The runs of a row with their draws.

        Raises:
            UserError: The row has no run, is of other documents than the first, or there is no such metric.
            UnsupportedMetric: The metric is undefined, or documents cannot be drawn again for it.
        """
        prepared = self._prepared[place]
        if isinstance(prepared, Exception):
            raise prepared
        return prepared

    def interval(self, place: int) -> Interval:
        """The metric of a row, the mean over its runs, with the 95 % interval over documents, which stays in 0 to 1."""
        row = self.row(place)
        found = _checked(row.mean, self.metric).at_least(row.error).interval()
        share = 0 <= found.value <= 1
        return Interval(found.value, max(found.low, 0.0), min(found.high, 1.0)) if share else found

    def compare(self, first: int, second: int) -> Comparison:
        """Compare two rows; raises what :meth:`row` does."""
        return compare_rows(self.row(first), self.row(second), self.metric, self.resamples, self.seed)

    @cached_property
    def _prepared(self) -> list[Row | Exception]:
        """Every row, or why it cannot be had; all see the same draws, which are made once."""
        found = [self._summed(row) for row in self.rows]
        summed = [sums for one in found if not isinstance(one, Exception) for sums in one.sums]
        draws = iter(bootstrap(summed, self.resamples, self.seed)) if summed else iter(())
        return [
            one if isinstance(one, Exception) else replace(one, draws=np.stack([next(draws) for _ in one.sums]))
            for one in found
        ]

    def _summed(self, row: Sequence[Judged]) -> Row | Exception:
        """The row without its draws."""
        if not row:
            return UserError("a row without a finished run cannot be compared")
        first = next(runs[0] for runs in self.rows if runs)
        try:
            runs = aligned([first, *row])[1:]
            sums = tuple(metric_sums(run, self.metric) for run in runs)
        except (UserError, ValueError) as error:
            return error
        return Row(sums, np.empty((len(sums), 0)), _right(runs))


def compare_rows(a: Row, b: Row, metric: str, resamples: int, seed: int) -> Comparison:
    """Compare two rows that saw the same draws; arguments and errors as :func:`compare`."""
    draws = _checked(Draws(a.mean.value - b.mean.value, a.mean.drawn - b.mean.drawn), metric)
    documents = a.sums[0].documents
    tossed = swapped(paired(a.sums, b.sums), resamples, seed)
    draws = draws.at_least(_swap_error(draws.value, tossed, documents))
    by_bootstrap, by_randomisation = draws.p_value(), _swap_p(draws.value, tossed)
    pairs = mcnemar(a.right, b.right) if a.right is not None and b.right is not None else None
    deciding = pairs if metric in ACCURACY else None
    effect, effect_name = _effect(draws, deciding, documents)
    return Comparison(
        metric=metric,
        a=a.mean.value,
        b=b.mean.value,
        difference=draws.interval(),
        # Of few documents the bootstrap says too much, and exchanging predictions hardly anything.
        p=deciding.mid_p if deciding is not None else max(by_bootstrap, by_randomisation),
        test="McNemar (mid-p)" if deciding is not None else "bootstrap and randomisation",
        p_bootstrap=by_bootstrap,
        p_randomisation=by_randomisation,
        mcnemar=pairs,
        detectable=draws.detectable(),
        effect=effect,
        effect_name=effect_name,
        seed_spread=(a.spread, b.spread),
        documents=documents,
    )


def compare(
    a: Sequence[Judged], b: Sequence[Judged], metric: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """Compare two rows of results on the same test documents.

    What is estimated is the difference of the means over runs; what is drawn again are documents, the same for all
    runs. So the interval holds the chance of the documents, not that of more seeds.

    Args:
        a: The runs of the first row.
        b: Those of the second.
        metric: A name of :data:`bench.metrics.definitions.DEFINITIONS`.
        resamples: Draws of the bootstrap, and tosses of the randomisation test.
        seed: Of both.

    Raises:
        UserError: The documents differ (see :class:`DifferentDocuments`), or there is no such metric.
        UnsupportedMetric: The metric is undefined, or documents cannot be drawn again for it.
    """
    return Comparer((a, b), metric, resamples, seed).compare(0, 1)


def metric_interval(runs: Sequence[Judged], metric: str, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """A metric, the mean over runs, with its 95 % interval over documents; arguments and errors as :func:`compare`."""
    return Comparer((runs,), metric, resamples, seed).interval(0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction (Scandinavian Journal of Statistics 6, 1979) of the p-values of a family of tests."""
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def verdicts(comparisons: Sequence[Comparison], level: float = 1 - LEVEL) -> list[Verdict]:
    """What comparisons that are made together (all pairs of a task) say, in their order."""
    corrected = holm([one.p for one in comparisons])
    return [verdict(one, p, level) for one, p in zip(comparisons, corrected, strict=True)]


def verdict(one: Comparison, p_holm: float, level: float = 1 - LEVEL) -> Verdict:
    """What a comparison says, given its corrected p."""
    if p_holm >= level or one.difference.value == 0:
        return Verdict("tie", p_holm)
    return Verdict("better" if one.difference.value > 0 else "worse", p_holm)


def _checked(draws: Draws, metric: str) -> Draws:
    try:
        _ = draws.around
    except ValueError as error:
        raise UnsupportedMetric(f"{metric}: {error}") from None
    return draws


def _right(runs: Sequence[Judged]) -> NDArray[np.bool_] | None:
    """Which documents of one label got it, where there is one run."""
    if len(runs) > 1 or runs[0].kind != "single":
        return None
    split = runs[0].split
    return np.asarray(split.gold.multiply(split.predicted).sum(axis=1)).ravel() > 0


def _effect(draws: Draws, pairs: McNemar | None, documents: int) -> tuple[float | None, str]:
    if pairs is not None:
        return pairs.cohens_g, "Cohen's g"
    error = draws.error
    return (draws.value / (error * documents**0.5) if error else None), "standardised paired difference"


def _swap_p(value: float, tossed: NDArray[np.float64]) -> float:
    """The share of tosses with a difference as large as the one seen, which counts as one of them."""
    tossed = tossed[~np.isnan(tossed)]
    return float((1 + (np.abs(tossed) >= abs(value) - 1e-12).sum()) / (1 + len(tossed)))


def _swap_error(value: float, tossed: NDArray[np.float64], documents: int) -> float:
    """The standard error that exchanging predictions shows.

    Draws of documents cannot show what a label of one or two documents might have been: that label is drawn or is not.
    Exchanging what two rows said of those documents does. What it adds for their difference itself is taken off.
    """
    variance = float(np.nanmean(tossed**2)) - value**2 / documents
    return float(np.sqrt(max(variance, 0.0)))
