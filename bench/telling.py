"""Which settings tell cells of one method from each other, and how they are shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bench.record import Identity


def telling_settings(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    """For each cell the settings of its method that are not the same in all cells of that method on that task."""
    distinct: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for one in identities:
        distinct[one.task, one.method].setdefault(canonical(one.method_settings), one.method_settings)
    keys = {owner: differing(list(settings.values())) for owner, settings in distinct.items()}
    return [
        {key: one.method_settings[key] for key in keys[one.task, one.method] if key in one.method_settings}
        for one in identities
    ]


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
    return json.dumps(value, sort_keys=True, default=str)


def in_words(settings: Mapping[str, Any]) -> str:
    """``pooling=mean, rank=8``."""
    return ", ".join(f"{key}={value_text(value)}" for key, value in settings.items())


def value_text(value: Any) -> str:
    """The value of a setting, as in ``--set key=value``."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
