"""Held-out texts that are nearly equal to one of an earlier split: MinHash proposes, the true similarity decides."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from bench.audit.duplicates import Twin, shared_of
from bench.audit.facts import NearDuplicates, Pair
from bench.audit.texts import key, sampled, words
from bench.task import Documents, TaskData

THRESHOLD = 0.8
SHINGLE_WORDS = 3
PERMUTATIONS = 128
MOST_QUERIED = 10_000
"""Held-out documents of a split that are compared, those whose hashed ids come first."""

MOST_COMPARED = 2_000
"""Times that a held-out document is compared in full, so that letters from one template cost no millions of looks."""

_BANDS, _ROWS = 21, 6  # propose 99.8 % of the pairs at the threshold: 1 - (1 - 0.8^6)^21
_MARGIN = 0.12  # over three standard errors of an estimate from 128 permutations
_TOLD_EVERY = 10_000


@dataclass(frozen=True)
class Document:
    """One document, by itself.

    Attributes:
        split: Its split.
        id: Its id.
        text: Its text.
        labels: Its labels.
    """

    split: str
    id: str
    text: str
    labels: frozenset[int]


class Index:
    """Held-out documents that are compared with earlier ones, and the best twin of each.

    Args:
        documents: Those to compare; texts without words are nobody's near duplicate.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        import numpy as np
        from datasketch import MinHashLSH

        self._documents = documents
        self._twins: dict[int, Twin] = {}
        self._compared = np.zeros(len(documents), dtype=np.int64)
        self._wanted = np.full(len(documents), THRESHOLD)
        self._signatures = np.zeros((len(documents), PERMUTATIONS), dtype=np.uint32)
        self._lsh = MinHashLSH(num_perm=PERMUTATIONS, params=(_BANDS, _ROWS))
        for place, (_, signature) in enumerate(_signed(documents)):
            self._signatures[place] = signature.hashvalues
            if not signature.is_empty():
                self._lsh.insert(place, signature)

    def compare(self, earlier: Document, signature: Any) -> None:
        """Keep an earlier document as the twin of those that are like no other so much."""
        places = [place for place in self._lsh.query(signature) if self._documents[place].split != earlier.split]
        likely = self._likely(sorted(places), signature)
        if not likely:
            return
        shingles = set(_shingles(earlier.text))
        for place in likely:
            self._compare(place, earlier, shingles)

    def twins(self, split: str) -> list[Twin]:
        """The best twin of each document of a split that has any."""
        return [twin for place, twin in self._twins.items() if self._documents[place].split == split]

    def given_up(self, split: str) -> int:
        """Documents of a split without a twin that were not compared with all that were proposed."""
        return sum(
            place not in self._twins and int(self._compared[place]) == MOST_COMPARED
            for place, document in enumerate(self._documents)
            if document.split == split
        )

    def _likely(self, places: Sequence[int], signature: Any) -> list[int]:
        """Those whose estimated similarity is not far below the best so far, or below the threshold."""
        if not places or signature.is_empty():
            return []
        estimates = (self._signatures[places] == signature.hashvalues).mean(axis=1)
        near = estimates >= self._wanted[places] - _MARGIN
        return [place for place, likely in zip(places, near, strict=True) if likely]

    def _compare(self, place: int, earlier: Document, shingles: set[bytes]) -> None:
        held_out = self._documents[place]
        similarity = _jaccard(shingles, set(_shingles(held_out.text)))
        found = Twin(Pair(ids=(held_out.id, earlier.id), similarity=similarity), held_out.labels != earlier.labels)
        if similarity >= THRESHOLD and (place not in self._twins or _closeness(found) > _closeness(self._twins[place])):
            self._twins[place] = found
            self._wanted[place] = similarity
        self._compared[place] += 1
        if self._compared[place] == MOST_COMPARED:
            self._lsh.remove(place)


def near_duplicates(data: TaskData, say: Callable[[str], None]) -> NearDuplicates:
    """Compare held-out documents with every document of the splits before theirs.

    The held-out ones are indexed and the others stream past, so that memory does not grow with the training split;
    time grows with the number of shingles. Equal texts are left to :func:`bench.audit.duplicates.duplicates`.

    Args:
        data: The task.
        say: Told now and then how far it is.
    """
    held_out = {split: sampled(documents, MOST_QUERIED) for split, documents in data.splits() if split != "train"}
    index = Index(list(_without_equal(data, held_out)))
    earlier = [*_one_by_one("train", data.train), *_one_by_one("validation", data.validation)]
    for number, (document, signature) in enumerate(_signed(earlier), start=1):
        index.compare(document, signature)
        if number % _TOLD_EVERY == 0:
            say(f"near duplicates: compared {number:,} of {len(earlier):,} documents")
    given_up = {split: index.given_up(split) for split in held_out}
    looked_at = {split: len(documents) - given_up[split] for split, documents in held_out.items()}
    return NearDuplicates(
        threshold=THRESHOLD,
        shingle_words=SHINGLE_WORDS,
        permutations=PERMUTATIONS,
        looked_at=looked_at,
        shared={split: shared_of(index.twins(split), count) for split, count in looked_at.items()},
        given_up=given_up,
    )


def _without_equal(data: TaskData, held_out: Mapping[str, Documents]) -> Iterator[Document]:
    """The held-out documents whose very text is in no earlier split."""
    known = {key(text) for text in data.train.texts}
    for split, documents in held_out.items():
        yield from (each for each in _one_by_one(split, documents) if key(each.text) not in known)
        known.update(key(text) for text in getattr(data, split).texts)


def _one_by_one(split: str, documents: Documents) -> list[Document]:
    """The documents by id, so that their order in the task plays no part."""
    rows = zip(documents.ids, documents.texts, documents.labels, strict=True)
    return [Document(split, id_, text, frozenset(labels)) for id_, text, labels in sorted(rows, key=itemgetter(0))]


def _signed(documents: Sequence[Document]) -> Iterator[tuple[Document, Any]]:
    """Each document with its MinHash."""
    from datasketch import MinHash

    shingles = (_shingles(document.text) for document in documents)
    # CRC-32 is the fastest hash at hand; datasketch mixes its bits before it permutes them.
    signatures = MinHash.generator(shingles, num_perm=PERMUTATIONS, hashfunc=zlib.crc32)
    return zip(documents, signatures, strict=True)


def _shingles(text: str) -> list[bytes]:
    """Each run of so many words, or the whole text where it has fewer; nothing where it has no word."""
    found = words(text)
    if len(found) < SHINGLE_WORDS:
        return [" ".join(found).encode()] if found else []
    return [" ".join(run).encode() for run in zip(*(found[i:] for i in range(SHINGLE_WORDS)), strict=False)]


def _closeness(twin: Twin) -> tuple[float, bool]:
    """What makes one twin better than another: the more alike, then the one with the same labels."""
    return twin.pair.similarity, not twin.other_labels


def _jaccard(one: set[bytes], other: set[bytes]) -> float:
    return len(one & other) / len(one | other)
