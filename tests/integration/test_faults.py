"""Whatever happens to one cell, it leaves a record and the others go on."""

import json

import pytest

EXPECTED = {
    "well": "ok",
    "segfaults": "crashed",
    "exits": "crashed",
    "sys-exits": "crashed",
    "hangs": "timeout",
    "hangs-deaf": "timeout",
    "eats": "oom",
    "eats-in-child": "oom",
    "raises": "failed",
    "diverges": "failed",
    "short": "failed",
    "notes-tensor": "failed",
    "too-many": "failed",
    "fails-after-loading": "failed",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from commands import PLUGINS, call

    out = tmp_path_factory.mktemp("faults")
    words = ["-t", "small-single", "--plugins", PLUGINS]
    for method in EXPECTED:
        words += ["-m", method]
    done = call("run", *words, "--timeout", "12s", "--memory-limit", "1GiB", "--jobs", "2", "--out", out, "--json")
    return done, {record["method"]: record for record in json.loads(done.out)}, out


def test_each_fault_has_its_status(run):
    _, records, _ = run
    assert {method: record["status"] for method, record in records.items()} == EXPECTED


def test_a_failed_cell_makes_exit_code_1(run):
    assert run[0].code == 1


def test_reasons_say_what_happened(run):
    _, records, _ = run
    assert "SIGSEGV" in records["segfaults"]["reason"]
    assert "code 3" in records["exits"]["reason"]
    assert "sys.exit(4)" in records["sys-exits"]["reason"]
    assert "12 s" in records["hangs"]["reason"]
    assert "1024 MiB" in records["eats"]["reason"]
    assert records["raises"]["reason"] == "ValueError: the loss | is <b>not</b> a number"
    assert "NaN" in records["diverges"]["reason"]
    assert "29 of 30" in records["short"]["reason"]
    assert "loss" in records["notes-tensor"]["reason"]
    assert "2 labels" in records["too-many"]["reason"]


def test_the_phase_reached_is_told(run):
    _, records, _ = run
    assert records["fails-after-loading"]["phase"] == "train"
    assert records["hangs-deaf"]["phase"] == "train"
    assert records["diverges"]["phase"] == "decide"


def test_tracebacks_lie_beside_the_records(run):
    _, records, out = run
    for method in ("raises", "segfaults", "eats"):
        record = records[method]
        assert (out / "cells" / record["cell"] / record["traceback"]).read_text().strip()


def test_a_cell_that_ran_out_shows_its_last_peak(run):
    _, records, _ = run
    assert records["eats"]["peak_mib"]["train"]["host"] > 500
    assert records["eats-in-child"]["peak_mib"]["train"]["host"] > 900
    assert records["eats"]["phase"] == "train"


def test_nothing_half_written_is_left(run):
    _, records, out = run
    assert sorted(path.name for path in (out / "cells").iterdir()) == sorted(r["cell"] for r in records.values())
    assert not [
        path for path in (out / "cells").rglob("predictions.parquet") if path.parent.name != records["well"]["cell"]
    ]


def test_failed_cells_are_run_again_only_when_asked(run, bench, plugins):
    _, _, out = run
    words = ("run", "-t", "small-single", "-m", "raises", "-m", "exits", "--plugins", plugins, "--out", out)
    again = bench(*words)
    assert again.code == 1
    assert "nothing to run" in again.out
    retried = bench(*words, "--retry", "failed")
    assert "1 run now" in retried.out


@pytest.mark.slow
def test_torch_out_of_memory_is_told_apart_from_a_crash(bench, plugins, tmp_path):
    done = bench(
        "run", "-t", "small-single", "-m", "eats-torch", "--plugins", plugins, "--memory-limit", "2GiB",
        "--out", tmp_path, "--json",
    )  # fmt: skip
    assert json.loads(done.out)[0]["status"] == "oom"
