"""Sections of one task that differ in the number of training documents: what learning curves are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from bench.record import TaskFacts
from bench.train_sizes import ALL
from report.groups import Group, Section
from report.labels import numbers
from report.text import plain


@dataclass(frozen=True)
class Row:
    """One method, model and settings at every size.

    Attributes:
        lead: Its group at its largest size, for its name.
        groups: Its group at each size of the family; None where nothing was planned.
    """

    lead: Group
    groups: tuple[Group | None, ...]


@dataclass(frozen=True)
class Family:
    """Sections of one task and equal settings but for the number of training documents, the fewest first.

    Attributes:
        sections: One for each size; more where the documents have changed.
    """

    sections: tuple[Section, ...]

    @property
    def largest(self) -> Section:
        """The section of the most training documents."""
        return self.sections[-1]

    @property
    def spans(self) -> bool:
        """Whether it has several sizes."""
        return len({section.train_size for section in self.sections}) > 1

    @property
    def curved(self) -> bool:
        """Whether it has several sizes that can be compared."""
        return self.spans and not self.obstacle

    @cached_property
    def facts(self) -> TaskFacts | None:
        """Kind, labels and splits at the largest size that was read."""
        return next((section.facts for section in reversed(self.sections) if section.facts), None)

    @property
    def primary(self) -> str:
        """The metric of the curves."""
        return next((section.primary for section in reversed(self.sections) if section.facts), self.largest.primary)

    @property
    def documents(self) -> tuple[int | None, ...]:
        """Training documents at each size; None where nobody got so far as to count all of them."""
        return tuple(map(_documents, self.sections))

    @property
    def title(self) -> str:
        """The task, with the settings that tell it from other families."""
        task, detail = plain(self.largest.task), self.largest.family_detail
        return f"{task} ({detail})" if detail else task

    @property
    def obstacle(self) -> str:
        """Why its sizes cannot be compared; empty where they can.

        Records do not hold a hash of the test documents alone. Equal settings of the task, one collection at each size,
        and equal numbers of labels, validation and test documents stand for that they are the same.
        """
        sizes = [section.train_size for section in self.sections]
        twice = next((size for size in sizes if sizes.count(size) > 1), None)
        if twice is not None:
            return f"at size {twice} there are results of different documents: the source has changed between runs"
        held_out = {_held_out(section.facts) for section in self.sections if section.facts}
        if len(held_out) > 1:
            return "validation or test documents, labels or the metric are not the same at all sizes"
        return ""

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Its rows, in the order of the tables of larger sizes before those of smaller ones."""
        leads: dict[tuple[str, ...], Group] = {}
        for section in reversed(self.sections):
            for group in section.groups:
                leads.setdefault(group.row, group)
        numbered = [
            replace(lead, number=number)
            for lead, number in zip(leads.values(), numbers(list(leads.values())), strict=True)
        ]
        at = [{group.row: group for group in section.groups} for section in self.sections]
        return tuple(Row(lead, tuple(groups.get(lead.row) for groups in at)) for lead in numbered)


def families(found: Sequence[Section]) -> tuple[Family, ...]:
    """Sections, as :func:`report.groups.sections` orders them, by family."""
    return tuple(Family(tuple(same)) for _, same in groupby(found, key=lambda section: section.kin))


def _documents(section: Section) -> int | None:
    if section.facts:
        return section.facts.documents["train"]
    return section.train_size if section.train_size != ALL else None


def _held_out(facts: TaskFacts) -> tuple[object, ...]:
    splits = tuple(sorted((split, count) for split, count in facts.documents.items() if split != "train"))
    return facts.kind, facts.n_labels, facts.primary_metric, splits
