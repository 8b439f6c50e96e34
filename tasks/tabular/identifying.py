"""Ids of rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.errors import TaskDataError
from tasks.tabular.rows import Row


def identified(rows: Iterable[Row]) -> list[Row]:
    """The rows with the user's ids, or with hashes of their texts, which depend on neither format nor order.

    Raises:
        TaskDataError: An id recurs.
    """
    rows = list(rows)
    seen: dict[str, str] = {}
    for row, id_ in zip(rows, _ids(rows), strict=True):
        if id_ in seen:
            raise TaskDataError(f"{row.place}: id {id_!r} is that of {seen[id_]} too; ids are unique")
        seen[id_] = row.place
    return [row if row.id is not None else row.identified(id_) for row, id_ in zip(rows, seen, strict=True)]


def _ids(rows: Sequence[Row]) -> list[str]:
    """The users' ids, or hashes of texts; equal texts are numbered by what else tells them apart."""
    ids = [row.id if row.id is not None else _digest(row.text) for row in rows]
    counts = Counter(ids)
    recurring = [i for i, row in enumerate(rows) if row.id is None and counts[ids[i]] > 1]
    numbers: Counter[str] = Counter()
    for i in sorted(recurring, key=lambda i: _order(rows[i])):
        digest = ids[i]
        numbers[digest] += 1
        if numbers[digest] > 1:
            ids[i] = f"{digest}-{numbers[digest]}"
    return ids


def _order(row: Row) -> tuple[list[str], str, str]:
    """What two rows of one text may differ in."""
    return sorted(row.labels), row.group or "", row.split or ""


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
