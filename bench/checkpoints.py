"""Checkpoints of a training run: where they lie, and which of them a run goes on from."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.method import Context
    from bench.training import FineTuneSettings, Fitting

WEIGHTS = "trained.safetensors"
TALLY = "tally.json"
_STATE = "trainer_state.json"


def checkpoint_folder(fitting: Fitting, settings: FineTuneSettings, context: Context) -> Path:
    """The folder of this very run: another network, other examples or other settings have another one."""
    shapes = [
        (name, list(weights.shape), weights.requires_grad) for name, weights in fitting.network.named_parameters()
    ]
    words = json.dumps([settings.model_dump(mode="json"), list(fitting.lengths), shapes])
    run = hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
    return (context.checkpoints or context.scratch) / f"training-{run}"


def checkpoint(folder: Path, step: int) -> Path:
    """The checkpoint of a step, by the name that the trainer gives it."""
    return folder / f"checkpoint-{step}"


def latest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the most steps that was written to its end, as was that of its best epoch; None without any."""
    whole = [path for path in folder.glob("checkpoint-*") if _is_whole(path)]
    for path in folder.glob("checkpoint-*"):
        if path not in whole:
            shutil.rmtree(path, ignore_errors=True)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _is_whole(folder: Path) -> bool:
    # The trainer writes its state last.
    with suppress(OSError, ValueError):
        best = json.loads((folder / _STATE).read_text("utf-8")).get("best_global_step")
        return best is None or (checkpoint(folder.parent, best) / WEIGHTS).is_file()
    return False
