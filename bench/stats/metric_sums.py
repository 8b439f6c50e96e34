"""The metrics of :mod:`bench.metrics` as functions of sums over documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix, hstack

from bench.errors import unknown_name
from bench.metrics.checks import binary
from bench.metrics.counts import by_document, intersection, rows_of, within_row
from bench.metrics.definitions import BUCKETS, DEFINITIONS, PATENT_METRICS
from bench.metrics.ranking import inverse_propensities, relevance
from bench.metrics.tail import members
from bench.prediction import sets_matrix
from bench.stats.resampling import Sums

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from bench.metrics.ranking import Relevance
    from bench.prediction import Ranking
    from bench.stats.judged import Judged

    Floats = NDArray[np.float64]

_AT_K = re.compile(r"(p|r|rp|ndcg|hit|psp)@([1-9]\d*)")
_BUCKET = re.compile(rf"({'|'.join(bucket.name for bucket in BUCKETS)})_(macro_f1|recall|p@5)")
_GUESSES = {"top_prediction": 1, "three_guesses": 3, "all_categories": 1}
ACCURACY = ("micro_f1", "micro_precision", "micro_recall", "exact_match")
"""Metrics that are accuracy where every document has one label."""


class UnsupportedMetric(ValueError):  # noqa: N818 - what it says, not that it is one
    """A metric that has no value here, or cannot be computed of documents drawn again."""


def metric_sums(run: Judged, metric: str) -> Sums:
    """A metric of a run, ready for drawing documents again.

    Args:
        run: The predictions.
        metric: A name of :data:`bench.metrics.definitions.DEFINITIONS`.

    Raises:
        UnsupportedMetric: It is undefined for these predictions, needs what they do not hold (a hierarchy), or is a
            count.
        UserError: There is no such metric.
    """
    if metric.endswith("_labels"):
        raise UnsupportedMetric(f"{metric} is a count of labels, not a score")
    if metric.startswith(("hierarchical_", "level")):
        raise UnsupportedMetric(f"{metric} needs the hierarchy, which stored predictions do not hold")
    if metric not in DEFINITIONS and not _AT_K.fullmatch(metric):
        raise unknown_name("metric", metric, [name for name in DEFINITIONS if not name.endswith("_labels")])
    sides = binary(run.split.gold, "gold"), binary(run.split.predicted, "predicted")
    found = _of_sets(run, metric, *sides) or _of_labels(run, metric, *sides) or _of_ranking(run, metric, sides[0])
    if found.documents == 0:
        raise UnsupportedMetric(f"{metric}: there is no test document")
    if np.isnan(found.value()):
        raise UnsupportedMetric(f"{metric} is undefined: no test document counts in it")
    return found


def _mean(values: NDArray[Any]) -> Sums:
    """A mean of one value a document."""
    return Sums(_columns(values), lambda sums, documents: sums[0] / documents)


def _ratio(numerators: NDArray[Any], denominators: NDArray[Any], empty: float = 0.0) -> Sums:
    """A sum over a sum; ``empty`` where the latter is 0."""
    return Sums(_columns(numerators, denominators), lambda sums, _: _divided(sums[0], sums[1], empty))


def _columns(*values: NDArray[Any]) -> csr_matrix:
    return csr_matrix(np.stack(values, axis=1).astype(np.float64))


def _divided(numerators: Floats, denominators: Floats, empty: float = 0.0) -> Floats:
    out = np.full(np.broadcast_shapes(numerators.shape, denominators.shape), empty)
    return np.asarray(np.divide(numerators, denominators, out=out, where=denominators > 0))


def _of_sets(run: Judged, metric: str, gold: csr_matrix, predicted: csr_matrix) -> Sums | None:
    """Metrics of label sets that count by document."""
    both, had, given = by_document(intersection(gold, predicted)), by_document(gold), by_document(predicted)
    if metric == "exact_match":
        return _mean((both == had) & (both == given))
    if metric == "samples_f1":
        return _mean(np.divide(2 * both, had + given, out=np.ones(len(both)), where=had + given > 0))
    answers = had if run.kind == "single" else given
    if metric == "micro_precision":
        return _ratio(both, answers)
    if metric == "micro_recall":
        return _ratio(both, had)
    if metric == "micro_f1":
        return _ratio(2 * both, answers + had)
    return None


def _of_labels(run: Judged, metric: str, gold: csr_matrix, predicted: csr_matrix) -> Sums | None:
    """Metrics that count by label."""
    everyone = np.ones(gold.shape[1], dtype=np.bool_)
    if metric == "macro_f1":
        return _mean_f1(gold, predicted, always=run.train_counts > 0, chosen=everyone)
    if metric == "macro_f1_supported":
        return _mean_f1(gold, predicted, always=~everyone, chosen=everyone)
    if metric == "weighted_f1":
        return _weighted_f1(gold, predicted)
    bucket = _BUCKET.fullmatch(metric)
    if bucket is None or bucket[2] == "p@5":
        return None
    chosen = members(next(one for one in BUCKETS if one.name == bucket[1]), run.train_counts)
    if bucket[2] == "macro_f1":
        return _mean_f1(gold, predicted, always=~everyone, chosen=chosen)
    kept, found = gold[:, chosen], intersection(gold, predicted)[:, chosen]
    return _ratio(by_document(found), by_document(kept), np.nan)


def _mean_f1(gold: csr_matrix, predicted: csr_matrix, *, always: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Sums:
    """Mean F1 over the labels that are drawn with a document, of those ``chosen``, and those that ``always`` count."""
    counted = np.flatnonzero(chosen & (always | (_total(gold) > 0)))
    sometimes = counted[~always[counted]]
    n, fixed = len(counted), len(counted) - len(sometimes)
    place = np.flatnonzero(~always[counted])
    gold, predicted, support = gold[:, counted], predicted[:, counted], gold[:, sometimes]

    def finish(sums: Floats, _: Floats | float) -> Floats:
        f1 = _divided(sums[:n], sums[n : 2 * n])
        if not len(place):
            return np.asarray(f1.mean(axis=0))
        seen = sums[2 * n :] > 0
        f1[place] *= seen
        return _divided(f1.sum(axis=0), fixed + seen.sum(axis=0).astype(np.float64), np.nan)

    return Sums(_beside(2.0 * intersection(gold, predicted), _added(gold, predicted), support), finish)


def _weighted_f1(gold: csr_matrix, predicted: csr_matrix) -> Sums:
    seen = np.flatnonzero(_total(gold) > 0)
    gold, predicted, n = gold[:, seen], predicted[:, seen], len(seen)

    def finish(sums: Floats, _: Floats | float) -> Floats:
        f1, support = _divided(sums[:n], sums[n : 2 * n]), sums[2 * n :]
        return _divided((f1 * support).sum(axis=0), support.sum(axis=0), np.nan)

    return Sums(_beside(2.0 * intersection(gold, predicted), _added(gold, predicted), gold), finish)


def _total(matrix: csr_matrix) -> NDArray[np.int64]:
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _added(gold: csr_matrix, predicted: csr_matrix) -> csr_matrix:
    return csr_matrix(gold.astype(np.float64) + predicted.astype(np.float64))


def _beside(*parts: csr_matrix) -> csr_matrix:
    return csr_matrix(hstack([part.astype(np.float64) for part in parts], format="csr"))


def _of_ranking(run: Judged, metric: str, gold: csr_matrix) -> Sums:
    """Metrics of the order of labels."""
    ranking = run.split.ranking
    if ranking is None:
        raise UnsupportedMetric(f"{metric} needs a ranking, and cell {run.cell} has label sets without scores")
    if metric in PATENT_METRICS:
        return _patents(run, metric, ranking)
    found = relevance(gold, ranking)
    bucket = _BUCKET.fullmatch(metric)
    if bucket is not None:
        within = members(next(one for one in BUCKETS if one.name == bucket[1]), run.train_counts)
        return _mean((found.hits[:, :5] & within[ranking.labels[:, :5]]).sum(axis=1) / 5)
    if metric == "mrr":
        return _mean(_reciprocal_rank(found))
    parts = _AT_K.fullmatch(metric)
    assert parts is not None
    name, k = parts[1], int(parts[2])
    return _psp(run, gold, found, k) if name == "psp" else _mean(_BY_DOCUMENT[name](found, k))


def _reciprocal_rank(found: Relevance) -> Floats:
    if not found.hits.shape[1]:
        return np.zeros(len(found.hits))
    return np.where(found.hits.any(axis=1), 1 / (found.hits.argmax(axis=1) + 1), 0.0)


def _hits(found: Relevance, k: int) -> Floats:
    return np.asarray(found.hits[:, :k].sum(axis=1), dtype=np.float64)


def _ndcg(found: Relevance, k: int) -> Floats:
    discount = 1 / np.log2(np.arange(2, k + 2))
    top = found.hits[:, :k]
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(k, found.gold_sizes)]
    return _divided(top @ discount[: top.shape[1]], ideal)


_BY_DOCUMENT: dict[str, Callable[[Relevance, int], Floats]] = {
    "p": lambda found, k: _hits(found, k) / k,
    "r": lambda found, k: _divided(_hits(found, k), found.gold_sizes.astype(np.float64)),
    "rp": lambda found, k: _divided(_hits(found, k), np.minimum(k, found.gold_sizes).astype(np.float64)),
    "hit": lambda found, k: (_hits(found, k) > 0).astype(np.float64),
    "ndcg": _ndcg,
}


def _psp(run: Judged, gold: csr_matrix, found: Relevance, k: int) -> Sums:
    """What a document gains, over the most that it offers: the k best of its gold labels."""
    try:
        weights = inverse_propensities(run.train_counts, run.n_train)
    except ValueError as error:
        raise UnsupportedMetric(f"psp@{k}: {error}") from None
    assert run.split.ranking is not None
    gained = (weights[run.split.ranking.labels[:, :k]] * found.hits[:, :k]).sum(axis=1)
    rows = rows_of(gold)
    best = weights[gold.indices][np.lexsort((-weights[gold.indices], rows))]
    offered = np.bincount(rows, weights=best * (within_row(gold) < k), minlength=gold.shape[0])
    return _ratio(gained, offered, np.nan)


def _patents(run: Judged, metric: str, ranking: Ranking) -> Sums:
    categories = run.split.categories
    if categories is None:
        raise UnsupportedMetric(f"{metric} needs the categories of documents, and cell {run.cell} has none")
    wanted = categories if metric == "all_categories" else [row[:1] for row in categories]
    hits = relevance(sets_matrix(wanted, ranking.n_labels), ranking).hits[:, : _GUESSES[metric]]
    known = np.array([bool(len(row)) for row in categories])
    return _ratio(hits.any(axis=1) & known, known, np.nan)
