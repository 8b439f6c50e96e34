"""Which way the tokens of a decoder look: back only, as it was pretrained, or both ways."""

from __future__ import annotations

from typing import Any, Literal

from bench.errors import ModelError
from bench.training import autocast

Direction = Literal["causal", "bidirectional"]


def look_both_ways(network: Any, name: str) -> None:
    """Let every token of a decoder see the whole document, by the switch that transformers reads its masks from.

    Whether a network minds the switch depends on how it is written, so the outcome is looked at.

    Args:
        network: A decoder, with or without adapters.
        name: The model's name, for the message.

    Raises:
        ModelError: Its tokens still do not see what follows them.
    """
    network.config.get_text_config().is_causal = False
    if not _sees_what_follows(network):
        raise ModelError(f"{name} ({network.config.model_type}) has no causal switch; set direction=causal")


def is_causal(config: Any) -> bool:
    """Whether the tokens of a network with this config see only what stands before them."""
    both_ways = getattr(config, "use_bidirectional_attention", None)
    return bool(getattr(config, "is_causal", True)) and both_ways in (None, False, "vision")


def _sees_what_follows(network: Any) -> bool:
    """Whether the first token's vector depends on later tokens."""
    import torch

    ids = torch.tensor([[1, 1, 1, 1], [1, 2, 3, 4]], device=network.device)
    with torch.no_grad(), autocast(str(network.device)):
        first = network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0].float()
    return not torch.allclose(first[0], first[1], rtol=1e-3, atol=1e-5)
