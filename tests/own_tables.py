"""Tables of invented tickets, and the task that they make."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.task import TaskData
from tasks.table import TableSettings, TableTask

QUEUES = ("billing", "network", "printer")


def tickets(count: int = 30) -> list[dict[str, Any]]:
    """Rows with ``id``, ``text`` and ``label``; texts hold all that CSV has to quote."""
    return [
        {
            "id": f"t{number}",
            "text": f'Ticket {number}, "urgent": café; naïve\nsecond line\t| {QUEUES[number % 3]} is down',
            "label": QUEUES[number % 3],
        }
        for number in range(count)
    ]


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], encoding: str = "utf-8", **dialect: Any) -> Path:
    """A CSV file with a header."""
    rows = list(rows)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), **dialect)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def load(path: Path, **settings: Any) -> TaskData:
    """The task of a file, loaded and checked as the harness does it."""
    data = TableTask(TableSettings(path=str(path), **settings)).load()
    data.check()
    return data


def split_of(data: TaskData) -> dict[str, str]:
    """Id → split."""
    return {id_: split for split, documents in data.splits() for id_ in documents.ids}


def all_labels(data: TaskData) -> dict[str, Sequence[str]]:
    """Text → names of its labels."""
    return {
        text: [data.labels.names[label] for label in row]
        for _, documents in data.splits()
        for text, row in zip(documents.texts, documents.labels, strict=True)
    }
