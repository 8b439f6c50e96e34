"""The markers of plots as outlines, for legends that the page itself draws."""

from __future__ import annotations

MARKS = {
    "o": "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
    "s": "M3.5 3.5h9v9h-9z",
    "^": "M8 2.5l5.5 10h-11z",
    "D": "M8 2l6 6-6 6-6-6z",
    "v": "M8 13.5l-5.5-10h11z",
    "P": "M6 2.5h4v3.5h3.5v4H10v3.5H6V10H2.5V6H6z",
    "X": "M3 5l2-2 3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3z",
}
"""Marker, as matplotlib names it → path in a square of 16."""
