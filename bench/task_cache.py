"""Loaded tasks, checked and frozen on disk, so that planning is instant and every cell reads the same documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import TaskDataError, UserError
from bench.files import cache_folder, new_folder
from bench.parquet import read_parquet
from bench.record import TaskFacts
from bench.settings import Settings, settings_dict
from bench.task import SPLITS, Documents, LabelSpace, Task, TaskData, TaskSettings
from bench.train_sizes import ALL, laid_over

if TYPE_CHECKING:
    from bench.registry import Plugin

FORMAT = 3


@dataclass(frozen=True)
class FrozenTask:
    """A task on disk: what planning needs at once, the documents on demand.

    Attributes:
        folder: Holds ``facts.json``, ``documents.parquet`` and ``labels.json``.
        fingerprint: Hash of the documents.
        facts: Kind, sizes, primary metric.
        unlimited: Documents by split before a setting such as ``train_documents`` limited them.
        skipped: Reason → number of source records left out.
        skipped_files: Source files that could not be read.
        remarks: Lines for who inspects the task.
    """

    folder: Path
    fingerprint: str
    facts: TaskFacts
    unlimited: Mapping[str, int]
    skipped: Mapping[str, int]
    skipped_files: tuple[str, ...]
    remarks: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> FrozenTask:
        """Read the facts of a frozen task."""
        facts = json.loads((folder / "facts.json").read_text("utf-8"))
        return cls(
            folder,
            facts["fingerprint"],
            TaskFacts(**facts["facts"]),
            facts["unlimited"],
            facts["skipped"],
            tuple(facts["skipped_files"]),
            tuple(facts["remarks"]),
        )

    def ids(self, split: str) -> list[str]:
        """Ids of the documents of a split."""
        table = read_parquet(self.folder / "documents.parquet", columns=["split", "id"])
        rows = zip(table.column("split").to_pylist(), table.column("id").to_pylist(), strict=True)
        return [id_ for of, id_ in rows if of == split]

    def load(self) -> TaskData:
        """Read the documents."""
        table = read_parquet(self.folder / "documents.parquet")
        label_space = json.loads((self.folder / "labels.json").read_text("utf-8"))
        ancestors = label_space["ancestors"]
        columns = {name: table.column(name).to_pylist() for name in ("split", "id", "text", "labels", "categories")}
        starts = [columns["split"].index(split) for split in SPLITS] + [table.num_rows]
        train, validation, test = (_slice(columns, start, end) for start, end in pairwise(starts))
        return TaskData(
            train,
            validation,
            test,
            labels=LabelSpace(
                tuple(label_space["names"]), tuple(map(tuple, ancestors)) if ancestors is not None else None
            ),
            kind=self.facts.kind,
            primary_metric=self.facts.primary_metric,
            skipped=self.skipped,
            skipped_files=self.skipped_files,
            remarks=self.remarks,
        )


def freeze(plugin: Plugin, given: Mapping[str, Any], say: Callable[[str], None]) -> FrozenTask:
    """The task as frozen documents; loads, checks and stores it where that has not been done.

    What differs from frozen documents in nothing but the number of training documents is taken from those, so that a
    source is read once for all of them, and what is held out cannot differ.

    Args:
        plugin: The task's plugin.
        given: The user's settings.
        say: Tells the user a line before something that takes a while.

    Raises:
        UserError: The settings are off, the task is unavailable, or its data break the contract.
    """
    settings = plugin.settings(given)
    with plugin.guarded():
        task: Task = plugin.load()(settings)
        available, stamp = task.availability(), None
        if available.ok:
            stamp = task.stamp()
    if not available.ok:
        raise UserError(f"task {plugin.name} is unavailable: {available.reason}; {available.remedy}")
    folder = _folder(plugin, settings, stamp)
    if not _is_frozen(folder):
        whole = _folder(plugin, settings.model_copy(update=laid_over(ALL)), stamp)
        if _is_frozen(whole):
            larger = FrozenTask.open(whole)
            _store(_limited(larger.load(), settings), folder, larger.unlimited)
        else:
            say(f"loading {plugin.name}")
            task.say = lambda line: say(f"{plugin.name}: {line}")
            data = _load(task, plugin.name)
            _store(_limited(data, settings), folder, task_facts(data).documents)
    return FrozenTask.open(folder)


def _folder(plugin: Plugin, settings: Settings, stamp: Any) -> Path:
    key = {
        "format": FORMAT,
        "task": f"{plugin.name}:{plugin.attribute}",
        "settings": settings_dict(settings),
        "source": plugin.source_hash(),
        "stamp": stamp,
    }
    digest = hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=12).hexdigest()
    return cache_folder() / "tasks" / f"{plugin.name}-{digest}"


def _is_frozen(folder: Path) -> bool:
    return (folder / "facts.json").is_file()


def _load(task: Task, name: str) -> TaskData:
    try:
        data = task.load()
        data.check()
    except UserError as error:
        raise TaskDataError(f"task {name}: {error}") from error
    except Exception as error:
        text = " ".join(str(error).split())
        raise TaskDataError(f"task {name} does not load: {type(error).__name__}: {text}") from error
    return data


def _limited(data: TaskData, settings: Settings) -> TaskData:
    return data.limited(settings.limits(), settings.sampling) if isinstance(settings, TaskSettings) else data


def _slice(columns: Mapping[str, list[Any]], start: int, end: int) -> Documents:
    ids, texts, labels, categories = (columns[name][start:end] for name in ("id", "text", "labels", "categories"))
    return Documents(ids, texts, labels, None if None in categories else categories)


def _store(data: TaskData, folder: Path, unlimited: Mapping[str, int]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, list[Any]] = {"split": [], "id": [], "text": [], "labels": [], "categories": []}
    for split, documents in data.splits():
        columns["split"] += [split] * len(documents)
        columns["id"] += documents.ids
        columns["text"] += documents.texts
        columns["labels"] += documents.labels
        columns["categories"] += documents.categories or [None] * len(documents)
    positions = pa.list_(pa.int32())
    schema = pa.schema(
        [
            ("split", pa.string()),
            ("id", pa.string()),
            ("text", pa.string()),
            ("labels", positions),
            ("categories", positions),
        ]
    )
    facts = {
        "fingerprint": data.fingerprint(),
        "facts": task_facts(data).model_dump(mode="json"),
        "unlimited": dict(unlimited),
        "skipped": dict(data.skipped),
        "skipped_files": list(data.skipped_files),
        "remarks": list(data.remarks),
    }
    with new_folder(folder) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary / "documents.parquet", compression="zstd")
        label_space = {"names": data.labels.names, "ancestors": data.labels.ancestors}
        (temporary / "labels.json").write_text(json.dumps(label_space), "utf-8")
        (temporary / "facts.json").write_text(json.dumps(facts), "utf-8")


def task_facts(data: TaskData) -> TaskFacts:
    """What a record says of its task."""
    return TaskFacts(
        kind=data.kind,
        n_labels=len(data.labels),
        documents={split: len(documents) for split, documents in data.splits()},
        primary_metric=data.primary_metric,
    )
