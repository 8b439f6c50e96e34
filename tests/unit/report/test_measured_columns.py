"""Latency, share of the hardware's peak and energy have columns where some record tells them, and reasons elsewhere."""

from __future__ import annotations

from bench.cli.results_view import print_results
from bench.record import Latency, PhaseCompute, PhaseEnergy
from report.tables import results_table

LATENCY = {"latency": Latency(documents=50, p50_ms=12.5, p95_ms=40.0, warmup_documents=2)}
COMPUTE = PhaseCompute(operations=1e12, flops_per_second=5e10, dtype="float32", share_of_peak=0.42)
ENERGY = PhaseEnergy(devices=81234.0, unknown={"processor": "may be read by the administrator only"})
MEASURED = {**LATENCY, "compute": {"train": COMPUTE}, "energy_joules": {"train": ENERGY}}
UNMEASURED = {"latency": "documents are too few", "compute": "the method has no network"}


def cells(table, key):
    place = [column.key for column in table.columns].index(key)
    return {row[0].text + row[1].text: row[place] for row in table.rows}


def test_old_records_have_no_such_columns(record):
    keys = {column.key for column in results_table([record()]).columns}
    assert not [key for key in keys if "latency" in key or "peak" in key.split("_") or "joules" in key]


def test_figures_stand_beside_reasons(record):
    table = results_table([record(method="bert", **MEASURED), record(method="tfidf", unmeasured=UNMEASURED)])
    notes = dict(table.footnotes)
    expected = {
        "latency_p50_ms": ("12.5", "too few"),
        "latency_p95_ms": ("40.0", "too few"),
        "train_share_of_peak": ("42.0 %", "no network"),
        "train_devices_joules": ("81,234", "not measured"),
    }
    for key, (text, reason) in expected.items():
        known, unknown = (
            next(c for name, c in cells(table, key).items() if method in name) for method in ("bert", "tfidf")
        )
        assert known.text == text
        assert unknown.text == "–"
        assert reason in " ".join(notes[mark] for mark in unknown.marks)
    assert "train_processor_joules" not in {column.key for column in table.columns}


def test_results_on_the_terminal_show_what_is_known(record, capsys):
    print_results([record()])
    assert "p50" not in capsys.readouterr().out
    print_results([record(method="bert", facts={"device": "cuda"}, **MEASURED), record(method="tfidf")])
    shown = capsys.readouterr().out
    assert {"12.5", "42", "81,234"} <= set(shown.split())
    assert {"p50", "J"} <= set(shown.split())


def test_energy_of_a_cell_on_the_processor_is_the_processor_s(record, capsys):
    print_results([record(facts={"device": "cpu"}, energy_joules={"train": PhaseEnergy(processor=500.0, devices=9e5)})])
    shown = capsys.readouterr().out.split()
    assert "500" in shown
    assert "900,000" not in shown
