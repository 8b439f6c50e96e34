"""A cell that is killed in the middle of its training goes on from its checkpoint, to the same bits."""

import json
import os
import signal
import subprocess

import pytest
from commands import PLUGINS, call, command

WORDS = (
    "run", "-t", "small-single", "-m", "bert", "--plugins", PLUGINS / "small.py",
    "--set", "epochs=12", "--set", "batch_size=4", "--set", "max_tokens=16", "--threads", "1",
)  # fmt: skip


def kill_once_saved(process, store):
    """Kill a run without warning as soon as a checkpoint is whole."""
    while not list(store.glob("checkpoints/*/*/checkpoint-*/trainer_state.json")):
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError("the run had ended before it was killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def record(store):
    (row,) = json.loads(call("results", "--out", store, "--json").out)
    return row


@pytest.mark.slow
def test_training_goes_on_where_it_was_killed(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert call(*WORDS, "--out", whole).code == 0
    process = subprocess.Popen(command(*WORDS, "--out", broken), stderr=subprocess.DEVNULL, start_new_session=True)
    kill_once_saved(process, broken)
    assert not list(broken.glob("cells/*/record.json"))
    assert call(*WORDS, "--out", broken).code == 0
    undisturbed, resumed = record(whole), record(broken)
    assert resumed["predictions"] == undisturbed["predictions"]
    assert resumed["metrics"] == undisturbed["metrics"]
    assert resumed["facts"]["resumed_from_step"] % 15 == 0
    assert "resumed_from_step" not in undisturbed["facts"]
    assert not list(broken.glob("checkpoints/*"))
    assert {"train", "validate", "save", "predict"} <= set(undisturbed["seconds"])
