"""Reading prompts once, whatever is done with them afterwards."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bench.encoding import Padded, pad

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Beginning:
    """What stands in front of every document, computed once for all of them.

    Attributes:
        cache: The network's keys and values of it, of one row; None where nothing stands there.
        length: Its tokens.
    """

    cache: Any
    length: int

    @classmethod
    def of(cls, network: Any, ids: Sequence[int], device: str) -> Beginning:
        """Run the network over the tokens that all prompts begin with."""
        if not ids:
            return cls(None, 0)
        whole = torch.tensor([list(ids)], device=device)
        return cls(network(input_ids=whole, use_cache=True, logits_to_keep=1).past_key_values, len(ids))

    def of_rows(self, rows: int) -> Any:
        """A copy for so many rows, to be written into."""
        cache = copy.deepcopy(self.cache)
        if cache is not None:
            cache.batch_repeat_interleave(rows)
        return cache


class Reader:
    """A network that has read the prompts of a batch, and reads on what is spelt, row by row at their own pace.

    Tokens that a row does not need in a step stand in front of those that it does, masked, so that every row's last
    token is the last of its batch.

    Args:
        network: A causal language model.
        beginning: What all prompts begin with.
        rest: The rest of each prompt, left-padded.
    """

    def __init__(self, network: Any, beginning: Beginning, rest: Padded) -> None:
        self._network = network
        self._cache = beginning.of_rows(len(rest.ids))
        self._mask = rest.mask.new_ones(len(rest.ids), beginning.length)
        self.logits = self._read(rest.ids, rest.mask)

    def read(self, chunks: Sequence[Sequence[int]], filler: int) -> None:
        """Read on; every row has at least one token."""
        padded = pad(chunks, filler, "left")
        device = self._mask.device
        self.logits = self._read(padded.ids.to(device), padded.mask.to(device))

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        chosen = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]
        self.logits = self.logits[chosen]

    def read_tree(self, tokens: Sequence[int], depths: Sequence[int], seen: Tensor) -> Tensor:
        """Logits behind each token of a tree that hangs on the end of every prompt; nothing of it is kept.

        Args:
            tokens: Token of each place.
            depths: Tokens between the prompt's end and each place.
            seen: Which places each place may look at, bool, shape (places, places).

        Returns:
            Shape (rows, places, vocabulary).
        """
        rows, device = len(self._mask), self._mask.device
        lengths = self._mask.sum(dim=1, keepdim=True)
        made = self._network(
            input_ids=torch.tensor(tokens, device=device).expand(rows, -1),
            attention_mask=tree_mask(self._mask, seen, self._network.dtype),
            position_ids=lengths + torch.tensor(depths, device=device),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache.crop(-len(tokens))
        logits: Tensor = made.logits
        return logits

    def _read(self, ids: Tensor, mask: Tensor) -> Tensor:
        self._mask = torch.cat([self._mask, mask], dim=1)
        places = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        made = self._network(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=places,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = made.past_key_values
        logits: Tensor = made.logits[:, -1]
        return logits


def tree_mask(mask: Tensor, seen: Tensor, dtype: Any) -> Tensor:
    """The attention mask of a tree behind prompts: 0 where a token may look, the least number elsewhere.

    Args:
        mask: 1 where a prompt has a token, shape (prompts, width).
        seen: See :func:`ancestry`.
        dtype: A floating-point type.

    Returns:
        Shape (prompts, 1, places, width + places).
    """
    rows, places = len(mask), len(seen)
    prompt = mask.bool()[:, None, None, :].expand(rows, 1, places, -1)
    tree = seen.to(mask.device)[None, None].expand(rows, 1, -1, -1)
    allowed = torch.cat([prompt, tree], dim=3)
    return torch.zeros(allowed.shape, dtype=dtype, device=mask.device).masked_fill(~allowed, torch.finfo(dtype).min)
