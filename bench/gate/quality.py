"""Whether a metric fell: by more than the margin, and by more than the chance of the documents explains.

Cells whose answers are what they were cannot have fallen and are not tested. The others are a family: each is tested
one-sided, in pairs over the documents, and Holm's correction holds the chance that any of them closes without cause at
the level. The margin comes on top: what is real, but small, does not close.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.gate.answers import Answers, equal, same_order, trimmed, was_trimmed
from bench.gate.finding import Finding, Limits, Numbers
from bench.gate.words import difference

if TYPE_CHECKING:
    from bench.record import Record
    from bench.stats.comparing import Comparison

RESAMPLES = 10_000


@dataclass(frozen=True)
class Measured:
    """One cell's metric, then and now.

    Attributes:
        metric: Its name.
        before: In the reference.
        now: In the store.
        comparison: Of now with before, where answers differ and the metric can be tested.
        untested: Why there is no comparison although answers, or the figure, differ.
    """

    metric: str
    before: float | None
    now: float | None
    comparison: Comparison | None = None
    untested: str = ""

    @property
    def change(self) -> float | None:
        """Now less before."""
        return None if self.before is None or self.now is None else self.now - self.before

    @property
    def p(self) -> float | None:
        """One-sided p of it not having fallen; None without a test."""
        return None if self.comparison is None else one_sided(self.comparison)


def one_sided(comparison: Comparison) -> float:
    """The chance of a fall like this one where there is none, from the deciding two-sided test."""
    half = comparison.p / 2
    return half if comparison.difference.value < 0 else 1 - half


def measure(before: Record, now: Record, kept: Answers, answers: Answers, limits: Limits) -> Measured:
    """The metric of a cell whose test documents are those of the reference."""
    metric = limits.metric or (before.task_facts.primary_metric if before.task_facts else "micro_f1")
    values = before.metrics.get(metric), now.metrics.get(metric)
    if None in values:
        return Measured(metric, *values)
    if same_answers(kept, answers):
        return Measured(metric, *values, untested="" if _alike(*values) else "answers are the same")
    return _compared(metric, before, now, kept, answers)


def _alike(before: float | None, now: float | None) -> bool:
    """Whether two figures are equal up to rounding."""
    return before is not None and now is not None and math.isclose(before, now, rel_tol=0, abs_tol=1e-9)


def same_answers(kept: Answers, answers: Answers) -> bool:
    """Whether label sets and rankings, as far as they are kept, are what they were."""
    one, other = kept.test, _as_kept(kept, answers).test
    return equal(one.predicted, other.predicted) and same_order(one.ranking, other.ranking)


def _as_kept(kept: Answers, answers: Answers) -> Answers:
    """The answers with rankings no longer than those of the reference."""
    ranking = kept.test.ranking
    if ranking is None or not was_trimmed(kept.test):
        return answers
    shorter = {**answers.splits, "test": trimmed(answers.test, ranking.labels.shape[1])}
    return Answers(shorter, answers.train_counts, answers.hash, answers.thresholds)


def _compared(metric: str, before: Record, now: Record, kept: Answers, answers: Answers) -> Measured:
    from bench.stats.comparing import UnsupportedMetric, compare

    new, old = _as_kept(kept, answers).judged(now), kept.judged(before)
    values = before.metrics[metric], now.metrics[metric]
    try:
        return Measured(metric, *values, compare([new], [old], metric, resamples=RESAMPLES))
    except (UnsupportedMetric, UserError) as error:
        return Measured(metric, *values, untested=str(error))


def judge_quality(measured: Sequence[Measured], limits: Limits) -> list[Finding]:
    """One finding for each cell, the tests corrected for each other."""
    from bench.stats.comparing import holm

    tested = [place for place, one in enumerate(measured) if one.p is not None]
    corrected = dict(zip(tested, holm([measured[place].p or 0.0 for place in tested]), strict=True))
    return [_judge(one, corrected.get(place), limits) for place, one in enumerate(measured)]


def _judge(one: Measured, p: float | None, limits: Limits) -> Finding:
    change = one.change
    if change is None:
        return _undefined(one)
    numbers = _numbers(one, p)
    if one.comparison is None and not one.untested:
        return Finding("quality", "held", "same answers", numbers=numbers)
    if -change > limits.margin + 1e-12 and (p is None or p < limits.level):
        return Finding("quality", "closed", _fall(one, p), _REMEDY, numbers)
    return _held(one, limits, numbers)


_REMEDY = (
    "find what made it worse (git log since the reference's commit); if it is meant, write the reference again with "
    "--update --reason WHY"
)


def _held(one: Measured, limits: Limits, numbers: Numbers) -> Finding:
    comparison, change = one.comparison, one.change or 0.0
    if comparison is None:
        words = f"{one.metric} {difference(change)}, judged by the margin alone: {one.untested}"
        return Finding("quality", "noted", words, numbers=numbers)
    words = f"{one.metric} {difference(change)}, within what the documents' chance or the margin explain"
    if change > limits.margin and comparison.p < limits.level:
        words = f"better: {one.metric} rose from {one.before:.4f} to {one.now:.4f}"
    elif comparison.detectable > limits.margin:
        words += (
            f"; {comparison.documents} test documents show falls of {comparison.detectable:.3f} and more four times "
            f"in five, the margin is {limits.margin:g}"
        )
    return Finding("quality", "noted", words, numbers=numbers)


def _fall(one: Measured, p: float | None) -> str:
    words = f"{one.metric} fell from {one.before:.4f} to {one.now:.4f} ({difference(one.change or 0.0)}"
    comparison = one.comparison
    if comparison is None:
        return f"{words}; no test: {one.untested})"
    low, high = (difference(end) for end in (comparison.difference.low, comparison.difference.high))
    return f"{words}, 95 % interval {low} to {high}; {comparison.test}, one-sided, p {_shown(p or 0.0)} by Holm)"


def _shown(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "under 0.001"


def _undefined(one: Measured) -> Finding:
    numbers: Numbers = {"metric": one.metric, "before": one.before, "now": one.now}
    if one.before is None:
        return Finding("quality", "noted", f"{one.metric} is undefined in the reference", numbers=numbers)
    words = f"{one.metric} was {one.before:.4f} and is undefined now"
    return Finding("quality", "closed", words, _REMEDY, numbers)


def _numbers(one: Measured, p: float | None) -> Numbers:
    comparison = one.comparison
    numbers: Numbers = {
        "metric": one.metric,
        "before": one.before,
        "now": one.now,
        "change": one.change,
    }
    if comparison is None:
        return numbers
    ends = {"low": comparison.difference.low, "high": comparison.difference.high}
    return {**numbers, **ends, "p_holm": p, "detectable": comparison.detectable, "test": comparison.test}
