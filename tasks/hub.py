"""Data sets of the Hugging Face hub, one YAML file each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from bench.errors import TaskDataError, UserError
from bench.settings import expanded
from bench.task import Availability, Task, TaskData
from tasks.hub_rows import OUTSIDE, RecordReader
from tasks.hub_settings import SOURCE, HubSettings
from tasks.hub_store import Prepared
from tasks.tabular.assembling import Assembler
from tasks.tabular.rows import RowReader


class HubTask(Task):
    """A data set of the Hugging Face hub, named with dataset=owner/name or by a YAML file."""

    name = "hub"
    optional: ClassVar[bool] = True
    Config = HubSettings

    def availability(self) -> Availability:
        """Whether the data set is prepared; nothing is opened."""
        settings: HubSettings = self.config
        if not settings.place:
            return Availability(False, "no data set is named", f"bench prepare {self.name} --set dataset=OWNER/NAME")
        if settings.local is not None and (settings.folder is None or not settings.folder.is_dir()):
            return Availability(False, f"there is no folder {settings.local}", "name one with --set local=FOLDER")
        if self._prepared.filled:
            return Availability()
        return Availability(False, f"{settings.place} is not prepared", self._remedy())

    def stamp(self) -> Any:
        """Where the prepared rows came from, and the time of the table of parents."""
        parents = self.config.parents
        return {**self._prepared.provenance(), "parents": None if parents is None else _file_stamp(expanded(parents))}

    def prepare(self, say: Callable[[str], None]) -> None:
        """Bring the data set from the hub, or from the folder that ``local`` names.

        Raises:
            UserError: It cannot be had, or lacks a split or a column.
        """
        prepared = self._prepared
        state = self.availability()
        if state.ok:
            say(f"{self.name}: prepared already, in {prepared.folder}")
            return
        if state.remedy != self._remedy():
            raise UserError(f"task {self.name}: {state.reason}; {state.remedy}")
        facts = prepared.fill()
        counts = ", ".join(f"{split} {count:,}" for split, count in facts["documents"].items())
        say(f"{self.name}: {counts} rows in {prepared.folder}")
        if facts["commit"] is not None and facts["commit"] != facts["revision"]:
            say(f"{self.name}: read at commit {facts['commit']}; to hold it, set revision: {facts['commit']}")

    def load(self) -> TaskData:
        """Read the prepared rows.

        Raises:
            UserError: It is not prepared, or its rows make no sound task.
        """
        state = self.availability()
        if not state.ok:
            raise UserError(f"{self.name}: {state.reason}; run: {state.remedy}")
        from tasks.tabular.parents import read_parents

        settings: HubSettings = self.config
        data = self._prepared.open()
        source = RecordReader(settings)
        reader = RowReader(settings, data["train"].column_names, settings.place)
        for split, part in data.items():
            reader.check_columns(part.column_names, f"split {split} of {settings.place}")
        rows = list(reader.rows(source.records(data)))
        if not rows and source.skipped[OUTSIDE]:
            raise TaskDataError(f"{settings.place}: filters {settings.filters} keep no row; choose values that occur")
        assembler = Assembler(
            settings,
            reader.kind,
            settings.place,
            parents=None if settings.parents is None else read_parents(expanded(settings.parents)),
            skipped=source.skipped + Counter(reader.skipped),
            remarks=self._remarks(),
        )
        return assembler.assemble(rows)

    @property
    def _prepared(self) -> Prepared:
        return Prepared(self.name, self.config)

    def _remarks(self) -> list[str]:
        facts = self._prepared.provenance()
        at = f" at commit {facts['commit']}" if facts["commit"] else ""
        return [f"read from {facts['local'] or facts['dataset']}{at} on {facts['prepared'][:10]}"]

    def _remedy(self) -> str:
        """The command, with what the user set beyond the task's own file."""
        given = self.config.model_dump(mode="json", include=set(SOURCE))
        own = self.Config(**self.preset).model_dump(mode="json", include=set(SOURCE))
        changed = [f"--set {key}={_word(given[key])}" for key in SOURCE if given[key] != own[key]]
        return " ".join([f"bench prepare {self.name}", *changed, self.brought_by]).rstrip()


def _file_stamp(path: Path) -> list[int] | None:
    """Size and time; None where there is no such file, which reading it will tell."""
    if not path.is_file():
        return None
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _word(value: Any) -> str:
    """A value as it is typed after ``--set KEY=``."""
    return value if isinstance(value, str) else f"'{json.dumps(value)}'"
