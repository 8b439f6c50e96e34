"""Rows that hang together: those of one group, those of one text, and what these join."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.splitting import text_groups
from tasks.tabular.rows import Row

_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Cluster:
    """Rows that no split may part.

    Attributes:
        size: How many they are.
        total: How many rows there are in all.
        through: What joins them.
        text: The text that most of them share; None where each has its own.
        sharing: How many have that text.
    """

    size: int
    total: int
    through: str
    text: str | None
    sharing: int

    def __str__(self) -> str:
        shared = f", {self.sharing:,} of them as {_short(self.text)!r}" if self.text is not None else ""
        return f"{self.size:,} of {self.total:,} rows hang together through {self.through}{shared}"


def clusters(rows: Sequence[Row]) -> list[str]:
    """The cluster of each row: rows of one group, and rows of one text, are never parted."""
    texts = text_groups(row.text for row in rows)
    if not any(row.group is not None for row in rows):
        return texts
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = name = parents[parents[name]]
        return name

    for row, text in zip(rows, texts, strict=True):
        if row.group is not None:
            roots = root(text), root(f"group {row.group}")
            parents[max(roots)] = min(roots)
    return [root(text) for text in texts]


def largest(rows: Sequence[Row], names: Sequence[str]) -> Cluster:
    """The largest of the clusters.

    Args:
        rows: One or more.
        names: The cluster of each, as of :func:`clusters`.
    """
    name, size = Counter(names).most_common(1)[0]
    texts = Counter(row.text for row, of in zip(rows, names, strict=True) if of == name)
    text, sharing = texts.most_common(1)[0]
    through = "group or equal texts" if any(row.group is not None for row in rows) else "equal texts"
    return Cluster(size, len(rows), through, text if sharing > 1 else None, sharing)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
