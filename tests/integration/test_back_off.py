"""Cells on a device that runs out of memory at a set batch: they go on with less, or end ``oom`` with their peak."""

import json

import pytest
from commands import PLUGINS, call

METHODS = ("spacious", "cramped", "hopeless", "speechless", "gorging")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("back-off")
    words = [word for method in METHODS for word in ("-m", method)]
    plugins = ("--plugins", PLUGINS / "small.py", "--plugins", PLUGINS / "cramped.py")
    done = call(
        "run", "-t", "small-single", *words, *plugins, "--threads", "1", "--memory-limit", "4GiB", "--device", "cpu",
        "--out", out,
    )  # fmt: skip
    records = json.loads(call("results", "--out", out, "--json").out)
    return done, {record["method"]: record for record in records}, out


def sizes(record, batch):
    return [(step["phase"], step["from"], step["to"]) for step in record["facts"]["back_off"] if step["batch"] == batch]


def test_each_ends_as_its_room_lets_it(run):
    done, records, _ = run
    statuses = {method: record["status"] for method, record in records.items()}
    assert statuses == {"spacious": "ok", "cramped": "ok", "hopeless": "oom", "speechless": "oom", "gorging": "ok"}
    assert done.code == 1


def test_training_starts_anew_with_the_same_batch_in_smaller_parts(run):
    _, records, _ = run
    facts = records["cramped"]["facts"]
    assert sizes(records["cramped"], "micro_batch") == [("train", 8, 4), ("train", 4, 2)]
    assert (facts["micro_batch"], facts["gradient_accumulation"]) == (2, 4)
    assert [step["gradient_accumulation"] for step in facts["back_off"][:2]] == [2, 4]
    assert "back_off" not in records["spacious"]["facts"]


def test_what_was_learnt_is_to_the_bit_that_of_a_run_with_small_parts_from_the_start(run):
    """Memory had run out after weights had been changed, and all the later batches of prediction are the same, too."""
    _, records, _ = run
    cramped, spacious = records["cramped"], records["spacious"]
    assert cramped["facts"]["loss_curve"] == spacious["facts"]["loss_curve"]
    assert cramped["facts"]["validation_curve"] == spacious["facts"]["validation_curve"]
    assert cramped["predictions"] == spacious["predictions"]
    assert cramped["metrics"] == spacious["metrics"]


def test_prediction_goes_on_with_what_fits_for_the_rest_of_the_cell(run):
    _, records, _ = run
    steps = [("validate", 20, 10), ("validate", 10, 5), ("validate", 5, 2)]
    assert sizes(records["cramped"], "predict_batch") == steps
    assert records["cramped"]["facts"]["predict_batch"] == records["spacious"]["facts"]["predict_batch"] == 2


def test_speed_and_peaks_are_those_of_what_went_through(run):
    _, records, _ = run
    cramped, spacious = records["cramped"], records["spacious"]
    trained = cramped["speed"]["train"]
    assert trained["documents"] == spacious["speed"]["train"]["documents"]
    # Eight documents in vain take 96 MiB more than the two that fitted.
    for phase in ("train", "predict"):
        peaks = [record["peak_mib"][phase]["host"] for record in (cramped, spacious)]
        assert peaks[0] == pytest.approx(peaks[1], abs=60)
    lost = sum(step["seconds"] for step in cramped["facts"]["back_off"] if step["phase"] == "train")
    assert trained["warmup_seconds"] > lost > 0
    assert cramped["seconds"]["train"] == pytest.approx(trained["seconds"] + trained["warmup_seconds"])


def test_one_document_that_does_not_fit_is_told_with_the_last_peak(run):
    _, records, _ = run
    hopeless, speechless = records["hopeless"], records["speechless"]
    assert sizes(hopeless, "micro_batch") == [("train", 8, 4), ("train", 4, 2), ("train", 2, 1)]
    assert (hopeless["facts"]["micro_batch"], hopeless["facts"]["gradient_accumulation"]) == (1, 8)
    assert sizes(speechless, "predict_batch")[-1][2] == 1
    for record, phase in ((hopeless, "train"), (speechless, "predict")):
        assert record["phase"] == phase
        assert record["reason"].startswith("the device ran out of memory with one document at a time; lower max_tokens")
        assert record["peak_mib"][phase]["host_above_idle"] > 16


def test_memory_that_the_host_refuses_is_backed_off_from_as_well(run):
    _, records, _ = run
    facts = records["gorging"]["facts"]
    assert (facts["micro_batch"], facts["gradient_accumulation"]) == (2, 4)
    assert facts["predict_batch"] <= 3


def test_the_run_and_the_report_say_it(run):
    done, _, out = run
    line = "ran out of memory in training with 8 documents at a time and went on with 2 (an optimiser step still has 8)"
    assert line in " ".join(done.err.split())
    assert call("report", "--out", out).code == 0
    assert line in " ".join((out / "report.md").read_text().split())


def test_what_was_said_in_vain_is_not_kept(run):
    _, _, out = run
    assert not [path for path in out.glob("checkpoints/*/*") if path.is_dir()]
