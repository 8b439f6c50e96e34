"""What limits the figures of single rows: precisions that stray, memory that ran out, work that was not done again."""

from __future__ import annotations

from collections.abc import Callable

from bench.backoff import back_off_line
from bench.numerics import stray_line
from bench.record import Record
from report.groups import Group, Section
from report.measures import spared
from report.text import plain


def caveat_lines(section: Section) -> tuple[str, ...]:
    """A line for each row of which there is something to say, once for all of its seeds."""
    return tuple(
        f"{group.label}: {plain(line)}"
        for group in section.groups
        for caveat in _CAVEATS
        for line in _of(group, caveat)
    )


def _of(group: Group, caveat: Callable[[Record], str | None]) -> list[str]:
    """What is said of the first seed that it can be said of."""
    return list(filter(None, map(caveat, group.ok)))[:1]


def _cached_line(record: Record) -> str | None:
    """Train seconds do not hold what was computed for an earlier cell."""
    found = spared(record)
    if found is None:
        return None
    return (
        f"embeddings of {found[0]:,} training documents came from the cache; train seconds leave out the "
        f"{found[1]:,.1f} s that computing them took"
    )


_CAVEATS: tuple[Callable[[Record], str | None], ...] = (stray_line, back_off_line, _cached_line)
