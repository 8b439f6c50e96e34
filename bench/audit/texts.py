"""How texts are read and which of them: the same for every part of an audit."""

from __future__ import annotations

import hashlib
import re

from bench.splitting import id_hash
from bench.task import Documents

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The runs of letters and digits, case folded."""
    return _WORD.findall(text.casefold())


def key(text: str) -> bytes:
    """Sixteen bytes that are equal for texts that differ only in case and whitespace."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=16).digest()


def sampled(documents: Documents, most: int) -> Documents:
    """The documents whose hashed ids come first, in that order, whatever the order of the split."""
    order = sorted(range(len(documents)), key=lambda i: id_hash(documents.ids[i]))
    return documents.take(order[:most])
