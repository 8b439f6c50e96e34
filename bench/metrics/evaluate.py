"""Every metric of one set of predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.checks import binary, check_ranking, check_shapes, check_train_counts
from bench.metrics.counts import by_document, count_labels
from bench.metrics.definitions import (
    DEFAULT_PROPENSITY,
    DEFINITIONS,
    PATENT_METRICS,
    RANKING_METRICS,
    Propensity,
    describe,
)
from bench.metrics.f1 import set_metrics
from bench.metrics.hierarchy import hierarchy_metrics
from bench.metrics.patents import patent_metrics
from bench.metrics.ranking import ranking_metrics, relevance
from bench.metrics.tail import contributions, tail_metrics
from bench.metrics.values import Undefined, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking
    from bench.task import Kind, LabelSpace

__all__ = ["DEFINITIONS", "Evaluation", "Propensity", "describe", "evaluate", "label_table"]

_NO_RANKING = Undefined("the method emits label sets without scores, so that its labels have no order")


@dataclass(frozen=True)
class Evaluation:
    """The metrics of one set of predictions, ready for JSON.

    Attributes:
        metrics: Name → value, None where undefined; always in the same order.
        undefined: Name → why its value is None.
    """

    metrics: dict[str, float | None]
    undefined: dict[str, str] = field(default_factory=dict)


def evaluate(  # noqa: PLR0917 (one argument for each thing that a metric depends on)
    gold: csr_matrix,
    predicted: csr_matrix,
    ranking: Ranking | None,
    labels: LabelSpace,
    train_counts: NDArray[np.int64],
    n_train: int,
    kind: Kind,
    *,
    propensity: Propensity = DEFAULT_PROPENSITY,
    categories: Sequence[Sequence[int]] | None = None,
) -> Evaluation:
    """Compute every metric. :func:`bench.metrics.definitions.describe` says what each of them is.

    Time and memory grow with the labels that documents have, with the ranking and with the number of labels, never
    with documents × labels.

    Args:
        gold: 0/1, shape (documents, labels).
        predicted: 0/1, the same shape; a document may be without any label, which counts as wrong. For ``single`` no
            document may have more than one.
        ranking: The ranking of the same documents; None for bare label sets, whose ranking metrics are undefined.
        labels: The label space. Without a hierarchy the hierarchical metrics are absent.
        train_counts: Training documents by label, whole numbers, shape (labels,).
        n_train: Number of training documents.
        kind: ``single`` or ``multi``.
        propensity: Constants of ``psp@k``.
        categories: For each document the positions of all its categories, the main one first; empty: unknown.
            Without them the measures of patent categorisation are absent.

    Raises:
        ValueError: Something does not fit: shapes, entries other than 0 and 1, a score that is not finite, a
            single-label document without exactly one gold label or with more than one predicted.
    """
    gold, predicted = binary(gold, "gold"), binary(predicted, "predicted")
    _check(gold, predicted, ranking, labels, kind)
    check_train_counts(train_counts, n_train, len(labels))
    ranked: dict[str, Value] = dict.fromkeys(RANKING_METRICS, _NO_RANKING)
    p_at_5: NDArray[np.float64] | Undefined = _NO_RANKING
    if ranking is not None:
        found = relevance(gold, ranking)
        ranked = ranking_metrics(gold, ranking, found, train_counts, n_train, propensity=propensity)
        p_at_5 = contributions(ranking, found)
    return _collect(
        {
            **set_metrics(gold, predicted, train_counts, kind),
            **ranked,
            **tail_metrics(count_labels(gold, predicted), train_counts, p_at_5),
            **hierarchy_metrics(gold, predicted, labels, kind),
            **_patent_metrics(categories, ranking),
        }
    )


def label_table(
    gold: csr_matrix, predicted: csr_matrix, train_counts: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Counts by label, for storing; every F1 can be computed from them.

    Args:
        gold: 0/1, shape (documents, labels).
        predicted: 0/1, the same shape.
        train_counts: Training documents by label, whole numbers, shape (labels,).

    Returns:
        Columns ``train``, ``support``, ``predicted`` and ``true_positive``, each int64 of shape (labels,).

    Raises:
        ValueError: Shapes differ, or entries are neither 0 nor 1.
    """
    gold, predicted = binary(gold, "gold"), binary(predicted, "predicted")
    check_shapes(gold, predicted)
    check_train_counts(train_counts, int(train_counts.max(initial=0)), int(gold.shape[1]))
    counts = count_labels(gold, predicted)
    return {
        "train": train_counts.astype(np.int64),
        "support": counts.support,
        "predicted": counts.predicted,
        "true_positive": counts.true_positive,
    }


def _patent_metrics(categories: Sequence[Sequence[int]] | None, ranking: Ranking | None) -> dict[str, Value]:
    if categories is None:
        return {}
    return dict.fromkeys(PATENT_METRICS, _NO_RANKING) if ranking is None else patent_metrics(categories, ranking)


def _check(gold: csr_matrix, predicted: csr_matrix, ranking: Ranking | None, labels: LabelSpace, kind: Kind) -> None:
    check_shapes(gold, predicted)
    if gold.shape[1] != len(labels):
        raise ValueError(f"gold has shape {gold.shape}, but there are {len(labels)} labels")
    if ranking is not None:
        check_ranking(ranking, (int(gold.shape[0]), int(gold.shape[1])))
    if kind == "single":
        _refuse_row(by_document(gold) != 1, "a single-label document needs exactly one gold label; not so in row {}")
        _refuse_row(by_document(predicted) > 1, "a single-label document may be given one label only; not so in row {}")


def _refuse_row(wrong: NDArray[np.bool_], message: str) -> None:
    if wrong.any():
        raise ValueError(message.format(int(np.argmax(wrong))))


def _collect(values: dict[str, Value]) -> Evaluation:
    metrics = {name: None if isinstance(value, Undefined) else float(value) for name, value in values.items()}
    wild = [name for name, value in metrics.items() if value is not None and not math.isfinite(value)]
    if wild:
        raise ValueError(f"metrics came out not finite: {', '.join(wild)}")
    return Evaluation(metrics, {name: value.reason for name, value in values.items() if isinstance(value, Undefined)})
