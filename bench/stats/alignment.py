"""Runs that are compared are of the same documents, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from bench.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.predictions_file import SplitPredictions
    from bench.stats.judged import Judged


class DifferentDocuments(UserError):  # noqa: N818 - what it says, not that it is one
    """Runs that are not of the same test documents."""


def aligned(runs: Sequence[Judged]) -> list[Judged]:
    """The runs, with their documents in the order of the first's.

    Raises:
        DifferentDocuments: Ids, gold labels, the number of labels or their kind differ; names the first difference.
    """
    first = runs[0]
    if len(set(first.split.ids)) != len(first.split.ids):
        raise DifferentDocuments(f"cell {first.cell}: test documents share an id, so that they cannot be paired")
    return [first, *(_like(first, run) for run in runs[1:])]


def _like(first: Judged, run: Judged) -> Judged:
    between = f"cells {first.cell} and {run.cell} are not of the same test documents"
    if (first.kind, first.split.gold.shape[1]) != (run.kind, run.split.gold.shape[1]):
        shapes = (f"{one.kind}-label with {one.split.gold.shape[1]} labels" for one in (first, run))
        raise DifferentDocuments(f"{between}: {' against '.join(shapes)}")
    places = {id_: place for place, id_ in enumerate(run.split.ids)}
    for id_ in first.split.ids:
        if id_ not in places:
            raise DifferentDocuments(f"{between}: {id_!r} is only in {first.cell}")
    if len(run.split.ids) != len(first.split.ids):
        known = set(first.split.ids)
        other = next((id_ for id_ in run.split.ids if id_ not in known), None)
        what = "an id stands twice" if other is None else f"{other!r} is only"
        raise DifferentDocuments(f"{between}: {what} in {run.cell}")
    order = np.array([places[id_] for id_ in first.split.ids], dtype=np.int64)
    split = run.split if (order == np.arange(len(order))).all() else _reordered(run.split, order)
    _check_gold(first, split, between)
    return replace(run, split=split)


def _reordered(split: SplitPredictions, order: NDArray[np.int64]) -> SplitPredictions:
    ranking, texts, categories = split.ranking, split.texts, split.categories
    return replace(
        split,
        ids=[split.ids[place] for place in order],
        gold=split.gold[order],
        predicted=split.predicted[order],
        ranking=None
        if ranking is None
        else replace(ranking, labels=ranking.labels[order], scores=ranking.scores[order]),
        texts=None if texts is None else [texts[place] for place in order],
        categories=None if categories is None else [categories[place] for place in order],
    )


def _check_gold(first: Judged, split: SplitPredictions, between: str) -> None:
    differs = csr_matrix(first.split.gold - split.gold)
    differs.eliminate_zeros()
    if differs.nnz:
        place = int(np.flatnonzero(np.diff(differs.indptr))[0])
        raise DifferentDocuments(f"{between}: {first.split.ids[place]!r} has other gold labels")
