"""Generated tasks: the shapes of collections that cannot be passed on, at any size, with nothing to download."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import count
from math import gcd
from random import Random
from typing import Any

from pydantic import Field, model_validator

from bench.task import Documents, LabelSpace, Task, TaskData, TaskSettings
from tasks.hierarchy_codes import CAPACITY, ancestors, codes
from tasks.invented import Weighted, Zipf, below, number, stream, word

_COMMON_WORDS = 2000
_CLASSES = ("complaint", "information", "order", "praise", "request")
_CLASS_WEIGHTS = (22, 40, 14, 8, 16)
_MOST_LABELS = 8
_REMEMBERED = 2**17


class SyntheticSettings(TaskSettings):
    """Settings of every generated task."""

    documents: int = Field(2400, ge=12, description="documents in all: two thirds train, 1/12 validation, 1/4 test")
    shortest: int = Field(30, ge=1, description="words of the shortest document")
    longest: int = Field(80, ge=1, description="words of the longest document")
    label_noise: float = Field(0.08, ge=0, le=1, description="chance that a label is replaced by a random one")
    topical: float = Field(0.16, ge=0, le=1, description="share of words drawn for the document's labels")
    confusable: float = Field(0.1, ge=0, le=1, description="share of words drawn for a neighbour of its labels")
    words_per_label: int = Field(60, ge=1, description="size of a label's own vocabulary")
    data_seed: int = Field(0, ge=0, description="another seed, another collection")

    @model_validator(mode="after")
    def _consistent(self) -> SyntheticSettings:
        if self.shortest > self.longest:
            raise ValueError("shortest is over longest")
        if self.topical + self.confusable > 1:
            raise ValueError("topical and confusable words are more than all words")
        return self


class ClvSettings(SyntheticSettings):
    """Settings of :class:`SyntheticClv`."""


class WipoSettings(SyntheticSettings):
    """Settings of :class:`SyntheticWipo`."""

    documents: int = Field(3000, ge=12, description="documents in all: two thirds train, 1/12 validation, 1/4 test")
    labels: int = Field(120, ge=1, le=1_000_000, description="size of the label space")
    depth: int = Field(4, ge=1, le=4, description="depth of the labels: 1 section, 2 class, 3 subclass, 4 main group")
    labels_per_document: float = Field(1.8, ge=1, le=4, description="labels of a document, on average")
    topical: float = Field(0.38, ge=0, le=1, description="share of words drawn for the document's labels")
    label_noise: float = Field(0.03, ge=0, le=1, description="chance that a label is replaced by a random one")

    @model_validator(mode="after")
    def _room(self) -> WipoSettings:
        if self.labels > CAPACITY[self.depth - 1]:
            raise ValueError(f"depth {self.depth} has room for {CAPACITY[self.depth - 1]} labels")
        return self


class Writer:
    """Writes texts about topics: common words of Zipf's law, mixed with words of the topics and of their neighbours.

    Args:
        name: Of the collection; it names the vocabulary.
        config: How much of each.
    """

    def __init__(self, name: str, config: SyntheticSettings) -> None:
        self._key = (name, config.data_seed)
        self._config = config
        self._common = Zipf(_COMMON_WORDS, offset=5)
        self._own = Zipf(config.words_per_label, offset=5)
        self._known: dict[tuple[str, int], str] = {}

    def write(self, random: Random, topic: Callable[[], str], neighbour: Callable[[], str]) -> str:
        """One text.

        Args:
            random: Its random numbers.
            topic: Draws the topic of a topical word.
            neighbour: Draws the topic of a confusable word.
        """
        config = self._config
        words = []
        for _ in range(config.shortest + below(random, config.longest - config.shortest + 1)):
            place = random.random()
            if place < config.topical:
                words.append(self._word(topic(), self._own.draw(random)))
            elif place < config.topical + config.confusable:
                words.append(self._word(neighbour(), self._own.draw(random)))
            else:
                words.append(self._word("", self._common.draw(random)))
        return " ".join(words)

    def _word(self, topic: str, rank: int) -> str:
        known = self._known.get((topic, rank))
        if known is None:
            known = word(*self._key, topic, rank)
            if len(self._known) < _REMEMBERED:
                self._known[topic, rank] = known
        return known


class SyntheticClv(Task):
    """Five unequal classes with wrong labels among them: a customer desk's collection in shape, invented in words."""

    name = "synthetic-clv"
    Config = ClvSettings

    def load(self) -> TaskData:
        """Generate."""
        writer, classes = Writer(self.name, self.config), Weighted(_CLASS_WEIGHTS)
        rows = [self._row(writer, classes, stream(self.name, self.config.data_seed, i)) for i in range(self._count)]
        return TaskData(*_splits("clv", rows), labels=LabelSpace(_CLASSES), kind="single")

    @property
    def _count(self) -> int:
        return int(self.config.documents)

    def _row(self, writer: Writer, classes: Weighted, random: Random) -> tuple[str, list[int]]:
        label = classes.draw(random)
        # Classes resemble the next in the row, so that errors have a direction.
        neighbours = (_CLASSES[label - 1], _CLASSES[(label + 1) % len(_CLASSES)])
        text = writer.write(random, lambda: _CLASSES[label], lambda: neighbours[below(random, 2)])
        if random.random() < self.config.label_noise:
            label = (label + 1 + below(random, len(_CLASSES) - 1)) % len(_CLASSES)
        return text, [label]


class SyntheticWipo(Task):
    """Documents with several labels out of a hierarchy with a long tail: a patent collection in shape."""

    name = "synthetic-wipo"
    Config = WipoSettings

    def load(self) -> TaskData:
        """Generate."""
        names = codes(self.config.labels, self.config.depth)
        tree = LabelTree(names, self.config)
        writer = Writer(self.name, self.config)
        rows = [
            self._row(writer, tree, stream(self.name, self.config.data_seed, i)) for i in range(self.config.documents)
        ]
        return TaskData(*_splits("wipo", rows), labels=LabelSpace(tuple(names), _shared_ancestors(names)), kind="multi")

    def _row(self, writer: Writer, tree: LabelTree, random: Random) -> tuple[str, list[int]]:
        labels = tree.draw(random)
        text = writer.write(random, lambda: tree.topic(random, labels), lambda: tree.neighbour(random, labels))
        noisy = {tree.any(random) if random.random() < self.config.label_noise else label for label in labels}
        return text, sorted(noisy)


class LabelTree:
    """The labels of a hierarchy, and the ways in which documents choose among them.

    Args:
        names: The labels' codes, sorted, so that labels under one node stand side by side.
        config: Average number of labels, and the seed of their popularity.
    """

    def __init__(self, names: Sequence[str], config: WipoSettings) -> None:
        self._names = names
        self._more = (config.labels_per_document - 1) / config.labels_per_document
        self._popularity = Zipf(len(names), offset=2)
        # A stride without a common factor visits every label once: a shuffle that needs no table.
        self._stride = next(step for step in count(len(names) * 618 // 1000 + 1) if gcd(step, len(names)) == 1)
        self._first = number("popularity", config.data_seed) % len(names)

    def any(self, random: Random) -> int:
        """A label by popularity."""
        return (self._first + self._popularity.draw(random) * self._stride) % len(self._names)

    def draw(self, random: Random) -> list[int]:
        """The labels of a document: the first by popularity, the others as often near the first as anywhere."""
        wanted = 1
        while wanted < _MOST_LABELS and random.random() < self._more:
            wanted += 1
        labels = [self.any(random)]
        for _ in range(4 * wanted):
            other = self._near(random, labels[0]) if random.random() < 0.5 else self.any(random)
            if other not in labels and len(labels) < wanted:
                labels.append(other)
        return labels

    def topic(self, random: Random, labels: Sequence[int]) -> str:
        """The topic of one word: most often one of the labels itself, else a node above it."""
        name = self._names[labels[below(random, len(labels))]]
        above = ancestors(name)
        if above and random.random() < 0.35:
            return above[below(random, len(above))]
        return name

    def neighbour(self, random: Random, labels: Sequence[int]) -> str:
        """A label beside one of the document's."""
        return self._names[self._near(random, labels[below(random, len(labels))])]

    def _near(self, random: Random, label: int) -> int:
        above = ancestors(self._names[label])
        if not above:
            return below(random, len(self._names))
        start = bisect_left(self._names, above[-1])
        return start + below(random, bisect_left(self._names, above[-1] + "\uffff") - start)


def _splits(prefix: str, rows: Sequence[tuple[str, list[int]]]) -> tuple[Documents, Documents, Documents]:
    validation, test = len(rows) // 12, len(rows) // 4
    train = len(rows) - validation - test
    bounds = ((0, train), (train, train + validation), (train + validation, len(rows)))
    one, two, three = (
        Documents(
            [f"{prefix}-{place:06d}" for place in range(start, end)],
            [text for text, _ in rows[start:end]],
            [labels for _, labels in rows[start:end]],
        )
        for start, end in bounds
    )
    return one, two, three


def _shared_ancestors(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Ancestors of each name; siblings share one tuple, which is what keeps a million labels small."""
    known: dict[str, Any] = {}
    return tuple(known.setdefault(path[-1] if path else "", path) for path in map(ancestors, names))
