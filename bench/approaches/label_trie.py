"""Label names as a tree of token ids, and the answers that can be spelt along it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bench.errors import UserError

ROOT = 0
End = Literal["nothing", "answer", "label"]


@dataclass(frozen=True)
class Trie:
    """Token sequences that share their beginnings.

    Attributes:
        children: For each node: token → child node. Node 0 is the root; children come after their parents.
        parents: For each node the one above; -1 for the root.
        tokens: For each node the token that leads to it; -1 for the root.
        entries: For each node the entry that ends there, or -1.
        paths: For each entry its nodes, from the child of the root to the node where it ends.
        sizes: For each node how many entries end there or below.
        names: What messages call the entries.
    """

    children: tuple[Mapping[int, int], ...]
    parents: tuple[int, ...]
    tokens: tuple[int, ...]
    entries: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], names: Sequence[str]) -> Trie:
        """A trie of sequences; ``names`` are what messages call them.

        Raises:
            UserError: Two sequences are the same, or one is empty.
        """
        children: list[dict[int, int]] = [{}]
        parents, tokens, entries, sizes, paths = [-1], [-1], [-1], [0], []
        for entry, sequence in enumerate(sequences):
            if not sequence:
                raise UserError(f"the model's tokenizer has no token for {names[entry]!r}")
            path, node = [], ROOT
            for token in sequence:
                above, node = node, children[node].setdefault(token, len(children))
                if node == len(children):
                    children.append({})
                    parents.append(above)
                    tokens.append(token)
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
        return cls(
            tuple(children), tuple(parents), tuple(tokens), tuple(entries), tuple(paths), tuple(sizes), tuple(names)
        )

    def __len__(self) -> int:
        return len(self.children)


class Place(NamedTuple):
    """What may come next in an answer, but for labels that were given.

    Attributes:
        more: Whether a label behind another is being spelt.
        node: Where in its trie.
        end: ``nothing`` ends here, the ``answer`` can, or a ``label``, behind which there may be more.
    """

    more: bool
    node: int
    end: End


@dataclass(frozen=True)
class Grammar:
    """Every answer that may be given: labels, each once, joined by separators, and an end mark.

    Attributes:
        first: What an answer can begin with: every label, and behind them, where there may be none, the word for that.
        more: Every label with a separator in front of it; None where an answer has one label.
        stops: Ids of which each ends an answer; the first is the one that is written.
        n_labels: How many entries are labels.
        most: Labels that an answer may have.

    Raises:
        UserError: What follows some label could be read in two ways.
    """

    first: Trie
    more: Trie | None
    stops: tuple[int, ...]
    n_labels: int
    most: int
    _choices: dict[Place, dict[int, None]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self._separators.keys().isdisjoint(self.stops):
            raise UserError("a separator begins with what ends an answer; set another `separator`")
        for trie in filter(None, (self.first, self.more)):
            for node, entry in enumerate(trie.entries):
                for token in trie.children[node] if entry >= 0 else ():
                    if token in self.stops or (self.end(entry, 1) == "label" and token in self._separators):
                        raise _ambiguous(trie, entry, trie.children[node][token])

    def end(self, entry: int, given: int) -> End:
        """What ends with an entry that is the ``given``-th label; see :class:`Place`."""
        return "label" if self.more and entry < self.n_labels and given < self.most else "answer"

    def choices(self, place: Place) -> Mapping[int, None]:
        """The tokens that may come next, the lowest first, as if no label had been given; the end as the first stop."""
        if place not in self._choices:
            trie = self.more if place.more and self.more else self.first
            tokens = set(trie.children[place.node])
            if place.end != "nothing":
                tokens.add(self.stops[0])
            if place.end == "label":
                tokens.update(self._separators)
            self._choices[place] = dict.fromkeys(sorted(tokens))
        return self._choices[place]

    @property
    def _separators(self) -> Mapping[int, int]:
        """What a separator can begin with."""
        return self.more.children[ROOT] if self.more else {}


def _ambiguous(trie: Trie, entry: int, child: int) -> UserError:
    longer = next(name for name, path in zip(trie.names, trie.paths, strict=True) if child in path)
    return UserError(
        f"behind label {trie.names[entry]!r} the model's tokens do not tell a separator or an end mark from the rest "
        f"of label {longer!r}; set another `separator`, or rename one"
    )


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
    def place(self) -> Place:
        """What may come next, but for :attr:`spent`."""
        entry = self._trie.entries[self._node]
        ends = entry >= 0 and entry not in self.labels
        end: End = self.grammar.end(entry, len(self.labels) + 1) if ends else "nothing"
        return Place(self._trie is self.grammar.more, self._node, end)

    @property
    def spent(self) -> set[int]:
        """Choices of the place that are none any more: all labels behind them were given."""
        more, place = self.grammar.more, self.place
        if more is None:
            return set()
        spent = set(_full(more, self._used, self._node)) if place.more else set()
        if place.end == "label":
            spent.update(_full(more, self._used_with(self._trie.entries[self._node]), ROOT))
        return spent

    def choices(self) -> list[int]:
        """The tokens that may come next, at least one until the answer is finished."""
        if self.finished:
            return []
        spent = self.spent
        return [token for token in self.grammar.choices(self.place) if token not in spent]

    def take(self, token: int) -> None:
        """Spell one more token.

        Raises:
            ValueError: It is none of the choices.
        """
        if self.finished or token not in self.grammar.choices(self.place) or token in self.spent:
            raise ValueError(f"token {token} is none of the choices")
        self.tokens.append(token)
        below = self._trie.children[self._node]
        if token in below:
            self._node = below[token]
            return
        self._end_entry()
        more = self.grammar.more
        if more is not None and token in more.children[ROOT]:
            self._trie, self._node = more, more.children[ROOT][token]
        else:
            self.finished = True

    def take_forced(self) -> list[int]:
        """Spell every token that there is no choice about, and say which."""
        taken: list[int] = []
        while not self.finished and (token := self._only_choice()) is not None:
            self.take(token)
            taken.append(token)
        return taken

    def _only_choice(self) -> int | None:
        choices, spent = self.grammar.choices(self.place), self.spent
        if len(choices) - len(spent) > 1:
            return None
        return next(token for token in choices if token not in spent)

    def _end_entry(self) -> None:
        entry = self._trie.entries[self._node]
        if entry < self.grammar.n_labels:
            self.labels.append(entry)
            self._used = self._used_with(entry)

    def _used_with(self, label: int) -> Counter[int]:
        """Entries of ``more`` that are used up, by node, once this label has been given."""
        more = self.grammar.more
        return self._used + Counter(more.paths[label]) if more is not None else self._used


def _full(trie: Trie, used: Counter[int], node: int) -> Iterator[int]:
    """Tokens below a node behind which every entry is used up."""
    for child, count in used.items():
        if trie.parents[child] == node and count >= trie.sizes[child]:
            yield trie.tokens[child]
