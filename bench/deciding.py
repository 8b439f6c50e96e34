"""How label sets are made of scores: a menu of rules, the same for every method, chosen on validation documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError, unknown_name
from bench.parquet import read_parquet
from bench.record import DEFAULT_RULE, MENU, Decision, Record
from bench.store import LABELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bench.prediction import Ranking
    from bench.task import Kind


@dataclass(frozen=True)
class Rule:
    """A rule with what validation documents chose for it.

    Attributes:
        decision: What the record says of it.
        thresholds: float32, one a label, for ``label-thresholds``; None for the other rules.
    """

    decision: Decision
    thresholds: NDArray[np.float32] | None = None

    def sets(self, ranking: Ranking, kind: Kind) -> csr_matrix:
        """The label sets of a ranking: 0/1, shape (documents, labels)."""
        from bench.metrics.thresholds import decide, take_best

        if self.decision.k is not None:
            return take_best(ranking, self.decision.k)
        return decide(ranking, kind, self.decision.threshold if self.thresholds is None else self.thresholds)


def menu(gold: csr_matrix, ranking: Ranking) -> dict[str, Rule]:
    """Every rule for any number of labels.

    Args:
        gold: 0/1, shape (documents, labels); validation documents, never test.
        ranking: Their ranking.
    """
    from bench.metrics.thresholds import choose_best, choose_label_thresholds

    one = global_rule(gold, ranking)
    thresholds = choose_label_thresholds(gold, ranking, float(one.decision.threshold or 0))
    return {
        "global-threshold": one,
        "label-thresholds": Rule(
            Decision(rule="label-thresholds", threshold=one.decision.threshold), thresholds=thresholds
        ),
        "top-k": Rule(Decision(rule="top-k", k=choose_best(gold, ranking))),
    }


def global_rule(gold: csr_matrix, ranking: Ranking) -> Rule:
    """One threshold for all labels, as in :func:`menu`."""
    from bench.metrics.thresholds import choose_threshold

    return Rule(Decision(rule=DEFAULT_RULE, threshold=choose_threshold(gold, ranking)))


def rule_of(record: Record, folder: Path, name: str | None = None) -> Rule:
    """The rule of a finished cell, or another one of the menu.

    Args:
        record: The cell's.
        folder: The cell's.
        name: The other one.

    Raises:
        UserError: The cell does not have it.
    """
    known = {decision.rule: decision for decision in (record.decision, *record.other_decisions()) if decision}
    if record.decision is None:
        raise UserError(f"cell {record.cell} does not say how its labels were decided on; run it again")
    if name is not None and name not in known:
        if name in MENU:
            raise UserError(
                f"cell {record.cell} chose no {name}: its rules are {', '.join(known)}; name one, or run it again"
            )
        raise unknown_name("decision", name, MENU)
    decision = known[name] if name is not None else record.decision
    return Rule(decision, _thresholds(folder) if decision.rule == "label-thresholds" else None)


def _thresholds(folder: Path) -> NDArray[np.float32]:
    import numpy as np

    try:
        column = read_parquet(folder / LABELS, columns=["threshold"]).column("threshold")
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{folder / LABELS}: no thresholds can be read ({error}); copy the cell again") from None
    return np.asarray(column, dtype=np.float32)
