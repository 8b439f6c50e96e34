"""Whether a record says what follows from its own predictions: figures, label sets, thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.deciding import Rule, menu
from bench.gate.answers import Answers, differing_rows, equal, was_trimmed
from bench.gate.finding import Finding
from bench.record import MENU, Decision, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SAME = 1e-9
"""Figures of the same predictions are equal up to rounding."""
_SHOWN = 3
_AGAIN = "find what changed the record, the predictions or the code between them; run it again with --fresh"


def check_record(record: Record, answers: Answers) -> list[Finding]:
    """Whether the file is the record's, and whether the record's figures follow from it."""
    if record.predictions != answers.hash:
        words = "the predictions are not those that the record was written with"
        return [Finding("record", "closed", words, "run it again with --fresh")]
    try:
        wrong = _differing(record.metrics, _metrics(record, answers))
        strange = _strange_sets(record, answers)
    except ValueError as error:
        return [Finding("record", "closed", f"no figures follow from the predictions: {error}", _AGAIN)]
    if wrong:
        return [Finding("record", "closed", f"its figures do not follow from its predictions: {wrong}", _AGAIN)]
    if strange:
        return [Finding("record", "closed", strange, _AGAIN)]
    return [Finding("record", "held")]


def check_reference(before: Record, kept: Answers) -> list[Finding]:
    """Whether the code still finds in the reference's predictions what the reference says: else metrics changed."""
    figures = dict(before.metrics)
    if was_trimmed(kept.test):
        figures.pop("mrr", None)  # it looks at the whole ranking
    wrong = _differing(figures, _metrics(before, kept))
    if not wrong:
        return []
    words = f"metrics are computed otherwise: of the reference's own predictions {wrong}"
    remedy = "if metrics were meant to change, write the reference again with --update --reason WHY"
    return [Finding("record", "closed", words, remedy)]


def check_threshold(before: Record, record: Record, answers: Answers) -> list[Finding]:
    """Whether label sets are made by the reference's rule, as it follows from the stored validation predictions."""
    decision = record.decision
    was, is_ = (one.decision.rule if one.decision is not None else "no rule" for one in (before, record))
    if was != is_:
        return [Finding("threshold", "closed", f"label sets were made by {was}, now by {is_}", _AGAIN)]
    if decision is None or decision.rule not in MENU:
        return []
    validation = answers.splits.get("validation")
    if validation is None or validation.ranking is None:
        words = f"{_named(decision)} was chosen, but no validation predictions are stored that it follows from"
        return [Finding("threshold", "closed", words, "run it again with --fresh")]
    rules = menu(validation.gold, validation.ranking)
    wrong = [
        f"{_named(said)} is recorded, {_named(rules[said.rule].decision)} follows"
        for said in (decision, *record.other_decisions())
        if said.rule in rules and not _agree(said, rules[said.rule], answers.thresholds)
    ]
    if not wrong:
        return [Finding("threshold", "held")]
    words = f"not chosen on its validation documents: {'; '.join(wrong[:_SHOWN])}"
    return [Finding("threshold", "closed", words, "see on what documents thresholds are chosen; never on test ones")]


def _agree(said: Decision, rule: Rule, thresholds: NDArray[np.float32] | None) -> bool:
    import numpy as np

    if rule.thresholds is not None and (thresholds is None or not np.array_equal(thresholds, rule.thresholds)):
        return False
    return (said.threshold, said.k) == (rule.decision.threshold, rule.decision.k)


def _named(decision: Decision) -> str:
    chosen = [f"{decision.threshold:.6g}"] if decision.threshold is not None else []
    chosen += [f"k={decision.k}"] if decision.k is not None else []
    return " ".join([decision.rule, *chosen])


def _strange_sets(record: Record, answers: Answers) -> str:
    """In words, where label sets are others than the rule makes of the scores."""
    test, decision, facts = answers.test, record.decision, record.task_facts
    if test.ranking is None or decision is None or facts is None:
        return ""
    own = answers.thresholds if decision.rule == "label-thresholds" else None
    made = Rule(decision, own).sets(test.ranking, facts.kind)
    if equal(made, test.predicted):
        return ""
    rows = differing_rows(made, test.predicted)
    return f"label sets of {int(rows.sum())} documents are others than {_named(decision)} makes of their scores"


def _metrics(record: Record, answers: Answers) -> Mapping[str, float | None]:
    """All metrics but those of a hierarchy, which needs the names of labels."""
    from bench.judging import Judge
    from bench.task import LabelSpace

    facts = record.task_facts
    if facts is None:
        raise ValueError("the record has no result")
    names = LabelSpace(tuple(map(str, range(len(answers.train_counts)))))
    judge = Judge(names, facts.kind, answers.train_counts, facts.documents["train"])
    return judge.evaluate(answers.test).metrics


def _differing(said: Mapping[str, float | None], found: Mapping[str, float | None]) -> str:
    wrong = [
        f"{name} is recorded as {_number(said[name])}, {_number(value)} follows"
        for name, value in found.items()
        if name in said and not _close(said[name], value)
    ]
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return "; ".join(wrong[:_SHOWN]) + more


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=0, abs_tol=_SAME)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
