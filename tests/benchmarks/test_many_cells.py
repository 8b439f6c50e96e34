"""What planning, listing and reporting take where there are very many cells."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from benchmarks.many_records import fill
from commands import call, installed, seconds_of

from bench.record import Record

RECORDS, PLANNED = 10_000, 100_000

READ = """
import json, sys
from pathlib import Path
for path in Path(sys.argv[1]).glob("cells/*/record.json"):
    json.loads(path.read_bytes())
"""
NAME = """
import hashlib, json, sys
for seed in range(int(sys.argv[1])):
    text = json.dumps({"task": "t", "settings": {"rank": 8, "epochs": 3}, "method": "m", "seed": seed}, sort_keys=True)
    hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
"""
SUITE = """
tasks: [synthetic-clv]
methods: [prior, tfidf, bert, embedding-head]
seeds: {seeds}
settings: {{synthetic-clv: {{train_documents: 100, validation_documents: 20, test_documents: 20}}}}
variants:
  tfidf: {{c: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]}}
  bert: {{learning_rate: [1.0e-5, 2.0e-5, 5.0e-5, 1.0e-4, 2.0e-4, 5.0e-4, 1.0e-3, 2.0e-3]}}
"""
SPANNED = 20
"""Cells of a seed."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of many records, with two files more that `bench results` and `bench report` might look at."""
    folder = tmp_path_factory.mktemp("many")
    sizes = [word for split in ("train", "validation", "test") for word in ("--set", f"{split}_documents=60")]
    ran = call("run", "-t", "synthetic-wipo", "-m", "tfidf", *sizes, "--json", "--out", folder / "one")
    (record,) = json.loads(ran.out)
    assert record["status"] == "ok", record["reason"]
    fill(folder / "out", Record.model_validate(record), RECORDS)
    return folder / "out"


@pytest.fixture(scope="module")
def reading(store):
    """Seconds of a script that reads the bare JSON of all records."""
    return min(seconds_of([sys.executable, "-c", READ, str(store)]) for _ in range(3))


def test_results(store, reading, figure):
    ours = min(seconds_of(installed("results", "--out", str(store))) for _ in range(3))
    name = f"bench results of {RECORDS:,} records"
    figure(f"{name}, time", ours, unit="s", most=2)
    figure(f"{name}, time beside reading their JSON", ours / reading, seen=f"{reading:.2f} s")


def test_report(store, reading, figure):
    ours = seconds_of(installed("report", "--out", str(store)))
    name = f"bench report of {RECORDS:,} records"
    figure(f"{name}, time", ours, unit="s", most=20)
    figure(f"{name}, time beside reading their JSON", ours / reading, seen=f"{reading:.2f} s")


def test_plan(tmp_path, figure):
    """Four methods, of two of which there are several variants, and very many seeds."""
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(seeds=list(range(PLANNED // SPANNED))), "utf-8")
    words = installed("run", "--suite", str(suite), "--dry-run", "--out", str(tmp_path / "out"))
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert shown.endswith(f"{PLANNED} cells: {PLANNED} missing; {PLANNED} would run\n")
    ours = min(seconds_of(words) for _ in range(2))
    naming = min(seconds_of([sys.executable, "-c", NAME, str(PLANNED)]) for _ in range(2))
    name = f"bench run --dry-run of {PLANNED:,} cells"
    figure(f"{name}, time", ours, unit="s", most=10)
    figure(f"{name}, time beside hashing as many names", ours / naming, seen=f"{naming:.2f} s")
