"""A user's own file, from the command line to the report, and every way in which it can be off."""

import json
import os
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from own_tables import tickets, write_csv

from bench.registry import Registry
from bench.runner.plan import Planner
from bench.store import Store
from bench.suite import Suite

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/own-data.md").read_text()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of its own with ``Tickets 2026.csv``, and a cache that nobody else fills."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    rows = [{"id": row["id"], "body": row["text"], "queue": row["label"]} for row in tickets(60)]
    write_csv(folder / "Tickets 2026.csv", rows, delimiter=";")
    return folder


OWN = ("--data", "Tickets 2026.csv", "--text", "body", "--label", "queue")


def test_from_a_file_to_a_report(bench, here):
    words = ("run", *OWN, "-m", "prior", "-m", "tfidf", "--json")
    done = bench(*words, cwd=here)
    records = json.loads(done.out)
    assert done.code == 0, done.err
    assert [(r["task"], r["method"], r["status"]) for r in records] == [
        ("tickets-2026", "prior", "ok"),
        ("tickets-2026", "tfidf", "ok"),
    ]
    assert records[1]["metrics"]["micro_f1"] > records[0]["metrics"]["micro_f1"]
    assert not any(key in records[0]["identity"]["task_settings"] for key in ("path", "test", "validation", "parents"))
    again = bench(*words[:-1], cwd=here)
    assert "nothing to run" in again.out
    assert "tickets-2026" in bench("results", cwd=here).out
    assert bench("report", cwd=here).code == 0
    assert "tickets-2026" in (here / "results/runs/report.md").read_text()


def test_a_moved_file_is_the_same_cell_and_a_changed_one_another(bench, here):
    words = ("run", *OWN[2:], "-m", "prior", "--json", "--data")
    one = json.loads(bench(*words, "Tickets 2026.csv", cwd=here).out)[0]
    (here / "elsewhere").mkdir()
    moved = (here / "Tickets 2026.csv").rename(here / "elsewhere" / "Tickets 2026.csv")
    two = json.loads(bench(*words, moved, cwd=here).out)[0]
    assert (two["cell"], two["finished_at"]) == (one["cell"], one["finished_at"])
    moved.write_text(moved.read_text() + "t99;one more;printer\r\n")
    assert json.loads(bench(*words, moved, cwd=here).out)[0]["cell"] != one["cell"]


def test_without_a_method_all_of_them_are_planned(bench, here):
    plan = json.loads(bench("run", *OWN, "--dry-run", "--json", cwd=here).out)
    methods = {row["name"] for row in json.loads(bench("list", "methods", "--json").out)}
    assert {row["method"] for row in plan} == methods
    assert {row["task"] for row in plan} == {"tickets-2026"}


def test_a_test_file_and_settings(bench, here):
    write_csv(here / "held.csv", [{"body": f"another {i}", "queue": ("billing", "lift")[i % 2]} for i in range(8)])
    words = ("inspect", *OWN, "--test", "held.csv", "--quick", "--json", "--set")
    found = json.loads(bench(*words, "unseen=drop", cwd=here).out)
    assert found["documents"]["test"] == 4
    assert found["skipped"] == {"document with labels only that are on no training document": 4}
    refused = bench(*words, "unseen=refuse", cwd=here)
    assert "held.csv, row 3: 1 labels are on no training document: 'lift'" in refused.err


def test_a_yaml_file_says_the_same(bench, here, tmp_path):
    (here / "mine.yaml").write_text(
        "name: desk\nbase: table\ndescription: The desk.\n"
        "settings: {path: Tickets 2026.csv, text: body, label: queue}\n"
    )
    yaml = json.loads(bench("inspect", "desk", "--plugins", here / "mine.yaml", "--quick", "--json", cwd=tmp_path).out)
    assert yaml["fingerprint"] == json.loads(bench("inspect", *OWN, "--quick", "--json", cwd=here).out)["fingerprint"]
    words = ("run", "--plugins", here / "mine.yaml", "-t", "desk", "-m", "prior", "--json")
    assert [r["status"] for r in json.loads(bench(*words, cwd=tmp_path).out)] == ["ok"]
    listed = json.loads(bench("list", "tasks", "--plugins", here / "mine.yaml", "--json", cwd=tmp_path).out)
    assert next(row["status"] for row in listed if row["name"] == "desk") == "ok"


def test_a_name_that_is_taken_gives_way(bench, here):
    (here / "debtags.csv").write_bytes((here / "Tickets 2026.csv").read_bytes())
    found = json.loads(bench("inspect", "--data", "debtags.csv", *OWN[2:], "--quick", "--json", cwd=here).out)
    assert found["task"] == "debtags-data"


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
]


@pytest.mark.parametrize(("words", "content", "said"), FAULTS)
def test_what_is_off_is_one_line_and_leaves_nothing(bench, here, words, content, said):
    if content is not None:
        (here / words[1]).write_text(content)
    done = bench("run", *words, "-m", "prior", cwd=here)
    lines = [line for line in done.err.splitlines() if not line.startswith("loading ")]
    assert (done.code, len(lines)) == (2, 1), done.err
    assert said in lines[0]
    assert str(here) not in lines[0]
    cache = here.parent / "cache"
    assert not [path for _, _, files in os.walk(cache) for path in files]
    assert not list(here.glob("results/**/record.json"))


@pytest.mark.parametrize(("words", "content", "said"), FAULTS[:4])
def test_looking_says_the_same(bench, here, words, content, said):
    done = bench("inspect", *words, cwd=here)
    assert (done.code, done.err.splitlines()[-1].endswith(said)) == (2, True)


def blocks(language):
    """(what stands before it, content) of every block of a language on the page."""
    return re.findall(rf"([^\n]*)\n\n```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_holds_what_it_says(bench, tmp_path, monkeypatch):
    """Its files, as they stand there, and its commands, in order; each ends as the page says."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for before, content in (pair for kind in ("csv", "json", "yaml") for pair in blocks(kind)):
        (tmp_path / re.search(r"`([\w.-]+)`", before)[1]).write_text(content)
    lines = [line for _, block in blocks("console") for line in block.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("$ bench "):
            quick = ["--quick"] if line.startswith("$ bench inspect") else []  # what takes longer is tested elsewhere
            done = bench(*shlex.split(line.removeprefix("$ bench ")), *quick, cwd=tmp_path)
            said = following if following.startswith("bench: ") else None
            assert done.code == (0 if said is None else 2), f"{line}: {done.err}"
            assert said is None or done.err.splitlines()[-1] == said
    assert sum(line.startswith("$ bench ") for line in lines) > 10


def test_the_page_explains_every_setting():
    from tasks.table import TableSettings

    assert not [name for name in TableSettings.model_fields if f"| `{name}` |" not in PAGE]
