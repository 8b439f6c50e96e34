"""The source hash covers what a plugin runs, and nothing else."""

from pathlib import Path

import pytest

from bench.source import FirstParty, SourceHasher


@pytest.fixture
def package(tmp_path):
    files = {
        "pack/__init__.py": "",
        "pack/plugin.py": "from pack import helper\ndef f():\n    import pack.late\n",
        "pack/helper.py": "from .deep.inner import constant\n",
        "pack/deep/__init__.py": "",
        "pack/deep/inner.py": "constant = 1\n",
        "pack/late.py": "import json\n",
        "pack/stranger.py": "unused = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def hashed(root: Path) -> str:
    return SourceHasher(FirstParty({"pack": root / "pack"})).hash(["pack.plugin"])


@pytest.mark.parametrize("name", ["plugin", "helper", "deep/inner", "late", "deep/__init__"])
def test_a_change_in_anything_reached_changes_the_hash(package, name):
    before = hashed(package)
    path = package / "pack" / f"{name}.py"
    path.write_text(path.read_text() + "\nadded = 1\n")
    assert hashed(package) != before


def test_a_change_in_what_is_not_reached_does_not(package):
    before = hashed(package)
    (package / "pack" / "stranger.py").write_text("unused = 2\n")
    assert hashed(package) == before


def test_the_place_of_the_code_does_not_matter(package, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (package / "pack").rename(elsewhere / "pack")
    moved = hashed(elsewhere)
    (elsewhere / "pack").rename(package / "pack")
    assert moved == hashed(package)


def test_modules_beside_a_loose_file_count(tmp_path):
    (tmp_path / "loose.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("constant = 1\n")

    def loose():
        return SourceHasher(FirstParty({}, tmp_path)).hash([], [tmp_path / "loose.py"])

    before = loose()
    (tmp_path / "beside.py").write_text("constant = 2\n")
    assert loose() != before


def test_the_harness_reaches_metrics_and_meters_but_not_the_command_line():
    hasher = SourceHasher(FirstParty.of())
    reached: dict[str, str] = {}
    path = hasher.first_party.file("bench.runner.child")
    hasher._visit("bench.runner.child", path, reached)
    assert {"bench.metrics.thresholds", "bench.metrics.f1", "bench.meters.clock", "bench.prediction"} <= set(reached)
    assert not [name for name in reached if name.startswith(("bench.cli", "report", "tasks", "baselines"))]
