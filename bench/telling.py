"""Which settings tell cells of one method from each other, and how they are shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bench.record import Identity
from bench.train_sizes import SETTING, size_of

_CANONICAL = json.JSONEncoder(sort_keys=True, default=str)


def telling_settings(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    """For each cell what :func:`chosen_settings` tells and is not the same in all cells of that method on that task."""
    distinct: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for one in identities:
        settings = chosen_settings(one)
        distinct[one.task, one.method].setdefault(repr(settings), settings)  # a sixth of the time of JSON
    keys = {owner: differing(list(settings.values())) for owner, settings in distinct.items()}
    return [
        {key: value for key, value in chosen_settings(one).items() if key in keys[one.task, one.method]}
        for one in identities
    ]


def chosen_settings(identity: Identity) -> dict[str, Any]:
    """The settings of a cell's method, and the rule that makes its label sets where that is not the default one."""
    return identity.method_settings | ({"decision": identity.decision} if identity.decision else {})


def telling_task_settings(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    """For each cell the settings of its task that are not the same in all cells of that task, as they are shown."""
    distinct: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for one in identities:
        distinct[one.task].setdefault(repr(one.task_settings), one.task_settings)
    keys = {task: differing(list(settings.values())) for task, settings in distinct.items()}
    return [
        {key: value for key, value in as_shown(one.task_settings).items() if key in keys[one.task]}
        for one in identities
    ]


def telling_words(identities: Sequence[Identity]) -> list[str]:
    """For each cell what tells it from others of its task and method, in words: settings of both."""
    pairs = zip(telling_task_settings(identities), telling_settings(identities), strict=True)
    return [", ".join(filter(None, map(in_words, pair))) for pair in pairs]


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


class CanonicalTexts:
    """:func:`canonical` of very many settings, few of which differ: it writes each of them once."""

    def __init__(self) -> None:
        self._by_repr: dict[str, str] = {}

    def of(self, settings: Mapping[str, Any]) -> str:
        """The text of these settings."""
        written = repr(settings)  # a third of the time of JSON
        if written not in self._by_repr:
            self._by_repr[written] = canonical(settings)
        return self._by_repr[written]


def in_words(settings: Mapping[str, Any]) -> str:
    """``pooling=mean, rank=8``."""
    return ", ".join(f"{key}={value_text(value)}" for key, value in settings.items())


def value_text(value: Any) -> str:
    """The value of a setting, as in ``--set key=value``."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
