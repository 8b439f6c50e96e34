"""Test documents beside the results: whole, once, and without texts where these are to stay out."""

import os

import pyarrow.parquet as pq
import pytest
from stored_cells import documents, frozen, keep_documents, task

from bench.collection import FILE, keep_collections, kept_in, read_collection
from bench.store import Store

HOSTILE = ["<script>alert('x')</script>", "עברית \u202e", "🙂\nnew line", "two  words"]


@pytest.fixture
def data():
    return task(documents([[0], [1], [1], [0]], HOSTILE), 2, names=("<b>", 'quo"te'), train=[[0]] * 3000)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


def folder(store, data):
    return store.root / "documents" / data.fingerprint()


def test_test_documents_come_back_as_they_were(store, data, tmp_path):
    keep_documents(store, data, tmp_path)
    found = read_collection(store, data.fingerprint())
    assert found.labels == data.labels.names
    assert found.ancestors is None
    assert dict(found.texts) == dict(zip(data.test.ids, HOSTILE, strict=True))
    assert found.words == {"d0": 1, "d1": 2, "d2": 3, "d3": 2}
    assert found.characters == {id_: len(text) for id_, text in zip(data.test.ids, HOSTILE, strict=True)}
    table = pq.read_table(folder(store, data) / FILE)
    assert table.column("labels").to_pylist() == [[0], [1], [1], [0]]


def test_no_training_or_validation_text_is_kept(store, data, tmp_path):
    keep_documents(store, data, tmp_path)
    assert pq.read_table(folder(store, data) / FILE).column("id").to_pylist() == ["d0", "d1", "d2", "d3"]


def test_without_texts(store, data, tmp_path):
    keep_documents(store, data, tmp_path, "ids")
    found = read_collection(store, data.fingerprint())
    assert not found.texts
    assert found.words["d2"] == 3
    written = b"".join(path.read_bytes() for path in folder(store, data).iterdir())
    assert b"script" not in written
    assert kept_in(folder(store, data)) == "ids"


def test_texts_go_where_they_are_to_be_kept_out_and_come_where_only_ids_were_kept(store, data, tmp_path):
    for keep, texts in (("texts", 4), ("ids", 0), ("texts", 4)):
        keep_documents(store, data, tmp_path, keep)
        assert len(read_collection(store, data.fingerprint()).texts) == texts


def test_what_is_there_is_not_written_again(store, data, tmp_path):
    keep_documents(store, data, tmp_path)
    before = (folder(store, data) / FILE).stat().st_ino
    keep_documents(store, data, tmp_path)
    assert (folder(store, data) / FILE).stat().st_ino == before


@pytest.mark.parametrize("name", [FILE, "labels.json"])
def test_what_is_damaged_is_written_again(store, data, tmp_path, name):
    keep_documents(store, data, tmp_path)
    os.truncate(folder(store, data) / name, 5)
    with pytest.raises(ValueError, match=r"not the documents|Expecting|Parquet|Unterminated"):
        read_collection(store, data.fingerprint())
    keep_documents(store, data, tmp_path)
    assert len(read_collection(store, data.fingerprint()).texts) == 4


def test_a_write_that_fails_leaves_nothing(store, data, tmp_path, monkeypatch):
    task_folder = frozen(data, tmp_path)

    def full(*_args, **_kwargs):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="no space"):
        keep_collections([task_folder], store, "texts")
    assert list((store.root / "documents").iterdir()) == []


def test_what_an_interrupted_write_left_is_removed(store, data, tmp_path):
    (store.root / "documents" / ".abc.1234.tmp").mkdir(parents=True)
    keep_documents(store, data, tmp_path)
    assert [path.name for path in (store.root / "documents").iterdir()] == [data.fingerprint()]


@pytest.mark.parametrize("name", ["../../etc", "/etc", ".hidden", "a/b"])
def test_a_record_names_no_folder_elsewhere(store, name):
    with pytest.raises(ValueError, match="no fingerprint"):
        read_collection(store, name)


def test_none_there(store):
    with pytest.raises(FileNotFoundError):
        read_collection(store, "f" * 32)
