"""The table that compares the rules which choose labels."""

from bench.record import Alternative, Decision
from report.groups import sections
from report.rules import rules_table


def shown(table, method):
    (row,) = [row for row in table.rows if row[0].text == method]
    return {column.key: cell.text for column, cell in zip(table.columns, row, strict=True)}


def test_every_rule_has_its_figures_whichever_is_the_cells_own(record):
    found = {"micro_f1": 0.5, "macro_f1": 0.4}
    others = {"label-thresholds": Alternative(decision=Decision(rule="label-thresholds"), metrics=found)}
    emitted = record(method="speaker", decision=Decision(rule="emitted"))
    (section,) = sections([record(method="tfidf", f1=0.6, alternatives=others), emitted])
    (table,) = rules_table(section)
    cells = shown(table, "tfidf")
    assert (cells["global-threshold_micro_f1"], cells["global-threshold_macro_f1"]) == ("0.600", "0.400")
    assert (cells["label-thresholds_micro_f1"], cells["label-thresholds_macro_f1"]) == ("0.500", "0.400")
    assert cells["top-k_micro_f1"] == "–"
    assert shown(table, "speaker")["global-threshold_micro_f1"] == "–"
    assert any("emits label sets" in text for _, text in table.footnotes)


def test_without_alternatives_there_is_no_table(record):
    (section,) = sections([record()])
    assert rules_table(section) == ()
