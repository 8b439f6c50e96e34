"""Tables: grouping over seeds, honest ranking, and reasons for what is not there."""

from __future__ import annotations

import math
from statistics import stdev
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.record import Identity
from report.groups import sections
from report.headline import headline_table
from report.measures import metric_title
from report.page import build_report
from report.tables import Cell, Table, results_table

if TYPE_CHECKING:
    from conftest import MakeRecord


def column(table: Table, key: str) -> list[Cell]:
    place = [column.key for column in table.columns].index(key)
    return [row[place] for row in table.rows]


def texts(table: Table, key: str) -> list[str]:
    return [cell.text for cell in column(table, key)]


def footnote(table: Table, cell: Cell) -> str:
    notes = dict(table.footnotes)
    return " ".join(notes[mark] for mark in cell.marks)


def test_every_row_is_as_long_as_the_columns(record: MakeRecord) -> None:
    records = [record(), record(status="oom", seed=1), record(method="bert", model="a/b"), record(hardware_id="gpu")]
    table = results_table(records)
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_seeds_become_mean_and_sample_deviation(record: MakeRecord) -> None:
    values = [0.5, 0.6, 0.73]
    table = results_table([record(seed=seed, f1=value) for seed, value in enumerate(values)])
    (cell,) = column(table, "micro_f1")
    assert cell.value == pytest.approx(sum(values) / 3)
    assert cell.std == pytest.approx(stdev(values))
    assert cell.text == "0.610 ± 0.115"
    assert texts(table, "seeds") == ["3"]


def test_one_seed_has_no_deviation(record: MakeRecord) -> None:
    (cell,) = column(results_table([record(f1=0.61)]), "micro_f1")
    assert (cell.text, cell.std) == ("0.610", None)


def test_a_failed_seed_is_counted_marked_and_never_highest(record: MakeRecord) -> None:
    records = [record(seed=seed, f1=0.9) for seed in (0, 1)]
    records.append(record(seed=2, status="oom", reason="no memory left", remedy="bench run --set micro_batch=1"))
    records.append(record(method="prior", f1=0.2))
    table = results_table(records)
    row = texts(table, "method").index("tfidf")
    assert texts(table, "seeds")[row] == "2/3 seeds"
    status = column(table, "status")[row]
    assert status.text == "incomplete: oom"
    assert footnote(table, status) == "oom: no memory left. Remedy: bench run --set micro_batch=1"
    assert [cell.bold for cell in column(table, "micro_f1")] == [True, False]
    assert texts(headline_table(sections(records)), "row") == ["prior"]


def test_a_planned_cell_without_record_is_missing(record: MakeRecord) -> None:
    report = build_report([record(f1=0.9)], [Identity(task="debtags", method="tfidf", seed=1)])
    assert texts(report.parts[0].tables[0], "seeds") == ["1/2 seeds"]
    assert report.failures is not None
    assert texts(report.failures, "status") == ["missing"]
    assert report.banner is not None
    assert report.banner.headline == "1 of 2 planned cells without a result: 1 missing."


def test_from_scratch_is_marked_and_never_ranked(record: MakeRecord) -> None:
    records = [
        record(method="bert", model="tiny", f1=0.95, from_scratch=True),
        record(method="embedding-head", model="mini", f1=0.9, from_scratch=True),
        record(f1=0.5),
        record(method="prior", f1=0.1),
    ]
    table = results_table(records)
    assert texts(table, "method") == ["tfidf", "prior", "bert", "embedding-head"]
    assert [cell.bold for cell in column(table, "micro_f1")] == [True, False, False, False]
    assert [cell.tag for cell in column(table, "model")] == ["", "", "from scratch", "from scratch"]
    assert texts(headline_table(sections(records)), "row") == ["tfidf"]


def test_only_from_scratch_leaves_no_highest(record: MakeRecord) -> None:
    table = headline_table(sections([record(model="tiny", from_scratch=True)]))
    (cell,) = column(table, "row")
    assert cell.text == "none"
    assert "not from scratch" in footnote(table, cell)


def test_ties_at_the_precision_shown_are_all_highest(record: MakeRecord) -> None:
    records = [record(f1=0.61234), record(method="bert", f1=0.61241), record(method="prior", f1=0.6)]
    table = headline_table(sections(records))
    assert sorted(texts(table, "row")) == ["bert", "tfidf"]
    assert {cell.tag for cell in column(table, "row")} == {"tied"}


def test_a_null_metric_is_a_dash_with_its_reason(record: MakeRecord) -> None:
    one = record(metrics={"micro_f1": 0.5, "p@1": None}, undefined={"p@1": "bare sets have no order"})
    table = results_table([one])
    (cell,) = column(table, "p@1")
    assert cell.text == "–"
    assert footnote(table, cell) == "bare sets have no order"


def test_a_metric_undefined_for_one_seed_is_not_averaged(record: MakeRecord) -> None:
    other = record(seed=1, metrics={"micro_f1": None}, undefined={"micro_f1": "nothing predicted"})
    table = results_table([record(), other])
    (cell,) = column(table, "micro_f1")
    assert cell.text == "–"
    assert footnote(table, cell) == "nothing predicted (1 of 2 seeds)"


def test_a_cell_that_ran_out_shows_its_last_peak(record: MakeRecord) -> None:
    table = results_table([record(status="oom", host=7900.0)])
    (cell,) = column(table, "train_host_mib")
    assert cell.text == "7,900"
    assert "before the cell ended" in footnote(table, cell)
    assert texts(table, "status") == ["oom"]


def test_device_memory_has_a_column_only_where_there_is_a_device(record: MakeRecord) -> None:
    assert "train_reserved_mib" not in [c.key for c in results_table([record()]).columns]
    table = results_table([record(), record(method="bert", device=2048.0)])
    assert dict(zip(texts(table, "method"), texts(table, "train_reserved_mib"), strict=True)) == {
        "tfidf": "–",
        "bert": "2,048",
    }


def test_host_memory_is_shown_above_the_start_too(record: MakeRecord) -> None:
    table = results_table([record(host=900.0, above=512.0)])
    assert texts(table, "train_host_mib") == ["900"]
    assert texts(table, "train_host_above_idle_mib") == ["512"]


def test_equal_reasons_share_a_footnote(record: MakeRecord) -> None:
    bare = {"undefined": dict.fromkeys(("p@1", "p@5"), "no order"), "metrics": {"micro_f1": 0.5, "macro_f1": 0.1}}
    table = results_table([record(), record(method="generate", **bare)])
    assert [text for _, text in table.footnotes] == ["no order"]


def test_what_each_row_saw(record: MakeRecord) -> None:
    settings = {"max_tokens": 96, "epochs": 3, "batch_size": 16, "learning_rate": 5e-05, "odd": None}
    counts = {"total": 1_991_808, "trainable": 155_648, "stored": 155_649}
    facts = [
        {"truncated_share": 0.398, "truncated_share_predict": 0.41, "parse_failures": n, "out_of_set": 2, "cut_off": 1}
        for n in (10, 20)
    ]
    records = [record(method="lm", seed=s, settings=settings, facts=f | {"parameters": counts}, f1=0.3)
               for s, f in enumerate(facts)]  # fmt: skip
    records += [record(method="tfidf", f1=0.6, facts={"parameters": 439_583}), record(method="prior", f1=0.1)]
    (part,) = build_report(records).parts
    results, saw = part.tables
    assert saw.title == "What each row saw"
    assert texts(saw, "method") == texts(results, "method") == ["tfidf", "lm", "prior"]
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in saw.rows}
    assert rows["lm"] == [
        *("96", "3", "16", "5e-05", "39.8 ± 0.0 %", "41.0 ± 0.0 %", "15 ± 7", "2 ± 0", "1 ± 0"),
        *("1,991,808 ± 0", "155,648 ± 0", "155,649 ± 0"),
    ]
    assert rows["tfidf"] == ["–"] * 9 + ["439,583", "–", "–"]
    assert rows["prior"] == ["–"] * 12


def test_facts_that_no_row_has_take_no_room_and_odd_ones_do_no_harm(record: MakeRecord) -> None:
    odd = {"parse_failures": "many", "out_of_set": True, "cut_off": math.nan, "truncated_share": [1]}
    assert [table.title for table in build_report([record(facts=odd)]).parts[0].tables] == ["Results"]
    (part,) = build_report([record(facts=odd | {"parse_failures": 3})]).parts
    assert [column.key for column in part.tables[1].columns] == ["method", "parse_failures"]


def test_times_too_short_to_tell_are_not_spelt_out(record: MakeRecord) -> None:
    table = results_table([record(seconds={"train": 0.00029})])
    assert texts(table, "train_seconds") == ["< 0.01"]


def test_rows_from_scratch_are_named_below_the_headline(record: MakeRecord) -> None:
    table = headline_table(sections([record(), record(method="bert", model="tiny", from_scratch=True)]))
    assert any("from scratch are left out here: bert." in note for note in table.notes)


def test_settings_are_shown_where_they_differ(record: MakeRecord) -> None:
    records = [record(settings={"a": 1, "b": 2}, f1=0.9), record(settings={"a": 1, "b": 3}, f1=0.8)]
    assert texts(results_table(records), "settings") == ["b=2", "b=3"]
    assert "settings" not in [c.key for c in results_table(records[:1]).columns]


def test_five_labels_are_judged_by_the_metric_that_fits_the_task(record: MakeRecord) -> None:
    keys = {kind: {c.key for c in results_table([record(kind=kind)]).columns} for kind in ("single", "multi")}
    assert "ndcg@5" in keys["single"]
    assert "p@5" not in keys["single"]
    assert "p@5" in keys["multi"]


def test_machines_are_kept_apart(record: MakeRecord) -> None:
    records = [record(seed=s, hardware_id="cpu", speed=10.0) for s in (0, 1)]
    records += [record(seed=s, hardware_id="gpu", speed=1000.0) for s in (2, 3)]
    table = results_table(records)
    assert dict(zip(texts(table, "machine"), texts(table, "predict_documents_per_second"), strict=True)) == {
        "cpu": "10.0 ± 0.0",
        "gpu": "1,000 ± 0",
    }
    report = build_report(records)
    assert [t.title for t in report.parts[0].tables] == [
        "Quality",
        "Speed and memory on cpu",
        "Speed and memory on gpu",
    ]
    assert texts(report.parts[0].tables[0], "seeds") == ["4"]  # quality is no matter of the machine
    assert {c.key for c in report.parts[0].tables[0].columns}.isdisjoint({"train_seconds", "train_host_mib"})
    assert any("2 machines" in warning for warning in report.warnings)
    assert {figure.name.rpartition("-machine-")[2] for figure in report.parts[0].figures} == {"1", "2"}


def test_shared_machines_are_owned_up_to(record: MakeRecord) -> None:
    assert build_report([record(jobs=3)]).parts[0].warnings == (
        "Up to 3 cells shared the machine: speeds were disturbed.",
    )
    assert build_report([record()]).parts[0].warnings == ()


def test_of_each_slot_the_last_record_counts(record: MakeRecord) -> None:
    old = record(f1=0.9, cell="old", finished_at="2026-01-01T00:00:00+00:00")
    new = record(f1=0.4, cell="new", finished_at="2026-02-01T00:00:00+00:00")
    for both in ([new, old], [old, new]):
        table = results_table(both)
        assert texts(table, "micro_f1") == ["0.400"]
        assert any(note.startswith("1 older record ") for note in table.notes)


def test_a_newer_failure_counts_even_from_another_machine_but_unavailable_does_not(record: MakeRecord) -> None:
    old = record(f1=0.9, cell="old", hardware_id="cpu", finished_at="2026-01-01T00:00:00+00:00")
    new = {"cell": "new", "hardware_id": "gpu", "finished_at": "2026-02-01T00:00:00+00:00"}
    (part,) = build_report([old, record(status="oom", **new)]).parts
    assert texts(part.tables[0], "status") == ["oom"]
    (part,) = build_report([record(status="unavailable", **new), old]).parts
    assert texts(part.tables[0], "micro_f1") == ["0.900"]


def test_other_data_are_another_section(record: MakeRecord) -> None:
    records = [
        record(fingerprint="aaaaaaaa1", slot="1"),
        record(fingerprint="bbbbbbbb2", slot="2"),
        record(task_settings={"max_train": 50}, fingerprint="cccccccc3"),
    ]
    assert [s.title for s in sections(records)] == [
        "debtags (max_train=50)",
        "debtags (data aaaaaaaa)",
        "debtags (data bbbbbbbb)",
    ]


def test_a_cell_that_read_no_data_joins_its_task(record: MakeRecord) -> None:
    records = [record(), record(method="bert", status="unavailable", fingerprint=None, reason="no model")]
    (section,) = sections(records)
    assert len(section.groups) == 2


def test_mixed_code_is_marked(record: MakeRecord) -> None:
    records = [record(seed=seed) for seed in (0, 1)]
    changed = records[1].identity.model_copy(update={"method_source": "other"})
    table = results_table([records[0], records[1].model_copy(update={"identity": changed})])
    assert "different versions of the code" in footnote(table, column(table, "method")[0])


def test_wording_claims_nothing(record: MakeRecord) -> None:
    table = headline_table(sections([record(), record(method="prior", f1=0.2)]))
    assert texts(table, "metric") == ["highest micro-F1"]
    assert "No paired test was made" in table.notes[0]
    assert "single seed" in table.notes[1]


def test_no_records_make_an_empty_table() -> None:
    assert results_table([]).rows == ()


@pytest.mark.parametrize(
    ("name", "title"), [("micro_f1", "micro-F1"), ("p@5", "P@5"), ("ndcg_at_5", "nDCG@5"), ("odd_one", "odd_one")]
)
def test_metrics_have_their_usual_names(name: str, title: str) -> None:
    assert metric_title(name) == title


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.one_of(st.floats(0, 1), st.none(), st.just(math.nan)), min_size=1, max_size=6))
def test_a_mean_stands_only_where_every_seed_has_a_number(record: MakeRecord, values: list[float | None]) -> None:
    records = [record(seed=seed, metrics={"micro_f1": value}) for seed, value in enumerate(values)]
    (cell,) = column(results_table(records), "micro_f1")
    whole = all(value is not None and math.isfinite(value) for value in values)
    assert (cell.value is not None) == whole
    assert (cell.text == "–") != whole
