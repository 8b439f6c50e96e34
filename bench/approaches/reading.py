"""Reading prompts once, whatever is done with them afterwards; and how, with a given network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from bench.approaches.branches import Branch, branches
from bench.approaches.label_trie import Trie
from bench.encoding import Padded, pad
from bench.errors import UserError
from bench.training import autocast

if TYPE_CHECKING:
    from torch import Tensor

FILLER = 0
"""What rows are padded with; masks go along, so that any id will do."""

Rows = Sequence[int] | slice
EVERY = slice(None)


class Reader(ABC):
    """A network that has read the prompts of a batch, and reads on what is spelt, each row at its own pace.

    Attributes:
        logits: Behind each row's last token, shape (rows, vocabulary).
    """

    logits: Tensor

    @abstractmethod
    def read(self, chunks: Sequence[Sequence[int]]) -> None:
        """Read on; every row has at least one token."""

    @abstractmethod
    def part(self, rows: Rows) -> Reader:
        """A reader of these rows that goes its own way from here."""

    @abstractmethod
    def read_tree(self, branch: Branch) -> Tensor:
        """Logits behind each node of a tree that hangs on the end of every row; nothing of it is kept.

        Returns:
            Shape (rows, nodes, vocabulary).
        """


class Prompts(ABC):
    """Makes readers of batches of prompts that begin alike.

    Args:
        network: A causal language model.
        beginning: Token ids that every prompt begins with.
        device: Where the network is.
    """

    @abstractmethod
    def __init__(self, network: Any, beginning: Sequence[int], device: str) -> None: ...

    @abstractmethod
    def __call__(self, rest: Padded) -> Reader:
        """Read a batch; ``rest`` is what follows the beginning, left-padded."""


def check_reading(network: Any) -> type[Prompts]:
    """The fastest way to read prompts in which a network says what it says to each prompt alone.

    Whether keys and values can be shared and tokens stand in a tree depends on how a network is written, so a few
    tokens are read and the outcome is looked at.

    Raises:
        UserError: There is no such way.
    """
    from bench.approaches.shared_reading import SharedPrompts
    from bench.approaches.whole_reading import WholePrompts

    training = network.training
    network.eval()
    try:
        with torch.no_grad(), autocast(str(network.device)):
            for way in (SharedPrompts, WholePrompts):
                if _reads_rightly(way, network):
                    return way
    finally:
        network.train(training)
    raise UserError(
        f"{network.config.model_type} answers otherwise to a prompt alone than to one in a batch; choose another model "
        "or set decoding=free"
    )


# Rows of very different lengths, so that a network that counts padding shows it.
_BEGINNING = [7, 11, 5]
_RESTS = [[9], [6, 8, 10, 12, 13, 14, 9, 6, 12, 8, 7, 10]]
_CHUNKS = [[5, 7, 14, 9, 6, 11, 8], [11]]
_ENTRIES = [[8, 13], [10]]


def _reads_rightly(way: type[Prompts], network: Any) -> bool:
    try:
        found = _in_a_batch(way, network)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
        return False  # it lacks what this way asks of a network
    expected = torch.stack([_alone(network, *texts) for texts in zip(_RESTS, _CHUNKS, strict=True)]).float()
    tolerance = 1e-3 if found.dtype is torch.float32 else 0.1
    errors = (found.float() - expected).square().mean(dim=2).sqrt() / expected.std(dim=2)
    return bool((errors <= tolerance).all())


def _in_a_batch(way: type[Prompts], network: Any) -> Tensor:
    """Logits behind prompts, behind what is read on, and behind the nodes of a tree; shape (rows, 5, vocabulary)."""
    reader = way(network, _BEGINNING, str(network.device))(pad(_RESTS, FILLER, "left"))
    prompt = reader.logits
    reader.read(_CHUNKS)
    (branch,) = branches(Trie.of(_ENTRIES, ("longer", "shorter")))
    return torch.cat([prompt[:, None], reader.logits[:, None], reader.read_tree(branch)], dim=1)


def _alone(network: Any, rest: Sequence[int], chunk: Sequence[int]) -> Tensor:
    """The same logits of one row, by nothing but plain passes; shape (5, vocabulary)."""
    prompt = [*_BEGINNING, *rest]
    longer, shorter = (
        network(input_ids=torch.tensor([[*prompt, *chunk, *entry]], device=network.device), use_cache=False).logits[0]
        for entry in _ENTRIES
    )
    behind = len(prompt) + len(chunk) - 1
    return torch.cat([longer[[len(prompt) - 1, behind, behind + 1, behind + 2]], shorter[-1:]])
