"""Reading on from keys and values that are kept: what all prompts begin with is read once, trees in one pass."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bench.approaches.branches import Branch
from bench.approaches.reading import EVERY, FILLER, Prompts, Reader, Rows
from bench.encoding import Padded, pad

if TYPE_CHECKING:
    from torch import Tensor

Mask = Any  # Tensor, or one for each kind of layer


@dataclass(frozen=True)
class Attention:
    """Which tokens the layers of a network look at.

    Attributes:
        window: How far back sliding layers see, the token itself among them; None where no layer slides.
        mixed: Whether other layers see everything.
        dtype: Of masks.
    """

    window: int | None
    mixed: bool
    dtype: Any

    @classmethod
    def of(cls, network: Any) -> Attention:
        """The attention of a network.

        Raises:
            ValueError: Some layer looks back by other rules, or does not by attention.
        """
        from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

        text = network.config.get_text_config()
        layers = DynamicCache(config=text).layers
        windows = {layer.sliding_window for layer in layers if layer.is_sliding}
        plain = all(type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in layers)
        chunked = getattr(text, "attention_chunk_size", None) or "local" in getattr(text, "attention_layers", ())
        if not plain or chunked or len(windows) > 1:
            raise ValueError(f"{text.model_type} does not look back in one of two ways, whole or by a window")
        mixed = not all(layer.is_sliding for layer in layers)
        return cls(max(windows, default=None), mixed, network.dtype)

    def onwards(self, mask: Tensor, new: int) -> Mask:
        """For the last tokens of rows, each of which sees what stands in front of it.

        Args:
            mask: 1 where a row has a token, shape (rows, width).
            new: How many tokens are read.
        """
        if self.window is None:
            return mask
        columns = torch.arange(mask.shape[1], device=mask.device)
        own = columns == columns[-new:, None]  # padding sees itself: to see nothing at all has no softmax
        seen = (mask.bool()[:, None] & (columns <= columns[-new:, None])) | own
        return self._by_layer(seen, positions(mask))

    def tree(self, mask: Tensor, ancestry: Tensor, depths: Tensor) -> Mask:
        """For the nodes of a tree behind rows, each of which sees its row and the nodes above it.

        Args:
            mask: 1 where a row has a token, shape (rows, width).
            ancestry: See :attr:`bench.approaches.branches.Branch.ancestry`.
            depths: Of each node, shape (nodes,).
        """
        rows, nodes = len(mask), len(depths)
        seen = torch.cat(
            [mask.bool()[:, None].expand(-1, nodes, -1), ancestry.to(mask.device).expand(rows, -1, -1)], dim=2
        )
        return self._by_layer(seen, torch.cat([positions(mask), mask.sum(dim=1, keepdim=True) + depths], dim=1))

    def _by_layer(self, seen: Tensor, places: Tensor) -> Mask:
        """Masks from what may be seen, shape (rows, new, width), and each column's position, shape (rows, width)."""
        if self.window is None:
            return self._additive(seen)
        near = places[:, -seen.shape[1] :, None] - places[:, None] < self.window
        sliding = self._additive(seen & near)
        return {"full_attention": self._additive(seen), "sliding_attention": sliding} if self.mixed else sliding

    def _additive(self, seen: Tensor) -> Tensor:
        least = torch.finfo(self.dtype).min
        return torch.zeros(seen.shape, dtype=self.dtype, device=seen.device).masked_fill(~seen, least)[:, None]


def positions(mask: Tensor) -> Tensor:
    """Each token's place in its row, from 0; padding takes none."""
    return (mask.cumsum(1) - 1).clamp(min=0)


class SharedPrompts(Prompts):
    """Prompts of which the network keeps keys and values; those of the common beginning are made once."""

    def __init__(self, network: Any, beginning: Sequence[int], device: str) -> None:
        from transformers import DynamicCache

        # Full layers whatever the network's: a sliding one counts padding, and cannot take a tree back.
        nothing = torch.ones(1, 0, dtype=torch.long, device=device)
        self._beginning = SharedReader(network, Attention.of(network), DynamicCache(), nothing, nothing)
        if beginning:
            self._beginning.read([beginning])

    def __call__(self, rest: Padded) -> SharedReader:
        """Read a batch behind the beginning."""
        reader = self._beginning.part([0] * len(rest.ids))
        reader.read_padded(rest)
        return reader


class SharedReader(Reader):
    """Keeps the keys and values of what it has read.

    Tokens that a row does not need in a step stand in front of those that it does, masked, so that every row's last
    token is the last of its batch.

    Args:
        network: A causal language model.
        attention: What its layers look at.
        cache: Keys and values of full layers; only ever replaced, so that readers can share them.
        mask: 1 where a row has a token, shape (rows, width).
        logits: Behind each row's last token.
    """

    def __init__(self, network: Any, attention: Attention, cache: Any, mask: Tensor, logits: Tensor) -> None:
        self._network, self._attention, self._cache, self._mask = network, attention, cache, mask
        self.logits = logits

    def read(self, chunks: Sequence[Sequence[int]]) -> None:
        """Read on; every row has at least one token."""
        self.read_padded(pad(chunks, FILLER, "left"))

    def read_padded(self, batch: Padded) -> None:
        """Read on what is left-padded already."""
        device, new = self._mask.device, batch.ids.shape[1]
        self._mask = torch.cat([self._mask, batch.mask.to(device)], dim=1)
        made = self._network(
            input_ids=batch.ids.to(device),
            attention_mask=self._attention.onwards(self._mask, new),
            position_ids=positions(self._mask)[:, -new:],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self.logits = made.logits[:, -1]

    def part(self, rows: Rows) -> SharedReader:
        """A reader of these rows; keys and values stay where they are until one of the readers reads on."""
        chosen = rows if isinstance(rows, slice) else torch.tensor(rows, device=self._mask.device)
        cache = copy.copy(self._cache)
        cache.layers = [copy.copy(layer) for layer in self._cache.layers]
        cache.batch_select_indices(chosen)
        return SharedReader(self._network, self._attention, cache, self._mask[chosen], self.logits[chosen])

    def read_tree(self, branch: Branch) -> Tensor:
        """Logits behind each node, from one pass."""
        depths = torch.tensor(branch.depths, device=self._mask.device)
        made = self._network(
            input_ids=torch.tensor(branch.tokens, device=self._mask.device).expand(len(self._mask), -1),
            attention_mask=self._attention.tree(self._mask, branch.ancestry, depths),
            position_ids=self._mask.sum(dim=1, keepdim=True) + depths,
            past_key_values=self.part(EVERY)._cache,
            use_cache=True,
        )
        logits: Tensor = made.logits
        return logits
