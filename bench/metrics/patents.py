"""The measures of Fall, Törcsvári, Benzineb and Karetka (SIGIR Forum 37(1), 2003) for patents with a main category.

Documents whose categories are unknown do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.metrics.definitions import PATENT_METRICS
from bench.metrics.ranking import relevance
from bench.metrics.values import Undefined, Value
from bench.prediction import sets_matrix

if TYPE_CHECKING:
    from bench.prediction import Ranking

_GUESSES = 3
_NO_CATEGORIES = Undefined("no test document has a known main category")


def patent_metrics(categories: Sequence[Sequence[int]], ranking: Ranking) -> dict[str, Value]:
    """Every metric of this module by name.

    Args:
        categories: For each document the positions of its categories, the main one first; empty: unknown.
        ranking: A checked ranking of the same documents.

    Raises:
        ValueError: There is not one row of categories a document, or a category is not in the label space.
    """
    _check(categories, ranking)
    known = [i for i, row in enumerate(categories) if row]
    if not known:
        return dict.fromkeys(PATENT_METRICS, _NO_CATEGORIES)
    main = relevance(sets_matrix([row[:1] for row in categories], ranking.n_labels), ranking).hits[known]
    any_ = relevance(sets_matrix(categories, ranking.n_labels), ranking).hits[known]
    values = (main[:, :1], main[:, :_GUESSES], any_[:, :1])
    return {name: float(hits.any(axis=1).mean()) for name, hits in zip(PATENT_METRICS, values, strict=True)}


def _check(categories: Sequence[Sequence[int]], ranking: Ranking) -> None:
    if len(categories) != len(ranking):
        raise ValueError(f"there are {len(ranking)} documents and {len(categories)} rows of categories")
    for i, row in enumerate(categories):
        if any(not 0 <= category < ranking.n_labels for category in row):
            raise ValueError(f"row {i} of categories {list(row)} leaves the label space of {ranking.n_labels}")
