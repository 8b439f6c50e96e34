"""A training run that was interrupted goes on as if it had not been."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.checkpoints import latest_checkpoint
from bench.method import Context, Progress, QuietInstruments
from bench.training import Batch, FineTuneSettings, Fitting, fine_tune

MakeContext = Callable[..., Context]
SETTINGS = {"epochs": 4, "batch_size": 4, "gradient_accumulation": 2, "learning_rate": 0.05, "scheduler": "cosine"}
STEPS = 4 * 5


class Interrupted(Exception):
    """Stands for a cell's end from outside."""


class Fuse(QuietInstruments):
    """Interrupts training at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def progress(self, progress: Progress) -> None:
        if progress.phase == "train" and progress.step == self._step:
            raise Interrupted


class Run:
    """A small network with dropout and a frozen part, in training; eighteen examples, five steps an epoch."""

    def __init__(self, context: Context, score: Callable[[torch.Tensor], float]) -> None:
        torch.manual_seed(5)
        self.network = torch.nn.Sequential(torch.nn.Linear(18, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))
        self.network[0].bias.requires_grad_(False)
        self._context = context
        self._score = score

    def train(self, **settings: Any) -> dict[str, Any]:
        fitting = Fitting(
            self.network,
            [1 + n % 5 for n in range(18)],
            self._collate,
            self._loss,
            validate=lambda: self._score(self.network[0].weight.detach()),
        )
        with self._context.phase("train"):
            fine_tune(fitting, FineTuneSettings(**{**SETTINGS, **settings}), self._context)
        facts: dict[str, Any] = self._context.instruments.facts  # type: ignore[attr-defined]
        return facts

    def weights(self) -> list[float]:
        return [value for weights in self.network.parameters() for value in weights.ravel().tolist()]

    @staticmethod
    def _collate(chosen: Sequence[int]) -> Batch:
        inputs = {"x": torch.eye(18)[list(chosen)], "y": torch.tensor([one % 2 for one in chosen])}
        return Batch(inputs, len(chosen), len(chosen), 0, len(chosen))

    @staticmethod
    def _loss(network: Any, batch: Any) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(network(batch["x"]), batch["y"], reduction="sum")


def by_chance(weights: torch.Tensor) -> float:
    """A score that follows from the weights and favours no epoch."""
    return float(weights.abs().sum() * 1000) % 1


def falling(weights: torch.Tensor) -> float:
    """A score that is lower after every epoch, as the weights grow."""
    return -float(weights.abs().sum())


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "step", [1, pytest.param(4, marks=SLOW), 5, *(pytest.param(n, marks=SLOW) for n in (6, 13)), STEPS]
)
@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["every step", "best epochs"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    make_context: MakeContext, tmp_path: Path, step: int, seconds: float
) -> None:
    kept = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=seconds)
    whole = Run(make_context(None), by_chance)
    facts = whole.train()
    with pytest.raises(Interrupted):
        Run(replace(kept, instruments=Fuse(step)), by_chance).train()
    torch.rand(7)  # whatever else was drawn meanwhile
    resumed = Run(replace(kept, instruments=QuietInstruments()), by_chance)
    again = resumed.train()
    assert resumed.weights() == whole.weights()
    for fact in ("best_epoch", "final_epoch", "validation_curve", "steps", "padding_share"):
        assert _plain(again[fact]) == _plain(facts[fact])
    assert [at for at, _ in again["loss_curve"]] == [at for at, _ in facts["loss_curve"]]
    assert [loss for _, loss in again["loss_curve"]] == pytest.approx([loss for _, loss in facts["loss_curve"]])
    if seconds == 0.0 and step > 1:
        # Checkpoints follow the progress of a step, and an epoch's last step has none but for its validation.
        assert again["resumed_from_step"] in {step - 1, step - 2}


def test_a_store_that_was_moved_goes_on_with_its_best_epoch(make_context: MakeContext, tmp_path: Path) -> None:
    whole = Run(make_context(None), falling)
    facts = whole.train()
    kept = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=0.0)
    with pytest.raises(Interrupted):
        Run(replace(kept, instruments=Fuse(13)), falling).train()
    (tmp_path / "kept").rename(tmp_path / "moved")
    moved = replace(kept, checkpoints=tmp_path / "moved", instruments=QuietInstruments())
    resumed = Run(moved, falling)
    again = resumed.train()
    assert again["resumed_from_step"] > 5
    assert again["best_epoch"] == facts["best_epoch"] == 1
    assert resumed.weights() == whole.weights()


def test_a_run_whose_best_epoch_was_lost_starts_anew(make_context: MakeContext, tmp_path: Path) -> None:
    kept = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=0.0)
    with pytest.raises(Interrupted):
        Run(replace(kept, instruments=Fuse(13)), falling).train()
    (best,) = (tmp_path / "kept").glob("*/checkpoint-5")
    shutil.rmtree(best)
    assert "resumed_from_step" not in Run(replace(kept, instruments=QuietInstruments()), falling).train()


def test_patience_is_remembered(make_context: MakeContext, tmp_path: Path) -> None:
    kept = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=0.0)
    with pytest.raises(Interrupted):
        Run(replace(kept, instruments=Fuse(13)), falling).train(patience=2)
    facts = Run(replace(kept, instruments=QuietInstruments()), falling).train(patience=2)
    assert (facts["best_epoch"], facts["final_epoch"]) == (1, 3)


def test_a_run_of_other_settings_starts_anew(make_context: MakeContext, tmp_path: Path) -> None:
    kept = replace(make_context(None), checkpoints=tmp_path / "kept", checkpoint_seconds=0.0)
    with pytest.raises(Interrupted):
        Run(replace(kept, instruments=Fuse(7)), by_chance).train()
    facts = Run(replace(kept, instruments=QuietInstruments()), by_chance).train(learning_rate=0.01)
    assert "resumed_from_step" not in facts


def test_what_was_half_written_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((5, "{}"), (10, "{"), (15, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert latest_checkpoint(tmp_path) == tmp_path / "checkpoint-5"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-5"]
    assert latest_checkpoint(tmp_path / "none") is None


def test_only_what_is_trained_is_written(make_context: MakeContext, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    run = Run(replace(make_context(None), checkpoints=tmp_path / "kept"), by_chance)
    run.train()
    (weights,) = (tmp_path / "kept").rglob("*.safetensors")
    assert set(load_file(weights)) == {"0.weight", "2.weight", "2.bias"}


def _plain(value: Any) -> Any:
    return [list(pair) for pair in value] if isinstance(value, list) else value
