"""Finished cells as rows: those that differ in their seed only, and how the user names a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.errors import UserError, unknown_name
from bench.record import Identity, Record
from bench.telling import as_shown, canonical, chosen_settings, differing, value_text

_WORD = re.compile(r"(?P<method>[^@\[\]]+)(?:@(?P<model>[^\[\]]+))?(?:\[(?P<settings>.*)\])?", re.DOTALL)
_SHORTEST_CELL = 4
_SHOWN = 8


@dataclass(frozen=True)
class Row:
    """Cells of one method, model and settings on one collection of documents.

    Attributes:
        records: One a seed, by seed; whatever became of them.
        name: The shortest words that tell it from the other rows of its table, as the user may write them.
    """

    records: tuple[Record, ...]
    name: str = ""

    @property
    def identity(self) -> Identity:
        """What its cells have in common, and the seed of the first."""
        return self.records[0].identity

    @property
    def ok(self) -> tuple[Record, ...]:
        """The records that finished."""
        return tuple(record for record in self.records if record.status == "ok")

    @property
    def from_scratch(self) -> bool:
        """Whether its weights started random."""
        return any(record.from_scratch for record in self.records)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of its task and its method, by which it may be named."""
        return {**as_shown(self.identity.task_settings), **chosen_settings(self.identity)}


@dataclass(frozen=True)
class Table:
    """The rows of one collection of documents.

    Attributes:
        task: Name of the task.
        settings: Those of the task.
        rows: Named apart.
    """

    task: str
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Selector:
    """A row as the user names it: ``bert``, ``embedding-head@Qwen3-0.6B``, ``bert[max_tokens=128, seed=0]``.

    Attributes:
        word: What the user wrote.
        method: Name of the method.
        model: Name of the model, or its last part; None for any.
        settings: Key → value, as shown.
    """

    word: str
    method: str
    model: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, word: str) -> Selector:
        """Read a word.

        Raises:
            UserError: It is not of that form.
        """
        parts = _WORD.fullmatch(word.strip())
        pairs = [part.partition("=") for part in _split(parts["settings"] or "")] if parts else []
        if parts is None or any(not equals for _, equals, _ in pairs):
            raise UserError(f"{word!r}: write METHOD, METHOD@MODEL or METHOD[key=value, …], or the name of a cell")
        settings = {key.strip(): value.strip() for key, _, value in pairs}
        return cls(word, parts["method"].strip(), parts["model"] and parts["model"].strip(), settings)

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that it may mean; those of a seed, or of a cell, with that record only."""
        return [found for row in rows if (found := self._within(row)) is not None]

    def _within(self, row: Row) -> Row | None:
        cells = tuple(one for one in row.records if self._is_cell(one))
        if cells:
            return replace(row, records=cells, name=cells[0].cell)
        wanted = {key: value for key, value in self.settings.items() if key != "seed" or "seed" in row.settings}
        held = {key: value_text(value) for key, value in row.settings.items()}
        if self.method != row.identity.method or not self.names_model(row.identity.model):
            return None
        if any(held.get(key) != value for key, value in wanted.items()):
            return None
        if len(wanted) == len(self.settings):
            return row
        records = tuple(one for one in row.records if str(one.seed) == self.settings["seed"])
        named = f"{row.name[:-1]}, " if row.name.endswith("]") else f"{row.name}["
        return replace(row, records=records, name=f"{named}seed={self.settings['seed']}]") if records else None

    def _is_cell(self, record: Record) -> bool:
        return len(self.word) >= _SHORTEST_CELL and record.cell.startswith(self.word)

    def names_model(self, model: str | None) -> bool:
        """Whether it may mean a row of this model."""
        return self.model is None or (model is not None and self.model in {model, _last(model)})


def tables(records: Sequence[Record]) -> list[Table]:
    """Records sorted into tables of the same documents, and rows."""
    found: dict[tuple[str, str, str], dict[tuple[str, str, str], list[Record]]] = {}
    for record in records:
        identity = record.identity
        documents = identity.task, canonical(identity.task_settings), identity.task_fingerprint or ""
        row = identity.method, identity.model or "", canonical(chosen_settings(identity))
        found.setdefault(documents, {}).setdefault(row, []).append(record)
    made = []
    for (task, _, _), same in sorted(found.items(), key=lambda one: one[0]):
        rows = [Row(tuple(sorted(of_row, key=lambda record: (record.seed, record.cell)))) for of_row in same.values()]
        made.append(Table(task, rows[0].identity.task_settings, tuple(named(rows))))
    return made


def named(rows: Sequence[Row]) -> list[Row]:
    """The rows, each with the shortest words that tell it from the others."""
    return [replace(row, name=_name(row, [one for one in rows if one is not row])) for row in rows]


def names_of(word: str, rows: Sequence[Row]) -> list[str]:
    """The names of all rows that a word may mean."""
    return [row.name for row in Selector.parse(word).of(rows)]


def chosen(word: str, rows: Sequence[Row]) -> Row:
    """The one row that a word means.

    Raises:
        UserError: None is called that, or several are: then it lists what to write instead.
    """
    selector = Selector.parse(word)
    found = selector.of(rows)
    if len(found) == 1:
        return found[0]
    if not found:
        raise _unknown(selector, rows)
    names = sorted(row.name for row in named(found))
    more = f" or {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise UserError(f"{word!r} may be any of {len(names)} rows; write {', '.join(map(repr, names[:_SHOWN]))}{more}")


def _unknown(selector: Selector, rows: Sequence[Row]) -> UserError:
    methods = {row.identity.method for row in rows}
    if selector.method not in methods:
        return unknown_name("row", selector.word, {*methods, *(row.name for row in rows)})
    same = [row for row in rows if row.identity.method == selector.method]
    models = {_last(row.identity.model) for row in same if row.identity.model}
    if selector.model is not None and not any(selector.names_model(row.identity.model) for row in same):
        return unknown_name(f"model of {selector.method}", selector.model, models)
    keys = {key for row in same for key in row.settings} | {"seed"}
    for key, value in selector.settings.items():
        if key not in keys:
            return unknown_name(f"setting of {selector.method}", key, keys)
        values = {str(one.seed) for row in same for one in row.records} if key == "seed" else _values(same, key)
        if value not in values:
            return unknown_name(f"value of {key}", value, values)
    return unknown_name("row", selector.word, [row.name for row in same])


def _values(rows: Iterable[Row], key: str) -> set[str]:
    return {value_text(row.settings[key]) for row in rows if key in row.settings}


def _name(row: Row, others: Sequence[Row]) -> str:
    name = row.identity.method
    same = [one for one in others if one.identity.method == name]
    if any(one.identity.model != row.identity.model for one in same):
        name += f"@{_short(row.identity.model, same)}"
        same = [one for one in same if one.identity.model == row.identity.model]
    telling = [key for key in differing([one.settings for one in (row, *same)]) if key in row.settings]
    if telling:
        name += f"[{', '.join(f'{key}={value_text(row.settings[key])}' for key in telling)}]"
    return name


def _short(model: str | None, others: Iterable[Row]) -> str:
    if model is None:
        return "none"
    alike = {one.identity.model for one in others if one.identity.model and _last(one.identity.model) == _last(model)}
    return _last(model) if alike <= {model} else model


def _last(model: str) -> str:
    return model.rstrip("/").rpartition("/")[2]


def _split(settings: str) -> list[str]:
    """At commas outside of brackets and quotes."""
    parts = re.findall(r'(?:[^,\[\]{}"]|"[^"]*"|\[[^\]]*\]|\{[^}]*\})+', settings)
    return [part.strip() for part in parts if part.strip()]
