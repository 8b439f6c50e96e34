"""Names of plugins become parts of paths, and are refused where they could lead elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.registry import Registry

ODD = ["../../../esc", "a/b", "..", ".hidden", "-t", "two words", "a\\b"]
CLASS = """
from bench.task import Task

class Mine(Task):
    name = {!r}
    def load(self): ...
"""


def write(tmp_path: Path, name: str, kind: str) -> Path:
    path = tmp_path / f"mine.{kind}"
    path.write_text(CLASS.format(name) if kind == "py" else f"name: {json.dumps(name)}\nbase: synthetic-clv\n")
    return path


@pytest.mark.parametrize("kind", ["yaml", "py"])
@pytest.mark.parametrize("name", ODD)
def test_names_that_lead_elsewhere_are_broken(tmp_path: Path, name: str, kind: str) -> None:
    plugin = Registry.discover([write(tmp_path, name, kind)]).get("task", name)
    with pytest.raises(UserError, match=r"broken: a name is made of letters, digits, '_', '\.' and '-'"):
        plugin.settings({})


@pytest.mark.parametrize("kind", ["yaml", "py"])
@pytest.mark.parametrize("name", ["mine", "v1.2_a-b", "größe", "特許", "7"])
def test_names_of_letters_and_digits_are_fine(tmp_path: Path, name: str, kind: str) -> None:
    assert Registry.discover([write(tmp_path, name, kind)]).get("task", name).load().name == name


def test_such_a_name_writes_nothing(bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "far" / "down" / "cache"))
    path = write(tmp_path, "../../../esc", "yaml")
    done = bench("run", "-t", "../../../esc", "-m", "prior", "--plugins", path, "--out", tmp_path / "out")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert [found.name for found in tmp_path.iterdir()] == ["mine.yaml"]
