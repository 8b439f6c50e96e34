"""Kept embeddings: whole or made again, by content, and not without bound."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.embeddings import Embedder, EmbeddingCache, Embeddings, EmbeddingSettings
from bench.method import Context
from bench.model import ResolvedModel

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    made = EmbeddingCache(tmp_path / "embeddings")
    made.put("one", Embeddings(VECTORS, 0.25, 12.5))
    return made


def test_what_is_kept_comes_back(cache: EmbeddingCache) -> None:
    found = cache.get("one", 4)
    assert found is not None
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert (found.truncated_share, found.seconds, found.recalled) == (0.25, 12.5, True)
    assert cache.get("two", 4) is None
    assert cache.get("one", 5) is None


@pytest.mark.parametrize("place", range(0, 900, 30))
def test_a_damaged_entry_is_no_entry(cache: EmbeddingCache, place: int) -> None:
    """Wherever a byte is wrong that says what the vectors are."""
    (file,) = (cache.folder / "one").iterdir()
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 0xFF
    file.write_bytes(content)
    found = cache.get("one", 4)
    assert found is None or np.array_equal(found.vectors, VECTORS)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_half_an_entry_is_no_entry(cache: EmbeddingCache, content: bytes | None) -> None:
    (file,) = (cache.folder / "one").iterdir()
    file.write_bytes(file.read_bytes()[:-40] if content is None else content)
    assert cache.get("one", 4) is None
    cache.put("one", Embeddings(VECTORS, 0.0, 1.0))
    assert cache.get("one", 4) is not None


def test_the_oldest_go_where_it_gets_too_much(cache: EmbeddingCache) -> None:
    size = sum(file.stat().st_size for file in (cache.folder / "one").iterdir())
    few = EmbeddingCache(cache.folder, most_bytes=3 * size)
    for age, key in enumerate(("two", "three"), start=1):
        few.put(key, Embeddings(VECTORS, 0.0, 1.0))
        os.utime(few.folder / key, (age, age))
    os.utime(few.folder / "one", (0, 0))
    assert few.get("one", 4) is not None  # it was used last, and so it stays
    few.put("four", Embeddings(VECTORS, 0.0, 1.0))
    assert sorted(entry.name for entry in few.folder.iterdir()) == ["four", "one", "three"]


@pytest.fixture
def key(tiny_model: Callable[[str], ResolvedModel], make_context: Callable[..., Context]) -> Callable[..., str]:
    model, context = tiny_model("bert"), make_context(None)
    whole = Embedder.load(model, EmbeddingSettings(), context)

    def make(texts: Any = ("a", "b"), revision: str = "r", threads: int = 1, **settings: Any) -> str:
        embedder = replace(whole, settings=EmbeddingSettings(**settings), revision=revision)
        return embedder._key(texts, replace(context, threads=threads))

    return make


def test_the_key_is_what_can_move_a_bit(key: Callable[..., str]) -> None:
    others = [
        key(["a", "c"]),
        key(["b", "a"]),
        key(["ab"]),
        key(["a", "b", ""]),
        key(revision="s"),
        key(threads=2),
        key(pooling="max"),
        key(max_tokens=64),
        key(batch_size=3),
        key(precision="bfloat16"),
    ]
    assert len({key(), *others}) == 1 + len(others)
    assert key() == key()


def test_what_a_classifier_does_with_them_is_no_part_of_the_key(
    tiny_model: Callable[[str], ResolvedModel], make_context: Callable[..., Context]
) -> None:
    from baselines.frozen import FrozenSettings

    context = make_context(None)
    keys = {Embedder.load(tiny_model("bert"), FrozenSettings(c=c), context)._key(["a"], context) for c in (0.1, 1.0)}
    assert len(keys) == 1
