"""``bench compare`` on stored predictions: what is compared, how rows are named, and what is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from unit.stats.written_store import write_cell

from bench.cli import app
from bench.errors import UserError
from bench.store import PREDICTIONS, Store


def run(root: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["compare", *words, "--out", str(root), "--resamples", "200"])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def rows_of(root: Path, *words: str) -> Any:
    return json.loads(run(root, *words, "--json"))


def pairs(root: Path, *words: str) -> list[tuple[str, str, str]]:
    return [
        (one["first"], one["second"], one["verdict"]) for group in rows_of(root, *words) for one in group["comparisons"]
    ]


def test_two_methods_are_compared_by_every_test(tmp_path: Path) -> None:
    write_cell(tmp_path, "good", wrong=0.1)
    write_cell(tmp_path, "bad", wrong=0.4)
    (group,) = rows_of(tmp_path, "good", "bad")
    (one,) = group["comparisons"]
    assert (group["task"], one["metric"], one["verdict"]) == ("tickets", "micro_f1", "better")
    assert one["test"] == "McNemar (mid-p)"
    assert one["p_holm"] == one["p"] < 0.001
    assert one["difference"]["low"] > 0.15
    assert one["mcnemar"]["b10"] > one["mcnemar"]["b01"]
    shown = run(tmp_path, "bad", "good")
    assert "tickets: single-label, 300 test documents" in shown
    assert "good\n" in shown.replace("good  ", "good\n")
    assert "is better" in shown
    assert "randomisation" in shown


def test_a_tie_says_what_would_have_been_seen(tmp_path: Path) -> None:
    write_cell(tmp_path, "one", wrong=0.2)
    write_cell(tmp_path, "other", wrong=0.21)
    (one,) = rows_of(tmp_path, "one", "other")[0]["comparisons"]
    assert one["verdict"] == "tie"
    assert f"tie: a difference of {one['detectable']:.4f}" in run(tmp_path, "one", "other")


def test_without_names_all_pairs_and_with_one_name_its_pairs(tmp_path: Path) -> None:
    for place, name in enumerate("abcd"):
        write_cell(tmp_path, name, wrong=0.1 + place / 10)
    write_cell(tmp_path, "a", task="letters")
    write_cell(tmp_path, "c", task="letters", wrong=0.3)
    assert len(pairs(tmp_path)) == 6 + 1
    assert len(pairs(tmp_path, "-t", "letters")) == 1
    assert [one[:2] for one in pairs(tmp_path, "c", "-t", "tickets")] == [("c", "a"), ("c", "b"), ("c", "d")]
    assert len(pairs(tmp_path, "a", "b", "d")) == 3
    tests = rows_of(tmp_path, "-t", "tickets")[0]["comparisons"]
    assert all(one["p_holm"] >= one["p"] for one in tests)
    assert any(one["p_holm"] > one["p"] for one in tests)


def test_rows_are_named_by_model_settings_seed_or_cell(tmp_path: Path) -> None:
    small = write_cell(tmp_path, "head", model="Qwen/Qwen3-0.6B", settings={"rank": 8})
    write_cell(tmp_path, "head", model="Qwen/Qwen3-0.6B", settings={"rank": 8}, seed=1)
    write_cell(tmp_path, "head", model="Qwen/Qwen3-4B", settings={"rank": 8}, wrong=0.1)
    write_cell(tmp_path, "head", model="Qwen/Qwen3-4B", settings={"rank": 16}, wrong=0.05)
    write_cell(tmp_path, "bert", wrong=0.3)
    names = ["bert", "head@Qwen3-0.6B", "head@Qwen3-4B[rank=16]", "head@Qwen3-4B[rank=8]"]
    assert sorted(row["name"] for row in rows_of(tmp_path)[0]["rows"]) == names
    for name in names[1:]:
        assert pairs(tmp_path, name, "bert")[0][:2] == (name, "bert")
    by_slug = pairs(tmp_path, "head@Qwen/Qwen3-4B[rank=16]", "bert")
    assert by_slug == pairs(tmp_path, "head@Qwen3-4B[rank=16]", "bert")
    (group,) = rows_of(tmp_path, "head@Qwen3-0.6B[seed=1]", small.cell[:8])
    assert [row["seeds"] for row in group["rows"]] == [[1], [0]]
    assert group["rows"][0]["name"] == "head@Qwen3-0.6B[seed=1]"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["head", "bert"], "'head' may be any of 2 rows; write 'head[rank=16]', 'head[rank=8]'"),
        (["haed", "bert"], "unknown row 'haed'; did you mean 'head'?"),
        (["head[rnk=8]", "bert"], "unknown setting of head 'rnk'; did you mean 'rank'?"),
        (["head[rank=80]", "bert"], "unknown value of rank '80'; did you mean '8'?"),
        (["head[seed=3]", "bert"], "unknown value of seed '3'; valid: '0'"),
        (["head@Qwen", "bert"], "unknown model of head 'Qwen'; there is none"),
        (["head[rank]", "bert"], "'head[rank]': write METHOD, METHOD@MODEL or METHOD[key=value, …]"),
        (["bert", "bert"], "tickets: 'bert' is named twice"),
        (["bert", "slow"], "slow on tickets has no finished cell (timeout: it took too much); run it again with"),
        (["-t", "ticket"], "unknown task 'ticket'; did you mean 'tickets'?"),
        (["--metric", "micro_f2"], "unknown metric 'micro_f2'; did you mean 'micro_f1'?"),
        (["--metric", "p@5", "bert", "head[rank=8]"], "p@5 needs a ranking"),
    ],
)
def test_the_users_mistakes_are_one_line(tmp_path: Path, words: list[str], message: str) -> None:
    write_cell(tmp_path, "head", settings={"rank": 8})
    write_cell(tmp_path, "head", settings={"rank": 16})
    write_cell(tmp_path, "bert", wrong=0.3)
    write_cell(tmp_path, "slow", status="timeout")
    with pytest.raises(UserError) as caught:
        run(tmp_path, *words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_without_a_finished_cell_are_left_out_by_name(tmp_path: Path) -> None:
    write_cell(tmp_path, "one")
    write_cell(tmp_path, "two", wrong=0.3)
    write_cell(tmp_path, "two", wrong=0.3, seed=1, status="oom")
    write_cell(tmp_path, "slow", status="timeout")
    done = CliRunner().invoke(app, ["compare", "--out", str(tmp_path), "--resamples", "200"])
    assert "left out, without a finished cell: slow on tickets (timeout)" in done.stderr
    assert "two (1 of 2 seeds)" in done.stdout


def test_lost_predictions_trials_and_empty_stores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no records there"):
        run(tmp_path)
    one = write_cell(tmp_path, "one")
    with pytest.raises(UserError, match="no task has two rows"):
        run(tmp_path)
    write_cell(tmp_path, "two", wrong=0.3)
    (Store(tmp_path).folder(one.cell) / PREDICTIONS).unlink()
    with pytest.raises(UserError, match=rf"cell {one.cell} \(one on tickets\): its predictions are missing; copy"):
        run(tmp_path)
    write_cell(tmp_path, "three", judged_on="validation")
    with pytest.raises(UserError, match="trials of `bench tune`"):
        run(tmp_path)


def test_other_test_documents_are_refused(tmp_path: Path) -> None:
    write_cell(tmp_path, "one")
    write_cell(tmp_path, "two", fingerprint="e" * 16, prefix="x")
    with pytest.raises(UserError, match=r"not of the same test documents: 'd0' is only in .*; run both on the same"):
        run(tmp_path, "one", "two")


def test_sizes_of_a_task_are_compared_apart_and_across_when_named(tmp_path: Path) -> None:
    for size, wrong in ((50, 0.4), (None, 0.1)):
        settings = {"train_documents": size}
        write_cell(tmp_path, "one", task_settings=settings, fingerprint=f"{size}", wrong=wrong)
        write_cell(tmp_path, "two", task_settings=settings, fingerprint=f"{size}", wrong=wrong + 0.1)
    assert len(pairs(tmp_path)) == 2
    assert "tickets (train_documents=50)" in run(tmp_path, "one", "two")
    assert pairs(tmp_path, "one[train_documents=50]", "one[train_documents=all]")[0][2] == "worse"


def test_random_weights_and_hostile_names_are_told(tmp_path: Path) -> None:
    write_cell(tmp_path, "one", from_scratch=True)
    write_cell(tmp_path, "two", settings={"prompt": "a\u202eb\n\x1b[31m<script>" + "é" * 200}, wrong=0.3)
    write_cell(tmp_path, "two", settings={"prompt": "plain"}, wrong=0.3)
    shown = run(tmp_path)
    assert "one *" in shown
    assert "* random weights (from scratch)" in shown
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) < 220
