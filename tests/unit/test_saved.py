"""Models kept beside records."""

import json
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.method import Method
from bench.record import Identity, Record, TaskFacts
from bench.runner.child import TimeUp
from bench.saved import CARD, MODEL, SavedCell, keep_model, lacks_model
from bench.task import LabelSpace

LABELS = LabelSpace(("x", "y"), (("top",), ("top",)))


class Written(Method):
    name = "written"

    def fit(self, *_):
        pass

    def predict(self, *_):
        raise AssertionError

    def save(self, folder: Path) -> None:
        (folder / "weights").write_bytes(b"0" * 2**20)


class Unsavable(Written):
    name = "unsavable"
    save = Method.save


class FullDisk(Written):
    name = "full-disk"

    def save(self, folder: Path) -> None:
        (folder / "half").write_bytes(b"0")
        raise OSError(28, "No space left on device")


class TooSlow(Written):
    name = "too-slow"

    def save(self, folder: Path) -> None:
        (folder / "half").write_bytes(b"0")
        raise TimeUp("the time is up")


def record(**more) -> Record:
    facts = TaskFacts(kind="single", n_labels=2, documents={}, primary_metric="micro_f1")
    values = {"cell": "c", "slot": "s", "task": "t", "method": "written", "status": "ok", "finished_at": "now"}
    return Record(**{**values, "identity": Identity(task="t", method="written"), "task_facts": facts, **more})


def kept(folder: Path, method: Method, **more) -> Record:
    made = record(facts=keep_model(method, LABELS, None, folder), **more)
    (folder / "record.json").write_text(made.model_dump_json())
    return made


def test_a_model_is_kept_with_the_names_of_the_labels(tmp_path):
    made = kept(tmp_path, Written())
    assert made.facts == {"model_mib": 1.0}
    assert not lacks_model(tmp_path, made)
    assert SavedCell.open(tmp_path).labels == LABELS


def test_a_method_that_cannot_save_is_not_asked_again(tmp_path):
    made = kept(tmp_path, Unsavable())
    assert made.facts == {"model": "not saved: unsavable cannot be saved"}
    assert list(tmp_path.iterdir()) == [tmp_path / "record.json"]
    assert not lacks_model(tmp_path, made)
    with pytest.raises(UserError, match="unsavable cannot be saved"):
        SavedCell.open(tmp_path)


def test_a_full_disk_costs_no_result_and_is_tried_again(tmp_path):
    made = kept(tmp_path, FullDisk())
    assert made.facts == {"model": "saving failed: OSError: [Errno 28] No space left on device"}
    assert not (tmp_path / MODEL).exists()
    assert lacks_model(tmp_path, made)


def test_neither_does_a_limit_of_time_nor_a_card_that_cannot_be_written(tmp_path):
    made = kept(tmp_path, TooSlow())
    assert made.facts == {"model": "saving failed: TimeUp: the time is up"}
    assert lacks_model(tmp_path, made)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    unwritable = LabelSpace(("\ud800", "y"))
    assert keep_model(Written(), unwritable, None, tmp_path)["model"].startswith("saving failed: ")
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_model_that_was_deleted_is_missed(tmp_path):
    made = kept(tmp_path, Written())
    (tmp_path / CARD).unlink()
    assert lacks_model(tmp_path, made)


def test_what_never_asked_for_a_model_is_told_its_own_command(tmp_path):
    environment = {"command": ["bench", "run", "-t", "my task"]}
    (tmp_path / "record.json").write_text(record(environment=environment).model_dump_json())
    with pytest.raises(UserError, match="bench run -t 'my task' --save-models"):
        SavedCell.open(tmp_path)


@pytest.mark.parametrize(
    ("written", "said"),
    [(None, "no folder of a cell"), ("{", "cannot be read"), (json.dumps({"schema_version": 99}), "schema_version")],
)
def test_a_folder_that_is_no_cell(tmp_path, written, said):
    if written is not None:
        (tmp_path / "record.json").write_text(written)
    with pytest.raises(UserError, match=said):
        SavedCell.open(tmp_path)


def test_a_cell_that_failed_has_no_model(tmp_path):
    (tmp_path / "record.json").write_text(record(status="oom", reason="too much").model_dump_json())
    with pytest.raises(UserError, match="ended oom: too much"):
        SavedCell.open(tmp_path)
