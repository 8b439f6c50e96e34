"""Label names as a tree of token ids, and the answers that can be spelt along it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.errors import UserError

ROOT = 0


@dataclass(frozen=True)
class Trie:
    """Token sequences that share their beginnings.

    Attributes:
        children: For each node: token → child node. Node 0 is the root; children come after their parents.
        entries: For each node the entry that ends there, or -1.
        paths: For each entry its nodes, from the child of the root to the node where it ends.
        sizes: For each node how many entries end there or below.
    """

    children: tuple[Mapping[int, int], ...]
    entries: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], names: Sequence[str]) -> Trie:
        """A trie of sequences; ``names`` are what messages call them.

        Raises:
            UserError: Two sequences are the same, or one is empty.
        """
        children: list[dict[int, int]] = [{}]
        entries, sizes, paths = [-1], [0], []
        for entry, sequence in enumerate(sequences):
            if not sequence:
                raise UserError(f"the model's tokenizer has no token for {names[entry]!r}")
            path, node = [], ROOT
            for token in sequence:
                node = children[node].setdefault(token, len(children))
                if node == len(children):
                    children.append({})
                    entries.append(-1)
                    sizes.append(0)
                path.append(node)
            if entries[node] >= 0:
                raise UserError(
                    f"the model's tokenizer writes {names[entries[node]]!r} and {names[entry]!r} alike; rename one"
                )
            entries[node] = entry
            for passed in (ROOT, *path):
                sizes[passed] += 1
            paths.append(tuple(path))
        return cls(tuple(children), tuple(entries), tuple(paths), tuple(sizes))

    def __len__(self) -> int:
        return len(self.children)

    def depths(self) -> list[int]:
        """For each node how many tokens lead to it."""
        depths = [0] * len(self)
        for node, below in enumerate(self.children):
            for child in below.values():
                depths[child] = depths[node] + 1
        return depths


@dataclass(frozen=True)
class Grammar:
    """Every answer that may be given: labels, each once, joined by separators, and an end mark.

    Attributes:
        first: What an answer can begin with: every label, and behind them, where there may be none, the word for that.
        more: Every label with a separator in front of it; None where an answer has one label.
        stop: Id of the end mark.
        n_labels: How many entries are labels.
        most: Labels that an answer may have.
    """

    first: Trie
    more: Trie | None
    stop: int
    n_labels: int
    most: int


@dataclass
class Answer:
    """An answer that is being spelt, token by token; it can only become one of the grammar's.

    Attributes:
        grammar: The answers that there are.
        tokens: What was spelt, the end mark included.
        labels: The labels of the finished part, in order.
        finished: Whether the end mark stands.
    """

    grammar: Grammar
    tokens: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    finished: bool = False
    _trie: Trie = field(init=False)
    _node: int = ROOT
    _used: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._trie = self.grammar.first

    @property
    def place(self) -> tuple[int, int] | None:
        """What the choices depend on while no label is spelt; None from then on."""
        return (id(self._trie), self._node) if not self.labels and self._trie.entries[self._node] < 0 else None

    def choices(self) -> list[int]:
        """The tokens that may come next, at least one until the answer is finished."""
        return list(self._steps())

    def take(self, token: int) -> None:
        """Spell one more token.

        Raises:
            ValueError: It is none of the choices.
        """
        if token not in set(self._steps()):
            raise ValueError(f"token {token} is none of the choices")
        self.tokens.append(token)
        below = self._trie.children[self._node]
        if self._open(below.get(token)):
            self._node = below[token]
            return
        self._end_entry()
        if token == self.grammar.stop:
            self.finished = True
            return
        more = self.grammar.more
        if more is None:
            raise AssertionError("only the end mark follows a single label")
        self._trie, self._node = more, more.children[ROOT][token]

    def take_forced(self) -> list[int]:
        """Spell every token that there is no choice about, and say which."""
        taken = []
        while not self.finished and len(choices := self.choices()) == 1:
            self.take(choices[0])
            taken.append(choices[0])
        return taken

    def _steps(self) -> Iterator[int]:
        if self.finished:
            return
        for token, child in self._trie.children[self._node].items():
            if self._open(child):
                yield token
        entry = self._trie.entries[self._node]
        if entry < 0 or entry in self.labels:
            return
        yield self.grammar.stop
        more = self.grammar.more
        if more is not None and entry < self.grammar.n_labels and len(self.labels) + 1 < self.grammar.most:
            used = self._used_with(entry)
            for token, child in more.children[ROOT].items():
                if more.sizes[child] > used[child]:
                    yield token

    def _open(self, node: int | None) -> bool:
        """Whether a label that was not given yet ends at a node or below."""
        if node is None:
            return False
        return self._trie is self.grammar.first or self._trie.sizes[node] > self._used[node]

    def _end_entry(self) -> None:
        entry = self._trie.entries[self._node]
        if entry < self.grammar.n_labels:
            self.labels.append(entry)
            self._used = self._used_with(entry)

    def _used_with(self, label: int) -> Counter[int]:
        """Entries of ``more`` that are used up, by node, once this label has been given."""
        more = self.grammar.more
        return self._used + Counter(more.paths[label]) if more is not None else self._used
