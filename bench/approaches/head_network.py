"""The network of ``embedding-head``; apart, since a torch module cannot be defined without importing torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.approaches.direction import is_causal
from bench.pooling import make_pooling
from bench.training import HEAD_START

Finish = Callable[[Tensor, nn.Linear], Tensor]
"""Features of documents (float32, shape (documents, size)) and the last layer → what is wanted of them."""


class HeadNetwork(nn.Module):
    """A decoder without its language-model head, pooling, and a head of one layer or two.

    All but the decoder is float32 whatever that is in.

    Args:
        body: The decoder, with or without adapters.
        n_labels: Outputs.
        pooling: See :func:`bench.pooling.make_pooling`.
        head: ``linear``, or ``mlp`` for a hidden layer as wide as the decoder, with GELU.
        latents: Vectors of latent attention.
        bias: Whether the last layer has a bias.

    Attributes:
        body: The decoder.
        head: The last layer.
        pooling: From tokens to a document.
        hidden: What stands between pooling and the last layer.
    """

    def __init__(  # noqa: PLR0917 (one argument for each thing that a head can be)
        self, body: Any, n_labels: int, pooling: str = "last", head: str = "linear", latents: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        text = body.config.get_text_config()
        size = width(text)
        self.body = body
        # The last layer comes first, so that it starts alike under every pooling.
        self.head = nn.Linear(size, n_labels, bias=bias)
        nn.init.normal_(self.head.weight, std=HEAD_START * getattr(text, "initializer_range", 0.02))
        if bias:
            nn.init.zeros_(self.head.bias)
        self.pooling = make_pooling(pooling, size, latents)
        self.hidden = nn.Sequential(nn.Linear(size, size), nn.GELU()) if head == "mlp" else nn.Identity()

    @property
    def config(self) -> Any:
        """The decoder's config."""
        return self.body.config

    def train(self, mode: bool = True) -> HeadNetwork:
        """Switch dropout on, or off; never in a decoder of which nothing is trained, whose features would be chance."""
        super().train(mode)
        if not any(weights.requires_grad for weights in self.body.parameters()):
            self.body.eval()
        return self

    def forward(self, ids: Tensor, mask: Tensor, finish: Finish = lambda features, head: head(features)) -> Tensor:
        """Logits, float32, shape (documents, labels), or what else is wanted.

        Padding is moved behind the tokens first. A causal decoder's tokens never see what follows them, so that its
        attention then needs no mask and takes the faster way; pooling leaves padding out by itself.

        Args:
            ids: Token ids, shape (documents, width).
            mask: 1 where a token is, shape (documents, width).
            finish: What is made of the features and the last layer, such as a loss.
        """
        order = mask.argsort(dim=1, descending=True, stable=True)
        ids, mask = ids.gather(1, order), mask.gather(1, order)
        unmasked = is_causal(self.config.get_text_config())
        hidden = self.body(input_ids=ids, attention_mask=None if unmasked else mask).last_hidden_state
        with torch.autocast(hidden.device.type, enabled=False):
            return finish(self.hidden(self.pooling(hidden, mask)), self.head)

    def on_top(self) -> nn.ModuleDict:
        """All but the decoder, under one roof for saving and loading."""
        return nn.ModuleDict({"head": self.head, "pooling": self.pooling, "hidden": self.hidden})


def width(config: Any) -> int:
    """Size of the vectors that a decoder with this config gives out; some of OPT are narrower at both ends."""
    return int(getattr(config, "word_embed_proj_dim", None) or config.hidden_size)
