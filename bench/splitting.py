"""Choosing documents by chance and yet evenly: splits and samples in which every label has its share.

Everything follows from ids and labels: neither the order of documents nor a generator's state plays a part.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

SplitName = Literal["train", "validation", "test"]
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Shares:
    """How much of the documents is held out.

    Attributes:
        validation: Share of the validation split, 0 to 1.
        test: Share of the test split, 0 to 1.
    """

    validation: float
    test: float = 0.0


def assign_splits(
    ids: Sequence[str], labels: Sequence[Sequence[int]], shares: Shares, groups: Sequence[str] | None = None
) -> list[SplitName]:
    """Assign each document to ``train``, ``validation`` or ``test``.

    Groups stay whole. Each label has the same share of every split, as near as its number of documents allows, where
    a document counts for the rarest of its labels. Groups that are larger than all that is to be held out are for
    training, unless every group is. Every label is on a document for training: groups that alone would show a label
    are taken back from the other splits.

    Args:
        ids: One unique id a document.
        labels: For each document the positions of its labels.
        shares: How much to hold out.
        groups: For each document the group that it must not be parted from; None: every document by itself.
    """
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups if groups is not None else ids):
        members.setdefault(group, []).append(position)
    names = sorted(members, key=id_hash)
    labels_of = {name: tuple({label for i in members[name] for label in labels[i]}) for name in names}
    wanted = (shares.validation + shares.test) * len(ids)
    small = [name for name in names if len(members[name]) <= wanted] or names
    places = even_places(
        small, rarest_labels([labels_of[name] for name in small]), [len(members[name]) for name in small]
    )
    split_of: dict[str, SplitName] = dict.fromkeys(names, "train")
    split_of |= {name: _split_at(place, shares) for name, place in zip(small, places, strict=True)}
    shown = {label for name in names if split_of[name] == "train" for label in labels_of[name]}
    for name in names:
        if not shown.issuperset(labels_of[name]):
            split_of[name] = "train"
            shown.update(labels_of[name])
    return [split_of[group] for group in (groups if groups is not None else ids)]


def sample(ids: Sequence[str], labels: Sequence[Sequence[int]], size: int) -> list[int]:
    """Positions, in order, of so many documents, with every label in its share; smaller samples are part of larger.

    A document counts for the rarest of its labels.
    """
    places = even_places(ids, rarest_labels(labels))
    order = sorted(range(len(ids)), key=lambda i: (places[i], id_hash(ids[i])))
    return sorted(order[:size])


def even_places(keys: Sequence[str], strata: Sequence[int], sizes: Sequence[int] | None = None) -> list[float]:
    """A place in [0, 1) for each key, such that every stretch holds each stratum in its share.

    The keys stand in line by stratum, size and hash; place i is the fractional part of i times the golden ratio, of
    which any run of consecutive members fills [0, 1) evenly (systematic sampling on an additive low-discrepancy
    sequence). A key is one step whatever its size: steps of 13 or 21 times the ratio would stay near one place.

    Args:
        keys: Unique.
        strata: The stratum of each.
        sizes: How many documents each stands for; 1 by default.
    """
    line = sorted(range(len(keys)), key=lambda i: (strata[i], sizes[i] if sizes is not None else 1, id_hash(keys[i])))
    places = [0.0] * len(keys)
    for step, i in enumerate(line):
        places[i] = (step + 0.5) * _GOLDEN % 1.0
    return places


def rarest_labels(rows: Sequence[Iterable[int]]) -> list[int]:
    """For each row the label that the fewest rows have, the lower position where equal; -1 where it has none."""
    distinct = [tuple(set(row)) for row in rows]  # a set takes four times the memory
    counts: Mapping[int, int] = Counter(label for row in distinct for label in row)
    return [min(row, key=lambda label: (counts[label], label), default=-1) for row in distinct]


def text_groups(texts: Iterable[str]) -> list[str]:
    """For each text a group that it shares with those that differ from it in white space alone."""
    plain = (" ".join(text.split()).encode("utf-8", "surrogatepass") for text in texts)
    return [hashlib.blake2b(text, digest_size=8).hexdigest() for text in plain]


def id_hash(id_: str) -> bytes:
    """Eight bytes that order ids as if by chance."""
    return hashlib.blake2b(id_.encode(), digest_size=8).digest()


def _split_at(place: float, shares: Shares) -> SplitName:
    if place < shares.test:
        return "test"
    return "validation" if place < shares.test + shares.validation else "train"
