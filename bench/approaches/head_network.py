"""The network of ``embedding-head``; apart, since a torch module cannot be defined without importing torch."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.approaches.pooling import last_token
from bench.training import HEAD_START


class HeadNetwork(nn.Module):
    """A decoder without its language-model head, last-token pooling, and a linear layer.

    Attributes:
        body: The decoder, with or without adapters.
        head: The linear layer; float32 whatever the decoder is in.
    """

    def __init__(self, body: Any, n_labels: int) -> None:
        super().__init__()
        text = body.config.get_text_config()
        self.body = body
        self.head = nn.Linear(text.hidden_size, n_labels)
        nn.init.normal_(self.head.weight, std=HEAD_START * getattr(text, "initializer_range", 0.02))
        nn.init.zeros_(self.head.bias)

    @property
    def config(self) -> Any:
        """The decoder's config."""
        return self.body.config

    def forward(self, ids: Tensor, mask: Tensor, right_padded: bool = True) -> Tensor:
        """Logits, float32, shape (documents, labels).

        Args:
            ids: Token ids, shape (documents, width).
            mask: 1 where a token is, shape (documents, width).
            right_padded: Whether padding follows the tokens. A causal decoder's tokens never see what follows them, so
                that its attention then needs no mask and takes the faster way.
        """
        unmasked = right_padded and _is_causal(self.config.get_text_config())
        hidden = self.body(input_ids=ids, attention_mask=None if unmasked else mask).last_hidden_state
        pooled = last_token(hidden, mask).float()
        with torch.autocast(pooled.device.type, enabled=False):
            return cast("Tensor", self.head(pooled))


def _is_causal(config: Any) -> bool:
    both_ways = getattr(config, "use_bidirectional_attention", None)
    return bool(getattr(config, "is_causal", True)) and both_ways in (None, False, "vision")
