"""Which differences are real: paired tests between the rows of one task, from stored predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from bench.errors import UserError
from report.evidence import Evidence
from report.groups import Group, Section
from report.measures import Summary, metric, metric_title, summarise
from report.text import counted, plain

if TYPE_CHECKING:
    from bench.stats.bootstrap import Interval
    from bench.stats.comparing import Comparer, Comparison, Verdict
    from bench.stats.judged import Judged

MOST_ROWS = 15
"""Rows up to which every pair is tested."""
MOST_COMPARED = 21
"""Rows that are tested at all: the highest, and so many less one."""
FEWER = 10
"""The same where drawing documents again takes long."""
RESAMPLES, FEWER_RESAMPLES = 10_000, 2_000
_MOST_DRAWN = 3_000_000_000
"""Documents × runs × resamples above which fewer rows are compared, with fewer resamples; about 20 s."""

_OF_SETS = {"micro_precision", "micro_recall", "micro_f1", "macro_f1", "samples_f1", "weighted_f1", "exact_match"}
"""Metrics of label sets alone."""
LEVEL = 0.05
"""Chance of calling a difference real where there is none, over all pairs of a task."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two rows, compared on the same test documents.

    Attributes:
        a: The one with the higher mean, or the same.
        b: The other.
        comparison: What was found.
        verdict: After Holm's correction for all pairs of the rows compared.
        family: How many pairs that correction is for.
    """

    a: Group
    b: Group
    comparison: Comparison
    verdict: Verdict
    family: int = 1

    @property
    def tie(self) -> bool:
        """Whether the test does not tell them apart."""
        return self.verdict.word == "tie"

    @property
    def alike(self) -> bool:
        """Whether they are the same in every draw of the documents, so that nothing says what would have been seen."""
        return self.comparison.difference.value == 0 and self.comparison.detectable == 0

    @property
    def spread(self) -> float:
        """The larger standard deviation over seeds of the two; 0 where each has one seed."""
        return max((one for one in self.comparison.seed_spread if one is not None), default=0.0)

    @property
    def within_spread(self) -> bool:
        """Whether it is told apart, but by less than seeds differ: maybe these runs differ, and not the methods."""
        return not self.tie and abs(self.comparison.difference.value) < self.spread

    @property
    def detectable(self) -> float:
        """The smallest true difference that is found four times in five, at 5 % over all pairs (Bonferroni's bound)."""
        from bench.stats.bootstrap import POWER

        quantile = NormalDist().inv_cdf
        power = quantile(POWER)
        of_one, of_all = quantile(1 - LEVEL / 2), quantile(1 - LEVEL / 2 / self.family)
        return self.comparison.detectable * (of_all + power) / (of_one + power)


@dataclass(frozen=True)
class Significance:
    """What the tests say of one task.

    Attributes:
        metric: What is compared.
        resamples: Draws behind each interval.
        rows: The rows that were compared, the highest first.
        pairs: Every pair of the highest row, then all others where they were tested.
        family: How many pairs Holm's correction is for.
        intervals: By row, the 95 % interval over documents.
        untested: Rows that were left out, with the reason.
        obstacle: Why nothing was tested; empty where something was.
    """

    metric: str
    resamples: int = 0
    rows: tuple[Group, ...] = ()
    pairs: tuple[Pair, ...] = ()
    family: int = 0
    intervals: Mapping[Row, Interval] = field(default_factory=dict)
    untested: tuple[tuple[Group, str], ...] = ()
    obstacle: str = ""

    @property
    def top(self) -> Group | None:
        """The row with the highest mean among those compared."""
        return self.rows[0] if self.rows else None

    @property
    def against_top(self) -> tuple[Pair, ...]:
        """The pairs of the highest row."""
        return tuple(pair for pair in self.pairs if self.top and pair.a.row == self.top.row)

    @property
    def ties(self) -> tuple[Group, ...]:
        """The rows that are not told apart from the highest."""
        return tuple(pair.b for pair in self.against_top if pair.tie)

    def between(self, a: Group, b: Group) -> Pair | None:
        """The test of two rows, in either order; None where they were not tested."""
        return next((pair for pair in self.pairs if {pair.a.row, pair.b.row} == {a.row, b.row}), None)


@dataclass
class Judge:
    """Tests each section once.

    Attributes:
        evidence: Stored predictions.
        tell: Is told what is being done.
    """

    evidence: Evidence
    tell: Callable[[str], None] = lambda _: None
    _found: dict[int, tuple[Section, Significance]] = field(default_factory=dict)

    def of(self, section: Section) -> Significance:
        """What the tests say of a section."""
        if id(section) not in self._found:
            # The section is kept, so that no other one gets its id.
            self._found[id(section)] = section, judge(section, self.evidence, self.tell)
        return self._found[id(section)][1]

    def between(self, section: Section, a: Group, b: Group) -> Pair | None:
        """The test of two rows of a section, made anew where it was not among those of the section.

        Returns:
            None where predictions are not at hand, or cannot be compared.
        """
        tests = self.of(section)
        found = tests.between(a, b)
        if found:
            return found
        rows, _ = _with_runs([a, b], self.evidence, tests.metric)
        if len(rows) < 2:
            return None
        made = _tested(tests.metric, rows, RESAMPLES, ()).pairs
        return _corrected(made[0], max(tests.family, 1)) if made else None


def judge(section: Section, evidence: Evidence, tell: Callable[[str], None] = lambda _: None) -> Significance:
    """Test the rows of a section that may be ranked, in its primary metric.

    Args:
        section: The task.
        evidence: Stored predictions.
        tell: Is told what is being done.
    """
    name = section.primary
    ranked, untested = _candidates(section, name)
    found, unread = _with_runs(ranked[:MOST_COMPARED], evidence, name)
    resamples, most = _within_budget([runs for _, runs in found])
    beyond = [*(group for group, _ in found[most:]), *ranked[MOST_COMPARED:]]
    left = [*unread, *((group, "only the highest rows are compared") for group in beyond), *untested]
    obstacle = _obstacle(ranked, found)
    if obstacle or not found:
        return Significance(name, untested=tuple(left), obstacle=obstacle)
    if len(found) > 1:
        tell(f"{section.title}: testing {counted(len(found[:most]), 'row')}")
    return _tested(name, found[:most], resamples, left)


def _candidates(section: Section, name: str) -> tuple[list[Group], list[tuple[Group, str]]]:
    """The rows that may be ranked, the highest first, and the others with the reason."""
    means = {group.row: summarise(group, metric(name)) for group in section.groups}
    reasons = [(group, _unranked(group, name, means[group.row])) for group in section.groups if group.ok]
    ranked = [(means[group.row], group) for group, reason in reasons if not reason]
    ranked.sort(key=lambda item: -item[0].mean if item[0] else 0.0)
    return [group for _, group in ranked], [(group, reason) for group, reason in reasons if reason]


def _unranked(group: Group, name: str, summary: Summary | None) -> str:
    if group.from_scratch:
        return "from scratch"
    if not group.complete:
        return "incomplete"
    return "" if summary else f"no {metric_title(name)}"


def _with_runs(
    rows: Sequence[Group], evidence: Evidence, name: str
) -> tuple[list[tuple[Group, list[Judged]]], list[tuple[Group, str]]]:
    """The rows all of whose predictions are at hand, and the others."""
    found: list[tuple[Group, list[Judged]]] = []
    lacking = []
    for group in rows:
        runs = [_lean(run, name) for run in map(evidence.judged, group.ok) if run is not None]
        if len(runs) == len(group.ok):
            found.append((group, runs))
        else:
            lacking.append((group, "its stored predictions are not at hand"))
    return found, lacking


def _lean(run: Judged, name: str) -> Judged:
    """A run without what its metric does not look at, which of many runs is most of the memory."""
    if name not in _OF_SETS:
        return run
    return replace(run, split=replace(run.split, ranking=None, texts=None, categories=None))


def _obstacle(ranked: Sequence[Group], found: Sequence[tuple[Group, list[Judged]]]) -> str:
    if not ranked or (found and found[0][0].row == ranked[0].row):
        return ""
    return f"the stored predictions of the highest row, {ranked[0].label}, are not at hand"


def _within_budget(rows: Sequence[Sequence[Judged]]) -> tuple[int, int]:
    """Resamples, and rows to compare: fewer of both go together, since the smallest p has to outlast the correction."""
    documents = max((len(runs[0].split.ids) for runs in rows), default=0)
    cheap = documents * sum(map(len, rows)) * RESAMPLES <= _MOST_DRAWN
    return (RESAMPLES, MOST_COMPARED) if cheap else (FEWER_RESAMPLES, FEWER)


def _tested(
    name: str, rows: Sequence[tuple[Group, list[Judged]]], resamples: int, left: Sequence[tuple[Group, str]]
) -> Significance:
    from bench.stats.comparing import Comparer

    comparer = Comparer([runs for _, runs in rows], name, resamples)
    intervals, refused = _intervals(comparer, [group for group, _ in rows])
    kept = [(place, group) for place, (group, _) in enumerate(rows) if group.row in intervals]
    untested = (*refused, *left)
    if not kept or kept[0][0] > 0:
        return Significance(name, resamples, untested=untested, obstacle=refused[0][1])
    family = len(kept) * (len(kept) - 1) // 2
    groups = tuple(group for _, group in kept)
    return Significance(name, resamples, groups, _pairs(comparer, kept, family), family, intervals, untested)


def _intervals(comparer: Comparer, groups: Sequence[Group]) -> tuple[dict[Row, Interval], list[tuple[Group, str]]]:
    """Of each row; and those that cannot be drawn again, or are of other documents, with the reason."""
    found: dict[Row, Interval] = {}
    refused = []
    for place, group in enumerate(groups):
        try:
            found[group.row] = _of_metric(comparer.interval(place))
        except (UserError, ValueError) as error:
            refused.append((group, plain(error)))
    return found, refused


def _of_metric(one: Interval) -> Interval:
    """An interval without what lies beyond 0 and 1, where metrics end: stretched for rare labels it may reach there."""
    return replace(one, low=max(0.0, one.low), high=min(1.0, one.high))


def _pairs(comparer: Comparer, rows: Sequence[tuple[int, Group]], family: int) -> tuple[Pair, ...]:
    """Those of the first row, then the others where there are few enough; corrected for all of them in any case.

    The highest row was chosen by the same documents, so that its comparisons alone would be too small a family. A pair
    that is not tested stands in the correction with a p of 1, which makes it stricter, never laxer.
    """
    from bench.stats.comparing import holm, verdict

    leads = rows if len(rows) <= MOST_ROWS else rows[:1]
    pairs = [(one, other) for place, one in enumerate(leads) for other in rows[place + 1 :]]
    made = [comparer.compare(one, other) for (one, _), (other, _) in pairs]
    corrected = holm([one.p for one in made] + [1.0] * (family - len(made)))
    return tuple(
        Pair(a, b, one, verdict(one, p), family)
        for ((_, a), (_, b)), one, p in zip(pairs, made, corrected[: len(made)], strict=True)
    )


def _corrected(pair: Pair, family: int) -> Pair:
    """A pair that was tested beside a family, corrected as the last of it (Bonferroni)."""
    from bench.stats.comparing import verdict

    p = min(1.0, pair.comparison.p * (family + 1))
    return replace(pair, verdict=verdict(pair.comparison, p), family=family + 1)
