"""From predictions to label sets and metrics: one rule for every method, and for every look at validation documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.deciding import Rule, global_rule, menu
from bench.prediction import LabelSets, Prediction, Ranking, Scores, TopScores, rank, sets_matrix
from bench.predictions_file import SplitPredictions
from bench.record import Decision
from bench.task import Documents, Kind, LabelSpace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.metrics.evaluate import Evaluation


@dataclass(frozen=True)
class Judge:
    """Makes label sets of a task's predictions, and metrics of those.

    Attributes:
        labels: The label space.
        kind: ``single`` or ``multi``.
        train_counts: Training documents by label, shape (labels,).
        n_train: Number of training documents.
    """

    labels: LabelSpace
    kind: Kind
    train_counts: NDArray[np.int64]
    n_train: int

    @classmethod
    def of(cls, train: Documents, labels: LabelSpace, kind: Kind) -> Judge:
        """The judge of a task with these training documents."""
        import numpy as np

        counts = np.asarray(train.label_matrix(len(labels)).sum(axis=0)).ravel().astype(np.int64)
        return cls(labels, kind, counts, len(train))

    def chooses(self, prediction: Prediction) -> bool:
        """Whether validation documents choose how label sets are made of a prediction like this one."""
        return self.kind == "multi" and not isinstance(prediction, LabelSets)

    def rule(self, validation: Documents, prediction: Prediction) -> Rule:
        """How label sets are made: by one threshold that these validation documents choose, where one is needed."""
        if isinstance(prediction, LabelSets) or not self.chooses(prediction):
            return self._only_rule(prediction)
        return global_rule(validation.label_matrix(len(self.labels)), self._ranking(prediction))

    def rules(self, validation: Documents, prediction: Prediction) -> dict[str, Rule]:
        """Every way to make label sets of predictions like this one, each chosen on these validation documents."""
        if isinstance(prediction, LabelSets) or not self.chooses(prediction):
            only = self._only_rule(prediction)
            return {only.decision.rule: only}
        return menu(validation.label_matrix(len(self.labels)), self._ranking(prediction))

    def decide(self, documents: Documents, prediction: Prediction, rule: Rule) -> SplitPredictions:
        """The label sets of documents.

        Raises:
            ValueError: A prediction is no label set or no score of this task's labels, or not finite.
        """
        gold = documents.label_matrix(len(self.labels))
        if isinstance(prediction, LabelSets):
            self._check_sets(prediction.sets, documents)
            predicted, ranking, texts = sets_matrix(prediction.sets, len(self.labels)), None, prediction.texts
        else:
            ranking, texts = self._ranking(prediction), None
            predicted = rule.sets(ranking, self.kind)
        return SplitPredictions(documents.ids, gold, predicted, ranking, texts, documents.categories)

    def evaluate(self, split: SplitPredictions) -> Evaluation:
        """Every metric of a split."""
        from bench.metrics.evaluate import evaluate

        return evaluate(
            gold=split.gold,
            predicted=split.predicted,
            ranking=split.ranking,
            labels=self.labels,
            train_counts=self.train_counts,
            n_train=self.n_train,
            kind=self.kind,
            categories=split.categories,
        )

    def evaluate_sets(self, split: SplitPredictions) -> dict[str, float | None]:
        """The metrics that its label sets have whatever their order."""
        from bench.metrics.definitions import SET_METRICS

        metrics = self.evaluate(replace(split, ranking=None)).metrics
        return {name: metrics[name] for name in SET_METRICS}

    def validate(self, validation: Documents, prediction: Prediction, metric: str) -> float | None:
        """A metric of validation documents, one threshold chosen on themselves; None where it is undefined."""
        decided = self.decide(validation, prediction, self.rule(validation, prediction))
        return self.evaluate(decided).metrics[metric]

    def label_table(self, split: SplitPredictions) -> dict[str, NDArray[np.int64]]:
        """Counts by label of a split; see :func:`bench.metrics.evaluate.label_table`."""
        from bench.metrics.evaluate import label_table

        return label_table(split.gold, split.predicted, self.train_counts)

    def _only_rule(self, prediction: Prediction) -> Rule:
        return Rule(Decision(rule="emitted" if isinstance(prediction, LabelSets) else "argmax"))

    def _ranking(self, prediction: Scores | TopScores) -> Ranking:
        if prediction.values.shape[1] != len(self.labels):
            raise ValueError(f"the method scored {prediction.values.shape[1]} labels, the task has {len(self.labels)}")
        return rank(prediction)

    def _check_sets(self, sets: Sequence[Sequence[int]], documents: Documents) -> None:
        n_labels = len(self.labels)
        for id_, labels in zip(documents.ids, sets, strict=True):
            if any(not 0 <= label < n_labels for label in labels):
                raise ValueError(f"the method gave document {id_!r} labels {list(labels)}, the task has {n_labels}")
            if self.kind == "single" and len(set(labels)) > 1:
                raise ValueError(
                    f"the method gave document {id_!r} {len(set(labels))} labels, a single-label task has one"
                )
