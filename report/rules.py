"""What each rule of the menu for any number of labels makes of the same scores."""

from __future__ import annotations

from collections.abc import Mapping

from bench.record import MENU, MenuRule, Record
from report.groups import Section
from report.measures import Measure, metric_title
from report.tables import Table, group_table
from report.text import score

_TITLES: Mapping[MenuRule, str] = {
    "global-threshold": "One threshold",
    "label-thresholds": "A threshold a label",
    "top-k": "The k best",
}
_METRICS = ("micro_f1", "macro_f1")
_REMARK = (
    "Made of the same scores; every threshold, and k, was chosen on validation documents. On which rule the figures of "
    "the other tables rest is said there."
)


def rules_table(section: Section) -> tuple[Table, ...]:
    """Micro-F1 and macro-F1 by rule, a row each; none where nothing is to be compared."""
    if not any(record.alternatives for record in section.records):
        return ()
    measures = [_measure(rule, name) for rule in MENU for name in _METRICS]
    return (group_table("Rules that choose labels", section.groups, measures, (_REMARK,)),)


def _measure(rule: MenuRule, name: str) -> Measure:
    def read(record: Record) -> float | None:
        if record.decision is not None and record.decision.rule == rule:
            return record.metrics.get(name)
        other = record.alternatives.get(rule)
        return other.metrics.get(name) if other is not None else None

    def why(record: Record) -> str:
        emitted = record.decision is not None and record.decision.rule == "emitted"
        return "it emits label sets, which no rule chooses" if emitted else "the record does not hold it"

    title = f"{_TITLES[rule]}: {metric_title(name)}"
    return Measure(f"{rule}_{name}", title, read, why, score, quality=True)
