"""A hierarchy of labels from a table of two columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.errors import TaskDataError, unknown_name
from bench.reading.files import open_source
from bench.reading.source import Reading, Source
from tasks.tabular.assembling import Parents

_COLUMNS = ("label", "parent")


def read_parents(path: Path, reading: Reading | None = None) -> Parents:
    """Read a table with the columns ``label`` and ``parent``, in any format that tasks are read in.

    A node without a parent is at the top.

    Args:
        path: The table.
        reading: How the files of the task are read; the columns are those of this table all the same.

    Raises:
        UserError: A column is missing, or a node has two parents.
    """
    source = open_source(path, (reading or Reading(_COLUMNS)).of_columns(_COLUMNS))
    for column in _COLUMNS:
        if column not in source.columns:
            raise unknown_name(f"column of {source.place}", column, source.columns)
    return Parents(_above(source), source.place)


def _above(source: Source) -> dict[str, str]:
    above: dict[str, str | None] = {}
    for record in source.records():
        label, parent = (_name(record.cells.get(column), record.place) for column in _COLUMNS)
        if label is None:
            raise TaskDataError(f"{record.place}: column 'label' is empty; name the node, or take the row out")
        if above.setdefault(label, parent) != parent:
            here, before = (f"below {node!r}" if node is not None else "at the top" for node in (parent, above[label]))
            raise TaskDataError(f"{record.place}: {label!r} is {here} here and {before} before; give it one parent")
    return {label: parent for label, parent in above.items() if parent is not None}


def _name(value: Any, place: str) -> str | None:
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, int):
        return str(value)
    raise TaskDataError(f"{place}: {value!r} is no name of a label; write a word or a whole number")
