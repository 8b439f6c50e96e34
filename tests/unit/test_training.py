"""The shared fine-tuning run: what it counts, where it writes, what it says, and what its outcome depends on."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from baselines.bert import Bert
from bench.encoding import SLICE, affixes, by_length, encode, load_tokenizer, pad
from bench.errors import UserError
from bench.method import Context, QuietInstruments
from bench.model import ResolvedModel
from bench.seeds import Seeds
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace
from bench.training import Batch, FineTuneSettings, Fitting, fine_tune


@dataclass(frozen=True)
class ChosenSeeds(Seeds):
    """Seeds of which some are given."""

    chosen: dict[str, int] = field(default_factory=dict)

    def of(self, purpose: str) -> int:
        return self.chosen.get(purpose, super().of(purpose))


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

    def recalled(self) -> None:
        pass


@pytest.fixture
def fitted(
    tiny_model: Callable[..., ResolvedModel],
    make_context: Callable[..., Context],
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
) -> Callable[..., tuple[Bert, Context, Any]]:
    def fit(
        seeds: Seeds | None = None, dropout: float = 0.0, train: Documents | None = None, **settings: Any
    ) -> tuple[Bert, Context, Any]:
        context = replace(make_context(tiny_model("bert", dropout), seeds=seeds), instruments=Counter())
        method = Bert(Bert.Config(**{"batch_size": 4, "max_tokens": 9, "keep": "last", **settings}))
        with context.phase("train"):
            method.fit(train or sixteen("single"), sixteen("single"), labels, context)
        return method, context, context.instruments

    return fit


def test_every_document_is_counted_once_an_epoch(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents], capfd: pytest.CaptureFixture[str]
) -> None:
    method, context, told = fitted(epochs=10, gradient_accumulation=2)
    assert sum(documents for documents, _, _ in told.counted) == 160
    assert {documents for documents, _, _ in told.counted} == {4}
    assert told.warm == [0, 4]  # before the first step; then after a tenth of forty steps
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


@pytest.mark.parametrize(("epochs", "warm"), [(1, [0, 1]), (20, [0, 5])])
def test_set_up_and_first_steps_are_no_training_speed(fitted: Callable[..., Any], epochs: int, warm: list[int]) -> None:
    assert fitted(epochs=epochs)[2].warm == warm


def test_a_single_step_is_no_warm_up(fitted: Callable[..., Any]) -> None:
    assert fitted(epochs=1, batch_size=16)[2].warm == [0]


def test_unequal_parts_of_a_batch_learn_the_same_as_the_whole(
    fitted: Callable[..., Any], sixteen: Callable[[Kind], Documents]
) -> None:
    documents = sixteen("single")
    train = documents.take([*range(16), 0, 5])  # the last batch of an epoch has six of them: four and two
    outcomes = []
    for parts in (1, 3):
        method, _, told = fitted(train=train, epochs=3, batch_size=12, gradient_accumulation=parts, learning_rate=1e-3)
        outcomes.append((told.facts["loss_curve"], weights(method)))
    (curve, whole), (curve_of_parts, of_parts) = outcomes
    np.testing.assert_allclose(curve, curve_of_parts, atol=1e-5)
    np.testing.assert_allclose(whole, of_parts, atol=1e-5)
    assert len(curve) == 6


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
        curves.append(fitted(Seeds(seed), dropout=0.2, epochs=2)[2].facts["loss_curve"])
    assert curves[0] == curves[1] != curves[2]


def test_order_of_documents_follows_its_own_seed(make_context: Callable[..., Context]) -> None:
    def order(**seeds: int) -> list[int]:
        seen: list[int] = []
        fine_tune(
            linear(seen), FineTuneSettings(epochs=2, batch_size=4), make_context(None, seeds=ChosenSeeds(0, seeds))
        )
        return seen

    first = order(order=1, dropout=1)
    assert sorted(first) == sorted([*range(64)] * 2)
    assert order(order=1, dropout=2) == first
    assert order(order=2, dropout=1) != first


def test_dropout_follows_its_own_seed(make_context: Callable[..., Context]) -> None:
    def curve(**seeds: int) -> Any:
        context = make_context(None, seeds=ChosenSeeds(0, seeds))
        fine_tune(linear([], dropout=0.5), FineTuneSettings(epochs=1, batch_size=4), context)
        return context.instruments.facts["loss_curve"]  # type: ignore[attr-defined]  # the quiet ones have facts

    first = curve(order=1, dropout=1)
    assert curve(order=1, dropout=1) == first
    assert curve(order=1, dropout=2) != first


def test_document_budget_beyond_the_model_is_refused(fitted: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="set it to 510 or less"):
        fitted(max_tokens=511)


def test_unequal_parts_are_refused() -> None:
    with pytest.raises(UserError, match="no multiple"):
        resolve_settings(FineTuneSettings, {"batch_size": 16, "gradient_accumulation": 3}, "bert")


def test_a_batch_that_devices_cannot_share_is_refused(make_context: Callable[..., Context]) -> None:
    context = replace(make_context(None), processes=3)
    with pytest.raises(UserError, match="cannot be shared equally by 3 devices"):
        fine_tune(linear([]), FineTuneSettings(batch_size=16, gradient_accumulation=2), context)


def test_head_has_a_learning_rate_of_its_own(fitted: Callable[..., Any]) -> None:
    import torch

    before = fitted(epochs=1, learning_rate=1e-12, head_learning_rate=1e-12)[0]._network.state_dict()
    after = fitted(epochs=1, learning_rate=1e-12, head_learning_rate=1e-2)[0]._network.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.allclose(before[name], after[name], atol=1e-5)}
    assert moved == {"classifier"}


class Row(list[int]):
    """A list that can be followed until it is dropped."""


def test_only_one_slice_of_untruncated_texts_is_held() -> None:
    most = 0

    class Tokenizer:
        bos_token_id = eos_token_id = unk_token_id = None
        added_tokens_decoder: ClassVar[dict[int, Any]] = {}

        def __call__(self, texts: list[str], **_: Any) -> dict[str, list[Row]]:
            nonlocal most
            rows = [Row([int(text)] * 5) for text in texts]
            refs.extend(weakref.ref(row) for row in rows)
            most = max(most, sum(ref() is not None for ref in refs))
            return {"input_ids": rows}

    tokenizer = Tokenizer()
    refs: list[weakref.ref[Row]] = []
    texts = [str(number) for number in range(2 * SLICE + 1)]
    encoded = encode(tokenizer, texts, 2)
    assert encoded.rows == [[number] * 2 for number in range(len(texts))]
    assert encoded.truncated_share == 1
    assert most == SLICE
    assert encode(tokenizer, [], 2).rows == []


def test_affixes_and_padding(tiny_model: Callable[[str], ResolvedModel]) -> None:
    bert, llama = (load_tokenizer(tiny_model(name).folder) for name in ("bert", "llama"))
    assert affixes(bert) == ([bert.cls_token_id], [bert.sep_token_id])
    assert affixes(llama) == ([llama.bos_token_id], [])
    padded = pad([[5], [6, 7, 8]], 0, "left")
    assert padded.ids.tolist() == [[0, 0, 5], [6, 7, 8]]
    assert padded.mask.tolist() == [[0, 0, 1], [1, 1, 1]]
    assert (padded.tokens, padded.padding) == (4, 2)
    assert list(by_length([[1], [1, 1], [1, 1, 1]], 2)) == [[2, 1], [0]]


def weights(method: Bert) -> Any:
    """All weights but the keys' biases: attention does not depend on them, so that rounding alone moves them."""
    return np.concatenate(
        [value.numpy().ravel() for name, value in method._network.state_dict().items() if "key.bias" not in name]
    )


def linear(seen: list[int], dropout: float = 0.0) -> Fitting:
    """Sixty-four examples for a linear layer of fixed weights; ``seen`` is told their order."""
    import torch

    network = torch.nn.Sequential(torch.nn.Dropout(dropout), torch.nn.Linear(64, 2))
    torch.nn.init.constant_(network[1].weight, 0.5)
    torch.nn.init.zeros_(network[1].bias)

    def collate(chosen: Any) -> Batch:
        seen.extend(chosen)
        inputs = {"x": torch.eye(64)[list(chosen)] + 1, "y": torch.tensor([one % 2 for one in chosen])}
        return Batch(inputs, len(chosen), len(chosen), 0, len(chosen))

    def loss(network: Any, batch: Any) -> Any:
        return torch.nn.functional.cross_entropy(network(batch["x"]), batch["y"], reduction="sum")

    return Fitting(network, [1 + number % 5 for number in range(64)], collate, loss)
