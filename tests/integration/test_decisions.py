"""The menu of rules that make label sets of scores, from a run to its predictions, its report and `bench predict`."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import PLUGINS, call
from saved_cells import run_cell

from bench.metrics.thresholds import choose_best, choose_label_thresholds, choose_threshold, decide, take_best
from bench.predictions_file import read_predictions

WORDS = ("run", "-t", "small-multi", "-t", "small-single", "-m", "words", "--plugins", PLUGINS / "small.py", "--json")
RULES = ("global-threshold", "label-thresholds", "top-k")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Rule → the store of a run with it."""
    out = {rule: tmp_path_factory.mktemp(rule) for rule in RULES}
    for rule, folder in out.items():
        done = call(*WORDS, "--out", folder, *(("--decision", rule) if rule != RULES[0] else ()))
        assert done.code == 0, done.err
    return out


def cell_of(store, task):
    """Record and folder of the cell of a task."""
    records = json.loads(call("results", "--out", store, "--json").out)
    (record,) = [record for record in records if record["task"] == task]
    return record, store / "cells" / record["cell"]


def test_every_rule_is_chosen_on_validation_documents(runs):
    record, folder = cell_of(runs["global-threshold"], "small-multi")
    splits = read_predictions(folder / "predictions.parquet")
    gold, ranking = splits["validation"].gold, splits["validation"].ranking
    threshold = choose_threshold(gold, ranking)
    assert record["decision"] == {"rule": "global-threshold", "threshold": threshold, "k": None}
    others = {name: other["decision"] for name, other in record["alternatives"].items()}
    assert others["label-thresholds"]["threshold"] == threshold
    assert others["top-k"]["k"] == choose_best(gold, ranking)
    stored = np.asarray(pq.read_table(folder / "labels.parquet").column("threshold"))
    assert (stored == choose_label_thresholds(gold, ranking, threshold)).all()
    test = splits["test"].ranking
    expected = {"label-thresholds": decide(test, "multi", stored), "top-k": take_best(test, others["top-k"]["k"])}
    for name, predicted in expected.items():
        found = 2 * predicted.multiply(splits["test"].gold).sum() / (predicted.nnz + splits["test"].gold.nnz)
        assert record["alternatives"][name]["metrics"]["micro_f1"] == pytest.approx(found)


@pytest.mark.parametrize("rule", RULES[1:])
def test_another_rule_is_another_cell_of_equal_scores(runs, rule):
    default, _ = cell_of(runs["global-threshold"], "small-multi")
    record, _ = cell_of(runs[rule], "small-multi")
    assert record["cell"] != default["cell"]
    assert record["decision"]["rule"] == rule
    assert set(record["alternatives"]) == set(RULES) - {rule}
    expected = default["alternatives"][rule]["metrics"]
    assert {name: record["metrics"][name] for name in expected} == expected
    assert record["metrics"]["p@1"] == default["metrics"]["p@1"]


def test_one_label_knows_no_other_rule(runs):
    cells = {cell_of(store, "small-single")[0]["cell"] for store in runs.values()}
    record, folder = cell_of(runs["top-k"], "small-single")
    assert len(cells) == 1
    assert record["decision"]["rule"] == "argmax"
    assert record["alternatives"] == {}
    assert "threshold" not in pq.read_table(folder / "labels.parquet").column_names


def test_an_unknown_rule_is_refused():
    done = call(*WORDS, "--decision", "top-l")
    assert done.code == 2
    assert "--decision" in done.err
    assert "top-k" in done.err


@pytest.mark.slow
def test_predicting_by_another_rule(tmp_path):
    cell = run_cell(tmp_path, "synthetic-wipo", "tfidf")
    given = cell.write_csv(tmp_path / "in.csv")
    words = ("predict", cell.record["cell"], "--input", given, "--out", cell.out)
    done = call(*words, "--output", tmp_path / "out.jsonl", "--decision", "label-thresholds")
    assert done.code == 0, done.err
    rows = [json.loads(line)["labels"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    thresholds = np.asarray(pq.read_table(cell.out / "cells" / cell.record["cell"] / "labels.parquet")["threshold"])
    expected = decide(cell.predictions.ranking, "multi", thresholds)
    assert [len(row) for row in rows] == np.diff(expected.indptr).tolist()
    refused = call(*words, "--output", tmp_path / "no.jsonl", "--decision", "argmax")
    assert refused.code == 2
    assert "decision" in refused.err
