"""``--data FILE``: a task from the user's own file."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UserError

if TYPE_CHECKING:
    from bench.registry import Registry

BASE = "table"
"""The plugin that reads files, whoever brings it."""

_LONGEST_NAME = 60

DataOption = Annotated[
    Path | None,
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
    Path | None,
    typer.Option("--test", metavar="FILE", help="With --data: file with the test split; else a share is held out."),
]


@dataclass(frozen=True)
class DataWords:
    """What the user says of a file of his own.

    Attributes:
        path: The file or folder; None: he has none.
        text: Columns with the text; empty: the one called ``text``.
        label: Column with the label; None: the one called ``label``.
        test: File with the test split.
    """

    path: Path | None = None
    text: tuple[str, ...] = ()
    label: str | None = None
    test: Path | None = None

    def add_to(self, registry: Registry) -> tuple[Registry, tuple[str, ...]]:
        """The plugins with a task for the file, and the task's name; as they are where there is no file.

        Raises:
            UserError: A file does not exist, or columns are named of none.
        """
        if self.path is None:
            if self.text or self.label is not None or self.test is not None:
                raise UserError("--text, --label and --test are for a file of yours; name it with --data FILE")
            return registry, ()
        for option, path in (("--data", self.path), ("--test", self.test)):
            if path is not None and not path.exists():
                raise UserError(f"{option} {path}: no such file or folder")
        name = task_name(self.path, {plugin.name for plugin in registry.plugins})
        plugin = registry.get("task", BASE).with_preset(self._preset(self.path), Path.cwd())
        named = replace(plugin, name=name, origin=str(self.path), about=f"Your own {self.path}")
        return replace(registry, plugins=(*registry.plugins, named)), (name,)

    def _preset(self, path: Path) -> dict[str, object]:
        text = self.text[0] if len(self.text) == 1 else self.text
        given = {"path": str(path), "text": text, "label": self.label, "test": self.test and str(self.test)}
        return {key: value for key, value in given.items() if value}


def task_name(path: Path, taken: set[str]) -> str:
    """What a file's task is called: the file's stem in letters, digits and hyphens; ``-data`` after it where taken."""
    plain = unicodedata.normalize("NFKC", path.resolve().name if path.is_dir() else path.stem)
    name = re.sub(r"[\W_]+", "-", plain).strip("-").lower() or "data"
    name = name[:_LONGEST_NAME].strip("-")
    while name in taken:
        name += "-data"
    return name


def only_task(named: str | None, own: tuple[str, ...]) -> str:
    """The one task that a command is about: the one named, or that of the user's file.

    Raises:
        UserError: It is none or two.
    """
    names = [*own, *([named] if named is not None else [])]
    if len(names) != 1:
        raise UserError("name a task, or a file of yours with --data FILE, and not both")
    return names[0]
