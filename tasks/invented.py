"""Invented words and codes, and random choices among them, the same bytes on every machine.

What that rests on: BLAKE2b; ``random.Random(int).random()``, whose sequence Python promises to keep; and integer and
IEEE 754 double arithmetic of single operations. ``math.pow`` and its kin differ between C libraries, other methods of
:class:`random.Random` between versions of Python, and NumPy's streams between versions of NumPy: none is used.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from itertools import accumulate
from random import Random

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "st")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "o", "e")
_CODAS = ("", "", "", "n", "r", "s", "l", "x")
_SCALE = 2**40


def number(*parts: object) -> int:
    """A 64-bit number that follows from the parts alone."""
    key = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")


def stream(*parts: object) -> Random:
    """Random numbers for one purpose; only ``random()`` may be drawn from it."""
    return Random(number(*parts))


def below(random: Random, bound: int) -> int:
    """A whole number in [0, bound)."""
    return int(random.random() * bound)


def word(*parts: object) -> str:
    """A pronounceable word of two to four syllables that follows from the parts alone; rarely two are the same."""
    bits = number("word", *parts)
    syllables = []
    for _ in range(2 + (bits & 3) % 3):
        bits >>= 3
        syllables.append(_ONSETS[bits & 15] + _VOWELS[bits >> 4 & 7] + _CODAS[bits >> 7 & 7])
        bits >>= 10
    return "".join(syllables)


class Zipf:
    """Ranks 0, 1, 2, … drawn with a chance in proportion to 1 / (rank + 1 + offset).

    Args:
        size: Number of ranks.
        offset: Flattens the head.
    """

    def __init__(self, size: int, offset: int = 0) -> None:
        self._sums = list(accumulate(_SCALE // (rank + 1 + offset) for rank in range(size)))

    def draw(self, random: Random) -> int:
        """One rank."""
        return bisect_right(self._sums, below(random, self._sums[-1]))


class Weighted:
    """Positions drawn with a chance in proportion to whole-number weights."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self._sums = list(accumulate(weights))

    def draw(self, random: Random) -> int:
        """One position."""
        return bisect_right(self._sums, below(random, self._sums[-1]))
