"""Rows of stored results compared, task by task: from the user's words to comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from bench.errors import UserError, unknown_name
from bench.rows import Row, Table, chosen, named, names_of
from bench.telling import as_shown, differing, in_words

if TYPE_CHECKING:
    from bench.record import Record
    from bench.stats.comparing import Comparison, Verdict
    from bench.stats.judged import Judged
    from bench.store import Store

Read = Callable[["Record"], "Judged"]


@dataclass(frozen=True)
class Group:
    """Rows that are compared with each other, and corrected for together.

    Attributes:
        task: Name of the task.
        detail: What tells it from other groups of the task, in words.
        rows: The rows.
        pairs: Which of them are compared, by position.
    """

    task: str
    detail: str
    rows: tuple[Row, ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def title(self) -> str:
        """Task and detail."""
        return f"{self.task} ({self.detail})" if self.detail else self.task

    @property
    def primary(self) -> str:
        """The task's own metric."""
        return next(one.task_facts.primary_metric for row in self.rows for one in row.ok if one.task_facts)


@dataclass(frozen=True)
class Compared:
    """A pair of rows.

    Attributes:
        a: The first.
        b: The second.
        comparison: Their figures and tests.
        verdict: What those say, corrected for the other pairs of the group.
    """

    a: Row
    b: Row
    comparison: Comparison
    verdict: Verdict


def groups(tables: Sequence[Table], words: Sequence[str], tasks: Sequence[str]) -> list[Group]:
    """What the user wants compared.

    Args:
        tables: Every row of the store, by collection of documents.
        words: Names of rows, see :class:`bench.rows.Selector`: two or more are compared with each other, one with all
            others, none means all pairs.
        tasks: Only these; all of the store where there are none.

    Raises:
        UserError: A name is unknown or means several rows, a row has no finished cell, or nothing is left to compare.
    """
    known = {table.task for table in tables}
    for task in tasks:
        if task not in known:
            raise unknown_name("task", task, known)
    wanted = [table for table in tables if not tasks or table.task in tasks]
    found = _all_pairs(wanted) if not words else _of_words(wanted, words)
    if not found:
        raise UserError("nothing to compare: no task has two rows with finished cells; see `bench results`")
    return found


def compared(group: Group, read: Read, metric: str, *, resamples: int, seed: int) -> list[Compared]:
    """Compare the pairs of a group.

    Raises:
        UserError: Test documents differ, predictions are missing, or the metric cannot be had of them.
    """
    from bench.stats.comparing import Comparer, DifferentDocuments, UnsupportedMetric, verdicts

    comparer = Comparer([[read(one) for one in row.ok] for row in group.rows], metric, resamples, seed)
    try:
        found = [comparer.compare(*pair) for pair in group.pairs]
    except UnsupportedMetric as error:
        raise UserError(f"{group.task}: {error}; name another with --metric") from None
    except DifferentDocuments as error:
        raise UserError(f"{group.task}: {error}; run both on the same data") from None
    said = zip(group.pairs, found, verdicts(found), strict=True)
    return [Compared(group.rows[a], group.rows[b], one, verdict) for (a, b), one, verdict in said]


def reader(store: Store) -> Read:
    """Reads a cell's predictions, each once.

    The function that it returns raises:
        UserError: They are missing or cannot be read.
    """
    from bench.stats.judged import read_judged

    kept: dict[str, Judged] = {}

    def read(record: Record) -> Judged:
        if record.cell not in kept:
            folder = store.folder(record.cell)
            try:
                kept[record.cell] = read_judged(record, folder)
            except (OSError, ValueError, KeyError) as error:
                what = "are missing" if isinstance(error, FileNotFoundError) else "cannot be read"
                raise UserError(
                    f"cell {record.cell} ({record.method} on {record.task}): its predictions {what}; copy {folder} "
                    "again, or delete it and run the cell again"
                ) from None
        return kept[record.cell]

    return read


def unfinished(tables: Iterable[Table], tasks: Sequence[str]) -> list[str]:
    """Rows without a finished cell, with what became of them."""
    rows = [(table, row) for table in tables if not tasks or table.task in tasks for row in table.rows if not row.ok]
    return [f"{row.name} on {table.task} ({row.records[0].status})" for table, row in rows]


def _all_pairs(tables: Sequence[Table]) -> list[Group]:
    found = []
    for table in tables:
        rows = tuple(row for row in table.rows if row.ok)
        if len(rows) > 1:
            found.append(Group(table.task, _detail(table, tables), rows, tuple(combinations(range(len(rows)), 2))))
    return found


def _of_words(tables: Sequence[Table], words: Sequence[str]) -> list[Group]:
    """The tables that have every row named; else rows of different tables of one task, such as of other sizes."""
    found: list[Group] = []
    for table in tables:
        if all(names_of(word, table.rows) for word in words):
            rows = [_finished(chosen(word, table.rows), table.task) for word in words]
            found += _group(table.task, _detail(table, tables), rows, table.rows)
    return found or _over_tables(tables, words)


def _over_tables(tables: Sequence[Table], words: Sequence[str]) -> list[Group]:
    found: list[Group] = []
    for task in dict.fromkeys(table.task for table in tables):
        rows = named([row for table in tables if table.task == task for row in table.rows])
        if all(names_of(word, rows) for word in words):
            found += _group(task, "", [_finished(chosen(word, rows), task) for word in words], rows)
    if not found:
        everything = named([row for table in tables for row in table.rows])
        for word in words:
            if not names_of(word, everything):
                chosen(word, everything)  # raises: says what is called nearly so
        raise UserError(f"no task has results of all of {', '.join(map(repr, words))}; see `bench results`")
    return found


def _group(task: str, detail: str, rows: list[Row], table: Sequence[Row]) -> list[Group]:
    cells = [frozenset(one.cell for one in row.records) for row in rows]
    if len(set(cells)) < len(cells):
        raise UserError(f"{task}: {rows[0].name!r} is named twice; name two rows, or one for all others beside it")
    if len(rows) > 1:
        return [Group(task, detail, tuple(rows), tuple(combinations(range(len(rows)), 2)))]
    others = [one for one in table if one.ok and not cells[0] & {record.cell for record in one.records}]
    pairs = tuple((0, place) for place in range(1, len(others) + 1))
    return [Group(task, detail, (*rows, *others), pairs)] if others else []


def _finished(row: Row, task: str) -> Row:
    if row.ok:
        return row
    one = row.records[0]
    remedy = one.remedy or f"run it again with --retry {one.status}"
    raise UserError(f"{row.name} on {task} has no finished cell ({one.status}: {one.reason}); {remedy}")


def _detail(table: Table, tables: Sequence[Table]) -> str:
    same = [one for one in tables if one.task == table.task]
    keys = differing([as_shown(one.settings) for one in same])
    words = in_words({key: value for key, value in as_shown(table.settings).items() if key in keys})
    alike = [one for one in same if one.settings == table.settings]
    if len(alike) > 1:
        data = (table.rows[0].identity.task_fingerprint or "not read")[:8]
        words = ", ".join(filter(None, [words, f"data {data}"]))
    return words
