"""A cell that several processes train together; here on the processor, where they share it."""

import json

import pytest
from commands import PLUGINS, call

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
