"""What statistics are made of: a finished cell's stored test predictions, with what its metrics depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.parquet import read_parquet
from bench.predictions_file import SplitPredictions, read_predictions
from bench.store import LABELS, PREDICTIONS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from bench.record import Record
    from bench.task import Kind


@dataclass(frozen=True)
class Judged:
    """The test predictions of one cell.

    Attributes:
        cell: Its name.
        seed: Of its training.
        split: Ids, gold, predicted label sets, ranking.
        train_counts: Training documents by label, shape (labels,).
        n_train: Number of training documents.
        kind: ``single`` or ``multi``.
    """

    cell: str
    seed: int
    split: SplitPredictions
    train_counts: NDArray[np.int64]
    n_train: int
    kind: Kind


def read_judged(record: Record, folder: Path) -> Judged:
    """Read what a finished cell said of its test documents.

    Args:
        record: The cell's, status ``ok``.
        folder: The cell's.

    Raises:
        OSError: A file is missing or cannot be read.
        ValueError: The record is of no finished cell, or the files are not those of a cell.
    """
    import numpy as np

    if record.task_facts is None or record.status != "ok":
        raise ValueError(f"cell {record.cell} has no result")
    splits = read_predictions(folder / PREDICTIONS)
    if "test" not in splits:
        raise ValueError(f"cell {record.cell} was not judged on test documents")
    counts = np.asarray(read_parquet(folder / LABELS, columns=["train"]).column("train"), dtype=np.int64)
    facts = record.task_facts
    return Judged(record.cell, record.seed, splits["test"], counts, facts.documents["train"], facts.kind)
