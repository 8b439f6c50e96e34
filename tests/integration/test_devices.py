"""A cell that several processes train together; here on the processor, where they share it."""

import json
import os
import signal
import subprocess
import time

import pytest
from commands import PLUGINS, call, command

WORDS = (
    "run", "-t", "small-single", "-m", "embedding-head", "--plugins", PLUGINS / "small.py", "--threads", "1",
    "--set", "epochs=6", "--set", "batch_size=12", "--set", "max_tokens=16", "--set", "adapter_dropout=0",
    "--set", "learning_rate=0.003", "--device", "cpu",
)  # fmt: skip


def run(store, *words):
    called = call(*WORDS, "--out", store, *words)
    (row,) = json.loads(call("results", "--out", store, "--json").out)
    return called, row


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")


@pytest.mark.slow
def test_two_processes_learn_what_one_does(stores):
    """Sixty documents in batches of twelve: none is left over, so that both read the same, rounding apart."""
    (_, one), (called, two) = run(stores[0]), run(stores[1], "--devices", "2", "--checkpoint-every", "0.3s")
    assert called.code == 0, called.err
    assert two["status"] == "ok"
    facts, alone = two["facts"], one["facts"]
    assert (facts["processes"], facts["micro_batch"], alone["micro_batch"]) == (2, 6, 12)
    assert facts["steps"] == alone["steps"] == 30
    assert two["speed"]["train"]["documents"] == one["speed"]["train"]["documents"]
    for (_, loss), (_, expected) in zip(facts["loss_curve"], alone["loss_curve"], strict=True):
        assert loss == pytest.approx(expected, abs=0.02)
    assert facts["validation_curve"][0] == alone["validation_curve"][0]
    assert two["metrics"]["micro_f1"] == pytest.approx(one["metrics"]["micro_f1"], abs=0.1)
    assert two["environment"]["hardware_id"] != one["environment"]["hardware_id"]


def test_what_devices_cannot_share_is_refused_before_anything_runs(tmp_path):
    called = call(*WORDS, "--out", tmp_path, "--devices", "5", "--dry-run")
    assert called.code == 2
    assert "set batch_size to a multiple of 5" in called.err


@pytest.mark.slow
def test_two_processes_go_on_inside_an_epoch_where_they_were_killed(stores, tmp_path):
    words = ("--devices", "2", "--checkpoint-every", "0.05s")
    done, whole = run(tmp_path / "whole", *words)
    assert done.code == 0, done.err
    broken = tmp_path / "broken"
    process = subprocess.Popen(
        command(*WORDS, *words, "--out", broken), stderr=subprocess.DEVNULL, start_new_session=True
    )
    states = "checkpoints/*/*/checkpoint-*/trainer_state.json"
    while process.poll() is None and not any(inside_an_epoch(path) for path in broken.glob(states)):
        time.sleep(0.01)
    assert process.poll() is None, "the run had ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done, resumed = run(broken, *words)
    assert done.code == 0, done.err
    assert resumed["facts"]["resumed_from_step"] > 0
    assert resumed["predictions"] == whole["predictions"]


def inside_an_epoch(state):
    """Whether a checkpoint is whole and of a step that ends no epoch of five."""
    try:
        return json.loads(state.read_text())["global_step"] % 5 > 0
    except (ValueError, OSError):
        return False


@pytest.mark.parametrize(("device", "refused"), [(None, True), ("cuda", True), ("cpu", False)])
def test_more_devices_than_there_are_is_refused(monkeypatch, device, refused):
    from bench.errors import UserError
    from bench.runner import ranks

    monkeypatch.setattr(ranks, "hardware", lambda: {"gpus": [{"name": "one"}]})
    if refused:
        with pytest.raises(UserError, match="there are 1 CUDA devices"):
            ranks.check_devices([], 2, device)
    else:
        assert ranks.check_devices([], 2, device) is None
