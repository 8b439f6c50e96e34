"""Grids of settings: for each key one value or several, and every combination of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

Grid = Mapping[str, Any]


def points(grids: Iterable[Grid]) -> list[dict[str, Any]]:
    """Every combination, as scikit-learn's ``ParameterGrid`` spans them: grid by grid, the last key changing first.

    A list is a list of values; a value that is a list itself is written as a list in a list. An empty grid is one
    point that sets nothing.
    """
    return [dict(zip(grid, values, strict=True)) for grid in grids for values in product(*map(_values, grid.values()))]


def without(grids: Iterable[Grid], key: str) -> tuple[dict[str, Any], ...]:
    """The grids that do not span ``key``."""
    return tuple({name: value for name, value in grid.items() if name != key} for grid in grids)


def keys_without_value(grids: Iterable[Grid]) -> Iterator[str]:
    """Keys whose list of values is empty, so that their grid would have no point."""
    for grid in grids:
        yield from (key for key, value in grid.items() if value == [])


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
