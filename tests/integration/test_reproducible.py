"""The same cell gives the same bytes, whatever runs beside it and in whatever order."""

import json

import pytest
from commands import PLUGINS, call


def predictions(out):
    return {path.parent.name: path.read_bytes() for path in out.glob("cells/*/predictions.parquet")}


def test_order_and_jobs_change_nothing(tmp_path):
    tasks, methods = ["small-single", "small-multi"], ["chance", "emitter", "tfidf"]

    def run(out, jobs, order):
        words = ["run", "--plugins", PLUGINS / "small.py", "--jobs", jobs, "--out", out]
        for task in tasks[::order]:
            words += ["-t", task]
        for method in methods[::order]:
            words += ["-m", method]
        assert call(*words).code == 0
        return predictions(out)

    one, two = run(tmp_path / "one", 1, 1), run(tmp_path / "two", 2, -1)
    assert len(one) == 6
    assert one == two


@pytest.mark.slow
def test_the_ci_suite_is_bit_equal_in_any_order(tmp_path):
    """Every method of the suite, fine-tuned ones too, on few documents."""
    few = [f"--set={split}_documents={n}" for split, n in (("train", 32), ("validation", 12), ("test", 16))]
    methods = ["prior", "tfidf", "bert", "embedding-head", "instruction-tuning"]

    def run(out, jobs, order):
        words = ["run", "--suite", "ci", "-t", "synthetic-wipo", *few, "--set=epochs=1", "--set=max_tokens=32"]
        words += ["--jobs", jobs, "--out", out]
        for method in methods[::order]:
            words += ["-m", method]
        done = call(*words)
        assert done.code == 0, done.err
        return predictions(out)

    one, two = run(tmp_path / "one", 1, 1), run(tmp_path / "two", 2, -1)
    assert len(one) == 5
    assert one == two


def test_metrics_can_be_computed_again_from_the_predictions(tmp_path):
    import numpy as np

    from bench.metrics.evaluate import evaluate
    from bench.predictions_file import read_predictions
    from bench.task import LabelSpace

    call("run", "-t", "small-multi", "-m", "words", "--plugins", PLUGINS / "small.py", "--out", tmp_path)
    record = json.loads(call("results", "--out", tmp_path, "--json").out)[0]
    import pyarrow.parquet as pq

    folder = tmp_path / "cells" / record["cell"]
    test = read_predictions(folder / "predictions.parquet")["test"]
    counts = np.asarray(pq.read_table(folder / "labels.parquet").column("train"))
    names = tuple(f"{family}::{n}" for family in "pq" for n in range(3))
    space = LabelSpace(names, tuple((name[0],) for name in names))
    again = evaluate(test.gold, test.predicted, test.ranking, space, counts, 60, "multi")
    assert again.metrics == record["metrics"]


def test_the_threshold_comes_from_the_validation_documents(tmp_path):
    from bench.metrics.thresholds import choose_threshold, decide
    from bench.predictions_file import read_predictions

    words = ("run", "-t", "small-multi", "-m", "words", "--plugins", PLUGINS / "small.py", "--out", tmp_path, "--json")
    (record,) = json.loads(call(*words).out)
    splits = read_predictions(tmp_path / "cells" / record["cell"] / "predictions.parquet")
    validation, test = splits["validation"], splits["test"]
    threshold = record["decision"]["threshold"]
    assert threshold == choose_threshold(validation.gold, validation.ranking)
    assert threshold != choose_threshold(test.gold, test.ranking)
    assert (test.predicted != decide(test.ranking, "multi", threshold)).nnz == 0


def test_every_cell_has_the_same_surroundings(tmp_path, monkeypatch):
    """Offline, with the threads asked for, and with one order of sets and dictionaries of strings."""
    words = ("run", "-t", "small-single", "-m", "surroundings", "--plugins", PLUGINS / "small.py", "--threads", "2")
    told = ("text_hash", "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "GOMP_SPINCOUNT")

    def surroundings(name):
        facts = json.loads(call(*words, "--out", tmp_path / name, "--json").out)[0]["facts"]
        return {fact: facts[fact] for fact in told}

    monkeypatch.delenv("HF_HUB_OFFLINE")
    one, two = surroundings("one"), surroundings("two")
    assert one == two
    assert [one[name] for name in told[1:]] == ["1", "2", "1000"]
