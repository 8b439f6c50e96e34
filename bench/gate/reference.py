"""The reference: one JSON file with a slim record a cell, and the cells' answers in a folder beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import UserError
from bench.gate.answers import Answers, read_kept
from bench.record import Record, migrate

REFERENCE_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Update(_Part):
    """One time that the reference was written."""

    at: str = Field(description="UTC, ISO 8601")
    reason: str = Field(description="why, in the words of who did it")
    commit: str | None = Field(None, description="of the harness's code; + where that was modified")
    changed: list[str] = Field(default_factory=list, description="what became of which cells")


class Reference(_Part):
    """What records are held against.

    ``cells`` are records without what the gate does not look at; their ``predictions`` are hashes of the files beside.
    """

    reference_version: int = REFERENCE_VERSION
    cells: list[Record]
    history: list[Update] = Field(default_factory=list, description="oldest first")

    @property
    def updated(self) -> str:
        """When it was last written, and why, in words."""
        if not self.history:
            return ""
        last = self.history[-1]
        return f"{last.at[:10]}, {last.reason}"

    def dump(self) -> bytes:
        """Its file."""
        cells = [
            {"schema_version": cell.schema_version, **cell.model_dump(mode="json", exclude_defaults=True)}
            for cell in self.cells
        ]
        history = [update.model_dump(mode="json") for update in self.history]
        whole = {"reference_version": self.reference_version, "history": history, "cells": cells}
        return (json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


@dataclass(frozen=True)
class ReferenceFile:
    """Where a reference lies.

    Attributes:
        path: The JSON file.
    """

    path: Path

    @property
    def folder(self) -> Path:
        """That of the answers."""
        return self.path.with_suffix("")

    def answers_file(self, record: Record) -> Path:
        """That of the answers of a cell of the reference; other answers are in a file of another name."""
        return self.folder / f"{record.slot}-{(record.predictions or '')[:8]}.parquet"

    def read(self) -> Reference:
        """What it says.

        Raises:
            UserError: There is none, or it is broken.
        """
        try:
            raw = json.loads(self.path.read_text("utf-8"))
            reference = _parse(raw)
        except FileNotFoundError:
            raise UserError(
                f"{self.path}: no such reference; write one with `bench check {self.path} --update --reason WHY`"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(f"{self.path}: {_first_line(error)}; restore it from version control") from None
        if not reference.cells:
            raise UserError(f"{self.path}: no cell is in it; delete it and write it with --update --reason WHY")
        return reference

    def answers(self, record: Record) -> Answers:
        """What a cell of the reference answered.

        Raises:
            UserError: The file is missing or broken, or is not the one that the reference was written with.
        """
        path = self.answers_file(record)
        mend = "restore it from version control, or write the reference again with --update --reason WHY"
        try:
            answers = read_kept(path)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path}: {_first_line(error)}; {mend}") from None
        if answers.hash != record.predictions:
            raise UserError(f"{path}: not the file that {self.path.name} was written with; {mend}")
        return answers


def _parse(raw: Any) -> Reference:
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list):
        raise ValueError("not a reference, which is a JSON object with `cells`")  # noqa: TRY004 - content, not a programmer's mistake
    version = raw.get("reference_version")
    if version != REFERENCE_VERSION:
        raise ValueError(f"reference_version {version!r} is not the one that this version reads ({REFERENCE_VERSION})")
    reference = Reference.model_validate({**raw, "cells": [migrate(cell) for cell in raw["cells"]]})
    if len({cell.slot for cell in reference.cells}) < len(reference.cells):
        raise ValueError("a cell is in it twice")
    unfinished = [cell.cell for cell in reference.cells if cell.status != "ok" or cell.task_facts is None]
    if unfinished:
        raise ValueError(f"cell {unfinished[0]} in it has no result")
    return reference


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
