"""``bert`` has the losses that ``embedding-head`` has, in chunks too where labels are many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert
from bench.encoding import Padded
from bench.losses import AnyLabels, BinaryCrossEntropy, objective
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

QUICK = {
    "epochs": 100,
    "keep": "last",
    "batch_size": 8,
    "learning_rate": 2e-3,
    "max_tokens": 64,
    "scheduler": "constant_with_warmup",
}


@pytest.fixture
def learnt(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., Any]:
    def fit(kind: Kind, **settings: Any) -> Any:
        train, context = sixteen(kind), make_context(tiny_model("bert"), kind)
        method = Bert(Bert.Config(**QUICK | settings))
        method.fit(train, train, labels, context)
        return method.predict(train.texts, context).values

    return fit


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("single", {"label_smoothing": 0.1, "class_weights": "balanced", "focal_gamma": 1.0}),
        ("multi", {"multi_label_loss": "asymmetric", "negative_gamma": 1.0}),
        ("multi", {"multi_label_loss": "zlpr"}),
    ],
    ids=["single", "asymmetric", "zlpr"],
)
def test_every_loss_is_learnt_and_makes_a_difference(
    kind: Kind, settings: dict[str, Any], learnt: Callable[..., Any], sixteen: Callable[[Kind], Documents]
) -> None:
    scores = learnt(kind, **settings)
    decided = np.eye(4)[scores.argmax(1)] if kind == "single" else scores > 0
    np.testing.assert_array_equal(decided, sixteen(kind).label_matrix(4).toarray())
    assert not np.allclose(learnt(kind, epochs=1), learnt(kind, **settings | {"epochs": 1}), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "settings"), [("multi", {}), ("single", {"label_smoothing": 0.1})], ids=["any", "one"]
)
def test_many_labels_are_learnt_in_chunks_to_the_same_scores(
    kind: Kind, settings: dict[str, Any], learnt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"epochs": 5, "gradient_accumulation": 2} | settings
    dense = learnt(kind, **settings)
    monkeypatch.setattr("bench.losses.DENSE_LABELS", 3)
    for form in ("AnyLabels", "OneLabel"):
        monkeypatch.setattr(f"bench.losses.{form}.targets", None)  # nobody makes the dense ones
    np.testing.assert_allclose(learnt(kind, **settings), dense, atol=1e-3)


def test_the_last_layer_of_many_labels_is_in_full_precision_in_training_and_prediction(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a device that computes in bfloat16."""
    import torch

    monkeypatch.setattr("bench.losses.DENSE_LABELS", 3)
    train, context = sixteen("multi"), make_context(tiny_model("bert"), "multi")
    method = Bert()
    method._start(labels, context)
    encoded = method._tokenise(train.texts)
    fitting = method._fitting(objective(method.config, "multi", train, 4), encoded, train)
    batch = fitting.collate(range(4)).inputs
    vectors: list[Any] = []
    method._network.dropout.register_forward_hook(lambda *given: vectors.append(given[2]))

    def mixed(**given: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return method._network(**given)

    with torch.no_grad():
        loss = fitting.loss(mixed, batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = method._forward(Padded(batch["ids"], batch["mask"], 0, 0))
        expected = method._network.classifier(vectors[0].float())
    assert [made.dtype for made in vectors] == [torch.bfloat16] * 2
    torch.testing.assert_close(logits, expected, rtol=0, atol=0)
    dense = AnyLabels(BinaryCrossEntropy(), 4)
    torch.testing.assert_close(loss, dense.criterion(expected, dense.targets(train.labels[:4])))
