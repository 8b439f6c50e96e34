"""Codes of a patent classification's form: section ``A``, class ``A01``, subclass ``A01B``, main group ``A01B 003``."""

from __future__ import annotations

SECTIONS = "ABCDEFGH"
_MOST = (len(SECTIONS), 99, 26, 999)
CAPACITY = (8, 8 * 99, 8 * 99 * 26, 8 * 99 * 26 * 999)
"""Most codes of each depth, 1 to 4."""


def codes(count: int, depth: int) -> list[str]:
    """So many codes of one depth, sorted, spread evenly over the tree.

    Raises:
        ValueError: There are not so many codes of that depth.
    """
    if not 1 <= count <= CAPACITY[depth - 1]:
        raise ValueError(f"depth {depth} has room for 1 to {CAPACITY[depth - 1]} labels, not {count}")
    fans = _fans(count, depth)
    return sorted(_code(index, fans) for index in range(count))


def ancestors(code: str) -> tuple[str, ...]:
    """The codes above a code, from the top down."""
    return tuple(code[:end] for end in (1, 3, 4) if end < len(code))


def _fans(count: int, depth: int) -> list[int]:
    """Children of a node at each level: equally many, but for levels whose codes run out."""
    fan = 1
    while True:
        fans = [_MOST[0]] + [min(fan, most) for most in _MOST[1:depth]]
        room = 1
        for children in fans:
            room *= children
        if room >= count:
            return fans
        fan += 1


def _code(index: int, fans: list[int]) -> str:
    # The section is the lowest digit, so that any number of codes fills all sections alike.
    digits = []
    for fan in fans:
        index, digit = divmod(index, fan)
        digits.append(digit)
    section, *rest = digits
    parts = [SECTIONS[section]]
    for digit, level in zip(rest, (1, 2, 3), strict=False):
        parts.append((f"{digit + 1:02d}", chr(ord("A") + digit), f" {digit + 1:03d}")[level - 1])
    return "".join(parts)
