"""Cells of records: texts and words, and what to say of anything else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.errors import TaskDataError
from bench.reading.source import LONGEST_CELL, Record

_TYPES: Mapping[type, str] = {
    str: "text",
    bool: "truth value",
    int: "whole number",
    float: "number",
    list: "list",
    dict: "mapping",
    type(None): "null",
}
_LONGEST_SHOWN = 40


def text_of(record: Record, columns: Iterable[str]) -> str:
    """The text of a record: its columns' texts joined by blank lines, with one sort of line end; empty where all are.

    Raises:
        TaskDataError: A cell holds something else, or too much; the message names row and column.
    """
    parts = []
    for column in columns:
        value = filled(record.cells.get(column))
        if value is None:
            continue
        if not isinstance(value, str):
            raise TaskDataError(
                f"{record.place}: column {column!r} holds {shown(value)}, a {type_name(value)}, where text is needed"
            )
        parts.append(_unified(value))
    text = "\n\n".join(parts)
    if len(text) > LONGEST_CELL:
        raise TaskDataError(f"{record.place}: a text of {len(text):,} characters; at most {LONGEST_CELL:,} are taken")
    return written(text, record)


def filled(value: Any, *, lists: bool = False) -> Any:
    """The cell, or None where it is empty: null, NaN, white space."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str) and not value.strip():
        return None
    if lists and not isinstance(value, str | bytes) and isinstance(value, Sequence):
        return list(value)
    return value


def word_of(record: Record, column: str) -> str:
    """The cell as a word: a text without the blanks around it, or a whole number.

    Raises:
        TaskDataError: It is empty, or something else.
    """
    value = filled(record.cells.get(column))
    if value is None:
        raise TaskDataError(f"{record.place}: column {column!r} is empty; give every row a value")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, str | int):
        raise TaskDataError(f"{record.place}: column {column!r} holds {shown(value)}, a {type_name(value)}")
    return written(str(value).strip(), record)


def written(text: str, record: Record) -> str:
    """The text, if it can be written as UTF-8: JSON may name halves of characters.

    Raises:
        TaskDataError: It cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TaskDataError(
            f"{record.place}: half a character, {text[error.start]!r}, which no file can hold; take it out"
        ) from None
    return text


def _unified(text: str) -> str:
    """With one sort of line end, so that a table is the same in every format."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def type_name(value: Any) -> str:
    """What sort of value it is, in a word."""
    return _TYPES.get(type(value), type(value).__name__)


def shown(value: Any) -> str:
    """A value for messages."""
    return short(repr(value))


def short(text: str) -> str:
    """The beginning of a text, for messages."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
