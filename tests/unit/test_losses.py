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
    Asymmetric,
    BinaryCrossEntropy,
    CrossEntropy,
    LossSettings,
    ManyLabels,
    OneLabel,
    Zlpr,
    balanced_weights,
    objective,
)
from bench.settings import resolve_settings
from bench.task import Documents

LOGITS = [[2.0, -1.0, 0.3], [0.5, 0.0, -2.5]]
SETS = [[1, 0, 0], [1, 0, 1]]
ANY_LABELS = [BinaryCrossEntropy(), Asymmetric(), Asymmetric(1.0, 2.0, 0.0), Zlpr()]


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


@pytest.mark.parametrize("criterion", ANY_LABELS, ids=str)
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
@settings(max_examples=100, deadline=None)
def test_chunked_is_dense(data: Any) -> None:
    """Of any number of labels and of one, with parts of a step that add up, whatever is frozen."""
    import torch

    from bench.chunked_loss import chunked_loss

    count, n_labels = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 12))
    chunk = data.draw(st.integers(1, 60))
    sets = st.sets(st.integers(0, n_labels - 1))
    criterion, one = data.draw(st.one_of(st.sampled_from(ANY_LABELS).map(lambda loss: (loss, False)), single(n_labels)))
    rows = data.draw(st.lists(sets.filter(lambda row: len(row) == 1) if one else sets, min_size=count, max_size=count))
    labels = [sorted(row) for row in rows]
    torch.manual_seed(0)
    layer = torch.nn.Linear(5, n_labels, bias=data.draw(st.booleans()))
    layer.weight.requires_grad_(data.draw(st.booleans()))
    features = torch.randn(count, 5, requires_grad=True)
    parts = [part for part in (features, *layer.parameters()) if part.requires_grad]

    form = OneLabel if one else AnyLabels
    dense = form(criterion, n_labels).loss(features, layer, form(criterion, n_labels).targets(labels)) / 3
    expected = torch.autograd.grad(dense, parts)
    pairs = ManyLabels(criterion, n_labels).targets(labels)
    for times in (1, 2):
        found = chunked_loss(features, layer, pairs, criterion, chunk) / 3
        torch.testing.assert_close(found, dense, rtol=1e-5, atol=1e-5)
        found.backward()
        for part, gradient in zip(parts, expected, strict=True):
            torch.testing.assert_close(part.grad, times * gradient, rtol=1e-5, atol=1e-5)
    assert layer.weight.requires_grad or layer.weight.grad is None


def single(n_labels: int) -> Any:
    """Losses of one label a document, of which the chunked form has focus or smoothing, with weights or without."""
    weights = st.none() | st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=n_labels, max_size=n_labels).map(tensor)
    kinds = st.sampled_from([(0.0, 0.0), (0.2, 0.0), (0.0, 0.5), (0.0, 2.0)])
    return st.builds(lambda kind, held: (CrossEntropy(*kind, held), True), kinds, weights)


@pytest.mark.parametrize("criterion", [*ANY_LABELS, CrossEntropy(0.1), CrossEntropy(gamma=0.5)], ids=str)
@pytest.mark.parametrize("far", [-200.0, 200.0])
def test_chunked_has_finite_gradients_far_out(criterion: Any, far: float) -> None:
    import torch

    from bench.chunked_loss import chunked_loss

    layer = torch.nn.Linear(1, 6)
    torch.nn.init.constant_(layer.weight, far)
    loss = chunked_loss(torch.ones(2, 1), layer, tensor([[0, 1], [0, 5]]), criterion, 4)
    loss.backward()
    assert layer.weight.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(layer.weight.grad).all()


@pytest.mark.parametrize("criterion", ANY_LABELS, ids=str)
def test_chunked_takes_no_gradient_for_looking(criterion: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from bench.chunked_loss import chunked_loss

    monkeypatch.setattr("bench.chunked_loss._Work.slope", None)
    layer, pairs = torch.nn.Linear(3, 6), tensor([[0, 1], [0, 5]])
    with torch.no_grad():
        assert not chunked_loss(torch.ones(2, 3), layer, pairs, criterion, 4).requires_grad
    assert layer.weight.grad is None


def test_chunked_makes_no_second_gradient_of_the_layer() -> None:
    import torch

    from bench.chunked_loss import chunked_loss

    layer, pairs = torch.nn.Linear(3, 6), tensor([[0, 1], [0, 5]])
    chunked_loss(torch.ones(2, 3), layer, pairs, BinaryCrossEntropy(), 4).backward()
    assert layer.weight.grad is not None
    handed_over: list[Any] = []
    layer.weight.register_hook(handed_over.append)
    first = layer.weight.grad.clone()
    chunked_loss(torch.ones(2, 3), layer, pairs, BinaryCrossEntropy(), 4).backward()
    assert handed_over in ([], [None])
    torch.testing.assert_close(layer.weight.grad, 2 * first)


def test_targets() -> None:
    rows = [[2, 0], [], [2]]
    assert OneLabel(CrossEntropy(), 3).targets([[2], [0]]).tolist() == [2, 0]
    assert AnyLabels(Zlpr(), 3).targets(rows).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert ManyLabels(Zlpr(), 3).targets(rows).tolist() == [[0, 0, 2], [0, 2, 2]]
    assert ManyLabels(Zlpr(), 3).targets([[], []]).shape == (2, 0)


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
    assert objective(LossSettings(), "multi", train, 10_001) == ManyLabels(BinaryCrossEntropy(), 10_001)
    asked = LossSettings(multi_label_loss="asymmetric", negative_gamma=3)
    assert objective(asked, "multi", train, 10_001) == ManyLabels(Asymmetric(negative=3), 10_001)
    assert objective(LossSettings(multi_label_loss="zlpr"), "multi", train, 10_000) == AnyLabels(Zlpr(), 10_000)
    assert objective(LossSettings(multi_label_loss="zlpr"), "multi", train, 10_001) == ManyLabels(Zlpr(), 10_001)
    assert objective(LossSettings(), "single", train, 10_000) == OneLabel(CrossEntropy(), 10_000)
    assert objective(LossSettings(focal_gamma=2), "single", train, 10_001) == ManyLabels(CrossEntropy(gamma=2), 10_001)


def test_what_is_refused() -> None:
    both = LossSettings(focal_gamma=1, label_smoothing=0.1)
    with pytest.raises(UserError, match=r"focal_gamma and label_smoothing together.*10001; set one of") as error:
        objective(both, "single", documents([0]), 10_001)
    assert "\n" not in str(error.value)
    assert isinstance(objective(both, "single", documents([0]), 10_000), OneLabel)
    with pytest.raises(UserError, match="multi_label_loss=bce has no use for negative_gamma"):
        resolve_settings(LossSettings, {"negative_gamma": 2.0}, "bert")
