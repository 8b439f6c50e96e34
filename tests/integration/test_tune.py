"""``bench tune``: equal budgets, validation documents only, every trial a cell, and going on where it stopped."""

import json
import signal
import subprocess
import time

import pytest
import yaml
from commands import PLUGINS, call, command

TUNABLE = ("--plugins", PLUGINS / "tunable.py")
THREE = ("-t", "secret", "-m", "hill", "-m", "slope", "-m", "brittle", *TUNABLE)


def tune(out, *words, trials=6):
    return call("tune", *words, "--trials", str(trials), "--threads", "1", "--out", out)


def entries(out):
    """What was found, by method; without how long it took."""
    rows = yaml.safe_load((out / "tuned.yaml").read_text())
    return {row["method"]: {key: value for key, value in row.items() if key != "seconds"} for row in rows}


def trials(out):
    """Records of all trials, by name."""
    found = [json.loads(path.read_text()) for path in (out / "tuning" / "cells").glob("*/record.json")]
    return {record["cell"]: record for record in found}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A whole search over three methods."""
    out = tmp_path_factory.mktemp("searched")
    done = tune(out, *THREE)
    assert done.code == 0, done.err
    return out


def test_budgets_are_equal_and_the_best_is_found(searched):
    found = entries(searched)
    assert {name: one["trials"] for name, one in found.items()} == {"hill": 6, "slope": 6, "brittle": 6}
    for one in found.values():
        assert one["best"] > one["default"]
        assert (one["metric"], one["task"]) == ("micro_f1", "secret")
    assert abs(found["hill"]["settings"]["x"] - 0.3) < 0.3
    assert found["slope"]["settings"].keys() == {"rate", "way"}


def test_trials_see_validation_documents_only(searched):
    records = trials(searched).values()
    assert {record["identity"]["judged_on"] for record in records} == {"validation"}
    assert not any("saw_test" in record["facts"] for record in records)
    assert call("results", "--out", searched, "--json").out.strip() in {"[]", ""} or not any(
        record["identity"].get("judged_on") for record in json.loads(call("results", "--out", searched, "--json").out)
    )


def test_the_first_trial_has_the_settings_as_they_stand(searched):
    values = {record["identity"]["method_settings"].get("x"): record for record in trials(searched).values()}
    assert values[0.9]["metrics"]["micro_f1"] == entries(searched)["hill"]["default"]


def test_failed_and_refused_trials_count(searched):
    found, records = entries(searched)["brittle"], trials(searched).values()
    tried = [record for record in records if record["method"] == "brittle"]
    good = sum(record["status"] == "ok" for record in tried)
    assert found["failed"] <= 6 - 1
    assert found["settings"]["steps"] not in {5, 6, 7}
    assert good >= 1


@pytest.mark.slow
def test_killed_and_resumed_it_ends_as_if_nothing_had_happened(searched, tmp_path):
    words = ("tune", *THREE, "--trials", "6", "--threads", "1", "--out", tmp_path)
    running = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(trials(tmp_path)) < 5 and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = trials(tmp_path)
    assert 5 <= len(before) < len(trials(searched))
    done = call(*words)
    assert done.code == 0, done.err
    assert entries(tmp_path) == entries(searched)
    after = trials(tmp_path)
    assert after.keys() == trials(searched).keys()
    assert {name: after[name]["finished_at"] for name in before} == {n: r["finished_at"] for n, r in before.items()}


@pytest.mark.slow
def test_a_larger_budget_adds_trials(tmp_path):
    words = ("-t", "secret", "-m", "hill", *TUNABLE)
    assert tune(tmp_path, *words, trials=2).code == 0
    few = trials(tmp_path)
    assert tune(tmp_path, *words, trials=4).code == 0
    many = trials(tmp_path)
    assert entries(tmp_path)["hill"]["trials"] == 4
    assert len(many) > len(few)
    assert {name: many[name]["finished_at"] for name in few} == {name: few[name]["finished_at"] for name in few}


def test_runs_and_suites_name_what_was_found_and_the_report_says_what_it_cost(searched, tmp_path):
    found = entries(searched)
    words = ("run", "-t", "secret", "-m", "hill", "-m", "slope", "-m", "rigid", *TUNABLE, "--threads", "1", "--json")
    done = call(*words, "--tuned", searched / "tuned.yaml", "--out", tmp_path, "--set", "slope.way=down")
    assert done.code == 0, done.err
    settings = {record["method"]: record["identity"]["method_settings"] for record in json.loads(done.out)}
    assert settings["hill"]["x"] == found["hill"]["settings"]["x"]
    assert settings["slope"] == {"rate": found["slope"]["settings"]["rate"], "way": "down"}
    suite = tmp_path / "mine.yaml"
    suite.write_text("tasks: [secret]\nmethods: [hill]\ntuned: found.yaml\n")
    (tmp_path / "found.yaml").write_text((searched / "tuned.yaml").read_text())
    planned = json.loads(call("run", "--suite", suite, *TUNABLE, "--out", tmp_path, "--dry-run", "--json").out)
    assert [row["state"] for row in planned] == ["done"]
    assert call("report", "--out", tmp_path).code == 0
    page = (tmp_path / "report.md").read_text()
    budgets = page.partition("### Tuning budgets")[2].partition("\n#")[0]
    assert [row.count(" 6 |") for row in budgets.splitlines() if row.startswith(("| hill", "| slope"))] == [1, 1]
    assert [
        row.count("none: the settings as they stand") for row in budgets.splitlines() if row.startswith("| rigid")
    ] == [1]
    assert "unequal budgets" not in budgets  # one without settings has nothing to search for
    again = call(
        "run",
        "-t",
        "secret",
        "-m",
        "hill",
        *TUNABLE,
        "--threads",
        "1",
        "--out",
        tmp_path,
        "--set",
        f"hill.x={found['hill']['settings']['x']}",
    )
    assert "nothing to run" in again.out
    assert call("run", "-t", "secret", "-m", "brittle", *TUNABLE, "--threads", "1", "--out", tmp_path).code == 0
    assert call("report", "--out", tmp_path).code == 0
    page = (tmp_path / "report.md").read_text()
    assert page.count(" 6 |") >= 2, "who runs the same settings later does not undo the search"
    assert "unequal budgets" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-m", "rigid"), "rigid declares no setting"),
        (("-m", "hill", "--space", "x=1"), None),
        (("-m", "hill", "--space", "x=3..1"), "no range"),
        (("-m", "hill", "--space", "x"), "KEY="),
        (("-m", "hill", "--space", "y=1,2"), "'y'"),
        (("-m", "hill", "--space", "x=log:0..1"), "above zero"),
        (("-m", "hill", "--space", "x=log:1,2"), "no range"),
        (("-m", "hill", "--space", "x=low,high"), "'low' is no value of x"),
        (("-m", "brittle", "--space", "steps=0.5..2"), "0.5 is no value of steps"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(tmp_path, words, said):
    done = call("tune", "-t", "secret", *words, *TUNABLE, "--dry-run", "--out", tmp_path)
    if said is None:
        assert done.code == 0, done.err
        return
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_whole_ends_of_a_fraction_are_a_range_of_fractions(tmp_path):
    done = tune(tmp_path, "-t", "secret", "-m", "hill", *TUNABLE, "--space", "x=0..1", trials=4)
    assert done.code == 0, done.err
    assert any(record["identity"]["method_settings"]["x"] % 1 for record in trials(tmp_path).values())


@pytest.mark.slow
def test_no_settings_are_tried_twice_and_a_small_space_is_told(tmp_path):
    words = ("-t", "secret", "-m", "slope", *TUNABLE, "--space", "way=up,down", "--space", "rate=0.03,0.1")
    done = tune(tmp_path, *words, trials=9)
    assert "4 trials are all that its space holds" in done.err
    found = yaml.safe_load((tmp_path / "tuned.yaml").read_text())[0]
    assert (found["trials"], found["exhausted"], len(trials(tmp_path))) == (4, True, 4)


@pytest.mark.slow
def test_a_smaller_budget_takes_nothing_back(tmp_path):
    words = ("-t", "secret", "-m", "hill", *TUNABLE)
    assert tune(tmp_path, *words, trials=3).code == 0
    before = (tmp_path / "tuned.yaml").read_text()
    assert tune(tmp_path, *words, trials=1).code == 0
    assert (tmp_path / "tuned.yaml").read_text() == before


def test_what_is_set_is_not_searched_for(tmp_path):
    words = ("tune", "-t", "secret", "-m", "slope", *TUNABLE, "--dry-run", "--json", "--out", tmp_path)
    (row,) = json.loads(call(*words, "--set", "slope.way=down").out)
    assert row["space"].keys() == {"rate"}
    (row,) = json.loads(call(*words, "--set", "slope.way=down", "--space", "way=up,down").out)
    assert row["space"].keys() == {"rate", "way"}


def test_trials_are_shown_as_such_and_are_no_report(searched):
    assert "judged on validation documents" in call("results", "--out", searched / "tuning").out
    done = call("report", "--out", searched / "tuning")
    assert (done.code, "trials of `bench tune`" in done.err) == (2, True)


def test_settings_of_other_methods_are_not_taken_silently(searched, tmp_path):
    words = ("run", "-t", "secret", *TUNABLE, "--tuned", searched / "tuned.yaml", "--out", tmp_path, "--dry-run")
    done = call(*words, "-m", "rigid")
    assert (done.code, "none is of a task, method and model of this run" in done.err) == (2, True)
    assert "rigid on secret: no tuned settings" in call(*words, "-m", "rigid", "-m", "hill").err


def test_settings_that_a_method_does_not_have_are_told_with_their_file(searched, tmp_path):
    rows = yaml.safe_load((searched / "tuned.yaml").read_text())
    rows = [{**row, "settings": {"xx": 1}} for row in rows if row["method"] == "hill"]
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(rows))
    words = ("run", "-t", "secret", "-m", "hill", *TUNABLE, "--tuned", tmp_path / "old.yaml", "--out", tmp_path)
    done = call(*words, "--dry-run")
    assert (done.code, "tuned settings of hill on secret" in done.err) == (2, True)


def test_what_tuned_settings_make_equal_is_run_once(searched, tmp_path):
    x = entries(searched)["hill"]["settings"]["x"]
    (tmp_path / "found.yaml").write_text((searched / "tuned.yaml").read_text())
    suite = tmp_path / "mine.yaml"
    suite.write_text(f"tasks: [secret]\nmethods: [hill]\ntuned: found.yaml\nvariants: {{hill: [{{}}, {{x: {x}}}]}}\n")
    rows = json.loads(call("run", "--suite", suite, *TUNABLE, "--out", tmp_path, "--dry-run", "--json").out)
    assert len(rows) == 1


def test_documents_of_the_search_are_never_test_documents(tmp_path):
    """The same file, split in another way."""
    lines = [f"word{n % 3} text {n},{'abc'[n % 3]}" for n in range(300)]
    (tmp_path / "my.csv").write_text("\n".join(["body,label", *lines]))
    data = (
        "--data",
        tmp_path / "my.csv",
        "--text",
        "body",
        "--label",
        "label",
        *TUNABLE,
        "-m",
        "tfidf",
        "--threads",
        "1",
    )
    assert call("tune", *data, "-n", "1", "--out", tmp_path / "out").code == 0
    words = ("run", *data, "--tuned", tmp_path / "out" / "tuned.yaml", "--out", tmp_path / "out", "--dry-run")
    assert call(*words).code == 0
    assert call(*words, "--set", "train_documents=100").code == 0
    done = call(*words, "--set", "test_share=0.4")
    assert (done.code, "are test documents of this run" in done.err) == (2, True)


def test_a_search_without_any_result_is_told(tmp_path):
    done = tune(
        tmp_path, "-t", "secret", "-m", "brittle", "--set", "steps=5", "--space", "steps=5,7", *TUNABLE, trials=2
    )
    assert done.code == 1
    assert "it broke" in done.err
