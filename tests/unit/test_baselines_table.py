"""The script that sets our baselines beside other libraries: what it makes of scores, and of a work folder."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, save_npz

from bench.errors import UserError
from bench.record import Alternative, Decision, PhaseMemory, Record
from bench.task import Documents, LabelSpace, TaskData

RESULTS = Path(__file__).parents[2] / "results"
if str(RESULTS) not in sys.path:
    sys.path.append(str(RESULTS))

import baselines_peers as peers  # noqa: E402
import baselines_rows as rows  # noqa: E402
import baselines_table as table  # noqa: E402


def documents(prefix, labels):
    ids = [f"{prefix}{place}" for place in range(len(labels))]
    return Documents(ids, [f"text of {id_}\nin two lines" for id_ in ids], labels)


@pytest.fixture
def data():
    gold = [[0], [1], [0, 1], [2]]
    return TaskData(
        documents("a", gold), documents("b", gold), documents("c", gold), LabelSpace(("x", "y", "z")), "multi"
    )


SCORES = csr_matrix(
    np.array([[0.9, -0.5, -0.9], [-0.8, 0.7, -0.9], [0.8, -0.4, -0.9], [-0.7, -0.8, -0.3]], dtype=np.float32)
)


def test_who_makes_sets_is_judged_by_them_and_not_by_ours(data):
    metrics = table.judged(rows.OWN_RULE, data, SCORES, SCORES)
    assert metrics["micro_f1"] == pytest.approx(2 * 3 / (5 + 3))  # three of five labels, nothing wrong
    assert metrics["p@1"] == 1


def test_who_ranks_is_cut_where_validation_documents_say(data):
    metrics = table.judged(rows.OUR_RULE, data, SCORES, SCORES)
    assert metrics["micro_f1"] == 1  # the second label of the third document scores above all wrong ones


def test_scores_of_zero_and_below_are_no_label():
    found = table.positive(csr_matrix(np.array([[0.5, -1, 0], [0, 0, 2]])))
    assert found.toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert found.nnz == 2


def test_every_row_is_run_unless_it_takes_hours_or_others_are_named():
    assert set(rows.chosen([])) == set(rows.ROWS) - rows.ASKED_FOR
    assert rows.chosen(["pecos", "libmultilabel-cost-sensitive"]) == ["libmultilabel-cost-sensitive", "pecos"]
    with pytest.raises(UserError, match="unknown row 'peccos'; did you mean 'pecos'"):
        rows.chosen(["peccos"])


def test_every_row_of_another_library_can_be_run_and_pins_it():
    named = {name: row for name, row in rows.ROWS.items() if isinstance(row, rows.Peer)}
    assert set(named) == set(peers.PEERS)
    assert all("==" in row.needs[0] for row in named.values())


def test_a_folder_of_other_documents_or_cores_is_refused(tmp_path):
    work = rows.Work(tmp_path / "work", 2, 0, None)
    work.keep_to("fingerprint")
    work.keep_to("fingerprint")
    with pytest.raises(UserError, match="name another folder"):
        work.keep_to("other")
    with pytest.raises(UserError, match="name another folder"):
        rows.Work(work.folder, 1, 0, None).keep_to("fingerprint")


def test_texts_and_labels_are_handed_over_as_they_are(data, tmp_path):
    rows.hand_over(data, tmp_path)
    read = peers.Split.read(tmp_path / "train.jsonl")
    assert read == peers.Split(list(data.train.texts), list(data.train.labels))
    assert json.loads((tmp_path / "labels.json").read_text()) == 3


def test_a_finished_row_is_not_run_again(data, tmp_path, monkeypatch):
    work = rows.Work(tmp_path, 1, 0, None)
    work.of("pecos").mkdir(parents=True)
    (work.of("pecos") / "facts.json").write_text("{}")
    monkeypatch.setattr(rows, "_environment", lambda *given: pytest.fail("it was run again"))
    assert rows.run("pecos", work, "fingerprint")


def left_by(name, work):
    folder = work.of(name)
    folder.mkdir(parents=True)
    for split in ("validation", "test"):
        save_npz(folder / f"{split}.npz", SCORES)
    seconds = {"train_seconds": 3.25, "validate_seconds": 2.0, "predict_seconds": 0.5}
    facts = {**seconds, "peak_mib": 100.4, "versions": {"omikuji": "0.5.2"}}
    (folder / "facts.json").write_text(json.dumps(facts))


def test_the_line_of_a_library_is_made_of_what_it_left(data, tmp_path):
    work = rows.Work(tmp_path, 1, 0, None)
    assert table.lines_of("omikuji", work, data) == []
    left_by("omikuji", work)
    (line,) = table.lines_of("omikuji", work, data)
    assert line.row()["train_seconds"] == 3.2
    assert line.threshold_seconds > 2
    assert line.row()["versions"] == "omikuji=0.5.2"
    assert line.metrics["micro_f1"] == 1


def test_who_can_cut_by_itself_is_shown_with_our_cut_as_well(data, tmp_path):
    work = rows.Work(tmp_path, 1, 0, None)
    left_by("libmultilabel-1vsrest", work)
    own, ours = table.lines_of("libmultilabel-1vsrest", work, data)
    assert (own.rule, own.threshold_seconds) == (rows.OWN_RULE, None)
    assert (ours.rule, ours.metrics["micro_f1"]) == (rows.OUR_RULE, 1)


def record(**parts):
    identity = {"task": "debtags", "method": "tfidf", "method_settings": {}}
    other = Decision(rule="label-thresholds", threshold=0.0)
    return Record(
        cell="c",
        slot="s",
        finished_at="2026-01-01T00:00:00Z",
        task="debtags",
        method="tfidf",
        identity=identity,
        status=parts.pop("status", "ok"),
        metrics={"micro_f1": 0.5, "macro_f1": 0.1, "p@1": 0.8},
        decision=Decision(rule="global-threshold", threshold=0.0),
        alternatives={"label-thresholds": Alternative(decision=other, metrics={"micro_f1": 0.4, "macro_f1": 0.2})},
        seconds={"train": 10.0, "validate": 1.0, "decide": 0.5, "predict": 2.0},
        peak_mib={"train": PhaseMemory(host=300.0), "validate": PhaseMemory(host=900.0), "predict": PhaseMemory()},
        **parts,
    )


def test_each_rule_of_a_record_is_a_line_and_they_rank_alike():
    one, other = table.own_lines(
        rows.Own("tfidf", "tfidf", {}, ("global-threshold", "label-thresholds", "top-k")), record()
    )
    assert (one.rule, other.rule) == ("global-threshold", "label-thresholds")
    assert (one.metrics["macro_f1"], other.metrics["macro_f1"]) == (0.1, 0.2)
    assert one.metrics["p@1"] == other.metrics["p@1"] == 0.8
    assert (one.train_seconds, one.threshold_seconds, one.predict_seconds, one.peak_mib) == (10, 1.5, 2, 900)


def test_what_did_not_end_well_is_no_line():
    assert table.own_lines(rows.Own("tfidf", "tfidf"), record(status="unavailable")) == []


def line(what, micro):
    metrics = {"micro_f1": micro, "macro_f1": 0.1, "p@1": None, "p@3": 0.3, "p@5": 0.2}
    return table.Line(what, "global-threshold", metrics, 1.0, None, 2.0, None, {"numpy": "2"})


def test_the_best_stands_first_in_bold_and_nothing_is_made_up(tmp_path):
    table.write([line("worse", 0.25), line("better", 0.5)], "# Preface", tmp_path)
    body = (tmp_path / "baselines.md").read_text().splitlines()[3:]
    assert body[0].startswith("| better | global-threshold | **0.500** |")
    assert body[1].startswith("| worse | global-threshold | 0.250 |")
    assert body[0].endswith("| ? | **0.300** | **0.200** | 1.0 |  | 2.0 | ? |")
    found = list(csv.DictReader((tmp_path / "baselines.csv").open()))
    assert [row["what"] for row in found] == ["worse", "better"]
    assert (found[0]["p@1"], found[0]["peak_mib"]) == ("", "")


def test_versions_are_told_once():
    said = table._versions_lines([line("one", 0.1), line("two", 0.1), line("one", 0.2)])
    assert said == ["- one; two: numpy 2"]


def test_labels_that_a_library_names_come_back_at_their_places():
    setting = peers.Setting(n_labels=12, cores=1, seed=0)
    spread = peers._spread(np.array([[1.0, -2.0, 0.0]]), [0, 10, 2], setting)
    assert spread.indices.tolist() == [0, 2, 10]
    assert spread.data.tolist() == [1, 0, -2]
    assert spread.shape == (1, 12)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's mark is read on Linux")
def test_peak_memory_is_that_of_this_program():
    before = peers.peak_mib()
    taken = bytearray(os.urandom(1)) * int((before + 100) * 2**20)
    assert peers.peak_mib() - before > 90
    del taken


def test_a_worker_needs_nothing_of_this_project():
    assert "bench" not in (RESULTS / "baselines_peers.py").read_text().replace("baselines_peers.py", "")
