"""What stands beside a row's point in a plot: a name, or a number where names are too many or too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from report.text import plain

if TYPE_CHECKING:
    from report.groups import Group

LONGEST = 48
"""Letters of a name for which a plot has room."""
_MOST_NAMES = 6
"""Rows of one method that are told apart by name."""


def names(groups: Sequence[Group]) -> list[str]:
    """The method's name, with model and settings as far as it takes to tell groups apart."""
    models = {method: len({group.model for group in groups if group.method == method}) for method in _rows(groups)}
    pairs = Counter((group.method, group.model) for group in groups)
    found = []
    for group in groups:
        parts = [plain(group.method)]
        if models[group.method] > 1 and group.model:
            parts.append(plain(group.model).rstrip("/").rsplit("/", 1)[-1])
        if pairs[group.method, group.model] > 1 and group.settings:
            parts.append(group.shown_settings)
        found.append(" · ".join(parts))
    return found


def marks(groups: Sequence[Group]) -> list[str]:
    """What stands in a plot for each row: its name, cut where there is no room, or its method and number."""
    short = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names(groups)]
    pairs = zip(groups, short, strict=True)
    return [name if group.number is None else f"{plain(group.method)} {group.number}" for group, name in pairs]


def numbers(groups: Sequence[Group]) -> list[int | None]:
    """The position in the table, from 1, of each row of a method that has too many rows for names, or too long ones."""
    rows = _rows(groups)
    crowded = {method for method, count in rows.items() if count > _MOST_NAMES}
    crowded |= {
        group.method
        for group, name in zip(groups, names(groups), strict=True)
        if len(name) > LONGEST and rows[group.method] > 1
    }
    return [place if group.method in crowded else None for place, group in enumerate(groups, start=1)]


def _rows(groups: Sequence[Group]) -> Counter[str]:
    return Counter(group.method for group in groups)
