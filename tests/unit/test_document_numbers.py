"""Documents without ids are called by where they stand in their file, whatever is left out."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.reading.documents import Documents
from bench.reading.settings import ReadingSettings
from bench.reading.source import Tally


def numbers(path, **settings):
    documents = Documents.of(path, ("text",), None, ReadingSettings(**settings), Tally())
    return {document.text: document.id for document in documents}


@pytest.mark.parametrize("header", ["text,more\n", "\n\ntext,more\n"])
def test_blank_and_skipped_rows_of_a_table_count(tmp_path, header):
    path = tmp_path / "in.csv"
    path.write_text(header + 'a,1\n\nb,"2\n2"\nc\nd,4\n')
    assert numbers(path, on_bad_rows="skip") == {"a": "1", "b": "3", "d": "5"}


def test_blank_and_skipped_lines_count(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n\nno json\n{"text": "b"}\n')
    assert numbers(path, on_bad_rows="skip") == {"a": "1", "b": "4"}


def test_items_rows_and_files(tmp_path):
    rows = [{"text": word} for word in "abc"]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    for word in "abc":
        (tmp_path / "folder" / "label").mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / "label" / f"{word}.txt").write_text(word)
    for name in ("in.json", "in.parquet", "folder"):
        assert numbers(tmp_path / name) == {"a": "1", "b": "2", "c": "3"}


def test_splits_of_a_saved_dataset_are_numbered_through(tmp_path):
    from datasets import Dataset, DatasetDict

    parts = {name: Dataset.from_dict({"text": [f"{name} {i}" for i in range(2)]}) for name in ("train", "odd", "test")}
    DatasetDict(parts).save_to_disk(tmp_path / "saved")
    assert numbers(tmp_path / "saved") == {"train 0": "1", "train 1": "2", "test 0": "5", "test 1": "6"}
