"""Small tasks with nothing wrong in them, to put something wrong into."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bench.audit.duplicates import duplicates
from bench.audit.facts import Audit
from bench.audit.sizes import sizes
from bench.task import Documents, LabelSpace, TaskData

LABELS = ("billing", "network", "printer")


def some_text(seed: object, length: int = 40) -> str:
    """Words by chance, of a vocabulary in which no two long texts are alike."""
    rng = random.Random(str(seed))
    return " ".join(f"w{rng.randrange(5000)}" for _ in range(length))


def some_documents(split: str, count: int, n_labels: int = 3, **columns: Any) -> Documents:
    """Documents of one split, one label each in turns; ``texts`` and ``labels`` replace the first ones."""
    texts = [some_text(f"{split}{i}") for i in range(count)]
    labels = [[i % n_labels] for i in range(count)]
    for i, text in enumerate(columns.get("texts", ())):
        texts[i] = text
    for i, row in enumerate(columns.get("labels", ())):
        labels[i] = row
    return Documents([f"{split}-{i:03d}" for i in range(count)], texts, labels)


def sound(**parts: Any) -> TaskData:
    """A task without a finding; ``parts`` replace fields of it."""
    data = TaskData(
        some_documents("train", 60),
        some_documents("validation", 40),
        some_documents("test", 40),
        LabelSpace(LABELS),
        "single",
    )
    return replace(data, **parts)


def audit_of(data: TaskData, **parts: Any) -> Audit:
    """Sizes and exact duplicates as measured, and other parts as given."""
    return Audit(fingerprint=data.fingerprint(), sizes=sizes(data), duplicates=duplicates(data), **parts)


def shuffled(data: TaskData, seed: int) -> TaskData:
    """The same documents in another order within each split."""
    rng = random.Random(seed)
    return replace(data, **{split: documents.take(_order(len(documents), rng)) for split, documents in data.splits()})


def _order(size: int, rng: random.Random) -> list[int]:
    return rng.sample(range(size), size)


def edited(text: str, places: Iterable[int]) -> str:
    """The text with other words at these places."""
    words = text.split()
    for place in places:
        words[place] = f"edited{place}"
    return " ".join(words)
