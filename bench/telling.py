"""Which settings tell cells of one method from each other, and how they are shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bench.record import Identity
from bench.train_sizes import SETTING, size_of

T = TypeVar("T")

_CANONICAL = json.JSONEncoder(sort_keys=True, default=str)


def telling_settings(identities: Sequence[Identity]) -> list[Mapping[str, Any]]:
    """For each cell what :func:`chosen_settings` tells and is not the same in all cells of that method on that task."""
    return _telling([(one.task, one.method) for one in identities], list(map(chosen_settings, identities)), dict)


def setting_words(identities: Sequence[Identity]) -> list[str]:
    """The same in words."""
    return _telling([(one.task, one.method) for one in identities], list(map(chosen_settings, identities)), in_words)


def chosen_settings(identity: Identity) -> dict[str, Any]:
    """The settings of a cell's method, and the rule that makes its label sets where that is not the default one."""
    return identity.method_settings | ({"decision": identity.decision} if identity.decision else {})


def task_words(identities: Sequence[Identity]) -> list[str]:
    """For each cell the settings of its task that are not the same in all cells of that task, as they are shown."""
    owners = [(one.task,) for one in identities]
    return _telling(owners, [one.task_settings for one in identities], lambda telling: in_words(as_shown(telling)))


def telling_words(identities: Sequence[Identity]) -> list[str]:
    """For each cell what tells it from others of its task and method, in words: settings of both."""
    pairs = zip(task_words(identities), setting_words(identities), strict=True)
    return [", ".join(filter(None, pair)) for pair in pairs]


def _telling(
    owners: Sequence[tuple[str, ...]],
    settings: Sequence[Mapping[str, Any]],
    show: Callable[[Mapping[str, Any]], T],
) -> list[T]:
    """What ``show`` makes of the settings of each cell that are not the same in all cells of its owner.

    Very many cells have few different settings: equal ones are looked at once.
    """
    texts = list(map(repr, settings))  # a sixth of the time of JSON
    distinct: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for owner, text, one in zip(owners, texts, settings, strict=True):
        distinct[owner].setdefault(text, one)
    told: dict[tuple[tuple[str, ...], str], T] = {}
    for owner, found in distinct.items():
        keys = differing(list(found.values()))
        for text, one in found.items():
            told[owner, text] = show({key: one[key] for key in keys if key in one})
    return [told[of] for of in zip(owners, texts, strict=True)]


def as_shown(task_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a task, in which training documents without a limit are ``all``, as in ``--train-size``."""
    return {key: size_of(task_settings) if key == SETTING else value for key, value in task_settings.items()}


def differing(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Keys whose values are not the same in all of ``settings``; an absent key is a value of its own."""
    values: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for one in settings:
        for key, value in one.items():
            values[key].add(canonical(value))
            counts[key] += 1
    return tuple(key for key in values if len(values[key]) > 1 or counts[key] < len(settings))


def canonical(value: Any) -> str:
    """A JSON text that is equal where the values are."""
    return _CANONICAL.encode(value)


def in_words(settings: Mapping[str, Any]) -> str:
    """``pooling=mean, rank=8``."""
    return ", ".join(f"{key}={value_text(value)}" for key, value in settings.items())


def value_text(value: Any) -> str:
    """The value of a setting, as in ``--set key=value``."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
