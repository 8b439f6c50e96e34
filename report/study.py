"""What the study asks (arXiv 2512.12677), answered by the records at hand: computed, not quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from report.chapters import Chapter
from report.groups import Group, Section
from report.measures import metric, speed, summarise, trained_parameters
from report.pros_and_cons import figure
from report.publications import Publication
from report.significance import Judge, Pair
from report.significance_chapter import p_text
from report.tables import Cell, Column, Table
from report.text import counted, listed, plain, score, times

BERT, HEAD, INSTRUCTION = "bert", "embedding-head", "instruction-tuning"
"""The methods that the study compares."""
STUDY = "study"
"""The name of its published figures."""
_COLUMNS = (
    Column("task", "Task"),
    Column("question", "Question"),
    Column("finding", "What the records say"),
    Column("verdict", "Verdict"),
)
_LEAD = (
    "The study asks whether a head on a causal LLM is at least as good as a fine-tuned BERT with a fraction of its "
    "trained parameters, and whether instruction tuning catches up. Here the highest row of each kind is taken on each "
    "task; the verdicts are those of the paired tests."
)

Kinds = dict[str, Group]


def study_chapter(found: Sequence[Section], judge: Judge, known: Iterable[Publication]) -> Chapter | None:
    """Its questions on each task that has two of its methods; None where no task has."""
    rows: list[tuple[Cell, ...]] = []
    for section in found:
        kinds = _kinds(section)
        rows += _Asker(section, kinds, judge).rows() if len(kinds) > 1 else []
    if not rows:
        return None
    table = Table("What the study asks", _COLUMNS, tuple(rows))
    return Chapter("What the study asks", "study", _LEAD, (table,), notes=(*_absent(found), *_quoted(known)))


def _kinds(section: Section) -> Kinds:
    """The highest row of each kind that may be ranked."""
    found: dict[str, tuple[float, Group]] = {}
    for group in section.groups:
        mean = summarise(group, metric(section.primary)) if group.ok and group.rankable else None
        if mean and group.method in {BERT, HEAD, INSTRUCTION}:
            found[group.method] = max(
                found.get(group.method, (-1.0, group)), (mean.mean, group), key=lambda one: one[0]
            )
    return {method: group for method, (_, group) in found.items()}


def _absent(found: Sequence[Section]) -> tuple[str, ...]:
    """Tasks that say nothing, since fewer than two of the methods may be ranked there."""
    lacking = [section.title for section in found if len(_kinds(section)) < 2]
    if not lacking:
        return ()
    return (f"Not enough evidence, since fewer than two of the three kinds may be ranked there: {listed(lacking, 8)}.",)


def _quoted(known: Iterable[Publication]) -> tuple[str, ...]:
    figures = [one for publication in known if publication.task == STUDY for one in publication.results]
    said = [f"{plain(one.system)}: {score(one.value)}" for one in figures]
    if not said:
        return ()
    checked = "" if all(one.verified for one in figures) else ", second-hand and not verified"
    return (f"Published by the study{checked}, on collections that are not at hand: {'; '.join(said)}.",)


@dataclass(frozen=True)
class _Asker:
    section: Section
    kinds: Kinds
    judge: Judge

    def rows(self) -> list[tuple[Cell, ...]]:
        asked = (
            self._quality(HEAD, BERT, "Is the head at least as good as fine-tuned BERT?"),
            self._parameters(),
            self._quality(INSTRUCTION, HEAD, "Does instruction tuning catch up with the head?"),
            self._quality(INSTRUCTION, BERT, "Is instruction tuning at least as good as fine-tuned BERT?"),
            self._speed(),
        )
        return [row for row in asked if row]

    def _quality(self, one: str, other: str, question: str) -> tuple[Cell, ...] | None:
        if one not in self.kinds or other not in self.kinds:
            return None
        a, b = self.kinds[one], self.kinds[other]
        pair = self.judge.between(self.section, a, b)
        said = f"{_shown(a, self.section)} against {_shown(b, self.section)}"
        if pair is None:
            return self._row(question, said, "not enough evidence: no paired test could be made")
        return self._row(question, f"{said}: {_difference(pair, a)}", _verdict(pair, a))

    def _parameters(self) -> tuple[Cell, ...] | None:
        if HEAD not in self.kinds or BERT not in self.kinds:
            return None
        head, bert = (_mean_parameters(self.kinds[kind]) for kind in (HEAD, BERT))
        question = "How many times fewer parameters does the head train?"
        if not head or not bert:
            return self._row(question, "not known", "not enough evidence")
        said = f"{head:,.0f} against {bert:,.0f}"
        return self._row(question, said, f"{times(bert / head)} fewer" if bert > head else f"{times(head / bert)} more")

    def _speed(self) -> tuple[Cell, ...] | None:
        speeds = {kind: figure(group, speed("predict")) for kind, group in self.kinds.items()}
        known = sorted(((value, kind) for kind, value in speeds.items() if value), reverse=True)
        machines = {group.hardware_ids for group in self.kinds.values()}
        question = "Which labels documents fastest?"
        if len(known) < 2 or len(machines) > 1:
            why = "measured on several machines" if len(machines) > 1 else "speeds are not known"
            return self._row(question, why, "not enough evidence")
        said = ", ".join(f"{kind} {value:,.4g} docs/s" for value, kind in known)
        return self._row(question, said, f"{known[0][1]}, {times(known[0][0] / known[1][0])} as fast as {known[1][1]}")

    def _row(self, question: str, said: str, verdict: str) -> tuple[Cell, ...]:
        return Cell(self.section.title), Cell(question), Cell(said), Cell(verdict)


def _shown(group: Group, section: Section) -> str:
    found = summarise(group, metric(section.primary))
    seeds = counted(len(group.ok), "seed")
    return f"{group.label} {score(found.mean) if found else ''} ({seeds})"


def _mean_parameters(group: Group) -> float | None:
    found = summarise(group, trained_parameters())
    return found.mean if found else None


def _difference(pair: Pair, a: Group) -> str:
    sign = 1 if pair.a.row == a.row else -1
    one = pair.comparison.difference
    low, high = sorted((sign * one.low, sign * one.high))
    return f"difference {sign * one.value:+.3f} ({low:+.3f} to {high:+.3f}), p {p_text(pair.verdict.p_holm)} after Holm"


def _verdict(pair: Pair, a: Group) -> str:
    if pair.tie:
        power = "" if pair.alike else f"; {pair.detectable:.3f} or more would have been seen"
        return f"a tie: not told apart{power}"
    ahead = (pair.verdict.word == "better") == (pair.a.row == a.row)
    said = "yes: better" if ahead else "no: worse"
    return f"{said}, by less than the spread of seeds" if pair.within_spread else said
