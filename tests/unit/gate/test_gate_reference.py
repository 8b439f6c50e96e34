"""The reference: written whole or not at all, with a reason, and read with care."""

import json

import pytest
from gated import Cell, closing

from bench.errors import UserError
from bench.gate.answers import KEPT, read_kept
from bench.gate.finding import Limits
from bench.gate.keeping import update
from bench.gate.reference import ReferenceFile


def test_it_holds_what_the_gate_needs_and_little_else(gate):
    written = gate.refer(Cell(), Cell(kind="single", method="other"), reason="first")
    assert (written.cells, list(written.changed)) == (2, [])
    reference = gate.file.read()
    assert reference.history[0].reason == "first"
    kept = read_kept(gate.file.answers_file(reference.cells[0]))
    assert set(kept.splits) == {"validation", "test"}
    assert kept.splits["validation"].ranking is None
    assert kept.train_counts.sum() > 0
    text = gate.file.path.read_text()
    assert json.loads(text)["reference_version"] == 1
    assert "command" not in text


def test_equal_results_give_equal_files(gate):
    gate.refer(Cell())
    file = gate.file.answers_file(gate.file.read().cells[0])
    first = file.read_bytes()
    assert list(gate.refer(Cell(), reason="again").changed) == []
    assert file.read_bytes() == first


def test_an_update_says_what_changed_and_history_grows(gate):
    gate.refer(Cell(), Cell(method="leaver"))
    written = gate.refer(Cell(wrong=0.4), Cell(method="newcomer"), reason="made  worse\nfor a test")
    lines = dict(line.split(": ", 1) for line in written.changed)
    assert lines["made-up × guesser, seed 0"].startswith("other predictions, micro_f1 0.")
    assert lines["made-up × newcomer, seed 0"] == "new"
    assert lines["made-up × leaver, seed 0"] == "gone"
    history = gate.file.read().history
    assert [one.reason for one in history] == ["made up", "made worse for a test"]
    assert history[1].changed == list(written.changed)
    assert len(list(gate.file.folder.iterdir())) == 2


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_no_reason_no_reference(gate, reason):
    with pytest.raises(UserError, match="say why"):
        gate.refer(Cell(), reason=reason)
    assert not gate.file.path.exists()


def test_failed_cells_are_refused_by_name_and_nothing_is_written(gate):
    gate.refer(Cell())
    before = gate.file.path.read_bytes()
    failed = Cell(method="loser", changes={"status": "oom", "reason": "memory ran out"})
    with pytest.raises(UserError, match="made-up × loser, seed 0: oom"):
        gate.refer(Cell(), failed)
    assert gate.file.path.read_bytes() == before


def test_a_cell_whose_predictions_are_gone_leaves_the_old_reference(gate):
    gate.refer(Cell())
    before = gate.file.path.read_bytes(), sorted(path.name for path in gate.file.folder.iterdir())
    store = gate.store("later")
    records = [Cell().put(store), Cell(method="second").put(store)]
    (store.folder(records[1].cell) / "predictions.parquet").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        update(gate.file, records, store, "why")
    assert (gate.file.path.read_bytes(), sorted(path.name for path in gate.file.folder.iterdir())) == before
    assert [path.name for path in gate.file.path.parent.iterdir() if path.name.startswith(".")] == []


def test_a_reference_that_cannot_be_written_leaves_the_old_one_whole(gate, monkeypatch):
    gate.refer(Cell())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.gate.keeping.write_atomic", full)
    with pytest.raises(UserError, match=r"ci\.json cannot be written: No space left"):
        gate.refer(Cell(wrong=0.5))
    assert gate.judge(Cell()).open


def test_what_else_lies_in_the_folder_of_answers_stays(gate):
    """``results/runs.json`` has its answers where the results are."""
    theirs = gate.file.folder / "cells" / "record.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    gate.refer(Cell())
    gate.refer(Cell(wrong=0.5))
    assert theirs.read_text() == "theirs"
    assert len(list(gate.file.folder.glob("*.parquet"))) == 1


def test_a_reference_has_a_name_of_its_own(gate):
    store = gate.store("before")
    file = ReferenceFile(gate.folder / "ci")
    with pytest.raises(UserError, match=r"give one that ends in \.json"):
        update(file, [Cell().put(store)], store, "why")


def test_long_rankings_are_trimmed_and_compared_as_far_as_they_go(gate, monkeypatch):
    monkeypatch.setattr("gated.N_LABELS", 30)
    gate.refer(Cell())
    assert gate.judge(Cell()).open
    assert gate.judge(Cell(), limits=Limits(metric="mrr")).open
    kept = read_kept(gate.file.answers_file(gate.file.read().cells[0]))
    assert kept.test.ranking.labels.shape[1] == KEPT < 30
    assert closing(gate.judge(Cell(wrong=0.5))) == {"quality"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "restore it from version control"),
        ("[]", "not a reference"),
        ('{"reference_version": 9, "cells": []}', "reference_version 9 is not the one"),
        ('{"reference_version": 1, "cells": []}', "no cell is in it"),
        ('{"reference_version": 1, "cells": [{"schema_version": 1}]}', "cells.0"),
    ],
)
def test_a_broken_reference_is_the_user_s_to_mend(gate, content, said):
    gate.file.path.parent.mkdir()
    gate.file.path.write_text(content)
    with pytest.raises(UserError, match=said):
        gate.file.read()


def test_a_missing_reference_says_how_to_write_one(gate):
    with pytest.raises(UserError, match=r"no such reference; write one with `bench check .* --update --reason WHY`"):
        gate.judge(Cell())


def test_answers_that_are_gone_or_of_another_reference_are_told(gate):
    gate.refer(Cell())
    path = gate.file.answers_file(gate.file.read().cells[0])
    whole = path.read_bytes()
    path.write_bytes(b"no parquet")
    with pytest.raises(UserError, match="restore it from version control"):
        gate.judge(Cell())
    path.unlink()
    with pytest.raises(UserError, match="No such file"):
        gate.judge(Cell())
    gate.refer(Cell(wrong=0.5))
    gate.file.answers_file(gate.file.read().cells[0]).write_bytes(whole)
    with pytest.raises(UserError, match=r"not the file that ci\.json was written with"):
        gate.judge(Cell(wrong=0.5))


def test_what_a_newer_version_added_is_kept_and_ignored(gate):
    gate.refer(Cell())
    raw = json.loads(gate.file.path.read_text())
    raw["cells"][0]["something_new"] = raw["something_new"] = 1
    gate.file.path.write_text(json.dumps(raw))
    assert gate.judge(Cell()).open
