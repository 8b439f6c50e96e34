"""Words and numbers as the report shows them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

from bench.telling import value_text

DASH = "–"
_LONGEST = 600
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]|$~#!])")


def plain(value: object) -> str:
    """A value from a record as one line of printable text, at most 600 characters.

    White space is collapsed; what no file or terminal should be given (control characters, lone surrogates) is
    replaced by U+FFFD, and so are overrides of the direction of writing, which would turn the words around them.
    Everything else stays: escaping is the renderer's.
    """
    text = _CONTROL.sub("\ufffd", " ".join(str(value).split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def setting(value: Any) -> str:
    """The value of a setting, as in ``--set key=value``."""
    return plain(value_text(value))


def escape_markdown(text: str) -> str:
    """Text that GitHub's Markdown shows as it is, in a table too."""
    marked = _MARKDOWN.sub(r"\\\1", text)
    escaped = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"@(?=\w)(?!\d)", "&#64;", escaped)
    # Keep bare addresses and e-mails from turning into links.
    return escaped.replace("://", "&#58;//").replace("www.", "www&#46;")


def slug(text: str) -> str:
    """A file name's stem for any text; texts that had to be changed get a hash, so that none collide."""
    stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
    if stem == text:
        return stem
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
    return f"{stem}-{digest}" if stem else digest


def counted(number: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(items: Sequence[str], most: int = 12) -> str:
    """``a, b, c and 4 more``."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def score(mean: float, std: float | None = None) -> str:
    """A metric between 0 and 1, to three decimals."""
    return _spread(mean, std, 3)


def quantity(mean: float, std: float | None = None) -> str:
    """A time or a rate, to three significant digits or whole; what no timer of ours tells apart is ``< 0.01``."""
    if 0 < mean < 0.01:
        return "< 0.01"
    magnitude = math.floor(math.log10(abs(mean))) if mean else 0
    return _spread(mean, std, min(6, max(0, 2 - magnitude)))


def whole(mean: float, std: float | None = None) -> str:
    """Memory in MiB, documents or parameters, without decimals."""
    return _spread(mean, std, 0)


def percent(mean: float, std: float | None = None) -> str:
    """A share, in per cent to one decimal."""
    return _spread(100 * mean, None if std is None else 100 * std, 1) + " %"


def money(mean: float, std: float | None = None) -> str:
    """An amount of money, with two decimals, and more where it is small, so that two digits show."""
    magnitude = math.floor(math.log10(abs(mean))) if mean else 0
    return _spread(mean, std, min(8, max(2, 1 - magnitude)))


def times(ratio: float) -> str:
    """``14 times``, ``1.5 times``."""
    return f"{ratio:,.0f} times" if ratio >= 9.95 else f"{ratio:.1f} times"


def _spread(mean: float, std: float | None, decimals: int) -> str:
    shown = f"{mean:,.{decimals}f}"
    return shown if std is None else f"{shown} ± {std:,.{decimals}f}"
