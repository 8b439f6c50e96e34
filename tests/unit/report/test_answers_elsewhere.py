"""Published figures, training curves, ranks over tasks, the study's questions, tables to take along."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made_evidence import Predicted, first

from bench.errors import UserError
from report import write_report
from report.charts import Ranks
from report.exports import exported, to_csv, to_latex
from report.page import build_report
from report.publications import Publication, read_publication
from report.tables import Cell, Column, Table
from report.training import points
from report.wishes import Wishes

if TYPE_CHECKING:
    from made_records import MakeRecord

    from bench.record import Record
    from report.chapters import Chapter
    from report.page import Report

SOURCE = "A. Nobody, <i>Nowhere</i>, 2001"


def published(**result: Any) -> Publication:
    given = {"system": "SVM", "level": None, "labels": None, "metric": "micro_f1", "value": 0.7, "source": SOURCE}
    return Publication.model_validate({"task": "debtags", "results": [given | {"verified": False} | result]})


def chapter(report: Report, key: str) -> Chapter | None:
    return next((one for part in report.parts for one in part.chapters if one.key == key), None)


def test_published_figures_stand_apart_with_source_and_doubts(record: MakeRecord) -> None:
    records = [record(f1=0.6, task_settings={"level": "class"})]
    wishes = Wishes(published=(published(level="subclass", labels=451),))
    report = build_report(records, wishes=wishes)
    found = chapter(report, "published")
    assert found is not None
    (row,) = found.tables[0].rows
    texts = [cell.text for cell in row]
    assert texts[:1] == ["SVM"]
    assert "0.700" in texts
    assert "0.600" in texts
    assert all(
        words in texts[-1] for words in ("not verified", "other level than ours (class)", "other number of labels")
    )
    assert found.tables[0].footnotes[0][1] == SOURCE
    # It is nowhere among the results.
    assert all("SVM" not in cell.text for row in report.parts[0].tables[0].rows for cell in row)


def test_a_figure_of_another_task_is_not_shown(record: MakeRecord) -> None:
    report = build_report([record(task="other")], wishes=Wishes(published=(published(),)))
    assert chapter(report, "published") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task: [", "not YAML"),
        ("task: x", "results"),
        ("task: x\nresults: [{system: a}]", "results.0"),
        ("task: x\nresults: []\nmore: 1", "more"),
    ],
)
def test_a_file_of_another_shape_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"mine\.yaml") as error:
        read_publication(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="No such file"):
        read_publication(tmp_path / "none.yaml")


def test_training_is_drawn_from_what_methods_noted(record: MakeRecord) -> None:
    facts = {
        "loss_curve": [[1, 2.0], [10, 0.5]],
        "validation_curve": [[1, 0.3], [2, 0.4]],
        "best_epoch": 2,
        "steps": 10,
    }
    records = [record(method="a", facts=facts), record(method="b", facts={"loss_curve": "<b>no curve</b>"})]
    found = chapter(build_report(records), "training")
    assert found is not None
    assert {chart.key for chart in found.charts} == {"loss", "validation"}
    assert [[line.label for line in chart.series] for chart in found.charts] == [["a"], ["a"]]
    assert [row[0].text for row in found.tables[0].rows] == ["a"]


def test_there_is_no_such_chapter_where_nothing_was_trained_by_steps(record: MakeRecord) -> None:
    assert chapter(build_report([record()]), "training") is None


@pytest.mark.parametrize(
    "value", [None, 3, "x", [1, 2], [[1]], [["a", "b"]], [[1, None]], {"a": 1}, [[1, float("nan")]]]
)
def test_what_is_no_curve_has_no_points(value: Any) -> None:
    assert points(value) == ()


def ranked(record: MakeRecord, tasks: int, *, alike: bool = False) -> list[Record]:
    scores = {"a": 0.9, "b": 0.7, "c": 0.5}
    turned = {"a": 0.5, "b": 0.7, "c": 0.9}
    return [
        record(task=f"t{n}", method=method, f1=(turned if alike and n % 2 else scores)[method])
        for n in range(tasks)
        for method in scores
    ]


def test_rows_are_ranked_over_three_tasks_or_more(record: MakeRecord) -> None:
    found = next(one for one in build_report(ranked(record, 8)).chapters if one.key == "ranks")
    (chart,) = found.charts
    assert isinstance(chart, Ranks)
    assert [one.label for one in chart.series] == ["a", "b", "c"]
    assert "not all alike" in found.lead
    assert found.tables[0].rows[0][2].text == "c"
    assert not any(one.key == "ranks" for one in build_report(ranked(record, 2)).chapters)


def test_ranks_that_may_be_chance_are_said_to_be(record: MakeRecord) -> None:
    found = next(one for one in build_report(ranked(record, 4, alike=True)).chapters if one.key == "ranks")
    assert "may be chance" in found.lead
    assert all(row[2].text == "none" for row in found.tables[0].rows)


def study(record: MakeRecord, right: dict[str, int], **fields: Any) -> dict[str, str]:
    parameters = {"bert": 300, "embedding-head": 10, "instruction-tuning": 10}
    records = [
        record(
            method=method,
            model="m",
            f1=count / 200,
            kind="single",
            facts={"parameters": {"trainable": parameters[method]}},
            **fields,
        )
        for method, count in right.items()
    ]
    report = build_report(records, evidence=Predicted({r.cell: first(right[r.method]) for r in records}))
    found = next((one for one in report.chapters if one.key == "study"), None)
    return {row[1].text: row[3].text for row in found.tables[0].rows} if found else {}


def test_the_study_is_answered_by_the_tests(record: MakeRecord) -> None:
    said = study(record, {"bert": 120, "embedding-head": 180, "instruction-tuning": 178})
    assert said["Is the head at least as good as fine-tuned BERT?"] == "yes: better"
    assert said["Does instruction tuning catch up with the head?"].startswith("a tie")
    assert said["How many times fewer parameters does the head train?"] == "30 times fewer"
    assert said["Is instruction tuning at least as good as fine-tuned BERT?"] == "yes: better"


def test_a_worse_head_is_called_worse(record: MakeRecord) -> None:
    said = study(record, {"bert": 180, "embedding-head": 120})
    assert said["Is the head at least as good as fine-tuned BERT?"] == "no: worse"
    assert "Does instruction tuning catch up with the head?" not in said


def test_the_study_says_nothing_of_one_kind_or_of_weights_from_scratch(record: MakeRecord) -> None:
    assert study(record, {"bert": 180}) == {}
    assert study(record, {"bert": 180, "embedding-head": 120}, from_scratch=True) == {}


HOSTILE = "=cmd|' /C calc'!A0 \\input{x} % & $ # _ { } ~ ^ <b>"


def hostile_table() -> Table:
    columns = (Column("row", "Row_1"), Column("f1", "F1", numeric=True), Column("f1", "F1", numeric=True))
    rows = (
        (Cell(HOSTILE), Cell("0.12", 0.123456789, std=0.01, bold=True, tag="tie"), Cell("–")),
        (Cell("b"), Cell("–"), Cell("+0.1 to +0.2", 0.1)),
    )
    return Table("Any", columns, rows)


def test_csv_holds_figures_in_full_and_no_formula() -> None:
    rows = list(csv.reader(to_csv(hostile_table()).splitlines()))
    assert rows[0] == ["row", "f1", "f1_std", "f1_remark", "f1"]
    assert rows[1] == ["'" + HOSTILE, "0.123456789", "0.01", "tie", ""]
    assert rows[2][-1] == "+0.1 to +0.2"


def test_latex_is_escaped_and_has_the_rules_of_booktabs() -> None:
    text = to_latex(hostile_table())
    assert all(rule in text for rule in ("\\toprule", "\\midrule", "\\bottomrule", "\\textbf{0.12 (tie)}", "Row\\_1"))
    body = text.replace("\\textbackslash", "")
    assert "\\input" not in body
    assert " % & " not in body
    assert "\\% \\& \\$ \\#" in text


def test_results_and_tests_are_written_as_tables(record: MakeRecord, tmp_path: Path) -> None:
    records = [record(method="a", f1=0.9, kind="single"), record(method="b", f1=0.5, kind="single")]
    evidence = Predicted({records[0].cell: first(180), records[1].cell: first(100)})
    files = write_report(records, tmp_path, evidence=evidence)
    names = {path.name for path in files.tables}
    stems = {"at-a-glance", "debtags-results", "debtags-tests", "debtags-costs"}
    assert {f"{stem}.{kind}" for stem in stems for kind in ("csv", "tex")} <= names
    with (tmp_path / "tables" / "debtags-results.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [(row["method"], row["micro_f1"]) for row in read] == [("a", "0.9"), ("b", "0.5")]


def test_tables_of_any_names_have_file_names(record: MakeRecord) -> None:
    names = exported(build_report([record(task="../../etc/passwd\x00 🤗", method="a")]))
    assert all("/" not in name and "\x00" not in name for name in names)
