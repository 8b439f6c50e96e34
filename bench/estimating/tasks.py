"""How large tasks are and how long their texts: of the documents, where they are here, else as the task expects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.parquet import read_parquet
from bench.task import SPLITS, ExpectedSize, LabelSpace, Task, TaskProfile
from bench.task_cache import FrozenTask

SAMPLE = 1000
"""So many documents of a split are read, evenly spread over it."""


@dataclass(frozen=True)
class TaskSize:
    """A task in numbers.

    Attributes:
        task: Name, kind and size of the label space.
        labels: The label space, or names as long as its own will be.
        documents: By split.
        labels_per_document: On average.
        texts: Some texts of each split; none where the documents are not here.
        words: Words of a text where there are none.
    """

    task: TaskProfile
    labels: LabelSpace
    documents: Mapping[str, int]
    labels_per_document: float
    texts: Mapping[str, Sequence[str]]
    words: int = 0

    @property
    def is_expected(self) -> bool:
        """Whether the documents are not here."""
        return not any(self.texts.values())

    def characters(self) -> float:
        """Characters of all documents, of six a word where there are no texts."""
        if self.is_expected:
            return 6.0 * self.words * sum(self.documents.values())
        return sum(
            self.documents[split] * sum(map(len, texts)) / max(1, len(texts)) for split, texts in self.texts.items()
        )


def size_of_frozen(name: str, frozen: FrozenTask) -> TaskSize:
    """The size of a task whose documents are here; a sample of them is read."""
    import pyarrow.compute as pc

    facts = frozen.facts
    table = read_parquet(frozen.folder / "documents.parquet", columns=["split", "text", "labels"])
    texts = {}
    for split in SPLITS:
        part = table.filter(pc.equal(table.column("split"), split)).column("text")
        step = max(1, len(part) // SAMPLE)
        texts[split] = part.take(list(range(0, len(part), step))[:SAMPLE]).to_pylist()
    labelled = int(pc.sum(pc.list_value_length(table.column("labels"))).as_py() or 0)
    return TaskSize(
        TaskProfile(name, facts.kind, facts.n_labels, facts.primary_metric),
        LabelSpace(tuple(json.loads((frozen.folder / "labels.json").read_text("utf-8"))["names"])),
        facts.documents,
        max(1.0, labelled / max(1, table.num_rows)),
        texts,
    )


def size_expected(task: Task) -> TaskSize | None:
    """The size that a task expects, its limits applied; None where it does not know."""
    expected = task.expected()
    if expected is None:
        return None
    limits = task.config.limits()
    documents = {split: min(count, limits.get(split) or count) for split, count in expected.documents.items()}
    return TaskSize(
        TaskProfile(task.name, expected.kind, expected.n_labels, "micro_f1"),
        stand_ins(expected),
        documents,
        expected.labels_per_document,
        dict.fromkeys(SPLITS, ()),
        expected.words,
    )


def stand_ins(expected: ExpectedSize) -> LabelSpace:
    """Labels of which nothing is right but their number and, about, the length of their names."""
    return LabelSpace((expected.label, *(f"{expected.label}{number}" for number in range(1, expected.n_labels))))


def token_lengths(size: TaskSize, tokenizer: Any) -> dict[str, list[int]]:
    """By split, the tokens of some documents, as a tokenizer cuts them; of expected documents all are alike."""
    if size.is_expected:
        return {split: [round(size.words * TOKENS_A_WORD)] for split in SPLITS}
    return {
        split: [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]]
        for split, texts in size.texts.items()
    }


TOKENS_A_WORD = 1.5
"""Tokens of a word between blanks, where no tokenizer is here: English takes 1.3, names, codes and formulas more."""


class WordCounter:
    """Stands for a tokenizer that is not here: so many tokens as the words of a text lead one to expect.

    It does what methods ask of one when they describe their work; its ids mean nothing.
    """

    chat_template = None
    bos_token_id = None
    eos_token_id = 0
    pad_token_id = 0
    unk_token_id = 0
    model_max_length = 1_000_000
    added_tokens_decoder: ClassVar[Mapping[int, Any]] = {}

    def __call__(self, text: str | Sequence[str], **_: Any) -> dict[str, Any]:
        """Ids of a text, or of several."""
        if isinstance(text, str):
            return {"input_ids": self._ids(text)}
        return {"input_ids": [self._ids(one) for one in text]}

    def _ids(self, text: str) -> list[int]:
        return [1] * max(1 if text else 0, round(len(text.split()) * TOKENS_A_WORD))
