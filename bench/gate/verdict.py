"""From a reference and a store to the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import unknown_name
from bench.gate.answers import Answers, read_answers
from bench.gate.cost import check_cost
from bench.gate.documents import check_documents
from bench.gate.finding import CellVerdict, Finding, Limits, Numbers, Verdict
from bench.gate.integrity import check_record, check_reference, check_threshold
from bench.gate.quality import Measured, judge_quality, measure
from bench.gate.reference import ReferenceFile
from bench.gate.words import cell_names, plain
from bench.record import Record
from bench.telling import chosen_settings, differing, value_text

if TYPE_CHECKING:
    from bench.store import Store

_SHOWN = 4


@dataclass(frozen=True)
class _Checked:
    """A cell of the reference after all checks but that of quality, which is judged over all cells together."""

    now: Record | None
    findings: Sequence[Finding]
    measured: Measured | None = None


def judge(file: ReferenceFile, records: Sequence[Record], store: Store, limits: Limits) -> Verdict:
    """Hold records against a reference.

    Args:
        file: The reference.
        records: The latest of each slot, trials left out.
        store: Where their predictions lie.
        limits: How much may change.

    Raises:
        UserError: The reference is missing or broken, or no metric has the name that is asked for.
    """
    reference = file.read()
    _check_metric(limits.metric, reference.cells)
    by_slot = {record.slot: record for record in records}
    known = {cell.slot for cell in reference.cells}
    others = [record for record in records if record.slot not in known]
    checked = [_check(cell, by_slot.get(cell.slot), others, (file, store), limits) for cell in reference.cells]
    qualities = iter(judge_quality([one.measured for one in checked if one.measured is not None], limits))
    findings = [[*one.findings, *([next(qualities)] if one.measured is not None else [])] for one in checked]
    cells = [
        CellVerdict(cell.slot, one.now.cell if one.now is not None else None, plain(cell.task), name, found)
        for cell, one, name, found in zip(reference.cells, checked, cell_names(reference.cells), findings, strict=True)
    ]
    new = [record for record in others if record.status == "ok"]
    notes = _packages(reference.cells, [one.now for one in checked if one.now is not None])
    return Verdict(str(file.path), plain(reference.updated), limits, cells, _named(new), notes)


def _check_metric(metric: str | None, cells: Sequence[Record]) -> None:
    """Refuse a metric that no cell has; the others are told of one that only some have, as of a hierarchy."""
    names = {name for cell in cells for name in cell.metrics}
    if metric is not None and metric not in names:
        raise unknown_name("metric", metric, names)


def _check(
    before: Record,
    now: Record | None,
    others: Sequence[Record],
    places: tuple[ReferenceFile, Store],
    limits: Limits,
) -> _Checked:
    if now is None:
        return _Checked(None, [_missing(before, others)])
    if now.status != "ok" or now.task_facts is None:
        return _Checked(now, [_failed(before, now)])
    file, store = places
    kept = file.answers(before)
    try:
        answers = read_answers(store.folder(now.cell))
    except (OSError, ValueError, KeyError) as error:
        words = f"its predictions cannot be read: {plain(error)}"
        return _Checked(now, [Finding("record", "closed", words, "run it again with --fresh")])
    return _compare(before, now, kept, answers, limits)


def _compare(before: Record, now: Record, kept: Answers, answers: Answers, limits: Limits) -> _Checked:
    documents = check_documents(before, now, kept, answers)
    own = [*check_record(now, answers), *check_threshold(before, now, answers)]
    if documents[0].words.startswith("test documents"):
        return _Checked(now, [*documents, *own])
    findings = [
        *documents,
        *check_reference(before, kept),
        *own,
        *_batching(before, now),
        *_parameters(before, now),
        *check_cost(before, now, limits),
    ]
    return _Checked(now, findings, measure(before, now, kept, answers, limits))


def _missing(before: Record, others: Sequence[Record]) -> Finding:
    """Why there is no such cell: it could not run, or runs with other settings, or was not run.

    Args:
        before: The cell of the reference.
        others: Records of cells that are not in it.
    """
    alike = [one for one in others if _same_words(one, before)]
    blocked = next((one for one in alike if one.status == "unavailable"), None)
    if blocked is not None:
        return _failed(before, blocked)
    other = next((one for one in alike if one.status == "ok"), None)
    if other is None:
        return Finding("cell", "closed", "missing: not among the results", _run(before), _expected(before))
    words = f"missing: it runs with other settings now: {_changed_settings(before, other)}"
    remedy = "if that was meant, write the reference again with --update --reason WHY"
    return Finding("cell", "closed", words, remedy, _expected(before))


def _same_words(one: Record, other: Record) -> bool:
    return (one.task, one.method, one.model, one.seed) == (other.task, other.method, other.model, other.seed)


def _changed_settings(before: Record, now: Record) -> str:
    was, is_ = (record.identity.task_settings | chosen_settings(record.identity) for record in (before, now))
    keys = differing([was, is_])
    changes = [
        f"{key} {value_text(was[key]) if key in was else 'unset'} → {value_text(is_[key]) if key in is_ else 'unset'}"
        for key in keys[:_SHOWN]
    ]
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return plain(", ".join(changes) + more)


def _expected(before: Record) -> Numbers:
    """What the reference has of a cell that there is none of now."""
    metric = before.task_facts.primary_metric if before.task_facts is not None else "micro_f1"
    return {"metric": metric, "before": before.metrics.get(metric)}


def _run(record: Record) -> str:
    return "run the suite again: bench run --suite NAME" + (" with all its models" if record.model else "")


def _failed(before: Record, record: Record) -> Finding:
    words = f"{record.status}: {plain(record.reason or 'no reason is recorded')}"
    remedy = plain(record.remedy) if record.remedy else f"see bench results; bench run --retry {record.status}"
    return Finding("cell", "closed", words, remedy, _expected(before))


def _batching(before: Record, now: Record) -> list[Finding]:
    """A document that is answered otherwise alone than among others is read with its neighbours, or their padding.

    What training learns to live with may cost little in the metric.
    """
    was, is_ = (record.facts.get("alone") for record in (before, now))
    if not isinstance(was, dict):
        return []
    if not isinstance(is_, dict):
        return [Finding("batching", "noted", "whether documents get the same answers alone is not known now")]
    if was.get("strays") or not is_.get("strays"):
        return [Finding("batching", "held")]
    words = f"documents are answered otherwise alone than in batches: {100 * is_.get('changed_share', 0):.0f} % of "
    words += f"{is_.get('documents', 0)} get another answer"
    if "greatest_difference" in is_:
        words += f", scores move by up to {is_['greatest_difference']:.3g}, their spread is {is_['spread']:.3g}"
    return [Finding("batching", "closed", words, "see whether padding, or what is beside a document, is read with it")]


def _parameters(before: Record, now: Record) -> list[Finding]:
    """What is trained is part of a method: a layer that is frozen by mistake may cost little of a small task."""
    was, is_ = (record.facts.get("parameters") for record in (before, now))
    if not isinstance(was, dict):
        return []
    if not isinstance(is_, dict):
        return [Finding("parameters", "noted", "the network's parameters are not known now")]
    changed = [f"{name} {was[name]:,} → {is_[name]:,}" for name in was if name in is_ and was[name] != is_[name]]
    if not changed:
        return [Finding("parameters", "held")]
    remedy = "if the network was meant to change, write the reference again with --update --reason WHY"
    return [Finding("parameters", "closed", f"the network's parameters changed: {', '.join(changed)}", remedy)]


def _packages(before: Sequence[Record], now: Sequence[Record]) -> list[str]:
    """What was installed otherwise than when the reference was made."""
    if not now:
        return []
    was, is_ = before[0].environment.packages, now[0].environment.packages
    changed = [
        f"{name} {was.get(name, '–')} → {is_.get(name, '–')}"
        for name in sorted({*was, *is_})
        if was.get(name) != is_.get(name)
    ]
    return [plain(f"other packages than in the reference: {', '.join(changed)}")] if changed else []


def _named(records: Sequence[Record]) -> list[str]:
    return [f"{plain(record.task)} × {name}" for record, name in zip(records, cell_names(records), strict=True)]
