"""The likelihood of every label after a prompt, from one reading of the prompt.

The labels' tokens are read as a tree in one pass: each token attends to the prompt and to the tokens above it, so that
beginnings which labels share are read once, and no copy of the prompt's keys and values is made for each label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from bench.approaches.label_trie import ROOT, Trie

if TYPE_CHECKING:
    from torch import Tensor

    from bench.approaches.reading import Reader

Normalisation = Literal["sum", "mean"]
_LOGITS = 2**26  # numbers of logits held at a time


@dataclass(frozen=True)
class Branch:
    """A part of a trie that is read in one pass.

    Attributes:
        tokens: Token of each node, parents before children.
        parents: Place of each node's parent; -1: the prompt's end.
        depths: Tokens from the prompt's end to each node, itself not counted.
        ends: (place, entry) of the nodes where entries end.
    """

    tokens: list[int]
    parents: list[int]
    depths: list[int]
    ends: list[tuple[int, int]]


def branches(trie: Trie, most: int) -> Iterator[Branch]:
    """The trie in parts of at most ``most`` nodes (more where one entry alone is longer), each whole from the root."""
    tokens = {child: token for below in trie.children for token, child in below.items()}
    part: dict[int, int] = {}
    ends: list[tuple[int, int]] = []
    for entry in sorted(range(len(trie.paths)), key=lambda entry: trie.paths[entry]):
        path = trie.paths[entry]
        if part and len(part) + sum(node not in part for node in path) > most:
            yield _branch(trie, part, ends, tokens)
            part, ends = {}, []
        for node in path:
            part.setdefault(node, len(part))
        ends.append((part[path[-1]], entry))
    yield _branch(trie, part, ends, tokens)


def _branch(trie: Trie, part: dict[int, int], ends: list[tuple[int, int]], tokens: dict[int, int]) -> Branch:
    above = {child: node for node in (ROOT, *part) for child in trie.children[node].values() if child in part}
    parents = [part.get(above[node], -1) for node in part]
    depths: list[int] = []
    for parent in parents:
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
    return Branch([tokens[node] for node in part], parents, depths, list(ends))


def score_labels(reader: Reader, trie: Trie, ends: Sequence[int], normalisation: Normalisation) -> Tensor:
    """The log-likelihood of every entry of a trie with an end behind it, after each prompt.

    Args:
        reader: Has read the prompts.
        trie: The labels.
        ends: Ids of which one ends a label: the end mark, or what may begin a separator.
        normalisation: ``sum`` of the tokens' log-probabilities, or their ``mean``, which does not favour short labels;
            the end counts as a token.

    Returns:
        float32, shape (prompts, entries), in nats.
    """
    first = reader.logits.float().log_softmax(dim=1)
    rows, vocabulary = first.shape
    scores = first.new_empty(rows, len(trie.paths))
    most = max(1, _LOGITS // (rows * vocabulary))
    for branch in branches(trie, most):
        places = torch.tensor([place for place, _ in branch.ends], device=first.device)
        entries = torch.tensor([entry for _, entry in branch.ends], device=first.device)
        lengths = torch.tensor([branch.depths[place] + 2 for place, _ in branch.ends], device=first.device)
        found = _likelihoods(reader, branch, first, ends)[:, places]
        scores[:, entries] = found / lengths if normalisation == "mean" else found
    return scores


def _likelihoods(reader: Reader, branch: Branch, first: Tensor, ends: Sequence[int]) -> Tensor:
    """For each node the log-likelihood of the tokens down to it and of an end; shape (prompts, nodes)."""
    logits = reader.read_tree(branch.tokens, branch.depths, ancestry(branch.parents)).float()
    normaliser = logits.logsumexp(dim=2)
    parents, tokens = (torch.tensor(row, device=first.device) for row in (branch.parents, branch.tokens))
    inner = parents.clamp(min=0)
    below = logits[:, inner, tokens] - normaliser[:, inner]
    steps = torch.where(parents >= 0, below, first[:, tokens])
    above = ancestry(branch.parents).to(first)
    return steps @ above.T + (logits[:, :, list(ends)].logsumexp(dim=2) - normaliser)


def ancestry(parents: Sequence[int]) -> Tensor:
    """Which places stand on each place's way from the root, itself among them; bool, shape (places, places)."""
    seen = torch.eye(len(parents), dtype=torch.bool)
    for place, parent in enumerate(parents):
        if parent >= 0:
            seen[place] |= seen[parent]
    return seen
