"""Colours and markers of plots."""

from __future__ import annotations

from collections.abc import Mapping

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
