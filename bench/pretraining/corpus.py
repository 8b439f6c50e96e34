"""The text that models are pretrained on: training documents of tasks, and nothing else of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.errors import UserError
from bench.task import Documents, TaskData


@dataclass(frozen=True)
class Corpus:
    """Text to learn from and text to measure by.

    Attributes:
        train: Distinct training documents, in the order of their ids.
        validation: Distinct validation documents, in the order of their ids; to measure by.
        tasks: Name → fingerprint of the tasks that they come from.
        left_out: Training documents left out, since a validation or test document has their id or their text.
    """

    train: Mapping[str, str]
    validation: Mapping[str, str]
    tasks: Mapping[str, str]
    left_out: int

    @property
    def fingerprint(self) -> str:
        """A hash of all ids and texts."""
        digest = hashlib.blake2b(digest_size=16)
        for split in (self.train, self.validation):
            for id_, text in split.items():
                digest.update(f"{id_}\0{text}\0".encode())
            digest.update(b"\1")
        return digest.hexdigest()


def gather(tasks: Mapping[str, TaskData]) -> Corpus:
    """The corpus of some tasks.

    Raises:
        UserError: They leave nothing to learn from, or nothing to measure by.
    """
    held_out = [data.validation for data in tasks.values()] + [data.test for data in tasks.values()]
    ids = {id_ for documents in held_out for id_ in documents.ids}
    texts = {text for documents in held_out for text in documents.texts}
    every = _distinct(data.train for data in tasks.values())
    train = {id_: text for id_, text in every.items() if id_ not in ids and text not in texts}
    validation = _distinct(data.validation for data in tasks.values())
    for name, split in (("training", train), ("validation", validation)):
        if not split:
            raise UserError(f"{', '.join(tasks)}: there is no {name} document to pretrain with")
    fingerprints = {name: data.fingerprint() for name, data in tasks.items()}
    return Corpus(train, validation, fingerprints, len(every) - len(train))


def _distinct(splits: Iterable[Documents]) -> dict[str, str]:
    """Id → text, each id and each text once."""
    found: dict[str, str] = {}
    for documents in splits:
        for id_, text in zip(documents.ids, documents.texts, strict=True):
            found.setdefault(id_, text)
    owners: dict[str, str] = {}
    for id_ in sorted(found):
        owners.setdefault(found[id_], id_)
    return {id_: text for text, id_ in owners.items()}
