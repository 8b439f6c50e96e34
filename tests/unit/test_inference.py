"""Prediction in batches: in order, counted, warmed up without a trace, and sparse where labels are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from bench import inference as module
from bench.encoding import Encoded, Padded
from bench.inference import Inference, predict_in_batches, predict_scores
from bench.method import Context, QuietInstruments
from bench.prediction import Scores, TopScores, rank


@dataclass
class Counter(QuietInstruments):
    counted: list[tuple[int, int | None, int]] = field(default_factory=list)
    warm: list[int] = field(default_factory=list)
    tokenised: list[list[str]] = field(default_factory=list)
    tokenised_before_warm: int = 0

    @property
    def window(self) -> Counter:
        return self

    def count(self, documents: int, tokens: int | None = None, padding: int = 0) -> None:
        self.counted.append((documents, tokens, padding))

    def warmed_up(self) -> None:
        self.warm.append(len(self.counted))
        self.tokenised_before_warm = len(self.tokenised)


@pytest.fixture
def context(make_context: Callable[..., Context]) -> Context:
    return replace(make_context(None, n_labels=3), instruments=Counter())


def lengths(told: Counter, forward: Callable[[Padded], Any], size: int = 2) -> Inference[Any]:
    """A document's tokens are sevens, as many as it has letters, at most nine."""

    def tokenise(texts: Sequence[str]) -> Encoded:
        told.tokenised.append(list(texts))
        return Encoded([[7] * min(9, len(text)) for text in texts], sum(len(text) > 9 for text in texts))

    return Inference(tokenise, forward, filler=0, size=size)


def test_predictions_come_back_in_order(context: Context) -> None:
    seen: dict[int, int] = {}
    widths = []

    def forward(batch: Padded) -> list[int]:
        widths.append(batch.ids.shape[1])
        return [int(length) for length in batch.mask.sum(1)]

    told: Any = context.instruments
    texts = ["a" * length for length in (3, 1, 10, 4, 4, 2)]
    with context.phase("validate"):
        for chosen, outcome in predict_in_batches(texts, lengths(told, forward), context):
            seen.update(zip(chosen, outcome, strict=True))
    assert [seen[n] for n in range(6)] == [3, 1, 9, 4, 4, 2]
    assert widths == [9, 4, 2]
    assert told.counted == [(2, 13, 5), (2, 7, 1), (2, 3, 1)]
    assert told.warm == []
    assert [(p.phase, p.step, p.total) for p in told.progressed] == [("validate", done, 6) for done in (2, 4, 6)]
    assert told.facts == {"truncated_share_validate": pytest.approx(1 / 6), "predict_batch": 2}


def test_warm_up_is_counted_apart_and_leaves_no_trace(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a" * (1 + number % 20) for number in range(40)]
    outcomes: list[Any] = []
    for least in (32, 41):
        told = Counter()
        monkeypatch.setattr(module, "WARM_UP_FROM", least)
        here = replace(context, instruments=told)
        one_hot = Inference(
            lengths(told, len, 16).tokenise, lambda batch: batch.mask.sum(1, keepdim=True) + batch.ids[:, :3], 0, 16
        )
        outcomes.append((predict_scores(texts, one_hot, here), told))
    (warmed, told), (plain, cold) = outcomes
    np.testing.assert_array_equal(warmed.values, plain.values)
    assert (told.warm, cold.warm) == ([1], [])
    assert told.tokenised_before_warm == 1  # what is measured is tokenised inside the measured time
    assert told.tokenised[0] == sorted(texts, key=len)[16:24]
    assert told.counted[1:] == cold.counted
    assert sum(documents for documents, _, _ in cold.counted) == 40
    assert told.progressed == cold.progressed
    assert told.facts == cold.facts == {"truncated_share_predict": 11 * 2 / 40, "predict_batch": 16}


def test_many_labels_leave_only_the_best(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    table = torch.randn(10, 7, generator=torch.Generator().manual_seed(0))
    texts = ["a" * length for length in (3, 1, 9, 5, 4, 2, 5)]
    inference = lengths(Counter(), lambda batch: table[batch.mask.sum(1)])
    here = replace(context, task=replace(context.task, n_labels=7))
    dense = predict_scores(texts, inference, here)
    monkeypatch.setattr(module, "DENSE_LABELS", 6)
    monkeypatch.setattr(module, "RANKED", 3)
    best = predict_scores(texts, inference, here)
    assert isinstance(dense, Scores)
    assert isinstance(best, TopScores)
    assert isinstance(best.values, csr_matrix)
    assert best.values.has_sorted_indices
    assert best.values.data.dtype == np.float32
    expected, found = rank(dense, 3), rank(best, 3)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.scores, expected.scores)
