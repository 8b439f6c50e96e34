"""Arrays kept on disk by content, so that what took long is made once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bench.files import new_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

MOST_BYTES = 4 * 2**30
"""So much a cache keeps; beyond it goes what was not used for the longest time."""

_FILE = "arrays.npz"


@dataclass(frozen=True)
class ArrayCache:
    """Named arrays, a folder for each key.

    Attributes:
        folder: Where they lie.
        most_bytes: How much of them is kept.
    """

    folder: Path
    most_bytes: int = MOST_BYTES

    def get(self, key: str) -> Arrays | None:
        """What is kept under a key; None where that is nothing, or damaged."""
        import numpy as np

        entry = self.folder / key
        try:
            # The archive has a checksum of each array.
            with np.load(entry / _FILE, allow_pickle=False) as kept:
                found = dict(kept)
        except Exception:  # whatever is wrong with it, it can be made again
            return None
        with suppress(OSError):  # another cell may have removed it meanwhile, or it is not ours to touch
            os.utime(entry)
        return found

    def put(self, key: str, arrays: Arrays) -> None:
        """Keep arrays, whole or not at all, and remove the oldest where it gets too much; too many are not kept.

        Raises:
            OSError: The disk is full, or not to be written on.
        """
        import numpy as np

        if sum(array.nbytes for array in arrays.values()) > self.most_bytes:
            return
        with new_folder(self.folder / key) as temporary:
            np.savez(temporary / _FILE, **arrays)  # type: ignore[arg-type]
        self._prune()

    def _prune(self) -> None:
        """What an interrupted write left behind grows old, too."""
        room = self.most_bytes
        for entry in sorted(self.folder.iterdir(), key=_last_used, reverse=True):
            room -= _size(entry)
            if room < 0:
                shutil.rmtree(entry, ignore_errors=True)


def content_key(facts: Any, texts: Sequence[str]) -> str:
    """A key for what is made of texts, in their order, and of facts that JSON knows."""
    digest = hashlib.blake2b(json.dumps(facts).encode(), digest_size=16)
    for text in texts:
        digest.update(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    return digest.hexdigest()


def _last_used(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:  # another cell removed it
        return 0.0


def _size(entry: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in entry.iterdir())
    return 0
