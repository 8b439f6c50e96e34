"""Words of the gate. What comes from data may hold anything: it is shown as one line of printable text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.record import Identity, Record
from bench.telling import telling_words

_LONGEST = 300
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(value: object) -> str:
    """One line without control characters, overrides of the direction of writing, and what XML cannot hold."""
    text = _UNSHOWN.sub("\ufffd", " ".join(str(value).split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def cell_names(records: Sequence[Record]) -> list[str]:
    """For each cell its method, model, seed and the settings that tell it from others of its task."""
    identities = [record.identity for record in records]
    return [plain(_name(one, words)) for one, words in zip(identities, telling_words(identities), strict=True)]


def _name(identity: Identity, words: str) -> str:
    model = f" × {identity.model}" if identity.model else ""
    return f"{identity.method}{model}, seed {identity.seed}" + (f" ({words})" if words else "")


def difference(value: float) -> str:
    """A change of a metric, with its sign, to four decimals."""
    return f"{value:+.4f}".replace("-", "−")


def share(value: float) -> str:
    """A change as a share, in whole per cent, with its sign."""
    return f"{100 * value:+.0f} %".replace("-", "−")
