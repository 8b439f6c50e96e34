"""Records sorted into sections (one collection of documents each) and groups (one row each, seeds together)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bench.record import Identity, Record, TaskFacts
from bench.telling import as_shown, canonical, chosen_settings, differing, telling_settings
from bench.train_sizes import SETTING, TrainSize, place, size_of
from report.labels import numbers
from report.text import plain, setting

DEFAULT_METRIC = "micro_f1"


@dataclass(frozen=True)
class Group:
    """Cells that differ in their seed only.

    Attributes:
        method: Name of the method.
        model: Name of the model; None where the method has none.
        settings: The method's settings that tell this group from others of its method, as shown.
        records: Its records, by seed.
        missing: Seeds of planned cells that left no record.
        machine: Their ``hardware_id`` where groups are split by it, else empty.
        number: Its row in the section's table, where plots show that instead of its name.
        partial: Whether groups are split by machine and a cell of the whole row has no result, wherever it should be.
    """

    method: str
    model: str | None
    settings: tuple[tuple[str, str], ...]
    records: tuple[Record, ...]
    missing: tuple[int, ...] = ()
    machine: str = ""
    number: int | None = None
    partial: bool = False

    @cached_property
    def ok(self) -> tuple[Record, ...]:
        """The records that finished."""
        return tuple(record for record in self.records if record.status == "ok")

    @property
    def row(self) -> tuple[str, ...]:
        """What its cells have in common, whatever machine they ran on."""
        return self.method, self.model or "", self.shown_settings

    @property
    def planned(self) -> int:
        """How many cells should be here."""
        return len(self.records) + len(self.missing)

    @property
    def complete(self) -> bool:
        """Whether every cell finished."""
        return len(self.ok) == self.planned

    @property
    def from_scratch(self) -> bool:
        """Whether its weights started random."""
        return any(record.from_scratch for record in self.records)

    @property
    def rankable(self) -> bool:
        """Whether it may be called the highest: complete, on other machines too, and not from scratch."""
        return self.complete and not self.partial and not self.from_scratch

    @property
    def mixed(self) -> bool:
        """Whether its seeds ran with different code or different model files."""
        return len({(r.identity.method_source, r.identity.model_revision) for r in self.ok}) > 1

    @property
    def hardware_ids(self) -> tuple[str, ...]:
        """Where its finished cells ran."""
        return tuple(sorted({record.environment.hardware_id for record in self.ok}))

    @property
    def shown_settings(self) -> str:
        """``max_tokens=256, rank=8``."""
        return ", ".join(f"{key}={value}" for key, value in self.settings)

    @property
    def label(self) -> str:
        """Method, model and settings in one line."""
        parts = [plain(self.method), plain(self.model) if self.model else "", self.shown_settings]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class Section:
    """Everything measured on one collection of documents.

    Attributes:
        task: Name of the task.
        detail: What tells it from other sections of this task: settings or the data's hash.
        records: Its records.
        missing: Its planned cells without a record.
        family_detail: What tells it and the sections of other numbers of training documents from the rest of this task.
        family: The cells of all sections that differ from it in the number of training documents alone; rows are told
            apart by the same settings in all of them.
    """

    task: str
    detail: str
    records: tuple[Record, ...]
    missing: tuple[Identity, ...] = ()
    family_detail: str = ""
    family: tuple[Identity, ...] = ()

    @property
    def title(self) -> str:
        """Task and detail."""
        return f"{plain(self.task)} ({self.detail})" if self.detail else plain(self.task)

    @property
    def train_size(self) -> TrainSize:
        """So many training documents were asked for."""
        return size_of(self._first.task_settings)

    def setting(self, name: str) -> Any:
        """A setting of its task; None where the task has none of that name."""
        return self._first.task_settings.get(name)

    @property
    def kin(self) -> tuple[str, str]:
        """What it has in common with sections of other numbers of training documents."""
        return family_of(self._first)

    @property
    def _first(self) -> Identity:
        return self.records[0].identity if self.records else self.missing[0]

    @cached_property
    def facts(self) -> TaskFacts | None:
        """Kind, labels and splits; None where no cell got so far."""
        return next((record.task_facts for record in self.records if record.task_facts), None)

    @property
    def primary(self) -> str:
        """The metric that names the highest row."""
        return self.facts.primary_metric if self.facts else DEFAULT_METRIC

    @cached_property
    def metrics(self) -> frozenset[str]:
        """Names of all metrics that some record holds."""
        return frozenset(name for record in self.records for name in record.metrics)

    @cached_property
    def hardware_ids(self) -> tuple[str, ...]:
        """Where its finished cells ran."""
        return tuple(sorted({record.environment.hardware_id for record in self.records if record.status == "ok"}))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Its groups over all machines, in the order of the table."""
        groups = self._grouped(split=False)
        return tuple(replace(group, number=number) for group, number in zip(groups, numbers(groups), strict=True))

    @cached_property
    def groups_by_machine(self) -> tuple[Group, ...]:
        """Its groups, each within one ``hardware_id``."""
        whole = {group.row: group for group in self.groups}
        return tuple(
            replace(group, number=whole[group.row].number, partial=not whole[group.row].complete)
            for group in self._grouped(split=True)
        )

    def _grouped(self, split: bool) -> tuple[Group, ...]:
        records: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        missing: dict[tuple[str, ...], list[Identity]] = defaultdict(list)
        for record in self.records:
            machine = record.environment.hardware_id if split else ""
            records[_row_key(record.identity, machine)].append(record)
        for identity in self.missing:
            missing[_row_key(identity, "")].append(identity)
        cells = [*(record.identity for record in self.records), *self.missing, *self.family]
        telling = {_row_key(one, "")[:3]: told for one, told in zip(cells, telling_settings(cells), strict=True)}
        groups = [
            _group(records.get(key, []), missing.get(key, []), telling[key[:3]], key[-1])
            for key in dict.fromkeys([*records, *missing])
        ]
        return tuple(sorted(groups, key=lambda group: _place(group, self.primary)))


def sections(records: Sequence[Record], missing: Sequence[Identity] = ()) -> tuple[Section, ...]:
    """One section for each task, its settings and its data.

    Cells that ended before the data were read have no fingerprint: they join the section of their task and settings
    that was measured last.
    """
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for record in records:
        identity = record.identity
        if identity.task_fingerprint:
            key = _task_key(identity)
            newest[key] = max(newest.get(key, ("", "")), (record.finished_at, identity.task_fingerprint))
    found: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    absent: dict[tuple[str, str, str], list[Identity]] = defaultdict(list)
    families: dict[tuple[str, str], list[Identity]] = defaultdict(list)
    for record in records:
        found[_section_key(record.identity, newest)].append(record)
        families[family_of(record.identity)].append(record.identity)
    for identity in missing:
        absent[_section_key(identity, newest)].append(identity)
        families[family_of(identity)].append(identity)
    kin = {key: family_of(found[key][0].identity if key in found else absent[key][0]) for key in {*found, *absent}}
    keys = sorted(kin, key=lambda key: (kin[key], place(size_of(json.loads(key[1]))), key))
    details = _details(keys)
    return tuple(
        Section(
            task=key[0],
            detail=details[key][0],
            records=tuple(found.get(key, ())),
            missing=tuple(absent.get(key, ())),
            family_detail=details[key][1],
            family=tuple(families[kin[key]]),
        )
        for key in keys
    )


def family_of(identity: Identity) -> tuple[str, str]:
    """What cells that differ in the number of training documents alone have in common of their task."""
    others = {key: value for key, value in identity.task_settings.items() if key != SETTING}
    return identity.task, canonical(others)


def _task_key(identity: Identity) -> tuple[str, str]:
    return identity.task, canonical(identity.task_settings)


def _section_key(identity: Identity, newest: Mapping[tuple[str, str], tuple[str, str]]) -> tuple[str, str, str]:
    key = _task_key(identity)
    return (*key, identity.task_fingerprint or newest.get(key, ("", ""))[1])


def _details(keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """What tells each section from others of its task, and what tells its family from others."""
    by_task: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for key in keys:
        by_task[key[0]].append(key)
    return {key: detail for same in by_task.values() for key, detail in _details_of_task(same).items()}


def _details_of_task(keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], tuple[str, str]]:
    settings = [as_shown(json.loads(key[1])) for key in keys]
    telling = differing(settings)
    alike: dict[str, int] = defaultdict(int)
    for key in keys:
        alike[key[1]] += 1
    details = {}
    for key, one in zip(keys, settings, strict=True):
        words = {name: f"{plain(name)}={setting(one[name])}" for name in telling if name in one}
        parts = list(words.values())
        if alike[key[1]] > 1:
            parts.append(f"data {key[2][:8]}" if key[2] else "data not read")
        details[key] = ", ".join(parts), ", ".join(text for name, text in words.items() if name != SETTING)
    return details


def _row_key(identity: Identity, machine: str) -> tuple[str, ...]:
    return identity.method, identity.model or "", canonical(chosen_settings(identity)), machine


def _group(records: Sequence[Record], missing: Sequence[Identity], telling: Mapping[str, Any], machine: str) -> Group:
    one = records[0].identity if records else missing[0]
    return Group(
        method=one.method,
        model=one.model,
        settings=tuple((plain(key), setting(value)) for key, value in telling.items()),
        records=tuple(sorted(records, key=lambda record: (record.seed, record.cell))),
        missing=tuple(sorted(identity.seed for identity in missing)),
        machine=machine,
    )


def _place(group: Group, primary: str) -> tuple[str, int, float, str]:
    """Rankable rows first, then incomplete ones, those from scratch, and those without a finished cell."""
    block = 3 if not group.ok else 2 if group.from_scratch else 0 if group.complete else 1
    values = [record.metrics.get(primary) for record in group.ok]
    mean = sum(value or 0.0 for value in values) / max(1, len(values))
    return group.machine, block, -mean, group.label
