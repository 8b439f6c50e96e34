"""The subclass of ``transformers.Trainer`` that every fine-tune runs on; imported only when a network is trained."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file, save_file
from torch.utils.data import Dataset
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_pt_utils import LengthGroupedSampler

from bench import backoff
from bench.checkpoints import TALLY, WEIGHTS, checkpoint, checkpoint_folder, latest_checkpoint
from bench.errors import UserError
from bench.training import CURVE_POINTS, Batch, FineTuneSettings, Fitting, compute_dtype

if TYPE_CHECKING:
    from bench.method import Context

WARM_UP_STEPS = 5
"""So many steps are left out of the training speed, or a tenth of all where that is less, but at least one."""

_WATCHED = "eval_primary"


@dataclass
class Tally:
    """What has been done so far.

    Attributes:
        steps: Optimiser steps.
        tokens: Non-padding tokens.
        padding: Padding tokens.
        epochs: Passes over the documents.
        curve: [step, mean loss since the pair before].
        unread: Sum of the losses since the curve's last pair.
        validation: [epoch, primary metric of validation documents]; None where it is undefined.
        best_epoch: The epoch whose weights are kept; None for the last one, unseen.
        resumed_from: The step of the checkpoint that it went on from.
    """

    steps: int = 0
    tokens: int = 0
    padding: int = 0
    epochs: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)
    unread: float = 0.0
    validation: list[tuple[int, float | None]] = field(default_factory=list)
    best_epoch: int | None = None
    resumed_from: int | None = None

    def choice(self) -> dict[str, Any]:
        """What there is to say of how weights were chosen and of interruptions."""
        facts = {"validation_curve": self.validation or None, "best_epoch": self.best_epoch}
        return {key: value for key, value in {**facts, "resumed_from_step": self.resumed_from}.items() if value}


def run(fitting: Fitting, settings: FineTuneSettings, context: Context) -> Tally:
    """Train; see :func:`bench.training.fine_tune`."""
    folder = checkpoint_folder(fitting, settings, context)
    resumed = latest_checkpoint(folder)
    trainer = _Trainer(fitting, settings, context, folder)
    trainer.remove_callback(PrinterCallback)
    if settings.patience is not None and fitting.validate is not None:
        trainer.add_callback(EarlyStoppingCallback(settings.patience))
    trainer.add_callback(_Reporter(context, trainer))
    trainer.add_callback(_Saver(trainer, -(-len(fitting.lengths) // settings.batch_size)))
    fitting.network.train()
    backs_off = backoff.training(settings.batch_size, settings.micro_batch, folder, context)
    with backs_off, _own_forward(fitting.network):
        trainer.train(resume_from_checkpoint=str(resumed) if resumed is not None else None)
    fitting.network.eval()
    if context.checkpoints is None:
        shutil.rmtree(folder, ignore_errors=True)
    return trainer.tally


@contextmanager
def _own_forward(network: torch.nn.Module) -> Iterator[None]:
    """Takes away the precision that accelerate wraps a network in: who calls it afterwards says in what it computes.

    accelerate's own way takes the network's other decorators away, too.
    """
    own = vars(network).get("forward")
    try:
        yield
    finally:
        for name in ("forward", "_original_forward"):
            vars(network).pop(name, None)
        if own is not None:
            vars(network)["forward"] = own


@dataclass(frozen=True)
class Work:
    """What an optimiser step reads, in all processes; see :class:`bench.training.Batch`."""

    documents: int = 0
    tokens: int = 0
    padding: int = 0
    units: int = 0


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

    def __init__(self, fitting: Fitting, settings: FineTuneSettings, context: Context, folder: Path) -> None:
        self.optimizer: Any = None
        self.control: Any = None
        self.tally = Tally()
        self._fitting = fitting
        self._settings = settings
        self._context = context
        self.loss = torch.zeros((), device=context.device)
        self.work = Work()
        self.order = _Order(settings.batch_size, list(fitting.lengths), context.seeds.of("order"))
        self.saved_at = time.monotonic()
        self.save_is_due = False
        super().__init__(
            fitting.network,
            _arguments(fitting, settings, context, folder),
            train_dataset=_Positions(len(fitting.lengths)),
            eval_dataset=_Positions(0),  # must be given; evaluate() has documents of its own
            data_collator=lambda positions: _flat(fitting.collate(positions)),
        )

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Any]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Any]], int]:
        """The parts of an optimiser step, and the units of all of them, which every part's loss is divided by."""
        parts, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        counts = np.sum([astuple(part.pop("work")) for part in parts], axis=0).tolist()
        due = self.is_world_process_zero() and time.monotonic() - self.saved_at >= self._context.checkpoint_seconds
        if self.args.world_size > 1:
            # Saving takes all processes, so that the clock of one decides for all.
            *counts, due = self.accelerator.reduce(torch.tensor([*counts, due], device=device)).tolist()
        self.work, self.save_is_due = Work(*counts), bool(due)
        return parts, self.work.units

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: int = 1, **_: Any
    ) -> torch.Tensor:
        # Gradients of several processes are averaged; they are to be added.
        loss: torch.Tensor = self._fitting.loss(model, inputs) * (self.args.world_size / num_items_in_batch)
        self.loss += loss.detach()
        return loss

    def create_optimizer(self, model: Any = None) -> Any:
        if self.optimizer is None:
            fused = self.args.device.type in ("cuda", "cpu")
            self.optimizer = torch.optim.AdamW(self._parameter_groups(), fused=fused)
        return self.optimizer

    def floating_point_ops(self, inputs: Mapping[str, Any]) -> int:
        return 0  # counting them walks all parameters at every step

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Validate by the harness's own measure; called after each epoch."""
        epoch, tally = round(self.state.epoch), self.tally
        self.model.eval()
        score = self._validated()
        self.model.train()
        tally.validation.append((epoch, score))
        metrics = {_WATCHED: -math.inf if score is None else score}
        if metrics[_WATCHED] > (-math.inf if self.state.best_metric is None else self.state.best_metric):
            tally.best_epoch = epoch
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Of the network only what is trained: the rest is where it came from."""
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        tally = asdict(self.tally) | {"unread": self.tally.unread + self.mean_loss()}
        if self.args.should_save:
            save_file({name: weights.detach().contiguous() for name, weights in self._trained()}, folder / WEIGHTS)
            (folder / TALLY).write_text(json.dumps(tally), "utf-8")

    def _save_checkpoint(self, *arguments: Any, **named: Any) -> None:
        with self._context.phase("save"):
            super()._save_checkpoint(*arguments, **named)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        self._read_weights(folder)
        self.tally = Tally(**json.loads((folder / TALLY).read_text("utf-8")))
        self.tally.resumed_from = self.tally.steps

    def _load_best_model(self) -> None:
        with self._context.phase("save"):
            self._read_weights(Path(self.state.best_model_checkpoint))

    def _read_weights(self, folder: Path) -> None:
        saved = load_file(folder / WEIGHTS)
        with torch.no_grad():
            for name, weights in self._trained():
                weights.copy_(saved[name])

    def mean_loss(self) -> float:
        """The loss summed over steps since the curve's last point, the mean of all processes."""
        return float(self.accelerator.reduce(self.loss, "mean"))

    def _trained(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        return ((name, weights) for name, weights in self.model.named_parameters() if weights.requires_grad)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        return self.order

    def _validated(self) -> float | None:
        if self._fitting.validate is None:
            raise AssertionError("without validation no epoch is evaluated")
        score = [self._fitting.validate() if self.is_world_process_zero() else None]
        return broadcast_object_list(score)[0]  # type: ignore[no-any-return]

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters of one learning rate together; norms and biases apart, which have no weight decay."""
        settings = self._settings
        rate = self._fitting.learning_rate or (lambda _: settings.learning_rate)
        decayed = set(self.get_decay_parameter_names(self.model))
        groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self._trained():
            groups.setdefault((rate(name), name in decayed), []).append(parameter)
        return [
            {"params": parameters, "lr": rate, "weight_decay": settings.weight_decay if decays else 0.0}
            for (rate, decays), parameters in groups.items()
        ]


class _Order(LengthGroupedSampler):  # type: ignore[misc]  # transformers is not typed
    """Documents of like length together, each epoch in an order that follows from its number alone.

    So a run that is resumed in the middle of an epoch goes on in the order that it would have gone on in.
    """

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        # The stock sampler draws its order from the generator that dropout draws from.
        super().__init__(batch_size, lengths=lengths, generator=torch.Generator())
        self._seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Called before each epoch."""
        self.generator.manual_seed(self._seed + epoch)


class _Saver(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Has a checkpoint written when the last one is old enough."""

    def __init__(self, trainer: _Trainer, steps_of_epoch: int) -> None:
        self._trainer = trainer
        self._steps_of_epoch = steps_of_epoch

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # An epoch's last step is not over before its validation: who went on from there would never validate it.
        inside = state.global_step % self._steps_of_epoch != 0
        if inside and self._trainer.save_is_due:
            control.should_save = True

    def on_save(self, *_: Any, **__: Any) -> None:
        self._trainer.saved_at = time.monotonic()


class _Reporter(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Counts work at every step; reads the loss from the device only where the curve needs a point."""

    def __init__(self, context: Context, trainer: _Trainer) -> None:
        self._context = context
        self._trainer = trainer
        self._begun = 0
        self._last: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begun = state.global_step
        if state.best_global_step:
            # The state has the path that it had when it was written.
            state.best_model_checkpoint = str(checkpoint(Path(args.output_dir), state.best_global_step))
        # What came before, such as tokenising and setting up, is no training.
        self._context.window.warmed_up()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        tally, step, total = self._trainer.tally, state.global_step, state.max_steps
        tally.steps = step
        self._count()
        done, ahead = step - self._begun, total - self._begun
        if done == min(WARM_UP_STEPS, max(1, ahead // 10)) < ahead:
            self._context.window.warmed_up()
        every = -(-total // CURVE_POINTS)
        if step % every == 0 or step == total:
            since = step - (tally.curve[-1][0] if tally.curve else 0)
            self._last = (tally.unread + self._trainer.mean_loss()) / since
            self._trainer.loss.zero_()
            tally.unread = 0.0
            tally.curve.append((step, self._last))
        self._context.progress(self._context.phase_name, step, total, self._last)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # The loader does not reach its sampler where an epoch is resumed in several processes.
        self._trainer.order.set_epoch(state.global_step * int(args.num_train_epochs) // state.max_steps)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._trainer.tally.epochs = round(state.epoch)

    def _count(self) -> None:
        work = self._trainer.work
        self._context.window.count(work.documents, work.tokens, work.padding)
        self._trainer.tally.tokens += work.tokens
        self._trainer.tally.padding += work.padding


def _flat(batch: Batch) -> dict[str, Any]:
    return {**batch.inputs, "work": Work(batch.documents, batch.tokens, batch.padding, batch.units)}


def _share(settings: FineTuneSettings, processes: int) -> int:
    """Documents of a micro-batch for each process: the effective batch stays what the settings say."""
    if settings.micro_batch % processes:
        raise UserError(
            f"{settings.micro_batch} documents (batch_size / gradient_accumulation) cannot be shared equally by "
            f"{processes} devices; choose a batch_size that is a multiple of both"
        )
    return settings.micro_batch // processes


def _arguments(fitting: Fitting, settings: FineTuneSettings, context: Context, folder: Path) -> TrainingArguments:
    steps = -(-len(fitting.lengths) // settings.batch_size) * settings.epochs
    validated = fitting.validate is not None
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=_share(settings, context.processes),
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=int(steps * settings.warmup_ratio),
        lr_scheduler_type=settings.scheduler,
        max_grad_norm=settings.max_grad_norm,
        train_sampling_strategy="group_by_length",
        bf16=compute_dtype(context.device, fitting.precision) is torch.bfloat16,
        use_cpu=context.device == "cpu",
        seed=context.seeds.of("dropout"),
        remove_unused_columns=False,
        logging_strategy="no",
        logging_nan_inf_filter=False,  # reads the loss at every step, and hides that it is not a number
        save_strategy="best" if validated else "no",
        save_total_limit=1,  # and the best one
        eval_strategy="epoch" if validated else "no",
        load_best_model_at_end=validated,
        restore_callback_states_from_checkpoint=True,
        metric_for_best_model=_WATCHED if validated else None,
        greater_is_better=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        ddp_find_unused_parameters=False,  # what is trained is used; looking for others would miss what losses use
        ddp_timeout=24 * 3600,  # the first process validates alone
        ddp_backend="gloo" if context.device == "cpu" and context.processes > 1 else None,
        dataloader_pin_memory=context.device.startswith("cuda"),
    )
    # A cell has one device; without this the Trainer spreads over every one it sees.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments
