"""``bench check`` as a user calls it: run, write the reference, check, break something, see it close."""

import json

import pytest
from commands import PLUGINS, call

SMALL = ("--plugins", PLUGINS / "small.py", "--threads", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of four cells, and the reference that was made of them."""
    here = tmp_path_factory.mktemp("gate")
    words = ("run", "-t", "small-single", "-t", "small-multi", "-m", "words", "-m", "emitter", *SMALL)
    assert call(*words, "--out", here / "runs").code == 0
    done = call("check", here / "ci.json", "--out", here / "runs", "--update", "--reason", "first")
    assert (done.code, done.out) == (0, f"wrote {here / 'ci.json'}: 4 cells\n")
    return here


def test_unchanged_results_leave_it_open_and_everything_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    words = ("check", folder / "ci.json", "--out", folder / "runs")
    done = call(*words, "--junit", tmp_path / "a" / "junit.xml", "--markdown", tmp_path / "gate.md")
    assert done.code == 0, done.err
    assert done.out.startswith("gate open: 4 of 4 cells hold\n")
    assert "same answers" in done.out
    assert 'failures="0"' in (tmp_path / "a" / "junit.xml").read_text()
    assert (tmp_path / "summary.md").read_text() == "before\n" + (tmp_path / "gate.md").read_text()


def test_a_worse_method_and_a_missing_cell_close_it(folder, tmp_path):
    out = tmp_path / "runs"
    assert call("run", "-t", "small-single", "-m", "chance", *SMALL, "--out", out).code == 0
    reference = tmp_path / "ci.json"
    assert call("check", reference, "--out", folder / "runs", "--update", "--reason", "first").code == 0
    done = call("check", reference, "--out", out)
    assert done.code == 1
    assert done.out.startswith("gate CLOSED: 4 of 4 cells do not hold (4 missing or failed)\n")
    assert "new, and not in the reference: small-single × chance, seed 0" in done.out
    found = json.loads(call("check", reference, "--out", out, "--json").out)
    assert (found["open"], len(found["cells"])) == (False, 4)


def test_edited_figures_close_it(folder, tmp_path):
    """A record that says more than its predictions do."""
    import shutil

    shutil.copytree(folder / "runs", tmp_path / "runs")
    path = next((tmp_path / "runs" / "cells").glob("*/record.json"))
    record = json.loads(path.read_text())
    record["metrics"]["micro_f1"] = 0.999
    path.write_text(json.dumps(record))
    done = call("check", folder / "ci.json", "--out", tmp_path / "runs")
    assert done.code == 1
    assert "record: its figures do not follow from its predictions: micro_f1 is recorded as 0.9990" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.json",), "nowhere.json: no such reference"),
        (("{ci}", "--out", "nowhere"), "--out nowhere: no results there"),
        (("{ci}", "--metric", "micro_f2"), "did you mean 'micro_f1'?"),
        (("{ci}", "--reason", "why"), "it goes with --update"),
        (("{ci}", "--update"), "say why"),
        (("{ci}", "--junit", "/proc/x/y.xml"), "--junit /proc/x/y.xml:"),
    ],
)
def test_the_user_s_mistakes_are_one_line_and_exit_code_two(folder, words, said):
    given = [word.format(ci=folder / "ci.json") for word in words]
    given += [] if "--out" in given else ["--out", str(folder / "runs")]
    done = call("check", *given)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_summary_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    done = call("check", folder / "ci.json", "--out", folder / "runs")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"GITHUB_STEP_SUMMARY {tmp_path}" in done.err


def test_nothing_to_compare_is_a_mistake(folder, tmp_path):
    (tmp_path / "cells").mkdir()
    done = call("check", folder / "ci.json", "--out", tmp_path)
    assert done.code == 2
    assert "nothing to compare" in done.err
