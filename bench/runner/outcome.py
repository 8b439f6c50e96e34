"""From a fitted method to what its cell says: predictions, the rule that made label sets of them, and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.deciding import Rule
from bench.judging import Judge
from bench.meters.instruments import CellInstruments
from bench.method import Context, Method
from bench.prediction import LabelSets, Prediction
from bench.predictions_file import SplitPredictions
from bench.record import DEFAULT_RULE, Alternative, Identity
from bench.task import Documents, TaskData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.metrics.evaluate import Evaluation

Others = dict[str, tuple[Rule, SplitPredictions]]


@dataclass(frozen=True)
class Outcome:
    """Predictions with the rule that made label sets of them.

    Attributes:
        judge: Who made them.
        rule: The rule.
        judged: Predictions of the documents that the cell is judged on.
        chosen_on: Predictions of the validation documents that the rule was chosen on, where those are others.
        others: Name → another rule of the menu, and what it makes of the same scores.
    """

    judge: Judge
    rule: Rule
    judged: SplitPredictions
    chosen_on: SplitPredictions | None = None
    others: Others = field(default_factory=dict)

    def splits(self, judged_on: str) -> dict[str, SplitPredictions]:
        """Split → predictions, for storing."""
        chosen_on = {"validation": self.chosen_on} if self.chosen_on is not None else {}
        return {**chosen_on, judged_on: self.judged}

    def evaluation(self) -> Evaluation:
        """Every metric."""
        return self.judge.evaluate(self.judged)

    def alternatives(self) -> dict[str, Alternative]:
        """What the other rules make of the same scores."""
        return {
            name: Alternative(decision=rule.decision, metrics=self.judge.evaluate_sets(split))
            for name, (rule, split) in self.others.items()
        }

    def label_table(self) -> dict[str, NDArray[Any]]:
        """Counts by label, and thresholds of their own where they were chosen."""
        counts, thresholds = self.judge.label_table(self.judged), self._thresholds()
        return {**counts} if thresholds is None else {**counts, "threshold": thresholds}

    def _thresholds(self) -> NDArray[np.float32] | None:
        rules = [self.rule, *(rule for rule, _ in self.others.values())]
        return next((rule.thresholds for rule in rules if rule.thresholds is not None), None)


def outcome(
    method: Method, data: TaskData, identity: Identity, context: Context, instruments: CellInstruments
) -> Outcome:
    """Predict the documents that the cell is judged on; and validation documents where rules are to be chosen on them.

    A trial is judged on validation documents, on which its rule is chosen as well; test documents are not looked at.
    """
    judge, wanted = Judge.of(data.train, data.labels, data.kind), identity.decision or DEFAULT_RULE
    documents = data.validation if identity.judged_on == "validation" else data.test
    prediction = _ask(method, "predict", documents, context, instruments)
    if isinstance(prediction, LabelSets):
        context.note(**prediction.problems)
    chosen_on = prediction
    if documents is data.test and judge.chooses(prediction):
        chosen_on = _ask(method, "validate", data.validation, context, instruments)
    if isinstance(chosen_on, LabelSets) != isinstance(prediction, LabelSets):
        raise TypeError(f"{method.name} returned scores for one split and bare label sets for another")
    with instruments.phase("decide"):
        rules = judge.rules(data.validation, chosen_on)
    rule = rules.get(wanted) or next(iter(rules.values()))
    return Outcome(
        judge,
        rule,
        judge.decide(documents, prediction, rule),
        judge.decide(data.validation, chosen_on, rule) if chosen_on is not prediction else None,
        {
            name: (other, judge.decide(documents, prediction, other))
            for name, other in rules.items()
            if other is not rule
        },
    )


def _ask(
    method: Method, phase: str, documents: Documents, context: Context, instruments: CellInstruments
) -> Prediction:
    """Have the method label documents, and see to it that it labelled all of them and that they are counted."""
    with instruments.phase(phase) as window:
        prediction = method.predict(documents.texts, context)
        window.count_if_silent(len(documents))
    n = len(prediction.sets) if isinstance(prediction, LabelSets) else prediction.values.shape[0]
    if n != len(documents):
        raise ValueError(f"{method.name} returned predictions for {n} of {len(documents)} documents")
    return prediction
