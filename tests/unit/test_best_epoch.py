"""Which epoch's weights a fine-tune keeps, and when it stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from baselines.bert import Bert
from bench.errors import UserError
from bench.judging import Judge
from bench.method import Context, QuietInstruments
from bench.model import ResolvedModel
from bench.prediction import LabelSets, Scores
from bench.settings import resolve_settings
from bench.task import Documents, Kind, LabelSpace
from bench.training import Batch, FineTuneSettings, Fitting, fine_tune, validation_score

MakeContext = Callable[..., Context]


class Watched:
    """A linear layer in training, its weights written down at every validation."""

    def __init__(self, scores: Sequence[float | None]) -> None:
        self.network = torch.nn.Linear(8, 2)
        torch.nn.init.zeros_(self.network.weight)
        self.seen: list[torch.Tensor] = []
        self._scores = list(scores)

    def train(self, context: Context, **settings: Any) -> dict[str, Any]:
        given = {"epochs": len(self._scores), "batch_size": 4, "learning_rate": 0.1, **settings}
        fine_tune(self._fitting(), FineTuneSettings(**given), context)
        facts: dict[str, Any] = context.instruments.facts  # type: ignore[attr-defined]  # the quiet ones have facts
        return facts

    def _fitting(self) -> Fitting:
        def collate(chosen: Sequence[int]) -> Batch:
            inputs = {"x": torch.eye(8)[list(chosen)], "y": torch.tensor([one % 2 for one in chosen])}
            return Batch(inputs, len(chosen), len(chosen), 0, len(chosen))

        def loss(network: Any, batch: Any) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(network(batch["x"]), batch["y"], reduction="sum")

        return Fitting(self.network, [1] * 8, collate, loss, validate=self._validate)

    def _validate(self) -> float | None:
        assert not self.network.training
        self.seen.append(self.network.weight.detach().clone())
        return self._scores[len(self.seen) - 1]


@pytest.mark.parametrize(
    ("scores", "best"),
    [((0.3, 0.9, 0.5), 2), ((0.1, 0.2, 0.3), 3), ((0.4, 0.4, 0.4), 1), ((0.2, None, 0.1), 1), ((0.0, 0.0, -0.5), 1)],
)
def test_weights_of_the_best_epoch_are_kept(
    make_context: MakeContext, scores: Sequence[float | None], best: int
) -> None:
    watched = Watched(scores)
    facts = watched.train(make_context(None))
    assert torch.equal(watched.network.weight, watched.seen[best - 1])
    assert len({tuple(weights.ravel().tolist()) for weights in watched.seen}) == 3
    assert facts["best_epoch"] == best
    assert facts["final_epoch"] == 3
    assert facts["validation_curve"] == [(1, scores[0]), (2, scores[1]), (3, scores[2])]


def test_last_epoch_is_kept_where_the_metric_is_undefined(make_context: MakeContext) -> None:
    watched = Watched((None, None))
    facts = watched.train(make_context(None))
    assert torch.equal(watched.network.weight, watched.seen[1])
    assert "best_epoch" not in facts


def test_training_stops_when_patience_ends(make_context: MakeContext) -> None:
    watched = Watched((0.5, 0.4, 0.6, 0.5, 0.6, 0.9))
    facts = watched.train(make_context(None), patience=2)
    assert facts["final_epoch"] == len(watched.seen) == 5
    assert facts["steps"] == 5 * 2
    assert facts["best_epoch"] == 3
    assert torch.equal(watched.network.weight, watched.seen[2])


def test_patience_with_nothing_to_watch_is_refused() -> None:
    with pytest.raises(UserError, match="set keep=best"):
        resolve_settings(FineTuneSettings, {"patience": 1, "keep": "last"}, "bert")


def test_nothing_is_left_behind(make_context: MakeContext) -> None:
    context = make_context(None)
    Watched((0.1, 0.2)).train(context)
    assert not [path for path in context.scratch.rglob("*") if path.is_file()]


class Phases(QuietInstruments):
    """Writes down which phase each look at documents belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def phase(self, name: str) -> Any:
        self.opened.append(name)
        return super().phase(name)


def test_validation_is_a_phase_of_its_own_and_only_validation_documents_are_looked_at(
    tiny_model: Callable[..., ResolvedModel],
    make_context: MakeContext,
    sixteen: Callable[[Kind], Documents],
    labels: LabelSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = sixteen("single")
    train, held_out = documents.take(range(10)), documents.take(range(10, 16))
    context = replace(make_context(tiny_model("bert")), instruments=Phases())
    method = Bert(Bert.Config(epochs=3, batch_size=4, max_tokens=16, validation_sample=5))
    looked_at: list[list[str]] = []
    predict = method.predict
    monkeypatch.setattr(
        method, "predict", lambda texts, context: (looked_at.append(list(texts)), predict(texts, context))[1]
    )
    method.fit(train, held_out, labels, context)
    assert [len(texts) for texts in looked_at] == [5, 5, 5]
    assert {text for texts in looked_at for text in texts} <= set(held_out.texts)
    assert context.instruments.opened.count("validate") == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("settings", [{"keep": "last"}, {"epochs": 1}])
def test_nothing_is_validated_where_nothing_is_chosen(
    make_context: MakeContext, sixteen: Callable[[Kind], Documents], labels: LabelSpace, settings: dict[str, Any]
) -> None:
    documents, context = sixteen("single"), make_context(None)
    judge = Judge.of(documents, labels, "single")
    chosen = FineTuneSettings(**{"epochs": 2, **settings})
    assert validation_score(lambda *_: pytest.fail("asked"), documents, judge, chosen, context) is None
    assert validation_score(lambda *_: pytest.fail("asked"), documents.take([]), judge, chosen, context) is None


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_score_is_the_harness_s_own_metric(
    make_context: MakeContext, sixteen: Callable[[Kind], Documents], labels: LabelSpace, kind: Kind
) -> None:
    import numpy as np

    documents, context = sixteen(kind), make_context(None, kind)
    judge = Judge.of(documents, labels, kind)
    gold = documents.label_matrix(4).toarray().astype(np.float32)
    half = gold.copy()
    half[::2] = 1 - half[::2]

    def score(values: Any) -> float | None:
        made = Scores(values) if kind == "single" else LabelSets([np.flatnonzero(row).tolist() for row in values], None)
        validate = validation_score(lambda *_: made, documents, judge, FineTuneSettings(), context)
        assert validate is not None
        return validate()

    assert score(gold) == 1.0
    assert score(half) == pytest.approx(0.5, abs=0.1)
