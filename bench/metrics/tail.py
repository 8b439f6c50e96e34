"""Metrics by how often a label was seen in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.counts import LabelCounts
from bench.metrics.definitions import BUCKETS, Bucket
from bench.metrics.f1 import mean_f1
from bench.metrics.ranking import Relevance
from bench.metrics.values import Undefined, Value, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.prediction import Ranking

_K = 5


def members(bucket: Bucket, train_counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which labels are in the bucket, shape (labels,)."""
    below = np.ones(len(train_counts), dtype=np.bool_) if bucket.high is None else train_counts <= bucket.high
    return np.asarray((train_counts >= bucket.low) & below)


def contributions(ranking: Ranking, found: Relevance) -> NDArray[np.float64]:
    """What each label adds to ``p@5``, shape (labels,): its hits among the first five over 5 × documents."""
    right = ranking.labels[:, :_K][found.hits[:, :_K]]
    return np.bincount(right, minlength=ranking.n_labels) / (_K * len(ranking))


def tail_metrics(
    counts: LabelCounts, train_counts: NDArray[np.int64], p_at_5: NDArray[np.float64] | Undefined
) -> dict[str, Value]:
    """Every metric of this module by name.

    Args:
        counts: Test documents by label.
        train_counts: Training documents by label, shape (labels,).
        p_at_5: What :func:`contributions` says; undefined without a ranking.
    """
    metrics: dict[str, Value] = {}
    for bucket in BUCKETS:
        chosen = members(bucket, train_counts)
        supported = chosen & (counts.support > 0)
        nothing = f"no label with {bucket.span} training documents occurs in test documents"
        metrics[f"{bucket.name}_labels"] = float(supported.sum())
        metrics[f"{bucket.name}_macro_f1"] = mean_f1(counts, supported, nothing)
        metrics[f"{bucket.name}_recall"] = _recall(counts, supported) if supported.any() else Undefined(nothing)
        metrics[f"{bucket.name}_p@{_K}"] = p_at_5 if isinstance(p_at_5, Undefined) else float(p_at_5[chosen].sum())
    return metrics


def _recall(counts: LabelCounts, chosen: NDArray[np.bool_]) -> float:
    return ratio(counts.true_positive[chosen].sum(), counts.support[chosen].sum())
