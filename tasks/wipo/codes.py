"""Codes of the International Patent Classification, in whatever spelling, as one spelling of their own.

A code is written here as its path of beginnings: section ``A``, class ``A01``, subclass ``A01B``, main group
``A01B001`` and symbol ``A01B001/00``. A main group has three digits or more and keeps its subclass, so that groups of
equal number under two subclasses stay two.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Level = Literal["section", "class", "subclass", "main-group", "symbol"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The levels, from the top down."""

_CODE = re.compile(r"([A-H])(?:\s*(\d\d)(?:\s*([A-Z])(?:\s*(\d.*))?)?)?", re.DOTALL)
_PARTED = re.compile(r"(\d{1,4})(?:\s*[/:]\s*|\s+)(\d{2,6})")
_MAIN_ALONE = 4
_PADDED_MAIN, _PADDED_ALL = 4, 10  # WIPO ST.8: four digits of main group, six of subgroup
_COMPACT_MAIN, _COMPACT_MOST = 3, 9


def normalise(raw: str) -> str | None:
    """The one spelling of a code, as deep as it can be read.

    ``A01B 1/00``, ``A01B001/00``, ``A01B00100``, ``a01b 1:00`` and ``A01B0001000000`` are all ``A01B001/00``;
    ``A01B001`` names the main group alone. A group that cannot be read leaves the subclass. Zeros at a subgroup's end
    say nothing beyond its second digit (ST.8 pads with them).

    Returns:
        The code, or None where not even a section can be read.
    """
    found = _CODE.fullmatch(raw.strip().upper())
    if found is None:
        return None
    section, class_, subclass, group = found.groups()
    above = section + (class_ or "") + (subclass or "")
    return above + _group(group.strip()) if group else above


def path(code: str) -> tuple[str, ...]:
    """A normalised code's levels from the section down to itself.

    ``A01B001/00`` gives ``("A", "A01", "A01B", "A01B001", "A01B001/00")``, ``A01`` gives ``("A", "A01")``.
    """
    ends = (1, 3, 4, code.find("/"))
    return (*(code[:end] for end in ends if 0 < end < len(code)), code)


def at_level(code: str, level: Level) -> str | None:
    """A normalised code's beginning at a level; None where the code does not go so deep."""
    levels = path(code)
    depth = LEVELS.index(level)
    return levels[depth] if depth < len(levels) else None


def _group(text: str) -> str:
    """``1/00`` → ``001/00``, ``1`` → ``001``; empty where it cannot be read."""
    parted = _PARTED.fullmatch(text)
    main, sub = parted.groups() if parted is not None else _compact(text)
    if not main.strip("0"):
        return ""
    return f"{int(main):03d}" + (f"/{sub.rstrip('0').ljust(2, '0')}" if sub else "")


def _compact(digits: str) -> tuple[str, str]:
    """Main group and subgroup; no subgroup where there is a main group alone."""
    if not digits.isdecimal() or not digits.isascii():
        return "", ""
    if len(digits) <= _MAIN_ALONE:
        return digits, ""
    if len(digits) == _PADDED_ALL:
        return digits[:_PADDED_MAIN], digits[_PADDED_MAIN:]
    return (digits[:_COMPACT_MAIN], digits[_COMPACT_MAIN:]) if len(digits) <= _COMPACT_MOST else ("", "")
