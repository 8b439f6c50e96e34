"""Every pooling is its formula over the tokens, and neither sees padding nor minds on which side that is."""

from __future__ import annotations

from typing import Any

import pytest

NAMES = ["cls", "last", "mean", "max", "weighted-mean", "latent-attention"]
LENGTHS = (1, 4, 3)


def made(name: str) -> Any:
    import torch

    from bench.pooling import make_pooling

    torch.manual_seed(0)
    return make_pooling(name, 8, 5)


def tokens() -> list[Any]:
    import torch

    torch.manual_seed(1)
    return [torch.randn(length, 8) for length in LENGTHS]


def padded(rows: list[Any], side: str, filler: float) -> tuple[Any, Any]:
    import torch

    hidden, mask = torch.full((len(rows), 6, 8), filler), torch.zeros(len(rows), 6, dtype=torch.int64)
    for place, row in enumerate(rows):
        span = slice(0, len(row)) if side == "right" else slice(6 - len(row), 6)
        hidden[place, span], mask[place, span] = row, 1
    return hidden, mask


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("filler", [0.0, 1e4, float("nan"), float("inf")])
def test_padding_is_not_seen(name: str, side: str, filler: float) -> None:
    import torch

    pooling, rows = made(name), tokens()
    alone = torch.cat([pooling(row.unsqueeze(0), torch.ones(1, len(row), dtype=torch.int64)) for row in rows])
    torch.testing.assert_close(pooling(*padded(rows, side, filler)), alone)


@pytest.mark.parametrize("name", NAMES)
def test_padding_gets_no_gradient(name: str) -> None:
    hidden, mask = padded(tokens(), "left", 3.0)
    hidden.requires_grad_()
    made(name)(hidden, mask).square().sum().backward()
    moved = hidden.grad.abs().sum(2) > 0
    assert not moved[mask == 0].any()
    assert moved[mask == 1].any()
    if name not in {"cls", "last", "max"}:
        assert moved[mask == 1].all()


def test_formulas() -> None:
    import torch

    rows = tokens()
    batch = padded(rows, "right", 9.0)
    expected = {
        "cls": [row[0] for row in rows],
        "last": [row[-1] for row in rows],
        "mean": [row.mean(0) for row in rows],
        "max": [row.max(0).values for row in rows],
        "weighted-mean": [sum((i + 1) * row[i] for i in range(len(row))) / sum(range(1, len(row) + 1)) for row in rows],
    }
    for name, vectors in expected.items():
        torch.testing.assert_close(made(name)(*batch), torch.stack(vectors))


def test_latent_attention_is_its_formula() -> None:
    """Heads of one dimension each: softmax(Q Kᵀ) V in plain words, then the block's second half and the mean."""
    import torch

    pooling = made("latent-attention")
    (row,) = tokens()[1:2]
    queries = pooling.norm(row)
    found = torch.zeros_like(row)
    for head in range(8):
        known = pooling.latents[:, head]
        weights = torch.softmax(queries[:, head : head + 1] * known, dim=1)
        found[:, head] = weights @ known
    mixed = row + found
    expected = (mixed + pooling.mixer(mixed)).mean(0)
    torch.testing.assert_close(pooling(row.unsqueeze(0), torch.ones(1, 4, dtype=torch.int64))[0], expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_outcome_is_in_full_precision(name: str) -> None:
    import torch

    hidden, mask = padded(tokens(), "right", 0.0)
    assert made(name)(hidden.bfloat16(), mask).dtype is torch.float32
