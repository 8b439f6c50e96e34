"""Whether a document gets the same answer alone as among others; where not, padding or batches leak into answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bench.meters.latency import WARM_UP
from bench.prediction import LabelSets, Prediction, Ranking, rank

if TYPE_CHECKING:
    from bench.predictions_file import SplitPredictions


@dataclass
class Alone:
    """Keeps what a method says of documents that come alone.

    Attributes:
        predict: Labels one text.
        said: Of each text, in the order in which they came.
    """

    predict: Callable[[str], Prediction]
    said: list[Prediction] = field(default_factory=list)

    def label(self, text: str) -> None:
        """Label a text and keep the answer."""
        self.said.append(self.predict(text))

    def beside(self, judged: SplitPredictions, places: Sequence[int]) -> dict[str, Any]:
        """How these answers differ from those that the same documents got among others.

        Args:
            judged: What all documents got.
            places: Of the documents that came alone, in their order; the first ``WARM_UP`` came twice.

        Returns:
            ``documents``, ``changed_share`` of those with another answer (another best label, where labels have
            scores); and with scores their ``greatest_difference``, the ``spread`` of scores, and whether it ``strays``
            as in :class:`bench.numerics.Numerics`.
        """
        import numpy as np

        said = self.said[WARM_UP:]
        rows = np.asarray(places[: len(said)], dtype=np.int64)
        scored = [one for one in said if not isinstance(one, LabelSets)]
        if len(scored) < len(said) or judged.ranking is None:
            return _changed_sets(said, judged, rows)
        from bench.numerics import compared

        among = replace(judged.ranking, labels=judged.ranking.labels[rows], scores=judged.ranking.scores[rows])
        found = asdict(compared("", _stacked([rank(one) for one in scored]), among))
        del found["precision"]
        return found


def _stacked(rankings: Sequence[Ranking]) -> Ranking:
    """One ranking of documents that were ranked one by one."""
    import numpy as np

    width = max(one.labels.shape[1] for one in rankings)
    labels = np.full((len(rankings), width), -1, dtype=np.int32)
    scores = np.full((len(rankings), width), -np.inf, dtype=np.float32)
    for row, one in enumerate(rankings):
        size = one.labels.shape[1]
        labels[row, :size], scores[row, :size] = one.labels[0], one.scores[0]
    return Ranking(labels, scores, rankings[0].n_labels)


def _changed_sets(said: Sequence[Prediction], judged: SplitPredictions, rows: Any) -> dict[str, Any]:
    """The same for bare label sets."""
    from bench.numerics import MOST_CHANGED

    alone = [set(one.sets[0]) for one in said if isinstance(one, LabelSets)]
    among = [set(map(int, judged.predicted[row].indices)) for row in rows[: len(alone)]]
    changed = sum(one != other for one, other in zip(alone, among, strict=True)) / max(1, len(alone))
    return {"documents": len(alone), "changed_share": changed, "strays": changed > MOST_CHANGED}
