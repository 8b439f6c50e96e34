"""``frozen`` learns from embeddings of any model, computes them once, and never claims a speed that it had not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.frozen import Frozen
from bench.errors import ModelError, UserError
from bench.files import cache_folder
from bench.meters.instruments import CellInstruments
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

CLASSIFIERS: list[dict[str, Any]] = [{"c": 10.0}, {"classifier": "knn", "neighbours": 3}]


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def fitted(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., tuple[Frozen, Context, CellInstruments]]:
    def fit(
        kind: Kind = "single", model: str = "bert", train: Documents | None = None, **settings: Any
    ) -> tuple[Frozen, Context, CellInstruments]:
        instruments = CellInstruments(tell=lambda _: None)
        instruments.start()
        context = replace(make_context(tiny_model(model), kind), instruments=instruments)
        method = Frozen(Frozen.Config(max_tokens=64, **settings))
        with context.phase("train") as window:
            method.fit(train or sixteen(kind), sixteen(kind), labels, context)
            window.count_if_silent(16)  # type: ignore[attr-defined]  # a timer, as the harness has it
        return method, context, instruments

    return fit


def asked(method: Frozen, texts: Any, context: Context, phase: str = "predict") -> Any:
    with context.phase(phase):
        return method.predict(texts, context).values


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("model", ["bert", "llama"])
@pytest.mark.parametrize("settings", CLASSIFIERS, ids=["logistic", "knn"])
def test_learns_sixteen_documents_and_comes_back(
    kind: Kind,
    model: str,
    settings: dict[str, Any],
    fitted: Callable[..., Any],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    tmp_path: Path,
) -> None:
    train = sixteen(kind)
    method, context, _ = fitted(kind, model, **settings)
    scores = asked(method, train.texts, context)
    gold = train.label_matrix(4).toarray()
    threshold = 0.5 if "classifier" in settings else 0.0
    decided = np.eye(4)[scores.argmax(1)] if kind == "single" else scores > threshold
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(decided, gold)

    folder = tmp_path / "saved"
    folder.mkdir()
    method.save(folder)
    again = Frozen(method.config)
    again.load(folder, labels, context)
    np.testing.assert_array_equal(asked(again, train.texts, context), scores)


@pytest.mark.parametrize("pooling", ["mean", "last", "cls", "max", "weighted-mean"])
def test_every_pooling_minds_no_padding(
    pooling: str, fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents]
) -> None:
    texts = sixteen("single").texts
    method, context, _ = fitted(pooling=pooling)
    alone = np.concatenate([asked(method, [text], context) for text in texts])
    np.testing.assert_allclose(alone, asked(method, texts, context), atol=1e-4)


def test_a_decoders_first_token_is_refused(fitted: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match=r"a decoder such as .* has seen nothing"):
        fitted(model="llama", pooling="cls")


def test_another_model_than_it_was_fitted_on_is_refused(
    fitted: Callable[..., Any], tiny_model: Callable[[str], ResolvedModel], labels: LabelSpace, tmp_path: Path
) -> None:
    method, context, _ = fitted()
    method.save(tmp_path)
    with pytest.raises(ModelError, match="was fitted on a model of revision"):
        Frozen(method.config).load(tmp_path, labels, replace(context, model=tiny_model("llama")))


def test_what_was_learnt_is_counted(fitted: Callable[..., Any]) -> None:
    method, _, instruments = fitted()
    body = sum(weights.numel() for weights in method._embedder.network.parameters())
    assert instruments.facts["parameters"] == {"total": body + 132, "trainable": 132, "stored": 132}  # 4 × (32 + 1)
    assert instruments.facts["unconverged"] == 0


def test_a_cold_and_a_warm_run_are_equal_and_only_the_cold_one_has_a_speed(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents]
) -> None:
    texts = sixteen("multi").texts
    outcomes = []
    for _ in range(2):
        method, context, instruments = fitted("multi")
        scores = [asked(method, texts, context, phase) for phase in ("validate", "predict")]
        outcomes.append((scores, instruments.facts, instruments.measured()))
    (cold, facts, measured), (warm, warm_facts, warm_measured) = outcomes
    np.testing.assert_array_equal(cold, warm)
    assert facts["embeddings_train"]["from_cache"] == 0
    assert measured.documents_per_second["train"] > 0
    assert warm_facts["embeddings_train"] == {**facts["embeddings_train"], "from_cache": 16}
    assert warm_facts["truncated_share"] == facts["truncated_share"]
    assert warm_measured.documents_per_second["train"] is None
    assert warm_measured.tokens_per_second["train"] is None
    assert "train" not in warm_measured.speed
    # The same texts, so that even the first run has seen them.
    assert warm_measured.documents_per_second["validate"] is None
    assert warm_measured.documents_per_second["predict"] > 0


def test_test_documents_are_always_computed_and_others_once(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    whole = Frozen.fit.__globals__["Embedder"]._forward

    def counted(self: Any, batch: Any) -> Any:
        read.append(len(batch.ids))
        return whole(self, batch)

    monkeypatch.setattr("bench.embeddings.Embedder._forward", counted)
    method, context, _ = fitted("multi")
    assert sum(read) == 16
    other = [f"{text} again" for text in sixteen("multi").texts[:5]]
    for phase, computed in [("validate", 5), ("validate", 0), ("predict", 5), ("predict", 5)]:
        read.clear()
        asked(method, other, context, phase)
        assert sum(read) == computed, phase
    read.clear()
    fitted("multi", classifier="knn")
    assert read == []
    fitted("multi", pooling="last")
    assert sum(read) == 16


def test_vectors_that_are_no_numbers_are_refused(fitted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bench.embeddings.Embedder._forward", lambda _, batch: np.full((len(batch.ids), 32), np.nan, np.float32)
    )
    with pytest.raises(ModelError, match="16 of 16 documents are not finite; set precision=float32"):
        fitted()


def test_a_cache_that_cannot_be_written_costs_nothing(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents]
) -> None:
    cache_folder().mkdir()
    (cache_folder() / "embeddings").write_text("in the way")
    method, context, instruments = fitted()
    assert "embeddings_not_kept" in instruments.facts
    assert asked(method, sixteen("single").texts, context).shape == (16, 4)


def test_low_precision_moves_scores_a_little(fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents]) -> None:
    texts = sixteen("single").texts
    full, low = (
        asked(method, texts, context)
        for method, context, _ in (fitted(precision=word) for word in ("float32", "bfloat16"))
    )
    assert low.dtype == np.float32
    assert 0 < np.abs(full - low).max() < full.std()
