"""A user's own file, from the command line to the report, and every way in which it can be off."""

import json
import os
import re
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Called, call
from own_tables import tickets, write_csv

from bench.cli import main
from bench.registry import Registry
from bench.runner.plan import Planner
from bench.store import Store
from bench.suite import Suite

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own-data.md").read_text()


def write_tickets(folder):
    folder.mkdir()
    rows = [{"id": row["id"], "body": row["text"], "queue": row["label"]} for row in tickets(60)]
    write_csv(folder / "Tickets 2026.csv", rows, delimiter=";")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of its own with ``Tickets 2026.csv``, and a cache that nobody else fills."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    write_tickets(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Such a folder where two methods have run, and what that printed."""
    folder = tmp_path_factory.mktemp("ran") / "work"
    write_tickets(folder)
    return folder, call("run", *OWN, "-m", "prior", "-m", "tfidf", "--json", cwd=folder)


@pytest.fixture
def look(monkeypatch, capsys):
    """Calls the command line in this process: for what runs no cell, a tenth of the time of a process."""

    def call_here(*words, cwd):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        done = capsys.readouterr()
        return Called(ended.value.code or 0, done.out, done.err)

    return call_here


OWN = ("--data", "Tickets 2026.csv", "--text", "body", "--label", "queue")


def test_from_a_file_to_results(look, ran):
    folder, done = ran
    records = json.loads(done.out)
    assert done.code == 0, done.err
    assert [(r["task"], r["method"], r["status"]) for r in records] == [
        ("tickets-2026", "prior", "ok"),
        ("tickets-2026", "tfidf", "ok"),
    ]
    assert records[1]["metrics"]["micro_f1"] > records[0]["metrics"]["micro_f1"]
    assert not any(key in records[0]["identity"]["task_settings"] for key in ("path", "test", "validation", "parents"))
    assert "nothing to run" in look("run", *OWN, "-m", "prior", "-m", "tfidf", cwd=folder).out
    assert "tickets-2026" in look("results", cwd=folder).out


def test_a_moved_file_is_the_same_cell_and_a_changed_one_another(look, ran, tmp_path):
    here = tmp_path / "work"
    shutil.copytree(ran[0], here)
    one = json.loads(ran[1].out)[0]
    words = ("run", *OWN[2:], "-m", "prior", "--json")
    (here / "elsewhere").mkdir()
    moved = (here / "Tickets 2026.csv").rename(here / "elsewhere" / "Tickets 2026.csv")
    words = (*words, "--dry-run", "--data", moved)
    same = look(*words, cwd=here)
    assert [(cell["cell"], cell["state"]) for cell in json.loads(same.out)] == [(one["cell"], "done")]
    assert "other data" not in same.err
    moved.write_text(moved.read_text() + "t99;one more;printer\r\n")
    changed = look(*words, cwd=here)
    (cell,) = json.loads(changed.out)
    assert (cell["slot"], cell["state"]) == (one["slot"], "missing")
    assert "bench: warning: task tickets-2026: results of other data bear that name (1)" in changed.err
    named = look(*words, "--name", "tickets-2027", cwd=here)
    (cell,) = json.loads(named.out)
    assert (cell["task"], cell["slot"] == one["slot"]) == ("tickets-2027", False)
    assert "other data" not in named.err


def test_without_a_method_all_but_those_left_out_are_planned(look, here):
    plan = json.loads(look("run", *OWN, "--dry-run", "--json", cwd=here).out)
    methods = {row["name"] for row in json.loads(look("list", "methods", "--json", cwd=here).out)}
    assert {row["method"] for row in plan} == methods - {"zero-shot", "few-shot", "xmlc"}
    assert {row["task"] for row in plan} == {"tickets-2026"}


def test_a_test_file_and_settings(look, here):
    write_csv(here / "held.csv", [{"body": f"another {i}", "queue": ("billing", "lift")[i % 2]} for i in range(8)])
    words = ("inspect", *OWN, "--test", "held.csv", "--quick", "--json", "--set")
    found = json.loads(look(*words, "unseen=drop", cwd=here).out)
    assert found["documents"]["test"] == 4
    assert found["skipped"] == {"document with labels only that are on no training document": 4}
    refused = look(*words, "unseen=refuse", cwd=here)
    assert "held.csv, row 3: 1 labels are on no training document: 'lift'" in refused.err


def test_a_yaml_file_says_the_same(look, here, tmp_path):
    (here / "mine.yaml").write_text(
        "name: desk\nbase: table\ndescription: The desk.\n"
        "settings: {path: Tickets 2026.csv, text: body, label: queue}\n"
    )
    yaml = json.loads(look("inspect", "desk", "--plugins", here / "mine.yaml", "--quick", "--json", cwd=tmp_path).out)
    assert yaml["fingerprint"] == json.loads(look("inspect", *OWN, "--quick", "--json", cwd=here).out)["fingerprint"]
    words = ("run", "--plugins", here / "mine.yaml", "-t", "desk", "-m", "prior", "--dry-run", "--json")
    assert [(cell["state"], cell["runs"]) for cell in json.loads(look(*words, cwd=tmp_path).out)] == [("missing", True)]
    listed = json.loads(look("list", "tasks", "--plugins", here / "mine.yaml", "--json", cwd=tmp_path).out)
    assert next(row["status"] for row in listed if row["name"] == "desk") == "ok"


def test_a_name_that_is_taken_gives_way(look, here):
    (here / "debtags.csv").write_bytes((here / "Tickets 2026.csv").read_bytes())
    words = ("inspect", "--data", "debtags.csv", *OWN[2:], "--quick", "--json")
    assert json.loads(look(*words, cwd=here).out)["task"] == "debtags-data"
    assert json.loads(look(*words, "--name", "desk", cwd=here).out)["task"] == "desk"


def test_with_all_nobody_misses_a_table(tmp_path):
    known = Registry.discover()
    registry = replace(known, plugins=tuple(p for p in known.plugins if p.name in {"table", "prior"}))
    suite = Suite(settings={"table": {"path": str(tmp_path / "none.csv")}})
    assert Planner(suite, registry, Store(tmp_path), pytest.fail, pytest.fail).plan() == []


FAULTS = [
    ((*OWN[:-1], "que"), None, "unknown column of Tickets 2026.csv 'que'; did you mean 'queue'?"),
    (("--data", "none.csv"), None, "--data none.csv: no such file or folder"),
    ((*OWN, "--test", "none.csv"), None, "--test none.csv: no such file or folder"),
    (("--text", "body"), None, "name it with --data FILE"),
    ((*OWN, "--set", "splt=part"), None, "unknown setting 'splt'; did you mean 'split'?"),
    ((*OWN, "--text", "queue"), None, "column 'queue' is both label and text"),
    (("--data", "t.csv"), "text,label\na,x\nb\n", "t.csv, row 3: 1 cells where the header has 2"),
    (("--data", "t.csv"), "text,label\na,x\nb,x\n", "t.csv: the one label is 'x'"),
    (("--data", "t.csv"), "", "t.csv: the file is empty"),
    (("--data", "t.csv"), "text,label\n", "t.csv: no rows below the header"),
    (("--data", "t.csv", "--set", "encoding=ascii"), "text,label\nä,x\n", "t.csv, row 2: byte 0xc3 is not ascii"),
    (("--data", "t.jsonl"), '{"text": "a", "label": "x"}\n{"text', "t.jsonl, line 2: no JSON"),
    (("--data", "t.parquet"), "PAR1", "t.parquet: not a whole Parquet file"),
    (("--data", "t.docx"), "x", "t.docx: unknown extension '.docx'"),
    (("--data", ""), None, "--data is empty"),
    ((*OWN, "--text", ""), None, "--text is empty"),
    ((*OWN[:-1], ""), None, "--label is empty"),
    ((*OWN, "--test", ""), None, "--test is empty"),
    ((*OWN, "--name", "Prior"), None, "--name Prior: small letters, digits and hyphens make a name, such as prior"),
    ((*OWN, "--name", "prior"), None, "--name prior: a task or method is called that"),
    (("--name", "mine"), None, "name it with --data FILE"),
    (("--data", "~nobody-of-that-name/t.csv"), None, "t.csv: no such file or folder"),
    (("--data", "~t.csv"), "text,label\na,x\nb,x\n", "~t.csv: the one label is 'x'"),
    (("--data", "t" * 300), None, "File name too long"),
    ((*OWN, "--set", "validation=typo.csv"), None, "validation typo.csv: no such file or folder; cp FILE typo.csv"),
    ((*OWN, "--set", "parents=nope.csv"), None, "parents nope.csv: no such file or folder; cp FILE nope.csv"),
    (
        (*OWN, "--set", "train_documents=2024-13-45"),
        None,
        "train_documents='2024-13-45': Input should be a valid integer",
    ),
]


@pytest.mark.parametrize(("words", "content", "said"), FAULTS)
def test_what_is_off_is_one_line_and_leaves_nothing(look, here, words, content, said):
    if content is not None:
        (here / words[1]).write_text(content)
    done = look("run", *words, "-m", "prior", cwd=here)
    lines = [line for line in done.err.splitlines() if not line.startswith("loading ")]
    assert (done.code, len(lines)) == (2, 1), done.err
    assert said in lines[0]
    assert str(here) not in lines[0]
    cache = here.parent / "cache"
    assert not [path for _, _, files in os.walk(cache) for path in files]
    assert not list(here.glob("results/**/record.json"))


def test_whoever_calls_it_gets_the_line_and_the_code(bench, here):
    words, _, said = FAULTS[0]
    done = bench("run", *words, "-m", "prior", cwd=here)
    assert (done.code, done.out, done.err.splitlines()[-1].endswith(said)) == (2, "", True)


@pytest.mark.parametrize(("words", "content", "said"), FAULTS[:4])
def test_looking_says_the_same(look, here, words, content, said):
    done = look("inspect", *words, cwd=here)
    assert (done.code, done.err.splitlines()[-1].endswith(said)) == (2, True)


def blocks(language):
    """(what stands before it, content) of every block of a language on the page."""
    return re.findall(rf"([^\n]*)\n\n```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_page_holds_what_it_says(bench, look, tmp_path, monkeypatch):
    """Its files, as they stand there, and its commands, in order, to the report; each ends as the page says."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for before, content in (pair for kind in ("csv", "json", "yaml") for pair in blocks(kind)):
        (tmp_path / re.search(r"`([\w.-]+)`", before)[1]).write_text(content)
    lines = [line for _, block in blocks("console") for line in block.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("$ bench "):
            said = following if following.startswith("bench: ") else None
            quick = ["--quick"] if line.startswith("$ bench inspect") else []  # what takes longer is tested elsewhere
            call = bench if said is None and not quick else look
            done = call(*shlex.split(line.removeprefix("$ bench ")), *quick, cwd=tmp_path)
            assert done.code == (0 if said is None else 2), f"{line}: {done.err}"
            assert said is None or done.err.splitlines()[-1] == said
    assert sum(line.startswith("$ bench ") for line in lines) > 10
    assert "tickets" in (tmp_path / "results/runs/report.md").read_text()


def test_the_page_explains_every_setting():
    from tasks.table import TableSettings

    assert not [name for name in TableSettings.model_fields if f"| `{name}` |" not in PAGE]
