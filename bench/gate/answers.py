"""What a cell answered, of now or of the reference, in one form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.files import file_hash
from bench.parquet import read_parquet
from bench.predictions_file import SplitPredictions, read_predictions, write_predictions
from bench.store import LABELS, PREDICTIONS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking
    from bench.record import Record
    from bench.stats.judged import Judged

KEPT = 20
"""So many labels a document keeps in the ranking of a reference: more than any metric but ``mrr`` looks at."""

_COUNTS = b"train_counts"


@dataclass(frozen=True)
class Answers:
    """Stored predictions with what metrics depend on.

    Attributes:
        splits: Split → predictions: ``test``, and ``validation`` where thresholds were chosen.
        train_counts: Training documents by label, shape (labels,).
        hash: Of the file.
        thresholds: One a label, float32, where they were stored.
    """

    splits: Mapping[str, SplitPredictions]
    train_counts: NDArray[np.int64]
    hash: str
    thresholds: NDArray[np.float32] | None = None

    @property
    def test(self) -> SplitPredictions:
        """Of the test documents."""
        return self.splits["test"]

    def judged(self, record: Record) -> Judged:
        """The form that statistics take, of a record that has ``task_facts``."""
        from bench.stats.judged import Judged

        facts = record.task_facts
        if facts is None:
            raise ValueError(f"cell {record.cell} has no result")
        n_train = facts.documents["train"]
        return Judged(record.cell, record.seed, self.test, self.train_counts, n_train, facts.kind)


def read_answers(folder: Path) -> Answers:
    """What a finished cell answered.

    Raises:
        OSError: A file is missing or cannot be read.
        ValueError: It is not that of a cell.
    """
    import numpy as np

    splits = read_predictions(folder / PREDICTIONS)
    if "test" not in splits:
        raise ValueError("no test documents are among the predictions")
    table = read_parquet(folder / LABELS)
    counts = np.asarray(table.column("train"), dtype=np.int64)
    own = "threshold" in table.column_names
    thresholds = np.asarray(table.column("threshold"), dtype=np.float32) if own else None
    return Answers(splits, counts, file_hash(folder / PREDICTIONS), thresholds)


def read_kept(path: Path) -> Answers:
    """What :func:`keep` wrote.

    Raises:
        OSError: The file is missing or cannot be read.
        ValueError: It is not that of a reference.
    """
    import numpy as np
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    if _COUNTS not in metadata:
        raise ValueError("it does not say how many training documents each label has")
    counts = np.asarray(json.loads(metadata[_COUNTS]), dtype=np.int64)
    splits = read_predictions(path)
    if "test" not in splits:
        raise ValueError("no test documents are in it")
    return Answers(splits, counts, file_hash(path))


def keep(answers: Answers, path: Path) -> str:
    """Write what a reference needs of a cell's answers; equal answers give equal bytes.

    Of test documents that is all but generated text and labels beyond the ``KEPT`` best; of validation documents only
    which they were, and their gold labels.

    Returns:
        The file's hash.
    """
    import pyarrow.parquet as pq

    splits = {"test": replace(trimmed(answers.test, KEPT), texts=None)}
    if "validation" in answers.splits:
        splits["validation"] = replace(answers.splits["validation"], ranking=None, texts=None)
    write_predictions(path, splits)
    table = read_parquet(path)
    counts = json.dumps(answers.train_counts.tolist()).encode()
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, _COUNTS: counts}), path, compression="zstd")
    return file_hash(path)


def trimmed(split: SplitPredictions, width: int) -> SplitPredictions:
    """The split with no more than the ``width`` best labels in its ranking."""
    ranking = split.ranking
    if ranking is None or ranking.labels.shape[1] <= width:
        return split
    shorter = replace(ranking, labels=ranking.labels[:, :width], scores=ranking.scores[:, :width])
    return replace(split, ranking=shorter)


def was_trimmed(split: SplitPredictions) -> bool:
    """Whether labels beyond the best may have been left out of a kept ranking."""
    ranking = split.ranking
    return ranking is not None and ranking.n_labels > ranking.labels.shape[1] == KEPT


def equal(one: csr_matrix, other: csr_matrix) -> bool:
    """Whether two 0/1 matrices are the same."""
    return one.shape == other.shape and not differing_rows(one, other).any()


def differing_rows(one: csr_matrix, other: csr_matrix) -> NDArray[np.bool_]:
    """Which documents differ in two 0/1 matrices of the same shape; shape (documents,)."""
    import numpy as np

    apart = abs(one.astype(np.int8) - other.astype(np.int8))
    rows: NDArray[np.bool_] = np.asarray(apart.sum(axis=1)).ravel() > 0
    return rows


def same_order(one: Ranking | None, other: Ranking | None) -> bool:
    """Whether two rankings name the same labels in the same order."""
    import numpy as np

    if one is None or other is None:
        return one is other
    return np.array_equal(one.labels, other.labels)
