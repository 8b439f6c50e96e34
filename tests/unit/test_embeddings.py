"""What makes kept embeddings others, and those that are of other texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.embeddings import Embedder, Embeddings, EmbeddingSettings, _packed, _unpacked
from bench.method import Context
from bench.model import ResolvedModel

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_what_is_kept_comes_back() -> None:
    kept = _packed(Embeddings(VECTORS, 0.25, 12.5))
    found = _unpacked(kept, 4)
    assert found is not None
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert (found.truncated_share, found.seconds, found.recalled) == (0.25, 12.5, True)
    assert _unpacked(kept, 5) is None
    assert _unpacked({"vectors": VECTORS}, 4) is None
    assert _unpacked(None, 4) is None


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
