"""A trie in parts that are each small enough to be read in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bench.approaches.label_trie import Trie

if TYPE_CHECKING:
    from torch import Tensor

MOST = 512
"""Nodes of a branch: enough to keep a device busy, few enough that attention among them stays cheap."""


@dataclass(frozen=True)
class Branch:
    """A part of a trie; its nodes are numbered anew, parents before children.

    Attributes:
        tokens: Token of each node.
        parents: Each node's parent; -1: the root, which is no node of a branch.
        entries: The entries that end in it.
        paths: For each of them its nodes, from the top to where it ends.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    entries: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """For each node how many nodes are above it."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
        return tuple(depths)

    @cached_property
    def ancestry(self) -> Tensor:
        """Which nodes stand on each node's way from the root, itself among them; bool, shape (nodes, nodes)."""
        import torch

        seen = torch.eye(len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


def branches(trie: Trie, most: int = MOST) -> Iterator[Branch]:
    """The trie in parts of at most ``most`` nodes (more where one entry alone is longer), each whole from the root.

    Entries that share a beginning stand together, so that little is read twice.
    """
    part: dict[int, int] = {}
    entries: list[int] = []
    for entry in sorted(range(len(trie.paths)), key=lambda entry: trie.paths[entry]):
        path = trie.paths[entry]
        if part and len(part) + sum(node not in part for node in path) > most:
            yield _branch(trie, part, entries)
            part, entries = {}, []
        for node in path:
            part.setdefault(node, len(part))
        entries.append(entry)
    yield _branch(trie, part, entries)


def _branch(trie: Trie, part: dict[int, int], entries: Sequence[int]) -> Branch:
    return Branch(
        tuple(trie.tokens[node] for node in part),
        tuple(part.get(trie.parents[node], -1) for node in part),
        tuple(entries),
        tuple(tuple(part[node] for node in trie.paths[entry]) for entry in entries),
    )
