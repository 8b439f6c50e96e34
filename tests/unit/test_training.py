"""The shared fine-tuning run: what it counts, where it writes, what it says, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from baselines.bert import Bert
from bench.encoding import affixes, by_length, encode, load_tokenizer, pad
from bench.errors import UserError
from bench.method import Context, QuietInstruments
from bench.model import ResolvedModel
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace
from bench.training import FineTuneSettings, classification_loss, predict_in_batches


@dataclass
class Counter(QuietInstruments):
    counted: list[tuple[int, int | None, int]] = field(default_factory=list)
    warm: list[int] = field(default_factory=list)

    @property
    def window(self) -> Counter:
        return self

    def count(self, documents: int, tokens: int | None = None, padding: int = 0) -> None:
        self.counted.append((documents, tokens, padding))

    def warmed_up(self) -> None:
        self.warm.append(len(self.counted))


@pytest.fixture
def fitted(
    tiny_model: Callable[[str], ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., tuple[Bert, Context, Any]]:
    def fit(seed: int = 0, **settings: Any) -> tuple[Bert, Context, Any]:
        context = replace(make_context(tiny_model("bert"), seed=seed), instruments=Counter())
        method = Bert(Bert.Config(**{"batch_size": 4, "max_tokens": 9, **settings}))
        method.fit(sixteen("single"), sixteen("single"), labels, context)
        return method, context, context.instruments

    return fit


def test_every_document_is_counted_once_an_epoch(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents], capfd: pytest.CaptureFixture[str]
) -> None:
    method, context, told = fitted(epochs=10, gradient_accumulation=2)
    assert sum(documents for documents, _, _ in told.counted) == 160
    assert {documents for documents, _, _ in told.counted} == {2}
    assert told.warm == [2 * 4]  # two parts a step, and a tenth of forty steps
    facts = told.facts
    assert (facts["steps"], facts["micro_batch"], facts["gradient_accumulation"]) == (40, 2, 2)
    tokens, padding = (sum(row[place] for row in told.counted) for place in (1, 2))
    assert facts["padding_share"] == pytest.approx(padding / (tokens + padding))
    lengths = [len(row) for row in encode(method._tokenizer, sixteen("single").texts, 9).rows]
    assert tokens == 10 * sum(length + 2 for length in lengths)
    assert [step for step, _ in facts["loss_curve"]] == list(range(1, 41))
    assert [p.step for p in told.progressed if p.phase == "train"] == list(range(1, 41))
    assert capfd.readouterr().out == ""
    assert not [path for path in context.scratch.rglob("*") if path.is_file()]


def test_parts_of_a_batch_learn_the_same_as_the_whole(fitted: Callable[..., Any]) -> None:
    curves = []
    for parts in (1, 4):
        _, _, told = fitted(epochs=2, gradient_accumulation=parts, learning_rate=1e-9)
        curves.append([loss for _, loss in told.facts["loss_curve"]])
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)


def test_loss_curve_stays_short(fitted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.trainer.CURVE_POINTS", 7)
    _, _, told = fitted(epochs=5)
    curve = told.facts["loss_curve"]
    assert len(curve) <= 7
    assert curve[-1][0] == 20


def test_seeds_decide_and_nothing_else(fitted: Callable[..., Any]) -> None:
    import torch

    curves = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        curves.append(fitted(seed=seed, epochs=2)[2].facts["loss_curve"])
    assert curves[0] == curves[1] != curves[2]


def test_document_budget_beyond_the_model_is_refused(fitted: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="set it to 510 or less"):
        fitted(max_tokens=511)


def test_unequal_parts_are_refused() -> None:
    with pytest.raises(UserError, match="no multiple"):
        resolve_settings(FineTuneSettings, {"batch_size": 16, "gradient_accumulation": 3}, "bert")


def test_head_has_a_learning_rate_of_its_own(fitted: Callable[..., Any]) -> None:
    import torch

    before = fitted(epochs=1, learning_rate=1e-12, head_learning_rate=1e-12)[0]._network.state_dict()
    after = fitted(epochs=1, learning_rate=1e-12, head_learning_rate=1e-2)[0]._network.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.allclose(before[name], after[name], atol=1e-5)}
    assert moved == {"classifier"}


def test_predictions_come_back_in_order(make_context: Callable[..., Context]) -> None:
    context = replace(make_context(None), instruments=Counter())
    rows = [[7] * length for length in (3, 1, 9, 4, 4, 2)]
    seen: dict[int, int] = {}
    widths = []

    def forward(batch: Any) -> Any:
        widths.append(batch.ids.shape[1])
        return batch.mask.sum(1)

    for chosen, outcome in predict_in_batches(rows, forward, context, filler=0, size=2):
        seen.update(zip(chosen, outcome.tolist(), strict=True))
    assert [seen[n] for n in range(6)] == [3, 1, 9, 4, 4, 2]
    assert widths == [9, 4, 2]
    assert context.instruments.counted == [(2, 13, 5), (2, 7, 1), (2, 3, 1)]


def test_affixes_and_padding(tiny_model: Callable[[str], ResolvedModel]) -> None:
    bert, llama = (load_tokenizer(tiny_model(name).folder) for name in ("bert", "llama"))
    assert affixes(bert) == ([bert.cls_token_id], [bert.sep_token_id])
    assert affixes(llama) == ([llama.bos_token_id], [])
    padded = pad([[5], [6, 7, 8]], 0, "left")
    assert padded.ids.tolist() == [[0, 0, 5], [6, 7, 8]]
    assert padded.mask.tolist() == [[0, 0, 1], [1, 1, 1]]
    assert (padded.tokens, padded.padding) == (4, 2)
    assert list(by_length([[1], [1, 1], [1, 1, 1]], 2)) == [[2, 1], [0]]


def test_losses_match_their_formulas() -> None:
    import torch

    logits = torch.tensor([[2.0, -1.0], [0.5, 0.0]])
    p = torch.sigmoid(logits)
    targets = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    expected = -(p.log() * targets + (1 - p).log() * (1 - targets)).sum() / 2
    torch.testing.assert_close(classification_loss(logits, targets, "multi"), expected)
    chosen = -torch.log_softmax(logits, 1)[torch.arange(2), torch.tensor([0, 1])].mean()
    torch.testing.assert_close(classification_loss(logits, torch.tensor([0, 1]), "single"), chosen)
