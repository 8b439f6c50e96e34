"""Writing a reference from a store: whole or not at all, and with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.files import sync, write_atomic
from bench.gate.answers import keep, read_answers
from bench.gate.reference import Reference, ReferenceFile, Update
from bench.gate.words import cell_names, plain
from bench.record import Environment, Record

if TYPE_CHECKING:
    from bench.store import Store

PHASES = ("train", "predict")
"""Whose memory and speed are judged."""
_FACTS = ("parameters", "device", "alone")
_SHOWN = 5


@dataclass(frozen=True)
class Written:
    """What an update did.

    Attributes:
        cells: How many cells the reference has now.
        changed: What became of which, one line each; empty where all is as it was.
    """

    cells: int
    changed: Sequence[str]


def update(file: ReferenceFile, records: Sequence[Record], store: Store, reason: str) -> Written:
    """Write a reference of these records, in place of the one that may stand there.

    New answers are put beside the old ones, then the file that names them is replaced, then what it names no more is
    removed: wherever this is interrupted, one reference or the other is whole. What else lies there is not touched.

    Raises:
        UserError: There is no reason, no record, or a record that has no result; or the files cannot be written.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise UserError('--update: say why, in words for who reads the history: --reason "a better tokenizer"')
    if file.path.suffix != ".json":
        raise UserError(f"--update: {file.path} is no name of a reference; give one that ends in .json")
    _refuse_unfinished(records)
    before = file.read() if file.path.exists() else None
    try:
        cells = _put_answers(file, records, store)
        changed = _changes(before.cells if before is not None else (), cells)
        history = [*(before.history if before is not None else ()), _update(reason, changed, cells)]
        write_atomic(file.path, Reference(cells=cells, history=history).dump())
    except OSError as error:
        raise UserError(f"--update: {file.path} cannot be written: {error.strerror or error}") from None
    _remove_overtaken(file, before.cells if before is not None else (), cells)
    return Written(len(cells), changed)


def _put_answers(file: ReferenceFile, records: Sequence[Record], store: Store) -> list[Record]:
    """The slim records; their answers lie in the folder of the reference, all or none."""
    file.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{file.folder.name}.", dir=file.folder.parent) as folder:
        cells = [_kept(record, store, Path(folder)) for record in records]
        for cell in cells:
            answers = Path(folder) / cell.slot
            sync(answers)
            answers.replace(file.answers_file(cell))
    sync(file.folder)
    return cells


def _remove_overtaken(file: ReferenceFile, before: Iterable[Record], cells: Iterable[Record]) -> None:
    """Answers that only the reference of before names."""
    for path in {*map(file.answers_file, before)} - {*map(file.answers_file, cells)}:
        with suppress(OSError):  # it is in nobody's way
            path.unlink(missing_ok=True)


def _refuse_unfinished(records: Sequence[Record]) -> None:
    if not records:
        raise UserError("--update: no results to make a reference of; run `bench run --suite ci` first")
    failed = [
        f"{plain(record.task)} × {name}: {record.status}"
        for record, name in zip(records, cell_names(records), strict=True)
        if record.status != "ok" or record.task_facts is None
    ]
    if failed:
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise UserError(
            f"--update: cells without a result cannot be a reference: {'; '.join(failed[:_SHOWN])}{more}; "
            "run them again with bench run --retry all, or leave them out of the results"
        )


def _kept(record: Record, store: Store, folder: Path) -> Record:
    """The slim record; its answers are written."""
    try:
        answers = read_answers(store.folder(record.cell))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"--update: the predictions of cell {record.cell} cannot be read ({error}); run it again with --fresh"
        ) from None
    if answers.hash != record.predictions:
        raise UserError(
            f"--update: the predictions of cell {record.cell} are not those that its record was written with; "
            "run it again with --fresh"
        )
    return _slim(record, keep(answers, folder / record.slot))


def _slim(record: Record, predictions: str) -> Record:
    there = record.environment
    environment = Environment(
        packages=there.packages,
        hardware_id=there.hardware_id,
        threads=there.threads,
        jobs=there.jobs,
        harness=there.harness,
    )
    return Record(
        cell=record.cell,
        slot=record.slot,
        task=record.task,
        method=record.method,
        model=record.model,
        seed=record.seed,
        identity=record.identity,
        status="ok",
        finished_at=record.finished_at,
        task_facts=record.task_facts,
        metrics=record.metrics,
        decision=record.decision,
        speed={phase: record.speed[phase] for phase in PHASES if phase in record.speed},
        peak_mib={phase: record.peak_mib[phase] for phase in PHASES if phase in record.peak_mib},
        facts={name: record.facts[name] for name in _FACTS if name in record.facts},
        from_scratch=record.from_scratch,
        predictions=predictions,
        environment=environment,
    )


def _update(reason: str, changed: Sequence[str], cells: Sequence[Record]) -> Update:
    commits = dict.fromkeys(filter(None, map(_commit, cells)))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return Update(at=at, reason=plain(reason), commit=", ".join(commits) or None, changed=list(changed))


def _commit(record: Record) -> str | None:
    harness = record.environment.harness
    commit = harness.get("git")
    return f"{commit}{'+' if harness.get('modified') else ''}" if commit else None


def _changes(before: Iterable[Record], after: Sequence[Record]) -> list[str]:
    """One line for each cell that is new, gone, or answers otherwise."""
    old = {cell.slot: cell for cell in before}
    if not old:
        return []
    now = {cell.slot for cell in after}
    gone = [cell for cell in old.values() if cell.slot not in now]
    changes = [*(_change(old.get(cell.slot), cell) for cell in after), *("gone" for _ in gone)]
    every = [*after, *gone]
    return [
        f"{plain(cell.task)} × {name}: {change}"
        for cell, name, change in zip(every, cell_names(every), changes, strict=True)
        if change is not None
    ]


def _change(old: Record | None, new: Record) -> str | None:
    if old is None:
        return "new"
    if old.predictions == new.predictions:
        return None
    metric = new.task_facts.primary_metric if new.task_facts is not None else "micro_f1"
    values = [cell.metrics.get(metric) for cell in (old, new)]
    shown = " → ".join("undefined" if value is None else f"{value:.4f}" for value in values)
    return f"other predictions, {metric} {shown}"
