"""Kept arrays: whole or made again, and not without bound."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.array_cache import ArrayCache, Arrays, content_key

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)
FACTS = np.array([0.25, 12.5])


def kept() -> Arrays:
    return {"vectors": VECTORS, "facts": FACTS}


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    made = ArrayCache(tmp_path / "arrays")
    made.put("one", kept())
    return made


def test_what_is_kept_comes_back(cache: ArrayCache) -> None:
    found = cache.get("one")
    assert found is not None
    assert found.keys() == kept().keys()
    np.testing.assert_array_equal(found["vectors"], VECTORS)
    np.testing.assert_array_equal(found["facts"], FACTS)
    assert cache.get("two") is None


@pytest.mark.parametrize("place", range(0, 900, 30))
def test_a_damaged_entry_is_no_entry(cache: ArrayCache, place: int) -> None:
    """Wherever a byte is wrong that says what the arrays are."""
    (file,) = (cache.folder / "one").iterdir()
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 0xFF
    file.write_bytes(content)
    found = cache.get("one")
    assert found is None or "vectors" not in found or np.array_equal(found["vectors"], VECTORS)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_half_an_entry_is_no_entry(cache: ArrayCache, content: bytes | None) -> None:
    (file,) = (cache.folder / "one").iterdir()
    file.write_bytes(file.read_bytes()[:-40] if content is None else content)
    assert cache.get("one") is None
    cache.put("one", kept())
    assert cache.get("one") is not None


def test_the_oldest_go_where_it_gets_too_much(cache: ArrayCache) -> None:
    size = sum(file.stat().st_size for file in (cache.folder / "one").iterdir())
    few = ArrayCache(cache.folder, most_bytes=3 * size)
    for age, key in enumerate(("two", "three"), start=1):
        few.put(key, kept())
        os.utime(few.folder / key, (age, age))
    os.utime(few.folder / "one", (0, 0))
    assert few.get("one") is not None  # it was used last, and so it stays
    few.put("four", kept())
    assert sorted(entry.name for entry in few.folder.iterdir()) == ["four", "one", "three"]


def test_a_key_is_facts_and_texts_in_their_order() -> None:
    keys = [
        content_key([1], ["a", "b"]),
        content_key([2], ["a", "b"]),
        content_key([1], ["b", "a"]),
        content_key([1], ["ab"]),
        content_key([1], ["a", "b", ""]),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == content_key([1], ["a", "b"])
