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
    budgets = page.partition("Tuning budgets")[2].partition("**What")[0]
    assert [row.count(" 6 |") for row in budgets.splitlines() if row.startswith(("| hill", "| slope"))] == [1, 1]
    assert [
        row.count("none: the settings as they stand") for row in budgets.splitlines() if row.startswith("| rigid")
    ] == [1]
    assert "unequal budgets" in budgets


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-m", "rigid"), "rigid declares no setting"),
        (("-m", "hill", "--space", "x=1"), None),
        (("-m", "hill", "--space", "x=3..1"), "no range"),
        (("-m", "hill", "--space", "x"), "KEY="),
        (("-m", "hill", "--space", "y=1,2"), "'y'"),
        (("-m", "hill", "--space", "x=log:0..1"), "above zero"),
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


def test_a_search_without_any_result_is_told(tmp_path):
    done = tune(
        tmp_path, "-t", "secret", "-m", "brittle", "--set", "steps=5", "--space", "steps=5,7", *TUNABLE, trials=2
    )
    assert done.code == 1
    assert "it broke" in done.err
