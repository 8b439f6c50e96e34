from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.errors import TaskDataError
from bench.files import cache_folder
from tasks.wipo import parsing
from tasks.wipo.codes import LEVELS, at_level
from tasks.wipo.collection import find_collection
from tasks.wipo.fixture import MadeCollection, MadeRecord, write_collection
from tasks.wipo.parsing import parse_collection
from tasks.wipo_alpha import WipoAlpha, WipoAlphaSettings

MANY = 5000
FIELDS = ("title", "inventors", "applicants", "abstract", "description")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> MadeCollection:
    return write_collection(tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture
def few(tmp_path: Path) -> MadeCollection:
    return write_collection(tmp_path / "few", 60)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def quiet(line: str) -> None:
    """Nobody listens."""


def fail(*_: object) -> None:
    raise AssertionError("files were parsed again")


def load(made: MadeCollection, **given: object):
    return WipoAlpha(WipoAlphaSettings(path=str(made.place), **given)).load()


def first_words(record: MadeRecord, count: int) -> list[str]:
    return " ".join(getattr(record, name) for name in FIELDS).split()[:count]


def test_every_field_of_every_record_is_what_it_was_made_of(many: MadeCollection) -> None:
    lines: list[str] = []
    parsed = parse_collection(find_collection(many.place), lines.append)
    rows = list(parsed.rows(tuple(MadeRecord.__slots__)))
    assert len(rows) == MANY
    for row, made in zip(rows, many.records, strict=True):
        assert {**row, "others": tuple(row["others"])} == asdict(made)
    assert {file.name: file.reason for file in parsed.skipped} == many.spoiled
    assert lines == ["parsed 5,009 of 5,009 files"]


@pytest.mark.parametrize("level", LEVELS)
def test_labels_and_texts_of_every_level_are_what_they_were_made_of(many: MadeCollection, level) -> None:
    """Both kinds of labels at every level, each with another text, against the records themselves."""
    made = {record.id: record for record in many.records}
    mains = sorted({at_level(record.main, level) for record in many.records})
    for labels, text in (("main", "first-words"), ("all", "title")):
        data = load(many, level=level, labels=labels, text=text)
        data.check()
        assert list(data.labels.names) == mains
        assert sum(len(documents) for _, documents in data.splits()) == MANY
        for split, documents in data.splits():
            rows = zip(documents.ids, documents.texts, documents.labels, documents.categories, strict=True)
            for id_, content, row, categories in rows:
                record = made[id_]
                main = at_level(record.main, level)
                others = dict.fromkeys(at_level(code, level) for code in record.others)
                expected = [main, *(name for name in others if name != main and name in mains)]
                names = [data.labels.names[position] for position in categories]
                assert names == expected
                assert [data.labels.names[i] for i in row] == (expected[:1] if labels == "main" else sorted(expected))
                assert record.split == ("test" if split == "test" else "train")
                assert content.split() == (first_words(record, 300) if text != "title" else record.title.split())


def test_a_second_view_reads_no_xml(few: MadeCollection, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(few)
    monkeypatch.setattr(parsing, "parse_files", fail)
    assert load(few, level="class", text="claims").labels.names[0] == "A01"


def test_a_changed_file_is_parsed_again(few: MadeCollection, own_cache: Path) -> None:
    record = next(record for record in few.records if record.split == "test" and record.english)
    old = load(few, level="section", text="title").test
    assert old.texts[list(old.ids).index(record.id)] == record.title
    path = few.place / record.file
    path.write_bytes(path.read_bytes().replace(b"<tis>", b'<tis><ti xml:lang="EN">new</ti>'))
    new = load(few, level="section", text="title").test
    assert new.texts[list(new.ids).index(record.id)] == f"new {record.title}"
    assert len(list((own_cache / "wipo-alpha").iterdir())) == 2  # the lock, and one folder for the place


def test_a_changed_parser_parses_again(few: MadeCollection, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(few)
    monkeypatch.setattr(parsing, "FORMAT", parsing.FORMAT + 1)
    monkeypatch.setattr(parsing, "parse_files", fail)
    with pytest.raises(AssertionError, match="parsed again"):
        load(few)


def test_a_failure_leaves_nothing_half_written(
    few: MadeCollection, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "CHUNK", 10)
    genuine, calls = parsing.parse_files, Counter[str]()

    def full(*arguments):
        calls["all"] += 1
        if calls["all"] == 3:
            raise OSError(28, "No space left on device")
        return genuine(*arguments)

    monkeypatch.setattr(parsing, "parse_files", full)
    with pytest.raises(OSError, match="No space"):
        load(few)
    assert [path.name for path in (own_cache / "wipo-alpha").iterdir()] == [".lock"]
    assert len(load(few).test) == 20


def test_a_file_that_no_parser_foresaw_costs_itself_alone(few, own_cache: Path, monkeypatch) -> None:
    genuine, odd = parsing.parse_record, few.place / few.records[0].file

    def parse(content: bytes):
        if content == odd.read_bytes():
            raise ValueError("never seen before")
        return genuine(content)

    monkeypatch.setattr(parsing, "parse_record", parse)
    data = load(few)
    assert data.skipped["file that cannot be parsed (ValueError)"] == 1
    assert few.records[0].file in data.skipped_files
    assert sum(len(documents) for _, documents in data.splits()) == 59


def test_want_of_memory_is_no_fault_of_a_file(few, own_cache: Path, monkeypatch) -> None:
    def parse(content: bytes):
        raise MemoryError

    monkeypatch.setattr(parsing, "parse_record", parse)
    with pytest.raises(MemoryError):
        load(few)


def test_a_collection_that_gives_no_record_is_refused_and_not_kept(tmp_path: Path, own_cache: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "1.xml").write_text("<html/>")
    with pytest.raises(TaskDataError, match=r"none of 2 files gives a record \(file without a <record> element: 2\)"):
        parse_collection(find_collection(tmp_path), quiet)
    assert [path.name for path in (own_cache / "wipo-alpha").iterdir()] == [".lock"]


def test_workers_give_what_one_process_gives(few: MadeCollection, own_cache: Path, monkeypatch) -> None:
    alone = load(few, labels="all", level="symbol")
    shutil.rmtree(cache_folder())
    monkeypatch.setattr(parsing, "CHUNK", 7)
    monkeypatch.setattr(parsing, "_WORTH_A_WORKER", 20)
    monkeypatch.setattr("bench.meters.environment.usable_cores", lambda: 2)
    assert load(few, labels="all", level="symbol").fingerprint() == alone.fingerprint()


def test_progress_is_told(few: MadeCollection, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "CHUNK", 10)
    monkeypatch.setattr(parsing, "_TOLD_EVERY", 20)
    lines: list[str] = []
    parse_collection(find_collection(few.place), lines.append)
    assert lines == [f"parsed {done} of 69 files" for done in (20, 40, 60, 69)]


def test_a_zip_is_read_like_a_folder(few: MadeCollection, tmp_path: Path) -> None:
    place = shutil.make_archive(str(tmp_path / "copy"), "zip", few.place.parent)
    zipped = WipoAlpha(WipoAlphaSettings(path=place)).load()
    assert zipped.fingerprint() == load(few).fingerprint()


def test_a_publication_that_recurs_is_refused(few: MadeCollection) -> None:
    record = few.records[0]
    shutil.copy(few.place / record.file, few.place / "test/copy.xml")
    with pytest.raises(TaskDataError, match=f"publication {record.id} is in .* and in .*; keep one"):
        load(few)
