"""Figures of benchmarks: kept as a file, added to, and held against those of an earlier time."""

import json
from dataclasses import replace

import pytest
from benchmarks.figures import Figure, read, save, to_add_to

RATIO = Figure("ratio", 1.0, most=2)


def test_figures_are_read_as_they_were_saved(tmp_path):
    figures = [RATIO, Figure("seconds", 3.0, unit="s", least=1, seen="3 runs")]
    save(tmp_path / "figures.json", figures)
    assert read(tmp_path / "figures.json") == {figure.name: figure for figure in figures}
    assert to_add_to(tmp_path / "figures.json") == read(tmp_path / "figures.json")
    assert read(tmp_path / "none.json") == {}


def test_figures_of_another_machine_are_not_added_to(tmp_path):
    path = tmp_path / "figures.json"
    save(path, [RATIO])
    path.write_text(json.dumps({**json.loads(path.read_text()), "hardware": {"cpu": "another"}}))
    with pytest.raises(ValueError, match="another machine"):
        to_add_to(path)


def test_what_leaves_its_bounds_or_is_much_worse_than_before_is_told():
    assert RATIO.complaints(None) == RATIO.complaints(replace(RATIO, value=0.7)) == []
    assert "is not ≤ 2" in replace(RATIO, value=2.1).complaints(None)[0]
    assert "over 50% worse" in RATIO.complaints(replace(RATIO, value=0.6))[0]
    assert replace(RATIO, unit="s").complaints(replace(RATIO, unit="s", value=0.6)) == []
