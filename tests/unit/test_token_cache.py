"""Training documents are tokenised once, by content; what is kept is what would be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import token_cache
from bench.encoding import encode, load_tokenizer
from bench.meters.instruments import CellInstruments
from bench.method import Context
from bench.model import ResolvedModel
from bench.token_cache import encode_once

TEXTS = ["a court in the land", "", "one two three four five six seven eight", "zwölf [SEP] ✓"]


@pytest.fixture
def tokenizer(tiny_model: Callable[[str], ResolvedModel]) -> Any:
    return load_tokenizer(tiny_model("bert").folder)


@pytest.fixture
def context(make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    instruments = CellInstruments(tell=lambda _: None)
    instruments.start()
    return replace(make_context(None), instruments=instruments)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows where texts are really tokenised."""
    done: list[Any] = []

    def counted(*given: Any) -> Any:
        done.append(given)
        return encode(*given)

    counted.__module__ = encode.__module__
    monkeypatch.setattr(token_cache, "encode", counted)
    return done


def test_the_second_time_they_are_recalled(tokenizer: Any, context: Context, works: list[Any]) -> None:
    first = encode_once(context)(tokenizer, TEXTS, 5)
    again = encode_once(context)(tokenizer, TEXTS, 5)
    assert first == again == encode(tokenizer, TEXTS, 5)
    assert again.truncated > 0
    assert len(works) == 1


def test_what_changes_them_has_them_made_anew(tokenizer: Any, context: Context, works: list[Any]) -> None:
    encode_once(context)(tokenizer, TEXTS, 5)
    changed = load_tokenizer(Path(tokenizer.name_or_path))
    changed.add_tokens(["court"])
    for other, texts, budget in ((tokenizer, TEXTS, 6), (tokenizer, TEXTS[::-1], 5), (changed, TEXTS, 5)):
        assert encode_once(context)(other, texts, budget) == encode(other, texts, budget)
    assert len(works) == 4


@pytest.mark.parametrize("damage", [b"", b"no archive"])
def test_what_is_damaged_is_made_anew(tokenizer: Any, context: Context, works: list[Any], damage: bytes) -> None:
    encode_once(context)(tokenizer, TEXTS, 5)
    (file,) = Path(token_cache.cache_folder(), "tokens").rglob("*.npz")
    file.write_bytes(damage)
    assert encode_once(context)(tokenizer, TEXTS, 5) == encode(tokenizer, TEXTS, 5)
    assert len(works) == 2


def test_what_is_no_tokens_of_these_documents_is_made_anew(tokenizer: Any, context: Context, works: list[Any]) -> None:
    encode_once(context)(tokenizer, TEXTS, 5)
    (file,) = Path(token_cache.cache_folder(), "tokens").rglob("*.npz")
    np.savez(file, ids=np.arange(3), lengths=np.array([3]), truncated=np.array(0))
    assert encode_once(context)(tokenizer, TEXTS, 5) == encode(tokenizer, TEXTS, 5)
    assert len(works) == 2


def test_a_tokenizer_of_plain_python_works_every_time(tokenizer: Any, context: Context, works: list[Any]) -> None:
    class Plain:
        def __getattr__(self, name: str) -> Any:
            if name == "backend_tokenizer":
                raise AttributeError(name)
            return getattr(tokenizer, name)

        def __call__(self, *given: Any, **named: Any) -> Any:
            return tokenizer(*given, **named)

    for _ in range(2):
        assert encode_once(context)(Plain(), TEXTS, 5) == encode(tokenizer, TEXTS, 5)
    assert len(works) == 2


def test_its_time_is_a_phase_of_its_own_and_no_speed_is_claimed_of_what_was_recalled(
    tokenizer: Any, context: Context
) -> None:
    for _ in range(2):
        with context.phase("train") as window:
            encode_once(context)(tokenizer, TEXTS, 5)
            window.count(len(TEXTS))
    assert isinstance(context.instruments, CellInstruments)
    measured = context.instruments.measured()
    assert set(measured.seconds) == {"train", "tokenise"}
    assert measured.speed["train"].tokenise_seconds is None
    assert "tokenise" not in measured.speed


def test_where_nothing_can_be_kept_it_is_noted(tokenizer: Any, context: Context, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "tokens").write_text("in the way")
    assert encode_once(context)(tokenizer, TEXTS, 5) == encode(tokenizer, TEXTS, 5)
    assert isinstance(context.instruments, CellInstruments)
    assert "Error" in context.instruments.facts["tokens_not_kept"]
