"""What is missing or damaged is not at hand; what is at hand is read once, and not all of it is held."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored_cells import documents, keep_cell, keep_documents, one_hot, task

from bench.predictions_file import read_predictions, write_predictions
from bench.store import LABELS, PREDICTIONS, Store
from report.evidence import Evidence
from report.recent import Recent


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


@pytest.fixture
def data():
    return task(documents([[0], [1], [2], [0]]), 3, train=[[0], [0], [1]])


def test_predictions_labels_and_documents(store, data, tmp_path):
    record = keep_cell(store, data, one_hot([0, 1, 1, 1], 3))
    keep_documents(store, data, tmp_path)
    evidence = Evidence(store)
    assert list(evidence.judged(record).split.ids) == data.test.ids
    assert evidence.judged(record) is evidence.judged(record)
    assert evidence.label_table(record).train.tolist() == [2, 1, 0]
    assert evidence.label_table(record).counts.true_positive.tolist() == [1, 1, 0]
    assert evidence.collection(record).texts["d2"] == "text of d2"
    assert evidence.collection(record) is evidence.collection(record)
    assert evidence.validation(record) is None


@pytest.mark.parametrize("evidence", [Evidence(), Evidence(Store(Path("/nowhere")))])
def test_nothing_at_hand(evidence, store, data):
    record = keep_cell(store, data, one_hot([0, 1, 1, 1], 3))
    assert evidence.judged(record) is None
    assert evidence.label_table(record) is None
    assert evidence.collection(record) is None
    assert evidence.validation(record) is None


def shorter_counts(folder):
    pq.write_table(pq.read_table(folder / LABELS).slice(0, 2), folder / LABELS)


def unknown_label(folder):
    part = read_predictions(folder / PREDICTIONS)["test"]
    part.ranking.labels[0, 0] = 99
    write_predictions(folder / PREDICTIONS, {"test": part})


def other_columns(folder):
    table = pq.read_table(folder / PREDICTIONS)
    place = table.column_names.index("gold")
    pq.write_table(table.set_column(place, "gold", pa.array(["x"] * table.num_rows)), folder / PREDICTIONS)


def no_metadata(folder):
    pq.write_table(pq.read_table(folder / PREDICTIONS).replace_schema_metadata(None), folder / PREDICTIONS)


DAMAGE = {
    "no predictions": lambda folder: (folder / PREDICTIONS).unlink(),
    "no counts": lambda folder: (folder / LABELS).unlink(),
    "half a file": lambda folder: os.truncate(folder / PREDICTIONS, 100),
    "no parquet": lambda folder: (folder / PREDICTIONS).write_bytes(b"nonsense"),
    "counts of fewer labels": shorter_counts,
    "a label that there is not": unknown_label,
    "columns of another type": other_columns,
    "no number of labels": no_metadata,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_predictions_are_not_at_hand(store, data, damage):
    record = keep_cell(store, data, one_hot([0, 1, 1, 1], 3))
    damage(store.folder(record.cell))
    assert Evidence(store).judged(record) is None


def test_counts_that_cannot_be(store, data):
    record = keep_cell(store, data, one_hot([0, 1, 1, 1], 3))
    path = store.folder(record.cell) / LABELS
    pq.write_table(pa.table({name: [9, 1, 1] if name == "true_positive" else [1, 1, 1]
                             for name in ("train", "support", "predicted", "true_positive")}), path)  # fmt: skip
    assert Evidence(store).label_table(record) is None


def test_damaged_documents_are_not_at_hand(store, data, tmp_path):
    record = keep_cell(store, data, one_hot([0, 1, 1, 1], 3))
    keep_documents(store, data, tmp_path)
    (store.root / "documents" / data.fingerprint() / "labels.json").write_text('{"names": 3, "ancestors": null}')
    assert Evidence(store).collection(record) is None


def test_not_all_predictions_are_held():
    made = []
    recent = Recent(most=2_500, size=lambda value: value.nbytes)

    def get(key):
        return recent.get(key, lambda: made.append(key) or np.zeros(1_000, dtype=np.int8))

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]  # b was not asked for the longest when c came


def test_what_is_larger_than_the_limit_is_given_all_the_same():
    recent = Recent(most=10, size=len)
    assert recent.get("a", lambda: "x" * 100) == "x" * 100
    assert recent.get("b", lambda: "y" * 100) == "y" * 100
