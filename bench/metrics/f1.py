"""The F1 family on label sets. A precision, recall or F1 of 0/0 is 0 throughout (``zero_division=0``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.counts import LabelCounts, by_document, count_labels, intersection
from bench.metrics.values import NO_GOLD, Undefined, Value, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.task import Kind


def set_metrics(
    gold: csr_matrix, predicted: csr_matrix, train_counts: NDArray[np.int64], kind: Kind
) -> dict[str, Value]:
    """Every metric of this module by name.

    Args:
        gold: 0/1 in canonical form, shape (documents, labels), at least one document.
        predicted: The same shape and form.
        train_counts: Training documents by label, shape (labels,).
        kind: ``single``: every document has one gold label and was given at most one; none is a wrong answer.
    """
    counts = count_labels(gold, predicted)
    precision, recall, f1 = micro(counts, kind)
    return {
        "micro_precision": precision,
        "micro_recall": recall,
        "micro_f1": f1,
        "macro_f1": macro_f1(counts, train_counts),
        "macro_f1_supported": macro_f1_supported(counts),
        "weighted_f1": weighted_f1(counts),
        "samples_f1": samples_f1(gold, predicted),
        "exact_match": exact_match(gold, predicted),
    }


def micro(counts: LabelCounts, kind: Kind) -> tuple[float, float, float]:
    """Micro-averaged precision, recall and F1.

    For a single label all three are accuracy: each document counts as one answer, given or not, since otherwise a
    method would gain by answering nothing where it is unsure.
    """
    support = int(counts.support.sum())
    answers = support if kind == "single" else int(counts.predicted.sum())
    return micro_of(int(counts.true_positive.sum()), answers, support)


def micro_of(true_positive: int, predicted: int, support: int) -> tuple[float, float, float]:
    """Precision, recall and F1 = 2TP / (predicted + support) of totals."""
    return (
        ratio(true_positive, predicted),
        ratio(true_positive, support),
        ratio(2 * true_positive, predicted + support),
    )


def f1_by_label(counts: LabelCounts) -> NDArray[np.float64]:
    """F1 of each label, shape (labels,)."""
    total = counts.predicted + counts.support
    return np.asarray(np.divide(2 * counts.true_positive, total, out=np.zeros(len(total)), where=total > 0))


def macro_f1(counts: LabelCounts, train_counts: NDArray[np.int64]) -> Value:
    """Mean F1 over the labels present in train ∪ test gold.

    A label that is only ever predicted is left out: else a method that invents labels would change the denominator.
    A document without an answer is a false negative of its gold labels and a false positive of none.
    """
    return mean_f1(counts, (train_counts > 0) | (counts.support > 0), "no label occurs in training or test documents")


def macro_f1_supported(counts: LabelCounts) -> Value:
    """Mean F1 over the labels with test documents."""
    return mean_f1(counts, counts.support > 0, NO_GOLD.reason)


def mean_f1(counts: LabelCounts, chosen: NDArray[np.bool_], otherwise: str) -> Value:
    """Mean F1 over the labels ``chosen`` (a mask); undefined for the reason ``otherwise`` where there are none."""
    return float(f1_by_label(counts)[chosen].mean()) if chosen.any() else Undefined(otherwise)


def weighted_f1(counts: LabelCounts) -> Value:
    """Mean F1 over labels, weighted by test documents."""
    total = int(counts.support.sum())
    return float((f1_by_label(counts) * counts.support).sum() / total) if total else NO_GOLD


def samples_f1(gold: csr_matrix, predicted: csr_matrix) -> float:
    """Mean over documents of 2|gold ∩ predicted| / (|gold| + |predicted|); 1 where both are empty."""
    both, total = by_document(intersection(gold, predicted)), by_document(gold) + by_document(predicted)
    return float(np.divide(2 * both, total, out=np.ones(len(total)), where=total > 0).mean())


def exact_match(gold: csr_matrix, predicted: csr_matrix) -> float:
    """Share of documents whose labels are all right and complete (subset accuracy)."""
    both = by_document(intersection(gold, predicted))
    return float(((both == by_document(gold)) & (both == by_document(predicted))).mean())
