"""The trained model of a finished cell: kept beside its record, and loaded again, anywhere the folder is taken to."""

from __future__ import annotations

import json
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from bench.errors import ModelError, UserError
from bench.method import Context, Instruments, Method, QuietInstruments
from bench.model import RANDOM, ResolvedModel, materialise, resolve
from bench.record import Record, migrate
from bench.seeds import Seeds
from bench.store import RECORD
from bench.task import LabelSpace, TaskProfile

if TYPE_CHECKING:
    from bench.registry import Registry

MODEL = "model"
"""Folder in a cell's folder, with what :meth:`bench.method.Method.save` wrote."""
CARD = "model.json"
"""File beside it, with what predicting needs and the record does not say."""
NOT_SAVED = "not saved: "
"""How the fact ``model`` of a record begins where the method has no way to save."""


def keep_model(method: Method, labels: LabelSpace, start: ResolvedModel | None, folder: Path) -> dict[str, Any]:
    """Have a fitted method write what it learnt into its cell's folder.

    A method that cannot, a disk that is full, or a limit of time that is reached costs no result.

    Args:
        method: Fitted.
        labels: The label space; its names outlive the task.
        start: The model that the method started from.
        folder: The cell's.

    Returns:
        Facts for the record: the size in MiB, or why there is no model.
    """
    target = folder / MODEL
    try:
        target.mkdir()
        method.save(target)
        size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
        _write_card(labels, start, folder)
    except NotImplementedError as error:
        discard_model(folder)
        return {"model": f"{NOT_SAVED}{error}"}
    except BaseException as error:  # and the harness's own that time is up
        traceback.print_exc()  # into the cell's log
        discard_model(folder)
        return {"model": f"saving failed: {type(error).__name__}: {_one_line(error)}"}
    return {"model_mib": round(size / 2**20, 3)}


class _Card(BaseModel):
    """What stands in ``model.json``."""

    labels: tuple[str, ...]
    ancestors: tuple[tuple[str, ...], ...] | None
    start: Path | None


def _write_card(labels: LabelSpace, start: ResolvedModel | None, folder: Path) -> None:
    card = _Card(labels=labels.names, ancestors=labels.ancestors, start=start.folder if start is not None else None)
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", "utf-8")


def discard_model(folder: Path) -> None:
    """Remove what :func:`keep_model` wrote."""
    shutil.rmtree(folder / MODEL, ignore_errors=True)
    (folder / CARD).unlink(missing_ok=True)


def lacks_model(folder: Path, record: Record) -> bool:
    """Whether a finished cell has no model that its method could have saved."""
    refused = str(record.facts.get("model", "")).startswith(NOT_SAVED)
    return record.status == "ok" and not refused and not (folder / CARD).is_file()


@dataclass(frozen=True)
class Surroundings:
    """With what a model is loaded and asked.

    Attributes:
        device: A torch device name; None for the best there is.
        threads: CPU threads to compute with.
        start: Name or folder of the model that the cell started from; None to look where records and card say.
        local_models: A folder of models to look in first.
        instruments: Get progress and notes.
    """

    threads: int
    device: str | None = None
    start: str | None = None
    local_models: Path | None = None
    instruments: Instruments = field(default_factory=QuietInstruments)


@dataclass(frozen=True)
class SavedCell:
    """A finished cell with its model.

    Attributes:
        folder: Where it lies.
        record: What it says of itself.
        labels: The label space of its task.
        start: Where the model that it started from lay when it ran; None where it started from none.
    """

    folder: Path
    record: Record
    labels: LabelSpace
    start: Path | None

    @classmethod
    def open(cls, folder: Path) -> SavedCell:
        """Read a cell's record and card.

        Raises:
            UserError: The cell did not end well, its card is damaged, or it has no model; the message says how to get
                one.
        """
        record = read_record(folder)
        name = f"cell {record.cell} ({record.task} × {record.method})"
        if record.status != "ok":
            raise UserError(f"{name} ended {record.status}: {record.reason}; it has no model")
        try:
            card = _Card.model_validate_json((folder / CARD).read_bytes())
        except FileNotFoundError:
            raise UserError(f"{name} has no model: {_why(record)}") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{folder / CARD} cannot be read ({_one_line(error)}); copy the cell again") from None
        return cls(folder, record, LabelSpace(card.labels, card.ancestors), card.start)

    @property
    def profile(self) -> TaskProfile:
        """What a method may know of the task."""
        facts = self.record.task_facts
        if facts is None:
            raise UserError(f"{self.folder / RECORD} does not say what kind of task it is of; run the cell again")
        return TaskProfile(self.record.task, facts.kind, facts.n_labels, facts.primary_metric)

    def outdated(self, registry: Registry) -> bool:
        """Whether the code that made this cell has changed since."""
        plugin = registry.get("method", self.record.method)
        return plugin.source_hash("bench.runner.child") != self.record.identity.method_source

    @contextmanager
    def loaded(self, registry: Registry, surroundings: Surroundings) -> Iterator[tuple[Method, Context]]:
        """The method as it was after its training, and the context to ask it in; has a scratch folder while open.

        Raises:
            UserError: The method is not known here, the model that it starts from is not here, or its own is damaged.
        """
        from bench.backoff import is_out_of_memory
        from bench.runner.cell_run import best_device, seed_everything

        plugin = registry.get("method", self.record.method)
        method: Method = plugin.load()(plugin.settings(self.record.identity.method_settings))
        if method.uses_torch:
            import torch  # noqa: F401 - as the child that trained it: seeds and threads are set where it is there
        start, fault = self._start(surroundings)
        seeds = Seeds(self.record.seed)
        seed_everything(seeds, surroundings.threads)
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            context = Context(
                task=self.profile,
                seeds=seeds,
                device=surroundings.device or best_device(method.uses_torch),
                threads=surroundings.threads,
                scratch=Path(scratch),
                instruments=surroundings.instruments,
                model=start,
            )
            try:
                method.load(self.folder / MODEL, self.labels, context)
            except ModelError as error:  # it needs the model that it started from: what is wrong with that says more
                raise fault or error from None
            except UserError:
                raise
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                raise self._unloadable(error) from error
            yield method, context

    def _unloadable(self, error: Exception) -> UserError:
        return UserError(
            f"cell {self.record.cell}: {self.record.method} cannot load {self.folder / MODEL} "
            f"({type(error).__name__}: {_one_line(error)}); copy the cell again, or run it again with --save-models"
        )

    def _start(self, surroundings: Surroundings) -> tuple[ResolvedModel | None, ModelError | None]:
        """The model that the cell started from, or why it cannot be had: many methods need it no more."""
        if self.record.model is None:
            return None, None
        try:
            found = self._found(surroundings)
        except ModelError as error:
            return None, ModelError(f"{error}; if it lies elsewhere, name its folder with --model")
        wanted = self.record.identity.model_revision
        if found.revision != wanted:
            return None, ModelError(
                f"model {found.name} at {found.folder} is of revision {found.revision}, and the cell started from "
                f"{self.record.model} of revision {wanted}; name the folder of that with --model"
            )
        materialise(found)
        return found, None

    def _found(self, surroundings: Surroundings) -> ResolvedModel:
        if surroundings.start is not None:
            return resolve(surroundings.start, surroundings.local_models)
        try:
            return resolve(str(self.record.model), surroundings.local_models)
        except ModelError:
            # A model that was named by its folder is called by the last part of that only.
            if self.start is None or not (self.start / "config.json").is_file():
                raise
            return resolve(f"{self.start}{RANDOM}" if self.record.from_scratch else str(self.start))


def read_record(folder: Path) -> Record:
    """The record of a cell's folder, wherever that lies.

    Raises:
        UserError: There is none, or it cannot be read.
    """
    path = folder / RECORD
    try:
        return Record.model_validate(migrate(json.loads(path.read_bytes())))
    except FileNotFoundError:
        raise UserError(f"{folder}: no folder of a cell, it has no {RECORD}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {_one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _why(record: Record) -> str:
    """Why a finished cell has no model, and what mends it."""
    said = str(record.facts.get("model", ""))
    if said.startswith(NOT_SAVED):
        return f"{said.removeprefix(NOT_SAVED)}, so that nothing can be done with it after its run"
    import shlex

    command = list(record.environment.command) or ["bench", "run", "…"]
    options = [word for word in ("--save-models",) if word not in command]
    failed = f"{said}; mend that and run again: " if said else "run it again with --save-models: "
    return failed + shlex.join([*command, *options])
