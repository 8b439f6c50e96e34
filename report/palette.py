"""Colours, markers and lines of plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

# Okabe and Ito's palette, told apart with any common colour blindness, without its yellow and black, which are lost on
# a white or a dark page; markers differ too.
STYLES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
    ("#8C8C8C", "X"),
)
INK = "#24292f"
FAINT = "#8b949e"

Style = Mapping[str, tuple[str, str]]
"""Method → colour and marker."""


def styles(methods: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each method, the same in all plots of a report."""
    names = sorted(set(methods))
    colours, shapes = len(STYLES), len(STYLES)
    return {name: (STYLES[i % colours][0], STYLES[(i + i // colours) % shapes][1]) for i, name in enumerate(names)}


def turns(methods: Sequence[str]) -> list[int]:
    """For each row how many before it are of the same method: what else tells them apart depends on it."""
    seen: Counter[str] = Counter()
    found = []
    for method in methods:
        found.append(seen[method])
        seen[method] += 1
    return found
