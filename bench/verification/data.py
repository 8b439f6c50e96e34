"""Sixteen documents that anyone can tell apart, made here, so that verifying needs no task and takes no time."""

from __future__ import annotations

from dataclasses import replace

from bench.task import Documents, Kind, LabelSpace, TaskData

LABELS = ("sailing", "baking", "chess", "rockets")
"""The labels of the documents; :func:`with_unseen_label` adds one more."""

_WORDS = (
    "harbour anchor mast rudder keel breeze",
    "oven flour yeast dough crust sugar",
    "pawn knight bishop castle checkmate opening",
    "orbit launch booster engine countdown capsule",
)
_PAIRS = ((0, 1), (1, 2), (2, 3), (3, 0))
_SIZES = {"train": 16, "validation": 8, "test": 8}
_FEW_UNSEEN = ("Привет, как дела?", "東京は日本の首都です。", "مرحبا بالعالم", "नमस्ते दुनिया", "🚀🚀🚀")

ODD_TEXTS = {
    "a single character": "a",
    "a single sign": "?",
    "a very long text": "harbour anchor oven flour " * 5_000,
    "words that no training document has": "quixotic zephyrs vex jumbled glyphs",
    "a text with control characters": "pawn\x00knight\tbishop\r\n\x1f castle",
    **{f"the non-Latin text {text}": text for text in _FEW_UNSEEN},
}
"""What it is → a text that some document of the world looks like."""


def documents_of(kind: Kind) -> TaskData:
    """Four topics with words of their own.

    Single-label: every fourth document has the same label. Multi-label: every second document has one label, the
    others have two. Every label has training documents, every document has a label.
    """
    train, validation, test = (_split(name, size, kind) for name, size in _SIZES.items())
    return TaskData(train, validation, test, LabelSpace(LABELS), kind)


def with_unseen_label(data: TaskData) -> TaskData:
    """The same with one more label, which no document has."""
    return replace(data, labels=LabelSpace((*LABELS, "gardening")))


def with_unlabelled(data: TaskData) -> TaskData:
    """The same with no label on every fourth document of each split."""

    def bare(documents: Documents) -> Documents:
        return replace(documents, labels=[[] if i % 4 == 1 else row for i, row in enumerate(documents.labels)])

    return replace(data, train=bare(data.train), validation=bare(data.validation), test=bare(data.test))


def _split(name: str, size: int, kind: Kind) -> Documents:
    rows = [_labels(number, kind) for number in range(size)]
    texts = [_text(number, len(name), row) for number, row in enumerate(rows)]
    return Documents([f"{name}-{number}" for number in range(size)], texts, [list(row) for row in rows])


def _labels(number: int, kind: Kind) -> tuple[int, ...]:
    if kind == "multi" and number % 2:
        return tuple(sorted(_PAIRS[number // 2 % len(_PAIRS)]))
    return (number // 2 % len(LABELS),) if kind == "multi" else (number % len(LABELS),)


def _text(number: int, turn: int, labels: tuple[int, ...]) -> str:
    """Four of six words of each topic, others in every split; no two texts of a split are the same."""
    chosen = []
    for label in labels:
        words = _WORDS[label].split()
        start = number + turn
        chosen += [words[(start + step) % len(words)] for step in range(4)]
    return " and ".join(chosen) + " today" * (number // 4)
