"""``--data FILE``: a task from the user's own file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError
from bench.files import why_absent

if TYPE_CHECKING:
    from bench.record import Record
    from bench.registry import Registry
    from bench.runner.plan import PlannedCell

BASE = "table"
"""The plugin that reads files, whoever brings it."""

_LONGEST_NAME = 60

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Your own file as the task: CSV, TSV, JSONL, Parquet, or a folder of texts by label; settings by --set.",
    ),
]
TextOption = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="COLUMN", help="With --data: column with the text (text). Repeatable, then joined."),
]
LabelOption = Annotated[
    str | None, typer.Option("--label", metavar="COLUMN", help="With --data: column with the label (label).")
]
TestOption = Annotated[
    str | None,
    typer.Option("--test", metavar="FILE", help="With --data: file with the test split; else a share is held out."),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="With --data: what the task is called; else as the file, without .csv."
    ),
]


@dataclass(frozen=True)
class DataWords:
    """What the user says of a file of his own.

    Attributes:
        path: The file or folder; None: he has none.
        text: Columns with the text; empty: the one called ``text``.
        label: Column with the label; None: the one called ``label``.
        test: File with the test split.
        name: What the task is to be called; None: as the file.
    """

    path: str | None = None
    text: tuple[str, ...] = ()
    label: str | None = None
    test: str | None = None
    name: str | None = None

    def add_to(self, registry: Registry) -> tuple[Registry, tuple[str, ...]]:
        """The plugins with a task for the file, and the task's name; as they are where there is no file.

        Raises:
            UserError: A file does not exist, a word is empty, a name cannot be had, or columns are named of no file.
        """
        from bench.settings import expanded

        self._check()
        if self.path is None:
            return registry, ()
        name = self._name(expanded(self.path), {plugin.name for plugin in registry.plugins})
        plugin = registry.get("task", BASE).with_preset(self._preset(), Path.cwd())
        named = replace(plugin, name=name, origin=self.path, about=f"Your own {self.path}")
        return replace(registry, plugins=(*registry.plugins, named)), (name,)

    def _check(self) -> None:
        from bench.settings import expanded

        given = {"--data": self.path, "--label": self.label, "--test": self.test, "--name": self.name}
        for option, word in [*given.items(), *(("--text", word) for word in self.text)]:
            if word is not None and not word.strip():
                raise UserError(f"{option} is empty; name what it is, or leave it out")
        if self.path is None and (self.text or any(word is not None for word in given.values())):
            raise UserError("--text, --label, --test and --name are for a file of yours; name it with --data FILE")
        for option, word in (("--data", self.path), ("--test", self.test)):
            reason = why_absent(expanded(word)) if word is not None else None
            if reason is not None:
                raise UserError(f"{option} {word}: {reason}")

    def _name(self, path: Path, taken: set[str]) -> str:
        if self.name is None:
            return task_name(path, taken)
        plain = _plain(self.name)
        if plain != self.name:
            raise UserError(f"--name {self.name}: small letters, digits and hyphens make a name, such as {plain}")
        if plain in taken:
            raise UserError(f"--name {plain}: a task or method is called that; choose another name")
        return plain

    def options(self) -> tuple[str, ...]:
        """The options that say the same again."""
        given: list[tuple[str, str | None]] = [("--data", self.path), *(("--text", column) for column in self.text)]
        given += [("--label", self.label), ("--test", self.test), ("--name", self.name)]
        return tuple(word for option, value in given if value is not None for word in (option, value))

    def _preset(self) -> dict[str, object]:
        text = self.text[0] if len(self.text) == 1 else self.text
        given = {"path": self.path, "text": text, "label": self.label, "test": self.test}
        return {key: value for key, value in given.items() if value}


def task_name(path: Path, taken: set[str]) -> str:
    """What a file's task is called: the file's stem in letters, digits and hyphens; ``-data`` after it where taken."""
    name = _plain(path.resolve().name if path.is_dir() else path.stem)
    while name in taken:
        name += "-data"
    return name


def _plain(words: str) -> str:
    """In small letters, digits and hyphens."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", words)).strip("-").lower() or "data"
    return plain[:_LONGEST_NAME].strip("-")


def refuse_unavailable(plan: Iterable[PlannedCell], own: tuple[str, ...]) -> None:
    """Whoever names a file of his own wants that one.

    Raises:
        UserError: A file that the task's settings name is not there.
    """
    for cell in plan:
        if cell.identity.task in own and cell.frozen is None and cell.blocked is not None:
            raise UserError(f"task {cell.identity.task}: {cell.blocked.reason}; {cell.blocked.remedy}")


def overtaken(plan: Iterable[PlannedCell], own: tuple[str, ...], records: Iterable[Record]) -> Iterator[str]:
    """A line for each task of the user's whose results in other data will give way to those of the cells of a plan.

    Results of one task, method, model, seed and settings stand in each other's place: mostly the file has changed, but
    there may be two files of one name.

    Args:
        plan: Cells that will run.
        own: Names of the user's tasks.
        records: Those that stand for their slots now (:meth:`bench.store.Store.standing`).
    """
    planned = {cell.slot: cell.identity.task_fingerprint for cell in plan if cell.identity.task in own}
    there = (record for record in records if record.status == "ok" and record.slot in planned)
    other = [record.task for record in there if record.identity.task_fingerprint != planned[record.slot]]
    for task in dict.fromkeys(other):
        yield (
            f"task {task}: results of other data bear that name ({other.count(task)}); in reports those of this run "
            "take their place; to keep both, give it a name with --name"
        )


def only_task(named: str | None, own: tuple[str, ...]) -> str:
    """The one task that a command is about: the one named, or that of the user's file.

    Raises:
        UserError: It is none or two.
    """
    names = [*own, *([named] if named is not None else [])]
    if len(names) != 1:
        raise UserError("name a task, or a file of yours with --data FILE, and not both")
    return names[0]
