"""A run that is killed goes on where it stopped, and ends as if nothing had happened."""

import json
import os
import select
import signal
import subprocess

import pytest
from commands import PLUGINS, call, command

WORDS = (
    "run", "-t", "small-single", "-t", "small-multi", "-m", "words", "-m", "sparse-words", "-m", "chance",
    "-m", "emitter", "--plugins", PLUGINS / "small.py",
)  # fmt: skip
CELLS = 8


def results(out):
    return json.loads(call("results", "--out", out, "--json").out)


def table(out):
    """What a run came to, without what differs between any two runs."""
    return [
        (r["cell"], r["task"], r["method"], r["seed"], r["status"], r["metrics"], r["predictions"])
        for r in results(out)
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    assert call(*WORDS, "--out", out).code == 0
    return table(out)


def killed_when(out, seen, cache):
    """Start the run and kill it without warning at the first line of progress that ``seen`` accepts."""
    process = subprocess.Popen(
        command(*WORDS, "--out", out),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "BENCH_CACHE": str(cache)},
    )
    for line in process.stderr:
        if seen(line):
            break
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run had ended before it was killed"
    process.stderr.close()


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(lambda line: "loading" in line, id="while planning", marks=pytest.mark.slow),
        pytest.param(
            lambda line: line.startswith("[0/8] start"), id="as the first cell starts", marks=pytest.mark.slow
        ),
        pytest.param(lambda line: line.startswith("[3/8] ok"), id="as a cell ends"),
        pytest.param(lambda line: line.startswith("[5/8] start"), id="as a cell starts", marks=pytest.mark.slow),
        pytest.param(lambda line: line.startswith("[7/8] start"), id="as the last cell starts", marks=pytest.mark.slow),
    ],
)
def test_kill_and_resume(tmp_path, undisturbed, seen):
    killed_when(tmp_path, seen, tmp_path / "cache")
    before = {r["cell"]: r["finished_at"] for r in results(tmp_path)} if (tmp_path / "cells").exists() else {}
    resumed = call(*WORDS, "--out", tmp_path)
    assert resumed.code == 0
    after = {r["cell"]: r["finished_at"] for r in results(tmp_path)}
    assert len(after) == CELLS
    assert before.items() <= after.items(), "a finished cell was run again"
    assert table(tmp_path) == undisturbed
    assert not list((tmp_path / "cells").glob(".*"))


@pytest.mark.parametrize("method", ["hangs-telling", "hangs-telling-torch"])
def test_children_die_with_their_parent(tmp_path, method):
    """A child that outlived its parent would write into the next run's store."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = ("run", "-t", "small-single", "-m", method, "--plugins", PLUGINS, "--out", tmp_path / "out")
    process = subprocess.Popen(
        command(*words), stderr=subprocess.DEVNULL, env={**os.environ, "BENCH_TEST_PIPE": str(pipe)}
    )
    with pipe.open() as told:
        assert told.readline() == "at work\n"
        process.kill()
        process.wait()
        # The end of the pipe comes when the last process that holds it is gone.
        assert select.select([told], [], [], 20)[0], "the child lives on"
        assert told.read() == ""


def test_the_same_command_again_runs_nothing(tmp_path, bench):
    assert bench(*WORDS, "--out", tmp_path).code == 0
    first = results(tmp_path)
    again = bench(*WORDS, "--out", tmp_path)
    assert "nothing to run" in again.out
    assert results(tmp_path) == first


def test_fresh_runs_all_again(tmp_path, bench):
    words = ("run", "-t", "small-single", "-m", "words", "--plugins", PLUGINS / "small.py", "--out", tmp_path)
    bench(*words)
    first = results(tmp_path)[0]
    bench(*words, "--fresh")
    second = results(tmp_path)[0]
    assert second["cell"] == first["cell"]
    assert second["finished_at"] > first["finished_at"]
    assert second["predictions"] == first["predictions"]


def test_a_corrupt_record_is_named_set_aside_and_run_again(tmp_path, bench):
    words = (
        "run",
        "-t",
        "small-single",
        "-m",
        "words",
        "-m",
        "chance",
        "--plugins",
        PLUGINS / "small.py",
        "--out",
        tmp_path,
    )
    bench(*words)
    cell = next(r["cell"] for r in results(tmp_path) if r["method"] == "words")
    (tmp_path / "cells" / cell / "record.json").write_text('{"schema_version": 1, "cell":')
    listed = bench("results", "--out", tmp_path, "--json")
    assert cell in listed.err
    assert [r["method"] for r in json.loads(listed.out)] == ["chance"]
    assert (tmp_path / "set-aside" / cell / "record.json").exists()
    again = bench(*words)
    assert "1 run now" in again.out
    assert len(results(tmp_path)) == 2


def test_two_runs_do_not_write_to_one_store(tmp_path):
    words = ("run", "-t", "small-single", "-m", "hangs-deaf", "--plugins", PLUGINS, "--out", tmp_path)
    process = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "start" in line:
            break
    second = call(*words)
    process.kill()
    process.wait()
    process.stderr.close()
    assert second.code == 2
    assert "another run is writing" in second.err


def test_dry_run_shows_the_plan_and_runs_nothing(tmp_path, bench):
    bench("run", "-t", "small-single", "-m", "words", "--plugins", PLUGINS / "small.py", "--out", tmp_path)
    rows = json.loads(bench(*WORDS, "--out", tmp_path, "--dry-run", "--json").out)
    assert len(rows) == CELLS
    assert [row["state"] for row in rows].count("done") == 1
    assert sum(row["runs"] for row in rows) == CELLS - 1
    assert len(results(tmp_path)) == 1


def heed_interrupts():
    """What a shell runs in the background ignores them, and hands that down."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_stops_at_once_and_says_so(tmp_path):
    words = ("run", "-t", "small-single", "-m", "hangs-deaf", "--plugins", PLUGINS, "--out", tmp_path)
    streams = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen(command(*words), preexec_fn=heed_interrupts, **streams)  # noqa: PLW1509 - no threads here
    try:
        for line in process.stderr:
            if "start" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert "finished cells are kept" in said


def test_a_source_that_goes_does_not_hide_what_was_measured(tmp_path, bench):
    (tmp_path / "going.py").write_text(
        "from pathlib import Path\nfrom bench.task import Availability\nimport small\n"
        "class Going(small.SmallSingle):\n    name = 'going'\n"
        "    def availability(self):\n"
        "        there = (Path(__file__).parent / 'source').exists()\n"
        "        return Availability(there, '' if there else 'it has gone', '' if there else 'touch source')\n"
    )
    (tmp_path / "small.py").write_text((PLUGINS / "small.py").read_text())
    words = ("run", "-t", "going", "-m", "words", "--plugins", tmp_path, "--out", tmp_path / "out", "--json")
    first = json.loads(bench(*words).out)[0]
    assert (first["status"], first["remedy"]) == ("unavailable", "touch source")
    (tmp_path / "source").touch()
    assert json.loads(bench(*words).out)[0]["status"] == "ok"
    assert [r["status"] for r in results(tmp_path / "out")] == ["ok"]
    (tmp_path / "source").unlink()
    assert json.loads(bench(*words).out)[0]["status"] == "unavailable"
    assert [r["status"] for r in results(tmp_path / "out")] == ["ok"]


def test_the_same_seed_twice_is_one_cell(tmp_path, bench):
    words = ("run", "-t", "small-single", "-m", "words", "--plugins", PLUGINS / "small.py", "--out", tmp_path)
    assert "1 run now" in bench(*words, "--seed", "0", "--seed", "0", "--jobs", "2").out
