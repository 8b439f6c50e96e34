"""Folders that are replaced are there before and after, wherever the writer is stopped."""

import shutil
from pathlib import Path

import pytest

from bench.files import commit_folder, new_folder, remove_leftovers


class Killed(BaseException):
    pass


def filled(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "file").write_text(content)
    return folder


def killed_between(tmp_path: Path, monkeypatch) -> None:
    """Replace ``cell`` and stop when the old one is out of the way."""
    new, rename = filled(tmp_path / ".cell.new.tmp", "new"), Path.rename

    def stop(path, target):
        if path == new:
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Path, "rename", stop)
        commit_folder(new, tmp_path / "cell")


def test_what_was_out_of_the_way_comes_back(tmp_path, monkeypatch):
    filled(tmp_path / "cell", "old")
    killed_between(tmp_path, monkeypatch)
    assert not (tmp_path / "cell").exists()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cell"]
    assert (tmp_path / "cell" / "file").read_text() == "old"


def test_what_was_replaced_does_not(tmp_path, monkeypatch):
    filled(tmp_path / "cell", "old")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with new_folder(tmp_path / "cell") as folder:
            (folder / "file").write_text("new")
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cell"]
    assert (tmp_path / "cell" / "file").read_text() == "new"
