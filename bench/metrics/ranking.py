"""Metrics of the order of labels. Documents without gold labels score 0 and are counted.

A ranking narrower than k (stored so, or for want of labels) is read as if followed by wrong labels: precision at k
is divided by k all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.metrics.counts import by_document, rows_of, within_row
from bench.metrics.definitions import CUTOFFS, DEFAULT_PROPENSITY, Propensity
from bench.metrics.values import NO_GOLD, Undefined, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking

_BLOCK = 2**22  # cells of the comparison table held at a time
_FEWEST_TRAIN = 3  # ln N > 1 from there on; below, the propensity model gives weights under 1


@dataclass(frozen=True)
class Relevance:
    """Which ranked labels are right.

    Attributes:
        hits: bool, shape (documents, width of the ranking).
        gold_sizes: Gold labels by document, int64, shape (documents,).
    """

    hits: NDArray[np.bool_]
    gold_sizes: NDArray[np.int64]


def relevance(gold: csr_matrix, ranking: Ranking) -> Relevance:
    """Look every gold label up in its document's ranking.

    Args:
        gold: 0/1 in canonical form, shape (documents, labels).
        ranking: A ranking of the same documents and labels.
    """
    rows, hits = rows_of(gold), np.zeros(ranking.labels.shape, dtype=np.bool_)
    step = max(1, _BLOCK // max(1, ranking.labels.shape[1]))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        entry, place = np.nonzero(ranking.labels[part] == gold.indices[start : start + step].reshape(-1, 1))
        hits[part[entry], place] = True
    return Relevance(hits, by_document(gold))


def ranking_metrics(
    gold: csr_matrix,
    ranking: Ranking,
    found: Relevance,
    train_counts: NDArray[np.int64],
    n_train: int,
    *,
    propensity: Propensity = DEFAULT_PROPENSITY,
    cutoffs: Sequence[int] = CUTOFFS,
) -> dict[str, Value]:
    """Every metric of this module by name.

    Args:
        gold: 0/1 in canonical form, shape (documents, labels), at least one document.
        ranking: A checked ranking of the same documents and labels.
        found: What :func:`relevance` says of the two.
        train_counts: Training documents by label, shape (labels,).
        n_train: Number of training documents.
        propensity: Constants of ``psp@k``.
        cutoffs: The k to report.
    """
    by_name = {"p": precision_at, "r": recall_at, "rp": r_precision_at, "ndcg": ndcg_at, "hit": hit_at}
    metrics: dict[str, Value] = {f"{name}@{k}": at(found, k) for name, at in by_name.items() for k in cutoffs}
    metrics.update(psp(gold, ranking, found, train_counts, n_train, propensity=propensity, cutoffs=cutoffs))
    metrics["mrr"] = mrr(found)
    return metrics


def precision_at(found: Relevance, k: int) -> float:
    """Mean |top k ∩ gold| / k."""
    return float(_hits_at(found, k).mean() / k)


def recall_at(found: Relevance, k: int) -> float:
    """Mean |top k ∩ gold| / |gold|."""
    return _mean_ratio(_hits_at(found, k), found.gold_sizes)


def r_precision_at(found: Relevance, k: int) -> float:
    """Mean |top k ∩ gold| / min(k, |gold|)."""
    return _mean_ratio(_hits_at(found, k), np.minimum(k, found.gold_sizes))


def hit_at(found: Relevance, k: int) -> float:
    """Share of documents with a gold label among the top k."""
    return float((_hits_at(found, k) > 0).mean())


def ndcg_at(found: Relevance, k: int) -> float:
    """Mean of the discounted gain over that of an ideal list of min(k, |gold|) labels; discount log2(rank + 1)."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    top = found.hits[:, :k]
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(k, found.gold_sizes)]
    return _mean_ratio(top @ discount[: top.shape[1]], ideal)


def mrr(found: Relevance) -> float:
    """Mean reciprocal rank of the first gold label; 0 where the ranking holds none."""
    if not found.hits.shape[1]:
        return 0.0
    return float(np.where(found.hits.any(axis=1), 1 / (found.hits.argmax(axis=1) + 1), 0.0).mean())


def inverse_propensities(
    train_counts: NDArray[np.int64], n_train: int, propensity: Propensity = DEFAULT_PROPENSITY
) -> NDArray[np.float64]:
    """1/p of each label: 1 + C (N_l + B)^-A with C = (ln N - 1)(B + 1)^A (Jain et al., KDD 2016).

    Args:
        train_counts: N_l, training documents by label, shape (labels,).
        n_train: N, training documents, at least 3: with fewer C is negative, and weights fall below 1.
        propensity: A and B.

    Raises:
        ValueError: There are too few training documents, or A or B is not a finite number above 0.
    """
    a, b = propensity.a, propensity.b
    if n_train < _FEWEST_TRAIN:
        raise ValueError(f"propensities need at least {_FEWEST_TRAIN} training documents, not {n_train}")
    if not (0 < a < np.inf and 0 < b < np.inf):
        raise ValueError(f"propensity constants must be finite and above 0, not A={a}, B={b}")
    c = (np.log(n_train) - 1) * (b + 1) ** a
    return np.asarray(1 + c * (train_counts + b) ** -a, dtype=np.float64)


def psp(
    gold: csr_matrix,
    ranking: Ranking,
    found: Relevance,
    train_counts: NDArray[np.int64],
    n_train: int,
    *,
    propensity: Propensity = DEFAULT_PROPENSITY,
    cutoffs: Sequence[int] = CUTOFFS,
) -> dict[str, Value]:
    """Propensity-scored precision at each k, as a share of the best attainable by any ranking.

    Both sums run over all documents before they are divided, so a document counts by what it offers.
    """
    if n_train < _FEWEST_TRAIN:
        reason = Undefined(f"propensities need at least {_FEWEST_TRAIN} training documents")
        return {f"psp@{k}": reason for k in cutoffs}
    if not gold.nnz:
        return {f"psp@{k}": NO_GOLD for k in cutoffs}
    weights = inverse_propensities(train_counts, n_train, propensity)
    ideal, place = _best_first(gold, weights), within_row(gold)
    gained = {k: weights[ranking.labels[:, :k][found.hits[:, :k]]].sum() for k in cutoffs}
    return {f"psp@{k}": float(gained[k] / ideal[place < k].sum()) for k in cutoffs}


def _best_first(gold: csr_matrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of the gold labels, row by row, the largest of each row first."""
    values = weights[gold.indices]
    return np.asarray(values[np.lexsort((-values, rows_of(gold)))])


def _hits_at(found: Relevance, k: int) -> NDArray[np.int64]:
    return np.asarray(found.hits[:, :k].sum(axis=1, dtype=np.int64))


def _mean_ratio(numerators: NDArray[Any], denominators: NDArray[Any]) -> float:
    zeros = np.zeros(len(denominators))
    return float(np.divide(numerators, denominators, out=zeros, where=denominators > 0).mean())
