"""What stands behind the records: stored predictions, and the test documents with the names of their labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.collection import Collection
from bench.parquet import read_parquet
from report.recent import Recent

if TYPE_CHECKING:
    from bench.metrics.counts import LabelCounts
    from bench.predictions_file import SplitPredictions
    from bench.record import Record
    from bench.stats.judged import Judged
    from bench.store import Store

__all__ = ["Collection", "Evidence", "LabelTable"]

_MOST = 2**29
"""Bytes of predictions that are held at a time; of the least cells one is."""
_ID = 64
"""Bytes of an id or a number among Python's objects, about."""

T = TypeVar("T")


@dataclass(frozen=True)
class LabelTable:
    """What a cell's ``labels.parquet`` says of each label.

    Attributes:
        train: Training documents, int64, shape (labels,).
        counts: Test documents that have it, were given it, and both.
    """

    train: Any
    counts: LabelCounts


@dataclass
class Evidence:
    """Reads what lies beside the records of a store; what is missing, damaged or of other documents is not at hand.

    Files are read when they are asked for, and the latest of them are held.

    Attributes:
        store: The store; None where only records are at hand, so that nothing is found.
    """

    store: Store | None = None
    _judged: Recent[Judged | None] = field(default_factory=lambda: Recent(_MOST, _judged_bytes))
    _labels: Recent[LabelTable | None] = field(default_factory=lambda: Recent(_MOST // 4, _label_bytes))
    _collections: Recent[Collection | None] = field(default_factory=lambda: Recent(_MOST, _collection_bytes))

    def judged(self, record: Record) -> Judged | None:
        """A finished cell's test predictions, canonical; None where they are not at hand or cannot be read."""
        if self.store is None or record.status != "ok":
            return None
        folder = self.store.folder(record.cell)
        return self._judged.get(record.cell, lambda: _or_none(lambda: _read_judged(record, folder)))

    def validation(self, record: Record) -> SplitPredictions | None:
        """A finished cell's predictions of validation documents; stored only where a threshold was chosen on them."""
        if self.store is None or record.status != "ok":
            return None
        folder = self.store.folder(record.cell)
        return _or_none(lambda: _read_split(folder, "validation"))

    def label_table(self, record: Record) -> LabelTable | None:
        """A finished cell's counts by label: a thousandth of what its predictions take."""
        if self.store is None or record.status != "ok":
            return None
        folder = self.store.folder(record.cell)
        return self._labels.get(record.cell, lambda: _or_none(lambda: _read_labels(record, folder)))

    def collection(self, record: Record) -> Collection | None:
        """The test documents and label names of a cell; None where they are not at hand."""
        fingerprint = record.identity.task_fingerprint
        if self.store is None or not fingerprint:
            return None
        store = self.store
        return self._collections.get(fingerprint, lambda: _or_none(lambda: _read_collection(store, fingerprint)))


def _or_none(read: Callable[[], T]) -> T | None:
    """None where a file is not there or not what it should be: the report must still be written."""
    import pyarrow as pa

    try:
        return read()
    except (OSError, LookupError, TypeError, ValueError, OverflowError, pa.ArrowException):
        return None


def _read_judged(record: Record, folder: Path) -> Judged:
    from bench.stats.judged import read_judged

    judged = read_judged(record, folder)
    _check(judged.split)
    if len(judged.train_counts) != judged.split.gold.shape[1]:
        raise ValueError(f"cell {record.cell} has counts of other labels than its predictions")
    return judged


def _read_split(folder: Path, name: str) -> SplitPredictions:
    from bench.predictions_file import read_predictions
    from bench.store import PREDICTIONS

    split = read_predictions(folder / PREDICTIONS)[name]
    _check(split)
    return split


def _check(split: SplitPredictions) -> None:
    """Refuse what no cell writes, so that nobody after has to; sorts what is not sorted."""
    from bench.metrics.checks import check_ranking, check_shapes

    for matrix in (split.gold, split.predicted):
        matrix.sum_duplicates()
        if (matrix.data != 1).any():
            raise ValueError("a label recurs in a document")
    check_shapes(split.gold, split.predicted)
    if len(split.ids) != split.gold.shape[0]:
        raise ValueError("ids are of other documents")
    if split.ranking is not None:
        check_ranking(split.ranking, split.gold.shape)


def _read_labels(record: Record, folder: Path) -> LabelTable:
    import numpy as np

    from bench.metrics.counts import LabelCounts
    from bench.store import LABELS

    names = ["train", "support", "predicted", "true_positive"]
    table = read_parquet(folder / LABELS, names)
    train, support, predicted, true_positive = (np.asarray(table.column(name), dtype=np.int64) for name in names)
    if record.task_facts is None or len(train) != record.task_facts.n_labels:
        raise ValueError(f"cell {record.cell} has counts of other labels than its record")
    if (true_positive > np.minimum(support, predicted)).any() or (true_positive < 0).any():
        raise ValueError(f"cell {record.cell} has counts that cannot be")
    return LabelTable(train, LabelCounts(true_positive, predicted, support))


def _read_collection(store: Store, fingerprint: str) -> Collection:
    from bench.collection import read_collection

    return read_collection(store, fingerprint)


def _judged_bytes(judged: Judged | None) -> int:
    if judged is None:
        return 0
    split = judged.split
    total = judged.train_counts.nbytes + _ID * len(split.ids)
    total += sum(part.nbytes for m in (split.gold, split.predicted) for part in (m.data, m.indices, m.indptr))
    total += split.ranking.labels.nbytes + split.ranking.scores.nbytes if split.ranking is not None else 0
    total += sum(_ID + len(text or "") for text in split.texts or ())
    return int(total + sum(_ID * (1 + len(row)) for row in split.categories or ()))


def _label_bytes(table: LabelTable | None) -> int:
    return 0 if table is None else 4 * int(table.train.nbytes)


def _collection_bytes(found: Collection | None) -> int:
    if found is None:
        return 0
    texts = sum(len(text) for text in found.texts.values())
    return texts + _ID * (len(found.labels) + 4 * len(found.words))
