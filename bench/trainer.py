"""The subclass of ``transformers.Trainer`` that every fine-tune runs on; imported only when a network is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, Sampler
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from bench.training import CURVE_POINTS, Batch, FineTuneSettings, Fitting, compute_dtype

if TYPE_CHECKING:
    from bench.method import Context

WARM_UP_STEPS = 5
"""So many steps are left out of the training speed, or a tenth of all where that is less, but at least one."""


@dataclass
class Tally:
    """What has been done so far.

    Attributes:
        steps: Optimiser steps.
        tokens: Non-padding tokens.
        padding: Padding tokens.
        curve: [step, mean loss since the pair before].
    """

    steps: int = 0
    tokens: int = 0
    padding: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)


def run(fitting: Fitting, settings: FineTuneSettings, context: Context) -> Tally:
    """Train; see :func:`bench.training.fine_tune`."""
    tally = Tally()
    trainer = _Trainer(fitting, settings, context)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Reporter(context, tally, trainer))
    fitting.network.train()
    trainer.train()
    fitting.network.eval()
    return tally


@dataclass(frozen=True)
class _Work:
    """What a micro-batch holds; see :class:`bench.training.Batch`."""

    documents: int
    tokens: int
    padding: int
    units: int


class _Positions(Dataset[int]):
    """Examples stay with the method; the loader hands their positions to its collate function."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, position: int) -> int:
        return position


class _Trainer(Trainer):  # type: ignore[misc]  # transformers is not typed
    # The stock Trainer would divide by the number of parts, as if all weighed the same.
    loss_is_scaled_for_ga = True

    def __init__(self, fitting: Fitting, settings: FineTuneSettings, context: Context) -> None:
        self.optimizer: Any = None
        self._fitting = fitting
        self._settings = settings
        self._order = torch.Generator().manual_seed(context.seeds.of("order"))
        self.loss = torch.zeros((), device=context.device)
        self.work: list[_Work] = []
        super().__init__(
            fitting.network,
            _arguments(settings, context, len(fitting.lengths)),
            train_dataset=_Positions(len(fitting.lengths)),
            data_collator=lambda positions: _flat(fitting.collate(positions)),
        )

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Any]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Any]], int]:
        """The parts of an optimiser step, and the units of all of them, which every part's loss is divided by."""
        parts, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        return parts, sum(part["work"].units for part in parts)

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: int = 1, **_: Any
    ) -> torch.Tensor:
        self.work.append(inputs.pop("work"))
        loss = self._fitting.loss(model, inputs) / num_items_in_batch
        self.loss += loss.detach()
        return loss

    def create_optimizer(self, model: Any = None) -> Any:
        if self.optimizer is None:
            fused = self.args.device.type in ("cuda", "cpu")
            self.optimizer = torch.optim.AdamW(self._parameter_groups(), fused=fused)
        return self.optimizer

    def floating_point_ops(self, inputs: Mapping[str, Any]) -> int:
        return 0  # counting them walks all parameters at every step

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        # The stock sampler draws its order from the generator that dropout draws from.
        return LengthGroupedSampler(  # type: ignore[no-any-return]
            self._settings.batch_size, lengths=list(self._fitting.lengths), generator=self._order
        )

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Head and body have learning rates of their own; norms and biases no weight decay."""
        settings, fitting = self._settings, self._fitting
        decayed = set(self.get_decay_parameter_names(self.model))
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((fitting.head(name), name in decayed), []).append(parameter)
        return [
            {
                "params": parameters,
                "lr": (fitting.head_learning_rate if head else None) or settings.learning_rate,
                "weight_decay": settings.weight_decay if decays else 0.0,
            }
            for (head, decays), parameters in groups.items()
        ]


class _Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Counts work at every step; reads the loss from the device only where the curve needs a point."""

    def __init__(self, context: Context, tally: Tally, trainer: _Trainer) -> None:
        self._context = context
        self._tally = tally
        self._trainer = trainer
        self._last: float | None = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        # What came before, such as tokenising and setting up, is no training.
        self._context.window.warmed_up()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        tally, step, total = self._tally, state.global_step, state.max_steps
        tally.steps = step
        self._count()
        if step == min(WARM_UP_STEPS, max(1, total // 10)) < total:
            self._context.window.warmed_up()
        every = -(-total // CURVE_POINTS)
        if step % every == 0 or step == total:
            since = step - (tally.curve[-1][0] if tally.curve else 0)
            self._last = float(self._trainer.loss) / since
            self._trainer.loss.zero_()
            tally.curve.append((step, self._last))
        self._context.progress(self._context.phase_name, step, total, self._last)

    def _count(self) -> None:
        for work in self._trainer.work:
            self._context.window.count(work.documents, work.tokens, work.padding)
            self._tally.tokens += work.tokens
            self._tally.padding += work.padding
        self._trainer.work.clear()


def _flat(batch: Batch) -> dict[str, Any]:
    return {**batch.inputs, "work": _Work(batch.documents, batch.tokens, batch.padding, batch.units)}


def _arguments(settings: FineTuneSettings, context: Context, examples: int) -> TrainingArguments:
    steps = -(-examples // settings.batch_size) * settings.epochs
    arguments = TrainingArguments(
        output_dir=str(context.scratch / "trainer"),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=int(steps * settings.warmup_ratio),
        lr_scheduler_type=settings.scheduler,
        max_grad_norm=settings.max_grad_norm,
        train_sampling_strategy="group_by_length",
        bf16=compute_dtype(context.device) is torch.bfloat16,
        use_cpu=context.device == "cpu",
        seed=context.seeds.of("dropout"),
        remove_unused_columns=False,
        logging_strategy="no",
        logging_nan_inf_filter=False,  # reads the loss at every step, and hides that it is not a number
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=context.device.startswith("cuda"),
    )
    # A cell has one device; without this the Trainer spreads over every one it sees.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments
