"""The subclass of ``transformers.Trainer`` that pretrains a network; imported only when one is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from bench.pretraining.objectives import Objective
from bench.pretraining.rows import reading_order
from bench.pretraining.settings import BuildSettings
from bench.seeds import Seeds
from bench.training import autocast

POINTS = 10
"""So many times the losses are taken, and all that it takes to go on is written."""

Tell = Callable[[int, int, float | None], None]
"""Told of every step: steps done, steps in all, the latest training loss."""


@dataclass(frozen=True)
class Course:
    """How a network came to be.

    Attributes:
        losses: Step, mean training loss since the step before (None where it was not taken) and validation loss, in
            nats a predicted token; the last is of the final network.
    """

    losses: tuple[tuple[int, float | None, float], ...]


@dataclass(frozen=True)
class Lesson:
    """What a network is to learn.

    Attributes:
        train: Rows of token ids to learn from, special tokens left out.
        validation: Rows to measure by.
        objective: What is asked of them.
    """

    train: Sequence[Sequence[int]]
    validation: Sequence[Sequence[int]]
    objective: Objective


def pretrain(network: Any, lesson: Lesson, settings: BuildSettings, scratch: Path, tell: Tell) -> Course:
    """Train a network from where it is, or from the last checkpoint in ``scratch``.

    What a run reads and masks follows from the seed and the step alone, so that a run which was interrupted ends where
    one ends that was not.

    Returns:
        The course of its losses, in whatever number of runs it was trained.
    """
    trainer = _Pretrainer(network, lesson, settings, scratch)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Teller(tell))
    trainer.train(resume_from_checkpoint=_last_whole_checkpoint(scratch))
    history = trainer.state.log_history
    training = {entry["step"]: entry["loss"] for entry in history if "loss" in entry}
    validation = {entry["step"]: entry["eval_loss"] for entry in history if "eval_loss" in entry}
    return Course(tuple((step, training.get(step), loss) for step, loss in validation.items()))


def _last_whole_checkpoint(scratch: Path) -> str | None:
    """The newest checkpoint that was written to its end; what is newer and was not is removed."""
    while scratch.is_dir() and (checkpoint := get_last_checkpoint(str(scratch))) is not None:
        if (Path(checkpoint) / TRAINER_STATE_NAME).is_file():  # the last file that the Trainer writes
            return str(checkpoint)
        shutil.rmtree(checkpoint)
    return None


class _Visits(Dataset[tuple[int, int]]):
    """The rows in the order of reading; each comes with its place in that order, which its masks follow from."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int) -> tuple[int, int]:
        return place, self._order[place]


class _Pretrainer(Trainer):  # type: ignore[misc]  # transformers is not typed
    def __init__(self, network: Any, lesson: Lesson, settings: BuildSettings, scratch: Path) -> None:
        self._lesson = lesson
        self._settings = settings
        seeds = Seeds(settings.seed)
        order = reading_order([len(row) for row in lesson.train], settings)

        def collate(visits: Sequence[tuple[int, int]]) -> dict[str, torch.Tensor]:
            return lesson.objective.batch(
                [lesson.train[row] for _, row in visits], seeds.of(f"masks at {visits[0][0]}")
            )

        super().__init__(
            network,
            _arguments(settings, scratch),
            train_dataset=_Visits(order),
            eval_dataset=lesson.validation,
            data_collator=collate,
        )

    def compute_loss(self, model: torch.nn.Module, inputs: dict[str, torch.Tensor], **_: Any) -> torch.Tensor:
        # The Trainer's own mixed precision reaches only what goes through the network's `forward`.
        with autocast(self.args.device.type):
            return self._lesson.objective.losses(model, inputs).mean()

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # counting them walks all parameters at every step

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The mean loss over the tokens of the validation rows, the same masks every time."""
        rows = sorted(self._lesson.validation, key=len)
        size = self._settings.batch_size
        total, count = 0.0, 0
        self.model.eval()
        for start in range(0, len(rows), size):
            batch = self._lesson.objective.batch(rows[start : start + size], start)
            on_device = {key: value.to(self.args.device) for key, value in batch.items()}
            with torch.inference_mode(), autocast(self.args.device.type):
                losses = self._lesson.objective.losses(self.model, on_device)
            total += float(losses.sum())
            count += len(losses)
        self.model.train()
        metrics = {"eval_loss": total / count}
        self.log(metrics)
        return metrics


class _Teller(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        self._loss = (logs or {}).get("loss", self._loss)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state.global_step, state.max_steps, self._loss)


def _arguments(settings: BuildSettings, scratch: Path) -> TrainingArguments:
    every = -(-settings.steps // POINTS)
    arguments = TrainingArguments(
        output_dir=str(scratch),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        adam_beta2=settings.adam_beta2,
        warmup_steps=int(settings.steps * settings.warmup_ratio),
        lr_scheduler_type="cosine",
        train_sampling_strategy="sequential",
        logging_steps=every,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=1,
        seed=Seeds(settings.seed).of("dropout"),
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=False,
    )
    # Several devices would each get a whole batch, and the settings would mean something else.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
