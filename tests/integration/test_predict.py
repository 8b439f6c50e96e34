"""``bench run --save-models`` and ``bench predict``, with methods that need no torch."""

import csv
import json
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import PLUGINS, Called, call
from saved_cells import Cell, run_cell

from bench.cli import main

SMALL = ("--plugins", PLUGINS / "small.py")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A cell of each kind of task."""
    out = tmp_path_factory.mktemp("saved")
    return {kind: run_cell(out, f"synthetic-{name}", "tfidf") for kind, name in (("single", "clv"), ("multi", "wipo"))}


@pytest.fixture
def here(monkeypatch, capsys):
    """Calls the command line in this process, which saves most of the time of a call that trains nothing."""

    def call_here(*words) -> Called:
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        done = capsys.readouterr()
        return Called(ended.value.code or 0, done.out, done.err)

    return call_here


def request(cell: Cell, given, output, *words):
    """The words of a prediction."""
    return ("predict", cell.record["cell"][:6], "--input", given, "--output", output, "--out", cell.out, *words)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_the_test_documents_get_what_the_run_gave_them(cells, tmp_path, kind):
    cell = cells[kind]
    done = call(*request(cell, cell.write_csv(tmp_path / "in.csv"), tmp_path / "out.jsonl", "--top", "3"))
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    stored = cell.predictions
    assert [row["id"] for row in rows] == list(stored.ids)
    assert [sorted(row["labels"] if kind == "multi" else [row["label"]]) for row in rows] == list(
        map(sorted, cell.labels())
    )
    assert (np.array([row["best_scores"] for row in rows], np.float32) == stored.ranking.scores[:, :3]).all()
    assert cell.record["facts"]["model_mib"] > 0


def test_every_format_gives_the_same(cells, tmp_path, here):
    cell = cells["multi"]
    rows = [json.loads(line) for line in _predicted(here, cell, cell.write_csv(tmp_path / "in.csv"), tmp_path)]
    table = [{"id": id_, "text": text} for id_, text in zip(*cell.documents(), strict=True)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    pq.write_table(pa.Table.from_pylist(table), tmp_path / "in.parquet")
    for name in ("in.jsonl", "in.parquet"):
        assert [json.loads(line) for line in _predicted(here, cell, tmp_path / name, tmp_path)] == rows
    assert here(*request(cell, tmp_path / "in.csv", tmp_path / "out.parquet")).code == 0
    assert pq.read_table(tmp_path / "out.parquet").column("labels").to_pylist() == [row["labels"] for row in rows]
    assert here(*request(cell, tmp_path / "in.csv", tmp_path / "out.csv", "--separator", "|")).code == 0
    with (tmp_path / "out.csv").open(newline="") as stream:
        assert [row["labels"] for row in csv.DictReader(stream)] == ["|".join(row["labels"]) for row in rows]


def _predicted(here, cell, given, folder):
    done = here(*request(cell, given, folder / "out.jsonl", "--force"))
    assert done.code == 0, done.err
    return (folder / "out.jsonl").read_text().splitlines()


def test_columns_numbers_and_empty_texts(cells, tmp_path, here):
    (tmp_path / "in.csv").write_text('subject;body\n"a; b";refund\n;\nword;\n', encoding="utf-16")
    columns = ("--text", "subject", "--text", "body")
    done = here(*request(cells["single"], tmp_path / "in.csv", tmp_path / "out.csv", *columns))
    assert done.code == 0, done.err
    assert "documents without text, labelled all the same: 1" in done.err
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert all(row["label"] for row in rows)


def test_rows_that_cannot_be_read_are_left_out_and_counted_when_asked(cells, tmp_path, here):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\nno json\n{"text": "b"}\n')
    words = request(cells["single"], tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    done = here(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "in.jsonl, line 2" in done.err
    assert not (tmp_path / "out.jsonl").exists()
    done = here(*words, "--set", "on_bad_rows=skip")
    assert done.code == 0
    assert "line that is no JSON object: 1" in done.err
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == ["1", "3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--input", "none.csv"), "none.csv: no such file"),
        (("--input", "in.xlsx"), "unknown extension '.xlsx'"),
        (("--text", "bdoy"), "did you mean 'body'?; name it with --text"),
        (("--id", "nr"), "name it with --id"),
        (("--output", "out.xlsx"), "unknown extension '.xlsx'"),
        (("--output", "there.csv"), "replace it with --force"),
        (("--output", "in.csv", "--force"), "is the input"),
        (("--set", "encodng=utf-8"), "did you mean 'encoding'?"),
        (("--device", "cuba"), "'cuda'"),
        (("--input", "bad.csv"), "bad.csv, row 3: 2 cells where the header has 1"),
    ],
)
def test_slips_are_one_line(cells, tmp_path, monkeypatch, here, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("body,text\na,b\n")
    (tmp_path / "bad.csv").write_text("text\na\nb,c\n")
    (tmp_path / "in.xlsx").write_text("x")
    (tmp_path / "there.csv").write_text("there")
    given = {"--input": "in.csv", "--output": "out.csv"} | dict(zip(words[::2], (*words[1::2], ""), strict=False))
    options = [part for option, value in given.items() for part in (option, value) if part]
    done = here("predict", cells["single"].folder, *options)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert said in done.err
    assert (tmp_path / "there.csv").read_text() == "there"
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", "bad.csv", "in.xlsx", "there.csv"}


@pytest.mark.parametrize("word", ["zzz", ""])
def test_a_cell_that_is_not_there(cells, here, word):
    done = here("predict", word, "--input", "a.csv", "--output", "b.csv", "--out", cells["single"].out)
    assert done.code == 2
    assert "`bench results` lists them" in done.err


def test_a_beginning_that_two_cells_share(tmp_path, here):
    for name in ("abc1", "abc2"):
        (tmp_path / "cells" / name).mkdir(parents=True)
    done = here("export", "abc", "--to", tmp_path / "x", "--out", tmp_path)
    assert (done.code, done.err) == (2, "bench: cell 'abc' may be abc1, abc2; write more of its name\n")


def test_a_moved_cell_is_all_that_is_needed(cells, tmp_path, monkeypatch, here):
    """Neither store nor frozen task: the folder goes to another machine."""
    cell = cells["multi"]
    shutil.copytree(cell.folder, tmp_path / "elsewhere")
    given = cell.write_csv(tmp_path / "in.csv")
    monkeypatch.chdir(tmp_path)
    done = here("predict", "elsewhere", "--input", given, "--output", "out.jsonl")
    assert done.code == 0, done.err
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == len(cell.documents()[0])


def test_models_are_kept_only_when_asked_and_then_for_all(tmp_path, here):
    words = ("run", "-t", "small-single", "-m", "letters", "-m", "words", *SMALL)
    words += ("--plugins", PLUGINS / "savable.py", "--out", tmp_path)
    records = json.loads(call(*words, "--json").out)
    assert not list(tmp_path.glob("cells/*/model*"))
    plan = json.loads(here(*words, "--save-models", "--dry-run", "--json").out)
    assert [(row["state"], row["runs"], row["reason"]) for row in plan] == [
        ("done", True, "its model was not kept")
    ] * 2
    done = call(*words, "--save-models", "--json")
    again = json.loads(done.out)
    assert "model not saved: words cannot be saved" in done.err
    assert [record["cell"] for record in again] == [record["cell"] for record in records]
    assert [record["metrics"] for record in again] == [record["metrics"] for record in records]
    assert {record["method"]: record["status"] for record in again} == {"letters": "ok", "words": "ok"}
    assert len(list(tmp_path.glob("cells/*/model/letters.json"))) == 1
    # Nothing is run a third time: not the one that has its model, nor the one that has none to give.
    assert [row["runs"] for row in json.loads(here(*words, "--save-models", "--dry-run", "--json").out)] == [False] * 2
    shutil.rmtree(next(tmp_path.glob("cells/*/model")))
    assert {row["method"]: row["runs"] for row in json.loads(here(*words, "--dry-run", "--json").out)} == {
        "letters": False,
        "words": False,
    }


def test_a_method_from_a_file(tmp_path, here):
    words = ("-t", "small-single", "-m", "letters", *SMALL, "--plugins", PLUGINS / "savable.py", "--out", tmp_path)
    (record,) = json.loads(call("run", *words, "--save-models", "--json").out)
    (tmp_path / "in.csv").write_text("text\nxxx\nyxy\n")
    options = ("--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv", "--out", tmp_path)
    unknown = here("predict", record["cell"], *options)
    assert unknown.code == 2
    assert "name the file that brings it with --plugins" in unknown.err
    done = here("predict", record["cell"], *options, "--plugins", PLUGINS / "savable.py")
    assert done.code == 0, done.err
    assert (tmp_path / "out.csv").read_text() == "id,label,score\n1,x,180.0\n2,y,120.0\n"
    refused = here(
        "export", record["cell"], "--to", tmp_path / "to", "--out", tmp_path, "--plugins", PLUGINS / "savable.py"
    )
    assert refused.code == 2
    assert "letters has no form that other libraries load; label documents with `bench predict`" in refused.err
    assert not (tmp_path / "to").exists()


@pytest.fixture
def damaged(cells, tmp_path):
    """A copy of a cell, a file to label, and the words that ask for it."""
    shutil.copytree(cells["single"].folder, tmp_path / "cell")
    (tmp_path / "in.csv").write_text("text\na\n")
    return tmp_path / "cell", (
        "predict",
        tmp_path / "cell",
        "--input",
        tmp_path / "in.csv",
        "--output",
        tmp_path / "out.csv",
    )


def _break_card(folder):
    card = json.loads((folder / "model.json").read_text())
    del card["labels"]
    (folder / "model.json").write_text(json.dumps(card))


DAMAGE = {
    "card without a key": (_break_card, "model.json cannot be read"),
    "card of nonsense": (lambda folder: (folder / "model.json").write_text("[]"), "model.json cannot be read"),
    "file cut off": (lambda folder: (folder / "model" / "tfidf.npz").write_bytes(b"PK"), "tfidf cannot load"),
    "file gone": (lambda folder: (folder / "model" / "vocabulary.json").unlink(), "tfidf cannot load"),
    "folder gone": (lambda folder: shutil.rmtree(folder / "model"), "tfidf cannot load"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_cell_is_blamed_on_the_cell(damaged, here, case):
    folder, words = damaged
    damage, said = DAMAGE[case]
    damage(folder)
    for asked in (words, ("export", folder, "--to", folder.parent / "to")):
        done = here(*asked)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert said in done.err
        assert "--output" not in done.err
        assert "--to" not in done.err
    assert not (folder.parent / "out.csv").exists()


def test_a_run_for_the_model_that_fails_keeps_the_result(tmp_path):
    method = (PLUGINS / "savable.py").read_text()
    plugin = tmp_path / "method.py"
    plugin.write_text(method)
    words = ("run", "-t", "small-single", "-m", "letters", *SMALL, "--plugins", plugin, "--out", tmp_path / "out")
    (before,) = json.loads(call(*words, "--json").out)
    failing = call(*words, "--save-models", "--timeout", "0.01s", "--json")
    assert "the result of an earlier run is kept" in failing.err
    assert json.loads(failing.out) == [before]
    assert (tmp_path / "out" / "cells" / before["cell"] / "predictions.parquet").is_file()


def test_a_limit_of_time_that_is_reached_in_saving_costs_no_result(tmp_path):
    plugin = tmp_path / "method.py"
    saving = '(folder / "letters.json").write_text(json.dumps(self.weight))'
    stopped = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"  # as its parent does when the time is up
    plugin.write_text((PLUGINS / "savable.py").read_text().replace(saving, f"{saving}; {stopped}"))
    words = ("run", "-t", "small-single", "-m", "letters", *SMALL, "--plugins", plugin, "--out", tmp_path / "out")
    done = call(*words, "--save-models", "--json")
    (record,) = json.loads(done.out)
    assert (done.code, record["status"]) == (0, "ok")
    assert record["facts"]["model"] == "saving failed: TimeUp: the time is up; raise --timeout"
    folder = tmp_path / "out" / "cells" / record["cell"]
    assert (folder / "predictions.parquet").is_file()
    assert not (folder / "model").exists()
    assert not (folder / "model.json").exists()
