"""The best row under the user's limits, the runner-up, the evidence, and who was left out by which limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from report.answer import Finding
from report.figures import groups_on
from report.groups import Group, Section
from report.labels import names
from report.limits import Limit
from report.measures import metric, metric_title, summarise
from report.prices import Prices
from report.pros_and_cons import against, costs_line
from report.significance import Judge, Pair
from report.significance_chapter import p_text
from report.text import listed, plain, score


def recommendations(
    section: Section, anchor: str, limits: Sequence[Limit], judge: Judge, prices: Prices
) -> tuple[Finding, ...]:
    """The choice for one task; one for each machine where a limit depends on the machine."""
    apart = len(section.hardware_ids) > 1 and any(limit.kind.machine for limit in limits)
    if not apart:
        return (_Chooser(section, section.groups, "", limits, judge, prices).finding(anchor),)
    return tuple(
        _Chooser(section, groups_on(section, machine), machine, limits, judge, prices).finding(anchor)
        for machine in section.hardware_ids
    )


@dataclass(frozen=True)
class _Chooser:
    section: Section
    groups: Sequence[Group]
    machine: str
    limits: Sequence[Limit]
    judge: Judge
    prices: Prices

    def finding(self, anchor: str) -> Finding:
        where = f" on {plain(self.machine)}" if self.machine else ""
        title = f"{self.section.title}{where}, under {', '.join(limit.text for limit in self.limits)}"
        fitting, left = self._sorted()
        if not fitting:
            return Finding(title, anchor, "no row keeps to the limits and may be ranked.", left)
        choice, *others = fitting
        said = [costs_line(self._name(choice), choice, self.prices)]
        said += self._runner_up(choice, others[0]) if others else ["No other row keeps to the limits."]
        return Finding(title, anchor, f"take {self._figured(choice)}.", (*filter(None, said), *left))

    def _sorted(self) -> tuple[list[Group], tuple[str, ...]]:
        """The rows that may be chosen, the highest first, and words on the others."""
        fitting: list[tuple[float, Group]] = []
        left: dict[str, list[str]] = defaultdict(list)
        for group in self.groups:
            found = summarise(self._whole(group), metric(self.section.primary))
            reasons = self._reasons(group)
            if not reasons and found is None:
                reasons = [(f"no {metric_title(self.section.primary)}", "")]
            if not reasons and found is not None:
                fitting.append((found.mean, group))
            for reason, figure in reasons:
                left[reason].append(self._name(group) + (f" ({figure})" if figure else ""))
        fitting.sort(key=lambda item: -item[0])
        said = tuple(f"Left out, {reason}: {listed(rows, 8)}." for reason, rows in left.items())
        return [group for _, group in fitting], said

    def _reasons(self, group: Group) -> list[tuple[str, str]]:
        """Why a row may not be chosen, each with its figure."""
        if not group.ok:
            return [("no cell finished", "")]
        if group.from_scratch:
            return [("from scratch", "")]
        whole = self._whole(group)
        if not whole.complete:
            return [("incomplete", "")]
        judged = [(limit, group if limit.kind.machine else whole) for limit in self.limits]
        return [reason for limit, one in judged if (reason := _broken(limit, one))]

    def _runner_up(self, choice: Group, second: Group) -> list[str]:
        pair = self.judge.between(self.section, self._whole(choice), self._whole(second))
        test = _evidence(pair) if pair else "no paired test could be made, so that the order may be chance"
        said = [f"Runner-up: {self._figured(second)}; {test}."]
        tied = pair is not None and pair.tie
        costs = against(self._name(second), second, self._name(choice), choice)
        said += [costs] if costs else []
        if tied:
            said.append("By quality either will do: let the costs decide between these two.")
        return said

    def _figured(self, group: Group) -> str:
        whole = self._whole(group)
        found = summarise(whole, metric(self.section.primary))
        value = score(found.mean) if found else "unknown"
        seeds = "one seed" if len(whole.ok) == 1 else f"{len(whole.ok)} seeds"
        return f"{self._name(group)} ({metric_title(self.section.primary)} {value}, {seeds})"

    def _whole(self, group: Group) -> Group:
        """The row on all machines: of it are quality and tests, of the cells on one machine costs alone."""
        return next(one for one in self.section.groups if one.row == group.row)

    def _name(self, group: Group) -> str:
        labels = dict(zip((one.row for one in self.section.groups), names(self.section.groups), strict=True))
        return labels[group.row]


def _broken(limit: Limit, group: Group) -> tuple[str, str] | None:
    figure = limit.figure(group)
    if figure is None:
        return f"{limit.text} cannot be told", limit.why_unknown(group)
    return None if limit.holds(figure) else (f"not {limit.text}", limit.kind.show(figure))


def _evidence(pair: Pair) -> str:
    one = pair.comparison.difference
    size = f"difference {abs(one.value):.3f}, p {p_text(pair.verdict.p_holm)} after correction"
    if pair.alike:
        return "a tie: no draw of the documents tells the two apart"
    if pair.tie:
        return f"a tie by the paired test ({size}; {pair.detectable:.3f} or more would have been seen)"
    spread = f", though by less than the standard deviation over seeds ({score(pair.spread)})"
    return f"the choice is better by the paired test ({size}){spread if pair.within_spread else ''}"
