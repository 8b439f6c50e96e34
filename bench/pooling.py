"""Pooling: from one vector a token to one vector a document, by the mask and never by token ids.

Ids would mislead where the padding token also ends texts, or occurs in one. Padding may be on either side, and what it
holds does not matter. Whatever the decoder is in, the outcome is float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional

_HEADS = 8


class FirstToken(nn.Module):
    """The vector of each document's first token, which in an encoder may stand for the whole text."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors; see :meth:`LastToken.forward`."""
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.argmax(dim=1)].float()


class LastToken(nn.Module):
    """The vector of each document's last token."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors, shape (documents, size).

        Args:
            hidden: Shape (documents, width, size).
            mask: Shape (documents, width); 1 where a token is.
        """
        positions = torch.arange(mask.shape[1], device=mask.device)
        last = (mask * positions).argmax(dim=1)
        return hidden[torch.arange(len(hidden), device=hidden.device), last].float()


class Mean(nn.Module):
    """The mean of the tokens' vectors."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors; see :meth:`LastToken.forward`."""
        return _weighted(hidden, mask.float())


class WeightedMean(nn.Module):
    """A mean in which a token weighs as much as its position, counted from one (SGPT, arXiv 2202.08904).

    In a causal decoder later tokens know more of the document.
    """

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors; see :meth:`LastToken.forward`."""
        return _weighted(hidden, (mask.cumsum(dim=1) * mask).float())


class Max(nn.Module):
    """The largest of the tokens' values in every dimension."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors; see :meth:`LastToken.forward`."""
        return hidden.masked_fill(mask.unsqueeze(2) == 0, -torch.inf).amax(dim=1).float()


class LatentAttention(nn.Module):
    """Tokens look up trained vectors, go through a small network, and are averaged (NV-Embed, arXiv 2405.17428).

    Tokens are the queries of an attention whose keys and values are the latents. Both parts stand behind a norm and
    add to what comes in, as in a transformer's block; the network is as wide as the decoder.

    Args:
        size: Size of the tokens' vectors.
        latents: Number of trained vectors; 512 in the paper.
    """

    def __init__(self, size: int, latents: int) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, size))
        self.norm = nn.LayerNorm(size)
        self.mixer = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, size), nn.GELU(), nn.Linear(size, size))
        self._heads = gcd(_HEADS, size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The pooled vectors; see :meth:`LastToken.forward`."""
        tokens = _without_padding(hidden, mask)
        tokens = tokens + self._looked_up(self.norm(tokens))
        return _weighted(tokens + self.mixer(tokens), mask.float())

    def _looked_up(self, tokens: Tensor) -> Tensor:
        """softmax(Q Kᵀ / √size of a head) V with latents as K and V; shape as the tokens."""
        documents, width, size = tokens.shape
        queries = tokens.view(documents, width, self._heads, -1).transpose(1, 2)
        known = self.latents.view(-1, self._heads, size // self._heads).transpose(0, 1).expand(documents, -1, -1, -1)
        found = functional.scaled_dot_product_attention(queries, known, known)
        return found.transpose(1, 2).flatten(2)


_WITHOUT_PARAMETERS: Mapping[str, Callable[[], nn.Module]] = {
    "cls": FirstToken,
    "last": LastToken,
    "mean": Mean,
    "max": Max,
    "weighted-mean": WeightedMean,
}


def make_pooling(name: str, size: int, latents: int = 1) -> nn.Module:
    """The pooling of that name for vectors of a size; ``latents`` is read by ``latent-attention`` only."""
    if name == "latent-attention":
        return LatentAttention(size, latents)
    return _WITHOUT_PARAMETERS[name]()


def _weighted(hidden: Tensor, weights: Tensor) -> Tensor:
    sums = (weights.unsqueeze(1) @ _without_padding(hidden, weights)).squeeze(1)
    return sums / weights.sum(dim=1, keepdim=True)


def _without_padding(hidden: Tensor, mask: Tensor) -> Tensor:
    """In float32, with zeros for padding: times nothing, what is no number would stay so."""
    return hidden.float().masked_fill(mask.unsqueeze(2) == 0, 0.0)
