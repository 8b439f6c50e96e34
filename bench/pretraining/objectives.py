"""What the two networks learn: the next token, or the masked ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.encoding import pad

_RANDOM, _KEPT = 0.1, 0.1
"""Of the chosen tokens so many are replaced by a random one and so many stay; the others are masked (BERT, 2018)."""


@dataclass(frozen=True)
class Objective(ABC):
    """A training objective.

    Attributes:
        before: Special tokens in front of a row.
        after: Special tokens behind it.
        filler: Id of the padding.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    filler: int

    @abstractmethod
    def batch(self, rows: Sequence[Sequence[int]], seed: int) -> dict[str, Tensor]:
        """Rows as a right-padded batch; what is random follows from the seed."""

    @abstractmethod
    def losses(self, network: Any, batch: dict[str, Tensor]) -> Tensor:
        """The cross-entropy of every token that is to be predicted, in nats, shape (predicted tokens,)."""

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        padded = pad([[*self.before, *row, *self.after] for row in rows], self.filler)
        return padded.ids, padded.mask


@dataclass(frozen=True)
class NextToken(Objective):
    """Every token from those before it; the end mark too."""

    def batch(self, rows: Sequence[Sequence[int]], seed: int) -> dict[str, Tensor]:
        """``ids`` and ``mask``."""
        ids, mask = self._padded(rows)
        return {"ids": ids, "mask": mask}

    def losses(self, network: Any, batch: dict[str, Tensor]) -> Tensor:
        """Of all tokens but the first of each row; logits are made for those alone."""
        # A causal network never sees the padding on the right, and needs no mask to be told so.
        hidden = network.base_model(input_ids=batch["ids"]).last_hidden_state[:, :-1]
        real = batch["mask"][:, 1:].bool()
        logits = network.get_output_embeddings()(hidden[real])
        return functional.cross_entropy(logits.float(), batch["ids"][:, 1:][real], reduction="none")


@dataclass(frozen=True)
class MaskedToken(Objective):
    """A share of the tokens, chosen at random, from all the others.

    Attributes:
        mask_id: Id of ``[MASK]``.
        vocabulary: Ids from ``first`` to here may stand in for a chosen token.
        first: The first id that is no special token.
        share: Part of the tokens that is chosen.
    """

    mask_id: int
    vocabulary: int
    first: int
    share: float

    def batch(self, rows: Sequence[Sequence[int]], seed: int) -> dict[str, Tensor]:
        """``ids`` with tokens replaced, ``mask``, ``chosen`` (bool) and ``targets``, the chosen tokens."""
        ids, mask = self._padded(rows)
        generator = torch.Generator().manual_seed(seed)
        chosen = (torch.rand(ids.shape, generator=generator) < self.share) & self._inner(mask)
        targets = ids[chosen]
        fate = torch.rand(targets.shape, generator=generator)
        others = torch.randint(self.first, self.vocabulary, targets.shape, generator=generator)
        seen = torch.where(fate < _RANDOM, others, torch.where(fate < _RANDOM + _KEPT, targets, self.mask_id))
        return {"ids": ids.masked_scatter(chosen, seen), "mask": mask, "chosen": chosen, "targets": targets}

    def losses(self, network: Any, batch: dict[str, Tensor]) -> Tensor:
        """Of the chosen tokens; logits are made for those alone."""
        hidden = network.base_model(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state
        logits = network.decoder(network.head(hidden[batch["chosen"]]))
        return functional.cross_entropy(logits.float(), batch["targets"], reduction="none")

    def _inner(self, mask: Tensor) -> Tensor:
        """Where tokens of the text stand, special ones left out."""
        places = torch.arange(mask.shape[1])
        return (places >= len(self.before)) & (places < mask.sum(dim=1, keepdim=True) - len(self.after))
