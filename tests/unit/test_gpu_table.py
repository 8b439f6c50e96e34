"""The table of suite ``gpu``: what stands beside each other in it was measured alike."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.record import PhaseCompute, PhaseMemory, Record, TaskFacts

RESULTS = Path(__file__).parents[2] / "results"
if str(RESULTS) not in sys.path:
    sys.path.append(str(RESULTS))

import gpu_table as table  # noqa: E402
import plain_trainer as plain  # noqa: E402

FOUND = {
    "predicted": [0] * 300,
    "predict_seconds": 60.0,
    "tokens_per_second": 1000.0,
    "last_loss": 0.71,
    "train_peak_mib": {"allocated": 20_000.0, "reserved": 21_000.0},
    "predict_peak_mib": None,
}


@pytest.fixture
def record():
    """Of the cell that the goals are about; the first twenty seconds of its prediction warm up."""
    return Record.model_construct(
        model=table.GOAL_MODEL,
        method=table.GOAL_METHOD,
        status="ok",
        facts={"micro_batch": 8, "loss_curve": [[5, 3.0], [10, 0.9], [15, 0.9], [20, 0.7]]},
        tokens_per_second={"train": 1600.0},
        documents_per_second={"predict": 7.5},
        seconds={"predict": 60.0},
        compute={"train": PhaseCompute(operations=1.0, flops_per_second=1.0, dtype="bfloat16", share_of_peak=0.4)},
        peak_mib={"train": PhaseMemory(allocated=9000, reserved=11_000, process=11_500)},
        task_facts=TaskFacts(kind="single", n_labels=8, documents={"test": 300}, primary_metric="macro_f1"),
        identity=SimpleNamespace(method_settings={"batch_size": 8}),
    )


def test_both_count_all_seconds_of_prediction(record):
    own, other = table.own_line(record), table.plain_line(record, FOUND)
    assert own.documents_per_second == other.documents_per_second == 5.0


def test_what_is_not_known_is_unknown(record):
    own = table.own_line(record.model_copy(update={"seconds": {}, "peak_mib": {}, "compute": {}, "facts": {}}))
    assert (own.documents_per_second, own.train_process_mib, own.share_of_peak, own.loss) == (None,) * 4
    assert table.table([own]).splitlines()[-1].count("?") == 8


def test_the_loss_is_that_of_the_last_quarter(record):
    assert table.own_line(record).loss == pytest.approx(0.7)
    assert table.last_quarter([[3, 2.0], [4, 1.0]]) == 1.0
    assert table.last_quarter([]) is None


def test_goals_are_judged_by_what_was_measured(record):
    lines = [table.own_line(record), table.plain_line(record, FOUND)]
    assert [line.rpartition(": ")[2] for line in table.goals(lines)] == ["yes (11,500.00)", "yes (1.60)", "yes (0.01)"]
    assert [line.rpartition(": ")[2] for line in table.goals(lines[:1])] == [
        "yes (11,500.00)",
        "not known",
        "not known",
    ]
    failed = [lines[0], table.plain_line(record, None)]
    assert (failed[1].status, table.goals(failed)[1].endswith("not known")) == ("failed", True)


def test_the_peak_of_the_script_is_that_of_training_as_the_peak_of_a_cell_is(monkeypatch, tmp_path):
    for name, content in {"train.jsonl": "{}", "test.jsonl": "{}", "labels.json": "[]"}.items():
        (tmp_path / name).write_text(content)
    done = []

    def load(settings):
        done.append("load")
        return SimpleNamespace(predict=lambda trainer, documents: [])

    def train(*_):
        done.append("train")
        state = SimpleNamespace(log_history=[{"loss": 1.0}], global_step=1)
        return SimpleNamespace(state=state), SimpleNamespace(tokens_per_second=1.0)

    monkeypatch.setattr(plain, "encoder", load)
    monkeypatch.setattr(plain, "trained", train)
    monkeypatch.setattr(plain, "peak_mib", lambda device: done.append("peak"))
    given = {"kind": "bert", "documents": str(tmp_path), "model": "", "max_tokens": 8, "batch_size": 1, "threads": 1}
    given |= {"predict_batch_size": 1, "epochs": 1, "learning_rate": 0.1, "seed": 0}
    json.dumps(plain.main(plain.Settings(**given)))
    assert done == ["load", "peak", "train", "peak", "peak"]
