"""From a record (column → cell) to a row of text and label names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.errors import TaskDataError, unknown_name
from bench.reading.cells import filled, short, shown, text_of, type_name, word_of, written
from bench.reading.source import Record, split_of_word
from bench.splitting import SplitName
from bench.task import Kind
from tasks.tabular.settings import TabularSettings

_LIST = "list of "


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text.

    Attributes:
        place: Where it stands, for messages.
        text: Not empty.
        labels: Names, each once.
        id: The user's; None: he gives none.
        group: What it must not be parted from; None: nothing.
        split: The split that it was given; None: it is to be chosen.
    """

    place: str
    text: str
    labels: tuple[str, ...]
    id: str | None = None
    group: str | None = None
    split: SplitName | None = None

    def identified(self, id_: str) -> Row:
        """The same under an id."""
        return Row(self.place, self.text, self.labels, id_, self.group, self.split)

    def in_split(self, split: SplitName) -> Row:
        """The same in a split."""
        if split == self.split:
            return self
        return Row(self.place, self.text, self.labels, self.id, self.group, split)


class _Shapes:
    """What the cells of a column have been so far: lists or not in all sources, of words or of numbers in one.

    A CSV file holds nothing but words, so that the same labels are words in one source and numbers in another.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._first: tuple[str, str] | None = None  # shape and place of the first cell
        self._here: tuple[str, str] | None = None  # of the first cell of this source

    @property
    def listed(self) -> bool:
        return self._first is not None and self._first[0].startswith(_LIST)

    def begin_source(self) -> None:
        self._here = None

    def add(self, shape: str, place: str) -> None:
        """Take note of a cell.

        Raises:
            TaskDataError: It is not what those before it are.
        """
        self._first = self._first or (shape, place)
        self._here = self._here or (shape, place)
        if shape.startswith(_LIST) != self.listed:
            raise self._clash(shape, place, self._first)
        if shape != self._here[0]:
            raise self._clash(shape, place, self._here)

    def _clash(self, shape: str, place: str, other: tuple[str, str]) -> TaskDataError:
        return TaskDataError(
            f"{place}: column {self._column!r} holds a {shape} here and a {other[0]} in {other[1]}; give it one type"
        )


class RowReader:
    """Reads rows out of records, and counts those that it leaves out.

    Args:
        settings: Which columns hold what.
        columns: Every column that the source has.
        place: The source's name, for messages.

    Raises:
        UserError: A column that the settings name is not there; the nearest one is named.
    """

    def __init__(self, settings: TabularSettings, columns: Iterable[str], place: str) -> None:
        self._settings = settings
        self._shapes = _Shapes(settings.label)
        self._labels_seen: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.skipped: dict[str, int] = {}
        self.check_columns(columns, place)

    def check_columns(self, columns: Iterable[str], place: str) -> None:
        """Whether a source has the columns that the settings name; for one more source of the same rows.

        Raises:
            UserError: A column is not there; the nearest one is named.
        """
        known = list(columns)
        for column in self._settings.columns:
            if column not in known:
                raise unknown_name(f"column of {place}", column, [short(name) for name in known])

    @property
    def kind(self) -> Kind:
        """Whether the rows read so far have one label each or lists of them."""
        if self._settings.kind != "auto":
            return self._settings.kind
        return "multi" if self._shapes.listed or self._settings.separator is not None else "single"

    def rows(self, records: Iterable[Record]) -> Iterator[Row]:
        """The rows of the records of one source, in order.

        Raises:
            TaskDataError: A cell is not what it should be; the message names its row.
        """
        self._shapes.begin_source()
        for record in records:
            row = self._row(record)
            if row is not None:
                yield row

    def _row(self, record: Record) -> Row | None:
        settings = self._settings
        text = text_of(record, settings.text_columns) or None
        labels = self._labels(record)
        if text is None or labels is None:
            self._skip(record, "text" if text is None else "label")
            return None
        split = record.split
        if settings.split is not None:
            split = _split(record, settings.split)
        return Row(
            record.place,
            text,
            self._labels_seen.setdefault(labels, labels),  # one object for all rows that have them
            word_of(record, settings.id) if settings.id is not None else None,
            word_of(record, settings.group) if settings.group is not None else None,
            split,
        )

    def _labels(self, record: Record) -> tuple[str, ...] | None:
        value = filled(record.cells.get(self._settings.label), lists=True)
        if value is None:
            return None
        self._check_shape(value, record)
        if isinstance(value, list):
            return tuple(dict.fromkeys(_label(part, record, self._settings.label) for part in value))
        name = _label(value, record, self._settings.label)
        separator = self._settings.separator
        if separator is None:
            return (name,)
        return tuple(dict.fromkeys(part.strip() for part in name.split(separator) if part.strip()))

    def _check_shape(self, value: Any, record: Record) -> None:
        """Refuse a column that holds lists here and words there, or in one source words here and numbers there."""
        column = self._settings.label
        if not isinstance(value, list):
            self._shapes.add(type_name(value), record.place)
            return
        if self._settings.kind == "single":
            raise TaskDataError(f"{record.place}: column {column!r} holds a list of labels, and kind is single")
        types = sorted({type_name(part) for part in value})
        if len(types) > 1:
            raise TaskDataError(
                f"{record.place}: column {column!r} holds a list of {' and '.join(types)}; give its labels one type"
            )
        if types:
            self._shapes.add(f"{_LIST}{types[0]}", record.place)

    def _skip(self, record: Record, what: str) -> None:
        if self._settings.missing == "refuse":
            column = " and ".join(map(repr, self._settings.text_columns)) if what == "text" else self._settings.label
            raise TaskDataError(
                f"{record.place}: no {what} in column {column if what == 'text' else repr(column)}; fill it, or leave "
                "such rows out with missing=skip"
            )
        reason = f"row without {what}"
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def _label(value: Any, record: Record, column: str) -> str:
    value = filled(value)
    if isinstance(value, str):
        return written(value.strip(), record)
    if isinstance(value, int):  # True and False too
        return str(value)
    held = "an empty label" if value is None else f"{shown(value)}, a {type_name(value)}"
    raise TaskDataError(f"{record.place}: column {column!r} holds {held}; a label is a word or a whole number")


def _split(record: Record, column: str) -> SplitName:
    word = word_of(record, column)
    split = split_of_word(word)
    if split is None:
        raise TaskDataError(f"{record.place}: column {column!r} says {shown(word)}; write train, validation or test")
    return split
