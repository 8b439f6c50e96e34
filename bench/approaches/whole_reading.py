"""Reading whole prompts each time, for networks whose keys and values cannot be shared: right, and slower."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from bench.approaches.branches import Branch
from bench.approaches.reading import FILLER, Prompts, Reader, Rows
from bench.approaches.shared_reading import positions
from bench.encoding import Padded, pad

if TYPE_CHECKING:
    from torch import Tensor


class WholePrompts(Prompts):
    """Prompts that are read from their first token on, each time."""

    def __init__(self, network: Any, beginning: Sequence[int], device: str) -> None:
        self._network, self._beginning, self._device = network, list(beginning), device

    def __call__(self, rest: Padded) -> WholeReader:
        """Read a batch, the beginning with it."""
        rows = [ids[mask.bool()].tolist() for ids, mask in zip(rest.ids, rest.mask, strict=True)]
        reader = WholeReader(self._network, self._device, [[]] * len(rows), torch.empty(len(rows), 0))
        reader.read([[*self._beginning, *row] for row in rows])
        return reader


class WholeReader(Reader):
    """Keeps the tokens of what it has read, and nothing else.

    Args:
        network: A causal language model.
        device: Where it is.
        rows: Token ids of each row.
        logits: Behind each row's last token.
    """

    def __init__(self, network: Any, device: str, rows: Sequence[Sequence[int]], logits: Tensor) -> None:
        self._network, self._device, self._rows = network, device, rows
        self.logits = logits

    def read(self, chunks: Sequence[Sequence[int]]) -> None:
        """Read all rows again with what is new; every row has at least one new token."""
        self._rows = [[*row, *chunk] for row, chunk in zip(self._rows, chunks, strict=True)]
        self.logits = self._last(self._rows, 1)[:, 0]

    def part(self, rows: Rows) -> WholeReader:
        """A reader of these rows."""
        chosen = range(len(self._rows))[rows] if isinstance(rows, slice) else rows
        return WholeReader(self._network, self._device, [self._rows[row] for row in chosen], self.logits[list(chosen)])

    def read_tree(self, branch: Branch) -> Tensor:
        """Logits behind each node, from one pass for each entry; those of shared nodes are the same in all of them."""
        paths = [list(path) for path in branch.paths]
        found = [self._behind([branch.tokens[node] for node in path]) for path in paths]
        logits = found[0].new_empty(len(self._rows), len(branch.tokens), found[0].shape[2])
        for path, part in zip(paths, found, strict=True):
            logits[:, path] = part
        return logits

    def _behind(self, tokens: Sequence[int]) -> Tensor:
        return self._last([[*row, *tokens] for row in self._rows], len(tokens))

    def _last(self, rows: Sequence[Sequence[int]], count: int) -> Tensor:
        """Logits behind the last tokens of rows; shape (rows, count, vocabulary)."""
        padded = pad(rows, FILLER, "left")
        mask = padded.mask.to(self._device)
        made = self._network(
            input_ids=padded.ids.to(self._device),
            attention_mask=mask,
            position_ids=positions(mask),
            logits_to_keep=count,
            use_cache=False,
        )
        logits: Tensor = made.logits
        return logits
