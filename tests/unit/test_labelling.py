"""From scores and sets to rows of a file."""

import csv
import itertools
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.deciding import Rule
from bench.errors import UserError
from bench.labelled_file import Layout, new_table
from bench.labelling import Labelled, Labeller, parts
from bench.method import Context, Method, QuietInstruments
from bench.metrics.thresholds import decide
from bench.prediction import LabelSets, Scores, rank
from bench.reading.documents import Document
from bench.record import Decision
from bench.seeds import Seeds
from bench.task import TaskProfile


class Told(Method):
    """Predicts what it is told."""

    name = "told"

    def __init__(self, prediction):
        super().__init__()
        self.prediction = prediction

    def fit(self, *_):
        pass

    def predict(self, texts, context):
        return self.prediction


def labelled(prediction, kind, rule, top=0, documents=3, tmp_path=None):
    context = Context(TaskProfile("t", kind, 4, "micro_f1"), Seeds(0), "cpu", 1, tmp_path, QuietInstruments())
    labeller = Labeller(Told(prediction), context, rule, top)
    return labeller.label([Document(str(i), "text") for i in range(documents)]), labeller


SCORES = Scores(np.array([[0.1, 0.7, 0.3, 0.7], [-1, -2, -3, -4], [0.3, 0.2, 0.9, 0.5]], dtype=np.float32))


def test_one_label_is_the_best_of_equals_the_first():
    rows, _ = labelled(SCORES, "single", Rule(Decision(rule="argmax")), top=2)
    assert [row.labels for row in rows] == [[1], [0], [2]]
    assert [row.scores for row in rows] == [[0.7], [-1.0], [0.9]]
    assert rows[0].best == [(1, 0.7), (3, 0.7)]


@pytest.mark.parametrize("threshold", [-9.0, 0.0, 0.25, float(np.float32(0.3)), 9.0])
def test_sets_are_those_of_the_harness(threshold):
    rows, _ = labelled(SCORES, "multi", Rule(Decision(rule="global-threshold", threshold=threshold)))
    expected = decide(rank(SCORES), "multi", threshold)
    assert [sorted(row.labels) for row in rows] == [sorted(row.indices.tolist()) for row in expected]
    assert all(list(row.scores) == sorted(row.scores, reverse=True) for row in rows)


def test_a_label_far_down_may_be_taken_and_those_above_it_left_out():
    thresholds = np.array([0.05, 9, 0.2, 9], np.float32)
    rule = Rule(Decision(rule="label-thresholds", threshold=9.0), thresholds)
    rows, _ = labelled(SCORES, "multi", rule, top=2)
    assert [row.labels for row in rows] == [[1, 2, 0], [0], [2, 0]]
    assert [row.scores for row in rows] == [[0.7, 0.3, 0.1], [-1.0], [0.9, 0.3]]
    assert rows[0].best == [(1, 0.7), (3, 0.7)]


def test_so_many_labels_of_every_document():
    rows, _ = labelled(SCORES, "multi", Rule(Decision(rule="top-k", k=2)))
    assert [row.labels for row in rows] == [[1, 3], [0, 1], [2, 3]]


def test_emitted_sets_keep_their_order_and_their_problems_add_up():
    sets = LabelSets([[2, 0], [], [1, 1]], ["", "", ""], {"duplicates": 1})
    rows, labeller = labelled(sets, "multi", Rule(Decision(rule="emitted")))
    assert [(row.labels, row.scores) for row in rows] == [([2, 0], None), ([], None), ([1], None)]
    labeller.label([Document(str(i), "") for i in range(3)])
    assert labeller.problems == {"duplicates": 2}


def test_a_prediction_of_other_documents_is_refused():
    with pytest.raises(ValueError, match="zip"):
        labelled(SCORES, "single", Rule(Decision(rule="argmax")), documents=2)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_written_scores_are_the_very_scores(score):
    scores = Scores(np.array([[score, score - 1]], np.float32))
    rows, _ = labelled(scores, "single", Rule(Decision(rule="argmax")), documents=1)
    assert np.float32(json.loads(json.dumps(rows[0].scores))[0]) == np.float32(max(score, np.float32(score - 1)))


def test_parts_are_read_as_they_are_needed():
    endless = (Document(str(i), "x" * 10) for i in itertools.count())
    lengths = [len(part) for part in itertools.islice(parts(endless, most=7), 3)]
    assert lengths == [7, 7, 7]
    assert next(endless).id == "21"
    by_size = parts((Document(str(i), "x" * 10) for i in range(5)), most=7, characters=25)
    assert [len(part) for part in by_size] == [3, 2]


MULTI = Layout(("a", "b,c"), "multi", scored=True, top=1)
ROWS = [Labelled("1", [1, 0], [0.5, 0.25], [(1, 0.5)]), Labelled("2", [], [], [])]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_formats_hold_the_same(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    with new_table(path, MULTI, "; ") as write:
        write(MULTI.row(row) for row in ROWS[:1])
        write(MULTI.row(row) for row in ROWS[1:])
    assert [row["id"] for row in read(path)] == ["1", "2"]
    first, second = read(path)
    if suffix in {".csv", ".tsv"}:
        assert (first["labels"], first["scores"], first["best"], second["labels"]) == ("b,c; a", "0.5; 0.25", "b,c", "")
    else:
        assert (first["labels"], first["scores"], first["best"]) == (["b,c", "a"], [0.5, 0.25], ["b,c"])
        assert second["labels"] == []


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if path.suffix == ".tsv" else ","))


def test_columns_follow_the_kind(tmp_path):
    single = Layout(("a", "b"), "single", scored=True, top=0)
    assert single.row(Labelled("1", [1], [0.5], [])) == {"id": "1", "label": "b", "score": 0.5}
    emitted = Layout(("a", "b"), "single", scored=False, top=0)
    assert emitted.row(Labelled("1", [], None, [])) == {"id": "1", "label": None}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_what_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_text("old")
    with pytest.raises(RuntimeError), new_table(path, MULTI, "; ") as write:
        write([MULTI.row(ROWS[0])])
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "separator", "said"),
    [
        ("out.csv", ",", "'b,c' holds the separator"),
        ("out.csv", " , ", "'b,c'"),
        ("out.xlsx", "; ", "unknown extension"),
    ],
)
def test_what_could_not_be_read_back_is_refused(tmp_path, name, separator, said):
    with pytest.raises(UserError, match=said), new_table(tmp_path / name, MULTI, separator):
        pass
    assert not list(tmp_path.iterdir())
