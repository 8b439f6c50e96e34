"""Seeds: one number for each purpose, derived from the cell's seed and the name of the purpose."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Seeds:
    """Independent seeds from one base, so that (say) the order of documents does not move with the head's weights.

    Attributes:
        base: The cell's seed.
    """

    base: int

    def of(self, purpose: str) -> int:
        """The seed for a purpose (``weights``, ``order``, ``dropout``, …), in [0, 2**31)."""
        digest = hashlib.blake2b(f"{self.base}/{purpose}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "little") % 2**31
