"""A cell of ``frozen``, the same with what the first one kept, and its model in a process of its own."""

import json

import numpy as np
import pytest
from commands import call
from saved_cells import Cell

pytestmark = pytest.mark.slow

LIMITS = ("train_documents=32", "validation_documents=12", "test_documents=40", "labels=7")
SETS = [*(f"synthetic-wipo.{limit}" for limit in LIMITS), "frozen.max_tokens=32"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The cell with an empty cache of embeddings, and again."""
    return [ran(tmp_path_factory.mktemp("run")) for _ in range(2)]


def ran(out):
    options = [part for word in SETS for part in ("--set", word)]
    words = ("-t", "synthetic-wipo", "-m", "frozen", "--model", "embedded-decoder", "--threads", "1", "--save-models")
    done = call("run", *words, *options, "--out", out, "--json")
    assert done.code == 0, done.err
    (record,) = json.loads(done.out)
    return Cell(out, record)


def test_a_second_run_is_equal_and_claims_no_training_speed(runs):
    cold, warm = runs
    assert cold.record["cell"] == warm.record["cell"]
    assert cold.record["predictions"] == warm.record["predictions"]
    for split, documents in (("train", 32), ("validate", 12)):
        facts = [run.record["facts"][f"embeddings_{split}"] for run in runs]
        assert [fact["from_cache"] for fact in facts] == [0, documents]
        assert facts[0]["seconds"] == facts[1]["seconds"] > 0
    speeds = [run.record["documents_per_second"] for run in runs]
    assert speeds[0]["train"] > 0
    assert speeds[1]["train"] is None
    assert min(speed["predict"] for speed in speeds) > 0
    assert "train" not in warm.record["speed"]


def test_its_model_labels_documents_in_a_fresh_process(runs, tmp_path):
    one = runs[0]
    given = one.write_csv(tmp_path / "in.csv")
    done = call("predict", one.record["cell"], "--input", given, "--output", tmp_path / "out.jsonl", "--out", one.out)
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [sorted(row["labels"]) for row in rows] == list(map(sorted, one.labels()))
    best = np.float32([row["scores"][0] for row in rows])
    np.testing.assert_allclose(best, one.predictions.ranking.scores[:, 0], atol=1e-4)


def test_its_size_is_known_beforehand(runs):
    words = ("-t", "synthetic-wipo", "-m", "frozen", "--model", "embedded-decoder", "--device", "cpu")
    done = call("estimate", *words, *(part for word in SETS for part in ("--set", word)), "--json")
    assert done.code == 0, done.err
    parameters = runs[0].record["facts"]["parameters"]
    assert str(parameters["trainable"]) in done.out
    assert str(parameters["total"]) in done.out
