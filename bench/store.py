"""The store: one folder a cell, written whole or not at all, read back without losing a good one to a bad one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import UserError
from bench.files import commit_folder, remove_leftovers, write_atomic
from bench.record import SCHEMA_VERSION, Identity, Record, migrate

RECORD = "record.json"
PREDICTIONS = "predictions.parquet"
LABELS = "labels.parquet"
PLAN = "plan.json"


@dataclass(frozen=True)
class Corrupt:
    """A record that could not be read.

    Attributes:
        cell: The name of its folder.
        reason: What was wrong, in one line.
        moved_to: Where it lies now.
    """

    cell: str
    reason: str
    moved_to: Path


@dataclass(frozen=True)
class Store:
    """Records and predictions under one folder.

    Attributes:
        root: The folder; ``results/runs`` unless the user says otherwise.
    """

    root: Path

    @property
    def cells(self) -> Path:
        """The folder that holds one folder a cell."""
        return self.root / "cells"

    def folder(self, cell: str) -> Path:
        """The folder of one cell, whether or not it exists."""
        return self.cells / cell

    def checkpoints(self, cell: str) -> Path:
        """Where an interrupted cell's training lies until it goes on; may be deleted at any time."""
        return self.root / "checkpoints" / cell

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for one writer; what an interrupted writer left behind is removed.

        Raises:
            UserError: Another run holds it, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        try:
            self.cells.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise UserError(f"another run is writing to {self.root}; wait for it or use another --out") from None
        except OSError as error:
            raise UserError(f"--out {self.root}: {error.strerror or error}") from None
        try:
            remove_leftovers(self.cells)
            yield
        finally:
            lock.release()

    def commit(self, temporary: Path, record: Record) -> Record:
        """Put a record beside the files in ``temporary`` (a folder in :attr:`cells`) and make both the cell's.

        A result stays where another run of its cell ends otherwise: that run is set aside.

        Returns:
            The record; where it was set aside, with words on that in its reason.
        """
        (temporary / RECORD).write_bytes(_dump(record))
        if record.status == "ok" or not self._has_result(record.cell):
            commit_folder(temporary, self.folder(record.cell))
            return record
        aside = self._move_aside(temporary, record.cell)
        kept = f"the result of an earlier run is kept, this one is set aside in {aside}"
        return record.model_copy(update={"reason": f"{record.reason}; {kept}"})

    def _has_result(self, cell: str) -> bool:
        try:
            return _parse((self.folder(cell) / RECORD).read_bytes(), cell).status == "ok"
        except (OSError, ValueError, KeyError):
            return False

    def put(self, record: Record) -> Record:
        """Write a record that has no other files; returns what :meth:`commit` does."""
        temporary = self.cells / f".{record.cell}.put.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        return self.commit(temporary, record)

    def forget(self, cell: str) -> None:
        """Remove a cell with all its files; at once for those who read meanwhile."""
        gone = self.cells / f".{cell}.gone.tmp"
        with suppress(FileNotFoundError):
            self.folder(cell).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def get(self, cell: str, report: Callable[[Corrupt], None]) -> Record | None:
        """The record of a cell; None where there is none. A corrupt one is set aside and reported."""
        try:
            # With text for a path and no buffer: of very many records this saves a tenth of the time.
            with open(f"{self.cells}/{cell}/{RECORD}", "rb", buffering=0) as file:  # noqa: PTH123
                return _parse(file.read(), cell)
        except FileNotFoundError:
            if self.folder(cell).is_dir():
                report(self._set_aside(cell, "the record is missing"))
            return None
        except (ValueError, KeyError) as error:
            report(self._set_aside(cell, " ".join(str(error).split())[:200]))
            return None

    def names(self) -> set[str]:
        """The cells that have a folder."""
        try:
            with os.scandir(self.cells) as entries:
                return {entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()}
        except (FileNotFoundError, NotADirectoryError):
            return set()

    def all(self, report: Callable[[Corrupt], None]) -> list[Record]:
        """Every readable record, by time of finishing, then name."""
        found = [record for name in sorted(self.names()) if (record := self.get(name, report)) is not None]
        return sorted(found, key=lambda record: (record.finished_at, record.cell))

    def standing(self, report: Callable[[Corrupt], None]) -> list[Record]:
        """The records that results and reports show, one for each slot (see :func:`latest`)."""
        return latest(self.all(report), self.meant())

    def save_plan(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add to what was planned here, one row a slot, so that what is missing can be told later."""
        planned = {row["slot"]: row for row in self._plan()}
        for row in rows:
            # What a search found stays found, whoever runs the same settings afterwards.
            tuned = row.get("tuned") or planned.get(row["slot"], {}).get("tuned")
            planned[row["slot"]] = {**row, "tuned": tuned}
        write_atomic(self.root / PLAN, (json.dumps(list(planned.values()), indent=1) + "\n").encode())

    def meant(self) -> dict[str, str]:
        """By slot, the cell that the last run meant: that of its code, data and model files, whenever it was run."""
        return {row["slot"]: row["cell"] for row in self._plan() if "cell" in row}

    def missing(self, records: Iterable[Record]) -> list[Identity]:
        """What was planned here and has left no record."""
        there = {record.slot for record in records}
        return [Identity(**row["identity"]) for row in self._plan() if row["slot"] not in there]

    def searches(self) -> dict[str, dict[str, Any]]:
        """By slot, what is known of the search that found the settings of cells planned here."""
        return {row["slot"]: row["tuned"] for row in self._plan() if row.get("tuned")}

    def _plan(self) -> list[dict[str, Any]]:
        try:
            return list(json.loads((self.root / PLAN).read_text("utf-8")))
        except (OSError, ValueError):  # nothing was planned, or the note of it is lost
            return []

    def _set_aside(self, cell: str, reason: str) -> Corrupt:
        return Corrupt(cell, reason, self._move_aside(self.folder(cell), cell))

    def _move_aside(self, folder: Path, cell: str) -> Path:
        target = self.root / "set-aside" / cell
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        return folder.rename(target)


def latest(records: Iterable[Record], meant: Mapping[str, str] | None = None) -> list[Record]:
    """One record for each slot: results of older code or data do not stand beside newer ones.

    It is that of the cell that the last run meant, which may have been there before (a change was taken back); else the
    one that finished last. ``unavailable`` yields to any other: that a source has gone does not undo what was measured.

    Args:
        records: Any number of each slot.
        meant: What :meth:`Store.meant` says.
    """
    cells = meant or {}
    newest: dict[str, Record] = {}
    for record in sorted(records, key=lambda r: (r.status != "unavailable", r.finished_at, r.cell)):
        before = newest.get(record.slot)
        if before is None or before.status == "unavailable" or before.cell != cells.get(record.slot):
            newest[record.slot] = record
    return sorted(newest.values(), key=lambda record: (record.task, record.method, record.model or "", record.seed))


def _dump(record: Record) -> bytes:
    return (record.model_dump_json(indent=1) + "\n").encode()


def _parse(content: bytes, cell: str) -> Record:
    record = _of_this_version(content) or Record.model_validate(migrate(json.loads(content)))
    if record.cell != cell:
        raise ValueError(f"the record names cell {record.cell}")
    return record


def _of_this_version(content: bytes) -> Record | None:
    """The record where it needs no migration; read in one go, which takes less than half of the time."""
    try:
        record = Record.model_validate_json(content)
    except ValidationError:  # of another version, or corrupt: that is told where it is read step by step
        return None
    there = "schema_version" in record.model_fields_set and record.schema_version == SCHEMA_VERSION
    return record if there else None
