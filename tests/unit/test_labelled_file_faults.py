"""Whose fault it is when a file of labels is not written."""

import pytest

from bench.errors import UserError
from bench.labelled_file import Layout, new_table

LAYOUT = Layout(("a", "b"), "single", True, 0)
ROW = {"id": "1", "label": "a", "score": 0.5}


def test_a_fault_of_the_body_is_its_own(tmp_path):
    fault = FileNotFoundError(2, "No such file or directory", "weights")
    with pytest.raises(FileNotFoundError) as raised, new_table(tmp_path / "out.csv", LAYOUT, "; ") as write:
        write([ROW])
        raise fault
    assert raised.value is fault
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_the_outputs(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match=r"--output .*out\.csv"),
        new_table(tmp_path / "file" / "out.csv", LAYOUT, "; "),
    ):
        raise AssertionError("nothing can be written")


def test_a_fault_in_writing_is_the_outputs(tmp_path):
    def rows():
        yield ROW
        raise OSError(28, "No space left on device")

    with (
        pytest.raises(UserError, match=r"--output .*No space left"),
        new_table(tmp_path / "out.csv", LAYOUT, "; ") as write,
    ):
        write(rows())
    assert not list(tmp_path.iterdir())
