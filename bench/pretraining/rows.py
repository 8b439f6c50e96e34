"""What pretraining reads: documents as rows of token ids, and the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.pretraining.settings import BuildSettings
from bench.seeds import Seeds

_GROUP = 64
"""Batches whose rows are sorted by length together."""


def rows_of(documents: Iterable[Sequence[int]], budget: int) -> list[list[int]]:
    """Documents as rows of at most ``budget`` tokens; a longer one becomes several of about the same length."""
    return [list(part) for ids in documents if ids for part in _parts(ids, budget)]


def reading_order(lengths: Sequence[int], settings: BuildSettings) -> list[int]:
    """Positions of rows for every step of a training run, batch after batch.

    All rows are read about equally often: their numbers of readings differ by one at most. Rows of like length share a
    batch; the order of batches is random.

    Args:
        lengths: Tokens of each row.
        settings: Steps, rows to a step, and the seed.

    Returns:
        ``steps * batch_size`` positions.
    """
    generator = np.random.default_rng(Seeds(settings.seed).of("reading order"))
    sizes = np.asarray(lengths)
    wanted = settings.steps * settings.batch_size
    epochs = [generator.permutation(len(sizes)) for _ in range(-(-wanted // len(sizes)))]
    read = np.concatenate(epochs)[:wanted]
    span = _GROUP * settings.batch_size
    return [
        position
        for start in range(0, wanted, span)
        for batch in _mixed(read[start : start + span], sizes, settings.batch_size, generator)
        for position in batch
    ]


def _mixed(
    rows: NDArray[np.int64], sizes: NDArray[np.int64], batch_size: int, generator: np.random.Generator
) -> list[list[int]]:
    """Whole batches of rows of like length, in a random order."""
    batches = rows[np.argsort(sizes[rows], kind="stable")].reshape(-1, batch_size)
    mixed: list[list[int]] = generator.permutation(batches).tolist()
    return mixed


def _parts(ids: Sequence[int], budget: int) -> Iterable[Sequence[int]]:
    count = -(-len(ids) // budget)
    return (ids[len(ids) * part // count : len(ids) * (part + 1) // count] for part in range(count))
