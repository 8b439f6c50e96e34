"""How many documents and labels a task has, and how they are spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.audit.facts import Hierarchy, Imbalance, Sizes, Tail
from bench.metrics.definitions import BUCKETS
from bench.task import Documents, LabelSpace, TaskData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN_LABELS = 10


def sizes(data: TaskData, unlimited: Mapping[str, int] | None = None) -> Sizes:
    """Count; linear in documents and labels.

    Args:
        data: The task.
        unlimited: Documents by split before a setting limited them; None: as many as there are.
    """
    splits = dict(data.splits())
    documents = {name: len(part) for name, part in splits.items()}
    counts = {name: _label_counts(documents, len(data.labels)) for name, documents in splits.items()}
    cardinality = {name: sum(map(len, documents.labels)) / len(documents) for name, documents in splits.items()}
    untrained = (counts["test"] > 0) & (counts["train"] == 0)
    return Sizes(
        kind=data.kind,
        n_labels=len(data.labels),
        primary_metric=data.primary_metric,
        documents=documents,
        unlimited=dict(unlimited or documents),
        unlabelled={name: sum(not row for row in documents.labels) for name, documents in splits.items()},
        cardinality=cardinality,
        density={name: value / max(1, len(data.labels)) for name, value in cardinality.items()},
        labels_present={name: int((values > 0).sum()) for name, values in counts.items()},
        empty_labels=int((counts["train"] + counts["validation"] + counts["test"] == 0).sum()),
        untrained_labels=int(untrained.sum()),
        untrained_documents=_having(data.test, untrained),
        tail=_tail(data.test, counts["train"]),
        imbalance=_imbalance(counts["train"], len(data.train)),
        **_extremes(data.labels, counts["train"]),
        hierarchy=_hierarchy(data.labels),
        skipped=dict(data.skipped),
        skipped_files=list(data.skipped_files),
        remarks=list(data.remarks),
    )


def _label_counts(documents: Documents, n_labels: int) -> NDArray[np.int64]:
    from bench.metrics.counts import by_label

    return by_label(documents.label_matrix(n_labels))


def _having(documents: Documents, labels: NDArray[np.bool_]) -> int:
    """Documents with one of these labels."""
    if not labels.any():
        return 0
    wanted = set(labels.nonzero()[0].tolist())
    return sum(not wanted.isdisjoint(row) for row in documents.labels)


def _tail(test: Documents, train_counts: NDArray[np.int64]) -> list[Tail]:
    from bench.metrics.tail import members

    groups: list[Tail] = []
    for bucket in BUCKETS:
        inside = members(bucket, train_counts)
        size = int(inside.sum())
        share = size / max(1, len(train_counts))
        test_share = _having(test, inside) / len(test)
        groups.append(Tail(name=bucket.name, span=bucket.span, labels=size, share=share, test_share=test_share))
    return groups


def _imbalance(train_counts: NDArray[np.int64], documents: int) -> Imbalance:
    import numpy as np

    seen = train_counts[train_counts > 0]
    if len(seen) == 0:
        return Imbalance(largest_share=0.0, ratio=1.0, evenness=1.0)
    shares = seen / seen.sum()
    entropy = float(-(shares * np.log(shares)).sum())
    return Imbalance(
        largest_share=int(seen.max()) / documents,
        ratio=int(seen.max()) / int(seen.min()),
        evenness=min(1.0, entropy / float(np.log(len(seen)))) if len(seen) > 1 else 1.0,
    )


def _extremes(labels: LabelSpace, train_counts: NDArray[np.int64]) -> Mapping[str, dict[str, int]]:
    """The most frequent labels and the rarest that are seen at all; of equals the lower position first."""
    import numpy as np

    order = np.argsort(-train_counts, kind="stable")
    seen = [int(place) for place in order[: int((train_counts > 0).sum())]]
    return {
        "frequent_labels": {labels.names[place]: int(train_counts[place]) for place in seen[:SHOWN_LABELS]},
        "rare_labels": {labels.names[place]: int(train_counts[place]) for place in seen[::-1][:SHOWN_LABELS]},
    }


def _hierarchy(labels: LabelSpace) -> Hierarchy | None:
    if labels.ancestors is None:
        return None
    import numpy as np

    from bench.metrics.hierarchy import lineages

    nodes = lineages(labels).nodes
    counts = [len(np.unique(column[column >= 0])) for column in nodes.T]
    return Hierarchy(depth=len(counts), nodes=counts)
