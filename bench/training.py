"""What every fine-tune shares: settings, and a training run on top of ``transformers.Trainer``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from bench.backoff import whole_part
from bench.encoding import Encode, Encoded, affixes, encode, pad, padding_id, positions
from bench.errors import UserError
from bench.settings import Settings
from bench.spaces import Within

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from bench.judging import Judge
    from bench.method import Context
    from bench.prediction import Prediction
    from bench.task import Documents

HEAD_START = 0.1
"""The last layer's random weights start at this part of their usual size.

So the first logits say no more than the bias does, and the first steps do not throw about what pretraining has learnt.
"""

CURVE_POINTS = 200
"""At most so many points of the loss curve are kept."""

Precision = Literal["auto", "float32", "bfloat16"]
"""What networks compute in; ``auto``: bfloat16 where a CUDA device has it, else float32."""


class FineTuneSettings(Settings):
    """Settings of every method that trains a network."""

    epochs: int = Field(3, ge=1, description="passes over the training documents")
    batch_size: int = Field(16, ge=1, description="documents to an optimiser step")
    gradient_accumulation: int = Field(
        1,
        ge=1,
        description="parts in which a batch is computed, to save memory; the outcome is the same but for rounding",
    )
    learning_rate: float = Field(5e-5, gt=0, description="peak learning rate")
    max_tokens: int = Field(
        256, ge=1, description="tokens of a document; longer ones lose their end; special tokens and prompt come on top"
    )
    weight_decay: Annotated[float, Within(0.0, 0.1)] = Field(
        0.01, ge=0, description="AdamW's weight decay; norms and biases have none"
    )
    warmup_ratio: float = Field(0.1, ge=0, le=1, description="part of all steps in which the learning rate rises")
    scheduler: Literal["linear", "cosine", "constant_with_warmup"] = Field(
        "linear", description="course of the learning rate after its rise"
    )
    max_grad_norm: float = Field(1.0, ge=0, description="norm to which gradients are cut; 0 cuts none")
    predict_batch_size: int = Field(64, ge=1, description="documents to a batch of prediction")
    keep: Literal["best", "last"] = Field(
        "best",
        description="weights that are kept; best: of the epoch that does best on validation documents, by the task's "
        "primary metric; last: of the last epoch, and validation documents are not looked at",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="epochs in a row without a better one after which training stops; it does not where not set",
    )
    validation_sample: int = Field(
        1000, ge=1, description="at most so many validation documents are looked at after an epoch"
    )

    @model_validator(mode="after")
    def _parts_are_equal(self) -> FineTuneSettings:
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(
                f"batch_size {self.batch_size} is no multiple of gradient_accumulation {self.gradient_accumulation}"
            )
        return self

    @model_validator(mode="after")
    def _patience_has_something_to_watch(self) -> FineTuneSettings:
        if self.patience is not None and self.keep == "last":
            raise ValueError("keep=last looks at no validation documents that patience could wait for; set keep=best")
        return self

    @property
    def micro_batch(self) -> int:
        """Documents that are on the device at once."""
        return self.batch_size // self.gradient_accumulation


@dataclass(frozen=True)
class Batch:
    """A micro-batch for training.

    Attributes:
        inputs: What the loss function reads: tensors by name.
        documents: Documents in it.
        tokens: Their non-padding tokens.
        padding: Padding tokens beside them.
        units: What the loss is a sum over: documents, or tokens of answers.
    """

    inputs: Mapping[str, Tensor]
    documents: int
    tokens: int
    padding: int
    units: int


@dataclass(frozen=True)
class Fitting:
    """Everything that one fine-tune needs besides its settings.

    Attributes:
        network: Trained in place; only parameters that require gradients.
        lengths: Tokens of each training example, by which batches are grouped.
        collate: Positions of examples → a batch.
        loss: Network and a batch's inputs → the loss summed over the batch's units, a scalar. It is divided by the
            units of the whole optimiser step, so that the parts of a step weigh what they hold.
        learning_rate: Name of a parameter → its peak learning rate; None for the settings' ``learning_rate`` for all.
        precision: What the network computes in.
        stored: Parameters that saving writes; None for the trainable ones.
        validate: The network as it is → the primary metric of validation documents; None where that is undefined.
            Without it the last epoch is kept.
    """

    network: nn.Module
    lengths: Sequence[int]
    collate: Callable[[Sequence[int]], Batch]
    loss: Callable[[nn.Module, Mapping[str, Tensor]], Tensor]
    learning_rate: Callable[[str], float] | None = None
    precision: Precision = "auto"
    stored: int | None = None
    validate: Callable[[], float | None] | None = None


def fine_tune(fitting: Fitting, settings: FineTuneSettings, context: Context) -> None:
    """Train a network on the examples, grouped by length, with AdamW.

    Where ``context.back_off`` says so, in more and smaller parts than the settings say.

    The order of documents follows from the seed ``order`` and dropout from the seed ``dropout``; on a CPU two runs give
    the same bits, whether or not one of them was interrupted and went on from ``context.checkpoints``. Nothing is
    written elsewhere.

    Where there is more than one epoch to choose from, the network is validated after each and the best one's weights
    are kept, the first of equals.

    Notes into the record: ``parameters``, ``micro_batch``, ``gradient_accumulation``, ``steps``, ``padding_share``,
    ``loss_curve`` ([step, loss] pairs, each the mean since the pair before), ``final_epoch``, and where it validated
    ``validation_curve`` ([epoch, metric] pairs) and ``best_epoch``. ``resumed_from_step`` where it went on from a
    checkpoint: time and speed are then those of the rest.

    Raises:
        TrainAgainError: Memory ran out; see :func:`bench.backoff.training`.
        NoRoomError: It did so with one document at a time.
    """
    from bench.trainer import run

    settings = _that_fit(settings, context)
    context.note(
        micro_batch=settings.micro_batch // context.processes,
        processes=context.processes,
        gradient_accumulation=settings.gradient_accumulation,
    )
    with quiet():
        tally = run(fitting, settings, context)
    trainable, total = count_parameters(fitting.network)
    context.note(
        parameters={
            "total": total,
            "trainable": trainable,
            "stored": trainable if fitting.stored is None else fitting.stored,
        },
        steps=tally.steps,
        padding_share=tally.padding / max(1, tally.padding + tally.tokens),
        loss_curve=tally.curve,
        final_epoch=tally.epochs,
        **tally.choice(),
    )


def _that_fit(settings: FineTuneSettings, context: Context) -> FineTuneSettings:
    """The settings, in parts as small as memory was found to need; a batch is still what it was."""
    size = whole_part(settings.batch_size, context.back_off.at_most("micro_batch", settings.micro_batch))
    return settings.model_copy(update={"gradient_accumulation": settings.batch_size // size})


def validation_score(
    predict: Callable[[Sequence[str], Context], Prediction],
    held_out: Documents,
    judge: Judge,
    settings: FineTuneSettings,
    context: Context,
) -> Callable[[], float | None] | None:
    """What :attr:`Fitting.validate` is for a method: it labels validation documents, and the harness judges.

    Args:
        predict: The method's own.
        held_out: The validation documents; where they are more than the settings want, the seed ``validation`` chooses,
            every label in its share.
        judge: Of the task.
        settings: Say whether to validate at all.
        context: Has the phase ``validate`` open meanwhile.

    Returns:
        None where there is nothing to choose or nothing to choose by.
    """
    from bench.splitting import sample

    if settings.keep == "last" or settings.epochs == 1 or not len(held_out):
        return None
    keys = [f"{context.seeds.of('validation')} {id_}" for id_ in held_out.ids]
    few = held_out.take(sample(keys, held_out.labels, settings.validation_sample))

    def validate() -> float | None:
        with context.phase("validate"):
            return judge.validate(few, predict(few.texts, context), context.task.primary_metric)

    return validate


class Budgeted(Protocol):
    """Settings that say how much of a document is read."""

    @property
    def max_tokens(self) -> int:
        """Tokens of a document; special ones come on top."""


def encode_documents(
    tokenizer: Any, config: Any, texts: Sequence[str], settings: Budgeted, encode: Encode = encode
) -> Encoded:
    """Documents cut to their budget, with the tokenizer's special tokens around them.

    Raises:
        UserError: ``max_tokens`` is more than the model can take.
    """
    before, after = affixes(tokenizer)
    limit = positions(config, tokenizer) - len(before) - len(after)
    if settings.max_tokens > limit:
        raise UserError(f"max_tokens={settings.max_tokens} is more than the model takes; set it to {limit} or less")
    encoded = encode(tokenizer, texts, settings.max_tokens).between(before, after)
    # A text may hold nothing that the tokenizer knows; a network still needs a token to look at.
    return replace(encoded, rows=[row or [padding_id(tokenizer)] for row in encoded.rows])


def classification_collate(
    rows: Sequence[Sequence[int]],
    documents: Documents,
    targets: Callable[[Sequence[Sequence[int]]], Tensor],
    filler: int,
) -> Callable[[Sequence[int]], Batch]:
    """Makes right-padded batches with ``ids``, ``mask`` and ``targets``, which are made of the documents' labels."""

    def collate(chosen: Sequence[int]) -> Batch:
        padded = pad([rows[position] for position in chosen], filler)
        wanted = targets([documents.labels[position] for position in chosen])
        inputs = {"ids": padded.ids, "mask": padded.mask, "targets": wanted}
        return Batch(inputs, len(chosen), padded.tokens, padded.padding, units=len(chosen))

    return collate


def log_prior_bias(documents: Documents, n_labels: int) -> Tensor:
    """The log-odds of each label among the documents, one half added to both counts; shape (labels,).

    A head that starts there need not first unlearn that every label is as likely as not.
    """
    import torch

    counts = torch.zeros(n_labels)
    for labels in documents.labels:
        counts[list(labels)] += 1
    return torch.log((counts + 0.5) / (len(documents) - counts + 0.5))


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Trainable and all parameters of a network; packed 4-bit weights count as the weights they stand for."""
    trainable = total = 0
    for parameter in network.parameters():
        state = getattr(parameter, "quant_state", None)
        count = parameter.numel() if state is None else state.shape.numel()
        total += count
        trainable += count if parameter.requires_grad else 0
    return trainable, total


def compute_dtype(device: str, precision: Precision = "auto") -> torch.dtype:
    """What the precision says; for ``auto`` bfloat16 on a CUDA device that computes in it, else float32."""
    import torch

    if precision != "auto":
        return torch.bfloat16 if precision == "bfloat16" else torch.float32
    fast = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def autocast(device: str, precision: Precision = "auto") -> AbstractContextManager[Any]:
    """Mixed precision where :func:`compute_dtype` is bfloat16; nothing elsewhere."""
    import torch

    dtype = compute_dtype(device, precision)
    return nullcontext() if dtype is torch.float32 else torch.autocast(torch.device(device).type, dtype)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the libraries' progress bars, reports and warnings off the user's screen; errors still show."""
    import warnings

    os.environ.setdefault("BITSANDBYTES_NOWELCOME", "1")
    from transformers.utils import logging as transformers_logging

    loggers = [logging.getLogger(name) for name in ("transformers", "peft", "bitsandbytes", "accelerate")]
    levels = [logger.level for logger in loggers]
    bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bar:
            transformers_logging.enable_progress_bar()
