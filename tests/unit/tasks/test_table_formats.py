"""What is in a file is the task, whatever format the file is in."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_tables import QUEUES, all_labels, load, tickets, write_csv

from bench.reading import delimited
from tasks.table import TableSettings, TableTask


def write_jsonl(path, rows, encoding="utf-8", end="\n"):
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + end for row in rows).encode(encoding))
    return path


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    return path


def write_json(path, rows):
    path.write_text(json.dumps(rows))
    return path


WRITERS = {
    "comma.csv": write_csv,
    "semicolon.csv": lambda path, rows: write_csv(path, rows, delimiter=";"),
    "tab.csv": lambda path, rows: write_csv(path, rows, delimiter="\t"),
    "bar.csv": lambda path, rows: write_csv(path, rows, delimiter="|"),
    "unix.csv": lambda path, rows: write_csv(path, rows, lineterminator="\n"),
    "mac.csv": lambda path, rows: write_csv(path, rows, lineterminator="\r"),
    "windows.csv": lambda path, rows: write_csv(
        path, [{k: v.replace("\n", "\r\n") if isinstance(v, str) else v for k, v in row.items()} for row in rows]
    ),
    "all-quoted.csv": lambda path, rows: write_csv(path, rows, quoting=1),
    "mark.csv": lambda path, rows: write_csv(path, rows, "utf-8-sig"),
    "utf-16.csv": lambda path, rows: write_csv(path, rows, "utf-16"),
    "utf-32.csv": lambda path, rows: write_csv(path, rows, "utf-32"),
    "latin-1.csv": lambda path, rows: write_csv(path, rows, "latin-1"),
    "tabs.tsv": lambda path, rows: write_csv(path, rows, delimiter="\t"),
    "lines.jsonl": write_jsonl,
    "windows.jsonl": lambda path, rows: write_jsonl(path, rows, end="\r\n"),
    "mark.jsonl": lambda path, rows: write_jsonl(path, rows, "utf-8-sig"),
    "utf-16.ndjson": lambda path, rows: write_jsonl(path, rows, "utf-16"),
    "latin-1.jsonl": lambda path, rows: write_jsonl(path, rows, "latin-1"),
    "lines.json": write_jsonl,
    "list.json": write_json,
    "table.parquet": write_parquet,
}


@pytest.mark.parametrize("settings", [{}, {"id": "id"}], ids=["hashed", "given"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_fingerprint_does_not_tell_the_format(tmp_path, name, settings):
    reference = load(write_jsonl(tmp_path / "reference.jsonl", tickets()), **settings)
    assert load(WRITERS[name](tmp_path / name, tickets()), **settings).fingerprint() == reference.fingerprint()


@pytest.mark.parametrize("name", ["comma.csv", "tabs.tsv", "lines.jsonl", "list.json", "table.parquet"])
def test_labels_that_are_whole_numbers_are_words(tmp_path, name):
    rows = [{**row, "label": QUEUES.index(row["label"])} for row in tickets()]
    data = load(WRITERS[name](tmp_path / name, rows))
    assert data.labels.names == ("0", "1", "2")
    words = [{**row, "label": str(row["label"])} for row in rows]
    assert data.fingerprint() == load(write_jsonl(tmp_path / "words.jsonl", words)).fingerprint()


@pytest.mark.parametrize("name", ["lines.jsonl", "list.json", "table.parquet"])
def test_a_list_of_labels_is_a_cell_with_a_separator(tmp_path, name):
    lists = [{**row, "label": [QUEUES[i % 3], *(["rush"] if i % 2 else [])]} for i, row in enumerate(tickets())]
    words = [{**row, "label": " ; ".join(row["label"])} for row in lists]
    listed = load(WRITERS[name](tmp_path / name, lists))
    parted = load(write_csv(tmp_path / "parted.csv", words), separator=";")
    assert listed.kind == parted.kind == "multi"
    assert listed.fingerprint() == parted.fingerprint()


def test_no_cell_of_a_csv_file_is_taken_for_a_number_or_for_nothing(tmp_path):
    words = ("007", "7", "1.0", "1", "NA", "NaN", "null", "None", "true", "True", "1e5", "2024-01-01", "-", "0x1F")
    rows = [{"text": f"{word} number {i}", "label": word} for i in range(4) for word in words]
    assert set(load(write_csv(tmp_path / "words.csv", rows)).labels.names) == set(words)
    texts = [{"text": word, "label": "ab"[i % 2]} for i, word in enumerate(words * 2)]
    found = load(write_csv(tmp_path / "texts.csv", texts))
    assert {text for _, documents in found.splits() for text in documents.texts} == set(words)


def test_the_delimiter_is_the_one_that_parts_the_needed_columns(tmp_path):
    rows = [{"a,b,c": "x,y", "text": f"one, two, {i}", "label": "ab"[i % 2]} for i in range(20)]
    assert len(load(write_csv(tmp_path / "t.csv", rows, delimiter=";", quoting=0)).labels) == 2
    named = load(write_csv(tmp_path / "u.csv", rows, delimiter="^"), delimiter="^")
    assert len(named.labels) == 2
    assert TableSettings(delimiter="bar").delimiter == "|"


def test_quotes_can_be_letters(tmp_path):
    lines = [f'"Great" pen, said {i}\t{"good" if i % 2 else "bad"}' for i in range(20)]
    (tmp_path / "t.tsv").write_text("text\tlabel\n" + "\n".join(lines))
    data = load(tmp_path / "t.tsv", quoting="none")
    assert '"Great" pen, said 3' in all_labels(data)


def test_a_guess_of_the_encoding_is_told(tmp_path):
    path = write_csv(tmp_path / "t.csv", tickets(), "latin-1")
    data = load(path)
    assert any("cp1252" in line and "encoding=" in line for line in data.remarks)
    assert not load(path, encoding="latin-1").remarks
    assert not load(write_csv(tmp_path / "u.csv", tickets())).remarks


def test_a_guess_for_lines_in_a_json_file_is_one_guess(tmp_path):
    (line,) = load(write_jsonl(tmp_path / "t.json", tickets(), "latin-1")).remarks
    assert line.startswith(f"{tmp_path / 't.json'} not in UTF-8, read as cp1252")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le café où j’étais coûte très cher, n’est-ce pas"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, děkuji vám"),
        ("cp1251", "Не работает принтер в офисе, прошу помочь"),
    ],
)
def test_encodings_are_guessed_by_their_letters(tmp_path, encoding, text):
    rows = [{"text": f"{text} {i}", "label": "ab"[i % 2]} for i in range(20)]
    data = load(write_csv(tmp_path / "t.csv", rows, encoding))
    assert f"{text} 7" in all_labels(data)


def test_letters_after_a_megabyte_of_ascii_count(tmp_path):
    rows = [{"text": f"{i} " + "plain " * 2000, "label": "ab"[i % 2]} for i in range(100)]
    rows[-1]["text"] = "voilà, un café très noir à la fin"
    data = load(write_csv(tmp_path / "t.csv", rows, "cp1252"))
    assert rows[-1]["text"] in all_labels(data)


def test_cells_of_megabytes_are_taken_and_longer_ones_refused(tmp_path, monkeypatch):
    import csv

    csv.field_size_limit(before := 131_072)
    rows = [*tickets(), {"id": "long", "text": "word " * 2_000_000, "label": "billing"}]
    data = load(write_csv(tmp_path / "t.csv", rows))
    assert max(len(text) for text in all_labels(data)) == 10_000_000
    assert csv.field_size_limit() == before
    monkeypatch.setattr(delimited, "LONGEST_CELL", 1_000_000)
    with pytest.raises(Exception, match=r"t.csv, row 32: a cell of over 1,000,000 characters"):
        load(tmp_path / "t.csv")


def test_blank_rows_are_counted_and_keep_the_rows_numbers(tmp_path):
    (tmp_path / "t.csv").write_text(
        "\ntext,label\n\n" + "\n".join(f"text {i},{'ab'[i % 2]}" for i in range(20)) + "\n,\n"
    )
    assert load(tmp_path / "t.csv", missing="skip").skipped == {"blank row": 1, "row without text": 1}
    with pytest.raises(Exception, match="row 24: no text"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_file_may_begin_with_many_blank_lines(tmp_path, delimiter):
    path = write_csv(tmp_path / "t.csv", tickets(), delimiter=delimiter)
    reference = load(path).fingerprint()
    path.write_bytes(b"\r\n" * 5000 + path.read_bytes())
    assert load(path).fingerprint() == reference


@pytest.mark.parametrize("name", ["comma.csv", "lines.jsonl"])
def test_bad_rows_can_be_left_out(tmp_path, name):
    path = WRITERS[name](tmp_path / name, tickets())
    bad = "a,b\nx,y,z,\na,b,c,d\n" if name == "comma.csv" else '{"text"\n[1]\n3\n'
    path.write_text(path.read_text() + bad)
    data = load(path, on_bad_rows="skip")
    assert sum(data.skipped.values()) == 3
    assert data.fingerprint() == load(WRITERS[name](tmp_path / f"good-{name}", tickets())).fingerprint()


@pytest.mark.parametrize("name", ["comma.csv", "lines.jsonl", "table.parquet"])
def test_further_files_are_splits(tmp_path, name):
    rows = tickets(60)
    train, dev, test = (WRITERS[name](tmp_path / f"{i}-{name}", rows[20 * i : 20 * i + 20]) for i in range(3))
    data = load(train, validation=str(dev), test=str(test), id="id")
    assert [data.train.ids, data.validation.ids, data.test.ids] == [
        [row["id"] for row in rows[20 * i : 20 * i + 20]] for i in range(3)
    ]
    held = load(train, test=str(test), id="id")
    assert set(held.train.ids) | set(held.validation.ids) == set(data.train.ids)
    assert held.test == data.test


def test_numbers_in_one_file_are_the_words_of_another(tmp_path):
    rows = [{**row, "label": QUEUES.index(row["label"])} for row in tickets(40)]
    train, test = write_jsonl(tmp_path / "train.jsonl", rows[:30]), write_csv(tmp_path / "test.csv", rows[30:])
    data = load(train, test=str(test))
    words = write_csv(tmp_path / "train.csv", rows[:30])
    assert data.fingerprint() == load(words, test=str(test)).fingerprint()
    lists = write_jsonl(tmp_path / "lists.jsonl", [{**row, "label": [row["label"]]} for row in rows[30:]])
    with pytest.raises(Exception, match="holds a list of whole number here and a whole number in"):
        load(train, test=str(lists))


def test_the_shares_are_of_the_documents_without_a_split(tmp_path):
    train, test = write_csv(tmp_path / "train.csv", tickets(100)), write_csv(tmp_path / "test.csv", tickets(50))
    data = load(train, test=str(test), validation_share=0.3)
    assert len(data.validation) == pytest.approx(30, abs=3)
    assert len(load(train, validation=str(test), test_share=0.3).test) == pytest.approx(30, abs=3)


def test_the_home_folder_is_spelt_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write_csv(tmp_path / "t.csv", tickets())
    here = TableTask(TableSettings(path="~/t.csv"))
    assert here.load().fingerprint() == load(path).fingerprint()
    assert here.stamp() == TableTask(TableSettings(path=str(path))).stamp()
    assert "~nobody-of-that-name" in TableTask(TableSettings(path="~nobody-of-that-name/t")).availability().reason


def test_a_column_that_first_comes_late_in_json_lines_is_there(tmp_path):
    rows = tickets(300)
    rows[299]["thread"] = "one"
    path = write_jsonl(tmp_path / "t.jsonl", rows)
    with pytest.raises(Exception, match="line 1: column 'thread' is empty"):
        load(path, group="thread")


def folder_of(root, rows):
    for row in rows:
        file = root / row.get("split", "") / row["label"] / f"{row['id']}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(row["text"].encode(row.get("encoding", "utf-8")))
    return root


def test_a_folder_of_texts(tmp_path):
    root = folder_of(tmp_path / "texts", [{**row, "encoding": "cp1252"} for row in tickets()])
    (root / "billing" / "notes.md").write_text("no text of the task")
    (root / "README.md").write_text("nor this")
    (root / "urls.txt").write_text("whose label?")
    (root / ".git").mkdir()
    (root / ".git" / "x.txt").write_text("nor this")
    data = load(root)
    assert all_labels(data) == {row["text"]: [row["label"]] for row in tickets()}
    assert data.skipped == {"file in a label's folder that is no .txt": 1, "text in no folder of a label": 1}
    assert any("30 files not in UTF-8" in line for line in data.remarks)
    assert "billing/t3.txt" in {i for _, documents in load(root, id="file").splits() for i in documents.ids}


def test_a_folder_of_splits(tmp_path):
    rows = [{**row, "split": ("train", "train", "dev", "test")[i // 8]} for i, row in enumerate(tickets(32))]
    data = load(folder_of(tmp_path / "texts", rows))
    assert [len(part) for _, part in data.splits()] == [16, 8, 8]
    assert set(data.test.texts) == {row["text"] for row in rows if row["split"] == "test"}
    assert data.labels.names == QUEUES


def test_a_text_beside_the_labels_of_a_split_makes_no_labels_of_the_splits(tmp_path):
    rows = [{**row, "split": ("train", "train", "dev", "test")[i // 8]} for i, row in enumerate(tickets(32))]
    reference = load(folder_of(tmp_path / "good", rows))
    root = folder_of(tmp_path / "texts", rows)
    (root / "train" / "urls.txt").write_text("whose label?")
    data = load(root)
    assert data.fingerprint() == reference.fingerprint()
    assert data.skipped == {"file in a split's folder without a label": 1}


def test_labels_can_be_called_as_splits_are(tmp_path):
    rows = [{**row, "label": ("test", "dev")[i % 2]} for i, row in enumerate(tickets())]
    data = load(folder_of(tmp_path / "texts", rows))
    assert data.labels.names == ("dev", "test")
    assert not data.skipped


def test_links_to_folders_are_followed(tmp_path):
    root = folder_of(tmp_path / "texts", tickets())
    reference = load(root)
    (root / "billing").rename(tmp_path / "elsewhere")
    (root / "billing").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert load(root).fingerprint() == reference.fingerprint()


def test_folders_within_folders_are_levels(tmp_path):
    rows = [{**row, "label": f"{'it' if i % 3 else 'office'}/{row['label']}"} for i, row in enumerate(tickets())]
    data = load(folder_of(tmp_path / "texts", rows), level_separator="/")
    assert data.labels.names == ("it/network", "it/printer", "office/billing")
    assert data.labels.ancestors == (("it",), ("it",), ("office",))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Saved datasets of one content: alone, in splits, with class numbers, with lists of them."""
    from datasets import ClassLabel, Dataset, DatasetDict, Sequence

    root = tmp_path_factory.mktemp("saved")
    rows = tickets(40)
    plain = Dataset.from_list(rows)
    plain.save_to_disk(root / "plain")
    numbers = [{**row, "label": QUEUES.index(row["label"])} for row in rows]
    classes = ClassLabel(names=list(QUEUES))
    Dataset.from_list(numbers).cast_column("label", classes).save_to_disk(root / "classes")
    Dataset.from_list([{**row, "label": [row["label"]]} for row in numbers]).cast_column(
        "label", Sequence(classes)
    ).save_to_disk(root / "lists")
    # Rows that were chosen by a list of positions, which lies beside the rows themselves.
    parts = {"train": plain.select(range(24)), "dev": plain.select(range(24, 32)), "test": plain.select(range(32, 40))}
    DatasetDict(parts).save_to_disk(root / "splits")
    DatasetDict({**parts, "unsupervised": plain.select([0, 1])}).save_to_disk(root / "more")
    unlabelled = [*numbers, {"id": "none", "text": "unlabelled", "label": -1}]
    Dataset.from_list(unlabelled).cast_column("label", classes).save_to_disk(root / "unlabelled")
    lists = [{**row, "label": [row["label"], -1]} for row in numbers]
    Dataset.from_list(lists).cast_column("label", Sequence(classes)).save_to_disk(root / "unlabelled-lists")
    return root


def test_saved_datasets(tmp_path, saved):
    reference = load(write_jsonl(tmp_path / "t.jsonl", tickets(40))).fingerprint()
    assert load(saved / "plain").fingerprint() == reference
    assert load(saved / "classes").fingerprint() == reference
    assert load(saved / "lists").kind == "multi"
    assert load(saved / "lists").labels.names == QUEUES
    assert load(saved / "unlabelled", missing="skip").skipped == {"row without label": 1}
    assert load(saved / "unlabelled-lists").fingerprint() == load(saved / "lists").fingerprint()


def test_a_saved_dataset_in_splits(tmp_path, saved):
    data = load(saved / "splits", id="id")
    rows = tickets(40)
    assert [data.train.ids, data.validation.ids, data.test.ids] == [
        [row["id"] for row in part] for part in (rows[:24], rows[24:32], rows[32:])
    ]
    assert load(saved / "more", id="id").skipped == {"row of split 'unsupervised'": 2}
    with pytest.raises(Exception, match="has splits of its own"):
        load(saved / "splits", test=str(write_jsonl(tmp_path / "t.jsonl", rows)))
    with pytest.raises(Exception, match="has splits of its own; name no column, as 'id', for them"):
        load(saved / "splits", split="id")


def test_the_stamp_sees_a_change_of_any_file(tmp_path):
    root = folder_of(tmp_path / "texts", tickets())
    parents = write_csv(tmp_path / "parents.csv", [{"label": "network", "parent": "it"}])
    task = TableTask(TableSettings(path=str(root), parents=str(parents)))
    before = task.stamp()
    assert task.stamp() == before
    os.utime(root / "billing" / "t0.txt", ns=(1, 1))
    changed = task.stamp()
    assert changed != before
    parents.write_text(parents.read_text() + "printer,it\n")
    assert task.stamp() != changed


def test_without_a_file_it_says_what_to_do(tmp_path):
    state = TableTask().availability()
    assert not state.ok
    assert state.remedy == "bench run --data FILE --text COLUMN --label COLUMN"
    assert str(tmp_path / "none.csv") in TableTask(TableSettings(path=str(tmp_path / "none.csv"))).availability().reason
    assert TableTask.optional


def test_far_along_it_tells(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(100_001)))
    task = TableTask(TableSettings(path=str(tmp_path / "t.csv")))
    lines = []
    task.say = lines.append
    task.load()
    assert lines == [f"read 100,000 rows of {tmp_path / 't.csv'}"]
