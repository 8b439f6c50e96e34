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

MOST_CANDIDATES = 1000
"""Proposals a held-out document is good for, so that a thousand letters from one template cost no million looks."""

_BANDS, _ROWS = 21, 6  # propose 99.8 % of the pairs at the threshold: 1 - (1 - 0.8^6)^21
_LOWEST_ESTIMATE = THRESHOLD - 0.12  # over three standard errors of an estimate from 128 permutations
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
    """Held-out documents that wait for a near duplicate.

    Args:
        documents: Those to compare; texts without words are nobody's near duplicate.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        import numpy as np
        from datasketch import MinHashLSH

        self.documents = documents
        self.given_up = 0
        self._chances = [MOST_CANDIDATES] * len(documents)
        self._signatures = np.zeros((len(documents), PERMUTATIONS), dtype=np.uint32)
        self._lsh = MinHashLSH(num_perm=PERMUTATIONS, params=(_BANDS, _ROWS))
        for place, (_, signature) in enumerate(_signed(documents)):
            self._signatures[place] = signature.hashvalues
            if not signature.is_empty():
                self._lsh.insert(place, signature)

    def take_like(self, earlier: Document, signature: Any) -> Iterator[Twin]:
        """The documents that are near duplicates of one of an earlier split; they leave the index."""
        places = [place for place in self._lsh.query(signature) if self.documents[place].split != earlier.split]
        if not places or signature.is_empty():
            return
        shingles = set(_shingles(earlier.text))
        for place in self._likely(sorted(places), signature):
            held_out = self.documents[place]
            similarity = _jaccard(shingles, set(_shingles(held_out.text)))
            if similarity >= THRESHOLD:
                self._lsh.remove(place)
                ids = held_out.id, earlier.id
                yield Twin(Pair(ids=ids, similarity=similarity), held_out.labels != earlier.labels)
        self._tire(places)

    def _likely(self, places: Sequence[int], signature: Any) -> list[int]:
        """Those whose estimated similarity is not far below the threshold."""
        estimates = (self._signatures[places] == signature.hashvalues).mean(axis=1)
        return [place for place, estimate in zip(places, estimates, strict=True) if estimate >= _LOWEST_ESTIMATE]

    def _tire(self, places: Sequence[int]) -> None:
        """Take out what was proposed too often without being alike."""
        for place in places:
            self._chances[place] -= 1
            if self._chances[place] == 0 and place in self._lsh:
                self._lsh.remove(place)
                self.given_up += 1


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
    twins: dict[str, list[Twin]] = {split: [] for split in held_out}
    split_of = {document.id: document.split for document in index.documents}
    for number, (document, signature) in enumerate(_signed(earlier), start=1):
        for twin in index.take_like(document, signature):
            twins[split_of[twin.pair.ids[0]]].append(twin)
        if number % _TOLD_EVERY == 0:
            say(f"near duplicates: compared {number:,} of {len(earlier):,} documents")
    return NearDuplicates(
        threshold=THRESHOLD,
        shingle_words=SHINGLE_WORDS,
        permutations=PERMUTATIONS,
        looked_at={split: len(documents) for split, documents in held_out.items()},
        shared={split: shared_of(found, len(held_out[split])) for split, found in twins.items()},
        given_up=index.given_up,
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


def _jaccard(one: set[bytes], other: set[bytes]) -> float:
    return len(one & other) / len(one | other)
