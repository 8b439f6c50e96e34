"""Numbers of training documents at which tasks are run, for learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from bench.errors import UserError

SETTING = "train_documents"
"""The task's setting that a size is laid over."""

ALL: Literal["all"] = "all"
TrainSize = int | Literal["all"]


def checked_sizes(words: Iterable[Any]) -> tuple[TrainSize, ...]:
    """Sizes from numbers or words, ``all`` for every training document.

    Raises:
        ValueError: One is neither a whole number from 1 nor ``all``, or they do not ascend.
    """
    sizes = tuple(map(_size, words))
    ascending = sorted(set(sizes), key=place)
    if list(sizes) != ascending:
        raise ValueError(f"sizes ascend and stand once: {','.join(map(str, ascending))}")
    return sizes


def parse_sizes(words: Sequence[str] | None) -> tuple[TrainSize, ...]:
    """``100,300,all`` of the command line, or several such words.

    Raises:
        UserError: They are off; the message names the option.
    """
    try:
        return checked_sizes(part.strip() for word in words or () for part in word.split(","))
    except ValueError as error:
        raise UserError(f"--train-size {','.join(words or ())}: {error}") from None


def laid_over(size: TrainSize) -> dict[str, int | None]:
    """A size as a setting of a task."""
    return {SETTING: None if size == ALL else size}


def size_of(task_settings: Mapping[str, Any]) -> TrainSize:
    """The size at which a task with these settings is run."""
    size = task_settings.get(SETTING)
    return size if isinstance(size, int) else ALL


def place(size: TrainSize) -> float:
    """Where a size stands among others: ``all`` last."""
    return float("inf") if size == ALL else size


def _size(word: Any) -> TrainSize:
    if word == ALL:
        return ALL
    number = int(word) if isinstance(word, str) and word.isascii() and word.isdecimal() else word
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"{word!r} is not a size; write whole numbers from 1, or all, such as 100,300,1000,all")
    return number
