"""Losses are what their papers say, whatever the logits, and the chunked form is the dense one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.losses import (
    AnyLabels,
    AnyOfManyLabels,
    Asymmetric,
    BinaryCrossEntropy,
    CrossEntropy,
    LossSettings,
    OneLabel,
    Zlpr,
    balanced_weights,
    objective,
)
from bench.settings import resolve_settings
from bench.task import Documents

LOGITS = [[2.0, -1.0, 0.3], [0.5, 0.0, -2.5]]
SETS = [[1, 0, 0], [1, 0, 1]]
ELEMENTWISE = [BinaryCrossEntropy(), Asymmetric(), Asymmetric(1.0, 2.0, 0.0)]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def tensor(values: Any, **kind: Any) -> Any:
    import torch

    return torch.tensor(values, **kind)


def documents(*labels: list[int]) -> Documents:
    return Documents([str(n) for n in range(len(labels))], ["x"] * len(labels), labels)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 3.0]])
def test_cross_entropy(smoothing: float, gamma: float, weights: list[float] | None) -> None:
    labels, expected = [2, 0], 0.0
    for row, label in zip(LOGITS, labels, strict=True):
        whole = sum(map(math.exp, row))
        for c, logit in enumerate(row):
            p = math.exp(logit) / whole
            wanted = (1 - smoothing) * (c == label) + smoothing / 3
            expected -= (weights or [1, 1, 1])[c] * wanted * (1 - p) ** gamma * math.log(p)
    criterion = CrossEntropy(smoothing, gamma, tensor(weights) if weights else None)
    assert criterion(tensor(LOGITS), tensor(labels)).item() == pytest.approx(expected, rel=1e-5)


def test_binary_cross_entropy() -> None:
    expected = -sum(
        math.log(sigmoid(x) if y else 1 - sigmoid(x))
        for row, known in zip(LOGITS, SETS, strict=True)
        for x, y in zip(row, known, strict=True)
    )
    found = BinaryCrossEntropy()(tensor(LOGITS), tensor(SETS).float())
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("positive", "negative", "margin"), [(0, 4, 0.05), (1, 4, 0.05), (0.5, 2, 0.0), (0, 0, 0.0)])
def test_asymmetric(positive: float, negative: float, margin: float) -> None:
    expected = 0.0
    for row, known in zip(LOGITS, SETS, strict=True):
        for x, y in zip(row, known, strict=True):
            p = sigmoid(x)
            shifted = max(p - margin, 0)
            expected -= (1 - p) ** positive * math.log(p) if y else shifted**negative * math.log(1 - shifted)
    found = Asymmetric(positive, negative, margin)(tensor(LOGITS), tensor(SETS).float())
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_zlpr() -> None:
    expected = 0.0
    for row, known in zip(LOGITS, SETS, strict=True):
        expected += math.log(1 + sum(math.exp(-x) for x, y in zip(row, known, strict=True) if y))
        expected += math.log(1 + sum(math.exp(x) for x, y in zip(row, known, strict=True) if not y))
    assert Zlpr()(tensor(LOGITS), tensor(SETS).float()).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("criterion", [*ELEMENTWISE, Zlpr()], ids=str)
@pytest.mark.parametrize("sets", [[[0, 0]], [[1, 1]], [[1, 0]]])
def test_gradients_are_right_and_finite_far_out(criterion: Any, sets: list[list[int]]) -> None:
    import torch

    known = tensor(sets).double()
    logits = tensor([[0.7, -1.2]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: criterion(given, known), logits)
    for far in (-200.0, 200.0):
        logits = torch.full((1, 2), far, requires_grad=True)
        criterion(logits, known.float()).backward()
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_cross_entropy_has_finite_gradients_far_out(gamma: float) -> None:
    import torch

    logits = tensor([[90.0, -90.0], [-90.0, 90.0]], requires_grad=True)
    CrossEntropy(0.1, gamma)(logits, tensor([0, 0])).backward()
    assert torch.isfinite(logits.grad).all()


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_chunked_is_dense(data: Any) -> None:
    import torch

    from bench.chunked_loss import chunked_loss

    count, n_labels = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 12))
    chunk = data.draw(st.integers(1, 60))
    rows = data.draw(st.lists(st.sets(st.integers(0, n_labels - 1)), min_size=count, max_size=count))
    criterion = data.draw(st.sampled_from(ELEMENTWISE))
    bias = data.draw(st.booleans())
    torch.manual_seed(0)
    features, layer = torch.randn(count, 5, requires_grad=True), torch.nn.Linear(5, n_labels, bias=bias)
    parts = [features, *layer.parameters()]
    labels = [sorted(row) for row in rows]

    dense = criterion(layer(features), AnyLabels(criterion, n_labels).targets(labels)) / 3
    expected = torch.autograd.grad(dense, parts)
    pairs = AnyOfManyLabels(criterion, n_labels).targets(labels)
    found = chunked_loss(features, layer, pairs, criterion, chunk) / 3
    torch.testing.assert_close(found, dense, rtol=1e-5, atol=1e-6)
    found.backward()
    for part, gradient in zip(parts, expected, strict=True):
        torch.testing.assert_close(part.grad, gradient, rtol=1e-5, atol=1e-6)


def test_chunked_needs_no_gradient_of_what_is_frozen_and_none_for_looking() -> None:
    import torch

    from bench.chunked_loss import chunked_loss

    layer, features, pairs = torch.nn.Linear(3, 6), torch.ones(2, 3), tensor([[0, 1], [0, 5]])
    chunked_loss(features, layer, pairs, BinaryCrossEntropy(), 4).backward()
    assert features.grad is None
    gradient = layer.weight.grad
    assert gradient is not None
    with torch.no_grad():
        looked = chunked_loss(features, layer, pairs, BinaryCrossEntropy(), 4)
    assert not looked.requires_grad
    chunked_loss(features, layer, pairs, BinaryCrossEntropy(), 4).backward()  # parts of a step add up
    torch.testing.assert_close(
        layer.weight.grad,
        2
        * torch.autograd.grad(
            BinaryCrossEntropy()(layer(features), tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1.0]])), layer.weight
        )[0],
    )


def test_targets() -> None:
    rows = [[2, 0], [], [2]]
    assert OneLabel(CrossEntropy(), 3).targets([[2], [0]]).tolist() == [2, 0]
    assert AnyLabels(Zlpr(), 3).targets(rows).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert AnyOfManyLabels(Zlpr(), 3).targets(rows).tolist() == [[0, 0, 2], [0, 2, 2]]
    assert AnyOfManyLabels(Zlpr(), 3).targets([[], []]).shape == (2, 0)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    import numpy as np
    from sklearn.utils.class_weight import compute_class_weight

    labels = [0, 0, 0, 1, 3]
    found = balanced_weights(documents(*([label] for label in labels)), 5).tolist()
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    assert [found[0], found[1], found[3]] == pytest.approx(expected)
    assert found[2] == found[4] == 1
    assert sum(found[label] for label in labels) == pytest.approx(len(labels))


def test_what_the_settings_ask_for() -> None:
    train = documents([0], [0], [1])
    single = objective(LossSettings(class_weights="balanced", focal_gamma=2, label_smoothing=0.1), "single", train, 2)
    assert isinstance(single, OneLabel)
    assert isinstance(single.criterion, CrossEntropy)
    assert (single.criterion.gamma, single.criterion.smoothing) == (2, 0.1)
    assert single.criterion.weights is not None
    assert objective(LossSettings(), "single", train, 2) == OneLabel(CrossEntropy(), 2)
    assert objective(LossSettings(), "multi", train, 2) == AnyLabels(BinaryCrossEntropy(), 2)
    assert objective(LossSettings(), "multi", train, 10_001) == AnyOfManyLabels(BinaryCrossEntropy(), 10_001)
    asked = LossSettings(multi_label_loss="asymmetric", negative_gamma=3)
    assert objective(asked, "multi", train, 10_001) == AnyOfManyLabels(Asymmetric(negative=3), 10_001)
    assert objective(LossSettings(multi_label_loss="zlpr"), "multi", train, 10_000) == AnyLabels(Zlpr(), 10_000)


def test_what_is_refused() -> None:
    with pytest.raises(UserError, match=r"sees all labels.*10001; set multi_label_loss=bce or asymmetric") as error:
        objective(LossSettings(multi_label_loss="zlpr"), "multi", documents([0]), 10_001)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="multi_label_loss=bce has no use for negative_gamma"):
        resolve_settings(LossSettings, {"negative_gamma": 2.0}, "bert")
