"""How methods that fine-tune a network describe their work; see :mod:`bench.work`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.encoding import affixes
from bench.work import Reading, Training, Workload

if TYPE_CHECKING:
    from bench.training import FineTuneSettings


def reading_of(settings: FineTuneSettings, workload: Workload) -> Reading:
    """Documents cut to their budget, with the tokenizer's special tokens around them, in batches of prediction."""
    before, after = affixes(workload.tokenizer)
    return Reading(settings.predict_batch_size, settings.max_tokens, len(before) + len(after))


def training_of(
    settings: FineTuneSettings, workload: Workload, reading: Reading, *, checkpointing: bool = False
) -> Training:
    """What :func:`bench.training.fine_tune` does, the validation after each epoch included.

    Args:
        settings: Epochs and batches.
        workload: Says how many validation documents there are.
        reading: How documents are read, in batches of whatever size.
        checkpointing: See :class:`bench.work.Training`.
    """
    chooses = settings.keep == "best" and settings.epochs > 1
    validated = min(workload.documents.get("validation", 0), settings.validation_sample) if chooses else 0
    micro = replace(reading, batch=settings.micro_batch)
    return Training(micro, settings.epochs, settings.batch_size, checkpointing, validated)
