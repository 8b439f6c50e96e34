from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from bench.errors import TaskDataError
from tasks.wipo import collection as module
from tasks.wipo.collection import find_collection, read_files


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def contents(place: Path) -> list[tuple[bytes, str]]:
    found = find_collection(place)
    return [(read.content, read.fault) for read in read_files(found.place, found.time, found.files)]


NAMES = ("a/train/alphatrain/A/1.xml", "a/test/alphatest/B/2.XML", "a/train/test/3.xml", "a/other/4.xml", "a/wipo.dtd")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_splits_are_the_topmost_directories_of_that_name(tmp_path: Path, kind: str) -> None:
    place = put(tmp_path, *NAMES) if kind == "folder" else zipped(tmp_path / "a.zip", *NAMES)
    found = find_collection(place)
    assert {file.name: file.split for file in found.files} == {NAMES[0]: "train", NAMES[1]: "test", NAMES[2]: "train"}
    assert (found.outside, found.others) == (1, 1)
    assert contents(place) == [(file.name.encode(), "") for file in found.files]


@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_split_without_files_is_refused(tmp_path: Path, missing: str) -> None:
    other = "test" if missing == "train" else "train"
    (put(tmp_path, f"{other}/1.xml") / missing).mkdir()
    with pytest.raises(TaskDataError, match=f"{tmp_path} has no .xml file below a directory called {missing}"):
        find_collection(tmp_path)


@pytest.mark.parametrize(
    "name", ["../train/1.xml", "train/../../1.xml", "/train/1.xml", "train\\..\\1.xml", "C:/1.xml"]
)
def test_a_zip_that_leads_out_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    place = zipped(tmp_path / "bad.zip", "train/1.xml", "test/2.xml", name)
    with pytest.raises(TaskDataError, match=r"bad\.zip: the name .* leads out of the zip"):
        find_collection(place)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt")
    with pytest.raises(TaskDataError, match=r"notes\.txt is no readable zip"):
        find_collection(tmp_path / "notes.txt")


def test_a_damaged_member_of_a_zip_has_a_fault(tmp_path: Path) -> None:
    place = zipped(tmp_path / "a.zip", "train/1.xml", "test/2.xml")
    raw = place.read_bytes()
    place.write_bytes(raw.replace(b"train/1.xmltrain/1.xml", b"train/1.xmlXXXXX/1.xml"))
    assert [fault for _, fault in contents(place)] == ["", "file that cannot be read (BadZipFile)"]


def test_a_directory_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "train/A/1.xml", "test/2.xml")
    scandir = os.scandir

    def refuse(folder: str) -> object:
        if folder.endswith("A"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(module.os, "scandir", refuse)
    with pytest.raises(TaskDataError, match=f"{tmp_path}/train/A cannot be read: Permission denied"):
        find_collection(tmp_path)


def test_links_are_followed_once(tmp_path: Path) -> None:
    put(tmp_path, "far/1.xml", "here/test/2.xml")
    (tmp_path / "here/train").symlink_to(tmp_path / "far")
    (tmp_path / "far/loop").symlink_to(tmp_path / "here")
    (tmp_path / "far/3.xml").symlink_to(tmp_path / "nowhere")
    assert [file.name for file in find_collection(tmp_path / "here").files] == [
        "test/2.xml", "train/1.xml", "train/3.xml",
    ]  # fmt: skip
    assert [fault for _, fault in contents(tmp_path / "here")][2] == "file that cannot be read (FileNotFoundError)"


def test_files_too_short_and_too_large_have_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_collection(put(tmp_path, "train/1.xml", "test/22.xml"))
    (tmp_path / "train/1.xml").write_bytes(b"t")
    monkeypatch.setattr(module, "LARGEST", 11)
    faults = [read.fault for read in read_files(found.place, found.time, found.files)]
    assert faults == ["", "file shorter than it was"]
    monkeypatch.setattr(module, "LARGEST", 10)
    assert "file of more than" in next(read_files(found.place, found.time, found.files)).fault


def test_a_file_that_grew_too_large_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_collection(put(tmp_path, "train/1.xml", "test/2.xml"))
    (tmp_path / "train/1.xml").write_bytes(b"t" * 40)
    monkeypatch.setattr(module, "LARGEST", 20)
    reads = list(read_files(found.place, found.time, found.files))
    assert [(len(read.content), bool(read.fault)) for read in reads] == [(10, False), (21, True)]


def test_pipes_are_left_alone(tmp_path: Path) -> None:
    os.mkfifo(put(tmp_path, "train/1.xml", "test/2.xml") / "train/pipe.xml")
    found = find_collection(tmp_path)
    assert ([file.name for file in found.files], found.others) == (["test/2.xml", "train/1.xml"], 1)
    assert [fault for _, fault in contents(tmp_path)] == ["", ""]


def test_a_zip_is_a_zip_whenever_it_was_written(tmp_path: Path) -> None:
    place = zipped(tmp_path / "a.zip", "train/1.xml", "test/2.xml")
    os.utime(place, ns=(0, 0))
    assert contents(place) == [(b"test/2.xml", ""), (b"train/1.xml", "")]


def test_the_digest_tells_any_change(tmp_path: Path) -> None:
    put(tmp_path, "train/1.xml", "test/2.xml")
    digests = [find_collection(tmp_path).digest(), find_collection(tmp_path).digest()]
    os.utime(tmp_path / "train/1.xml", ns=(1, 1))
    digests.append(find_collection(tmp_path).digest())
    put(tmp_path, "train/3.xml")
    digests.append(find_collection(tmp_path).digest())
    shutil.move(tmp_path / "train/3.xml", tmp_path / "test/3.xml")
    digests.append(find_collection(tmp_path).digest())
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4
