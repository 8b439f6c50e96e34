"""The answer: which method, by how much, how sure that is, and at what cost, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.record import Identity, Record
from bench.train_sizes import size_of
from report.groups import Group, Section
from report.headline import unranked
from report.labels import names
from report.measures import Measure, metric, metric_title, summarise
from report.prices import Prices
from report.pros_and_cons import against, costs_line
from report.significance import Pair, Significance
from report.significance_chapter import left_out, p_text
from report.tables import best
from report.text import counted, listed, score


@dataclass(frozen=True)
class Finding:
    """The answer for one task.

    Attributes:
        title: The task.
        anchor: Of its part of the report, for a link.
        verdict: The first sentence: which row, and whether that is sure.
        sentences: What comes after it.
    """

    title: str
    anchor: str
    verdict: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What stands first on the page.

    Attributes:
        cautions: What limits all of it; before the findings.
        findings: The choices under the user's limits, then a task each.
        chosen: The former alone.
    """

    cautions: tuple[str, ...]
    findings: tuple[Finding, ...]
    chosen: tuple[Finding, ...] = ()


def cautions(records: Sequence[Record], missing: Sequence[Identity]) -> tuple[str, ...]:
    """What must be said before any answer: that much of the evidence is not there."""
    planned = len(records) + len(missing)
    lacking = planned - sum(record.status == "ok" for record in records)
    if not lacking or 2 * lacking < planned:
        return ()
    return (
        f"{lacking:,} of {counted(planned, 'planned cell')} have no result, half or more: what follows is provisional, "
        "and says nothing of rows that are not there.",
    )


def finding(section: Section, anchor: str, tests: Significance, prices: Prices) -> Finding:
    """The answer for one task."""
    return _Writer(section, tests, prices).finding(anchor)


@dataclass(frozen=True)
class _Writer:
    section: Section
    tests: Significance
    prices: Prices

    def finding(self, anchor: str) -> Finding:
        top = self.top
        if top is None:
            return Finding(self.section.title, anchor, self._nobody(), self._not_ranked())
        said = (
            *self._ties(),
            *self._beaten(),
            *self._not_compared(),
            costs_line(self.name(top), top, self.prices),
            *self._alternatives(top),
            self._seeds(top),
            *self._not_ranked(),
        )
        return Finding(self.section.title, anchor, self._hedge() + self._verdict(top), tuple(filter(None, said)))

    @property
    def top(self) -> Group | None:
        highest = best(self.section.groups, metric(self.tests.metric))
        return self.tests.top or (highest[0] if highest else None)

    @property
    def measure(self) -> Measure:
        return metric(self.tests.metric)

    def name(self, group: Group) -> str:
        labels = dict(zip((one.row for one in self.section.groups), names(self.section.groups), strict=True))
        return labels[group.row]

    def value(self, group: Group) -> str:
        found = summarise(group, self.measure)
        return score(found.mean) if found else "unknown"

    def _hedge(self) -> str:
        planned = len(self.section.records) + len(self.section.missing)
        finished = sum(record.status == "ok" for record in self.section.records)
        if finished == planned:
            return ""
        return f"So far, with {finished:,} of {counted(planned, 'planned cell')} finished: "

    def _verdict(self, top: Group) -> str:
        title, name = metric_title(self.tests.metric), self.name(top)
        figure = f"{title} {self.value(top)}{self._interval(top)}"
        if not self.tests.pairs:
            return f"{name} has {self._highest()}{figure}; {self._untested()}."
        ties = self.tests.ties
        others = counted(len(self.tests.against_top), "other row")
        if not ties:
            return f"{name} is better than {_each(len(self.tests.against_top))} compared: {figure}."
        if len(ties) == len(self.tests.against_top):
            return f"no winner: {name} is highest with {figure}, but {_ties_word(len(ties), others)} with it."
        return f"{name} is highest with {figure}; {listed([self.name(one) for one in ties], 5)} {_tie(ties)} with it."

    def _interval(self, group: Group) -> str:
        found = self.tests.intervals.get(group.row)
        return f" (95 % interval {found.low:.3f} to {found.high:.3f})" if found else ""

    def _highest(self) -> str:
        return "the highest " if len(self._ranked) > 1 else ""

    @property
    def _ranked(self) -> list[Group]:
        return [group for group in self.section.groups if group.rankable and summarise(group, self.measure)]

    def _untested(self) -> str:
        if not self._highest():
            return "there is no other row that may be ranked to compare it with"
        why = self.tests.obstacle or "no other row could be tested against it"
        return f"whether that is more than chance is not known, since {why}"

    def _ties(self) -> tuple[str, ...]:
        ties = [pair for pair in self.tests.against_top if pair.tie]
        said = [self._tie(pair) for pair in ties[:3]]
        rest = ", ".join(f"{self.name(pair.b)} ({self.value(pair.b)})" for pair in ties[3:8])
        more = f" and {len(ties) - 8:,} more" if len(ties) > 8 else ""
        return (*said, *([f"Ties too: {rest}{more}."] if rest else []))

    def _tie(self, pair: Pair) -> str:
        one = pair.comparison.difference
        if pair.alike:
            return f"{self.name(pair.b)} ({self.value(pair.b)}) is a tie: no draw of the documents tells the two apart."
        return (
            f"{self.name(pair.b)} ({self.value(pair.b)}) is a tie: the difference of {one.value:.3f} ({one.low:+.3f} "
            f"to {one.high:+.3f}) may be chance, p {p_text(pair.verdict.p_holm)} after Holm; a difference of "
            f"{pair.detectable:.3f} or more would have been seen four times in five."
        )

    def _beaten(self) -> tuple[str, ...]:
        beaten = [pair for pair in self.tests.against_top if not pair.tie]
        if not beaten:
            return ()
        near = beaten[0]
        one = near.comparison.difference
        others = [f"{self.name(pair.b)} ({self.value(pair.b)})" for pair in beaten[1:]]
        nearest = (
            f"It is better than {self.name(near.b)} ({self.value(near.b)}) by {one.value:.3f} ({one.low:.3f} to "
            f"{one.high:.3f}), p {p_text(near.verdict.p_holm)} after Holm"
        )
        return (f"{nearest}{', and than ' + listed(others, 5) if others else ''}.", *self._within_spread(beaten))

    def _within_spread(self, beaten: Sequence[Pair]) -> tuple[str, ...]:
        """A real difference between these runs need not be one between methods."""
        close = [
            f"{self.name(pair.b)} ({pair.comparison.difference.value:.3f} against {score(pair.spread)})"
            for pair in beaten
            if pair.within_spread
        ]
        if not close:
            return ()
        return (
            f"Less than the standard deviation over seeds is the difference to {listed(close, 5)}: it may be a "
            "difference between these runs rather than between methods; train more seeds.",
        )

    def _not_compared(self) -> tuple[str, ...]:
        """The rows that might have been, with the reason; the verdict itself says where nothing was tested."""
        if self.tests.obstacle:
            return ()
        some = {group.row for group in self._ranked}
        return left_out([(group, reason) for group, reason in self.tests.untested if group.row in some])

    def _alternatives(self, top: Group) -> tuple[str, ...]:
        said = [against(self.name(one), one, self.name(top), top) for one in self.tests.ties[:3]]
        return tuple(filter(None, said))

    def _seeds(self, top: Group) -> str:
        spread = summarise(top, self.measure)
        if len(top.ok) == 1:
            return "One seed: how far another seed would move the figures is not known."
        if spread is None or spread.std is None:
            return ""
        if spread.std < 0.0005:
            return f"Its {len(top.ok)} seeds gave the same figure."
        return f"Over its {len(top.ok)} seeds {self.name(top)} has a standard deviation of {score(spread.std)}."

    def _not_ranked(self) -> tuple[str, ...]:
        scratch = [self.name(one) for one in self.section.groups if one.ok and one.from_scratch]
        partial = [self.name(one) for one in self.section.groups if not one.complete and not one.from_scratch]
        blank = [self.name(one) for one in self.section.groups if one.rankable and not summarise(one, self.measure)]
        said = []
        if scratch:
            said.append(f"From scratch, and therefore not ranked: {listed(scratch, 6)}.")
        if partial:
            said.append(f"Incomplete, and therefore not ranked: {listed(partial, 6)}.")
        if blank:
            said.append(f"Without {self.measure.title}, and therefore not ranked: {listed(blank, 6)}.")
        return tuple(said)

    def _nobody(self) -> str:
        if any(group.ok for group in self.section.groups):
            return f"there is no answer: {unranked(self.section)}."
        sizes = {size_of(one.task_settings) for one in self.section.family}
        which = " of the most training documents" if len(sizes) > 1 else ""
        return f"no cell{which} finished: there is no answer."


def _each(count: int) -> str:
    return "the one other row" if count == 1 else f"each of the {count} other rows"


def _ties_word(count: int, others: str) -> str:
    return "the one other row compared ties" if count == 1 else f"all {others} compared tie"


def _tie(ties: Sequence[Group]) -> str:
    return "ties" if len(ties) == 1 else "tie"
