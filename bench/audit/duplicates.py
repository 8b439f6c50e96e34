"""Texts that are equal but for case and whitespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.audit.facts import Duplicates, Pair, Shared
from bench.audit.texts import key
from bench.task import SPLITS, TaskData

EXAMPLES = 5


@dataclass(frozen=True, order=True)
class Copy:
    """A document whose text stands elsewhere too; copies are ordered by split, then by id.

    Attributes:
        key: What its text has in common with the others.
        split: Position of its split in :data:`bench.task.SPLITS`.
        id: Its id.
        labels: Its labels, ascending.
    """

    key: bytes
    split: int
    id: str
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Twin:
    """A held-out document with one of an earlier split that is like it.

    Attributes:
        pair: Both, the held-out one first.
        other_labels: Whether their labels differ; of equal texts, whether no earlier copy has the document's labels.
    """

    pair: Pair
    other_labels: bool


def duplicates(data: TaskData) -> Duplicates:
    """Find them, within splits and across; linear in documents."""
    groups = [list(group) for _, group in groupby(sorted(_copies(data)), key=lambda copy: copy.key)]
    splits = dict(data.splits())
    shared = {
        split: shared_of((twin for group in groups for twin in _twins(group, place)), len(splits[split]))
        for place, split in enumerate(SPLITS)
        if place
    }
    mixed = [group for group in groups if len({copy.labels for copy in group}) > 1]
    return Duplicates(
        repeated={split: sum(_repeats(group, place) for group in groups) for place, split in enumerate(SPLITS)},
        shared=shared,
        conflicting=sum(map(len, mixed)),
        conflicts=_examples(_conflict(group) for group in mixed),
    )


def shared_of(found: Iterable[Twin], documents: int) -> Shared:
    """Count held-out documents that have a twin.

    Args:
        found: One twin of each that has any.
        documents: How many held-out documents were looked at.
    """
    twins = list(found)
    return Shared(
        documents=len(twins),
        share=len(twins) / max(1, documents),
        other_labels=sum(twin.other_labels for twin in twins),
        examples=_examples(twin.pair for twin in twins),
    )


def keys(data: TaskData) -> dict[str, list[bytes]]:
    """The key of every text, by split."""
    return {split: [key(text) for text in documents.texts] for split, documents in data.splits()}


def _copies(data: TaskData) -> Iterator[Copy]:
    found = keys(data)
    counts = Counter(each for split in found.values() for each in split)
    for place, (split, documents) in enumerate(data.splits()):
        for position, each in enumerate(found[split]):
            if counts[each] > 1:
                yield Copy(each, place, documents.ids[position], tuple(sorted(documents.labels[position])))


def _twins(group: Sequence[Copy], split: int) -> Iterator[Twin]:
    """The documents of a split, each with its first earlier copy, one of the same labels if there is any."""
    earlier = [copy for copy in group if copy.split < split]
    alike = {copy.labels: copy for copy in reversed(earlier)}
    for copy in group if earlier else ():
        if copy.split == split:
            twin = alike.get(copy.labels, earlier[0])
            yield Twin(Pair(ids=(copy.id, twin.id)), copy.labels != twin.labels)


def _repeats(group: Sequence[Copy], split: int) -> int:
    return max(0, sum(copy.split == split for copy in group) - 1)


def _conflict(group: Sequence[Copy]) -> Pair:
    other = next(copy for copy in group if copy.labels != group[0].labels)
    return Pair(ids=(group[0].id, other.id))


def _examples(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: pair.ids)[:EXAMPLES]
