"""Variants from the command line: told apart in plans, progress and tables, each with a record of its own."""

import json

import pytest

PICKY = """
from bench.method import Method, Support
from bench.prediction import LabelSets
from bench.settings import Settings
class PickySettings(Settings):
    way: str = "odd"
    tries: int = 1
class Picky(Method):
    name = "picky"
    Config = PickySettings
    def supports(self, task):
        return Support(self.config.way != "odd", "the odd way is for nobody")
    def fit(self, *given): ...
    def predict(self, texts, context):
        return LabelSets([[0] for _ in texts], texts)
"""
SUITE = """
tasks: [small-single]
methods: [picky, chance]
seeds: [0, 1]
variants:
  picky: [{}, {way: [plain, short]}]
"""


@pytest.fixture
def run(bench, plugins, tmp_path):
    """Runs a suite of a method that refuses one of its variants."""
    (tmp_path / "picky.py").write_text(PICKY)
    (tmp_path / "mine.yaml").write_text(SUITE)
    words = ("--suite", tmp_path / "mine.yaml", "--plugins", tmp_path / "picky.py", "--plugins", plugins / "small.py")
    return lambda *more: bench("run", *words, "--out", tmp_path / "out", *more)


def lines(text, word):
    return [line for line in text.splitlines() if word in line]


def test_the_plan_names_what_differs(run):
    planned = run("--dry-run").out
    assert "settings" in planned.splitlines()[0]
    for way, state in (("odd", "unavailable"), ("plain", "missing"), ("short", "missing")):
        assert [state in line for line in lines(planned, f"way={way}")] == [True, True]
    assert not lines(planned, "tries=")
    assert "settings" not in run("--dry-run", "--set", "way=plain").out


def test_every_variant_leaves_a_record_and_is_named_in_tables_and_progress(run, bench, tmp_path):
    first = run()
    assert first.code == 0
    assert len(lines(first.err, "small-single × picky (way=short), seed 1")) == 2  # start and end
    kept = json.loads(bench("results", "--json", "--out", tmp_path / "out").out)
    picky = [record for record in kept if record["method"] == "picky"]
    found = sorted((r["identity"]["method_settings"]["way"], r["seed"], r["status"]) for r in picky)
    bad, good = "unavailable", "ok"
    assert found == [("odd", 0, bad), ("odd", 1, bad), *((way, n, good) for way in ("plain", "short") for n in (0, 1))]
    shown = bench("results", "--out", tmp_path / "out").out
    rows = [line.split()[-1] for line in lines(shown, "picky") if "way=" in line and "nobody" not in line]
    assert rows == [f"way={way}" for way in rows_order(rows) for _ in (0, 1)]
    assert lines(shown, "picky (way=odd): the odd way is for nobody")
    again = run()
    assert "nothing to run" in again.out
    assert len(lines(again.out, "unavailable")) == 3  # a row for each seed, and the sum


def rows_order(rows):
    """Each variant once, in order."""
    return [row.removeprefix("way=") for row in dict.fromkeys(rows)]


@pytest.mark.slow
def test_the_report_names_the_variants_that_failed(run, bench, tmp_path):
    run()
    bench("report", "--out", tmp_path / "out")
    failed = (tmp_path / "out/report.md").read_text().partition("## Missing and failed cells")[2]
    assert failed.partition("|:")[0].count("Settings") == 1
    assert len(lines(failed, "way=odd")) == 2


def test_what_is_left_out_is_told_once_and_keeps_json_clean(bench, plugins, tmp_path):
    (tmp_path / "mine.yaml").write_text("tasks: [small-single]\nleave_out: {chance: it guesses}\n")
    done = bench("run", "--suite", tmp_path / "mine.yaml", "--plugins", plugins / "small.py", "--dry-run", "--json")
    assert "chance" not in {row["method"] for row in json.loads(done.out)}
    assert len(lines(done.err, "left out: chance: it guesses; name them with -m to run them")) == 1


def test_methods_left_out_by_default_come_back_by_name(bench, plugins, tmp_path):
    words = ("run", "-t", "small-single", "--plugins", plugins / "small.py", "--out", tmp_path, "--dry-run", "--json")
    left = bench(*words)
    assert "zero-shot" not in {row["method"] for row in json.loads(left.out)}
    assert len(lines(left.err, "left out: zero-shot, few-shot: the embedded models")) == 1
    named = bench(*words, "-m", "zero-shot")
    assert [row["method"] for row in json.loads(named.out)] == ["zero-shot"]
    assert "left out" not in named.err
