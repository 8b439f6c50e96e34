"""``bert`` has the losses that ``embedding-head`` has, in chunks too where labels are many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert
from bench.method import Context
from bench.model import ResolvedModel
from bench.task import Documents, Kind, LabelSpace

QUICK = {"epochs": 100, "batch_size": 8, "learning_rate": 2e-3, "max_tokens": 64, "scheduler": "constant_with_warmup"}


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


def test_many_labels_are_learnt_in_chunks_to_the_same_scores(
    learnt: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = learnt("multi", epochs=5, gradient_accumulation=2)
    monkeypatch.setattr("bench.losses.DENSE_LABELS", 3)
    monkeypatch.setattr("bench.losses.AnyLabels.targets", None)  # nobody makes the dense ones
    np.testing.assert_allclose(learnt("multi", epochs=5, gradient_accumulation=2), dense, atol=1e-3)
