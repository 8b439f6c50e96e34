"""The likelihood of every label after a prompt, from one reading of the prompt.

The labels' tokens are read as a tree: each token attends to the prompt and to the tokens above it, so that beginnings
which labels share are read once, and no copy of the prompt's keys and values is made for each label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from bench.approaches.branches import Branch, branches
from bench.approaches.constrained import constrained
from bench.approaches.label_trie import Grammar, Trie
from bench.approaches.reading import EVERY

if TYPE_CHECKING:
    from torch import Tensor

    from bench.approaches.reading import Reader

Normalisation = Literal["sum", "mean"]
_LOGITS = 2**26  # numbers of logits held at a time; the prompts of a batch are taken in parts where there are more


@dataclass(frozen=True)
class LabelTree:
    """Labels ready to be scored.

    Attributes:
        branches: Their tokens.
        ends: Ids of which one ends a label: an end mark, or what may begin a separator.
        count: How many labels there are.
        normalisation: ``sum`` of the tokens' log-probabilities, or their ``mean``, which does not favour short labels;
            the end counts as a token.
    """

    branches: tuple[Branch, ...]
    ends: tuple[int, ...]
    count: int
    normalisation: Normalisation

    @classmethod
    def of(cls, trie: Trie, ends: Sequence[int], normalisation: Normalisation) -> LabelTree:
        """The labels of a trie."""
        return cls(tuple(branches(trie)), tuple(sorted(set(ends))), len(trie.paths), normalisation)

    @property
    def widest(self) -> int:
        """Nodes of the largest branch."""
        return max(len(branch.tokens) for branch in self.branches)


def score_labels(reader: Reader, tree: LabelTree) -> Tensor:
    """The log-likelihood of every label with an end behind it, after each prompt.

    Args:
        reader: Has read the prompts; it is not read on.
        tree: The labels.

    Returns:
        float32, shape (prompts, labels), in nats.
    """
    rows, vocabulary = reader.logits.shape
    size = max(1, _LOGITS // (tree.widest * vocabulary))
    parts = [reader.part(slice(start, start + size)) for start in range(0, rows, size)]
    return torch.cat([_scores(part, tree) for part in parts])


def _scores(reader: Reader, tree: LabelTree) -> Tensor:
    first = reader.logits.float().log_softmax(dim=1)
    scores = first.new_empty(len(first), tree.count)
    for branch in tree.branches:
        found = _likelihoods(reader, branch, first, tree.ends)
        lengths = torch.tensor([len(path) + 1 for path in branch.paths], device=first.device)
        scores[:, list(branch.entries)] = found / lengths if tree.normalisation == "mean" else found
    return scores


def _likelihoods(reader: Reader, branch: Branch, first: Tensor, ends: Sequence[int]) -> Tensor:
    """The log-likelihood of each entry of a branch and of an end behind it; shape (prompts, entries)."""
    logits = reader.read_tree(branch).float()
    normaliser = logits.logsumexp(dim=2)
    parents, tokens = (torch.tensor(row, device=first.device) for row in (branch.parents, branch.tokens))
    inner = parents.clamp(min=0)
    steps = torch.where(parents >= 0, logits[:, inner, tokens] - normaliser[:, inner], first[:, tokens])
    last = [path[-1] for path in branch.paths]
    ended = logits[:, last][:, :, list(ends)].logsumexp(dim=2) - normaliser[:, last]
    return _sums(steps, branch.paths) + ended


def _sums(steps: Tensor, paths: Sequence[Sequence[int]]) -> Tensor:
    """The sum along each path of what its nodes have; shapes (prompts, nodes) and (prompts, paths).

    Gathered and added, not multiplied by a matrix: that would be done in half precision under autocast.
    """
    longest, nothing = max(map(len, paths)), steps.shape[1]
    nodes = torch.tensor([[*path, *[nothing] * (longest - len(path))] for path in paths], device=steps.device)
    return torch.nn.functional.pad(steps, (0, 1))[:, nodes].sum(dim=2)


@dataclass(frozen=True)
class Lists:
    """Answers of several labels, ready for their labels to be scored.

    Attributes:
        grammar: The answers that there are.
        start: The labels where an answer starts.
        onwards: The labels behind a separator.
        separator: Tokens of ``grammar.more`` that are the separator, at the beginning of each entry.
    """

    grammar: Grammar
    start: LabelTree
    onwards: LabelTree
    separator: int


def score_lists(reader: Reader, lists: Lists) -> Tensor:
    """The greatest log-likelihood of every label at any place of the constrained answer to each prompt.

    The places are where the answer's labels stand: its start, and behind each of its separators. So a label that the
    answer holds gets its likelihood where it was said, and one that it does not the best chance it had.

    Args:
        reader: Has read the prompts; it is not read on.
        lists: The labels.

    Returns:
        float32, shape (prompts, labels), in nats.
    """
    answers = [answer.labels for answer in constrained(reader.part(EVERY), lists.grammar)]
    scores = score_labels(reader, lists.start)
    rows, place = list(range(len(answers))), 1
    while going := [row for row in rows if len(answers[row]) > place]:
        reader = reader.part([rows.index(row) for row in going])
        reader.read([_said(answers[row][place - 1], place, lists) for row in going])
        scores[going] = torch.maximum(scores[going], score_labels(reader, lists.onwards))
        rows, place = going, place + 1
    return scores


def _said(label: int, place: int, lists: Lists) -> list[int]:
    """The tokens of a label with a separator behind it, the ``place``-th of an answer."""
    first, more = lists.grammar.first, lists.grammar.more
    if more is None:
        raise AssertionError("an answer of several labels needs separators")
    whole = list(_tokens(more, label))
    alone = list(_tokens(first, label)) if place == 1 else whole[lists.separator :]
    return [*alone, *whole[: lists.separator]]


def _tokens(trie: Trie, entry: int) -> Iterator[int]:
    return (trie.tokens[node] for node in trie.paths[entry])
