"""What the networks are asked, and what they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bench.pretraining.networks import draw, objective
from bench.pretraining.objectives import MaskedToken
from bench.pretraining.settings import BuildSettings

SETTINGS = BuildSettings(width=64, depth=2, vocabulary=300, mask_share=0.3)
ROWS = [[20 + n % 50 for n in range(length)] for length in (3, 60, 60)]


@pytest.fixture(scope="module")
def masked() -> MaskedToken:
    found = objective("encoder", SETTINGS)
    assert isinstance(found, MaskedToken)
    return found


def test_only_tokens_of_the_text_are_masked(masked: MaskedToken) -> None:
    batch = replace(masked, share=0.999).batch(ROWS, seed=0)
    chosen, width = batch["chosen"], 62
    assert batch["ids"].shape == (3, width)
    assert not chosen[:, 0].any()
    assert not chosen[0, 4:].any()
    assert not chosen[1:, width - 1].any()
    assert chosen.sum() > 115


def test_targets_are_what_stood_there(masked: MaskedToken) -> None:
    batch = masked.batch(ROWS, seed=1)
    whole = replace(masked, share=0.0).batch(ROWS, seed=1)["ids"]
    assert torch.equal(whole[batch["chosen"]], batch["targets"])
    assert torch.equal(whole[~batch["chosen"]], batch["ids"][~batch["chosen"]])


def test_most_chosen_tokens_are_masked_some_changed_some_kept(masked: MaskedToken) -> None:
    rows = [[20 + n % 50 for n in range(200)]] * 50
    batch = masked.batch(rows, seed=2)
    seen, targets = batch["ids"][batch["chosen"]], batch["targets"]
    assert float(batch["chosen"].float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float((seen == masked.mask_id).float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float((seen == targets).float().mean()) == pytest.approx(0.1, abs=0.03)
    assert int(seen.min()) >= min(masked.mask_id, masked.first)


def test_masks_follow_from_the_seed(masked: MaskedToken) -> None:
    first, same, other = (masked.batch(ROWS, seed)["ids"] for seed in (3, 3, 4))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("architecture", ["encoder", "decoder"])
def test_losses_are_those_of_transformers(architecture: str) -> None:
    kind = "encoder" if architecture == "encoder" else "decoder"
    network = draw(kind, SETTINGS).eval()
    goal = objective(kind, SETTINGS)
    batch = goal.batch(ROWS, seed=5)
    if isinstance(goal, MaskedToken):
        labels = torch.full_like(batch["ids"], -100)
        labels[batch["chosen"]] = batch["targets"]
    else:
        labels = batch["ids"].masked_fill(~batch["mask"].bool(), -100)
    with torch.no_grad():
        expected = network(input_ids=batch["ids"], attention_mask=batch["mask"], labels=labels).loss
        losses = goal.losses(network, batch)
    assert float(losses.mean()) == pytest.approx(float(expected), rel=1e-5)


def test_padding_changes_no_loss() -> None:
    for kind in ("encoder", "decoder"):
        network = draw(kind, SETTINGS).eval()  # type: ignore[arg-type]
        goal = objective(kind, SETTINGS)  # type: ignore[arg-type]
        alone, beside = goal.batch(ROWS[:1], seed=6), goal.batch(ROWS, seed=6)
        if "chosen" in beside:  # the same tokens masked in both
            width = alone["ids"].shape[1]
            beside["ids"][0, :width], beside["chosen"][0, :width] = alone["ids"][0], alone["chosen"][0]
            beside["targets"] = torch.cat([alone["targets"], beside["targets"][int(beside["chosen"][0].sum()) :]])
        with torch.no_grad():
            losses = goal.losses(network, alone)
            both = goal.losses(network, beside)
        assert torch.allclose(losses, both[: len(losses)], atol=1e-5)


def test_the_two_networks_are_of_one_size() -> None:
    settings = BuildSettings()
    encoder, decoder = (
        sum(weights.numel() for name, weights in draw(kind, settings).named_parameters() if "layer" in name)
        for kind in ("encoder", "decoder")  # type: ignore[arg-type]
    )
    assert encoder == pytest.approx(decoder, rel=0.02)
