from pathlib import Path

import pytest
from pydantic import Field

from bench.errors import UserError
from bench.registry import Registry
from bench.settings import Place, Settings, anchored, naming_settings, resolve_settings


class Mine(Settings):
    """Settings with a location."""

    path: Place = Field("", description="where it lies")
    held_out: Place | None = Field(None, description="where more lies")
    size: int = Field(3, ge=1, description="how large")


def test_locations_are_no_part_of_what_names_a_cell():
    here, there = (Mine(path=path, held_out=path, size=5) for path in ("/here/a.csv", "/there/a.csv"))
    assert naming_settings(here) == naming_settings(there) == {"size": 5}


def test_relative_locations_are_put_below_a_folder_and_nothing_else_is_touched():
    given = {"path": "data/a.csv", "held_out": "/b.csv", "size": 5}
    assert anchored(Mine, given, Path("/plugins")) == {"path": "/plugins/data/a.csv", "held_out": "/b.csv", "size": 5}
    assert anchored(Mine, {"path": "", "held_out": None}, Path("/plugins")) == {"path": "", "held_out": None}


def test_a_home_folder_is_spelt_out_where_there_is_one(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    given = {"path": "~/a.csv", "held_out": "~nobody-of-that-name/b.csv"}
    assert anchored(Mine, given, Path("/plugins")) == {
        "path": "/home/me/a.csv",
        "held_out": "/plugins/~nobody-of-that-name/b.csv",
    }


def test_unknown_keys_and_values_out_of_range_are_refused_by_name():
    with pytest.raises(UserError, match=r"'sizes'.*'size'"):
        resolve_settings(Mine, {"sizes": 1}, "mine")
    with pytest.raises(UserError, match=r"mine\.size=0"):
        resolve_settings(Mine, {"size": 0}, "mine")


PLUGIN = """
from pydantic import Field
from bench.settings import Place
from bench.task import Task, TaskSettings

class MineSettings(TaskSettings):
    path: Place = Field("", description="where it lies")

class Mine(Task):
    "Mine."
    name = "mine"
    Config = MineSettings
    def load(self):
        raise NotImplementedError
"""


def test_a_yaml_plugin_has_its_own_name_words_and_paths(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "yours.yaml").write_text(
        "name: yours\nbase: mine\ndescription: Those of\n  yours.\nsettings: {path: data.csv, train_documents: 7}\n"
    )
    registry = Registry.discover([tmp_path / "mine.py", tmp_path / "yours.yaml"])
    yours = registry.get("task", "yours")
    assert yours.about == "Those of yours."
    settings = yours.settings({"train_documents": 8})
    assert (settings.path, settings.train_documents) == (str(tmp_path / "data.csv"), 8)
    assert registry.get("task", "mine").settings({}).path == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nbase: mine\ncolour: red\n", "keys name, base, settings and description"),
        ("name: x\nbase: mine\nsettings: [1]\n", "mapping"),
        ("name: x\nbase: minne\n", "'minne'.*'mine'"),
    ],
)
def test_a_yaml_plugin_that_is_off_is_broken_with_the_reason(tmp_path, text, said):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(UserError, match=said):
        Registry.discover([tmp_path / "mine.py", tmp_path / "x.yaml"]).get("task", "x").load()
