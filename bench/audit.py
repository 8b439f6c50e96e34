"""What a task's documents look like."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.task import Documents, TaskData

SHOWN_LABELS = 10


def audit(data: TaskData) -> dict[str, Any]:
    """Counts of documents, labels and words, as JSON values.

    Returns:
        ``kind``, ``n_labels``, ``primary_metric``, ``documents``, ``cardinality``, ``labels_present`` and ``words``
        by split, ``frequent_labels``, ``rare_labels``, ``texts_shared_by_splits``, ``skipped``, ``skipped_files``,
        ``remarks``.
    """
    splits = dict(data.splits())
    counts = Counter(label for row in data.train.labels for label in row)
    ordered = sorted(range(len(data.labels)), key=lambda label: (-counts[label], label))
    return {
        "kind": data.kind,
        "n_labels": len(data.labels),
        "primary_metric": data.primary_metric,
        "documents": {name: len(documents) for name, documents in splits.items()},
        "cardinality": {name: _mean([len(row) for row in documents.labels]) for name, documents in splits.items()},
        "labels_present": {
            name: len({label for row in documents.labels for label in row}) for name, documents in splits.items()
        },
        "words": {name: _lengths(documents) for name, documents in splits.items()},
        "frequent_labels": {data.labels.names[label]: counts[label] for label in ordered[:SHOWN_LABELS]},
        "rare_labels": {data.labels.names[label]: counts[label] for label in ordered[-SHOWN_LABELS:]},
        "texts_shared_by_splits": _shared_texts(data),
        "skipped": dict(data.skipped),
        "skipped_files": list(data.skipped_files),
        "remarks": list(data.remarks),
    }


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)


def _lengths(documents: Documents) -> dict[str, int]:
    lengths = sorted(len(text.split()) for text in documents.texts)
    return {
        "median": lengths[len(lengths) // 2],
        "p95": lengths[int(0.95 * (len(lengths) - 1))],
        "longest": lengths[-1],
    }


def _shared_texts(data: TaskData) -> int:
    seen = Counter(text for _, documents in data.splits() for text in {" ".join(t.split()) for t in documents.texts})
    return sum(count > 1 for count in seen.values())
