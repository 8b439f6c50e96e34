"""What is wrong with a file is said with its file, its row and the remedy."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_tables import load, tickets, write_csv
from pydantic import ValidationError

from bench.errors import UserError
from bench.reading.source import LONGEST_CELL, Record
from bench.reading.text_folder import files_below
from bench.settings import resolve_settings
from tasks.table import TableSettings
from tasks.tabular.rows import RowReader
from tasks.tabular.settings import TabularSettings

GOOD = [{"text": f"text {i}", "label": "ab"[i % 2]} for i in range(20)]
HEAD = "text,label\na,b\n"


def csv_with(rows):
    return lambda path: write_csv(path, [*GOOD, *rows])


def jsonl_with(*lines):
    return lambda path: path.write_text("\n".join([*map(json.dumps, GOOD), *lines]) + "\n")


def text(content):
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def parquet_with(rows):
    return lambda path: pq.write_table(pa.Table.from_pylist([*GOOD, *rows]), path)


def cut_parquet(path):
    parquet_with([])(path)
    path.write_bytes(path.read_bytes()[:-20])


def nan_parquet(path):
    pq.write_table(pa.table({"text": [1.5, float("nan")], "label": ["a", "b"]}), path)


def bad_letters_parquet(path):
    texts = [f"text {i}".encode() for i in range(299)] + ["caf\xe9".encode("latin-1")]
    words = pa.array(texts, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": words, "label": ["ab"[i % 2] for i in range(300)]}), path)


def fifo_folder(path):
    (path / "a").mkdir(parents=True)
    os.mkfifo(path / "a" / "x.txt")


def nul_folder(path):
    (path / "a").mkdir(parents=True)
    (path / "a" / "x.txt").write_text("a" * 10_000 + "\0")


def circle_folder(path):
    (path / "a").mkdir(parents=True)
    (path / "a" / "x.txt").write_text("a text")
    (path / "a" / "up").symlink_to(path.parent, target_is_directory=True)


FAULTS = [
    # name, what writes it, settings, what is said
    ("t.csv", csv_with([]), {"label": "lable"}, r"unknown column of t.csv 'lable'; did you mean 'label'\?"),
    ("t.csv", csv_with([]), {"group": "zz"}, "unknown column of t.csv 'zz'; valid: 'label', 'text'"),
    ("t.csv", text("a\x1b[2J,b\nc,d\n"), {}, r"unknown column of t.csv 'text'; valid: 'a\\x1b\[2J', 'b'"),
    ("t.csv", text("text,label\n" + "a,one\nb,one\n" * 9), {}, "t.csv: the one label is 'one'; a task has two or more"),
    ("t.csv", text("id,text,label\n1,a,x\n,b,y\n"), {"id": "id"}, "t.csv, row 3: column 'id' is empty"),
    (
        "t.csv",
        text("id,text,label\n1,a,x\n2,b,y\n1,c,x\n"),
        {"id": "id"},
        "t.csv, row 4: id '1' is that of t.csv, row 2 too",
    ),
    ("t.csv", text("text,label\na,x\n,y\n"), {}, "t.csv, row 3: no text in column 'text'; fill it, or .* missing=skip"),
    ("t.csv", text("text,label\na,x\nb, \n"), {}, "t.csv, row 3: no label in column 'label'"),
    ("t.csv", text('text,label\n"a\nb",x\nc,"y\n'), {}, "t.csv, row 3: a quote opens a cell and none closes it"),
    (
        "t.csv",
        text('text,label\n"a" b,x\n'),
        {},
        "t.csv, row 2: text follows a closing quote; .* quoting=none$",
    ),
    ("t.csv", csv_with([]), {"test": "t.csv/x"}, "test t.csv/x: no such file or folder; cp FILE t.csv/x"),
    ("t.csv", text(HEAD + "c\0d,e\n"), {}, "t.csv: a binary file"),
    (
        "t.csv",
        text("text,label\n" + "a,b\n" * 3000 + "c\0d,e\n"),
        {},
        "t.csv, row 3002: a NUL character, as of a binary",
    ),
    (
        "t.csv",
        text('text,label\na,x\n"b" is, "quoted\nhere",y\nc,x\nd,y\n'),
        {"on_bad_rows": "skip"},
        "t.csv, row 3: text follows a closing quote",
    ),
    ("t.csv", text('"te"xt,label\nb,x\n'), {"on_bad_rows": "skip"}, "t.csv, row 1: text follows a closing quote"),
    ("t.csv", text(HEAD + "c\n"), {}, "t.csv, row 3: 1 cells where the header has 2; .* on_bad_rows=skip"),
    ("t.csv", text(HEAD + "c,d,e\n"), {}, "t.csv, row 3: 3 cells where the header has 2"),
    ("t.csv", text(""), {}, "t.csv: the file is empty"),
    ("t.csv", text(b"\xef\xbb\xbf"), {}, "t.csv: the file is empty"),
    ("t.csv", text("\n\n"), {}, "t.csv: the file is empty"),
    ("t.csv", text("text,label\n"), {}, "t.csv: no rows below the header"),
    ("t.csv", text("text,label,text\na,b,c\n"), {}, "t.csv: 2 columns are called 'text'"),
    ("t.csv", text(b"\x89PNG\r\n\x1a\n" + b"\0" * 9), {}, "t.csv: a binary file"),
    (
        "t.csv",
        text("text,label\na,b\nün,c\n".encode("cp1252")),
        {"encoding": "utf-8"},
        "t.csv, row 3: byte 0xfc is not utf-8",
    ),
    (
        "t.csv",
        text("text,label\na,b\nün,c\n".encode("cp1252")),
        {"encoding": "ascii"},
        "t.csv, row 3: byte 0xfc is not ascii",
    ),
    (
        "t.csv",
        text("text,label\na,b\nc,d\n".encode("utf-16-le")[:-1]),
        {"encoding": "utf-16-le"},
        "t.csv.* is not utf-16-le",
    ),
    ("t.xlsx", text("PK"), {}, r"t.xlsx: unknown extension '.xlsx'; known are .csv, .* save it as CSV"),
    ("t", text("x"), {}, "t: unknown extension ''"),
    ("t.csv", text(HEAD), {"test": "none.csv"}, "test none.csv: no such file or folder; cp FILE none.csv"),
    ("t.csv", text(HEAD), {"validation": "x" * 300}, "validation x+: File name too long"),
    (
        "t.jsonl",
        jsonl_with("", '{"text": "a", '),
        {},
        "t.jsonl, line 22: no JSON: .* at character 14; mend it, or .* on_bad_rows=skip",
    ),
    ("t.jsonl", jsonl_with("[1, 2]"), {}, "t.jsonl, line 21: a JSON list where an object is needed"),
    ("t.jsonl", jsonl_with("[" * 100_000), {}, "t.jsonl, line 21: JSON that cannot be read"),
    ("t.jsonl", jsonl_with('{"text": NaN, "label": "a"}'), {}, "t.jsonl, line 21: no text"),
    ("t.jsonl", jsonl_with('{"label": "a"}'), {}, "t.jsonl, line 21: no text"),
    (
        "t.jsonl",
        jsonl_with('{"text": 5, "label": "a"}'),
        {},
        "t.jsonl, line 21: column 'text' holds 5, a whole number, where text is needed",
    ),
    (
        "t.jsonl",
        jsonl_with('{"text": "c", "label": 5}'),
        {},
        "t.jsonl, line 21: column 'label' holds a whole number here and a text in t.jsonl, line 1",
    ),
    (
        "t.jsonl",
        jsonl_with('{"text": "c", "label": ["a"]}'),
        {},
        "line 21: column 'label' holds a list of text here and a text in",
    ),
    ("t.jsonl", jsonl_with('{"text": "c", "label": {"a": 1}}'), {}, "line 21: column 'label' holds a mapping here"),
    ("t.jsonl", jsonl_with('{"text": "c \\ud800", "label": "a"}'), {}, "line 21: half a character"),
    ("t.jsonl", jsonl_with('{"text": "c", "label": "\\ud800"}'), {}, "line 21: half a character"),
    (
        "t.jsonl",
        text('{"text": "a", "label": ["x", 1]}\n'),
        {},
        "line 1: column 'label' holds a list of text and whole number",
    ),
    ("t.jsonl", text('{"text": "a", "label": ["x", ""]}\n'), {}, "line 1: column 'label' holds an empty label"),
    (
        "t.jsonl",
        text('{"text": "a", "label": 1.5}\n'),
        {},
        "line 1: column 'label' holds 1.5, a number; a label is a word",
    ),
    (
        "t.jsonl",
        text('{"text": "a", "label": ["x"]}\n'),
        {"kind": "single"},
        "line 1: column 'label' holds a list of labels, and kind is single",
    ),
    (
        "t.jsonl",
        text('{"text": "a", "label": "x"}\n{"text": "ü"}'.encode("cp1252")),
        {"encoding": "utf-8"},
        "t.jsonl, after line .*: byte 0xfc is not utf-8",
    ),
    ("t.json", text('[{"text": "a"},\n {]'), {}, "t.json, line 2: no JSON"),
    ("t.json", text('[{"text": "a"}, 3]'), {}, "t.json, item 2: a JSON int where an object is needed"),
    ("t.json", text("[]"), {}, "t.json: the list is empty"),
    ("t.json", text("\n" * 5000 + "[]"), {}, "t.json: the list is empty"),
    ("t.jsonl", text("\ntext,label\na,b\n"), {}, "t.jsonl, line 2: no JSON: .* character 1; no line of the file is"),
    ("t.jsonl", text("[1]\n"), {"on_bad_rows": "skip"}, "t.jsonl, line 1: a JSON list .*; no line of the file is"),
    (
        "t.jsonl",
        jsonl_with('{"text": "a", "label": "x", "text": "b"}'),
        {},
        "t.jsonl, line 21: JSON that cannot be read: key 'text' is there twice; mend it, or",
    ),
    ("t.json", text('[{"text": "a", "text": "b"}]'), {}, "t.json: JSON that cannot be read: key 'text' is there twice"),
    ("t.parquet", bad_letters_parquet, {}, "t.parquet, row 300: byte 0xe9 is not UTF-8"),
    ("t.jsonl", os.mkfifo, {}, "t.jsonl: no regular file"),
    ("folder", fifo_folder, {}, "folder/a/x.txt: no regular file"),
    ("folder", nul_folder, {}, "folder/a/x.txt: a NUL character, as of a binary file"),
    ("folder", circle_folder, {}, "folder/a/up: a link to a folder that is read already or holds this one"),
    ("t.parquet", cut_parquet, {}, "t.parquet: not a whole Parquet file"),
    ("t.parquet", text("text,label\n"), {}, "t.parquet: not a whole Parquet file"),
    ("t.parquet", text(""), {}, "t.parquet: the file is empty"),
    ("t.parquet", nan_parquet, {}, "t.parquet, row 1: column 'text' holds 1.5, a number, where text is needed"),
    ("t.parquet", parquet_with([{"text": None, "label": "a"}]), {}, "t.parquet, row 21: no text"),
    (
        "t.csv",
        text("text,label,part\na,b,train\nc,d,tset\n"),
        {"split": "part"},
        "t.csv, row 3: column 'part' says 'tset'; write train, validation or test",
    ),
    ("folder", lambda path: path.mkdir(), {}, r"folder: the folder holds no label/\*.txt"),
]


@pytest.mark.parametrize(("name", "write", "settings", "said"), FAULTS)
def test_a_fault_is_one_line_with_its_place(tmp_path, monkeypatch, name, write, settings, said):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(UserError, match=said) as caught:
        load(tmp_path / name, **settings)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text": "label"}, "column 'label' is both label and text"),
        ({"text": ("a", "label")}, "column 'label' is both label and text"),
        ({"group": "label"}, "column 'label' is both label and group"),
        ({"text": ()}, "name a column with the text"),
        ({"encoding": "utf-9"}, "no text encoding is called that"),
        ({"encoding": "base64"}, "no text encoding is called that"),
        ({"delimiter": "::"}, "a delimiter is auto, comma"),
        ({"delimiter": '"'}, "a delimiter is auto, comma"),
        ({"split": "part", "test": "test.csv"}, "from a column or from further files"),
        ({"kind": "single", "separator": ";"}, "kind is single"),
        ({"level_separator": "/", "parents": "p.csv"}, "not from both"),
        ({"primary_metric": "hierarchical_f1"}, "needs level_separator or parents"),
        ({"on_bad_rows": "keep"}, "'refuse' or 'skip'"),
        ({"text": ("a", "a")}, "text names a column twice: a, a"),
        ({"validation_share": 0.6, "test_share": 0.4}, "leave nothing to learn from"),
        ({"test": ""}, "at least 1 character"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        TableSettings(**settings)
    with pytest.raises(UserError, match=said) as caught:
        resolve_settings(TableSettings, settings, "tickets")
    assert "Value error" not in str(caught.value)


def test_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)  # root may read every folder
    with pytest.raises(UserError, match=f"{tmp_path}: the folder cannot be read: Permission denied"):
        files_below(tmp_path)


def test_a_file_below_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    path = write_csv(tmp_path / "t.csv", tickets())
    monkeypatch.setattr(os, "stat", refuse)  # root may read every folder
    with pytest.raises(UserError, match=f"path {path}: Permission denied"):
        load(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_cannot_be_read(tmp_path):
    path = write_csv(tmp_path / "t.csv", tickets())
    path.chmod(0)
    with pytest.raises(UserError, match=r"t.csv: cannot be read: Permission denied"):
        load(path)


def test_no_format_lets_a_longer_text_through():
    reader = RowReader(TabularSettings(), ["text", "label"], "t")
    with pytest.raises(UserError, match="row 1: a text of 100,000,001 characters; at most 100,000,000 are taken"):
        list(reader.rows([Record("row 1", {"text": "x" * (LONGEST_CELL + 1), "label": "a"})]))


def test_columns_without_a_header_are_shown_short(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a" * 1000 + "," + "b" * 1000 + "\nc,d\n")
    with pytest.raises(UserError, match=r"valid: 'a+…', 'b+…'") as caught:
        load(path)
    assert len(str(caught.value)) < 250
