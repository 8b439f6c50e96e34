"""Whether texts say their own label: names of labels in texts, beside what chance would put there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bench.audit.facts import LabelNames, NamedLabel
from bench.audit.texts import sampled, words
from bench.task import TaskData

MOST_READ = 10_000
"""Documents of a split that are read, those whose hashed ids come first."""

LONGEST_NAME = 8
"""Words of a label name that is looked for."""

SHOWN_LABELS = 10
_SHIFTS = 10  # other documents whose labels are tried on each text
_FACET = re.compile(r"::|>")


class NameFinder:
    """Finds names of labels as whole words, case and punctuation aside.

    Of a name with facets (``implemented-in::perl``, ``Sports > Chess``) the last part counts as a name too.

    Args:
        names: One a label.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._labels: dict[tuple[str, ...], list[int]] = {}
        for label, name in enumerate(names):
            for phrase in {tuple(words(name)), tuple(words(_FACET.split(name)[-1]))}:
                if 0 < len(phrase) <= LONGEST_NAME:
                    self._labels.setdefault(phrase, []).append(label)
        self._lengths: dict[str, set[int]] = {}
        for phrase in self._labels:
            self._lengths.setdefault(phrase[0], set()).add(len(phrase))

    def find(self, text: str) -> frozenset[int]:
        """The labels that the text names."""
        found = words(text)
        return frozenset(
            label
            for place, word in enumerate(found)
            if word in self._lengths
            for length in self._lengths[word]
            for label in self._labels.get(tuple(found[place : place + length]), ())
        )


def label_names(data: TaskData) -> LabelNames:
    """Look for names of labels in texts; linear in words, whatever the number of labels."""
    finder = NameFinder(data.labels.names)
    samples = [sampled(documents, MOST_READ) for _, documents in data.splits()]
    rows = [
        (finder.find(text), frozenset(labels))
        for documents in samples
        for text, labels in zip(documents.texts, documents.labels, strict=True)
        if labels
    ]
    named, labels = [row[0] for row in rows], [row[1] for row in rows]
    return LabelNames(
        documents=len(rows),
        own=_share_naming(named, labels),
        chance=_chance(named, labels),
        labels=_telling(named, labels, data.labels.names),
    )


def _share_naming(named: Sequence[frozenset[int]], labels: Sequence[frozenset[int]]) -> float:
    hits = sum(not found.isdisjoint(row) for found, row in zip(named, labels, strict=True))
    return hits / max(1, len(named))


def _chance(named: Sequence[frozenset[int]], labels: Sequence[frozenset[int]]) -> float:
    """The same with labels of other documents: those further down the order of hashed ids, as if by chance."""
    size = len(named)
    steps = {max(1, size * step // (_SHIFTS + 1)) for step in range(1, _SHIFTS + 1)} if size > 1 else set()
    shares = [_share_naming(named, [*labels[step:], *labels[:step]]) for step in sorted(steps)]
    return sum(shares) / max(1, len(shares))


def _telling(
    named: Sequence[frozenset[int]], labels: Sequence[frozenset[int]], names: Sequence[str]
) -> list[NamedLabel]:
    """The labels that most documents name beyond what the others would lead one to expect."""
    having = Counter(label for row in labels for label in row)
    naming = Counter(label for found in named for label in found)
    both = Counter(label for found, row in zip(named, labels, strict=True) for label in found & row)
    rows = [
        NamedLabel(
            name=names[label],
            documents=having[label],
            own=both[label] / having[label],
            others=(naming[label] - both[label]) / max(1, len(labels) - having[label]),
        )
        for label in both
    ]
    telling = [row for row in rows if row.own > row.others]
    return sorted(telling, key=lambda row: (-(row.own - row.others) * row.documents, row.name))[:SHOWN_LABELS]
