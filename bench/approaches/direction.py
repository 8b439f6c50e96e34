"""Which way the tokens of a decoder look: back only, as it was pretrained, or both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from bench.errors import ModelError
from bench.training import autocast

if TYPE_CHECKING:
    from torch import Tensor

Direction = Literal["causal", "bidirectional"]


def look_both_ways(network: Any, name: str) -> None:
    """Let every token of a decoder see the whole document, by the switch that transformers reads its masks from.

    Whether a network minds the switch depends on how it is written, so the outcome is looked at.

    Args:
        network: A decoder, with or without adapters.
        name: The model's name, for the message.

    Raises:
        ModelError: Its tokens still do not see what follows them, or see padding too, or it fails.
    """
    network.config.get_text_config().is_causal = False
    try:
        fault = _fault(network)
    except Exception as problem:  # whatever a network does that was not written for it
        fault = f"has no causal switch that works ({type(problem).__name__}: {' '.join(str(problem).split())})"
    if fault is not None:
        raise ModelError(f"{name} ({network.config.model_type}) {fault}; set direction=causal")


def is_causal(config: Any) -> bool:
    """Whether the tokens of a network with this config see only what stands before them."""
    both_ways = getattr(config, "use_bidirectional_attention", None)
    return bool(getattr(config, "is_causal", True)) and both_ways in (None, False, "vision")


def _fault(network: Any) -> str | None:
    """What is wrong with the vectors of a few tokens; None if nothing is.

    The first token's has to depend on what follows. None may depend on padding, which it would where some layers heed
    the switch and others do not; rounding is far below what tokens mean to each other.
    """
    pair, short, both = [[1, 1, 1, 1], [1, 2, 3, 4]], [[1, 2, 3, 4]], [[1, 2, 3, 4, 0, 0], [4, 3, 2, 1, 4, 3]]
    first, alone, padded = (_vectors(network, rows) for rows in (pair, short, both))
    seen = (first[0, 0] - first[1, 0]).abs().max()
    if seen <= 1e-3 * first[0, 0].abs().max():
        return "has no causal switch"
    return "has no causal switch that all of it heeds" if (alone[0] - padded[0, :4]).abs().max() > seen / 4 else None


def _vectors(network: Any, rows: Sequence[Sequence[int]]) -> Tensor:
    """The vectors of tokens, float32, shape (rows, width, size); padding has the id 0."""
    import torch

    ids = torch.tensor(rows, device=network.device)
    with torch.no_grad(), autocast(str(network.device)):
        vectors: Tensor = network(input_ids=ids, attention_mask=(ids > 0).long()).last_hidden_state
    return vectors.float()
